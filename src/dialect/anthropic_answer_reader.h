// What an answer of Anthropic's is made of, found in one pass over its JSON.
//
// Used by the decoder of answers only. The text has been judged to be valid JSON before; members
// may stand in any order and be of any type: those of a wrong type are as if they were not there.
// All views are into the text. No allocation, nothing can fail.
#pragma once

#include <cstdint>
#include <string_view>

#include "json/cursor.h"

namespace hyperion::dialect::anthropic {

// The members of an event, or of a whole answer, that matter; found in one pass, whatever their
// order. A cursor stands before the value; one over nothing where there is none.
struct Members {
  std::string_view type, id, model;
  int64_t index = -1;
  json::Cursor message{{}}, content{{}}, delta{{}}, usage{{}};
};

// Of a block, or of its delta.
struct Piece {
  std::string_view type, text, thinking, signature, data, id, name, partial_json;
  std::string_view input;  // JSON
  json::Cursor citations{{}};
};

// Of the end of a message.
struct Stop {
  std::string_view reason, sequence, explanation;
};

// False where something else than a string comes, which is passed over.
bool read_text(json::Cursor& cursor, std::string_view& text);
Piece read_piece(json::Cursor cursor);
void read_members(json::Cursor cursor, Members& members, Stop& stop);

}  // namespace hyperion::dialect::anthropic
