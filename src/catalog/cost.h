// What tokens cost, in integers: nano-dollars out of pico-dollars per token.
//
// Read by routing, which compares expected costs, and by whoever settles a request. Rounded up, so
// that a sum never falls below the truth; a class of tokens without a price makes the whole unknown
// where there are such tokens, never free. Pure; the products are computed in 128 bits and held at
// the largest number where they would not fit.
#pragma once

#include <cstdint>

#include "catalog/model.h"

namespace hyperion::catalog {

inline constexpr int64_t cost_unknown = -1;

struct TokenCounts {
  int64_t input = 0;  // beside those read from the provider's cache
  int64_t cached_input = 0;
  int64_t output = 0;
};

// Of a text request; the tier follows from the whole input.
int64_t cost_nano_usd(const Model& model, const TokenCounts& tokens);

}  // namespace hyperion::catalog
