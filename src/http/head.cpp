#include "http/head.h"

#include <cstring>

namespace hyperion::http {

namespace {

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

// Eight bytes of each at a time. They may differ in the bit of the case, and in letters only; the
// upper bit of each byte is kept out of the sums, so nothing is carried from byte to byte.
bool equal_words(const char* a, const char* b) {
  constexpr uint64_t ones = 0x0101010101010101;
  uint64_t left;
  uint64_t right;
  std::memcpy(&left, a, sizeof(left));
  std::memcpy(&right, b, sizeof(right));
  const uint64_t difference = left ^ right;
  if (difference == 0) return true;
  if ((difference & ~(0x20 * ones)) != 0) return false;
  const uint64_t folded = (left | 0x20 * ones) & 0x7f * ones;
  const uint64_t not_below_a = folded + (0x80 - 'a') * ones;
  const uint64_t above_z = folded + (0x7f - 'z') * ones;
  const uint64_t letters = not_below_a & ~above_z & ~left;  // the upper bits
  return (difference << 2 & ~letters) == 0;
}

}  // namespace

bool equal_bytes_ignoring_case(const char* a, const char* b, size_t size) {
  if (size >= 8) {
    // The last eight may overlap those before.
    for (size_t i = 0; i < size - 8; i += 8) {
      if (!equal_words(a + i, b + i)) return false;
    }
    return equal_words(a + size - 8, b + size - 8);
  }
  for (size_t i = 0; i < size; ++i) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

std::string_view HeaderList::find(std::string_view name) const {
  for (size_t i = 0; i < count; ++i) {
    if (!equal_ignoring_case(items[i].name, name)) continue;
    // An empty value is not an absent one, even when its view has no place.
    return items[i].value.data() != nullptr ? items[i].value : std::string_view("");
  }
  return {};
}

}  // namespace hyperion::http
