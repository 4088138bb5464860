// What the labels of one's own traffic have taught: corrections of the difficulty.
//
// For one key's requests of one kind, a constant and a weight for the difficulty itself, for each
// head and for each trait, learned by `hyperion feedback` from a log (routing/calibration_fit.h)
// and read from a file when a configuration is loaded. Applied to the last turn's scores of every
// smart and automatic decision: a sum of 63 products, bounded to two logits either way, so that no
// number of labels can turn the router upside down. Taking the file out of the conf takes
// everything back. Pure; integers.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "routing/decision.h"
#include "routing/features.h"

namespace hyperion::routing {

static_assert(trait_count <= traits_logged_max);

struct Calibration {
  static constexpr size_t first_head = 2;
  static constexpr size_t first_trait = first_head + head_count;
  static constexpr size_t weight_count = first_trait + trait_count;
  static constexpr int32_t weight_one = 1024;
  static constexpr int32_t offset_max = 2 * logit_one;

  std::string key;  // id of a virtual key; empty: of all that have none of their own
  Kind kind = Kind::chat;
  uint32_t labels = 0;  // of this kind that it was learned from
  // The constant, the difficulty, the heads in the order of Head, the traits in the order of Trait.
  std::array<int16_t, weight_count> weights{};
};

// What a weight is multiplied with, in the order of `weights`; each about between -4 and 4, in
// sixteenths. The scores are those without any calibration.
inline constexpr int32_t input_one = 16;
std::array<int32_t, Calibration::weight_count> inputs_of(const Scores& scores,
                                                         const TraitRow& traits);

// What is to be added to the difficulty, in logit_one.
int32_t offset_of(const Calibration& calibration, const Scores& scores, const TraitRow& traits);

// The one for this key and kind, else that for all keys; nullptr if there is none.
const Calibration* find_calibration(const std::vector<Calibration>& calibrations,
                                    std::string_view key, Kind kind);

// Corrects the last turn of the question, and says by how much in it. What a correction before this
// one has added is taken back first.
void calibrate(Question& question, const std::vector<Calibration>& calibrations,
               std::string_view key);

}  // namespace hyperion::routing
