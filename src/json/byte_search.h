// Finds the bytes that matter while a JSON text is read, sixteen at a time.
//
// Used by the readers of this folder and by those of answers (dialect) that look for one key in a
// whole body. Pure; reads nothing beyond `end`, which every search returns when it finds nothing.
// Costs about 0.1 ns a byte, 2 ns for a short string; without SSE2 it goes byte by byte.
#pragma once

#include <cstddef>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace hyperion::json {

// What ends a run of plain bytes in a string: its quote, a backslash, a control byte, or a byte
// beyond ASCII.
inline const char* find_string_stop(const char* at, const char* end) {
#if defined(__SSE2__)
  for (; end - at >= 16; at += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const __m128i quotes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
    const __m128i backslashes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
    // Bytes beyond ASCII are negative, so one comparison finds them and the control bytes.
    const __m128i others = _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20));
    const int found = _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quotes, backslashes), others));
    if (found != 0) return at + __builtin_ctz(static_cast<unsigned>(found));
  }
#endif
  while (at < end && *at != '"' && *at != '\\' && static_cast<signed char>(*at) >= 0x20) ++at;
  return at;
}

// The first quote. Most strings are short; the library's search has the wider vectors.
inline const char* find_quote(const char* at, const char* end) {
#if defined(__SSE2__)
  const __m128i quotes = _mm_set1_epi8('"');
  for (int block = 0; block < 2 && end - at >= 16; ++block, at += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const int found = _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, quotes));
    if (found != 0) return at + __builtin_ctz(static_cast<unsigned>(found));
  }
#endif
  const void* found = std::memchr(at, '"', static_cast<size_t>(end - at));
  return found != nullptr ? static_cast<const char*>(found) : end;
}

// The first quote with `letter` behind it: where a key may begin.
inline const char* find_quoted(const char* at, const char* end, char letter) {
#if defined(__SSE2__)
  const __m128i quotes = _mm_set1_epi8('"');
  const __m128i letters = _mm_set1_epi8(letter);
  for (; end - at >= 17; at += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const __m128i next = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at + 1));
    const int found = _mm_movemask_epi8(
        _mm_and_si128(_mm_cmpeq_epi8(bytes, quotes), _mm_cmpeq_epi8(next, letters)));
    if (found != 0) return at + __builtin_ctz(static_cast<unsigned>(found));
  }
#endif
  for (; end - at >= 2; ++at) {
    if (at[0] == '"' && at[1] == letter) return at;
  }
  return end;
}

}  // namespace hyperion::json
