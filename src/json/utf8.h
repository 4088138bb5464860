// One UTF-8 sequence at a time: for texts that are written, and for saying where a body is wrong.
//
// Strict (RFC 3629, table 3-7 of the Unicode standard): no overlong forms, no surrogates, nothing
// above U+10FFFF. Whole bodies are validated by simdjson; this is for the paths where speed does
// not matter.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hyperion::json {

// The length of the sequence that begins at `at` (1 to 4), 0 if there is no valid one.
inline size_t utf8_sequence_length(const char* at, const char* end) {
  auto byte = [at](size_t i) { return static_cast<unsigned char>(at[i]); };
  const auto left = static_cast<size_t>(end - at);
  if (left == 0) return 0;
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  const size_t length = lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0;
  if (length == 0 || length > left) return 0;
  // The second byte has a narrower range behind four of the leads.
  const unsigned char low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const unsigned char high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  if (byte(1) < low || byte(1) > high) return 0;
  for (size_t i = 2; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  return length;
}

}  // namespace hyperion::json
