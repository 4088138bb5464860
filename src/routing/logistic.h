// The logistic function on fixed-point numbers, the same on every machine.
//
// A table computed by the compiler from exact integer arithmetic; no floating point takes part.
// Called for every candidate of a decision: a clamp and a load, about a nanosecond. Cannot fail.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

namespace hyperion::routing {

inline constexpr int32_t chance_one = 10'000;  // chances are counted in hundredths of a percent

// Beyond nine units the chance is within a rounding of 0 or 1.
inline constexpr int32_t logit_max = 9 * 256;
// By logits that are not negative.
extern const std::array<uint16_t, logit_max + 1> chance_table;

// sigmoid(logit / 256) times chance_one, rounded; never 0 and never chance_one.
inline int32_t chance_of(int32_t logit) {
  const int32_t size = std::min(logit < 0 ? -logit : logit, logit_max);
  const int32_t chance = chance_table.data()[size];
  return logit < 0 ? chance_one - chance : chance;
}

}  // namespace hyperion::routing
