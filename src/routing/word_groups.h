// Words that say what is asked for, whatever it is about, in groups.
//
// Used by the feature pass: each word's hash is looked up once in a table that the compiler makes.
// The groups hold ordinary English words of instruction, none that belongs to a subject or to a
// collection of test questions. Nothing can fail; a word that is in no group has none.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace hyperion::routing {

enum class Group : uint8_t {
  none,
  asking,
  building,
  explaining,
  calculating,
  proving,
  programming,
  conditions,
  constraints,
  transforming,
  writing,
  greeting,
  steps,
  negations,
  quantities,
  count,
};

// A word's hash, over its bytes with the sign of capitals set: sixteen at a time, the last ones
// filled up with zeros.
inline constexpr unsigned word_step_bytes = 16;
struct WordStep {
  uint64_t first = 0;
  uint64_t second = 0;
};
constexpr uint64_t add_to_hash(uint64_t state, WordStep step) {
  return (state ^ state >> 29) * 0x9FB21C651E98DF25u + step.first * 0x9E3779B97F4A7C15u +
         step.second * 0xD6E8FEB86659FD93u;
}
constexpr uint32_t finish_hash(uint64_t state) {
  return static_cast<uint32_t>((state ^ state >> 32) * 0xA0761D6478BD642Fu >> 32);
}
constexpr uint32_t word_hash(std::string_view word) {
  uint64_t state = 0;
  for (size_t begin = 0; begin < word.size(); begin += word_step_bytes) {
    WordStep step;
    for (size_t i = 0; i < word_step_bytes && begin + i < word.size(); ++i) {
      const uint64_t byte = static_cast<unsigned char>(word[begin + i]) | 0x20u;
      (i < 8 ? step.first : step.second) |= byte << 8 * (i % 8);
    }
    state = add_to_hash(state, step);
  }
  return finish_hash(state);
}
// A hash of each group's words whose lowest bits are the group instead, found by the upper bits of
// a product: no two of the words meet there.
struct GroupTable {
  static constexpr unsigned slot_bits = 12;  // sparse, so that a multiplier can be found
  static constexpr uint32_t group_mask = 15;
  static_assert(static_cast<uint32_t>(Group::count) <= group_mask + 1);

  static constexpr size_t place_of(uint32_t hash, uint32_t multiplier) {
    return hash * multiplier >> (32 - slot_bits);
  }
  uint32_t multiplier = 0;
  std::array<uint32_t, size_t{1} << slot_bits> slots{};
};
extern const GroupTable group_table;

// Without a branch that depends on the word.
inline Group group_of(uint32_t hash) {
  const uint32_t slot =
      group_table.slots.data()[GroupTable::place_of(hash, group_table.multiplier)];
  return static_cast<Group>((slot ^ hash) > GroupTable::group_mask ? 0
                                                                   : slot & GroupTable::group_mask);
}

}  // namespace hyperion::routing
