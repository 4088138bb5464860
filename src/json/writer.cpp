#include "json/writer.h"

#include <array>
#include <charconv>
#include <cstring>

#include "base/assert.h"
#include "json/utf8.h"

namespace hyperion::json {
namespace {

// Bytes that are written as they are: ASCII but for control bytes, quote, backslash and DEL.
constexpr std::array<bool, 256> make_plain() {
  std::array<bool, 256> plain{};
  for (size_t c = 0x20; c < 0x7F; ++c) plain[c] = c != '"' && c != '\\';
  return plain;
}
constexpr std::array<bool, 256> plain = make_plain();

bool is_plain(char c) { return plain[static_cast<unsigned char>(c)]; }

// The longest thing one character becomes is \uXXXX.
constexpr size_t escaped_size_max_bytes = 6;

// The escape of a byte below 0x20, a quote, a backslash or DEL.
size_t escape_ascii(char c, char* out) {
  constexpr std::string_view letters = "btnvfr";  // 8 to 13; \v is not of JSON
  out[0] = '\\';
  if (c == '"' || c == '\\') {
    out[1] = c;
    return 2;
  }
  if (c >= '\b' && c <= '\r' && c != '\v') {
    out[1] = letters[static_cast<size_t>(c - '\b')];
    return 2;
  }
  constexpr std::string_view digits = "0123456789abcdef";
  std::memcpy(out + 1, "u00", 3);
  out[4] = digits[static_cast<size_t>(c) >> 4 & 0xF];
  out[5] = digits[static_cast<size_t>(c) & 0xF];
  return 6;
}

// What the character at `at` becomes, written to `out`; moves `at` past it.
size_t escape_character(const char*& at, const char* end, char* out) {
  const size_t length = utf8_sequence_length(at, end);
  const std::string_view character(at, length == 0 ? 1 : length);
  at += character.size();
  std::string_view text = character;
  if (length == 0) text = "\\ufffd";
  if (length == 1) return escape_ascii(character[0], out);
  // Line ends to some readers: next line, line separator, paragraph separator.
  if (character == "\xC2\x85") text = "\\u0085";
  if (character == "\xE2\x80\xA8") text = "\\u2028";
  if (character == "\xE2\x80\xA9") text = "\\u2029";
  std::memcpy(out, text.data(), text.size());
  return text.size();
}

}  // namespace

size_t write_string(char* out, size_t capacity, std::string_view text) {
  if (capacity < 2) return 0;
  char* to = out;
  char* const to_end = out + capacity - 1;  // room for the closing quote
  const char* at = text.data();
  const char* const end = at + text.size();
  *to++ = '"';
  while (at < end) {
    const char* run = at;
    while (at < end && is_plain(*at)) ++at;
    const auto size = static_cast<size_t>(at - run);
    if (size > static_cast<size_t>(to_end - to)) return 0;
    if (size > 0) std::memcpy(to, run, size);
    to += size;
    if (at == end) break;
    char escaped[escaped_size_max_bytes];
    const size_t escaped_size = escape_character(at, end, escaped);
    if (escaped_size > static_cast<size_t>(to_end - to)) return 0;
    std::memcpy(to, escaped, escaped_size);
    to += escaped_size;
  }
  *to++ = '"';
  return static_cast<size_t>(to - out);
}

void Writer::put(std::string_view bytes) {
  if (overflow_ || bytes.size() > static_cast<size_t>(end_ - at_)) {
    overflow_ = true;
    return;
  }
  if (!bytes.empty()) std::memcpy(at_, bytes.data(), bytes.size());
  at_ += bytes.size();
}

void Writer::separate() {
  if (needs_comma_) put(",");
  needs_comma_ = true;
}

void Writer::begin_object() {
  separate();
  put("{");
  needs_comma_ = false;
}

void Writer::end_object() {
  put("}");
  needs_comma_ = true;
}

void Writer::begin_array() {
  separate();
  put("[");
  needs_comma_ = false;
}

void Writer::end_array() {
  put("]");
  needs_comma_ = true;
}

void Writer::key(std::string_view name) {
  separate();
  put("\"");
  put(name);
  put("\":");
  needs_comma_ = false;
}

void Writer::value(std::string_view text) {
  separate();
  if (overflow_) return;
  const size_t size = write_string(at_, static_cast<size_t>(end_ - at_), text);
  if (size == 0) overflow_ = true;
  at_ += size;
}

void Writer::value(bool flag) { raw(flag ? "true" : "false"); }

void Writer::value(int64_t number) {
  char digits[24];
  const auto [end, failure] = std::to_chars(digits, digits + sizeof(digits), number);
  raw({digits, static_cast<size_t>(end - digits)});
}

void Writer::value(uint64_t number) {
  char digits[24];
  const auto [end, failure] = std::to_chars(digits, digits + sizeof(digits), number);
  raw({digits, static_cast<size_t>(end - digits)});
}

void Writer::fixed(uint64_t number, unsigned decimals) {
  constexpr unsigned digits_max = 20;  // of a uint64_t
  HYPERION_ASSERT(decimals < digits_max);
  // From the right: decimals, point, at least one digit before it.
  char text[digits_max + 1];
  char* at = text + sizeof(text);
  for (unsigned i = 0; i <= decimals || number != 0; ++i) {
    if (i == decimals && i != 0) *--at = '.';
    *--at = static_cast<char>('0' + number % 10);
    number /= 10;
  }
  raw({at, static_cast<size_t>(text + sizeof(text) - at)});
}

void Writer::null() { raw("null"); }

void Writer::raw(std::string_view json) {
  separate();
  put(json);
}

}  // namespace hyperion::json
