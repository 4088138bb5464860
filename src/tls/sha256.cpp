#include "tls/sha256.h"

#include <sys/random.h>

#include <cerrno>

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/sha256.h>
#undef Sha256  // An old name of wolfSSL's for wc_Sha256.

#include "base/assert.h"

namespace hyperion::tls {
namespace {

constexpr char hex_digits[] = "0123456789abcdef";

// The value of a hexadecimal digit, or -1.
int value_of_digit(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

void write_hex(std::string_view bytes, char* out) {
  for (char c : bytes) {
    auto byte = static_cast<unsigned char>(c);
    *out++ = hex_digits[byte >> 4];
    *out++ = hex_digits[byte & 15];
  }
}

}  // namespace

Sha256 sha256(std::string_view text) {
  Sha256 hash;
  wc_Sha256 state;
  // These fail only for null arguments and for hardware that we do not build for.
  HYPERION_ASSERT(wc_InitSha256(&state) == 0);
  // wolfSSL counts in 32 bits.
  constexpr size_t part_bytes_max = size_t{1} << 30;
  while (!text.empty()) {
    std::string_view part = text.substr(0, part_bytes_max);
    HYPERION_ASSERT(wc_Sha256Update(&state, reinterpret_cast<const byte*>(part.data()),
                                    static_cast<word32>(part.size())) == 0);
    text.remove_prefix(part.size());
  }
  HYPERION_ASSERT(wc_Sha256Final(&state, hash.bytes.data()) == 0);
  wc_Sha256Free(&state);
  return hash;
}

std::array<char, 64> hex_of(const Sha256& hash) {
  std::array<char, 64> text;
  write_hex(hash.view(), text.data());
  return text;
}

std::string hex_of(std::string_view bytes) {
  std::string text(bytes.size() * 2, '\0');
  write_hex(bytes, text.data());
  return text;
}

std::optional<Sha256> sha256_from_hex(std::string_view hex) {
  Sha256 hash;
  if (hex.size() != 2 * hash.bytes.size()) return std::nullopt;
  for (size_t i = 0; i < hash.bytes.size(); ++i) {
    int high = value_of_digit(hex[2 * i]);
    int low = value_of_digit(hex[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    hash.bytes[i] = static_cast<uint8_t>(high << 4 | low);
  }
  return hash;
}

bool constant_time_equal(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned char difference = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    difference = static_cast<unsigned char>(difference | (a[i] ^ b[i]));
    // Keeps the compiler from leaving the loop once the answer is known.
    asm volatile("" : "+r"(difference));
  }
  return difference == 0;
}

void random_bytes(void* bytes, size_t size) {
  auto* at = static_cast<char*>(bytes);
  while (size > 0) {
    ssize_t got = getrandom(at, size, 0);
    HYPERION_ASSERT(got > 0 || errno == EINTR);
    if (got < 0) continue;
    at += got;
    size -= static_cast<size_t>(got);
  }
}

}  // namespace hyperion::tls
