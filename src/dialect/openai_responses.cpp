#include "dialect/openai_responses.h"

#include "dialect/openai_responses_parts.h"
#include "json/cursor.h"

namespace hyperion::dialect::openai_responses {

using json::Cursor;

bool gather(Cursor& cursor, Member* members, size_t count) {
  if (!cursor.enter_object()) return false;
  std::string_view key;
  std::string_view raw;
  while (cursor.next_key(key)) {
    if (!cursor.read_raw(raw)) return false;
    for (size_t i = 0; i < count; ++i) {
      if (members[i].name != key) continue;
      members[i].raw = raw == "null" ? std::string_view() : raw;
      break;
    }
  }
  return !cursor.failed();
}

std::string_view inside_of(std::string_view raw) {
  if (raw.size() < 2 || raw.front() != '"') return {};
  return raw.substr(1, raw.size() - 2);
}

namespace {

// A number inside the object that comes next.
void read_detail(Cursor& cursor, std::string_view wanted, int64_t& number,
                 std::string_view also_wanted = {}, int64_t* also = nullptr) {
  if (!cursor.enter_object()) {
    cursor.skip();
    return;
  }
  std::string_view key;
  while (cursor.next_key(key)) {
    if (key == wanted) {
      cursor.read_integer(number);
    } else if (also != nullptr && key == also_wanted) {
      cursor.read_integer(*also);
    } else {
      cursor.skip();
    }
  }
}

int64_t zero_if_missing(int64_t number) { return number < 0 ? 0 : number; }

}  // namespace

bool read_usage(Cursor& cursor, Usage& usage) {
  if (!cursor.enter_object()) {
    cursor.skip();
    return false;
  }
  Usage read;
  std::string_view key;
  while (cursor.next_key(key)) {
    if (key == "input_tokens") {
      cursor.read_integer(read.prompt_tokens);
    } else if (key == "output_tokens") {
      cursor.read_integer(read.completion_tokens);
    } else if (key == "input_tokens_details") {
      read_detail(cursor, "cached_tokens", read.cached_tokens, "cache_write_tokens",
                  &read.cache_write_tokens);
    } else if (key == "output_tokens_details") {
      read_detail(cursor, "reasoning_tokens", read.reasoning_tokens);
    } else {
      cursor.skip();
    }
  }
  if (cursor.failed()) return false;
  read.prompt_tokens = zero_if_missing(read.prompt_tokens);
  read.completion_tokens = zero_if_missing(read.completion_tokens);
  read.cached_tokens = zero_if_missing(read.cached_tokens);
  read.cache_write_tokens = zero_if_missing(read.cache_write_tokens);
  read.reasoning_tokens = zero_if_missing(read.reasoning_tokens);
  usage = read;
  return true;
}

namespace {

// Events before the first token: nothing of the answer is in them.
bool is_prelude(std::string_view type) {
  constexpr std::string_view names[] = {
      "response.created",
      "response.queued",
      "response.in_progress",
      "response.content_part.added",
      "response.reasoning_summary_part.added",
      "ping",
      "keepalive",
  };
  for (std::string_view name : names) {
    if (type == name) return true;
  }
  return false;
}

bool is_last(std::string_view type) {
  return type == "response.completed" || type == "response.incomplete" || type == "response.failed";
}

// Everything but the announcement of a message or of reasoning gives something: a call, or a tool
// that the provider runs and bills.
bool item_is_semantic(std::string_view item) {
  Member members[] = {{"type", {}}};
  if (!gather(item, members)) return false;
  const std::string_view type = inside_of(members[0].raw);
  return type != "message" && type != "reasoning";
}

void read_usage_of_response(std::string_view response, Usage& usage) {
  Member members[] = {{"usage", {}}};
  if (!gather(response, members) || members[0].raw.empty()) return;
  Cursor cursor(members[0].raw);
  read_usage(cursor, usage);
}

}  // namespace

Observation observe_event(const http::SseEvent& event, bool committed, Usage& usage) {
  Observation seen;
  if (!event.has_data || event.data == "[DONE]") return seen;
  // Several data lines in one event: no provider of this dialect does that; relayed as it is.
  if (event.multiple_data) {
    seen.semantic = true;
    return seen;
  }
  // Most events after the first token are pieces of text: their name is enough.
  if (committed && event.event.ends_with(".delta")) return seen;
  Member members[] = {{"type", {}}, {"item", {}}, {"response", {}}, {"error", {}}};
  if (!gather(event.data, members)) {
    seen.malformed = true;
    return seen;
  }
  std::string_view type = inside_of(members[0].raw);
  if (type.empty()) type = event.event;
  seen.error = type == "error" || type == "response.failed" ||
               (!members[3].raw.empty() && !type.starts_with("response."));
  seen.finished = is_last(type);
  if (seen.finished) read_usage_of_response(members[2].raw, usage);
  if (seen.error) return seen;
  seen.semantic = type == "response.output_item.added" ? item_is_semantic(members[1].raw)
                                                       : !type.empty() && !is_prelude(type);
  return seen;
}

void observe_answer(std::string_view body, Usage& usage) { read_usage_of_response(body, usage); }

namespace {

size_t write_path(std::string_view, bool, char* out, size_t capacity) {
  constexpr std::string_view path = "/responses";
  return path.size() <= capacity ? path.copy(out, path.size()) : 0;
}

}  // namespace

const Language& language() {
  static constexpr Language responses = {
      Wire::openai_responses, decode_request, encode_request, make_decoder,
      make_encoder,           observe_event,  observe_answer, write_path,
  };
  return responses;
}

}  // namespace hyperion::dialect::openai_responses
