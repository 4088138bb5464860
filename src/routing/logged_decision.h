// Reads back what the log keeps of a decision (routing/decision_text.h, `write_logged`).
//
// For `hyperion replay` and `hyperion feedback`, off the request path: names stay names, because
// the configuration that the decision is made again under may give them another meaning, or none.
// Unknown members are passed over; a text that is not what `write_logged` writes is refused.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "routing/decision.h"

namespace hyperion::routing {

struct LoggedDecision {
  // `asked`, `rule` and the deployments are not set; the rest is as it was.
  Question question;
  std::string asked;   // id of a deployment; empty of auto
  std::string chosen;  // id of a deployment
  std::string rule;    // its name
  int tier = 0;
  int64_t saved_nano_usd = 0;
  std::vector<std::string> providers;  // the choice was narrowed to them; empty: to none
  bool narrowed = false;
  std::vector<std::string> unusable;                  // providers that had no key
  std::vector<std::pair<std::string, int64_t>> live;  // deployment to first token in us, -1: ill
  std::string config_stamp, catalog_stamp, weights_stamp;
};

bool read_logged(std::string_view json, LoggedDecision& decision);

}  // namespace hyperion::routing
