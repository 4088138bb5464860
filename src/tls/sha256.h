// SHA-256, hexadecimal, random bytes and comparison without a timing trace.
//
// What the gateway needs to know a client by its key without keeping the key: gateway/auth hashes
// what the client sent and looks the hash up, `hyperion key create` draws a key and prints it once.
// Lives here because wolfSSL does the hashing (SHA extensions or AVX2 where the CPU has them).
// Nothing here allocates but `hex_of` with a string, nothing fails but `sha256_from_hex`. Not a
// password hash: keys are 32 random bytes, so there is nothing to stretch.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hyperion::tls {

struct Sha256 {
  std::array<uint8_t, 32> bytes{};

  std::string_view view() const {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  // For tables of hashes. Their order and equality may show in the timing, which tells an attacker
  // nothing he can use: he cannot choose a hash. For secrets use `constant_time_equal`.
  auto operator<=>(const Sha256&) const = default;
};

// The hash of `text` (FIPS 180-4). About 0.1 us for a key of 50 bytes (measured).
Sha256 sha256(std::string_view text);

// Lower-case hexadecimal: two characters a byte.
std::array<char, 64> hex_of(const Sha256& hash);
std::string hex_of(std::string_view bytes);

// A hash from exactly 64 hexadecimal digits of either case; nothing from any other text.
std::optional<Sha256> sha256_from_hex(std::string_view hex);

// Equal length and equal bytes, in a time that depends on the lengths only.
bool constant_time_equal(std::string_view a, std::string_view b);

// Fills `size` bytes from the kernel's generator. Aborts when the kernel has none to give: to go on
// with a guessable key would be worse.
void random_bytes(void* bytes, size_t size);

}  // namespace hyperion::tls
