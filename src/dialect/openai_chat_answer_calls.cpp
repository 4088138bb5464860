#include "dialect/openai_chat_answer.h"
#include "json/escaping.h"

namespace hyperion::dialect::openai_chat {
namespace {

uint64_t hash_of(std::string_view text) {
  uint64_t hash = 0xCBF29CE484222325;  // FNV-1a
  for (char c : text) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001B3;
  return hash | 1;
}

}  // namespace

bool Decoder::read_tool_calls(Cursor cursor, uint32_t index, Choice& choice, EventReceiver& out) {
  if (!cursor.enter_array()) return true;
  while (cursor.next_element()) {
    Call call;
    if (!read_tool_call(cursor, call)) {
      return fail("The provider's answer is not valid.", out);
    }
    if (!on_call(call, index, choice, out)) return false;
  }
  return true;
}

bool Decoder::read_tool_call(Cursor& cursor, Call& call) {
  if (!cursor.enter_object()) return false;
  std::string_view key;
  while (cursor.next_key(key)) {
    if (key == "index") {
      cursor.read_integer(call.index);
    } else if (key == "id") {
      call.id = text_of(cursor);
    } else if (key == "function") {
      read_function(cursor, call);
    } else if (key == "extra_content") {
      read_extra_content(cursor, call);
    } else {
      cursor.skip();
    }
  }
  return true;
}

void Decoder::read_function(Cursor& cursor, Call& call) {
  if (!cursor.enter_object()) {
    cursor.skip();
    return;
  }
  std::string_view key;
  while (cursor.next_key(key)) {
    if (key == "name") {
      call.name = text_of(cursor);
    } else if (key == "arguments" && cursor.peek() == '{') {
      cursor.read_raw(call.object);
    } else if (key == "arguments") {
      call.arguments = text_of(cursor);
    } else {
      cursor.skip();
    }
  }
}

// Google's: {"google": {"thought_signature": ".."}}.
void Decoder::read_extra_content(Cursor& cursor, Call& call) {
  if (!cursor.enter_object()) {
    cursor.skip();
    return;
  }
  std::string_view key;
  while (cursor.next_key(key)) {
    if (key != "google" || !cursor.enter_object()) {
      cursor.skip();
      continue;
    }
    while (cursor.next_key(key)) {
      if (key == "thought_signature") {
        call.signature = text_of(cursor);
      } else {
        cursor.skip();
      }
    }
  }
}

// A new call, or more of the last one. Calls come one after another; within one, hosts repeat the
// id and the name or leave them out, and some give every call the index 0 or none.
bool Decoder::on_call(const Call& call, uint32_t index, Choice& choice, EventReceiver& out) {
  const uint64_t id_hash = call.id.empty() ? 0 : hash_of(call.id);
  bool same = choice.tools > 0 && (call.index < 0 || call.index == choice.tool_index);
  if (same && id_hash != 0 && choice.tool_id_hash != 0) same = id_hash == choice.tool_id_hash;
  if (same && call.index < 0 && id_hash == 0 && !call.name.empty()) same = false;
  if (!same) {
    if (call.name.empty()) return fail("The provider called a tool without its name.", out);
    end_thinking({}, Maker::unknown, index, choice, out);
    end_tool(index, choice, out);
    choice.tool_open = true;
    choice.tool_has_arguments = false;
    choice.tool_index = call.index;
    choice.tool_id_hash = id_hash;
    Event event;
    event.kind = EventKind::tool_start;
    event.choice = index;
    event.tool = choice.tools++;
    event.id = call.id;
    event.name = call.name;
    event.signature = call.signature;
    if (!call.signature.empty()) event.signature_of = Maker::gemini;
    out.on_event(event);
  }
  const uint32_t tool = choice.tools - 1;
  if (call.arguments.empty() && call.object.empty()) return true;
  if (!choice.tool_open) return fail("The provider mixed its tool calls.", out);
  choice.tool_has_arguments = true;
  if (!call.object.empty()) {
    emit_escaped(call.object, index, tool, out);
    return true;
  }
  Event event;
  event.kind = EventKind::tool_arguments;
  event.choice = index;
  event.tool = tool;
  event.text = call.arguments;
  out.on_event(event);
  return true;
}

void Decoder::end_tool(uint32_t index, Choice& choice, EventReceiver& out) {
  if (!choice.tool_open) return;
  choice.tool_open = false;
  Event event;
  event.choice = index;
  event.tool = choice.tools - 1;
  if (!choice.tool_has_arguments) {
    event.kind = EventKind::tool_arguments;
    event.text = "{}";
    out.on_event(event);
    event.text = {};
  }
  event.kind = EventKind::tool_end;
  out.on_event(event);
}

// JSON as a piece of a string, in fragments that end between characters.
void Decoder::emit_escaped(std::string_view json, uint32_t index, uint32_t tool,
                           EventReceiver& out) {
  constexpr size_t fragment_bytes = 448;
  char fragment[fragment_bytes + json::escaped_size_max_bytes];
  Event event;
  event.kind = EventKind::tool_arguments;
  event.choice = index;
  event.tool = tool;
  size_t size = 0;
  for (const char *at = json.data(), *const end = at + json.size(); at < end;) {
    if (size >= fragment_bytes) {
      event.text = {fragment, size};
      out.on_event(event);
      size = 0;
    }
    if (json::is_plain(*at)) {
      fragment[size++] = *at++;
    } else {
      size += json::escape_character(at, end, fragment + size);
    }
  }
  event.text = {fragment, size};
  out.on_event(event);
}

}  // namespace hyperion::dialect::openai_chat
