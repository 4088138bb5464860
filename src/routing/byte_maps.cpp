#include "routing/byte_maps.h"

#ifdef __SSE2__
#include <immintrin.h>
#endif

namespace hyperion::routing {
namespace {

ByteMaps read_plainly(const char* at) {
  ByteMaps maps{};
  for (unsigned i = 0; i < map_bytes; ++i) {
    const auto byte = static_cast<unsigned char>(at[i]);
    const uint64_t bit = uint64_t{1} << i;
    if (byte >= 'a' && byte <= 'z') maps.small |= bit;
    if (byte >= 'A' && byte <= 'Z') maps.capital |= bit;
    if (byte >= '0' && byte <= '9') maps.digit |= bit;
    if (byte == ' ') maps.blank |= bit;
    if (byte == '\n') maps.newline |= bit;
    if (byte < ' ') maps.control |= bit;
    if (byte >= 0x80) maps.high |= bit;
    if (byte == '\'') maps.apostrophe |= bit;
    if (byte == '_') maps.underscore |= bit;
  }
  return maps;
}

#ifdef __SSE2__
ByteMaps read_by_16(const char* at) {
  ByteMaps maps{};
  for (unsigned part = 0; part < map_bytes / 16; ++part) {
    const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at + 16 * part));
    const auto bits = [part](__m128i mask) {
      return static_cast<uint64_t>(static_cast<uint32_t>(_mm_movemask_epi8(mask))) << (16 * part);
    };
    const auto all = [](int c) { return _mm_set1_epi8(static_cast<char>(c)); };
    // Signed comparisons: bytes above 0x7F are below all of ASCII.
    const auto between = [&](char low, char high) {
      return _mm_and_si128(_mm_cmpgt_epi8(block, all(low - 1)),
                           _mm_cmplt_epi8(block, all(high + 1)));
    };
    maps.small |= bits(between('a', 'z'));
    maps.capital |= bits(between('A', 'Z'));
    maps.digit |= bits(between('0', '9'));
    maps.blank |= bits(_mm_cmpeq_epi8(block, all(' ')));
    maps.newline |= bits(_mm_cmpeq_epi8(block, all('\n')));
    maps.control |= bits(_mm_cmpeq_epi8(_mm_min_epu8(block, all(' ' - 1)), block));
    maps.high |= bits(block);
    maps.apostrophe |= bits(_mm_cmpeq_epi8(block, all('\'')));
    maps.underscore |= bits(_mm_cmpeq_epi8(block, all('_')));
  }
  return maps;
}

// Bits of the two halves of a block. Macros: a lambda would not be of the function's target.
#define BITS(of_first, of_second)                                    \
  (uint64_t{static_cast<uint32_t>(_mm256_movemask_epi8(of_first))} | \
   uint64_t{static_cast<uint32_t>(_mm256_movemask_epi8(of_second))} << 32)
#define ALL(c) _mm256_set1_epi8(static_cast<char>(c))
#define BETWEEN(half, low, high) \
  _mm256_andnot_si256(_mm256_cmpgt_epi8(half, ALL(high)), _mm256_cmpgt_epi8(half, ALL((low)-1)))
#define IS(half, c) _mm256_cmpeq_epi8(half, ALL(c))
#define AT_MOST(half, c) _mm256_cmpeq_epi8(_mm256_min_epu8(half, ALL(c)), half)

[[gnu::target("avx2")]] void read_by_32(const char* at, size_t count, ByteMaps* maps) {
  for (size_t i = 0; i < count; ++i, at += map_bytes, ++maps) {
    const __m256i a = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
    const __m256i b = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at + 32));
    maps->small = BITS(BETWEEN(a, 'a', 'z'), BETWEEN(b, 'a', 'z'));
    maps->capital = BITS(BETWEEN(a, 'A', 'Z'), BETWEEN(b, 'A', 'Z'));
    maps->digit = BITS(BETWEEN(a, '0', '9'), BETWEEN(b, '0', '9'));
    maps->blank = BITS(IS(a, ' '), IS(b, ' '));
    maps->newline = BITS(IS(a, '\n'), IS(b, '\n'));
    maps->control = BITS(AT_MOST(a, ' ' - 1), AT_MOST(b, ' ' - 1));
    maps->high = BITS(a, b);
    maps->apostrophe = BITS(IS(a, '\''), IS(b, '\''));
    maps->underscore = BITS(IS(a, '_'), IS(b, '_'));
  }
}
#undef BITS
#undef ALL
#undef BETWEEN
#undef IS
#undef AT_MOST
#endif

}  // namespace

void read_byte_maps_plainly(const char* at, size_t count, ByteMaps* maps) {
  for (size_t i = 0; i < count; ++i) maps[i] = read_plainly(at + i * map_bytes);
}

#ifdef __SSE2__
void read_byte_maps(const char* at, size_t count, ByteMaps* maps) {
  if (__builtin_cpu_supports("avx2")) return read_by_32(at, count, maps);
  for (size_t i = 0; i < count; ++i) maps[i] = read_by_16(at + i * map_bytes);
}

uint64_t bytes_from(const char* at, uint8_t least) {
  uint64_t map = 0;
  const __m128i bound = _mm_set1_epi8(static_cast<char>(least));
  for (unsigned part = 0; part < map_bytes / 16; ++part) {
    const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at + 16 * part));
    const __m128i above = _mm_cmpeq_epi8(_mm_max_epu8(block, bound), block);
    map |= static_cast<uint64_t>(static_cast<uint32_t>(_mm_movemask_epi8(above))) << (16 * part);
  }
  return map;
}
#else
void read_byte_maps(const char* at, size_t count, ByteMaps* maps) {
  read_byte_maps_plainly(at, count, maps);
}

uint64_t bytes_from(const char* at, uint8_t least) {
  uint64_t map = 0;
  for (unsigned i = 0; i < map_bytes; ++i)
    map |= uint64_t{static_cast<unsigned char>(at[i]) >= least} << i;
  return map;
}
#endif

}  // namespace hyperion::routing
