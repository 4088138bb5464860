#include "json/escapes.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace hyperion::json {
namespace {

constexpr uint32_t not_hex = 0x000F0000;  // shifted by up to 12 bits it stays above 0xFFFF

constexpr std::array<uint32_t, 256> make_hex_values() {
  std::array<uint32_t, 256> values{};
  for (auto& value : values) value = not_hex;
  for (uint32_t i = 0; i < 10; ++i) values['0' + i] = i;
  for (uint32_t i = 0; i < 6; ++i) values['a' + i] = values['A' + i] = 10 + i;
  return values;
}
constexpr std::array<uint32_t, 256> hex_values = make_hex_values();

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

// The four digits at `at`, which are known to be inside the text; more than 0xFFFF if one is none.
uint32_t read_hex(const char* at) {
  auto digit = [at](int i) { return hex_values[static_cast<unsigned char>(at[i])]; };
  return digit(0) << 12 | digit(1) << 8 | digit(2) << 4 | digit(3);
}

bool is_high_surrogate(uint32_t code) { return code >= 0xD800 && code < 0xDC00; }
bool is_low_surrogate(uint32_t code) { return code >= 0xDC00 && code < 0xE000; }

// The length of the \u escape at `at` (12 for a pair of surrogates), 0 if it is malformed.
size_t unicode_escape_length(const char* at, const char* end) {
  if (end - at < 6) return 0;
  const uint32_t code = read_hex(at + 2);
  if (code > 0xFFFF || is_low_surrogate(code)) return 0;
  if (!is_high_surrogate(code)) return 6;
  if (end - at < 12 || at[6] != '\\' || at[7] != 'u') return 0;
  const uint32_t low = read_hex(at + 8);
  return is_low_surrogate(low) ? 12 : 0;
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

constexpr size_t block_size = 64;

// A bit for each of eight bytes that is a backslash, the first in the lowest.
uint64_t backslashes_of_8(const char* at) {
  constexpr uint64_t ones = 0x0101010101010101;
  constexpr uint64_t low_bits = 0x7F * ones;
  uint64_t word;
  std::memcpy(&word, at, sizeof(word));
  word ^= '\\' * ones;
  // The high bit of each byte that is zero now; no carry crosses a byte.
  const uint64_t zeros = ~(((word & low_bits) + low_bits) | word | low_bits);
  return ((zeros >> 7) * 0x0102040810204080) >> 56;
}

uint64_t backslashes_of_block(const char* at, const char* end) {
  char tail[block_size] = {};
  if (static_cast<size_t>(end - at) < block_size) {
    std::memcpy(tail, at, static_cast<size_t>(end - at));
    at = tail;
  }
  uint64_t mask = 0;
  for (size_t i = 0; i < block_size; i += 8) mask |= backslashes_of_8(at + i) << i;
  return mask;
}

// Checks 64 bytes at a time, so that the distance between escapes, which no branch predictor
// guesses, costs one wrong guess a block and not one an escape.
class BlockChecker {
 public:
  explicit BlockChecker(const char* end) : end_(end) {}

  // The block at `at`: where the one before ended, or anywhere after one without a backslash.
  // False: `bad` does not begin an escape.
  bool check(const char* at) {
    const uint64_t backslashes = backslashes_of_block(at, end_);
    found_any_ = backslashes != 0;
    for (uint64_t starts = starts_of(backslashes); starts != 0; starts &= starts - 1) {
      const char* escape = at + std::countr_zero(starts);
      const bool simple = escape + 1 < end_ && simple_escape(escape[1]) != '\0';
      if (!simple && !check_unicode(escape)) return false;
    }
    return true;
  }
  bool found_any() const { return found_any_; }
  const char* bad() const { return bad_; }

 private:
  // Which backslashes begin an escape: in each run the first, third and so on, less one if the
  // block before ended with one that begins an escape. Without loops: from a run's first bit,
  // adding carries to its end, and where that falls tells even runs from odd ones (simdjson's way).
  uint64_t starts_of(uint64_t backslashes) {
    constexpr uint64_t odd_bits = 0xAAAAAAAAAAAAAAAA;
    const uint64_t potential = backslashes & ~carry_;
    const uint64_t alternating = (((potential << 1) | odd_bits) - potential) ^ odd_bits;
    const uint64_t starts = alternating & backslashes;
    carry_ = starts >> 63;
    return starts;
  }

  bool check_unicode(const char* escape) {
    // Most are whole characters.
    if (end_ - escape >= 6 && escape[1] == 'u') {
      const uint32_t code = read_hex(escape + 2);
      if (code < 0xD800 || (code >= 0xE000 && code <= 0xFFFF)) return true;
    }
    if (escape == second_half_) return true;
    if (escape_length(escape, end_) == 12) {
      second_half_ = escape + 6;
      return true;
    }
    bad_ = escape;
    return false;
  }

  const char* const end_;
  uint64_t carry_ = 0;                 // the next byte is escaped by the last of the block before
  const char* second_half_ = nullptr;  // of a surrogate pair: checked with the first
  const char* bad_ = nullptr;
  bool found_any_ = false;
};

}  // namespace

EscapeCheck check_escapes(std::string_view text) {
  const char* at = text.data();
  const char* const end = at + text.size();
  EscapeCheck result;
  BlockChecker checker(end);
  while (at < end) {
    // Stretches without a backslash are left to memchr; where there is one, more are near.
    at = static_cast<const char*>(std::memchr(at, '\\', static_cast<size_t>(end - at)));
    if (at == nullptr) break;
    result.any = true;
    do {
      if (!checker.check(at)) {
        return {true, false, static_cast<size_t>(checker.bad() - text.data())};
      }
      at += std::min(block_size, static_cast<size_t>(end - at));
    } while (at < end && checker.found_any());
  }
  return result;
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
