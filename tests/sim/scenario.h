// One seed: a small world with clients and providers, run to its end and judged.
//
// Clients with drawn manners send requests to a real Gateway; its provider's connections lead to
// simulated Providers with drawn behaviours. After every step the rules that hold at all times are
// checked, at the end those that hold at rest: each request answered once, every record written,
// nothing leaked (blocks, bodies, slabs, streams, timers, places, probes, counts of retries and
// hedges), and no breaker opened by what clients do.
#pragma once

#include <cstdint>
#include <string>

#include "sim/coverage.h"

namespace hyperion::sim {

// Runs one seed; empty if nothing was violated. `tells`: prints what the world was like.
std::string run_seed(uint64_t seed, Coverage& coverage, bool tells = false);

}  // namespace hyperion::sim
