#include "dialect/gemini_answer_parts.h"

namespace hyperion::dialect::gemini {

using json::Cursor;

void read_text(Cursor& cursor, std::string_view& text) {
  if (cursor.peek() == '"') {
    cursor.read_string(text);
  } else {
    cursor.skip();
  }
}

uint32_t index_of(Cursor cursor) {
  int64_t index = 0;
  std::string_view key;
  if (!cursor.enter_object()) return 0;
  while (cursor.next_key(key)) {
    if (key == "index") {
      cursor.read_integer(index);
    } else {
      cursor.skip();
    }
  }
  return index < 0 || index >= static_cast<int64_t>(candidates_max)
             ? static_cast<uint32_t>(candidates_max)
             : static_cast<uint32_t>(index);
}

PartView read_part(Cursor& cursor) {
  PartView part;
  if (!cursor.enter_object()) {
    cursor.skip();
    return part;
  }
  std::string_view key;
  while (cursor.next_key(key)) {
    if (key == "text") {
      read_text(cursor, part.text);
    } else if (key == "thought") {
      part.thought = cursor.peek() == 't';
      cursor.skip();
    } else if (key == "thoughtSignature") {
      read_text(cursor, part.signature);
    } else if (key == "functionCall" && cursor.peek() == '{') {
      cursor.read_raw(part.call);
    } else {
      part.other |= cursor.peek() == '{';
      cursor.skip();
    }
  }
  return part;
}

CallView read_call(std::string_view object) {
  CallView call;
  Cursor cursor(object);
  cursor.enter_object();
  std::string_view key;
  while (cursor.next_key(key)) {
    if (key == "id") {
      read_text(cursor, call.id);
    } else if (key == "name") {
      read_text(cursor, call.name);
    } else if (key == "args" && cursor.peek() != 'n') {
      cursor.read_raw(call.arguments);
    } else {
      const bool given = cursor.peek() != 'n' && cursor.peek() != 'f';
      call.partial |= given && (key == "partialArgs" || key == "willContinue");
      cursor.skip();
    }
  }
  if (call.arguments.empty()) call.arguments = "{}";
  return call;
}

Source read_source(Cursor& cursor) {
  Source source;
  std::string_view key;
  if (!cursor.enter_object()) {
    cursor.skip();
    return source;
  }
  while (cursor.next_key(key)) {
    if (key != "web" || !cursor.enter_object()) {
      cursor.skip();
      continue;
    }
    while (cursor.next_key(key)) {
      if (key == "uri") {
        read_text(cursor, source.url);
      } else if (key == "title") {
        read_text(cursor, source.title);
      } else {
        cursor.skip();
      }
    }
  }
  return source;
}

}  // namespace hyperion::dialect::gemini
