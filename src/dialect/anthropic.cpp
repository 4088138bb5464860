#include "dialect/anthropic.h"

#include "dialect/anthropic_parts.h"
#include "json/cursor.h"

namespace hyperion::dialect::anthropic {
namespace {

using json::Cursor;

bool is_given(Cursor& cursor) {
  const char first = cursor.peek();
  std::string_view raw;
  if (!cursor.read_raw(raw)) return false;
  return first == '"' ? raw.size() > 2 : first == '{' || first == '[';
}

// A block of text or thinking says nothing as long as it is empty; any other (a call, a result of
// the provider's own tools) gives the client something by itself.
bool block_is_semantic(Cursor& cursor) {
  if (!cursor.enter_object()) {
    cursor.skip();
    return false;
  }
  bool of_text = false;
  bool given = false;
  std::string_view key;
  while (cursor.next_key(key)) {
    if (key == "type" && cursor.peek() == '"') {
      std::string_view type;
      cursor.read_string(type);
      of_text = type == "text" || type == "thinking";
    } else if (key == "text" || key == "thinking" || key == "signature") {
      given |= is_given(cursor);
    } else {
      cursor.skip();
    }
  }
  return given || !of_text;
}

bool delta_is_semantic(Cursor& cursor) {
  if (!cursor.enter_object()) {
    cursor.skip();
    return false;
  }
  bool given = false;
  std::string_view key;
  while (cursor.next_key(key)) {
    // Of a content delta everything but its type is content; of the message's only the reason to
    // stop is.
    if (key == "type" || key == "stop_sequence" || key == "container" || key == "stop_details") {
      cursor.skip();
    } else {
      given |= is_given(cursor);
    }
  }
  return given;
}

void read_message_usage(Cursor& cursor, TokenCounts& counts, bool at_start) {
  if (!cursor.enter_object()) {
    cursor.skip();
    return;
  }
  std::string_view key;
  while (cursor.next_key(key)) {
    if (key == "usage") {
      counts.read(cursor, at_start);
    } else {
      cursor.skip();
    }
  }
}

Observation observe_data(const http::SseEvent& event, Usage& usage) {
  Observation seen;
  TokenCounts counts = TokenCounts::of(usage);
  std::string_view type = event.event;
  Cursor cursor(event.data);
  if (!cursor.enter_object()) {
    seen.malformed = true;
    return seen;
  }
  std::string_view key;
  while (cursor.next_key(key)) {
    if (key == "type" && cursor.peek() == '"') {
      cursor.read_string(type);
    } else if (key == "content_block") {
      seen.semantic |= block_is_semantic(cursor);
    } else if (key == "delta") {
      seen.semantic |= delta_is_semantic(cursor);
    } else if (key == "message") {
      read_message_usage(cursor, counts, true);
    } else if (key == "usage") {
      counts.read(cursor, false);
    } else if (key == "error") {
      seen.error |= cursor.peek() != 'n';
      cursor.skip();
    } else {
      cursor.skip();
    }
  }
  seen.malformed = cursor.failed() || !cursor.at_end();
  seen.error |= type == "error" || event.event == "error";
  seen.finished = type == "message_stop" && !seen.malformed && !seen.error;
  if (!seen.malformed) usage = counts.usage();
  return seen;
}

size_t write_path(std::string_view, bool, char* out, size_t capacity) {
  constexpr std::string_view path = "/messages";
  if (capacity < path.size()) return 0;
  return path.copy(out, path.size());
}

}  // namespace

Observation observe_event(const http::SseEvent& event, bool committed, Usage& usage) {
  Observation seen;
  if (!event.has_data) return seen;
  // Several data lines in one event: this provider does not do that; relayed as it is.
  if (event.multiple_data) {
    seen.semantic = true;
    return seen;
  }
  if (committed && event.event.starts_with("content_block_")) return seen;
  return observe_data(event, usage);
}

void observe_answer(std::string_view body, Usage& usage) {
  TokenCounts counts = TokenCounts::of(usage);
  Cursor cursor(body);
  read_message_usage(cursor, counts, false);
  usage = counts.usage();
}

const Language& language() {
  static constexpr Language messages = {Wire::anthropic, decode_request, encode_request,
                                        make_decoder,    make_encoder,   observe_event,
                                        observe_answer,  write_path};
  return messages;
}

}  // namespace hyperion::dialect::anthropic
