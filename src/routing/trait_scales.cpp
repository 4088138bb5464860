#include "routing/trait_scales.h"

#include <algorithm>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace hyperion::routing {
namespace {

constexpr int32_t traits_per_step = 8;
constexpr int16_t scaled_max = 256;
// Above this no trait comes (scaled_log), and no difference of two leaves sixteen bits.
constexpr int32_t bound = 16'383;

}  // namespace

bool TraitScales::build(std::span<const TraitScale, trait_count> scales) {
  const auto fits = [](int32_t value) { return value >= -bound && value <= bound; };
  for (size_t i = 0; i < trait_count; ++i) {
    const TraitScale& scale = scales[i];
    if (!fits(scale.low) || !fits(scale.high) || !fits(scale.mean) || scale.low > scale.high)
      return false;
    if (scale.factor < 0 || scale.factor > INT16_MAX + 1) return false;
    low_[i] = static_cast<int16_t>(scale.low);
    high_[i] = static_cast<int16_t>(scale.high);
    mean_[i] = static_cast<int16_t>(scale.mean);
    // The largest, of a trait that hardly varies, is one too large for sixteen bits.
    factor_[i] = static_cast<int16_t>(std::min(scale.factor, int32_t{INT16_MAX}));
  }
  return true;
}

ScaledTraits scale_traits_plainly(const std::array<float, trait_count>& traits,
                                  const TraitScales& scales) {
  ScaledTraits scaled{};
  for (size_t i = 0; i < trait_count; ++i) {
    // Exact: traits are small, and 256 is a power of two.
    const auto value = static_cast<int32_t>(traits[i] * 256.0f);
    const int32_t above =
        std::clamp<int32_t>(value, scales.low_[i], scales.high_[i]) - scales.mean_[i];
    scaled[i] = static_cast<int16_t>(
        std::clamp<int32_t>((above * scales.factor_[i]) >> 12, -scaled_max, scaled_max));
  }
  return scaled;
}

#ifdef __SSE2__
ScaledTraits scale_traits(const std::array<float, trait_count>& traits, const TraitScales& scales) {
  ScaledTraits scaled;
  std::array<float, trait_places> values{};
  std::memcpy(values.data(), traits.data(), sizeof(traits));
  const __m128i most = _mm_set1_epi16(scaled_max);
  const __m128i least = _mm_set1_epi16(-scaled_max);
  for (size_t i = 0; i < trait_places; i += traits_per_step) {
    const auto load = [i](const TraitScales::Row& row) {
      return _mm_loadu_si128(reinterpret_cast<const __m128i*>(row.data() + i));
    };
    const auto whole = [&](size_t at) {
      return _mm_cvttps_epi32(_mm_mul_ps(_mm_loadu_ps(values.data() + at), _mm_set1_ps(256.0f)));
    };
    __m128i value = _mm_packs_epi32(whole(i), whole(i + 4));
    value = _mm_min_epi16(_mm_max_epi16(value, load(scales.low_)), load(scales.high_));
    const __m128i above = _mm_sub_epi16(value, load(scales.mean_));
    const __m128i factor = load(scales.factor_);
    const __m128i low = _mm_mullo_epi16(above, factor);
    const __m128i high = _mm_mulhi_epi16(above, factor);
    const __m128i first = _mm_srai_epi32(_mm_unpacklo_epi16(low, high), 12);
    const __m128i second = _mm_srai_epi32(_mm_unpackhi_epi16(low, high), 12);
    const __m128i all = _mm_packs_epi32(first, second);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(scaled.data() + i),
                     _mm_min_epi16(_mm_max_epi16(all, least), most));
  }
  return scaled;
}
#else
ScaledTraits scale_traits(const std::array<float, trait_count>& traits, const TraitScales& scales) {
  return scale_traits_plainly(traits, scales);
}
#endif

}  // namespace hyperion::routing
