// The table of routes: what Hyperion answers on which listener.
//
// Data, walked by `find_endpoint` on the exact, undecoded path of the request. Adding a route is
// adding a row. The row says which methods it takes, whether a key is needed, what kind of work it
// is and, for proxied ones, where it goes at the provider.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/arena.h"
#include "dialect/wire.h"
#include "http/head.h"

namespace hyperion::gateway {

enum class Listening : uint8_t { public_side, admin_side };

// What a proxied route asks a provider for, whatever the dialect.
enum class Operation : uint8_t { chat, completions, embeddings, moderations, count_tokens };
inline constexpr size_t operations_count = 5;

enum class Work : uint8_t {
  proxy,      // to a provider
  models,     // GET /v1/models
  model,      // GET /v1/models/{id}
  live,       // GET /health/live
  ready,      // GET /health/ready
  metrics,    // GET /metrics
  explain,    // POST /v1/route/explain
  feedback,   // POST /v1/feedback
  decisions,  // GET /admin/decisions, for the admin token
};

struct Endpoint {
  std::string_view path;
  bool prefix;              // `path` is followed by a name
  std::string_view suffix;  // and that by this: Google's ":generateContent"
  http::Method method;
  Work work;
  bool needs_key;      // on the public side
  bool admin_side;     // served on the admin listener
  bool public_side;    // served on the public listener (health and metrics: where the conf says so)
  dialect::Wire wire;  // the client's: of the request, of the answer and of errors
  Operation operation = Operation::chat;  // of proxied ones
  bool stream = false;  // the route says that the answer is a stream, not the body
};

// The name in a path of a row with `prefix`: "gpt-4o" of "/v1/models/gpt-4o". Still
// percent-encoded.
std::string_view name_in_path(const Endpoint& endpoint, std::string_view path);
// Percent-decodes it: the text itself where nothing is encoded, else a copy in the arena. Malformed
// escapes stay as they are; empty when there is no room.
std::string_view decoded_name(std::string_view encoded, Arena& arena);
// Whether a query has this parameter with this value, as they stand ("alt=sse").
bool query_has(std::string_view query, std::string_view parameter);

// The row for `path`, or nullptr. The method is not looked at: the caller answers 405 with `allow`.
const Endpoint* find_endpoint(std::string_view path);
// The row for chat in a client's dialect.
const Endpoint& chat_endpoint(dialect::Wire wire);
// The dialect in which a client of this path reads an error, where there is no row for it.
dialect::Wire wire_of_path(std::string_view path);
// "POST, OPTIONS" of a row.
std::string_view allowed_methods(const Endpoint& endpoint);
std::string_view name_of(http::Method method);

}  // namespace hyperion::gateway
