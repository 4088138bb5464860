// What the gateway serves by itself, without a provider: metrics and readiness.
//
// Implemented by the server (the pages themselves are in `admin`), which lies below the gateway in
// the order of folders. Called on the shard that got the request; may allocate, must not block.
#pragma once

#include <string>

namespace hyperion::gateway {

class Pages {
 public:
  virtual ~Pages() = default;
  // Prometheus text of all shards. Allocates: not for the request path.
  virtual std::string metrics() = 0;
  // Why the gateway should get no new requests now; nullptr when it is ready.
  virtual const char* not_ready() = 0;
};

}  // namespace hyperion::gateway
