#include "routing/calibration_fit.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

namespace hyperion::routing {
namespace {

// Found on the public outcomes of one kind at a time, by their own cross-validation: more passes or
// faster steps fit noise.
constexpr int passes = 30;
constexpr double step_first = 0.05;
constexpr double pull = 0.02;  // of a label, towards no correction

using Group = std::vector<const Label*>;
using Weights = std::array<double, Calibration::weight_count>;

double logistic(double x) { return 1.0 / (1.0 + std::exp(-x)); }

void learn(const Label& label, double step, double count, Weights& weights) {
  const auto inputs = inputs_of(label.scores, label.traits);
  double offset = 0;
  for (size_t i = 0; i < inputs.size(); ++i) offset += weights[i] * inputs[i] / 16.0;
  const double most = static_cast<double>(Calibration::offset_max) / logit_one;
  const double bounded = std::clamp(offset, -most, most);
  const double base = static_cast<double>(label.ability - label.scores.difficulty) / logit_one;
  const double miss = logistic(base - bounded) - label.good;  // above 0: harder than thought
  for (size_t i = 0; i < inputs.size(); ++i) {
    const double drawn = pull * weights[i] * (20.0 / count);
    weights[i] += step * (miss * inputs[i] / 16.0 - drawn);
  }
}

Calibration fit(std::string key, Kind kind, const Group& group) {
  Weights weights{};
  for (int pass = 0; pass < passes; ++pass) {
    const double step = step_first / (1.0 + pass * 0.3);
    for (const Label* label : group)
      learn(*label, step, static_cast<double>(group.size()), weights);
  }
  Calibration calibration;
  calibration.key = std::move(key);
  calibration.kind = kind;
  calibration.labels = static_cast<uint32_t>(group.size());
  for (size_t i = 0; i < weights.size(); ++i) {
    const double parts = std::round(weights[i] * Calibration::weight_one);
    calibration.weights[i] = static_cast<int16_t>(std::clamp(parts, -32'000.0, 32'000.0));
  }
  return calibration;
}

}  // namespace

std::vector<Calibration> fit_calibrations(const std::vector<Label>& labels) {
  std::map<std::pair<std::string, Kind>, Group> groups;
  for (const Label& label : labels) {
    groups[{label.key, label.scores.kind}].push_back(&label);
    if (!label.key.empty()) groups[{"", label.scores.kind}].push_back(&label);
  }
  std::vector<Calibration> result;
  for (const auto& [name, group] : groups) {
    if (group.size() >= labels_min) result.push_back(fit(name.first, name.second, group));
  }
  return result;
}

}  // namespace hyperion::routing
