#include "routing/byte_counts.h"

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
// Sixteen counters of a byte each for every kind of sign. A match is a byte of -1, so that it is
// counted by subtraction, and no counter is full before `blocks_max` blocks.
class BlockCounts {
 public:
  static constexpr int blocks_max = 255;

  // Sixteen bytes; one more can be read behind them.
  void add(const char* at) {
    const __m128i block = load(at);
    const auto is = [&](char c) { return _mm_cmpeq_epi8(block, _mm_set1_epi8(c)); };
    braces_ = _mm_sub_epi8(braces_, _mm_or_si128(is('{'), is('}')));
    backticks_ = _mm_sub_epi8(backticks_, is('`'));
    semicolons_ = _mm_sub_epi8(semicolons_, is(';'));
    const __m128i letters_n = _mm_cmpeq_epi8(load(at + 1), _mm_set1_epi8('n'));
    newlines_ = _mm_sub_epi8(newlines_, _mm_and_si128(is('\\'), letters_n));
  }
  void move_to(ByteCounts& counts) {
    counts.braces += take(braces_);
    counts.backticks += take(backticks_);
    counts.semicolons += take(semicolons_);
    counts.newlines += take(newlines_);
  }

 private:
  static __m128i load(const char* at) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
  }
  static uint64_t take(__m128i& counters) {
    const __m128i halves = _mm_sad_epu8(counters, _mm_setzero_si128());
    counters = _mm_setzero_si128();
    return static_cast<uint64_t>(_mm_cvtsi128_si64(halves)) +
           static_cast<uint64_t>(_mm_cvtsi128_si64(_mm_unpackhi_epi64(halves, halves)));
  }

  __m128i braces_ = _mm_setzero_si128();
  __m128i backticks_ = _mm_setzero_si128();
  __m128i semicolons_ = _mm_setzero_si128();
  __m128i newlines_ = _mm_setzero_si128();
};
#endif

}  // namespace

ByteCounts count_bytes(std::span<const std::string_view> texts) {
  ByteCounts counts;
  for (const std::string_view text : texts) {
    const char* at = text.data();
    const char* const end = at + text.size();
#ifdef __SSE2__
    BlockCounts blocks;
    while (end - at > 16) {
      for (int i = 0; i < BlockCounts::blocks_max && end - at > 16; ++i, at += 16) blocks.add(at);
      blocks.move_to(counts);
    }
#endif
    for (; at < end; ++at) count_one(at, end, counts);
  }
  return counts;
}

}  // namespace hyperion::routing
