#include "json/writer.h"

#include <charconv>
#include <cstring>

#include "base/assert.h"
#include "json/escaping.h"

namespace hyperion::json {
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
