// Learns calibrations from labelled decisions: logistic updates in the order of the log.
//
// Used by `hyperion feedback`, never on the request path. A label says whether an answer was good;
// the model that gave it had, by the scores, a chance; the difference moves the few weights of that
// key and kind, less and less the more labels there are, and each weight is drawn back towards
// nothing. The same labels in the same order give the same numbers. Allocates freely; cannot fail.
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

// Fewer labels of a key and kind teach nothing.
inline constexpr size_t labels_min = 20;

// One calibration for each key and kind with enough labels, and one for all keys together for each
// kind; in a fixed order.
std::vector<Calibration> fit_calibrations(const std::vector<Label>& labels);

}  // namespace hyperion::routing
