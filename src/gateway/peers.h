// The other shards, as a gateway sees them: somebody who should hear what it found out.
//
// Implemented by the server, which posts to the shards' mailboxes; a process with one shard has
// none. Called when a target's breaker opens or closes, never for ordinary requests. The
// configuration goes with it: a notice means something under the same one only.
#pragma once

#include <memory>

#include "config/config.h"
#include "resilience/health.h"

namespace hyperion::gateway {

class Peers {
 public:
  virtual void tell(const std::shared_ptr<const config::Config>& config,
                    const resilience::Notice& notice) = 0;

 protected:
  ~Peers() = default;
};

}  // namespace hyperion::gateway
