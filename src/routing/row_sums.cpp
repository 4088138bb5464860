#include "routing/row_sums.h"

#include <algorithm>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace hyperion::routing {

RowSums sum_rows_plainly(std::span<const uint16_t> buckets, std::span<const Row> rows) {
  RowSums sums{};
  for (uint16_t bucket : buckets) {
    for (size_t column = 0; column < column_count; ++column) sums[column] += rows[bucket][column];
  }
  return sums;
}

RowSums sum_traits_plainly(const ScaledTraits& traits, const TraitRows& rows) {
  RowSums sums{};
  for (size_t i = 0; i < trait_count; ++i) {
    for (size_t column = 0; column < column_count; ++column)
      sums[column] += traits[i] * rows[i][column];
  }
  return sums;
}

#ifdef __SSE2__
RowSums sum_traits(const ScaledTraits& traits, const TraitRows& rows) {
  static_assert(trait_count % 2 == 0, "traits are taken by pairs");
  __m128i sums[4] = {};
  for (size_t i = 0; i < trait_count; i += 2) {
    const auto load = [&rows](size_t row, size_t half) {
      const void* const at = rows.data()[row].data() + 8 * half;
      return _mm_loadu_si128(static_cast<const __m128i*>(at));
    };
    int32_t pair;
    std::memcpy(&pair, traits.data() + i, sizeof(pair));
    const __m128i both = _mm_set1_epi32(pair);
    for (size_t half = 0; half < 2; ++half) {
      const __m128i first = load(i, half);
      const __m128i second = load(i + 1, half);
      const __m128i low = _mm_madd_epi16(_mm_unpacklo_epi16(first, second), both);
      const __m128i high = _mm_madd_epi16(_mm_unpackhi_epi16(first, second), both);
      sums[2 * half] = _mm_add_epi32(sums[2 * half], low);
      sums[2 * half + 1] = _mm_add_epi32(sums[2 * half + 1], high);
    }
  }
  RowSums all;
  for (size_t i = 0; i < 4; ++i)
    _mm_storeu_si128(reinterpret_cast<__m128i*>(all.data() + 4 * i), sums[i]);
  return all;
}

RowSums sum_rows(std::span<const uint16_t> buckets, std::span<const Row> rows) {
  RowSums sums{};
  // Sums of 16 bits cannot overflow within this many rows of 8 bits.
  constexpr size_t rows_at_once = 255;
  for (size_t begin = 0; begin < buckets.size(); begin += rows_at_once) {
    const size_t end = std::min<size_t>(buckets.size(), begin + rows_at_once);
    __m128i low = _mm_setzero_si128();
    __m128i high = _mm_setzero_si128();
    for (size_t i = begin; i < end; ++i) {
      const void* const row = rows.data()[buckets.data()[i]].data();
      const __m128i bytes = _mm_loadu_si128(static_cast<const __m128i*>(row));
      // A byte twice in 16 bits, shifted down with its sign.
      low = _mm_add_epi16(low, _mm_srai_epi16(_mm_unpacklo_epi8(bytes, bytes), 8));
      high = _mm_add_epi16(high, _mm_srai_epi16(_mm_unpackhi_epi8(bytes, bytes), 8));
    }
    std::array<int16_t, column_count> part;
    _mm_storeu_si128(reinterpret_cast<__m128i*>(part.data()), low);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(part.data() + 8), high);
    for (size_t column = 0; column < column_count; ++column) sums[column] += part[column];
  }
  return sums;
}
#else
RowSums sum_traits(const ScaledTraits& traits, const TraitRows& rows) {
  return sum_traits_plainly(traits, rows);
}
RowSums sum_rows(std::span<const uint16_t> buckets, std::span<const Row> rows) {
  return sum_rows_plainly(buckets, rows);
}
#endif

}  // namespace hyperion::routing
