// What can be read from a prompt in a microsecond: counts of its structure and hashed words.
//
// One pass over the beginning and the end of the last turn of the user (600 and 200 bytes: more
// adds nothing that can be measured), and a count at memory speed of what lies between. Escapes of
// JSON are undone first, so that both spellings of a text give the same features; case, blanks and
// empty lines count for nothing, so that harmless edits change little. Words are hashed, never
// kept: features leave no way back to the text. Read by the scorer and by the trainer, which so
// learns from the very numbers that are used later. Nothing can fail, nothing is allocated.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "routing/prompt.h"
#include "routing/window.h"

namespace hyperion::routing {

// The structure of a prompt, in the order of `Features::structure`. Counts are logarithms
// (scaled_log), shares are of the letters or words read.
enum class Trait : uint8_t {
  words,        // of the whole turn, by the density of the parts read
  length,       // of the whole turn, in bytes
  lines,        // that are not empty
  line_length,  // mean
  sentences,
  word_length,     // mean, of letters
  long_words,      // share of more than six letters
  distinct_words,  // share
  known_words,     // share of those that the weights have met
  questions,       // question marks
  ends_asking,     // the last sign is a question mark
  bullets,
  numbered,
  options,  // lines or parts that begin "A." or "(b)"
  headings,
  fences,
  braces,
  brackets,
  parentheses,
  semicolons,
  equals,
  code_lines,   // that end as lines of programs do
  identifiers,  // underscores within words, parentheses behind them, dots between them
  digits,       // share of all signs
  numbers,
  operators,  // + * / ^ < > = - between blanks or numbers
  latex,      // commands and dollar signs
  percent_money,
  quotes,
  colons,
  commas,
  not_ascii,     // share of letters
  other_script,  // share of letters that are not Latin
  // Words of a group, by the list in word_groups.cpp.
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
  // What stands around the turn.
  turns,
  system_length,
  other_length,
  tools,
  tool_results,
  images,
  schema,
  count,
};
inline constexpr size_t trait_count = static_cast<size_t>(Trait::count);

// Buckets of the hashed words and pairs of words.
inline constexpr uint32_t bucket_bits = 14;
inline constexpr uint32_t bucket_count = 1u << bucket_bits;
// Bits of the set of known words, by another part of the hash.
inline constexpr uint32_t known_bits = 18;

struct Features {
  static constexpr size_t grams_max = 1024;

  std::array<float, trait_count> structure;
  std::array<uint16_t, grams_max> buckets;  // distinct, in order of appearance
  uint32_t bucket_count = 0;
  std::array<uint32_t, grams_max> words;  // whole hashes of distinct words
  uint32_t word_count = 0;

  float& operator[](Trait trait) { return structure[static_cast<size_t>(trait)]; }
  float operator[](Trait trait) const { return structure[static_cast<size_t>(trait)]; }
};

// `known`: the set of known words, 2^known_bits bits; empty counts no word as known.
void extract_features(const Prompt& prompt, const Wants& wants, std::string_view known,
                      Features& features);

// The same with the window of the prompt, which is made where there is none yet.
void extract_features(const Prompt& prompt, const Window& window, const Wants& wants,
                      std::string_view known, Features& features);

// log2(1 + count) by linear interpolation between powers of two: the same on every machine.
float scaled_log(uint64_t count);

std::string_view name_of(Trait trait);

}  // namespace hyperion::routing
