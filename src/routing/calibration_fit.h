// Learns calibrations from labelled decisions: a few logistic regressions, drawn towards nothing.
//
// Used by `hyperion feedback`, never on the request path. A label says whether an answer was good;
// the model that gave it had, by the scores, a chance; what the two differ by is explained by the
// inputs of a calibration, as far as the labels are many. A key's labels of all kinds together give
// one set of weights, and each kind may move away from it as far as its own labels ask: so some
// fifty labels do something already, and the order between kinds is kept. The same labels give the
// same numbers. Allocates freely; cannot fail.
#pragma once

#include <string>
#include <vector>

#include "routing/calibration.h"

namespace hyperion::routing {

struct Label {
  std::string key;
  Scores scores;  // as they were without any calibration
  TraitRow traits;
  int32_t ability = 0;  // of the model that answered, for these scores: logits in logit_one
  double good = 0;      // 0 to 1
};

// Fewer labels of a key teach nothing.
inline constexpr size_t labels_min = 20;

// For each key with enough labels, and for all keys together, one calibration for every kind that a
// label was of; in a fixed order.
std::vector<Calibration> fit_calibrations(const std::vector<Label>& labels);

}  // namespace hyperion::routing
