#include <cstdio>
#include <cstring>

#include "dialect/openai_chat_parts.h"
#include "dialect/openai_chat_reader.h"
#include "dialect/text.h"

namespace hyperion::dialect::openai_chat {
namespace {

constexpr int64_t choices_max = 128;      // OpenAI's schema, as of `n`
constexpr int64_t top_logprobs_max = 20;  // OpenAI's schema

// "messages[2].content[0].type"; cut where it does not fit.
size_t write_place(const Place& place, char* out, size_t capacity) {
  size_t size = place.within != nullptr ? write_place(*place.within, out, capacity) : 0;
  if (size + 1 >= capacity) return size;
  int more = 0;
  if (place.index >= 0) {
    more =
        std::snprintf(out + size, capacity - size, "[%lld]", static_cast<long long>(place.index));
  } else {
    more = std::snprintf(out + size, capacity - size, "%s%.*s", size > 0 ? "." : "",
                         static_cast<int>(place.name.size()), place.name.data());
  }
  if (more < 0) return size;
  const size_t wanted = size + static_cast<size_t>(more);
  return wanted < capacity ? wanted : capacity - 1;
}

const char* kind_of(char first) {
  switch (first) {
    case '{': return "an object";
    case '[': return "an array";
    case '"': return "a string";
    case 't':
    case 'f': return "a boolean";
    case 'n': return "null";
    default: return "a number";
  }
}

}  // namespace

bool decode_request(std::string_view body, Workspace workspace, Request& request,
                    RequestProblem& problem) {
  return RequestReader(workspace, request, problem).read(body);
}

// `what` reads on after "Expected".
bool RequestReader::refuse_at(const Place& place, const char* what) {
  char name[sizeof(problem_.param)];
  const size_t size = write_place(place, name, sizeof(name));
  return refuse(problem_, "invalid_request", {name, size}, "Invalid `%.*s`: expected %s.",
                static_cast<int>(size), name, what);
}

bool RequestReader::expected(const Place& place, const char* what, char given) {
  char text[200];
  std::snprintf(text, sizeof(text), "%s, got %s", what, kind_of(given));
  return refuse_at(place, text);
}

bool RequestReader::is_null(Cursor& cursor) {
  if (cursor.peek() != 'n') return false;
  cursor.skip();
  return true;
}

bool RequestReader::read_text(Cursor& cursor, const Place& place, Raw& text) {
  if (is_null(cursor)) return true;
  const char given = cursor.peek();
  if (given != '"') return expected(place, "a string", given);
  return cursor.read_string(text.bytes) || expected(place, "a string", given);
}

bool RequestReader::read_plain(Cursor& cursor, const Place& place, std::string_view& plain) {
  Raw text;
  if (!read_text(cursor, place, text)) return false;
  if (!text.given()) return true;
  return unescape_into(workspace_.arena, text.bytes, plain) || no_memory();
}

bool RequestReader::read_flag(Cursor& cursor, const Place& place, Flag& flag) {
  if (is_null(cursor)) return true;
  const char given = cursor.peek();
  if (given != 't' && given != 'f') return expected(place, "a boolean", given);
  cursor.skip();
  flag = flag_of(given == 't');
  return true;
}

bool RequestReader::read_count(Cursor& cursor, const Place& place, int64_t min, int64_t max,
                               int64_t& count) {
  if (is_null(cursor)) return true;
  const char given = cursor.peek();
  int64_t number = 0;
  const bool whole = cursor.read_integer(number);
  if (whole && number >= min && number <= max) {
    count = number;
    return true;
  }
  char what[100];
  std::snprintf(what, sizeof(what), "a whole number from %lld to %lld", static_cast<long long>(min),
                static_cast<long long>(max));
  return whole ? refuse_at(place, what) : expected(place, what, given);
}

bool RequestReader::read_number(Cursor& cursor, const Place& place, Json& number) {
  if (is_null(cursor)) return true;
  const char given = cursor.peek();
  if (given != '-' && (given < '0' || given > '9')) return expected(place, "a number", given);
  return cursor.read_raw(number.bytes) || expected(place, "a number", given);
}

bool RequestReader::read_object(Cursor& cursor, const Place& place, Json& object) {
  if (is_null(cursor)) return true;
  const char given = cursor.peek();
  if (given != '{') return expected(place, "an object", given);
  return cursor.read_raw(object.bytes) || expected(place, "an object", given);
}

bool RequestReader::enter_object(Cursor& cursor, const Place& place, bool& given) {
  given = !is_null(cursor);
  if (!given) return true;
  const char first = cursor.peek();
  return cursor.enter_object() || expected(place, "an object", first);
}

bool RequestReader::read_ignored(Cursor& cursor, const Place&) {
  cursor.skip();
  return true;
}

bool RequestReader::read_max_tokens(Cursor& cursor, const Place& place) {
  return read_count(cursor, place, 1, tokens_max, max_tokens_);
}

bool RequestReader::read_max_completion_tokens(Cursor& cursor, const Place& place) {
  return read_count(cursor, place, 1, tokens_max, max_completion_tokens_);
}

bool RequestReader::read_n(Cursor& cursor, const Place& place) {
  return read_count(cursor, place, 1, choices_max, request_.n);
}

bool RequestReader::read_stop(Cursor& cursor, const Place& place) {
  request_.stop = {};
  if (is_null(cursor)) return true;
  const char given = cursor.peek();
  const bool list = cursor.enter_array();
  if (!list && given != '"') return expected(place, "a string or an array of strings", given);
  for (int64_t i = 0; list ? cursor.next_element() : i == 0; ++i) {
    const Place at = list ? place.element(i) : place;
    if (cursor.peek() != '"') return expected(at, "a string", cursor.peek());
    auto* word = make<Word>(workspace_.arena);
    if (word == nullptr) return no_memory();
    if (!read_text(cursor, at, word->raw)) return false;
    request_.stop.append(word);
  }
  return true;
}

bool RequestReader::read_logprobs(Cursor& cursor, const Place& place) {
  Flag flag = Flag::unset;
  if (!read_flag(cursor, place, flag)) return false;
  request_.logprobs = flag == Flag::yes;
  return true;
}

bool RequestReader::read_top_logprobs(Cursor& cursor, const Place& place) {
  return read_count(cursor, place, 0, top_logprobs_max, request_.top_logprobs);
}

bool RequestReader::read_user(Cursor& cursor, const Place& place) {
  return read_text(cursor, place, request_.user);
}

bool RequestReader::read_safety_identifier(Cursor& cursor, const Place& place) {
  return read_text(cursor, place, safety_identifier_);
}

bool RequestReader::read_modalities(Cursor& cursor, const Place& place) {
  if (is_null(cursor)) return true;
  const char given = cursor.peek();
  if (!cursor.enter_array()) return expected(place, "an array of text and audio", given);
  for (int64_t i = 0; cursor.next_element(); ++i) {
    const Place at = place.element(i);
    std::string_view word;
    if (!read_plain(cursor, at, word)) return false;
    if (word == "audio") {
      request_.audio_wanted = true;
    } else if (word != "text") {
      return refuse_at(at, "text or audio");
    }
  }
  return true;
}

bool RequestReader::read_safety_settings(Cursor& cursor, const Place&) {
  cursor.read_raw(request_.safety_settings.bytes);
  return true;
}

bool RequestReader::read_stream(Cursor& cursor, const Place& place) {
  Flag flag = Flag::unset;
  if (!read_flag(cursor, place, flag)) return false;
  request_.stream = flag == Flag::yes;
  return true;
}

bool RequestReader::read_stream_options(Cursor& cursor, const Place& place) {
  bool given = false;
  if (!enter_object(cursor, place, given)) return false;
  if (!given) return true;
  std::string_view key;
  while (cursor.next_key(key)) {
    if (key != "include_usage") {
      cursor.skip();
      continue;
    }
    Flag flag = Flag::unset;
    if (!read_flag(cursor, place.member(key), flag)) return false;
    request_.include_usage = flag == Flag::yes;
  }
  return true;
}

bool RequestReader::read_cache_control(Cursor& cursor, const Place& place) {
  bool given = false;
  if (!enter_object(cursor, place, given)) return false;
  if (!given) return true;
  request_.cache_automatic = true;
  std::string_view key;
  while (cursor.next_key(key)) cursor.skip();
  return true;
}

const RequestReader::FieldRow* RequestReader::find_field(std::string_view key) {
  using Reader = RequestReader;
  // The model was resolved, and Hyperion's own options were read, before. `audio` says how an
  // answer in sound is to be made, which `modalities` asks for.
  static constexpr FieldRow rows[] = {
      {"messages", &Reader::read_messages},
      {"model", &Reader::read_ignored},
      {"stream", &Reader::read_stream},
      {"stream_options", &Reader::read_stream_options},
      {"tools", &Reader::read_tools},
      {"tool_choice", &Reader::read_tool_choice},
      {"parallel_tool_calls", &Reader::flag_field<&Request::parallel_tool_calls>},
      {"functions", &Reader::read_functions},
      {"function_call", &Reader::read_function_call_choice},
      {"max_tokens", &Reader::read_max_tokens},
      {"max_completion_tokens", &Reader::read_max_completion_tokens},
      {"temperature", &Reader::number_field<&Request::temperature>},
      {"top_p", &Reader::number_field<&Request::top_p>},
      {"top_k", &Reader::number_field<&Request::top_k>},
      {"seed", &Reader::number_field<&Request::seed>},
      {"presence_penalty", &Reader::number_field<&Request::presence_penalty>},
      {"frequency_penalty", &Reader::number_field<&Request::frequency_penalty>},
      {"logit_bias", &Reader::object_field<&Request::logit_bias>},
      {"n", &Reader::read_n},
      {"stop", &Reader::read_stop},
      {"logprobs", &Reader::read_logprobs},
      {"top_logprobs", &Reader::read_top_logprobs},
      {"response_format", &Reader::read_response_format},
      {"reasoning_effort", &Reader::read_reasoning_effort},
      {"reasoning", &Reader::read_reasoning},
      {"include_reasoning", &Reader::read_include_reasoning},
      {"thinking", &Reader::read_thinking},
      {"thinking_budget", &Reader::read_thinking_budget},
      {"verbosity", &Reader::plain_field<&Request::verbosity>},
      {"user", &Reader::read_user},
      {"safety_identifier", &Reader::read_safety_identifier},
      {"metadata", &Reader::object_field<&Request::metadata>},
      {"store", &Reader::flag_field<&Request::store>},
      {"service_tier", &Reader::plain_field<&Request::service_tier>},
      {"modalities", &Reader::read_modalities},
      {"audio", &Reader::read_ignored},
      {"prediction", &Reader::object_field<&Request::prediction>},
      {"web_search_options", &Reader::object_field<&Request::web_search>},
      {"safety_settings", &Reader::read_safety_settings},
      {"cache_control", &Reader::read_cache_control},
      {"hyperion", &Reader::read_ignored},
      {"smart_routing", &Reader::read_ignored},
      {"smartRouting", &Reader::read_ignored},
      {"fallbacks", &Reader::read_ignored},
      {"models", &Reader::read_ignored},
  };
  for (const FieldRow& row : rows) {
    if (row.name == key) return &row;
  }
  return nullptr;
}

// A field that comes twice would be read as both.
bool RequestReader::is_second(std::string_view key) {
  for (size_t i = 0; i < seen_count_; ++i) {
    if (seen_[i] == key) return true;
  }
  if (seen_count_ < std::size(seen_)) seen_[seen_count_++] = key;
  return false;
}

bool RequestReader::read_field(Cursor& cursor, std::string_view key, bool within_extra_body) {
  if (!within_extra_body && (key == "extra_body" || key == "extraBody")) {
    if (cursor.peek() != '{') return read_ignored(cursor, Place{});
    return read_members(cursor, true);
  }
  if (const FieldRow* row = find_field(key)) {
    const Place place{nullptr, key};
    if (is_second(row->name)) return refuse_at(place, "it once, got it twice");
    return (this->*row->read)(cursor, place);
  }
  const bool null = cursor.peek() == 'n';
  cursor.skip();
  if (null) return true;
  auto* word = make<Word>(workspace_.arena);
  if (word == nullptr || !unescape_into(workspace_.arena, key, word->plain)) return no_memory();
  request_.unknown.append(word);
  return true;
}

bool RequestReader::read_members(Cursor& cursor, bool within_extra_body) {
  if (!cursor.enter_object()) return expected({nullptr, "body"}, "an object", cursor.peek());
  std::string_view key;
  while (cursor.next_key(key)) {
    if (!read_field(cursor, key, within_extra_body)) return false;
  }
  return true;
}

bool RequestReader::read(std::string_view body) {
  Cursor cursor(body);
  if (!read_members(cursor, false)) return false;
  if (cursor.failed()) return refuse_at({nullptr, "body"}, "valid JSON");
  return finish();
}

bool RequestReader::finish() {
  if (!messages_given_) return refuse_at({nullptr, "messages"}, "an array of messages");
  request_.output_tokens_max = max_completion_tokens_ >= 0 ? max_completion_tokens_ : max_tokens_;
  if (safety_identifier_.given()) request_.user = safety_identifier_;
  return check_tool_choice();
}

}  // namespace hyperion::dialect::openai_chat
