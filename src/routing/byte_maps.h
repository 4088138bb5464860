// What sixty-four bytes of text are, a bit for each: small letters, digits, blanks.
//
// Read by the estimate of tokens and by the feature pass, which find words and lines in the bits
// instead of looking at one byte after the other. With AVX2 some 20 cycles for the 64 bytes, with
// what every x86-64 has twice that; elsewhere one byte at a time, to the same bits. Cannot fail.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hyperion::routing {

struct ByteMaps {
  uint64_t small;
  uint64_t capital;
  uint64_t digit;
  uint64_t blank;    // U+0020 alone
  uint64_t newline;  // U+000A alone
  uint64_t control;  // below U+0020, newlines among them
  uint64_t high;     // not ASCII
  uint64_t apostrophe;
  uint64_t underscore;

  uint64_t letter() const { return small | capital; }
  uint64_t empty() const { return blank | control; }
};

inline constexpr unsigned map_bytes = 64;

// Of `count` blocks of 64 bytes from `at` on.
void read_byte_maps(const char* at, size_t count, ByteMaps* maps);
// The same, one byte at a time.
void read_byte_maps_plainly(const char* at, size_t count, ByteMaps* maps);
// Those of the 64 bytes that are `least` or more.
uint64_t bytes_from(const char* at, uint8_t least);

}  // namespace hyperion::routing
