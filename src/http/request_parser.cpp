#include "http/request_parser.h"

#include <algorithm>
#include <new>

#include "base/assert.h"
#include "http/request_message.h"

namespace hyperion::http {

const RequestHead& RequestParser::head() const {
  HYPERION_ASSERT(message_ != nullptr && message_->head_complete);
  return message_->head;
}

void RequestParser::fail(Rejection rejection) {
  rejection_ = rejection;
  state_ = State::failed;
}

size_t RequestParser::feed(std::string_view bytes, Arena& arena, BodySink& sink) {
  if (bytes.empty()) return 0;
  switch (state_) {
    case State::idle: {
      void* place = arena.allocate(sizeof(RequestMessage), alignof(RequestMessage));
      if (place == nullptr) {
        fail({503, "The gateway is out of memory for this request; try again."});
        return 0;
      }
      message_ = new (place) RequestMessage();
      if (!message_->text.start(arena, limits_->header_count_max)) {
        fail({503, "The gateway is out of memory for this request; try again."});
        return 0;
      }
      start_reading(*message_, *limits_);
      state_ = State::head;
      return feed_head(bytes, arena);
    }
    case State::head: return feed_head(bytes, arena);
    case State::body: return feed_body(bytes, sink);
    default: return 0;
  }
}

// One empty line before the request line is what old clients send after a body (RFC 9112 2.2).
// llhttp would skip any number, and lone CR or LF.
size_t RequestParser::skip_empty_line(std::string_view bytes) {
  uint32_t& size = message_->empty_line_size;
  size_t consumed = 0;
  while (size == head_bytes_ && consumed < bytes.size()) {
    const char c = bytes[consumed];
    if ((size == 0 && c == '\r') || (size == 1 && c == '\n')) {
      ++consumed;
      ++head_bytes_;
      ++size;
      continue;
    }
    if (size == 1 || c == '\r' || c == '\n') {
      fail({400, "The request must begin with a method; at most one CR LF may precede it."});
    }
    break;
  }
  return consumed;
}

// How far the head may go before the next limit has to be looked at.
size_t RequestParser::head_allowance() const {
  constexpr size_t method_size_max_bytes = 16;  // llhttp's longest is GET_PARAMETER
  size_t end = limits_->head_size_max_bytes;
  if (!message_->target_complete) {
    // The request line may go on until the target is surely too long (llhttp reports its end one
    // byte after the blank); before the method is known, as far as any method allows.
    const size_t target_max =
        std::max<size_t>(limits_->target_size_max_bytes, method_size_max_bytes);
    const bool method_known = message_->target_offset != 0;
    end = std::min(end, method_known ? message_->target_offset + target_max + 2
                                     : message_->empty_line_size + target_max);
  }
  return end > head_bytes_ ? end - head_bytes_ : 0;
}

size_t RequestParser::feed_head(std::string_view bytes, Arena& arena) {
  size_t consumed = skip_empty_line(bytes);
  while (state_ == State::head && consumed < bytes.size()) {
    const size_t allowance = head_allowance();
    if (allowance == 0) {
      if (head_bytes_ >= limits_->head_size_max_bytes) {
        fail({431, "The request head is larger than this gateway accepts."});
      } else {
        fail({414, "The request target is longer than this gateway accepts."});
      }
      break;
    }
    const size_t size = std::min(allowance, HeadText::piece_size_max_bytes);
    if (!read_piece(bytes.substr(consumed, size), arena, consumed)) break;
  }
  return consumed;
}

bool RequestParser::read_piece(std::string_view piece, Arena& arena, size_t& consumed) {
  RequestMessage& message = *message_;
  message.piece_offset = head_bytes_;
  message.text.begin_piece(arena, piece);
  const llhttp_errno_t error = llhttp_execute(&message.llhttp, piece.data(), piece.size());
  size_t size = piece.size();
  if (error != HPE_OK) {
    size = static_cast<size_t>(llhttp_get_error_pos(&message.llhttp) - piece.data());
  }
  head_bytes_ += static_cast<uint32_t>(size);
  consumed += size;
  if (error != HPE_OK && !message.head_complete) {
    fail(rejection_of_head(message, error));
    return false;
  }
  if (!message.text.end_piece()) {
    fail({503, "The gateway is out of memory for this request head; try again."});
    return false;
  }
  if (message.head_complete) {
    finish_head(message);
    state_ = State::head_ready;
  }
  return true;
}

void RequestParser::continue_body() {
  HYPERION_ASSERT(state_ == State::head_ready);
  BodyLimits limits;
  limits.body_size_max_bytes = limits_->body_size_max_bytes;
  limits.chunk_extension_max_bytes = limits_->chunk_extension_max_bytes;
  limits.chunk_count_max = limits_->chunk_count_max;
  limits.trailer_size_max_bytes = limits_->trailer_size_max_bytes;
  message_->body.start(message_->head.framing, message_->head.content_length, limits);
  state_ = message_->body.complete() ? State::complete : State::body;
}

size_t RequestParser::feed_body(std::string_view bytes, BodySink& sink) {
  BodyDecoder& body = message_->body;
  size_t consumed = 0;
  while (consumed < bytes.size() && !body.complete()) {
    std::string_view data;
    consumed += body.next(bytes.substr(consumed), data);
    body_bytes_ = body.decoded_bytes();
    if (!data.empty() && !sink.on_body(data)) {
      fail({503, "The gateway is out of memory for this request body; try again."});
      return consumed;
    }
    if (body.fault() != BodyFault::none) {
      fail(rejection_of_body(body.fault()));
      return consumed;
    }
  }
  if (body.complete()) state_ = State::complete;
  return consumed;
}

void RequestParser::next(const Limits& limits) {
  HYPERION_ASSERT(state_ == State::complete || state_ == State::idle);
  limits_ = &limits;
  message_ = nullptr;
  body_bytes_ = 0;
  head_bytes_ = 0;
  state_ = State::idle;
}

}  // namespace hyperion::http
