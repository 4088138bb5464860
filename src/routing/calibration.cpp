#include "routing/calibration.h"

#include <algorithm>

namespace hyperion::routing {

std::array<int32_t, Calibration::weight_count> inputs_of(const Scores& scores,
                                                         const TraitRow& traits) {
  std::array<int32_t, Calibration::weight_count> inputs;
  inputs[0] = input_one;
  inputs[1] = scores.difficulty * input_one / logit_one;
  for (size_t i = 0; i < head_count; ++i)
    inputs[Calibration::first_head + i] = scores.shares[i] * input_one / share_one;
  for (size_t i = 0; i < trait_count; ++i) inputs[Calibration::first_trait + i] = traits.values[i];
  return inputs;
}

int32_t offset_of(const Calibration& calibration, const Scores& scores, const TraitRow& traits) {
  const auto inputs = inputs_of(scores, traits);
  int64_t sum = 0;
  for (size_t i = 0; i < inputs.size(); ++i) sum += int64_t{inputs[i]} * calibration.weights[i];
  const int64_t offset = sum * logit_one / (Calibration::weight_one * input_one);
  return static_cast<int32_t>(
      std::clamp<int64_t>(offset, -Calibration::offset_max, Calibration::offset_max));
}

const Calibration* find_calibration(const std::vector<Calibration>& calibrations,
                                    std::string_view key, Kind kind) {
  const Calibration* general = nullptr;
  for (const Calibration& calibration : calibrations) {
    if (calibration.kind != kind) continue;
    if (calibration.key == key) return &calibration;
    if (calibration.key.empty()) general = &calibration;
  }
  return general;
}

void calibrate(Question& question, const std::vector<Calibration>& calibrations,
               std::string_view key) {
  Scores& scores = question.turns[question.turn_count - 1].scores;
  const int32_t plain = scores.difficulty - question.calibrated;
  question.calibrated = 0;
  scores.difficulty = static_cast<int16_t>(plain);
  const Calibration* found = find_calibration(calibrations, key, scores.kind);
  if (found != nullptr) question.calibrated = offset_of(*found, scores, question.traits);
  scores.difficulty = static_cast<int16_t>(plain + question.calibrated);
  scores.score = score_of(scores.difficulty);
}

}  // namespace hyperion::routing
