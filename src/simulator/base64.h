// Base64 with padding (RFC 4648 4), for vectors and recorded bodies. Appends to a string.
//
// Called by the embeddings of a dialect and by the ledger. Writes only, reads nothing back; cannot
// fail. Not for secrets: its time depends on nothing but the length, yet nobody has checked that.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace hyperion::simulator {

inline void append_base64(std::string& out, std::string_view bytes) {
  static constexpr char digits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const size_t begin = out.size();
  out.resize(begin + (bytes.size() + 2) / 3 * 4);
  char* at = out.data() + begin;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t left = bytes.size() - i;
    auto byte = [&](size_t k) {
      return k < left ? static_cast<unsigned>(static_cast<unsigned char>(bytes[i + k])) : 0u;
    };
    const unsigned group = byte(0) << 16 | byte(1) << 8 | byte(2);
    *at++ = digits[group >> 18];
    *at++ = digits[group >> 12 & 63];
    *at++ = left > 1 ? digits[group >> 6 & 63] : '=';
    *at++ = left > 2 ? digits[group & 63] : '=';
  }
}

}  // namespace hyperion::simulator
