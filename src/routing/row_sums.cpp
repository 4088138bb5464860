#include "routing/row_sums.h"

#include <algorithm>

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

#ifdef __SSE2__
RowSums sum_rows(std::span<const uint16_t> buckets, std::span<const Row> rows) {
  RowSums sums{};
  // Sums of 16 bits cannot overflow within this many rows of 8 bits.
  constexpr size_t rows_at_once = 255;
  for (size_t begin = 0; begin < buckets.size(); begin += rows_at_once) {
    const size_t end = std::min<size_t>(buckets.size(), begin + rows_at_once);
    __m128i low = _mm_setzero_si128();
    __m128i high = _mm_setzero_si128();
    for (size_t i = begin; i < end; ++i) {
      const void* const row = rows[buckets[i]].data();
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
RowSums sum_rows(std::span<const uint16_t> buckets, std::span<const Row> rows) {
  return sum_rows_plainly(buckets, rows);
}
#endif

}  // namespace hyperion::routing
