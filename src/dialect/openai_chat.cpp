#include "dialect/openai_chat.h"

#include "dialect/openai_chat_parts.h"
#include "json/byte_search.h"
#include "json/cursor.h"

namespace hyperion::dialect::openai_chat {
namespace {

using json::Cursor;

// Anything but null, "" and [] gives the client something.
bool has_content(Cursor& cursor) {
  char first = cursor.peek();
  std::string_view raw;
  if (!cursor.read_raw(raw)) return false;
  if (first == '"') return raw.size() > 2;
  return first == '{' || (first == '[' && raw.size() > 2);
}

bool delta_is_semantic(Cursor& cursor) {
  if (!cursor.enter_object()) {
    cursor.skip();
    return false;
  }
  bool semantic = false;
  std::string_view key;
  while (cursor.next_key(key)) {
    // The role says nothing yet; every other member of a delta carries output.
    if (key == "role") {
      cursor.skip();
    } else {
      semantic |= has_content(cursor);
    }
  }
  return semantic;
}

bool choice_is_semantic(Cursor& cursor) {
  if (!cursor.enter_object()) {
    cursor.skip();
    return false;
  }
  bool semantic = false;
  std::string_view key;
  while (cursor.next_key(key)) {
    if (key == "delta") {
      semantic |= delta_is_semantic(cursor);
    } else if (key == "finish_reason" || key == "text") {
      semantic |= has_content(cursor);
    } else {
      cursor.skip();
    }
  }
  return semantic;
}

bool choices_are_semantic(Cursor& cursor) {
  if (!cursor.enter_array()) {
    cursor.skip();
    return false;
  }
  bool semantic = false;
  while (cursor.next_element()) semantic |= choice_is_semantic(cursor);
  return semantic;
}

// Groq's own member holds the usage where the standard one is missing.
void read_groq(Cursor& cursor, Usage& usage) {
  if (!cursor.enter_object()) {
    cursor.skip();
    return;
  }
  std::string_view key;
  while (cursor.next_key(key)) {
    if (key == "usage") {
      read_usage(cursor, usage);
    } else {
      cursor.skip();
    }
  }
}

Observation observe_chunk(std::string_view data, Usage& usage) {
  Observation seen;
  Cursor cursor(data);
  if (!cursor.enter_object()) {
    seen.malformed = true;
    return seen;
  }
  std::string_view key;
  while (cursor.next_key(key)) {
    if (key == "choices") {
      seen.semantic |= choices_are_semantic(cursor);
    } else if (key == "error") {
      seen.error |= cursor.peek() != 'n';
      cursor.skip();
    } else if (key == "usage") {
      read_usage(cursor, usage);
    } else if (key == "x_groq") {
      read_groq(cursor, usage);
    } else {
      cursor.skip();
    }
  }
  seen.malformed = cursor.failed() || !cursor.at_end();
  return seen;
}

void walk_answer(std::string_view body, Usage& usage) {
  Cursor cursor(body);
  if (!cursor.enter_object()) return;
  std::string_view key;
  while (cursor.next_key(key)) {
    if (key == "usage") {
      read_usage(cursor, usage);
    } else {
      cursor.skip();
    }
  }
}

// With its quotes.
constexpr std::string_view usage_name = "\"usage\"";
constexpr std::string_view error_name = "\"error\"";

// Where `name` first stands at or after `from`; npos where it does not.
size_t find_name(std::string_view text, std::string_view name, size_t from) {
  const char* const end = text.data() + text.size();
  for (;; ++from) {
    const char* at = json::find_quoted(text.data() + from, end, name[1]);
    if (at == end) return std::string_view::npos;
    from = static_cast<size_t>(at - text.data());
    if (text.substr(from, name.size()) == name) return from;
  }
}

// May there be a member of that name, on any level, that is not null? Many hosts write
// `"usage":null` in every chunk but the last.
bool may_give(std::string_view text, std::string_view name) {
  size_t at = 0;
  while ((at = find_name(text, name, at)) != std::string_view::npos) {
    at += name.size();
    if (!text.substr(at).starts_with(":null")) return true;
  }
  return false;
}

}  // namespace

Observation observe_event(const http::SseEvent& event, bool committed, Usage& usage) {
  Observation seen;
  if (!event.has_data) return seen;
  if (event.data == "[DONE]") {
    seen.finished = true;
    return seen;
  }
  // Several data lines in one event: no provider of this dialect does that; relayed as it is.
  if (event.multiple_data) {
    seen.semantic = true;
    return seen;
  }
  bool named_error = event.event == "error";
  bool interesting = !committed || named_error || may_give(event.data, usage_name) ||
                     may_give(event.data, error_name);
  if (!interesting) return seen;
  seen = observe_chunk(event.data, usage);
  seen.error |= named_error;
  return seen;
}

bool tells_finish(std::string_view data) {
  Cursor cursor(data);
  if (!cursor.enter_object()) return false;
  bool told = false;
  std::string_view key;
  while (cursor.next_key(key)) {
    if (key != "choices" || !cursor.enter_array()) {
      cursor.skip();
      continue;
    }
    while (cursor.next_element()) {
      if (!cursor.enter_object()) {
        cursor.skip();
        continue;
      }
      while (cursor.next_key(key)) {
        told |= key == "finish_reason" && cursor.peek() == '"';
        cursor.skip();
      }
    }
  }
  return told && !cursor.failed();
}

// A quote within a JSON string is escaped, so these bytes are a key or a whole value wherever they
// stand. Nearly every answer has them once, near its end; otherwise the text is walked.
void observe_answer(std::string_view body, Usage& usage) {
  const size_t first = find_name(body, usage_name, 0);
  if (first == std::string_view::npos) return;
  if (find_name(body, usage_name, first + 1) == std::string_view::npos) {
    const size_t behind = first + usage_name.size();
    size_t colon = body.find_first_not_of(" \t\r\n", behind);
    if (colon == std::string_view::npos || body[colon] != ':') return;
    Cursor cursor(body.substr(colon + 1));
    Usage found = usage;
    read_usage(cursor, found);
    // Of the answer itself if only the answer's own end follows.
    std::string_view key;
    while (cursor.next_key(key)) cursor.skip();
    if (cursor.at_end() && !cursor.failed()) {
      usage = found;
      return;
    }
  }
  walk_answer(body, usage);
}

namespace {

size_t write_path(std::string_view, bool, char* out, size_t capacity) {
  constexpr std::string_view path = "/chat/completions";
  if (capacity < path.size()) return 0;
  return path.copy(out, path.size());
}

}  // namespace

const Language& language() {
  static constexpr Language chat = {Wire::openai_chat, decode_request, encode_request, make_decoder,
                                    make_encoder,      observe_event,  observe_answer, write_path};
  return chat;
}

}  // namespace hyperion::dialect::openai_chat
