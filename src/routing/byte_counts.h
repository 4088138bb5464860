// Counts of bytes over long texts at the speed of memory.
//
// What the feature pass does not read in full is at least counted: lines, braces, fences. Raw
// insides of JSON strings: a newline is the escape \n. Sixteen bytes at a time with what every
// x86-64 has, one at a time elsewhere, to the same counts. Nothing can fail.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace hyperion::routing {

struct ByteCounts {
  uint64_t braces = 0;
  uint64_t backticks = 0;
  uint64_t semicolons = 0;
  uint64_t newlines = 0;  // escapes \n; of escaped backslashes before an n as well
};

ByteCounts count_bytes(std::span<const std::string_view> texts);

}  // namespace hyperion::routing
