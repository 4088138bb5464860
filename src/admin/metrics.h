// The metrics page: the counters of all shards as Prometheus text.
//
// Called on whichever shard was asked; reads the counters of all with relaxed loads while they
// count on. Sums over shards, but for connections, which are shown by core too (few long
// connections can sit on few cores). Names start with `hyperion_`; label values are fixed or come
// from the configuration. Allocates, a few hundred lines; never on the path of a proxied request.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gateway/counters.h"

namespace hyperion::admin {

// What the process counts beside its shards.
struct ProcessCounts {
  uint64_t reloads = 0;
  uint64_t reloads_refused = 0;
  uint64_t hand_overs_failed = 0;
};

std::string render_metrics(const std::vector<const gateway::Counters*>& shards,
                           const ProcessCounts& process = {});

}  // namespace hyperion::admin
