#include <algorithm>
#include <cstdio>

#include "dialect/gemini.h"
#include "dialect/gemini_reader.h"
#include "dialect/gemini_schema.h"
#include "json/key_names.h"

namespace hyperion::dialect::gemini {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

// An integer; protobuf's JSON also has it as a string, and Python's clients as 40.0.
bool RequestReader::read_integer(Cursor& cursor, const Place& place, int64_t min, int64_t max,
                                 int64_t& integer) {
  if (take_null(cursor)) return true;
  const char next = cursor.peek();
  std::string_view text;
  if (next == '"') {
    cursor.read_string(text);
  } else {
    cursor.read_raw(text);
  }
  if (text.ends_with(".0")) text.remove_suffix(2);
  int64_t number = 0;
  Cursor digits(text);
  const bool is_number = !text.empty() && (is_digit(text[0]) || text[0] == '-');
  if (!is_number || !digits.read_integer(number) || number < min || number > max) {
    char message[120];
    std::snprintf(message, sizeof(message), "expected an integer from %lld to %lld",
                  static_cast<long long>(min), static_cast<long long>(max));
    return refuse_at(place, message);
  }
  integer = number;
  return true;
}

bool RequestReader::read_json(Cursor& cursor, const Place& place, char first, const char* what,
                              Json& json) {
  if (take_null(cursor)) return true;
  if (cursor.peek() != first) return expected(place, what, cursor.peek());
  return cursor.read_raw(json.bytes);
}

bool RequestReader::read_schema(Cursor& cursor, const Place& place, bool openapi, Json& schema) {
  Json given;
  if (!read_object(cursor, place, given)) return false;
  if (!given.given()) return true;
  if (!openapi) {
    schema = given;
    return true;
  }
  switch (to_json_schema(given.bytes, workspace_, schema)) {
    case SchemaResult::done: return true;
    case SchemaResult::no_memory: return no_memory();
    case SchemaResult::too_large: break;
  }
  return refuse_at(place,
                   "this schema is too large to be turned into JSON Schema for another provider; "
                   "give it as JSON Schema");
}

bool RequestReader::read_each(Cursor& cursor, const Place& place, Handler handler) {
  if (take_null(cursor)) return true;
  if (cursor.peek() == '{') return (this->*handler)(cursor, place.element(0));
  if (!cursor.enter_array()) return expected(place, "a list", cursor.peek());
  for (int64_t i = 0; cursor.next_element(); ++i) {
    if (!(this->*handler)(cursor, place.element(i))) return false;
  }
  return true;
}

bool RequestReader::read_members(Cursor& cursor, const Place& place, const FieldRow* rows,
                                 size_t count) {
  if (take_null(cursor)) return true;
  if (!cursor.enter_object()) return expected(place, "an object", cursor.peek());
  std::string_view key;
  while (cursor.next_key(key)) {
    const FieldRow* const row =
        std::find_if(rows, rows + count, [&](const FieldRow& r) { return is_named(key, r.name); });
    if (row == rows + count) {
      cursor.skip();
    } else if (!(this->*row->read)(cursor, place.member(row->name))) {
      return false;
    }
  }
  return true;
}

bool RequestReader::read(std::string_view body) {
  // Google's clients see thoughts only where they ask for them, and usage always.
  request_.thinking_shown = Flag::no;
  request_.include_usage = true;
  Cursor cursor(body);
  if (!read_top(cursor) && problem_) return false;
  if (cursor.failed()) {
    return refuse(problem_, "invalid_request", "", "The body is nested too deeply to be read.");
  }
  const Message* const first = request_.messages.first;
  if (first == nullptr || (first->role == Role::system && first->next == nullptr)) {
    return refuse(problem_, "invalid_request", "contents",
                  "`contents`: expected a list of at least one content.");
  }
  settle_tool_choice();
  return true;
}

bool RequestReader::read_top(Cursor& cursor) {
  if (!cursor.enter_object()) return expected({nullptr, "body"}, "an object", cursor.peek());
  std::string_view key;
  while (cursor.next_key(key)) {
    if (!read_field(cursor, key, false)) return false;
  }
  return true;
}

bool RequestReader::read_field(Cursor& cursor, std::string_view key, bool within_extra_body) {
  static constexpr FieldRow rows[] = {
      {"contents", &RequestReader::read_contents},
      {"systemInstruction", &RequestReader::read_system},
      {"generationConfig", &RequestReader::read_generation_config},
      {"tools", &RequestReader::read_tools},
      {"toolConfig", &RequestReader::read_tool_config},
      {"safetySettings", &RequestReader::read_safety_settings},
      {"cachedContent", &RequestReader::read_cached_content},
      {"labels", &RequestReader::read_labels},
      {"store", &RequestReader::read_store},
      {"serviceTier", &RequestReader::read_service_tier},
      // Both are said by the path.
      {"model", &RequestReader::pass_over},
      {"stream", &RequestReader::pass_over},
  };
  const json::Key own = json::find_key(key);
  // Some clients nest literally what was to be merged into the body.
  const bool is_extra_body = own == json::Key::extra_body || own == json::Key::extra_body_camel;
  if (is_extra_body && !within_extra_body && cursor.enter_object()) {
    while (cursor.next_key(key)) {
      if (!read_field(cursor, key, true)) return false;
    }
    return true;
  }
  if (own != json::Key::count && json::is_own(own)) return cursor.skip();
  for (const FieldRow& row : rows) {
    if (!is_named(key, row.name)) continue;
    // A field that comes twice, or in both spellings, would be read as both.
    const uint32_t bit = 1U << (&row - rows);
    if ((fields_seen_ & bit) != 0)
      return refuse_at({nullptr, row.name}, "expected it once, got it twice");
    fields_seen_ |= bit;
    return (this->*row.read)(cursor, {nullptr, row.name});
  }
  if (take_null(cursor)) return true;
  cursor.skip();
  return note_unknown(key);
}

bool RequestReader::pass_over(Cursor& cursor, const Place&) {
  cursor.skip();
  return true;
}

bool RequestReader::read_cached_content(Cursor& cursor, const Place& place) {
  if (take_null(cursor)) return true;
  return refuse_unsupported(
      place, "cached content is kept by Google and cannot be sent to another provider");
}

bool RequestReader::read_safety_settings(Cursor& cursor, const Place& place) {
  return read_json(cursor, place, '[', "a list", request_.safety_settings);
}

bool RequestReader::read_labels(Cursor& cursor, const Place& place) {
  return read_object(cursor, place, request_.metadata);
}

bool RequestReader::read_store(Cursor& cursor, const Place& place) {
  return read_flag(cursor, place, request_.store);
}

bool RequestReader::read_service_tier(Cursor& cursor, const Place& place) {
  return read_plain(cursor, place, request_.service_tier);
}

bool decode_request(std::string_view body, Workspace workspace, Request& request,
                    RequestProblem& problem) {
  return RequestReader(workspace, request, problem).read(body);
}

}  // namespace hyperion::dialect::gemini
