// One configuration as one shard uses it.
//
// Built on the shard from the immutable Config: the pools to the providers (shared with the
// previous snapshot where the address is the same), their counters and the prepared part of the
// heads. An exchange holds the snapshot under which it began, so nothing changes beneath it; the
// last holder frees it. Building can fail (certificates): then the previous snapshot stays.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/config.h"
#include "gateway/counters.h"
#include "upstream/pool.h"

namespace hyperion::gateway {

struct ProviderState {
  std::shared_ptr<upstream::Pool> pool;
  ProviderCounters* counters = nullptr;
  // Everything of a request's head that never changes, without the credentials: Host, User-Agent,
  // Accept-Encoding, ...
  std::string head;
  // What never changes in the head of an answer: x-hyperion-provider and the route.
  std::string answer_head;
};

struct Snapshot {
  std::shared_ptr<const config::Config> config;
  std::vector<ProviderState> providers;  // by catalog::Provider::index
};

}  // namespace hyperion::gateway
