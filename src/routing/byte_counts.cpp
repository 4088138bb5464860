#include "routing/byte_counts.h"

#include <bit>
#include <cstddef>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace hyperion::routing {
namespace {

void count_one(const char* at, const char* end, ByteCounts& counts) {
  const char c = *at;
  counts.braces += c == '{' || c == '}';
  counts.backticks += c == '`';
  counts.semicolons += c == ';';
  counts.newlines += c == '\\' && at + 1 < end && at[1] == 'n';
}

#ifdef __SSE2__
uint64_t ones(__m128i mask) {
  return static_cast<uint64_t>(std::popcount(static_cast<unsigned>(_mm_movemask_epi8(mask))));
}

// Sixteen bytes; one more can be read behind them.
void count_block(const char* at, ByteCounts& counts) {
  const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
  const auto is = [&](char c) { return _mm_cmpeq_epi8(block, _mm_set1_epi8(c)); };
  counts.braces += ones(_mm_or_si128(is('{'), is('}')));
  counts.backticks += ones(is('`'));
  counts.semicolons += ones(is(';'));
  const __m128i escapes = is('\\');
  if (_mm_movemask_epi8(escapes) == 0) return;
  const __m128i shifted = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at + 1));
  counts.newlines += ones(_mm_and_si128(escapes, _mm_cmpeq_epi8(shifted, _mm_set1_epi8('n'))));
}
#endif

}  // namespace

ByteCounts count_bytes(std::span<const std::string_view> texts) {
  ByteCounts counts;
  for (const std::string_view text : texts) {
    const char* at = text.data();
    const char* const end = at + text.size();
#ifdef __SSE2__
    for (; end - at > 16; at += 16) count_block(at, counts);
#endif
    for (; at < end; ++at) count_one(at, end, counts);
  }
  return counts;
}

}  // namespace hyperion::routing
