// One request of a client: what it asks for, and on which terms.
//
// Drawn by the seed; the client spells it in its dialect. The plan, whom such a request may be
// given to, is worked out here from the conf and the request's own words, apart from the gateway's
// way of doing it.
#pragma once

#include <string>
#include <vector>

#include "base/random.h"
#include "dialect/wire.h"
#include "sim/setting.h"

namespace hyperion::sim {

// `hyperion.max_cost`: more than all may cost, less than the dear model does, less than any.
enum class Cost : uint8_t { none, ample, modest, tiny };

struct Asked {
  std::string number;
  dialect::Wire wire = dialect::Wire::openai_chat;
  bool stream = false;
  bool array = false;  // a Gemini stream without SSE
  std::string model;
  bool names_fallbacks = false;
  std::vector<std::string> fallbacks;
  Cost cost = Cost::none;
  const char* timeout = nullptr;  // which one
  uint64_t timeout_ms = 0;
  bool must_fail = false;
  std::string body;  // as sent
  std::string own;   // without Hyperion's own keys
  std::string rest;  // of it, what follows the model's name
  uint64_t sent_ns = 0;
};

void draw_request(Random& random, dialect::Wire wire, Asked& request);
// The keys of Hyperion's own, with a comma behind them; empty where it has none.
std::string options_text(const Asked& request, bool tags);

// Everybody who may get the request: the model's places, then the fallbacks in all their places.
Deployments plan_of(const config::Config& config, const Asked& request);
// More attempts are never begun, without a hedge and a retry on a fresh connection.
size_t attempts_bound(const config::Config& config, const Asked& request);

}  // namespace hyperion::sim
