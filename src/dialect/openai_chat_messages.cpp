#include "dialect/openai_chat_reader.h"
#include "dialect/text.h"

namespace hyperion::dialect::openai_chat {
namespace {

constexpr const char* roles = "one of system, developer, user, assistant, tool and function";

struct RoleRow {
  std::string_view name;
  Role role;
  bool legacy;
};
constexpr RoleRow role_rows[] = {
    {"system", Role::system, false}, {"developer", Role::system, false},
    {"user", Role::user, false},     {"assistant", Role::assistant, false},
    {"tool", Role::tool, false},     {"function", Role::tool, true},
};

// Not given, or null.
bool is_absent(std::string_view value) { return value.empty() || value == "null"; }

}  // namespace

// The values of a message as they stood: the role may be named last.
struct RequestReader::MessageFields {
  std::string_view role, content, name, refusal, audio, cache_control;
  std::string_view tool_calls, tool_call_id, function_call;
  std::string_view reasoning_content, reasoning, thinking_blocks;
  bool legacy = false;

  std::string_view* find(std::string_view key) {
    struct Row {
      std::string_view name;
      std::string_view MessageFields::*value;
    };
    static constexpr Row rows[] = {
        {"role", &MessageFields::role},
        {"content", &MessageFields::content},
        {"name", &MessageFields::name},
        {"tool_calls", &MessageFields::tool_calls},
        {"tool_call_id", &MessageFields::tool_call_id},
        {"refusal", &MessageFields::refusal},
        {"audio", &MessageFields::audio},
        {"function_call", &MessageFields::function_call},
        {"reasoning_content", &MessageFields::reasoning_content},
        {"reasoning", &MessageFields::reasoning},
        {"thinking_blocks", &MessageFields::thinking_blocks},
        {"cache_control", &MessageFields::cache_control},
        {"prompt_cache_breakpoint", &MessageFields::cache_control},
    };
    for (const Row& row : rows) {
      if (row.name == key) return &(this->*row.value);
    }
    return nullptr;
  }
};

bool RequestReader::read_messages(Cursor& cursor, const Place& place) {
  request_.messages = {};
  const char given = cursor.peek();
  if (!cursor.enter_array()) return expected(place, "an array of messages", given);
  messages_given_ = true;
  int64_t index = 0;
  for (; cursor.next_element(); ++index) {
    if (!read_message(cursor, place.element(index))) return false;
  }
  if (index == 0) return expected(place, "at least one message, got an empty array");
  return check_all_answered();
}

bool RequestReader::read_message(Cursor& cursor, const Place& place) {
  const char given = cursor.peek();
  if (!cursor.enter_object()) return expected(place, "an object", given);
  MessageFields fields;
  std::string_view key;
  while (cursor.next_key(key)) {
    std::string_view ignored;
    std::string_view* value = fields.find(key);
    cursor.read_raw(value != nullptr ? *value : ignored);
  }
  std::string_view name;
  Cursor role_cursor(fields.role);
  if (fields.role.empty()) return expected(place.member("role"), roles);
  if (!read_plain(role_cursor, place.member("role"), name)) return false;
  const RoleRow* row = nullptr;
  for (const RoleRow& each : role_rows) {
    if (each.name == name) row = &each;
  }
  if (row == nullptr) return expected(place.member("role"), roles);
  if (row->role != Role::tool && !check_all_answered()) return false;

  auto* message = make<Message>(workspace_.arena);
  if (message == nullptr) return no_memory();
  message->role = row->role;
  message->index = static_cast<uint32_t>(place.index);
  fields.legacy = row->legacy;
  if (!is_absent(fields.name) && !row->legacy) {
    Cursor name_cursor(fields.name);
    if (!read_plain(name_cursor, place.member("name"), message->name)) return false;
  }
  request_.messages.append(message);
  if (row->role == Role::tool) return read_tool_result(fields, place, *message);
  if (row->role == Role::assistant) return read_assistant(fields, place, *message);
  if (!read_content(fields.content, place.member("content"), row->role, message->parts)) {
    return false;
  }
  // LiteLLM's clients mark a message whose content is a string.
  const CacheMark mark = read_mark(fields.cache_control);
  if (mark != CacheMark::none && message->parts.last != nullptr) message->parts.last->cache = mark;
  return true;
}

bool RequestReader::read_assistant(const MessageFields& fields, const Place& place,
                                   Message& message) {
  if (!read_reasoning_parts(fields, place, message)) return false;
  const bool calls = !is_absent(fields.tool_calls) || !is_absent(fields.function_call);
  const bool refused = !is_absent(fields.refusal);
  if (!is_absent(fields.content)) {
    // An empty text beside calls says nothing, and some providers refuse it.
    const bool empty = fields.content == "\"\"" || fields.content == "[]";
    if (!(empty && (calls || refused)) &&
        !read_content(fields.content, place.member("content"), Role::assistant, message.parts)) {
      return false;
    }
  } else if (!is_absent(fields.audio)) {
    return expected(place.member("audio"),
                    "the answer's text in `content`: an earlier answer in sound is not kept");
  } else if (!calls && !refused && message.parts.empty()) {
    return expected(place.member("content"), "a string or an array of parts, or `tool_calls`");
  }
  if (refused) {
    Part* part = add_part(message.parts, PartKind::refusal, 0);
    if (part == nullptr) return no_memory();
    Cursor cursor(fields.refusal);
    if (!read_text(cursor, place.member("refusal"), part->text)) return false;
  }
  const CacheMark mark = read_mark(fields.cache_control);
  if (mark != CacheMark::none && message.parts.last != nullptr) message.parts.last->cache = mark;
  const Place at = place.member("tool_calls");
  if (!is_absent(fields.tool_calls) && !read_tool_calls(fields.tool_calls, at, message)) {
    return false;
  }
  if (!is_absent(fields.function_call) &&
      !read_legacy_call(fields.function_call, place.member("function_call"), message)) {
    return false;
  }
  return begin_calls(message, place);
}

// Thinking stands first in the turn. Blocks have it with its signature; the same text may stand
// beside them in reasoning_content.
bool RequestReader::read_reasoning_parts(const MessageFields& fields, const Place& place,
                                         Message& message) {
  if (!is_absent(fields.thinking_blocks)) {
    const Place at = place.member("thinking_blocks");
    if (!read_thinking_blocks(fields.thinking_blocks, at, message)) return false;
    if (!message.parts.empty()) return true;
  }
  const bool long_name = !is_absent(fields.reasoning_content);
  const std::string_view value = long_name ? fields.reasoning_content : fields.reasoning;
  if (is_absent(value) || value == "\"\"") return true;
  Raw text;
  Cursor cursor(value);
  const Place at = place.member(long_name ? "reasoning_content" : "reasoning");
  if (!read_text(cursor, at, text)) return false;
  Part* part = add_part(message.parts, PartKind::thinking, 0);
  if (part == nullptr) return no_memory();
  part->text = text;
  return true;
}

bool RequestReader::read_thinking_blocks(std::string_view list, const Place& place,
                                         Message& message) {
  Cursor cursor(list);
  if (!cursor.enter_array()) return expected(place, "an array of blocks", cursor.peek());
  for (int64_t i = 0; cursor.next_element(); ++i) {
    if (!read_part(cursor, place.element(i), Role::assistant, message.parts)) return false;
  }
  return true;
}

bool RequestReader::read_tool_result(const MessageFields& fields, const Place& place,
                                     Message& message) {
  const bool by_name = fields.legacy;
  const Place at = place.member(by_name ? "name" : "tool_call_id");
  const std::string_view value = by_name ? fields.name : fields.tool_call_id;
  std::string_view id;
  Cursor cursor(value);
  if (is_absent(value)) return expected(at, "the call that this answers");
  if (!read_call_id(cursor, at, id, nullptr)) return false;
  const Part* call = answer_call(id, by_name);
  if (call == nullptr) {
    return expected(at, by_name ? "the name of a `function_call` in the message before"
                                : "the id of one of the `tool_calls` in the message before, "
                                  "each of which is answered once");
  }
  Part* result = add_part(message.parts, PartKind::tool_result, 0);
  if (result == nullptr) return no_memory();
  result->id = call->id;
  result->name = call->name;
  if (is_absent(fields.content)) {
    return by_name || expected(place.member("content"), "a string or an array of parts");
  }
  if (fields.content != "[]" &&
      !read_content(fields.content, place.member("content"), Role::tool, result->content)) {
    return false;
  }
  result->cache = read_mark(fields.cache_control);
  for (const Part* part = result->content.first; part != nullptr; part = part->next) {
    if (part->cache != CacheMark::none) result->cache = part->cache;
  }
  return true;
}

}  // namespace hyperion::dialect::openai_chat
