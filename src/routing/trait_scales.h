// Traits as numbers of 1/64 standard deviations, eight at a time.
//
// Made from the file's TraitScale rows when weights are read, used by the scorer once for each
// turn. Sixteen-bit integers with what every x86-64 has, plain loops elsewhere, which a test holds
// against the other. Cannot fail: rows that would not fit are refused with the file.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "routing/features.h"

namespace hyperion::routing {

// How a trait becomes a number of 1/64 standard deviations: cut to [low, high], less the mean,
// times `factor`, without the lowest 12 bits. Traits are in 1/256.
struct TraitScale {
  int32_t low;
  int32_t high;
  int32_t mean;
  int32_t factor;
};

// A whole number of eights, for the sums by pairs and for blocks: behind the traits are zeros.
inline constexpr size_t trait_places = (trait_count + 7) / 8 * 8;
using ScaledTraits = std::array<int16_t, trait_places>;

class TraitScales {
 public:
  // False: a number does not fit sixteen bits, or low is above high.
  bool build(std::span<const TraitScale, trait_count> scales);

 private:
  friend ScaledTraits scale_traits(const std::array<float, trait_count>& traits,
                                   const TraitScales& scales);
  friend ScaledTraits scale_traits_plainly(const std::array<float, trait_count>& traits,
                                           const TraitScales& scales);
  using Row = std::array<int16_t, trait_places>;
  Row low_{};
  Row high_{};
  Row mean_{};
  Row factor_{};
};

ScaledTraits scale_traits(const std::array<float, trait_count>& traits, const TraitScales& scales);
ScaledTraits scale_traits_plainly(const std::array<float, trait_count>& traits,
                                  const TraitScales& scales);

}  // namespace hyperion::routing
