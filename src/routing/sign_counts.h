// What a sign of a text counts as: a question, a bullet, an operator; by what stands around it.
//
// Used by the pass over a text alone (routing/text_reading.cpp). A table that the compiler makes:
// the sign with what stands before and behind it says what is to be added to sixteen counters,
// all of them at once, so that reading signs takes no branches. Nothing can fail.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace hyperion::routing {

enum class SignCount : uint8_t {
  questions,
  sentences,
  bullets,
  operators,
  equals,
  headings,
  braces,
  brackets,
  parentheses,
  semicolons,
  latex,
  percent_money,
  quotes,
  colons,
  commas,
  identifiers,
  count,
};

// Sixteen counters of sixteen bits in four words: no window has so many signs that one overflows.
using SignSums = std::array<uint64_t, 4>;
static_assert(static_cast<size_t>(SignCount::count) == 4 * 4);

constexpr uint32_t sum_of(const SignSums& sums, SignCount count) {
  const auto place = static_cast<size_t>(count);
  return static_cast<uint16_t>(sums.data()[place / 4] >> (16 * (place % 4)));
}

// What stands before a sign, and behind it.
enum class Before : uint8_t { sign, blank, word, nothing };  // nothing: it begins a line
enum class Behind : uint8_t { sign, blank, digit, letter };

struct SignTables {
  static constexpr size_t row_count = 20;
  uint8_t row[256];                           // by byte; those that part words come first
  uint8_t before[256];                        // Before, but for `nothing`
  uint8_t behind[256];                        // Behind
  SignSums worth[row_count * 16];             // by row, before and behind
  static constexpr uint8_t rows_parting = 3;  // these part words: no pair over them
};
extern const SignTables sign_tables;

}  // namespace hyperion::routing
