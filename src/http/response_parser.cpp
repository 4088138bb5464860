#include "http/response_parser.h"

#include <algorithm>
#include <limits>
#include <new>

#include <llhttp.h>

#include "base/assert.h"
#include "http/body_decoder.h"
#include "http/field_rules.h"
#include "http/head_text.h"

namespace hyperion::http {

// All that is needed while a response is read. Trivially destroyed with its arena.
struct ResponseMessage {
  llhttp_t llhttp;
  HeadText text;
  ResponseHead head;
  BodyDecoder body;
  const Limits* limits;
  ErrorCode failure;  // set by a callback before it stops llhttp
  char protocol_initial;
  bool started;  // a byte of this head was seen
  bool transfer_encoding_seen;
  bool content_length_seen;
  bool head_complete;
};

namespace {

ResponseMessage& message_of(llhttp_t* parser) {
  return *static_cast<ResponseMessage*>(parser->data);
}

int stop(ResponseMessage& message, ErrorCode failure) {
  message.failure = failure;
  return HPE_USER;
}

// As in RequestParser, judgements are made in the `_complete` callbacks only.

int on_protocol(llhttp_t* parser, const char* at, size_t size) {
  ResponseMessage& message = message_of(parser);
  if (message.protocol_initial == 0 && size > 0) message.protocol_initial = *at;
  return 0;
}

int on_version_complete(llhttp_t* parser) {
  ResponseMessage& message = message_of(parser);
  // llhttp knows HTTP, RTSP and ICE, and the versions 0.9 and 2.0 too.
  const bool served = message.protocol_initial == 'H' && parser->http_major == 1;
  return served ? 0 : stop(message, ErrorCode::malformed_http);
}

int on_name(llhttp_t* parser, const char* at, size_t size) {
  ResponseMessage& message = message_of(parser);
  return message.text.add_to_name(at, size) ? 0 : stop(message, ErrorCode::overloaded);
}

int on_value(llhttp_t* parser, const char* at, size_t size) {
  ResponseMessage& message = message_of(parser);
  if (message.text.add_to_value(at, size)) return 0;
  const bool too_long = message.text.header().value.size() + size > HeadText::text_size_max_bytes;
  return stop(message, too_long ? ErrorCode::too_large : ErrorCode::overloaded);
}

int on_value_complete(llhttp_t* parser) {
  ResponseMessage& message = message_of(parser);
  if (message.text.headers().count == message.limits->response_header_count_max) {
    return stop(message, ErrorCode::too_many);
  }
  message.text.finish_header();
  const HeaderList& headers = message.text.headers();
  const Header& header = headers.items[headers.count - 1];
  bool accepted = true;
  switch (guarded_name(header.name)) {
    case GuardedName::content_length:
      accepted = !message.content_length_seen &&
                 parse_content_length(header.value, message.head.content_length);
      message.content_length_seen = true;
      break;
    case GuardedName::transfer_encoding:
      accepted = !message.transfer_encoding_seen && parser->http_minor == 1 &&
                 equal_ignoring_case(header.value, "chunked");
      message.transfer_encoding_seen = true;
      break;
    default: break;
  }
  return accepted ? 0 : stop(message, ErrorCode::malformed_http);
}

int on_head_complete(llhttp_t* parser) {
  ResponseMessage& message = message_of(parser);
  ResponseHead& head = message.head;
  head.status = parser->status_code;
  head.minor_version = parser->http_minor;
  if (head.status < 100 || head.status > 599) return stop(message, ErrorCode::malformed_http);
  if (head.status == 101) return stop(message, ErrorCode::unsupported);
  // llhttp refuses this too, in either order.
  if (message.content_length_seen && message.transfer_encoding_seen) {
    return stop(message, ErrorCode::malformed_http);
  }
  const bool says_close = (parser->flags & F_CONNECTION_CLOSE) != 0;
  const bool says_keep_alive = (parser->flags & F_CONNECTION_KEEP_ALIVE) != 0;
  head.keep_alive = !says_close && (head.minor_version == 1 || says_keep_alive);
  message.head_complete = true;
  return HPE_PAUSED;
}

llhttp_settings_t make_settings() {
  llhttp_settings_t settings;
  llhttp_settings_init(&settings);
  settings.on_protocol = on_protocol;
  settings.on_version_complete = on_version_complete;
  settings.on_header_field = on_name;
  settings.on_header_value = on_value;
  settings.on_header_value_complete = on_value_complete;
  settings.on_headers_complete = on_head_complete;
  return settings;
}
const llhttp_settings_t settings = make_settings();

}  // namespace

void ResponseParser::begin(const Limits& limits, bool to_head) {
  HYPERION_ASSERT(state_ == State::idle || state_ == State::complete);
  limits_ = &limits;
  message_ = nullptr;
  body_bytes_ = 0;
  head_bytes_ = 0;
  state_ = State::idle;
  to_head_ = to_head;
}

const ResponseHead& ResponseParser::head() const {
  HYPERION_ASSERT(message_ != nullptr && message_->head_complete);
  return message_->head;
}

void ResponseParser::fail(ErrorCode code) {
  error_ = make_error(code, Side::upstream);
  state_ = State::failed;
}

bool ResponseParser::start_message(Arena& arena) {
  void* place = arena.allocate(sizeof(ResponseMessage), alignof(ResponseMessage));
  if (place == nullptr) return false;
  message_ = new (place) ResponseMessage();
  message_->limits = limits_;
  if (!message_->text.start(arena, limits_->response_header_count_max)) return false;
  start_head();
  return true;
}

// Also for each head after a 1xx one, in the same place.
void ResponseParser::start_head() {
  ResponseMessage& message = *message_;
  message.text.restart();
  message.head = ResponseHead();
  message.protocol_initial = 0;
  message.started = false;
  message.transfer_encoding_seen = false;
  message.content_length_seen = false;
  message.head_complete = false;
  llhttp_init(&message.llhttp, HTTP_RESPONSE, &settings);
  message.llhttp.data = message_;
}

size_t ResponseParser::feed(std::string_view bytes, Arena& arena, BodySink& sink) {
  if (bytes.empty()) return 0;
  switch (state_) {
    case State::idle:
      if (!start_message(arena)) {
        fail(ErrorCode::overloaded);
        return 0;
      }
      state_ = State::head;
      return feed_head(bytes, arena);
    case State::head: return feed_head(bytes, arena);
    case State::body: return feed_body(bytes, sink);
    default: return 0;
  }
}

size_t ResponseParser::feed_head(std::string_view bytes, Arena& arena) {
  size_t consumed = 0;
  while (state_ == State::head && consumed < bytes.size()) {
    const size_t allowance = limits_->response_head_size_max_bytes - head_bytes_;
    if (allowance == 0) {
      fail(ErrorCode::too_large);
      break;
    }
    ResponseMessage& message = *message_;
    // llhttp would skip line ends before the status line; nothing may precede ours.
    if (!message.started && bytes[consumed] != 'H') {
      fail(ErrorCode::malformed_http);
      break;
    }
    message.started = true;
    const std::string_view piece =
        bytes.substr(consumed, std::min(allowance, HeadText::piece_size_max_bytes));
    message.text.begin_piece(arena, piece);
    const llhttp_errno_t error = llhttp_execute(&message.llhttp, piece.data(), piece.size());
    size_t size = piece.size();
    if (error != HPE_OK) {
      size = static_cast<size_t>(llhttp_get_error_pos(&message.llhttp) - piece.data());
    }
    head_bytes_ += static_cast<uint32_t>(size);
    consumed += size;
    if (error != HPE_OK && !message.head_complete) {
      const bool ours = message.failure != ErrorCode::none;
      fail(ours ? message.failure : ErrorCode::malformed_http);
      break;
    }
    if (!message.text.end_piece()) {
      fail(ErrorCode::overloaded);
      break;
    }
    if (!message.head_complete) continue;
    if (message.head.status >= 200) {
      finish_head();
    } else {
      start_head();
    }
  }
  return consumed;
}

void ResponseParser::finish_head() {
  ResponseHead& head = message_->head;
  head.headers = message_->text.headers();
  if (to_head_ || head.status == 204 || head.status == 304) {
    head.framing = Framing::none;
  } else if (message_->transfer_encoding_seen) {
    head.framing = Framing::chunked;
  } else if (message_->content_length_seen) {
    head.framing = Framing::content_length;
  } else {
    head.framing = Framing::until_close;
    head.keep_alive = false;
  }
  state_ = State::head_ready;
}

void ResponseParser::continue_body() {
  HYPERION_ASSERT(state_ == State::head_ready);
  BodyLimits limits;
  limits.body_size_max_bytes = std::numeric_limits<uint64_t>::max();
  limits.chunk_extension_max_bytes = limits_->chunk_extension_max_bytes;
  limits.trailer_size_max_bytes = limits_->trailer_size_max_bytes;
  limits.extension_and_count_per_message = false;
  message_->body.start(message_->head.framing, message_->head.content_length, limits);
  state_ = message_->body.complete() ? State::complete : State::body;
}

size_t ResponseParser::feed_body(std::string_view bytes, BodySink& sink) {
  BodyDecoder& body = message_->body;
  size_t consumed = 0;
  while (consumed < bytes.size() && !body.complete()) {
    std::string_view data;
    consumed += body.next(bytes.substr(consumed), data);
    body_bytes_ = body.decoded_bytes();
    if (!data.empty() && !sink.on_body(data)) {
      fail(ErrorCode::cancelled);
      return consumed;
    }
    if (body.fault() != BodyFault::none) {
      const bool size = body.fault() == BodyFault::trailer_size ||
                        body.fault() == BodyFault::chunk_extension_size;
      fail(size ? ErrorCode::too_large : ErrorCode::malformed_http);
      return consumed;
    }
  }
  if (body.complete()) state_ = State::complete;
  return consumed;
}

bool ResponseParser::finish() {
  if (state_ == State::head_ready) continue_body();
  switch (state_) {
    case State::complete: return true;
    case State::body:
      if (message_->head.framing == Framing::until_close) {
        state_ = State::complete;
        return true;
      }
      fail(ErrorCode::incomplete);
      return false;
    case State::head: fail(ErrorCode::incomplete); return false;
    default: return false;
  }
}

}  // namespace hyperion::http
