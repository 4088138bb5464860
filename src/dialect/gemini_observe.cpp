// Looks on while Gemini's answers pass by to Google's clients.

#include "dialect/gemini.h"
#include "dialect/gemini_answer_parts.h"
#include "dialect/gemini_text.h"

namespace hyperion::dialect::gemini {
namespace {

using json::Cursor;

void observe_content(Cursor& cursor, Observation& seen) {
  std::string_view key;
  if (!cursor.enter_object()) {
    cursor.skip();
    return;
  }
  while (cursor.next_key(key)) {
    if (key != "parts" || !cursor.enter_array()) {
      cursor.skip();
      continue;
    }
    while (cursor.next_element()) {
      const PartView part = read_part(cursor);
      seen.semantic |= !part.text.empty() || !part.call.empty() || part.other;
    }
  }
}

void observe_candidate(Cursor& cursor, bool committed, Observation& seen) {
  std::string_view key;
  if (!cursor.enter_object()) {
    cursor.skip();
    return;
  }
  while (cursor.next_key(key)) {
    if (key == "content" && !committed) {
      observe_content(cursor, seen);
    } else if (key == "finishReason") {
      seen.finished |= cursor.peek() == '"';
      cursor.skip();
    } else {
      cursor.skip();
    }
  }
}

// A prompt that was blocked gets no candidate; that is its end.
bool is_blocked(Cursor& cursor) {
  bool blocked = false;
  std::string_view key;
  if (!cursor.enter_object()) {
    cursor.skip();
    return false;
  }
  while (cursor.next_key(key)) {
    blocked |= key == "blockReason" && cursor.peek() == '"';
    cursor.skip();
  }
  return blocked;
}

void observe_object(Cursor& cursor, bool committed, Observation& seen, Usage& usage) {
  std::string_view key;
  if (!cursor.enter_object()) {
    seen.malformed = true;
    return;
  }
  while (cursor.next_key(key)) {
    if (key == "candidates" && cursor.enter_array()) {
      while (cursor.next_element()) observe_candidate(cursor, committed, seen);
    } else if (key == "usageMetadata") {
      read_usage(cursor, usage);
    } else if (key == "promptFeedback") {
      seen.finished |= is_blocked(cursor);
    } else {
      seen.error |= key == "error" && cursor.peek() != 'n';
      cursor.skip();
    }
  }
}

// An answer, or an array of them.
Observation observe(std::string_view data, bool committed, Usage& usage) {
  Observation seen;
  Cursor cursor(data);
  if (cursor.enter_array()) {
    while (cursor.next_element() && !seen.malformed) {
      observe_object(cursor, committed, seen, usage);
    }
  } else {
    observe_object(cursor, committed, seen, usage);
  }
  seen.malformed |= cursor.failed() || !cursor.at_end();
  seen.semantic |= seen.finished;
  return seen;
}

}  // namespace

Observation observe_event(const http::SseEvent& event, bool committed, Usage& usage) {
  Observation seen;
  if (!event.has_data) return seen;
  // Several data lines in one event: Google does not do that; relayed as it is.
  if (event.multiple_data) {
    seen.semantic = true;
    return seen;
  }
  return observe(event.data, committed, usage);
}

void observe_answer(std::string_view body, Usage& usage) {
  Usage found = usage;
  if (!observe(body, true, found).malformed) usage = found;
}

}  // namespace hyperion::dialect::gemini
