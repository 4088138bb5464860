// Decisions without a gateway: the router over one configuration, for the offline commands.
//
// Used by `hyperion explain` and `hyperion feedback`; the same code decides in the gateway, so that
// what is explained is what happens, but for what only a running gateway knows (latencies, health).
// Providers whose key is missing on this machine count as usable: nothing is sent. Runs on the
// main thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_buffer.h"
#include "config/config.h"
#include "gateway/router.h"

namespace hyperion::server {

// The conf at `path`, or, without one, the providers whose models the catalogue knows best.
// nullptr after the problems were printed.
std::shared_ptr<const config::Config> load_for_offline(const std::string& path);

class Explainer {
 public:
  Explainer(std::shared_ptr<const config::Config> config, dialect::Wire wire);

  // The decision for a body as one line of JSON; where `good` is false an error in the API's shape.
  // Valid until the next call. `body` grows by some padding.
  std::string_view explain(std::string& body, bool& good);

  // The decision for a body alone; see the router for what it leaves.
  bool decide(std::string& body, std::string& requested, gateway::Failure& failure);
  const gateway::Router& router() const { return router_; }

 private:
  bool resolve(std::string_view name, gateway::RouteRequest& request, gateway::Failure& failure);

  std::shared_ptr<const config::Config> config_;
  const gateway::Endpoint& endpoint_;
  std::vector<routing::Way> ways_;
  json::Scanner scanner_;
  SystemClock clock_;
  gateway::Router router_;
  BlockPool blocks_{64, 64};
  MemoryBudget memory_;
  ByteBuffer text_{blocks_, memory_};
};

}  // namespace hyperion::server
