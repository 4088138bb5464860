// Base64 (RFC 4648, standard alphabet), for vectors that hold raw bytes.
//
// Decoding only. Padding may be missing, and bits behind the last whole byte are dropped; a byte
// outside the alphabet, blanks included, gives no value. Written to be obviously right, not fast.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hyperion::test {

inline std::optional<std::string> decode_base64(std::string_view text) {
  constexpr std::string_view alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  while (!text.empty() && text.back() == '=') text.remove_suffix(1);
  std::string bytes;
  uint32_t bits = 0;
  int count = 0;
  for (char c : text) {
    size_t place = alphabet.find(c);
    if (place == std::string_view::npos) return std::nullopt;
    bits = bits << 6 | static_cast<uint32_t>(place);
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes += static_cast<char>(bits >> count & 0xFF);
    }
  }
  return bytes;
}

}  // namespace hyperion::test
