#include <iterator>

#include "dialect/openai_responses_reader.h"
#include "dialect/text.h"
#include "json/cursor.h"

namespace hyperion::dialect::openai_responses {

namespace {

// The members of an item that are read, by place.
enum ItemField : size_t {
  item_type,
  item_role,
  item_content,
  item_id,
  item_call_id,
  item_name,
  item_arguments,
  item_output,
  item_summary,
  item_encrypted,
  item_fields_count,
};

// Traces of tools that the provider ran: what they gave stands in the message that follows.
constexpr std::string_view traces[] = {
    "web_search_call",  "file_search_call",     "code_interpreter_call", "image_generation_call",
    "mcp_list_tools",   "mcp_approval_request", "mcp_approval_response", "mcp_call",
    "tool_search_call", "tool_search_output",
};

// Items that mean something to OpenAI's models only, or point at what OpenAI has stored.
constexpr std::string_view foreign_items[] = {
    "item_reference",
    "computer_call",
    "computer_call_output",
    "local_shell_call",
    "shell_call",
    "local_shell_call_output",
    "shell_call_output",
    "apply_patch_call",
    "apply_patch_call_output",
    "custom_tool_call",
    "compaction",
    "custom_tool_call_output",
    "compaction_trigger",
    "additional_tools",
    "configuration_update",
    "program",
    "program_output",
};

template <size_t count>
bool is_one_of(std::string_view name, const std::string_view (&names)[count]) {
  for (std::string_view each : names) {
    if (each == name) return true;
  }
  return false;
}

uint64_t hash_of(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325U;  // FNV-1a
  for (char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return hash ^ hash >> 32;
}

}  // namespace

Message* RequestReader::add_message(Role role, int64_t index) {
  auto* message = make<Message>(workspace_.arena);
  if (message == nullptr) {
    no_memory();
    return nullptr;
  }
  message->role = role;
  message->index = static_cast<uint32_t>(index);
  request_.messages.append(message);
  turn_ = role == Role::assistant ? message : nullptr;
  turn_ends_in_message_ = false;
  return message;
}

Message* RequestReader::assistant_turn(int64_t index) {
  return turn_ != nullptr ? turn_ : add_message(Role::assistant, index);
}

Part* RequestReader::add_part(Chain<Part>& parts, PartKind kind, int64_t index) {
  auto* part = make<Part>(workspace_.arena);
  if (part == nullptr) {
    no_memory();
    return nullptr;
  }
  part->kind = kind;
  part->index = static_cast<uint32_t>(index);
  parts.append(part);
  return part;
}

bool RequestReader::read_instructions(std::string_view raw, const Place& place) {
  Raw text_of;
  if (!text(raw, place, text_of)) return false;
  if (text_of.empty()) return true;
  Message* message = add_message(Role::system, 0);
  Part* part = message != nullptr ? add_part(message->parts, PartKind::text, 0) : nullptr;
  if (part == nullptr) return false;
  part->text = text_of;
  return true;
}

bool RequestReader::read_input(std::string_view raw, const Place& place) {
  if (raw.front() == '"') {
    if (inside_of(raw).empty()) {
      return refuse_at(place, "expected a text or a list of items, got \"\"");
    }
    Message* message = add_message(Role::user, 0);
    return message != nullptr && read_content(raw, place, Role::user, message->parts);
  }
  Cursor cursor(raw);
  if (!cursor.enter_array()) return expected(place, "a string or a list of items", raw);
  int64_t index = 0;
  for (; cursor.next_element(); ++index) {
    if (!read_item(cursor, place.element(index), index)) return false;
  }
  if (index == 0) {
    return refuse_at(place, "expected at least one item, got an empty list");
  }
  return check_all_answered(place);
}

bool RequestReader::read_item(Cursor& items, const Place& place, int64_t index) {
  Member fields[item_fields_count] = {
      {"type", {}}, {"role", {}},      {"content", {}}, {"id", {}},      {"call_id", {}},
      {"name", {}}, {"arguments", {}}, {"output", {}},  {"summary", {}}, {"encrypted_content", {}},
  };
  if (!members(items, place, fields)) return false;
  std::string_view type;
  if (!fields[item_type].raw.empty()) {
    if (!plain(fields[item_type].raw, place.member("type"), type)) return false;
  } else if (!fields[item_role].raw.empty()) {
    type = "message";
  } else if (!fields[item_id].raw.empty()) {
    type = "item_reference";
  } else {
    return expected(place.member("type"), "a `type` or a `role`", {});
  }
  return read_item_of_type(type, fields, place, index);
}

bool RequestReader::read_item_of_type(std::string_view type, const Member* fields,
                                      const Place& place, int64_t index) {
  if (type == "message") return read_message(fields, place, index);
  if (type == "function_call") return read_function_call(fields, place, index);
  if (type == "function_call_output") return read_function_call_output(fields, place, index);
  if (type == "reasoning") return read_reasoning_item(fields, place, index);
  if (is_one_of(type, traces)) return note_unknown("input.server_tools");
  const Place at = place.member("type");
  if (is_one_of(type, foreign_items)) {
    return refuse_unsupported(
        at,
        "items of this type mean something to their own provider only. Send messages, "
        "function calls and their outputs");
  }
  return expected(at, "message, function_call, function_call_output or reasoning",
                  fields[item_type].raw);
}

bool RequestReader::read_message(const Member* fields, const Place& place, int64_t index) {
  const std::string_view name = inside_of(fields[item_role].raw);
  Role role = Role::user;
  if (name == "assistant") {
    role = Role::assistant;
  } else if (name == "system" || name == "developer") {
    role = Role::system;
  } else if (name != "user") {
    return expected(place.member("role"), "user, assistant, system or developer",
                    fields[item_role].raw);
  }
  call_signature_ = {};
  // Two messages of the assistant in a row were two messages.
  Message* message = role == Role::assistant && !turn_ends_in_message_ ? assistant_turn(index)
                                                                       : add_message(role, index);
  if (message == nullptr) return false;
  turn_ends_in_message_ = role == Role::assistant;
  return read_content(fields[item_content].raw, place.member("content"), role, message->parts);
}

bool RequestReader::read_reasoning_item(const Member* fields, const Place& place, int64_t index) {
  std::string_view signature;
  Maker maker = Maker::unknown;
  if (!fields[item_encrypted].raw.empty()) {
    Raw encrypted;
    if (!text(fields[item_encrypted].raw, place.member("encrypted_content"), encrypted)) {
      return false;
    }
    signature = encrypted.bytes;
    maker = maker_of(signature, Maker::openai);
  }
  if (signature.starts_with(call_mark)) {
    call_signature_ = signature.substr(call_mark.size());
    call_signature_of_ = maker;
    return true;
  }
  turn_ends_in_message_ = false;
  if (signature.starts_with(redacted_mark)) {
    Part* part = add_thinking(PartKind::redacted_thinking, index, 0);
    if (part == nullptr) return false;
    part->text.bytes = signature.substr(redacted_mark.size());
    part->signature_of = maker;
    return true;
  }
  Part* last = nullptr;
  if (!read_reasoning_texts(fields[item_content].raw, place.member("content"), index, last)) {
    return false;
  }
  if (last == nullptr &&
      !read_reasoning_texts(fields[item_summary].raw, place.member("summary"), index, last)) {
    return false;
  }
  if (signature.empty()) return true;
  if (last == nullptr) last = add_thinking(PartKind::thinking, index, 0);
  if (last == nullptr) return false;
  if (!last->text.given()) last->text.bytes = "";
  last->signature.bytes = signature;
  last->signature_of = maker;
  return true;
}

// An item that holds nothing adds nothing, not even a turn.
Part* RequestReader::add_thinking(PartKind kind, int64_t item, int64_t index) {
  Message* turn = assistant_turn(item);
  return turn != nullptr ? add_part(turn->parts, kind, index) : nullptr;
}

bool RequestReader::read_reasoning_texts(std::string_view list, const Place& place, int64_t item,
                                         Part*& last) {
  if (list.empty()) return true;
  Cursor cursor(list);
  if (!cursor.enter_array()) return expected(place, "a list of texts", list);
  std::string_view raw;
  for (int64_t i = 0; cursor.next_element(); ++i) {
    if (!cursor.read_raw(raw)) break;
    const Place at = place.element(i);
    Member fields[] = {{"text", {}}};
    Raw piece;
    if (!members(raw, at, fields) || !text(fields[0].raw, at.member("text"), piece)) return false;
    if (piece.empty()) continue;
    last = add_thinking(PartKind::thinking, item, i);
    if (last == nullptr) return false;
    last->text = piece;
  }
  return true;
}

bool RequestReader::read_function_call(const Member* fields, const Place& place, int64_t index) {
  Message* turn = assistant_turn(index);
  Part* call = turn != nullptr ? add_part(turn->parts, PartKind::tool_call, 0) : nullptr;
  if (call == nullptr) return false;
  turn_ends_in_message_ = false;
  const Place id = place.member("call_id");
  if (!plain(fields[item_call_id].raw, id, call->id)) return false;
  if (call->id.empty()) return refuse_at(id, "expected an id, got \"\"");
  const Place name = place.member("name");
  if (!plain(fields[item_name].raw, name, call->name)) return false;
  if (call->name.empty()) return refuse_at(name, "expected a name, got \"\"");
  const Place at = place.member("arguments");
  Raw arguments;
  if (!text(fields[item_arguments].raw, at, arguments)) return false;
  if (arguments.empty()) {
    call->arguments.bytes = "{}";
  } else if (is_json_object_escaped(arguments.bytes, workspace_.scratch)) {
    call->arguments.bytes = arguments.bytes;
    call->arguments_escaped = true;
  } else {
    return refuse_at(at, "expected the JSON text of an object");
  }
  call->signature.bytes = call_signature_;
  call->signature_of = call_signature_of_;
  call_signature_ = {};

  auto* open = make<Call>(workspace_.arena);
  Call** bucket = bucket_of(call->id);
  if (open == nullptr || bucket == nullptr) return no_memory();
  *open = {*bucket, last_call_, call->id, index, false};
  *bucket = last_call_ = open;
  return true;
}

RequestReader::Call** RequestReader::bucket_of(std::string_view id) {
  if (calls_ == nullptr) {
    calls_ = workspace_.arena.allocate_array<Call*>(call_buckets_count);
    if (calls_ == nullptr) return nullptr;
    for (size_t i = 0; i < call_buckets_count; ++i) calls_[i] = nullptr;
  }
  return &calls_[hash_of(id) % call_buckets_count];
}

bool RequestReader::read_function_call_output(const Member* fields, const Place& place,
                                              int64_t index) {
  const Place at = place.member("call_id");
  std::string_view id;
  if (!plain(fields[item_call_id].raw, at, id)) return false;
  Call** bucket = bucket_of(id);
  if (bucket == nullptr) return no_memory();
  Call* call = *bucket;
  while (call != nullptr && call->id != id) call = call->next;
  if (call == nullptr) {
    return refuse_at(at, "no function_call with this id comes before it");
  }
  if (call->answered) {
    return refuse_at(at, "this function_call has an output already");
  }
  call->answered = true;
  Message* message = add_message(Role::tool, index);
  Part* result = message != nullptr ? add_part(message->parts, PartKind::tool_result, 0) : nullptr;
  if (result == nullptr) return false;
  result->id = id;
  return read_content(fields[item_output].raw, place.member("output"), Role::tool, result->content);
}

// A call that stays without its output is refused by every provider; here it has a name.
bool RequestReader::check_all_answered(const Place& place) {
  const Call* open = nullptr;
  for (const Call* call = last_call_; call != nullptr; call = call->before) {
    if (!call->answered) open = call;
  }
  if (open == nullptr) return true;
  const Place item = place.element(open->index);
  return refuse_at(item.member("call_id"),
                   "expected a function_call_output with this id, got none");
}

}  // namespace hyperion::dialect::openai_responses
