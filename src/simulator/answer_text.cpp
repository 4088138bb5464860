#include "simulator/answer_text.h"

#include <charconv>
#include <cstring>

#include "base/assert.h"

namespace hyperion::simulator {
namespace {

constexpr std::string_view opening[] = {"This", " is", " a", " simulated", " answer", " of"};
constexpr uint32_t opening_count = 6;

// Sixty-four, so that six bits choose.
constexpr std::string_view words[] = {
    " river",   " stone",  " quiet",   " letter", " seven",   " window", " amber",  " north",
    " gentle",  " copper", " morning", " paper",  " hollow",  " sudden", " green",  " lantern",
    " distant", " wooden", " signal",  " winter", " bright",  " market", " slow",   " harbour",
    " silver",  " garden", " open",    " bridge", " careful", " yellow", " cloud",  " narrow",
    " evening", " simple", " island",  " steady", " broken",  " summer", " round",  " thunder",
    " velvet",  " clear",  " mirror",  " early",  " golden",  " valley", " plain",  " compass",
    " silent",  " orange", " feather", " deep",   " modern",  " castle", " warm",   " engine",
    " little",  " marble", " candle",  " free",   " ancient", " forest", " gentle", " horizon"};
static_assert(std::size(words) == 64);

}  // namespace

// The finalizer of splitmix64 over a product of both.
uint64_t mix(uint64_t a, uint64_t b) {
  uint64_t z = a * 0x9E3779B97F4A7C15u + b + 0x632BE59BD9B4E019u;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

uint64_t hash_text(std::string_view text, uint64_t seed) {
  uint64_t hash = mix(seed, text.size());
  while (text.size() >= 8) {
    uint64_t word;
    std::memcpy(&word, text.data(), 8);
    hash = (hash ^ word) * 0xBF58476D1CE4E5B9u;
    hash ^= hash >> 29;
    text.remove_prefix(8);
  }
  uint64_t rest = 0;
  std::memcpy(&rest, text.data(), text.size());
  return mix(hash, rest);
}

void write_hex(char* out, uint64_t seed, unsigned digits) {
  static constexpr char hex[] = "0123456789abcdef";
  uint64_t bits = 0;
  for (unsigned i = 0; i < digits; ++i, bits >>= 4) {
    if (i % 16 == 0) bits = mix(seed, i);
    out[i] = hex[bits & 15];
  }
}

void append_hex(std::string& out, uint64_t seed, unsigned digits) {
  char text[64];
  HYPERION_ASSERT(digits <= sizeof(text));
  write_hex(text, seed, digits);
  out.append(text, digits);
}

void append_number(std::string& out, int64_t number) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof(digits), number).ptr;
  out.append(digits, static_cast<size_t>(end - digits));
}

void append_token(std::string& out, std::string_view model, uint64_t seed, uint32_t index) {
  if (index < opening_count) {
    out += opening[index];
  } else if (index == opening_count) {
    out += ' ';
    out += model;
  } else if (index == opening_count + 1) {
    out += " to";
  } else if (index == opening_count + 2) {
    out += ' ';
    append_hex(out, seed, 8);
  } else {
    out += words[mix(seed, index) & 63];
  }
}

}  // namespace hyperion::simulator
