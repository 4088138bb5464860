#include "http/head_writer.h"

#include <charconv>
#include <cstring>

#include "base/assert.h"
#include "http/field_rules.h"

namespace hyperion::http {

namespace {

bool is_token(std::string_view text) {
  for (char c : text) {
    if (!is_token_char(c)) return false;
  }
  return !text.empty();
}

// Eight bytes at a time: is one of them below 0x20 and no tab, or 0x7f? The upper bit of each byte
// is kept out of the sums, so nothing is carried from byte to byte.
bool has_control_byte(const char* at) {
  constexpr uint64_t ones = 0x0101010101010101;
  constexpr uint64_t low = 0x7f * ones;
  uint64_t word;
  std::memcpy(&word, at, sizeof(word));
  const uint64_t not_below_space = (word & low) + 0x60 * ones;
  const uint64_t not_tab = ((word ^ '\t' * ones) & low) + low;
  const uint64_t not_delete = ((word ^ low) & low) + low;
  const uint64_t good = word | ((not_below_space | ~not_tab) & not_delete);
  return (~good & ~low) != 0;
}

bool is_target(std::string_view text) {
  for (char c : text) {
    if (c <= 0x20 || c >= 0x7f) return false;
  }
  return !text.empty();
}

}  // namespace

const char* reason_phrase(uint16_t status) {
  switch (status) {
    case 100: return "Continue";
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 301: return "Moved Permanently";
    case 302: return "Found";
    case 304: return "Not Modified";
    case 307: return "Temporary Redirect";
    case 308: return "Permanent Redirect";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 402: return "Payment Required";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 406: return "Not Acceptable";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 410: return "Gone";
    case 411: return "Length Required";
    case 412: return "Precondition Failed";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 415: return "Unsupported Media Type";
    case 417: return "Expectation Failed";
    case 421: return "Misdirected Request";
    case 422: return "Unprocessable Content";
    case 424: return "Failed Dependency";
    case 425: return "Too Early";
    case 426: return "Upgrade Required";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 451: return "Unavailable For Legal Reasons";
    case 499: return "Client Closed Request";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    case 529: return "Overloaded";
    default: return "Unknown";
  }
}

bool is_field_value(std::string_view value) {
  const char* at = value.data();
  const char* const end = at + value.size();
  for (; end - at >= 8; at += 8) {
    if (has_control_byte(at)) return false;
  }
  for (; at < end; ++at) {
    if (!is_field_value_char(*at)) return false;
  }
  return true;
}

void HeadWriter::status_line(uint16_t status) {
  HYPERION_ASSERT(status >= 100 && status <= 999);
  if (status == 200) return raw("HTTP/1.1 200 OK\r\n");
  const char digits[3] = {static_cast<char>('0' + status / 100),
                          static_cast<char>('0' + status / 10 % 10),
                          static_cast<char>('0' + status % 10)};
  raw("HTTP/1.1 ");
  raw({digits, sizeof(digits)});
  raw(" ");
  raw(reason_phrase(status));
  raw("\r\n");
}

void HeadWriter::request_line(std::string_view method, std::string_view target) {
  if (!is_token(method) || !is_target(target)) {
    overflow_ = true;
    return;
  }
  raw(method);
  raw(" ");
  raw(target);
  raw(" HTTP/1.1\r\n");
}

void HeadWriter::header(std::string_view name, std::string_view value) {
  if (!is_token(name) || !is_field_value(value)) {
    ++skipped_;
    return;
  }
  write_line(name, value);
}

void HeadWriter::header(std::string_view name, uint64_t value) {
  char digits[20];
  write_line(name, {digits, write_decimal(digits, value)});
}

void HeadWriter::end() { raw("\r\n"); }

size_t write_chunk_head(char* out, size_t chunk_size) {
  HYPERION_ASSERT(chunk_size > 0);
  char* end = std::to_chars(out, out + 16, chunk_size, 16).ptr;
  *end++ = '\r';
  *end++ = '\n';
  return static_cast<size_t>(end - out);
}

size_t write_decimal(char* out, uint64_t value) {
  return static_cast<size_t>(std::to_chars(out, out + 20, value).ptr - out);
}

}  // namespace hyperion::http
