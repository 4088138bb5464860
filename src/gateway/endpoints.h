// The table of routes: what Hyperion answers on which listener.
//
// Data, walked by `find_endpoint` on the exact, undecoded path of the request. Adding a route is
// adding a row. The row says which methods it takes, whether a key is needed, what kind of work it
// is and, for proxied ones, where it goes at the provider.
#pragma once

#include <cstdint>
#include <string_view>

#include "catalog/model.h"
#include "http/head.h"

namespace hyperion::gateway {

enum class Listening : uint8_t { public_side, admin_side };

enum class Work : uint8_t {
  proxy,    // to a provider
  models,   // GET /v1/models
  model,    // GET /v1/models/{id}
  live,     // GET /health/live
  ready,    // GET /health/ready
  metrics,  // GET /metrics
};

struct Endpoint {
  std::string_view path;
  bool prefix;  // `path` is followed by a name
  http::Method method;
  Work work;
  bool needs_key;    // on the public side
  bool admin_side;   // served on the admin listener
  bool public_side;  // served on the public listener (health and metrics: where the conf says so)
  catalog::Endpoint kind;          // of proxied ones
  std::string_view upstream_path;  // of proxied ones: behind the provider's path prefix
};

// The row for `path`, or nullptr. The method is not looked at: the caller answers 405 with `allow`.
const Endpoint* find_endpoint(std::string_view path);
// "POST, OPTIONS" of a row.
std::string_view allowed_methods(const Endpoint& endpoint);
std::string_view name_of(http::Method method);

}  // namespace hyperion::gateway
