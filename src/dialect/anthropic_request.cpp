#include "dialect/anthropic.h"
#include "dialect/anthropic_reader.h"
#include "json/key_names.h"

namespace hyperion::dialect::anthropic {

bool RequestReader::read_mark(Cursor& cursor, const Place& place, CacheMark& mark) {
  bool given = false;
  if (!enter_object(cursor, place, given)) return false;
  if (!given) return true;
  mark = CacheMark::short_lived;
  std::string_view key;
  while (cursor.next_key(key)) {
    if (key != "ttl" || take_null(cursor)) {
      if (key != "ttl") cursor.skip();
      continue;
    }
    Raw ttl;
    if (!require_text(cursor, place.member("ttl"), ttl)) return false;
    if (ttl.bytes == "1h") mark = CacheMark::one_hour;
    if (ttl.bytes != "1h" && ttl.bytes != "5m")
      return refuse_at(place.member("ttl"), "expected \"5m\" or \"1h\"");
  }
  return true;
}

bool RequestReader::read(std::string_view body, bool counting) {
  // Thinking is shown where it is asked for, and the usage always told.
  request_.thinking_shown = Flag::no;
  request_.include_usage = true;
  Cursor cursor(body);
  if (!cursor.enter_object())
    return refuse(problem_, "invalid_request", {}, "The request must be a JSON object.");
  return read_members(cursor, false) && finish(counting);
}

bool RequestReader::read_members(Cursor& cursor, bool within_extra_body) {
  std::string_view key;
  while (cursor.next_key(key)) {
    if (!read_field(cursor, key, within_extra_body)) return false;
  }
  if (cursor.failed())
    return refuse(problem_, "invalid_request", {}, "The request is nested too deeply to be read.");
  return true;
}

bool RequestReader::read_field(Cursor& cursor, std::string_view key, bool within_extra_body) {
  const json::Key own = json::find_key(key);
  // Some SDKs nest it literally: what it holds stands for the top (contract, section 2).
  const bool is_extra_body = own == json::Key::extra_body || own == json::Key::extra_body_camel;
  if (is_extra_body && !within_extra_body && cursor.peek() == '{') {
    cursor.enter_object();
    return read_members(cursor, true);
  }
  if (own != json::Key::count && json::is_own(own)) return cursor.skip();
  const Place place{nullptr, key};
  if (const FieldRow* row = find_field(key)) {
    if (seen_.is_second(row->name)) return refuse_at(place, "expected it once, got it twice");
    return (this->*row->read)(cursor, place);
  }
  const bool is_null = cursor.peek() == 'n';
  cursor.skip();
  if (is_null) return true;
  return note_unknown(key);
}

const RequestReader::FieldRow* RequestReader::find_field(std::string_view key) {
  using R = RequestReader;
  static constexpr FieldRow rows[] = {
      {"model", &R::read_ignored},
      {"messages", &R::read_messages},
      {"system", &R::read_system},
      {"max_tokens", &R::read_max_tokens},
      {"stream", &R::read_stream},
      {"tools", &R::read_tools},
      {"tool_choice", &R::read_tool_choice},
      {"thinking", &R::read_thinking},
      {"output_config", &R::read_output_config},
      {"output_format", &R::read_format},  // of the beta, before output_config
      {"temperature", &R::number_field<&Request::temperature>},
      {"top_p", &R::number_field<&Request::top_p>},
      {"top_k", &R::number_field<&Request::top_k>},
      {"stop_sequences", &R::read_stop},
      {"metadata", &R::read_metadata},
      {"service_tier", &R::read_service_tier},
      {"cache_control", &R::read_cache_control},
  };
  for (const FieldRow& row : rows) {
    if (row.name == key) return &row;
  }
  return nullptr;
}

bool RequestReader::finish(bool counting) {
  const Place messages{nullptr, "messages"};
  const Place max_tokens{nullptr, "max_tokens"};
  if (!messages_given_) return refuse_at(messages, "expected a list of messages, got nothing");
  if (!counting && request_.output_tokens_max < 0)
    return refuse_at(max_tokens, "expected how many tokens may be generated, got nothing");
  if (system_ != nullptr) {
    system_->next = request_.messages.first;
    request_.messages.first = system_;
    if (request_.messages.last == nullptr) request_.messages.last = system_;
    ++request_.messages.count;
  }
  return check_tool_choice();
}

bool RequestReader::read_ignored(Cursor& cursor, const Place&) { return cursor.skip(); }

bool RequestReader::read_max_tokens(Cursor& cursor, const Place& place) {
  return read_count(cursor, place, 1, tokens_max, request_.output_tokens_max);
}

bool RequestReader::read_system(Cursor& cursor, const Place& place) {
  system_ = nullptr;
  if (take_null(cursor)) return true;
  std::string_view content;
  cursor.read_raw(content);
  system_ = make<Message>(workspace_.arena);
  if (system_ == nullptr) return no_memory();
  system_->role = Role::system;
  return read_texts(content, place, *system_);
}

bool RequestReader::read_stop(Cursor& cursor, const Place& place) {
  request_.stop = {};
  if (take_null(cursor)) return true;
  if (!cursor.enter_array()) return expected(place, "a list of strings", cursor.peek());
  for (int64_t i = 0; cursor.next_element(); ++i) {
    auto* word = make<Word>(workspace_.arena);
    if (word == nullptr) return no_memory();
    if (!require_text(cursor, place.element(i), word->raw)) return false;
    request_.stop.append(word);
  }
  return true;
}

bool RequestReader::read_stream(Cursor& cursor, const Place& place) {
  Flag stream = Flag::unset;
  if (!read_flag(cursor, place, stream)) return false;
  request_.stream = stream == Flag::yes;
  return true;
}

bool RequestReader::read_metadata(Cursor& cursor, const Place& place) {
  bool given = false;
  if (!enter_object(cursor, place, given)) return false;
  std::string_view key;
  while (given && cursor.next_key(key)) {
    if (key != "user_id") {
      cursor.skip();
    } else if (!read_text(cursor, place.member(key), request_.user)) {
      return false;
    }
  }
  return true;
}

// In OpenAI's words, as all of the canonical request.
bool RequestReader::read_service_tier(Cursor& cursor, const Place& place) {
  if (take_null(cursor)) return true;
  if (!require_plain(cursor, place, request_.service_tier)) return false;
  if (request_.service_tier == "standard_only") request_.service_tier = "default";
  return true;
}

bool RequestReader::read_cache_control(Cursor& cursor, const Place& place) {
  CacheMark mark = CacheMark::none;
  if (!read_mark(cursor, place, mark)) return false;
  request_.cache_automatic = mark != CacheMark::none;
  return true;
}

bool decode_request(std::string_view body, Workspace workspace, Request& request,
                    RequestProblem& problem) {
  return RequestReader(workspace, request, problem).read(body, false);
}

bool decode_count_request(std::string_view body, Workspace workspace, Request& request,
                          RequestProblem& problem) {
  return RequestReader(workspace, request, problem).read(body, true);
}

}  // namespace hyperion::dialect::anthropic
