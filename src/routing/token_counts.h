// Counts of what tokens begin with, sixty-four bytes at a time.
//
// Each count is a population count over a map of bytes: words begin, digits go on, a sign of this
// script is led. Their sum, weighted, is the estimate of tokens. With what every x86-64 has about
// half a nanosecond a byte, elsewhere one byte at a time to the same counts. Cannot fail.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "routing/byte_maps.h"

namespace hyperion::routing {

enum class TokenSign : uint8_t {
  word,            // first letter of a run of ASCII letters
  word_goes_on,    // letters beyond the sixth
  word_is_long,    // letters beyond the twelfth
  hump,            // a capital behind a small letter
  capitals,        // a capital behind a capital
  letter_digit,    // a digit behind a letter, or a letter behind a digit
  number,          // first digit of a run
  number_goes_on,  // digits beyond the third
  mark,            // first of a run of ASCII marks
  mark_goes_on,
  newline,   // first of a run of newlines, tabs and other controls
  blanks,    // first blank of several
  latin,     // led by C2 to C9
  greek,     // CA to CF
  cyrillic,  // D0 to D3
  semitic,   // D4 to DF
  indic,     // E0
  georgian,  // E1, and other scripts of the south and east
  signs,     // E2
  kana,      // E3
  han,       // E4 to E9
  hangul,    // EA to EF
  emoji,     // F0 and above
  count,
};

using TokenCounts = std::array<uint32_t, static_cast<size_t>(TokenSign::count)>;

// `text` has this many blanks behind it, which can be read and are not counted.
inline constexpr size_t token_padding = 64;
// `maps`: of its bytes, if they are there already.
TokenCounts count_token_signs(std::string_view text, const ByteMaps* maps = nullptr);
// The same without what only some processors have.
TokenCounts count_token_signs_plainly(std::string_view text);

// What one of each is worth, in thousandths of a token of o200k.
extern const std::array<uint32_t, static_cast<size_t>(TokenSign::count)> token_milli;

}  // namespace hyperion::routing
