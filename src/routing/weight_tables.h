// The tables that the scorer multiplies features with, as a file of weights holds them.
//
// One block of bytes of a fixed shape, written by bench/routing/train: the head, the fixed part,
// a row of int8 for each bucket of words, the trees' nodes and leaves, the set of known words.
// Private to routing/weights.cpp, which fills it, and the scorer, which reads it. All numbers are
// little-endian integers, so that every machine scores alike.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "routing/features.h"
#include "routing/forest.h"
#include "routing/kinds.h"
#include "routing/trait_scales.h"

namespace hyperion::routing {

inline constexpr uint32_t weights_version = 3;

// Columns of the linear layer: the difficulty, the ten kinds, four of no use yet, and the square
// of a word's rarity, by which the length of the text is taken out.
inline constexpr size_t column_count = 16;
inline constexpr size_t difficulty_column = 0;
inline constexpr size_t first_kind_column = 1;
inline constexpr size_t rarity_column = 15;

// A point of the monotone curve from the sum of all parts to the difficulty.
struct CurvePoint {
  int32_t sum;         // in 1/65536
  int32_t difficulty;  // in 1/logit_one
};

// What the length adds to the sum, by kind: a line that rises from `low` to `high` and is flat
// outside. Lengths are the scaled trait, the rest is in 1/65536.
struct LengthCurve {
  int32_t low;
  int32_t high;
  int32_t slope;
  int32_t offset;
};

struct WeightTables {
  static constexpr size_t tree_count_max = 128;
  static constexpr uint32_t tree_depth_max = Forest::depth_max;
  static constexpr size_t curve_points = 16;

  // As it stands in the file behind the head.
  struct Fixed {
    std::array<TraitScale, trait_count> scales;
    std::array<std::array<int16_t, column_count>, trait_count> linear;  // in 1/1024
    std::array<int32_t, column_count> bias;                             // in 1/65536
    std::array<int32_t, column_count> word_scale;
    std::array<CurvePoint, curve_points> curve;
    std::array<LengthCurve, kind_count> lengths;
    int32_t forest_scale;
    // A share of known words (of 1024) below which a prompt is unknown, and a share of letters of
    // other scripts above which it is.
    int32_t known_words_min;
    int32_t other_script_max;
    uint32_t tree_count;
    uint32_t tree_depth;
  };
  using Row = std::array<int8_t, column_count>;

  Fixed fixed{};
  std::vector<Row> rows;  // by bucket
  Forest forest;
  TraitScales scales;
  std::string known_words;  // for extract_features
};

}  // namespace hyperion::routing
