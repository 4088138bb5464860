// Backslashes in JSON strings: are they well formed, and what do they stand for?
//
// The check runs over a whole text at once, which is right because a backslash outside a string
// is refused by the walk anyway. A \u escape that is half of a surrogate pair is refused: it stands
// for no character, and serde_json, Anthropic's parser among them, refuses it as well.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace hyperion::json {

struct EscapeCheck {
  bool any = false;         // there is a backslash somewhere
  bool well_formed = true;  // every backslash begins an escape of RFC 8259
  size_t position = 0;      // of the first that does not
};

// About the speed of memchr where escapes are rare, 3 ns for each where they are dense.
EscapeCheck check_escapes(std::string_view text);

// Writes what `raw`, the inside of a string that has passed the check, stands for to `out`, which
// has room for `capacity` bytes. Returns the length, which may be more than `capacity`: then what
// was written is cut off there. Never longer than `raw`. `out` may be `raw` itself.
size_t unescape(std::string_view raw, char* out, size_t capacity);

}  // namespace hyperion::json
