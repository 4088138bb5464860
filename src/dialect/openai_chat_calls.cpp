#include <cstdio>

#include "dialect/openai_chat_reader.h"
#include "dialect/text.h"

namespace hyperion::dialect::openai_chat {
namespace {

// LiteLLM's clients carry Gemini's signature in the call's id.
constexpr std::string_view thought_separator = "__thought__";

}  // namespace

bool RequestReader::read_tool_calls(std::string_view list, const Place& place, Message& message) {
  Cursor cursor(list);
  if (!cursor.enter_array()) return expected(place, "an array of tool calls", cursor.peek());
  int64_t index = 0;
  for (; cursor.next_element(); ++index) {
    Part* call = add_part(message.parts, PartKind::tool_call, static_cast<uint32_t>(index));
    if (call == nullptr) return no_memory();
    if (!read_tool_call(cursor, place.element(index), *call)) return false;
  }
  return index > 0 || expected(place, "at least one tool call, got an empty array");
}

bool RequestReader::read_tool_call(Cursor& cursor, const Place& place, Part& call) {
  const char given = cursor.peek();
  if (!cursor.enter_object()) return expected(place, "an object", given);
  std::string_view type, function, custom, key;
  while (cursor.next_key(key)) {
    const Place at = place.member(key);
    bool right = true;
    if (key == "id") {
      right = read_call_id(cursor, at, call.id, &call.signature);
    } else if (key == "type") {
      right = read_plain(cursor, at, type);
    } else if (key == "function") {
      cursor.read_raw(function);
    } else if (key == "custom") {
      cursor.read_raw(custom);
    } else if (key == "extra_content") {
      std::string_view extra;
      cursor.read_raw(extra);
      right = read_extra_content(extra, call);
    } else {
      cursor.skip();
    }
    if (!right) return false;
  }
  if (call.id.empty()) return expected(place.member("id"), "the call's id");
  // Some clients leave the type out; OpenAI's only other one is told by its member.
  if (type == "custom") return read_custom_call(custom, place.member("custom"), call);
  if (!type.empty() && type != "function") {
    return expected(place.member("type"), "one of function and custom");
  }
  return read_called_function(function, place.member("function"), call);
}

bool RequestReader::read_called_function(std::string_view object, const Place& place, Part& call) {
  Cursor cursor(object);
  if (!cursor.enter_object()) return expected(place, "an object with name and arguments");
  bool arguments = false;
  std::string_view key;
  while (cursor.next_key(key)) {
    if (key == "name") {
      if (!read_plain(cursor, place.member(key), call.name)) return false;
    } else if (key == "arguments") {
      if (!read_arguments(cursor, place.member(key), call)) return false;
      arguments = true;
    } else {
      cursor.skip();
    }
  }
  if (call.name.empty()) return expected(place.member("name"), "the function's name");
  return arguments || expected(place.member("arguments"), "a string that holds a JSON object");
}

// A string that holds a JSON object. Models write none at all, or another value, and clients send
// that back: it is made an object, as everyone else needs one.
bool RequestReader::read_arguments(Cursor& cursor, const Place& place, Part& call) {
  const char given = cursor.peek();
  if (given != '"') return expected(place, "a string that holds a JSON object", given);
  std::string_view inside;
  cursor.read_string(inside);
  call.arguments_escaped = true;
  if (is_json_object_escaped(inside, workspace_.scratch)) {
    call.arguments.bytes = inside;
    return true;
  }
  call.arguments.bytes = "{}";
  const size_t first = inside.find_first_not_of(" \t");
  if (first == std::string_view::npos || inside == "null") return true;
  // Is it JSON at all? The same check takes objects only: so, put into one.
  constexpr std::string_view before = R"({\"value\":)";
  std::string_view wrapped;
  Arena& arena = workspace_.arena;
  if (before.size() + inside.size() + 1 > Block::capacity()) {
    return expected(place, "a string that holds a JSON object");
  }
  if (!arena.append(wrapped, before) || !arena.append(wrapped, inside) ||
      !arena.append(wrapped, "}")) {
    return no_memory();
  }
  if (!is_json_object_escaped(wrapped, workspace_.scratch)) {
    return expected(place, "a string that holds a JSON object");
  }
  call.arguments.bytes = wrapped;
  return true;
}

// A call of a free-text tool: a function of one string.
bool RequestReader::read_custom_call(std::string_view object, const Place& place, Part& call) {
  Cursor cursor(object);
  if (!cursor.enter_object()) return expected(place, "an object with name and input");
  Raw input;
  std::string_view key;
  while (cursor.next_key(key)) {
    if (key == "name") {
      if (!read_plain(cursor, place.member(key), call.name)) return false;
    } else if (key == "input") {
      if (!read_text(cursor, place.member(key), input)) return false;
    } else {
      cursor.skip();
    }
  }
  if (call.name.empty()) return expected(place.member("name"), "the tool's name");
  if (!input.given()) return expected(place.member("input"), "a string");
  constexpr std::string_view before = R"({"input":")";
  constexpr std::string_view after = R"("})";
  if (before.size() + input.bytes.size() + after.size() > Block::capacity()) {
    return expected(place.member("input"), "a text of at most 16 KiB");
  }
  Arena& arena = workspace_.arena;
  return (arena.append(call.arguments.bytes, before) &&
          arena.append(call.arguments.bytes, input.bytes) &&
          arena.append(call.arguments.bytes, after)) ||
         no_memory();
}

// {"google": {"thought_signature": ".."}}
bool RequestReader::read_extra_content(std::string_view object, Part& call) {
  Cursor cursor(object);
  if (!cursor.enter_object()) return true;
  std::string_view key;
  while (cursor.next_key(key)) {
    if (key != "google" || !cursor.enter_object()) {
      cursor.skip();
      continue;
    }
    while (cursor.next_key(key)) {
      if (key != "thought_signature" || cursor.peek() != '"') {
        cursor.skip();
        continue;
      }
      cursor.read_string(call.signature.bytes);
      call.signature_of = maker_of(call.signature.bytes, Maker::gemini);
    }
  }
  return true;
}

bool RequestReader::read_call_id(Cursor& cursor, const Place& place, std::string_view& id,
                                 Raw* signature) {
  Raw text;
  if (!read_text(cursor, place, text)) return false;
  if (!text.given()) return true;
  const size_t at = text.bytes.find(thought_separator);
  if (at != std::string_view::npos && at > 0) {
    if (signature != nullptr && !signature->given()) {
      signature->bytes = text.bytes.substr(at + thought_separator.size());
    }
    text.bytes = text.bytes.substr(0, at);
  }
  return unescape_into(workspace_.arena, text.bytes, id) || no_memory();
}

// The call of the time before `tools`: it has no id, so it gets one by its place.
bool RequestReader::read_legacy_call(std::string_view object, const Place& place,
                                     Message& message) {
  Part* call = add_part(message.parts, PartKind::tool_call, 0);
  if (call == nullptr) return no_memory();
  char id[32];
  const int size = std::snprintf(id, sizeof(id), "call_%u", message.index);
  call->id = workspace_.arena.copy({id, static_cast<size_t>(size)});
  if (call->id.data() == nullptr) return no_memory();
  return read_called_function(object, place, *call);
}

bool RequestReader::begin_calls(Message& message, const Place& place) {
  caller_ = &message;
  unanswered_ = 0;
  answered_.reset();
  for (Part* part = message.parts.first; part != nullptr; part = part->next) {
    if (part->kind != PartKind::tool_call) continue;
    ++unanswered_;
    if (part->signature.given() && part->signature_of == Maker::unknown) {
      part->signature_of = maker_of(part->signature.bytes, Maker::gemini);
    }
  }
  if (unanswered_ > calls_per_message_max) {
    return expected(place.member("tool_calls"), "at most 1024 tool calls");
  }
  return true;
}

// The first call of that id (or name) that has no result yet.
Part* RequestReader::answer_call(std::string_view id, bool by_name) {
  if (unanswered_ == 0) return nullptr;
  size_t at = 0;
  for (Part* part = caller_->parts.first; part != nullptr; part = part->next) {
    if (part->kind != PartKind::tool_call) continue;
    if (!answered_[at] && (by_name ? part->name : part->id) == id) {
      answered_.set(at);
      --unanswered_;
      return part;
    }
    ++at;
  }
  return nullptr;
}

bool RequestReader::check_all_answered() {
  if (unanswered_ == 0) return true;
  size_t at = 0;
  const Part* part = caller_->parts.first;
  for (; part != nullptr; part = part->next) {
    if (part->kind == PartKind::tool_call && !answered_[at++]) break;
  }
  unanswered_ = 0;
  if (part == nullptr) return true;
  const Place list{nullptr, "messages"};
  const Place message = list.element(caller_->index);
  const Place calls = message.member("tool_calls");
  const Place call = calls.element(part->index);
  char what[160];
  std::snprintf(what, sizeof(what),
                "a message of role tool with `tool_call_id` \"%.*s\" to follow at once",
                static_cast<int>(part->id.size() < 64 ? part->id.size() : 64), part->id.data());
  return expected(call.member("id"), what);
}

}  // namespace hyperion::dialect::openai_chat
