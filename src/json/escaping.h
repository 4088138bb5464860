// How plain text becomes the inside of a JSON string: shared by Writer and Output.
//
// Pure. Control bytes, quote, backslash and DEL are escaped, and so are U+0085 and U+2028/9, which
// end a line for some readers; a byte that is not UTF-8 becomes U+FFFD.
#pragma once

#include <array>
#include <cstddef>

namespace hyperion::json {

// Bytes that are written as they are: ASCII but for control bytes, quote, backslash and DEL.
constexpr std::array<bool, 256> make_plain_bytes() {
  std::array<bool, 256> plain{};
  for (size_t c = 0x20; c < 0x7F; ++c) plain[c] = c != '"' && c != '\\';
  return plain;
}
inline constexpr std::array<bool, 256> plain_bytes = make_plain_bytes();
inline bool is_plain(char c) { return plain_bytes[static_cast<unsigned char>(c)]; }

// The longest thing one character becomes is \uXXXX.
inline constexpr size_t escaped_size_max_bytes = 6;

// What the character at `at` becomes, written to `out`; moves `at` past it. Returns the size.
size_t escape_character(const char*& at, const char* end, char* out);

}  // namespace hyperion::json
