#include "dialect/openai_chat_parts.h"
#include "dialect/openai_chat_reader.h"

namespace hyperion::dialect::openai_chat {
namespace {

constexpr int64_t choices_max = 128;      // OpenAI's schema, as of `n`
constexpr int64_t top_logprobs_max = 20;  // OpenAI's schema

}  // namespace

bool decode_request(std::string_view body, Workspace workspace, Request& request,
                    RequestProblem& problem) {
  return RequestReader(workspace, request, problem).read(body);
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
  if (take_null(cursor)) return true;
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
  if (take_null(cursor)) return true;
  const char given = cursor.peek();
  if (!cursor.enter_array()) return expected(place, "an array of text and audio", given);
  for (int64_t i = 0; cursor.next_element(); ++i) {
    const Place at = place.element(i);
    std::string_view word;
    if (!read_plain(cursor, at, word)) return false;
    if (word == "audio") {
      request_.audio_wanted = true;
    } else if (word != "text") {
      return expected(at, "text or audio");
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

bool RequestReader::read_field(Cursor& cursor, std::string_view key, bool within_extra_body) {
  if (!within_extra_body && (key == "extra_body" || key == "extraBody")) {
    if (cursor.peek() != '{') return read_ignored(cursor, Place{});
    return read_members(cursor, true);
  }
  if (const FieldRow* row = find_field(key)) {
    const Place place{nullptr, key};
    if (seen_.is_second(row->name)) return expected(place, "it once, got it twice");
    return (this->*row->read)(cursor, place);
  }
  const bool null = cursor.peek() == 'n';
  cursor.skip();
  if (null) return true;
  return note_unknown(key);
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
  if (cursor.failed()) return expected({nullptr, "body"}, "valid JSON");
  return finish();
}

bool RequestReader::finish() {
  if (!messages_given_) return expected({nullptr, "messages"}, "an array of messages");
  request_.output_tokens_max = max_completion_tokens_ >= 0 ? max_completion_tokens_ : max_tokens_;
  if (safety_identifier_.given()) request_.user = safety_identifier_;
  return check_tool_choice();
}

}  // namespace hyperion::dialect::openai_chat
