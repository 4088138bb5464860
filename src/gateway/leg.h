// Where one attempt goes: a candidate of the chain at a provider, with one of its keys.
//
// Made by the exchange for each attempt, which keeps its own copy: two attempts of one exchange may
// run at once, at different places. Views into the configuration's snapshot and the client's arena,
// both of which outlive the attempt.
#pragma once

#include <cstdint>

#include "catalog/catalog.h"
#include "gateway/crossing.h"

namespace hyperion::gateway {

struct Leg {
  catalog::Resolution resolution;
  Crossing crossing;
  uint8_t candidate = 0;  // in the chain
  uint8_t key = 0;        // of the provider's
  bool probe = false;     // finds out for the others whether a shut target does well again
  bool fresh = false;     // on a connection that has not served before
  uint32_t target = 0;    // in Health
};

}  // namespace hyperion::gateway
