#include "http/request_message.h"

#include <algorithm>
#include <cstring>

namespace hyperion::http {

namespace {

RequestMessage& message_of(llhttp_t* parser) { return *static_cast<RequestMessage*>(parser->data); }

int reject(RequestMessage& message, uint16_t status, const char* reason) {
  message.rejection = {status, reason};
  return HPE_USER;
}

// A text could not be extended by `size` bytes. One that no block can hold is told as a head that
// is too large, which it would be a few bytes later: the reason must not depend on the cut.
int reject_full(RequestMessage& message, std::string_view text, size_t size) {
  if (text.size() + size > HeadText::text_size_max_bytes) {
    return reject(message, 431, "The request head is larger than this gateway accepts.");
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
  // Judged here and not when the target is complete, which llhttp reports a byte later: a request
  // of HTTP/0.9 has no such byte.
  if (at + size != message.text.piece_end() && at[size] != ' ') {
    return reject(message, 400, "The request line must end in ' HTTP/1.1'.");
  }
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
  RequestMessage& message = message_of(parser);
  message.version_complete = true;
  // llhttp knows 0.9 and 2.0 too.
  return parser->http_major == 1 ? 0 : reject(message, 505, version_reason);
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

}  // namespace

void start_reading(RequestMessage& message, const Limits& limits) {
  message.limits = &limits;
  llhttp_init(&message.llhttp, HTTP_REQUEST, &settings);
  message.llhttp.data = &message;
}

void finish_head(RequestMessage& message) {
  RequestHead& head = message.head;
  head.method = method_from(message.llhttp.method);
  head.headers = message.text.headers();
  head.host = head.headers.items[message.host_index].value;
  const TargetParts& parts = message.target;
  head.target = message.text.line().substr(parts.path_begin);
  if (head.target.empty()) head.target = "/";
  head.path = head.target.substr(0, std::max<size_t>(parts.path_size, 1));
  if (head.path.size() < head.target.size()) head.query = head.target.substr(head.path.size() + 1);
}

Rejection rejection_of_head(const RequestMessage& message, llhttp_errno_t error) {
  if (message.rejection.status != 0) return message.rejection;
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
      // Three characters are a version, if one that llhttp does not know.
      if (message.version_size == 3 && !message.version_complete) return {505, version_reason};
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

Rejection rejection_of_body(BodyFault fault) {
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
      return {
          400,
          "A trailer line must be 'Name: value' followed by CR LF, and no framing field or Host."};
    case BodyFault::trailer_size:
      return {431, "The trailers of the body are longer than this gateway accepts."};
    case BodyFault::body_size: return {413, "The body is larger than this gateway accepts."};
  }
  return {400, "The body is malformed."};
}

}  // namespace hyperion::http
