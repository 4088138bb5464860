#include "catalog/nearest.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

namespace hyperion::catalog {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

size_t edit_distance(std::string_view a, std::string_view b, size_t limit) {
  if (a.size() > nearest_size_max_bytes || b.size() > nearest_size_max_bytes) return too_far;
  const size_t difference = a.size() > b.size() ? a.size() - b.size() : b.size() - a.size();
  if (difference > limit) return too_far;
  // Three rows of the usual matrix: the one before the last is for swapped neighbours.
  using Row = std::array<uint8_t, nearest_size_max_bytes + 1>;
  Row before{}, last{}, row{};
  for (size_t j = 0; j <= b.size(); ++j) last[j] = static_cast<uint8_t>(j);
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = static_cast<uint8_t>(i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const bool same = lower(a[i - 1]) == lower(b[j - 1]);
      int best = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0 : 1)});
      if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
          lower(a[i - 2]) == lower(b[j - 1])) {
        best = std::min(best, before[j - 2] + 1);
      }
      row[j] = static_cast<uint8_t>(best);
    }
    before = last;
    last = row;
  }
  const size_t distance = last[b.size()];
  return distance <= limit ? distance : too_far;
}

}  // namespace hyperion::catalog
