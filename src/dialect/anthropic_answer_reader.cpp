#include "dialect/anthropic_answer_reader.h"

namespace hyperion::dialect::anthropic {
namespace {

using json::Cursor;

struct TextRow {
  std::string_view name;
  std::string_view Piece::*text;
};
constexpr TextRow text_rows[] = {
    {"type", &Piece::type},
    {"text", &Piece::text},
    {"thinking", &Piece::thinking},
    {"partial_json", &Piece::partial_json},
    {"signature", &Piece::signature},
    {"data", &Piece::data},
    {"id", &Piece::id},
    {"name", &Piece::name},
};

bool read_stop_member(Cursor& cursor, std::string_view key, Stop& stop) {
  if (key == "stop_reason") {
    read_text(cursor, stop.reason);
  } else if (key == "stop_sequence") {
    read_text(cursor, stop.sequence);
  } else if (key == "stop_details" && cursor.enter_object()) {
    std::string_view detail;
    while (cursor.next_key(detail)) {
      if (detail == "explanation") {
        read_text(cursor, stop.explanation);
      } else {
        cursor.skip();
      }
    }
  } else {
    return false;
  }
  return true;
}

}  // namespace

bool read_text(Cursor& cursor, std::string_view& text) {
  if (cursor.peek() == '"') return cursor.read_string(text);
  cursor.skip();
  return false;
}

Piece read_piece(Cursor cursor) {
  Piece piece;
  std::string_view key;
  if (!cursor.enter_object()) return piece;
  while (cursor.next_key(key)) {
    bool known = false;
    for (const TextRow& row : text_rows) {
      if (row.name != key) continue;
      read_text(cursor, piece.*row.text);
      known = true;
      break;
    }
    if (known) continue;
    if (key == "input") {
      cursor.read_raw(piece.input);
    } else {
      if (key == "citations" || key == "citation") piece.citations = cursor;
      cursor.skip();
    }
  }
  return piece;
}

void read_members(Cursor cursor, Members& members, Stop& stop) {
  std::string_view key;
  if (!cursor.enter_object()) return;
  while (cursor.next_key(key)) {
    if (key == "type") {
      read_text(cursor, members.type);
    } else if (key == "id") {
      read_text(cursor, members.id);
    } else if (key == "model") {
      read_text(cursor, members.model);
    } else if (key == "index") {
      cursor.read_integer(members.index);
    } else if (!read_stop_member(cursor, key, stop)) {
      if (key == "message") members.message = cursor;
      if (key == "content" || key == "content_block") members.content = cursor;
      if (key == "delta") members.delta = cursor;
      if (key == "usage") members.usage = cursor;
      cursor.skip();
    }
  }
}

}  // namespace hyperion::dialect::anthropic
