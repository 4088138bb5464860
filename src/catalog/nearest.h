// The edit distance between two names, for "did you mean".
//
// Used for unknown models and for unknown keys of the conf. Letters compare without case. Bounded:
// texts longer than `nearest_size_max_bytes` are as far as can be, so that a client cannot make an
// error expensive. Pure, no allocation, cannot fail; about a microsecond for two names.
#pragma once

#include <cstddef>
#include <string_view>

namespace hyperion::catalog {

inline constexpr size_t nearest_size_max_bytes = 64;
inline constexpr size_t too_far = 1000;

// Insertions, removals, replacements and swaps of neighbours that turn `a` into `b`; `too_far` when
// more than `limit`.
size_t edit_distance(std::string_view a, std::string_view b, size_t limit);

// How many edits still make a name a likely misspelling of another.
constexpr size_t misspelling_edits_max(std::string_view name) {
  if (name.size() < 4) return name.size() / 2;
  return name.size() < 6 ? 2 : name.size() / 3;
}

}  // namespace hyperion::catalog
