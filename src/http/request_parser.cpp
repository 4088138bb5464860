#include "http/request_parser.h"

#include <algorithm>
#include <cstring>
#include <new>

#include <llhttp.h>

#include "base/assert.h"
#include "http/body_decoder.h"
#include "http/field_rules.h"
#include "http/head_text.h"

namespace hyperion::http {

// All that is needed while a message is read. Trivially destroyed with its arena.
struct RequestMessage {
  llhttp_t llhttp;
  HeadText text;
  RequestHead head;
  BodyDecoder body;
  TargetParts target;
  Rejection rejection;  // set by a callback before it stops llhttp
  const Limits* limits;
  uint32_t piece_offset;     // of the current piece in the head
  uint32_t empty_line_size;  // CR LF before the request line
  uint32_t target_offset;    // where the target must begin; 0 before the method is known
  uint32_t target_begin;     // where it does begin
  uint32_t target_end;
  uint32_t protocol_begin;
  uint32_t host_index;
  uint8_t version_size;
  char protocol_initial;
  bool target_complete;
  bool host_seen;
  bool transfer_encoding_seen;
  bool content_length_seen;
  bool head_complete;
};

namespace {

RequestMessage& message_of(llhttp_t* parser) { return *static_cast<RequestMessage*>(parser->data); }

int reject(RequestMessage& message, uint16_t status, const char* reason) {
  message.rejection = {status, reason};
  return HPE_USER;
}

// A text could not be extended by `size` bytes.
int reject_full(RequestMessage& message, std::string_view text, size_t size) {
  if (text.size() + size > HeadText::text_size_max_bytes) {
    return reject(message, 431, "A header line is longer than this gateway can hold.");
  }
  return reject(message, 503, "The gateway is out of memory for this request head; try again.");
}

uint32_t offset_of(const RequestMessage& message, const char* at) {
  return message.piece_offset + static_cast<uint32_t>(at - message.text.piece_begin());
}

// Judgements are made in the `_complete` callbacks only: llhttp reports a span in as many parts as
// there are pieces, and what is judged must not depend on the cut.

int on_method_complete(llhttp_t* parser) {
  RequestMessage& message = message_of(parser);
  const auto method = static_cast<llhttp_method>(parser->method);
  switch (method) {
    case HTTP_CONNECT:
      return reject(message, 501, "CONNECT is not served: this gateway opens no tunnels.");
    case HTTP_TRACE: return reject(message, 501, "TRACE is not served: it would echo credentials.");
    case HTTP_PRI: return reject(message, 505, "HTTP/2 is not served here; HTTP/1.1 was expected.");
    default: break;
  }
  const size_t name_size = std::strlen(llhttp_method_name(method));
  message.target_offset = message.empty_line_size + static_cast<uint32_t>(name_size) + 1;
  return 0;
}

int on_target(llhttp_t* parser, const char* at, size_t size) {
  RequestMessage& message = message_of(parser);
  if (message.text.line().empty()) message.target_begin = offset_of(message, at);
  message.target_end = offset_of(message, at + size);
  if (message.text.add_to_line(at, size)) return 0;
  return reject_full(message, message.text.line(), size);
}

int on_target_complete(llhttp_t* parser) {
  RequestMessage& message = message_of(parser);
  message.target_complete = true;
  std::string_view target = message.text.line();
  if (message.target_begin != message.target_offset) {
    return reject(message, 400, "The request line must have one space before the target.");
  }
  if (target.size() > message.limits->target_size_max_bytes) {
    return reject(message, 414, "The request target is longer than this gateway accepts.");
  }
  // What ended the target: the first byte after it, which is in this piece.
  const uint32_t index = message.target_end - message.piece_offset;
  if (message.text.piece_begin()[index] != ' ') {
    return reject(message, 400, "The request line must end in ' HTTP/1.1'.");
  }
  message.target = check_target(target, parser->method == HTTP_OPTIONS);
  return message.target.fault == nullptr ? 0 : reject(message, 400, message.target.fault);
}

int on_protocol(llhttp_t* parser, const char* at, size_t size) {
  RequestMessage& message = message_of(parser);
  if (message.protocol_initial != 0 || size == 0) return 0;
  message.protocol_initial = *at;
  message.protocol_begin = offset_of(message, at);
  return 0;
}

int on_protocol_complete(llhttp_t* parser) {
  RequestMessage& message = message_of(parser);
  if (message.protocol_begin != message.target_end + 1) {
    return reject(message, 400, "The request line must have one space after the target.");
  }
  // llhttp knows HTTP, RTSP and ICE.
  if (message.protocol_initial == 'H') return 0;
  return reject(message, 400, "The request line must name the protocol HTTP/1.1.");
}

constexpr const char* version_reason = "The HTTP version must be 1.1 or 1.0.";

int on_version(llhttp_t* parser, const char*, size_t size) {
  message_of(parser).version_size += static_cast<uint8_t>(size);
  return 0;
}

int on_version_complete(llhttp_t* parser) {
  // llhttp knows 0.9 and 2.0 too.
  return parser->http_major == 1 ? 0 : reject(message_of(parser), 505, version_reason);
}

int on_name(llhttp_t* parser, const char* at, size_t size) {
  RequestMessage& message = message_of(parser);
  if (message.text.add_to_name(at, size)) return 0;
  return reject_full(message, message.text.header().name, size);
}

int on_value(llhttp_t* parser, const char* at, size_t size) {
  RequestMessage& message = message_of(parser);
  if (message.text.add_to_value(at, size)) return 0;
  return reject_full(message, message.text.header().value, size);
}

int take_content_length(RequestMessage& message, std::string_view value) {
  if (message.content_length_seen) {
    return reject(message, 400, "Content-Length must appear once.");
  }
  message.content_length_seen = true;
  if (parse_content_length(value, message.head.content_length)) return 0;
  return reject(message, 400,
                "Content-Length must be one decimal number of at most 19 digits without sign or "
                "leading zero.");
}

int take_transfer_encoding(RequestMessage& message, std::string_view value) {
  if (message.llhttp.http_minor == 0) {
    return reject(message, 400,
                  "Transfer-Encoding is not defined for HTTP/1.0; HTTP/1.1 was expected.");
  }
  if (message.transfer_encoding_seen) {
    return reject(message, 400, "Transfer-Encoding must appear once.");
  }
  message.transfer_encoding_seen = true;
  if (equal_ignoring_case(value, "chunked")) return 0;
  // llhttp let it pass, so it is a list of codings that ends in chunked.
  const bool coded = value.find(',') != std::string_view::npos && value.front() != ',';
  return reject(message, coded ? 501 : 400, "Transfer-Encoding must be exactly 'chunked'.");
}

int take_expect(RequestMessage& message, std::string_view value) {
  if (!equal_ignoring_case(value, "100-continue")) {
    return reject(message, 417, "Expect can only be '100-continue'.");
  }
  message.head.expects_continue = true;
  return 0;
}

int take_other(RequestMessage& message, const Header& header) {
  constexpr std::string_view expect = "expect";
  constexpr std::string_view content_encoding = "content-encoding";
  if (header.name.size() == expect.size() && equal_ignoring_case(header.name, expect)) {
    return take_expect(message, header.value);
  }
  if (header.name.size() == content_encoding.size() &&
      equal_ignoring_case(header.name, content_encoding) &&
      !equal_ignoring_case(header.value, "identity")) {
    return reject(message, 415, "Content-Encoding is not supported; send the body uncompressed.");
  }
  return 0;
}

int on_value_complete(llhttp_t* parser) {
  RequestMessage& message = message_of(parser);
  if (message.text.headers().count == message.limits->header_count_max) {
    return reject(message, 431, "The request has more header lines than this gateway accepts.");
  }
  message.text.finish_header();
  const HeaderList& headers = message.text.headers();
  const Header& header = headers.items[headers.count - 1];
  switch (guarded_name(header.name)) {
    case GuardedName::none: return take_other(message, header);
    case GuardedName::authorization: return 0;
    case GuardedName::content_length: return take_content_length(message, header.value);
    case GuardedName::transfer_encoding: return take_transfer_encoding(message, header.value);
    case GuardedName::host:
      if (message.host_seen) return reject(message, 400, "Host must appear once.");
      message.host_seen = true;
      message.host_index = static_cast<uint32_t>(headers.count - 1);
      if (is_host(header.value)) return 0;
      return reject(message, 400, "Host must be a host name or address with an optional port.");
    case GuardedName::disguised:
      return reject(message, 400,
                    "A header name looks like Authorization, Content-Length, Host or "
                    "Transfer-Encoding but is spelt differently; the usual spelling was expected.");
  }
  return 0;
}

int judge_head(RequestMessage& message) {
  RequestHead& head = message.head;
  const llhttp_t& parser = message.llhttp;
  if (!message.host_seen) {
    return reject(message, 400, "Host is missing; exactly one was expected.");
  }
  // llhttp refuses this too, in either order.
  if (message.content_length_seen && message.transfer_encoding_seen) {
    return reject(message, 400, "Content-Length and Transfer-Encoding must not appear together.");
  }
  if (message.content_length_seen) head.framing = Framing::content_length;
  if (message.transfer_encoding_seen) head.framing = Framing::chunked;
  const bool has_body = head.content_length > 0 || message.transfer_encoding_seen;
  if (has_body && (parser.method == HTTP_GET || parser.method == HTTP_HEAD)) {
    // Servers differ in whether they read it, so it could be taken for the next request.
    return reject(message, 400, "GET and HEAD requests must not have a body.");
  }
  if (head.content_length > message.limits->body_size_max_bytes) {
    return reject(message, 413, "The body that Content-Length announces is too large.");
  }
  const Header& host = message.text.headers().items[message.host_index];
  const std::string_view authority =
      message.text.line().substr(message.target.authority_begin, message.target.authority_size);
  if (!authority.empty() && !equal_ignoring_case(authority, host.value)) {
    return reject(message, 400, "Host must equal the authority of the request target.");
  }
  head.minor_version = parser.http_minor;
  head.expects_continue = head.expects_continue && has_body && head.minor_version == 1;
  const bool says_close = (parser.flags & F_CONNECTION_CLOSE) != 0;
  const bool says_keep_alive = (parser.flags & F_CONNECTION_KEEP_ALIVE) != 0;
  head.keep_alive = !says_close && (head.minor_version == 1 || says_keep_alive);
  return 0;
}

int on_head_complete(llhttp_t* parser) {
  RequestMessage& message = message_of(parser);
  if (int failure = judge_head(message)) return failure;
  message.head_complete = true;
  return HPE_PAUSED;
}

llhttp_settings_t make_settings() {
  llhttp_settings_t settings;
  llhttp_settings_init(&settings);
  settings.on_method_complete = on_method_complete;
  settings.on_url = on_target;
  settings.on_url_complete = on_target_complete;
  settings.on_protocol = on_protocol;
  settings.on_protocol_complete = on_protocol_complete;
  settings.on_version = on_version;
  settings.on_version_complete = on_version_complete;
  settings.on_header_field = on_name;
  settings.on_header_value = on_value;
  settings.on_header_value_complete = on_value_complete;
  settings.on_headers_complete = on_head_complete;
  return settings;
}
const llhttp_settings_t settings = make_settings();

Method method_from(uint8_t llhttp_method) {
  switch (llhttp_method) {
    case HTTP_GET: return Method::get;
    case HTTP_HEAD: return Method::head;
    case HTTP_POST: return Method::post;
    case HTTP_PUT: return Method::put;
    case HTTP_PATCH: return Method::patch;
    case HTTP_DELETE: return Method::delete_;
    case HTTP_OPTIONS: return Method::options;
    default: return Method::other;
  }
}

// For what llhttp refused by itself.
Rejection rejection_from(llhttp_errno_t error, const RequestMessage& message) {
  switch (error) {
    case HPE_INVALID_METHOD:
      return {400,
              "The request must begin with a method in capital letters, such as POST, and "
              "one space."};
    case HPE_INVALID_URL:
      return {400, "The request target must be a path that begins with '/', in visible ASCII."};
    case HPE_INVALID_CONSTANT:
      return {400, "The request line must be method, target and HTTP/1.1 with single spaces."};
    case HPE_INVALID_VERSION:
      // Three characters are a version, if not one of ours; anything else is not.
      if (message.version_size == 3) return {505, version_reason};
      return {400, "The request line must end in HTTP/1.1 and CR LF."};
    case HPE_INVALID_CONTENT_LENGTH:
      return {400, "Content-Length must be one decimal number of at most 19 digits."};
    case HPE_UNEXPECTED_CONTENT_LENGTH:
      return {400, "Content-Length must appear once, and not with Transfer-Encoding."};
    case HPE_INVALID_TRANSFER_ENCODING:
      return {400, "Transfer-Encoding must be exactly 'chunked', without Content-Length."};
    case HPE_CR_EXPECTED:
    case HPE_LF_EXPECTED:
    case HPE_STRICT:
      return {400, "Every line of the head must end in CR LF; a lone CR or LF was found."};
    default:
      return {400,
              "A header line must be 'Name: value' without control bytes, blanks before the "
              "colon or continuation lines."};
  }
}

Rejection rejection_from(BodyFault fault) {
  switch (fault) {
    case BodyFault::none: break;
    case BodyFault::chunk_size:
      return {400, "A chunk size must be hexadecimal digits followed by CR LF."};
    case BodyFault::chunk_size_digits:
      return {400, "A chunk size must have at most eight hexadecimal digits."};
    case BodyFault::chunk_extension:
      return {400, "A chunk extension must be ';name=value' without blanks or control bytes."};
    case BodyFault::chunk_extension_size:
      return {400, "The chunk extensions of the body are longer than this gateway accepts."};
    case BodyFault::chunk_count:
      return {413, "The body has more chunks than this gateway accepts; send larger ones."};
    case BodyFault::chunk_end:
      return {400, "The data of a chunk must be as long as its size says, followed by CR LF."};
    case BodyFault::trailer:
      return {400, "A trailer line must be 'Name: value' followed by CR LF."};
    case BodyFault::trailer_size:
      return {431, "The trailers of the body are longer than this gateway accepts."};
    case BodyFault::body_size: return {413, "The body is larger than this gateway accepts."};
  }
  return {400, "The body is malformed."};
}

}  // namespace

const RequestHead& RequestParser::head() const {
  HYPERION_ASSERT(message_ != nullptr && message_->head_complete);
  return message_->head;
}

void RequestParser::fail(uint16_t status, const char* reason) {
  rejection_ = {status, reason};
  state_ = State::failed;
}

size_t RequestParser::feed(std::string_view bytes, Arena& arena, BodySink& sink) {
  if (bytes.empty()) return 0;
  switch (state_) {
    case State::idle: {
      void* place = arena.allocate(sizeof(RequestMessage), alignof(RequestMessage));
      if (place == nullptr) {
        fail(503, "The gateway is out of memory for this request; try again.");
        return 0;
      }
      message_ = new (place) RequestMessage();
      message_->limits = limits_;
      if (!message_->text.start(arena, limits_->header_count_max)) {
        fail(503, "The gateway is out of memory for this request; try again.");
        return 0;
      }
      llhttp_init(&message_->llhttp, HTTP_REQUEST, &settings);
      message_->llhttp.data = message_;
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
      fail(400, "The request must begin with a method; at most one CR LF may precede it.");
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
    // The request line may go on until the target is surely too long; before the method is known,
    // as far as any method allows.
    const size_t target_max =
        std::max<size_t>(limits_->target_size_max_bytes, method_size_max_bytes);
    const bool method_known = message_->target_offset != 0;
    end = std::min(end, method_known ? message_->target_offset + target_max + 1
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
        fail(431, "The request head is larger than this gateway accepts.");
      } else {
        fail(414, "The request target is longer than this gateway accepts.");
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
    if (message.rejection.status == 0) message.rejection = rejection_from(error, message);
    fail(message.rejection.status, message.rejection.reason);
    return false;
  }
  if (!message.text.end_piece()) {
    fail(503, "The gateway is out of memory for this request head; try again.");
    return false;
  }
  if (message.head_complete) finish_head();
  return true;
}

// The views, now that all text is where it will stay.
void RequestParser::finish_head() {
  RequestMessage& message = *message_;
  RequestHead& head = message.head;
  head.method = method_from(message.llhttp.method);
  head.headers = message.text.headers();
  head.host = head.headers.items[message.host_index].value;
  const TargetParts& parts = message.target;
  head.target = message.text.line().substr(parts.path_begin);
  if (head.target.empty()) head.target = "/";
  head.path = head.target.substr(0, std::max<size_t>(parts.path_size, 1));
  if (head.path.size() < head.target.size()) head.query = head.target.substr(head.path.size() + 1);
  state_ = State::head_ready;
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
      fail(503, "The gateway is out of memory for this request body; try again.");
      return consumed;
    }
    if (body.fault() != BodyFault::none) {
      const Rejection rejection = rejection_from(body.fault());
      fail(rejection.status, rejection.reason);
      return consumed;
    }
  }
  if (body.complete()) state_ = State::complete;
  return consumed;
}

void RequestParser::next(const Limits& limits) {
  HYPERION_ASSERT(state_ == State::complete);
  limits_ = &limits;
  message_ = nullptr;
  body_bytes_ = 0;
  head_bytes_ = 0;
  state_ = State::idle;
}

}  // namespace hyperion::http
