#include "sim/behaviour.h"

#include <iterator>

namespace hyperion::sim {
namespace {

using dialect::ErrorKind;

struct Trait {
  const char* name;
  bool good;
};

constexpr Trait traits[] = {
    {"plain", true},
    {"plain chunked", true},
    {"plain until close", true},
    {"plain large", true},
    {"error status", true},
    {"stream", true},
    {"stream large", true},
    {"informational", true},
    {"early answer", true},
    {"cut in head", false},
    {"cut in body", false},
    {"cut in event", false},
    {"cut between events", false},
    {"no end marker", false},
    {"reset before", false},
    {"reset within", false},
    {"reset on reuse", false},
    {"stall before head", false},
    {"stall of tokens", false},
    {"comments only", false},
    {"garbage", false},
    {"two lengths", false},
    {"short body", false},
    {"surplus", true},
    {"huge head", false},
    {"huge event", false},
    {"error event", true},
    {"error first", true},
    {"slow first token", true},
    {"close after", true},
};
static_assert(std::size(traits) == static_cast<size_t>(Behaviour::count));

constexpr Refusal all_refusals[] = {
    {"400", 400, ErrorKind::invalid_request},
    {"400 retry", 400, ErrorKind::invalid_request, "x-should-retry: true\r\n", 1},
    {"400 too long", 400, ErrorKind::context_too_long},
    {"401", 401, ErrorKind::bad_key},
    {"402", 402, ErrorKind::money},
    {"403", 403, ErrorKind::forbidden},
    {"404", 404, ErrorKind::no_model},
    {"408", 408, ErrorKind::timeout},
    {"409", 409, ErrorKind::conflict},
    {"413", 413, ErrorKind::too_large},
    {"422", 422, ErrorKind::invalid_request},
    {"429", 429, ErrorKind::rate_limit},
    {"429 seconds", 429, ErrorKind::rate_limit, "Retry-After: 1\r\n", 0, 1000},
    {"429 long", 429, ErrorKind::rate_limit, "Retry-After: 7\r\n", 0, 7000},
    {"429 ms", 429, ErrorKind::rate_limit, "retry-after-ms: 150\r\nRetry-After: 9\r\n", 0, 150},
    {"429 date", 429, ErrorKind::rate_limit,
     "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nRetry-After: Sun, 06 Nov 1994 08:49:38 GMT\r\n", 0,
     1000},
    {"429 no retry", 429, ErrorKind::rate_limit, "x-should-retry: false\r\n", -1},
    {"500", 500, ErrorKind::server},
    {"500 no retry", 500, ErrorKind::server, "x-should-retry: false\r\n", -1},
    {"503", 503, ErrorKind::overload},
    {"503 seconds", 503, ErrorKind::overload, "Retry-After: 0.4\r\n", 0, 400},
    {"529", 529, ErrorKind::overload},
};

}  // namespace

const char* name_of(Behaviour behaviour) { return traits[static_cast<size_t>(behaviour)].name; }

bool is_good(Behaviour behaviour) { return traits[static_cast<size_t>(behaviour)].good; }

bool stalls(Behaviour behaviour) {
  return behaviour == Behaviour::stall_head || behaviour == Behaviour::stall_tokens ||
         behaviour == Behaviour::comments_only;
}

std::span<const Refusal> refusals() { return all_refusals; }

bool is_blameless(const Refusal& refusal) {
  return dialect::traits_of(refusal.kind).client_fault || refusal.kind == ErrorKind::no_model ||
         refusal.kind == ErrorKind::conflict;
}

}  // namespace hyperion::sim
