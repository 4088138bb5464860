// One seed: a small world with clients and providers, run to its end and judged.
//
// Clients with drawn manners send requests to a real Gateway; its provider's connections lead to
// simulated Providers with drawn behaviours. After every step the rules that hold at all times are
// checked, at the end those that hold at rest: each request answered once, every record written,
// nothing leaked (blocks, bodies, slabs, streams, timers).
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>

namespace hyperion::sim {

// What the seeds reached: end codes (side and phase) and how often, by what the provider or the
// client did.
struct Coverage {
  std::map<std::string, std::map<std::string, uint64_t>> ends;  // trouble -> end code -> count
  uint64_t requests = 0;
  uint64_t answered = 0;
  uint64_t steps = 0;
};

// Runs one seed; empty if nothing was violated.
std::string run_seed(uint64_t seed, Coverage& coverage);

}  // namespace hyperion::sim
