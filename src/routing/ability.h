// What a model is worth for what a prompt asks for: shares times qualities.
//
// Used by the selection for every candidate, and by the feedback, which learns from the same
// numbers. Integers: eight products of sixteen bits at once with what every x86-64 has, one after
// the other elsewhere. Cannot fail.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <tuple>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "catalog/quality.h"
#include "routing/scores.h"

namespace hyperion::routing {

// Eight of sixteen bits, the last nothing.
using Eight = std::array<int16_t, 8>;

inline int32_t product_of(const Eight& logits, const Eight& shares) {
#ifdef __SSE2__
  const auto load = [](const Eight& eight) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(eight.data()));
  };
  const __m128i four = _mm_madd_epi16(load(logits), load(shares));
  const __m128i two = _mm_add_epi32(four, _mm_shuffle_epi32(four, _MM_SHUFFLE(1, 0, 3, 2)));
  return _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32(two, _MM_SHUFFLE(2, 3, 0, 1))));
#else
  int32_t sum = 0;
  for (size_t i = 0; i < logits.size(); ++i) sum += logits[i] * shares[i];
  return sum;
#endif
}

template <class Values>
Eight eight_of(const Values& values) {
  static_assert(head_count < std::tuple_size_v<Eight>);
  Eight eight{};
  std::copy(values.begin(), values.end(), eight.begin());
  return eight;
}

// What a model's quality makes of these scores' shares, in logit_one.
int32_t ability_of(const catalog::Quality& quality, const Scores& scores);

// The chance of a model with these logits, of chance_one.
int32_t chance_of_model(const catalog::Quality& quality, const Scores& scores);

}  // namespace hyperion::routing
