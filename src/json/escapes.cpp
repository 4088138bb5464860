#include "json/escapes.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace hyperion::json {
namespace {

constexpr uint8_t not_hex = 0xFF;

constexpr std::array<uint8_t, 256> make_hex_values() {
  std::array<uint8_t, 256> values{};
  for (auto& value : values) value = not_hex;
  for (uint8_t i = 0; i < 10; ++i) values['0' + i] = i;
  for (uint8_t i = 0; i < 6; ++i) values['a' + i] = values['A' + i] = static_cast<uint8_t>(10 + i);
  return values;
}
constexpr std::array<uint8_t, 256> hex_values = make_hex_values();

// What stands for the letter behind a backslash; 0 for letters that make no escape, and for 'u'.
constexpr std::array<char, 256> make_simple_escapes() {
  std::array<char, 256> values{};
  values['"'] = '"';
  values['\\'] = '\\';
  values['/'] = '/';
  values['b'] = '\b';
  values['f'] = '\f';
  values['n'] = '\n';
  values['r'] = '\r';
  values['t'] = '\t';
  return values;
}
constexpr std::array<char, 256> simple_escapes = make_simple_escapes();

char simple_escape(char letter) { return simple_escapes[static_cast<unsigned char>(letter)]; }

constexpr uint32_t not_a_code = 0xFFFFFFFF;

// The four digits at `at`, which are known to be inside the text.
uint32_t read_hex(const char* at) {
  uint32_t digits[4];
  for (int i = 0; i < 4; ++i) digits[i] = hex_values[static_cast<unsigned char>(at[i])];
  if (((digits[0] | digits[1] | digits[2] | digits[3]) & 0xF0) != 0) return not_a_code;
  return digits[0] << 12 | digits[1] << 8 | digits[2] << 4 | digits[3];
}

bool is_high_surrogate(uint32_t code) { return code >= 0xD800 && code < 0xDC00; }
bool is_low_surrogate(uint32_t code) { return code >= 0xDC00 && code < 0xE000; }

// The length of the \u escape at `at` (12 for a pair of surrogates), 0 if it is malformed.
size_t unicode_escape_length(const char* at, const char* end) {
  if (end - at < 6) return 0;
  const uint32_t code = read_hex(at + 2);
  if (code == not_a_code || is_low_surrogate(code)) return 0;
  if (!is_high_surrogate(code)) return 6;
  if (end - at < 12 || at[6] != '\\' || at[7] != 'u') return 0;
  const uint32_t low = read_hex(at + 8);
  return low != not_a_code && is_low_surrogate(low) ? 12 : 0;
}

size_t escape_length(const char* at, const char* end) {
  if (end - at < 2) return 0;
  if (simple_escape(at[1]) != '\0') return 2;
  return at[1] == 'u' ? unicode_escape_length(at, end) : 0;
}

size_t encode_utf8(uint32_t code, char* out) {
  auto put = [out](size_t i, uint32_t bits) { out[i] = static_cast<char>(bits); };
  if (code < 0x80) {
    put(0, code);
    return 1;
  }
  if (code < 0x800) {
    put(0, 0xC0 | code >> 6);
    put(1, 0x80 | (code & 0x3F));
    return 2;
  }
  if (code < 0x10000) {
    put(0, 0xE0 | code >> 12);
    put(1, 0x80 | (code >> 6 & 0x3F));
    put(2, 0x80 | (code & 0x3F));
    return 3;
  }
  put(0, 0xF0 | code >> 18);
  put(1, 0x80 | (code >> 12 & 0x3F));
  put(2, 0x80 | (code >> 6 & 0x3F));
  put(3, 0x80 | (code & 0x3F));
  return 4;
}

}  // namespace

EscapeCheck check_escapes(std::string_view text) {
  const char* const end = text.data() + text.size();
  const char* at = text.data();
  EscapeCheck check;
  while (at < end) {
    at = static_cast<const char*>(std::memchr(at, '\\', static_cast<size_t>(end - at)));
    if (at == nullptr) break;
    check.any = true;
    do {
      const size_t length = escape_length(at, end);
      if (length == 0) {
        check.well_formed = false;
        check.position = static_cast<size_t>(at - text.data());
        return check;
      }
      at += length;
    } while (at < end && *at == '\\');
  }
  return check;
}

size_t unescape(std::string_view raw, char* out, size_t capacity) {
  const char* at = raw.data();
  const char* const end = at + raw.size();
  size_t length = 0;
  auto put = [&](const char* bytes, size_t count) {
    if (length < capacity) std::memmove(out + length, bytes, std::min(count, capacity - length));
    length += count;
  };
  while (at < end) {
    const void* found = std::memchr(at, '\\', static_cast<size_t>(end - at));
    const char* backslash = found != nullptr ? static_cast<const char*>(found) : end;
    put(at, static_cast<size_t>(backslash - at));
    if (backslash == end) break;
    at = backslash;
    const size_t escape = escape_length(at, end);
    if (escape == 0) break;  // The text was not checked; give what stands before.
    char bytes[4];
    size_t count = 1;
    if (escape == 2) {
      bytes[0] = simple_escape(at[1]);
    } else {
      uint32_t code = read_hex(at + 2);
      if (escape == 12) code = 0x10000 + ((code - 0xD800) << 10) + (read_hex(at + 8) - 0xDC00);
      count = encode_utf8(code, bytes);
    }
    at += escape;
    put(bytes, count);
  }
  return length;
}

}  // namespace hyperion::json
