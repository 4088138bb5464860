// What the gateway serves by itself, without a provider: metrics and health. Implemented by `admin`, which lies below the gateway in the order of
// folders; called on the shard that got the request.
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
