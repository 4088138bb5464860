#include "routing/calibration_fit.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>
#include <utility>

namespace hyperion::routing {
namespace {

constexpr size_t count = Calibration::weight_count;
using Weights = std::array<double, count>;
using Group = std::vector<const Label*>;

// How much a weight is drawn back, as the curvature of a penalty: about as strong as four times as
// many labels. Found on public outcomes (bench/routing/calibration_curve: ten sources and mixtures
// that the weights had not seen, 50 to 500 labels); the neighbourhood is flat, a tenth of these
// fits noise.
struct Pull {
  double constant;
  double difficulty;
  double head;
  double trait;
};
constexpr Pull pull_to_nothing = {1, 30, 5, 100};   // of a key's weights for all kinds
constexpr Pull pull_to_the_key = {5, 50, 50, 200};  // of a kind's, towards its key's
// Below this many labels everything but the constant is drawn back more, in proportion.
constexpr double labels_for_shape = 300;
constexpr size_t labels_of_kind_min = 5;  // fewer leave a kind with its key's weights

constexpr int steps_max = 2000;
constexpr double change_min = 1e-5;  // logits; weights are kept in 1/1024

double logistic(double x) { return 1.0 / (1.0 + std::exp(-x)); }

Weights penalty_of(const Pull& pull, double shape) {
  Weights penalty;
  for (size_t i = 0; i < count; ++i) {
    if (i == 0) {
      penalty[i] = pull.constant;
    } else if (i < Calibration::first_head) {
      penalty[i] = pull.difficulty * shape;
    } else {
      penalty[i] = (i < Calibration::first_trait ? pull.head : pull.trait) * shape;
    }
  }
  return penalty;
}

Weights inputs_as_numbers(const Label& label) {
  const auto whole = inputs_of(label.scores, label.traits);
  Weights inputs;
  for (size_t i = 0; i < count; ++i) inputs[i] = static_cast<double>(whole[i]) / input_one;
  return inputs;
}

// A symmetric positive matrix, of which the lower half is kept, by Cholesky's method.
struct Matrix {
  std::array<std::array<double, count>, count> rows{};

  void factor() {
    for (size_t row = 0; row < count; ++row) {
      for (size_t column = 0; column <= row; ++column) {
        double sum = rows[row][column];
        for (size_t i = 0; i < column; ++i) sum -= rows[row][i] * rows[column][i];
        rows[row][column] = row == column ? std::sqrt(sum) : sum / rows[column][column];
      }
    }
  }
  // Once it is factored.
  void solve(Weights& right) const {
    for (size_t row = 0; row < count; ++row) {
      for (size_t i = 0; i < row; ++i) right[row] -= rows[row][i] * right[i];
      right[row] /= rows[row][row];
    }
    for (size_t row = count; row-- > 0;) {
      for (size_t i = row + 1; i < count; ++i) right[row] -= rows[i][row] * right[i];
      right[row] /= rows[row][row];
    }
  }
};

// The most that the loss can curve, whatever the weights: steps by it never go too far, where those
// of Newton's method can (Boehning, 1992).
Matrix curvature_of(const std::vector<Weights>& inputs, const Weights& penalty) {
  constexpr double most = 0.25;
  Matrix matrix;
  for (const Weights& each : inputs) {
    for (size_t row = 0; row < count; ++row) {
      for (size_t column = 0; column <= row; ++column)
        matrix.rows[row][column] += most * each[row] * each[column];
    }
  }
  for (size_t i = 0; i < count; ++i) matrix.rows[i][i] += penalty[i];
  return matrix;
}

// The weights that explain the labels best while they stay near `from`.
Weights fit(const Group& group, const Weights& from, const Weights& penalty) {
  std::vector<Weights> inputs;
  for (const Label* label : group) inputs.push_back(inputs_as_numbers(*label));
  Matrix matrix = curvature_of(inputs, penalty);
  matrix.factor();
  Weights weights = from;
  for (int step = 0; step < steps_max; ++step) {
    Weights change;
    for (size_t i = 0; i < count; ++i) change[i] = penalty[i] * (from[i] - weights[i]);
    for (size_t each = 0; each < group.size(); ++each) {
      const Label& label = *group[each];
      double offset = 0;
      for (size_t i = 0; i < count; ++i) offset += weights[i] * inputs[each][i];
      const double base = static_cast<double>(label.ability - label.scores.difficulty) / logit_one;
      const double miss = logistic(base - offset) - label.good;  // above 0: harder than thought
      for (size_t i = 0; i < count; ++i) change[i] += miss * inputs[each][i];
    }
    matrix.solve(change);
    double most = 0;
    for (size_t i = 0; i < count; ++i) {
      weights[i] += change[i];
      most = std::max(most, std::abs(change[i]));
    }
    if (most < change_min) break;
  }
  return weights;
}

Calibration rounded(const std::string& key, Kind kind, size_t labels, const Weights& weights) {
  Calibration calibration;
  calibration.key = key;
  calibration.kind = kind;
  calibration.labels = static_cast<uint32_t>(labels);
  for (size_t i = 0; i < count; ++i) {
    const double parts = std::round(weights[i] * Calibration::weight_one);
    calibration.weights[i] = static_cast<int16_t>(std::clamp(parts, -32'000.0, 32'000.0));
  }
  return calibration;
}

// Sums are rounded: one order of labels makes them the same, whatever order they came in.
bool before(const Label* a, const Label* b) {
  const auto fields = [](const Label& label) {
    return std::tie(label.scores.difficulty, label.ability, label.good, label.scores.shares,
                    label.traits.values);
  };
  return fields(*a) < fields(*b);
}

void fit_key(const std::string& key, Group& labels, std::vector<Calibration>& result) {
  std::sort(labels.begin(), labels.end(), before);
  const double shape = std::max(1.0, labels_for_shape / static_cast<double>(labels.size()));
  const Weights of_key = fit(labels, {}, penalty_of(pull_to_nothing, shape));
  std::map<Kind, Group> kinds;
  for (const Label* label : labels) kinds[label->scores.kind].push_back(label);
  for (const auto& [kind, group] : kinds) {
    const bool enough = group.size() >= labels_of_kind_min;
    const Weights own = enough ? fit(group, of_key, penalty_of(pull_to_the_key, 1)) : of_key;
    result.push_back(rounded(key, kind, group.size(), own));
  }
}

}  // namespace

std::vector<Calibration> fit_calibrations(const std::vector<Label>& labels) {
  std::map<std::string, Group> keys;
  for (const Label& label : labels) {
    keys[label.key].push_back(&label);
    if (!label.key.empty()) keys[""].push_back(&label);
  }
  std::vector<Calibration> result;
  for (auto& [key, group] : keys) {
    if (group.size() >= labels_min) fit_key(key, group, result);
  }
  return result;
}

}  // namespace hyperion::routing
