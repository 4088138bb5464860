// The pass over what is read of a turn: its words, hashed, and the counts of its structure.
//
// Called by the features, once for each turn. Words, numbers, lines and signs are found in maps of
// bits, sixty-four bytes at a time; what then is done for each word and each sign has next to no
// branches, which no predictor would guess. Integers throughout; the variant with instructions
// that only newer processors have gives the same. Any bytes will do; nothing can fail.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "routing/features.h"
#include "routing/window.h"
#include "routing/word_groups.h"

namespace hyperion::routing {

struct TextCounts {
  uint32_t words = 0, letters = 0, long_words = 0, distinct = 0, known = 0;
  uint32_t lines = 0, sentences = 0, questions = 0;
  uint32_t bullets = 0, numbered = 0, options = 0, headings = 0, code_lines = 0;
  uint32_t fences = 0, braces = 0, brackets = 0, parentheses = 0, semicolons = 0, equals = 0;
  uint32_t identifiers = 0, digits = 0, numbers = 0, operators = 0, latex = 0, percent_money = 0;
  uint32_t quotes = 0, colons = 0, commas = 0, high_letters = 0, other_script = 0;
  uint32_t signs = 0;    // bytes that show
  char last_sign = ' ';  // the last of them
  std::array<uint16_t, static_cast<size_t>(Group::count)> groups{};
  bool operator==(const TextCounts&) const = default;
};

// Adds the buckets and words to `features`. `known`: see extract_features.
TextCounts read_text(const Window& window, std::string_view known, Features& features);
// The same without what only some processors have.
TextCounts read_text_plainly(const Window& window, std::string_view known, Features& features);

// The place of a word in the set of known ones.
constexpr uint32_t known_place(uint32_t hash) { return (hash * 0x85EBCA6Bu) >> (32 - known_bits); }

}  // namespace hyperion::routing
