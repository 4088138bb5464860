// What a prompt asks for and how hard it is: the numbers that a decision is made from.
//
// Written by the scorer, read by the selection and kept in the log, so that a decision can be made
// again without the prompt. Fixed-point integers, because they must be the same bits on every
// machine. The chance that a model with the logits q is good enough is
// sigmoid(sum over heads of share * q - difficulty); the score that people see is the difficulty
// alone, squeezed the same way.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "routing/kinds.h"

namespace hyperion::routing {

inline constexpr int32_t share_one = 1024;
inline constexpr int32_t score_one = 1000;

struct Scores {
  std::array<int16_t, head_count> shares{};  // what is asked for: parts of share_one, their sum
  int16_t difficulty = 0;                    // logits, times logit_one
  uint16_t score = 0;                        // 0 to score_one, higher is harder
  Kind kind = Kind::chat;
  bool unknown = false;  // few known words or an odd script: the prompt is to be taken as hard
  bool operator==(const Scores&) const = default;
};

// The structure that went into the scores, one number for each trait (routing/features.h) in 1/16
// standard deviations: what a calibration learns from. Counts, no words.
inline constexpr size_t traits_logged_max = 64;
struct TraitRow {
  std::array<int8_t, traits_logged_max> values{};
  bool operator==(const TraitRow&) const = default;
};

// The score that goes with a difficulty.
uint16_t score_of(int32_t difficulty);
// The least difficulty whose score is at least `score`.
int16_t difficulty_of(uint16_t score);

}  // namespace hyperion::routing
