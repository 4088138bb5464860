#include "dialect/anthropic_reader.h"
#include "dialect/text.h"

namespace hyperion::dialect::anthropic {
namespace {

constexpr std::string_view empty_arguments = "{}";

// What the provider ran or did by itself, told back by the client: no other dialect can say it, and
// new kinds appear monthly.
bool is_of_server(std::string_view type) {
  return type == "server_tool_use" || type == "mcp_tool_use" || type.ends_with("_tool_result") ||
         type == "compaction" || type == "fallback" || type == "container_upload";
}

}  // namespace

Message* RequestReader::add_message(Role role, uint32_t index) {
  auto* message = make<Message>(workspace_.arena);
  if (message == nullptr) return nullptr;
  message->role = role;
  message->index = index;
  return message;
}

bool RequestReader::read_messages(Cursor& cursor, const Place& place) {
  request_.messages = {};
  if (!cursor.enter_array()) return expected(place, "a list of messages", cursor.peek());
  messages_given_ = true;
  uint32_t index = 0;
  for (; cursor.next_element(); ++index) {
    const Place at = place.element(index);
    Json object;
    if (!require_object(cursor, at, object) || !read_message(object.bytes, at, index)) return false;
  }
  if (index == 0) return refuse_at(place, "expected at least one message");
  return !results_due_ || check_all_answered();
}

bool RequestReader::read_message(std::string_view object, const Place& place, uint32_t index) {
  Cursor cursor(object);
  cursor.enter_object();
  Raw role;
  std::string_view content;
  std::string_view key;
  while (cursor.next_key(key)) {
    if (key == "role") {
      if (!require_text(cursor, place.member(key), role)) return false;
    } else if (key == "content") {
      cursor.read_raw(content);
    } else {
      cursor.skip();
    }
  }
  const Place at = place.member("content");
  if (content.empty()) return refuse_at(at, "expected a string or a list of blocks, got nothing");
  if (role.bytes == "user") return read_user(content, at, index);
  if (role.bytes == "assistant") return read_assistant(content, at, index);
  if (role.bytes != "system")
    return refuse_at(place.member("role"), "expected \"user\", \"assistant\" or \"system\"");
  Message* message = add_message(Role::system, index);
  if (message == nullptr) return no_memory();
  request_.messages.append(message);
  return read_texts(content, at, *message);
}

bool RequestReader::read_texts(std::string_view content, const Place& place, Message& message) {
  bool was_string = false;
  if (!read_string_content(content, place, message.parts, was_string)) return false;
  if (was_string) return true;
  Cursor cursor(content);
  if (!cursor.enter_array())
    return expected(place, "a string or a list of text blocks", cursor.peek());
  for (uint32_t i = 0; cursor.next_element(); ++i) {
    const Place at = place.element(i);
    Block block;
    block.index = i;
    if (!read_block(cursor, at, block)) return false;
    if (block.type != "text") return refuse_at(at.member("type"), "expected \"text\"");
    if (!read_text_block(block, at, message.parts)) return false;
  }
  return true;
}

// A turn of the user may hold the results of tools: they become a message of their own, in front of
// what the user says, whatever their order.
bool RequestReader::read_user(std::string_view content, const Place& place, uint32_t index) {
  Message* results = add_message(Role::tool, index);
  Message* message = add_message(Role::user, index);
  if (results == nullptr || message == nullptr) return no_memory();
  bool was_string = false;
  if (!read_string_content(content, place, message->parts, was_string)) return false;
  if (!calls_.empty()) results_due_ = true;
  if (!was_string) {
    Cursor cursor(content);
    if (!cursor.enter_array())
      return expected(place, "a string or a list of blocks", cursor.peek());
    uint32_t i = 0;
    for (; cursor.next_element(); ++i) {
      const Place at = place.element(i);
      Block block;
      block.index = i;
      if (!read_block(cursor, at, block)) return false;
      const bool good =
          block.type == "tool_result"
              ? read_result(block, at, *results)
              : is_of_server(block.type) || read_content_block(block, at, message->parts);
      if (!good) return false;
    }
    if (i == 0) return refuse_at(place, "expected at least one block");
  }
  if (!results->parts.empty()) request_.messages.append(results);
  if (!message->parts.empty()) request_.messages.append(message);
  return true;
}

bool RequestReader::read_assistant(std::string_view content, const Place& place, uint32_t index) {
  if (results_due_) {
    if (!check_all_answered()) return false;
    calls_.clear();
    results_due_ = false;
  }
  caller_index_ = index;
  call_signature_ = {};
  Message* message = add_message(Role::assistant, index);
  if (message == nullptr) return no_memory();
  request_.messages.append(message);
  bool was_string = false;
  if (!read_string_content(content, place, message->parts, was_string)) return false;
  if (was_string) return true;
  Cursor cursor(content);
  if (!cursor.enter_array()) return expected(place, "a string or a list of blocks", cursor.peek());
  for (uint32_t i = 0; cursor.next_element(); ++i) {
    const Place at = place.element(i);
    Block block;
    block.index = i;
    if (!read_block(cursor, at, block)) return false;
    if (is_of_server(block.type)) continue;
    bool good = true;
    if (block.type == "tool_use") {
      good = read_call(block, at, *message);
    } else if (block.type == "thinking" || block.type == "redacted_thinking") {
      good = read_thinking_block(block, at, message->parts);
    } else {
      good = read_content_block(block, at, message->parts);
    }
    if (!good) return false;
    if (block.type != "redacted_thinking") call_signature_ = {};
  }
  return true;
}

bool RequestReader::read_call(const Block& block, const Place& place, Message& message) {
  Part* call = add_part(message.parts, PartKind::tool_call, block);
  if (call == nullptr) return no_memory();
  Cursor id(block.id);
  Cursor name(block.name);
  if (!require_plain(id, place.member("id"), call->id)) return false;
  if (!require_plain(name, place.member("name"), call->name)) return false;
  if (call->id.empty()) return refuse_at(place.member("id"), "expected an id, got nothing");
  if (call->name.empty()) return refuse_at(place.member("name"), "expected a name, got nothing");
  if (!block.input.empty() && block.input.front() != '{')
    return expected(place.member("input"), "an object", block.input.front());
  call->arguments = {block.input.empty() ? empty_arguments : block.input};
  call->signature = call_signature_;
  if (call_signature_.given()) call->signature_of = Maker::gemini;
  switch (calls_.add(call->id)) {
    case CallSet::Added::yes: return true;
    case CallSet::Added::repeated:
      return refuse_at(place.member("id"), "this id was given to another call of the same turn");
    case CallSet::Added::full: break;
  }
  return refuse_at(place, "at most 512 tool calls may stand in one turn");
}

bool RequestReader::read_result(const Block& block, const Place& place, Message& message) {
  Part* result = add_part(message.parts, PartKind::tool_result, block);
  if (result == nullptr) return no_memory();
  Cursor id(block.tool_use_id);
  const Place id_place = place.member("tool_use_id");
  if (!require_plain(id, id_place, result->id)) return false;
  switch (calls_.answer(result->id)) {
    case CallSet::Answered::yes: break;
    case CallSet::Answered::unknown:
      return refuse_at(id_place, "no tool_use block of the turn before has this id");
    case CallSet::Answered::repeated:
      return refuse_at(id_place, "there is another tool_result block for this id");
  }
  Flag is_error = Flag::unset;
  if (!block.is_error.empty()) {
    Cursor flag(block.is_error);
    if (!read_flag(flag, place.member("is_error"), is_error)) return false;
  }
  result->is_error = is_error == Flag::yes;
  if (block.content.empty()) return true;
  return read_result_content(block.content, place.member("content"), *result);
}

bool RequestReader::check_all_answered() {
  if (calls_.all_answered()) return true;
  const Place messages{nullptr, "messages"};
  return refuse_at(messages.element(caller_index_),
                   "a tool_use block of this turn has no tool_result block in the turn after it");
}

}  // namespace hyperion::dialect::anthropic
