// Takes the pieces of one of Gemini's answers apart.
//
// Views into the text that the Cursor reads; what has a wrong type is passed over. Used by the
// decoder of answers and by the observer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "json/cursor.h"

namespace hyperion::dialect::gemini {

// Gemini gives 8 candidates at most (candidateCount's bound).
inline constexpr size_t candidates_max = 8;

// The string that comes next; anything else is passed over and leaves `text` as it is.
void read_text(json::Cursor& cursor, std::string_view& text);

// The index of the candidate that comes next, which stands behind the content in most answers;
// candidates_max when it is beyond the bound. A copy of the cursor: nothing is consumed.
uint32_t index_of(json::Cursor cursor);

// One part of a content.
struct PartView {
  std::string_view text;
  std::string_view signature;
  std::string_view call;  // the whole object
  bool thought = false;
  bool other = false;  // something else that is not empty: a picture, code that was run
};
PartView read_part(json::Cursor& cursor);

// One functionCall.
struct CallView {
  std::string_view id;
  std::string_view name;
  std::string_view arguments;  // JSON; {} when there are none
  bool partial = false;        // Vertex's streamFunctionCallArguments, which is not asked for
};
CallView read_call(std::string_view object);

// One of groundingChunks: {"web": {"uri", "title"}}.
struct Source {
  std::string_view url;
  std::string_view title;
};
Source read_source(json::Cursor& cursor);

}  // namespace hyperion::dialect::gemini
