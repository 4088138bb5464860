// One configuration as one shard uses it.
//
// Built on the shard from the immutable Config: the pools to the providers (shared with the
// previous snapshot where the address is the same), their counters and the prepared part of the
// heads. An exchange holds the snapshot under which it began, so nothing changes beneath it; the
// last holder frees it. Building can fail (certificates): then the previous snapshot stays.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "catalog/name_set.h"
#include "config/config.h"
#include "dialect/wire.h"
#include "gateway/counters.h"
#include "resilience/health.h"
#include "resilience/key_slots.h"
#include "routing/capability.h"
#include "upstream/pool.h"

namespace hyperion::gateway {

// What a provider's own list of models showed last, as this shard saw it. Written by Discovery.
struct DiscoveredModels {
  catalog::NameSet names;
  Instant due;           // when it is looked at next
  bool failing = false;  // the last look failed, and was spoken of
};

struct ProviderState {
  std::shared_ptr<upstream::Pool> pool;
  std::shared_ptr<DiscoveredModels> discovered;  // nullptr: discovery is off
  ProviderCounters* counters = nullptr;
  // Everything of a request's head that never changes, without the credentials: Host, User-Agent,
  // Accept-Encoding, ...
  std::string head;
  // What never changes in the head of an answer: x-hyperion-provider.
  std::string answer_head;
};

struct Snapshot {
  std::shared_ptr<const config::Config> config;
  std::vector<ProviderState> providers;  // by catalog::Provider::index
  // Of each key that has a limit of concurrent requests, by VirtualKey::index; else nullptr.
  std::vector<std::shared_ptr<resilience::KeySlots>> key_slots;
  // How chat of each dialect reaches each deployment, by Deployment::index.
  std::array<std::vector<routing::Way>, dialect::wires_count> ways;
  // How each deployment has done lately, as this shard saw it.
  std::unique_ptr<resilience::Health> health;
};

}  // namespace hyperion::gateway
