#include <cstdio>
#include <iterator>

#include "dialect/openai_responses_reader.h"
#include "dialect/text.h"
#include "json/body_scan.h"
#include "json/key_names.h"

namespace hyperion::dialect::openai_responses {

namespace {

constexpr int64_t output_tokens_most = 1'000'000'000;
constexpr int64_t top_logprobs_most = 20;  // OpenAI's reference

// Short names are shown, as they are words of the dialect more often than not.
bool is_word(std::string_view raw) {
  if (raw.size() > 64 || raw.size() < 3 || raw.front() != '"') return false;
  for (char c : inside_of(raw)) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!letter && !(c >= '0' && c <= '9') && c != '_' && c != '-' && c != '.') return false;
  }
  return true;
}

}  // namespace

bool decode_request(std::string_view body, Workspace workspace, Request& request,
                    RequestProblem& problem) {
  return RequestReader(workspace, request, problem).read(body);
}

// Values.

bool RequestReader::expected(const Place& place, const char* what, std::string_view given) {
  if (!is_word(given)) {
    return ValueReader::expected(place, what, given.empty() ? '\0' : given.front());
  }
  char message[sizeof(problem_.message)];
  std::snprintf(message, sizeof(message), "expected %s, got %.*s", what,
                static_cast<int>(given.size()), given.data());
  return refuse_at(place, message);
}

bool RequestReader::text(std::string_view raw, const Place& place, Raw& text) {
  if (raw.empty() || raw.front() != '"') return expected(place, "a string", raw);
  text.bytes = inside_of(raw);
  return true;
}

bool RequestReader::plain(std::string_view raw, const Place& place, std::string_view& plain) {
  Raw inside;
  if (!text(raw, place, inside)) return false;
  return unescape_into(workspace_.arena, inside.bytes, plain) || no_memory();
}

bool RequestReader::flag(std::string_view raw, const Place& place, Flag& flag) {
  if (raw != "true" && raw != "false") return expected(place, "a boolean", raw);
  flag = flag_of(raw == "true");
  return true;
}

bool RequestReader::integer(std::string_view raw, const Place& place, int64_t min, int64_t max,
                            int64_t& number) {
  int64_t read = 0;
  const bool ok = Cursor(raw).read_integer(read);
  if (ok && read >= min && read <= max) {
    number = read;
    return true;
  }
  char what[64];
  std::snprintf(what, sizeof(what), "an integer from %lld to %lld", static_cast<long long>(min),
                static_cast<long long>(max));
  if (!ok) return expected(place, what, raw);
  char message[128];
  std::snprintf(message, sizeof(message), "expected %s, got %lld", what,
                static_cast<long long>(read));
  return refuse_at(place, message);
}

bool RequestReader::number(std::string_view raw, const Place& place, Json& number) {
  const char first = raw.front();
  if (first != '-' && (first < '0' || first > '9')) return expected(place, "a number", raw);
  number.bytes = raw;
  return true;
}

bool RequestReader::object(std::string_view raw, const Place& place, Json& object) {
  if (raw.front() != '{') return expected(place, "an object", raw);
  object.bytes = raw;
  return true;
}

// The top level. What a row reads may depend on the rows above it.

const RequestReader::FieldRow RequestReader::field_rows[] = {
    {"previous_response_id", &RequestReader::read_stateful},
    {"conversation", &RequestReader::read_stateful},
    {"prompt", &RequestReader::read_stateful},
    {"background", &RequestReader::read_background},
    {"stream", &RequestReader::read_stream},
    {"stream_options", &RequestReader::read_stream_options},
    {"store", &RequestReader::read_store},
    {"metadata", &RequestReader::read_metadata},
    {"include", &RequestReader::read_include},
    {"max_output_tokens", &RequestReader::read_max_output_tokens},
    {"temperature", &RequestReader::read_temperature},
    {"top_p", &RequestReader::read_top_p},
    {"top_logprobs", &RequestReader::read_top_logprobs},
    {"reasoning", &RequestReader::read_reasoning},
    {"text", &RequestReader::read_text},
    {"safety_identifier", &RequestReader::read_user},
    {"user", &RequestReader::read_user},
    {"service_tier", &RequestReader::read_service_tier},
    {"truncation", &RequestReader::read_truncation},
    {"parallel_tool_calls", &RequestReader::read_parallel_tool_calls},
    {"tools", &RequestReader::read_tools},
    {"tool_choice", &RequestReader::read_tool_choice},
    {"instructions", &RequestReader::read_instructions},
    {"input", &RequestReader::read_input},
};

size_t RequestReader::fields_count() {
  static_assert(std::size(field_rows) <= fields_max_count);
  return std::size(field_rows);
}

bool RequestReader::read(std::string_view body) {
  if (!gather_fields(body, false)) return false;
  // A summary of the reasoning is shown where it is asked for.
  request_.thinking_shown = Flag::no;
  for (size_t i = 0; i < fields_count(); ++i) {
    const FieldRow& row = field_rows[i];
    const Place place{nullptr, row.name};
    if (row.name == "input" && fields_[i].empty()) {
      return refuse_at(place, "expected a string or a list of items, got nothing");
    }
    const Handler read_field = row.read;
    if (!fields_[i].empty() && !(this->*read_field)(fields_[i], place)) return false;
  }
  if (request_.messages.empty()) {
    return refuse_at({nullptr, "input"}, "expected at least one message");
  }
  // The usage is part of every answer in this dialect.
  request_.include_usage = true;
  return true;
}

bool RequestReader::gather_fields(std::string_view body, bool within_extra_body) {
  Cursor cursor(body);
  if (!cursor.enter_object()) return expected(Place{nullptr, "body"}, "an object", body);
  std::string_view key;
  std::string_view raw;
  while (cursor.next_key(key)) {
    if (!cursor.read_raw(raw)) break;
    size_t row = 0;
    while (row < fields_count() && field_rows[row].name != key) ++row;
    if (row < fields_count()) {
      if (!fields_[row].empty()) {
        return refuse_at({nullptr, field_rows[row].name}, "expected it once, got it twice");
      }
      fields_[row] = raw == "null" ? std::string_view() : raw;
      continue;
    }
    const json::Key known = json::find_key(key);
    const bool extra = known == json::Key::extra_body || known == json::Key::extra_body_camel;
    if (extra && !within_extra_body && raw.front() == '{') {
      if (!gather_fields(raw, true)) return false;
    } else if (known != json::Key::model && !json::is_own(known) && raw != "null") {
      if (!note_unknown(key)) return false;
    }
  }
  if (!cursor.failed()) return true;
  return refuse_at(Place{nullptr, "body"}, "it is nested too deep");
}

bool RequestReader::read_stateful(std::string_view, const Place& place) {
  return refuse_unsupported(
      place,
      "is not supported here, as nothing is stored between requests. Send the whole "
      "conversation as `input`");
}

bool RequestReader::read_background(std::string_view raw, const Place& place) {
  Flag background = Flag::unset;
  if (!flag(raw, place, background)) return false;
  if (background != Flag::yes) return true;
  return refuse_unsupported(place, "is not supported here, as nothing is stored between requests");
}

bool RequestReader::read_include(std::string_view raw, const Place& place) {
  Cursor cursor(raw);
  if (!cursor.enter_array()) return expected(place, "a list of strings", raw);
  std::string_view item;
  for (int64_t i = 0; cursor.next_element(); ++i) {
    if (!cursor.read_raw(item)) break;
    const Place at = place.element(i);
    Raw name;
    if (!text(item, at, name)) return false;
    // Encrypted reasoning is always given; the other names are of tools run by the provider.
    if (name.bytes == "message.output_text.logprobs") request_.logprobs = true;
  }
  return true;
}

bool RequestReader::read_max_output_tokens(std::string_view raw, const Place& place) {
  return integer(raw, place, 1, output_tokens_most, request_.output_tokens_max);
}

bool RequestReader::read_metadata(std::string_view raw, const Place& place) {
  Json metadata;
  if (!object(raw, place, metadata)) return false;
  Cursor cursor(raw);
  cursor.enter_object();
  std::string_view key;
  if (cursor.next_key(key)) request_.metadata = metadata;
  return true;
}

bool RequestReader::read_parallel_tool_calls(std::string_view raw, const Place& place) {
  return flag(raw, place, request_.parallel_tool_calls);
}

bool RequestReader::read_reasoning(std::string_view raw, const Place& place) {
  Member fields[] = {{"effort", {}}, {"summary", {}}, {"generate_summary", {}}};
  if (!members(raw, place, fields)) return false;
  if (!fields[0].raw.empty()) {
    const std::string_view name = inside_of(fields[0].raw);
    for (int i = 0; i < static_cast<int>(catalog::Effort::count); ++i) {
      const auto effort = static_cast<catalog::Effort>(i);
      if (name != catalog::name_of(effort)) continue;
      request_.effort_given = true;
      request_.effort = effort;
    }
    const Place at = place.member("effort");
    if (!request_.effort_given) {
      return expected(at, "none, minimal, low, medium, high, xhigh or max", fields[0].raw);
    }
  }
  const size_t summary = fields[1].raw.empty() ? 2 : 1;
  if (fields[summary].raw.empty()) return true;
  const std::string_view wanted = inside_of(fields[summary].raw);
  if (wanted != "auto" && wanted != "concise" && wanted != "detailed") {
    return expected(place.member(fields[summary].name), "auto, concise or detailed",
                    fields[summary].raw);
  }
  request_.thinking_shown = Flag::yes;
  return true;
}

bool RequestReader::read_user(std::string_view raw, const Place& place) {
  return text(raw, place, request_.user);
}

bool RequestReader::read_service_tier(std::string_view raw, const Place& place) {
  return plain(raw, place, request_.service_tier);
}

bool RequestReader::read_store(std::string_view raw, const Place& place) {
  return flag(raw, place, request_.store);
}

bool RequestReader::read_stream(std::string_view raw, const Place& place) {
  Flag stream = Flag::unset;
  if (!flag(raw, place, stream)) return false;
  request_.stream = stream == Flag::yes;
  return true;
}

// Its one option concerns padding against eavesdroppers, which no translated stream has.
bool RequestReader::read_stream_options(std::string_view raw, const Place& place) {
  Json options;
  return object(raw, place, options);
}

bool RequestReader::read_temperature(std::string_view raw, const Place& place) {
  return number(raw, place, request_.temperature);
}

bool RequestReader::read_top_p(std::string_view raw, const Place& place) {
  return number(raw, place, request_.top_p);
}

bool RequestReader::read_top_logprobs(std::string_view raw, const Place& place) {
  if (!integer(raw, place, 0, top_logprobs_most, request_.top_logprobs)) return false;
  if (request_.top_logprobs > 0) request_.logprobs = true;
  return true;
}

bool RequestReader::read_truncation(std::string_view raw, const Place& place) {
  const std::string_view mode = inside_of(raw);
  if (mode == "auto") return note_unknown("truncation");
  return mode == "disabled" || expected(place, "auto or disabled", raw);
}

}  // namespace hyperion::dialect::openai_responses
