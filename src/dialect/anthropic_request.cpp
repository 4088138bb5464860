#include <cstdio>
#include <cstring>

#include "dialect/anthropic.h"
#include "dialect/anthropic_reader.h"
#include "dialect/text.h"
#include "json/key_names.h"

namespace hyperion::dialect::anthropic {
namespace {

const char* name_of_value(char first) {
  switch (first) {
    case '{': return "an object";
    case '[': return "an array";
    case '"': return "a string";
    case 't':
    case 'f': return "a boolean";
    case 'n': return "null";
    case '\0': return "nothing";
    default: return "a number";
  }
}

bool is_number(char first) { return first == '-' || (first >= '0' && first <= '9'); }

// "messages[2].content[0].text"; what does not fit is left out.
size_t write_place(const Place& place, char* out, size_t capacity, size_t size = 0) {
  if (place.within != nullptr) size = write_place(*place.within, out, capacity, size);
  char piece[48];
  int length = 0;
  if (place.index >= 0) {
    length = std::snprintf(piece, sizeof(piece), "[%lld]", static_cast<long long>(place.index));
  } else if (!place.name.empty()) {
    length = std::snprintf(piece, sizeof(piece), "%s%.*s", size == 0 ? "" : ".",
                           static_cast<int>(place.name.size()), place.name.data());
  }
  const size_t added = static_cast<size_t>(length);
  if (added >= sizeof(piece) || size + added > capacity) return size;
  std::memcpy(out + size, piece, added);
  return size + added;
}

}  // namespace

bool RequestReader::refuse_at(const Place& place, const char* expected) {
  char param[sizeof(problem_.param)];
  const size_t size = write_place(place, param, sizeof(param) - 1);
  return refuse(problem_, "invalid_request", {param, size}, "`%.*s`: %s.", static_cast<int>(size),
                param, expected);
}

bool RequestReader::expected(const Place& place, const char* what, char given) {
  char text[160];
  std::snprintf(text, sizeof(text), "expected %s, got %s", what, name_of_value(given));
  return refuse_at(place, text);
}

bool RequestReader::take_null(Cursor& cursor) { return cursor.peek() == 'n' && cursor.skip(); }

bool RequestReader::read_text(Cursor& cursor, const Place& place, Raw& text) {
  if (cursor.peek() != '"') return expected(place, "a string", cursor.peek());
  return cursor.read_string(text.bytes) || refuse_at(place, "expected a string");
}

bool RequestReader::read_plain(Cursor& cursor, const Place& place, std::string_view& plain) {
  Raw text;
  if (!read_text(cursor, place, text)) return false;
  return unescape_into(workspace_.arena, text.bytes, plain) || no_memory();
}

bool RequestReader::read_flag(Cursor& cursor, const Place& place, Flag& flag) {
  const char first = cursor.peek();
  if (take_null(cursor)) return true;
  if (first != 't' && first != 'f') return expected(place, "true or false", first);
  flag = flag_of(first == 't');
  return cursor.skip();
}

bool RequestReader::read_count(Cursor& cursor, const Place& place, int64_t min, int64_t& count) {
  const char first = cursor.peek();
  if (take_null(cursor)) return true;
  if (!is_number(first)) return expected(place, "an integer", first);
  int64_t number = 0;
  if (!cursor.read_integer(number) || number < min) {
    char text[64];
    std::snprintf(text, sizeof(text), "expected an integer of at least %lld",
                  static_cast<long long>(min));
    return refuse_at(place, text);
  }
  count = number;
  return true;
}

bool RequestReader::read_number(Cursor& cursor, const Place& place, Json& number) {
  const char first = cursor.peek();
  if (take_null(cursor)) return true;
  if (!is_number(first)) return expected(place, "a number", first);
  return cursor.read_raw(number.bytes);
}

bool RequestReader::read_object(Cursor& cursor, const Place& place, Json& object) {
  if (cursor.peek() != '{') return expected(place, "an object", cursor.peek());
  return cursor.read_raw(object.bytes) || refuse_at(place, "expected an object");
}

bool RequestReader::enter_object(Cursor& cursor, const Place& place, bool& given) {
  given = !take_null(cursor);
  if (!given || cursor.enter_object()) return true;
  return expected(place, "an object", cursor.peek());
}

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
    if (!read_text(cursor, place.member("ttl"), ttl)) return false;
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

// A field that comes twice would be read as both.
bool RequestReader::is_second(std::string_view key) {
  for (size_t i = 0; i < seen_count_; ++i) {
    if (seen_[i] == key) return true;
  }
  if (seen_count_ < std::size(seen_)) seen_[seen_count_++] = key;
  return false;
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
    if (is_second(row->name)) return refuse_at(place, "expected it once, got it twice");
    return (this->*row->read)(cursor, place);
  }
  const bool is_null = cursor.peek() == 'n';
  cursor.skip();
  if (is_null) return true;
  auto* word = make<Word>(workspace_.arena);
  if (word == nullptr || !unescape_into(workspace_.arena, key, word->plain)) return no_memory();
  request_.unknown.append(word);
  return true;
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
  return read_count(cursor, place, 1, request_.output_tokens_max);
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
    if (!read_text(cursor, place.element(i), word->raw)) return false;
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
    } else if (!take_null(cursor) && !read_text(cursor, place.member(key), request_.user)) {
      return false;
    }
  }
  return true;
}

// In OpenAI's words, as all of the canonical request.
bool RequestReader::read_service_tier(Cursor& cursor, const Place& place) {
  if (take_null(cursor)) return true;
  if (!read_plain(cursor, place, request_.service_tier)) return false;
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
