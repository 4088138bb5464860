// Words that say what is asked for, whatever it is about, in groups.
//
// Used by the feature pass: each word's hash is looked up once in a table that the compiler makes.
// The groups hold ordinary English words of instruction, none that belongs to a subject or to a
// collection of test questions. Nothing can fail; a word that is in no group has none.
#pragma once

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

// FNV-1a over the lower-case letters of a word.
inline constexpr uint32_t word_hash_begin = 2166136261u;
constexpr uint32_t word_hash_step(uint32_t hash, uint8_t letter) {
  return (hash ^ letter) * 16777619u;
}
constexpr uint32_t word_hash(std::string_view word) {
  uint32_t hash = word_hash_begin;
  for (char c : word) hash = word_hash_step(hash, static_cast<uint8_t>(c));
  return hash;
}

Group group_of(uint32_t word_hash);

}  // namespace hyperion::routing
