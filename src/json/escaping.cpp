#include "json/escaping.h"

#include <cstring>
#include <string_view>

#include "json/utf8.h"

namespace hyperion::json {
namespace {

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

}  // namespace

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

}  // namespace hyperion::json
