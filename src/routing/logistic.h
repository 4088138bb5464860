// The logistic function on fixed-point numbers, the same on every machine.
//
// A table computed by the compiler from exact integer arithmetic; no floating point takes part.
// Called for every candidate of a decision: a clamp and a load, about a nanosecond. Cannot fail.
#pragma once

#include <cstdint>

namespace hyperion::routing {

inline constexpr int32_t chance_one = 10'000;  // chances are counted in hundredths of a percent

// sigmoid(logit / 256) times chance_one, rounded; never 0 and never chance_one.
int32_t chance_of(int32_t logit);

}  // namespace hyperion::routing
