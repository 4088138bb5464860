#include <strings.h>

#include <cstdio>

#include "dialect/openai_chat_parts.h"
#include "dialect/openai_chat_writer.h"

namespace hyperion::dialect::openai_chat {
namespace {

// OpenAI refuses longer ids ("string too long. Expected a string with maximum length 40").
constexpr size_t call_id_max_bytes = 40;

// Between texts that stood apart in a turn; the pieces of an answer belong together.
constexpr std::string_view paragraph = "\\n\\n";

constexpr std::string_view attached_note = "The result is attached to the next message.";
constexpr std::string_view json_note = "Answer in JSON.";

bool is_text(const Part& part) {
  return part.kind == PartKind::text || part.kind == PartKind::refusal ||
         (part.kind == PartKind::file && part.text.given());
}

// Of a turn of the user: everything but results of tools.
bool has_own_parts(const Message& message) {
  for (const Part* part = message.parts.first; part != nullptr; part = part->next) {
    if (part->kind != PartKind::tool_result) return true;
  }
  return message.role != Role::tool && message.parts.empty();
}

bool has_results(const Message& message) {
  for (const Part* part = message.parts.first; part != nullptr; part = part->next) {
    if (part->kind == PartKind::tool_result) return true;
  }
  return false;
}

bool contains_json(std::string_view text) {
  for (size_t at = 0; at + 4 <= text.size(); ++at) {
    if ((text[at] | 0x20) == 'j' && strncasecmp(text.data() + at, "json", 4) == 0) return true;
  }
  return false;
}

bool starts_as_error(std::string_view text) {
  return text.size() >= 5 && strncasecmp(text.data(), "error", 5) == 0;
}

uint64_t hash_of(std::string_view text) {
  uint64_t hash = 0xCBF29CE484222325;  // FNV-1a
  for (char c : text) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001B3;
  return hash;
}

}  // namespace

bool RequestWriter::is_prefill(const Message& message) const {
  return message.next == nullptr && message.role == Role::assistant && target_.model != nullptr &&
         !target_.model->prefill;
}

// OpenAI refuses json_object where no message says the word.
bool RequestWriter::needs_word_json() const {
  if (request_.format != Format::json_object) return false;
  for (const Message* message = request_.messages.first; message; message = message->next) {
    for (const Part* part = message->parts.first; part != nullptr; part = part->next) {
      if (part->kind == PartKind::text && contains_json(part->text.bytes)) return false;
    }
  }
  return true;
}

bool RequestWriter::write_messages() {
  out_.key("messages");
  out_.begin_array();
  if (needs_word_json()) {
    out_.begin_object();
    out_.member("role", "system");
    out_.member("content", json_note);
    out_.end_object();
  }
  const Message* turn = nullptr;  // the first of messages with results of tools in a row
  for (const Message* message = request_.messages.first; message; message = message->next) {
    if (is_prefill(*message)) {
      if (!notes_.cannot(Feature::prefill)) return false;
      continue;
    }
    const bool results = has_results(*message);
    if (results && turn == nullptr) turn = message;
    if (!write_message(*message)) return false;
    const Message* next = message->next;
    const bool over = next == nullptr || has_own_parts(*message) || !has_results(*next);
    if (turn != nullptr && over) {
      if (!write_moved(turn, next)) return false;
      turn = nullptr;
      if (has_own_parts(*message)) {
        write_head("user", *message);
        if (!write_content(message->parts, Role::user)) return false;
      }
    }
  }
  out_.end_array();
  return true;
}

// Results of tools first: they must follow the calls at once. What else the same message says
// comes behind whatever of the results had to be moved.
bool RequestWriter::write_message(const Message& message) {
  message_index_ = message.index;
  if (message.role == Role::assistant) return write_assistant(message);
  if (has_results(message)) {
    for (const Part* part = message.parts.first; part != nullptr; part = part->next) {
      if (part->kind == PartKind::tool_result && !write_result(*part)) return false;
    }
    return true;
  }
  if (message.parts.empty()) return true;
  std::string_view role = "user";
  if (message.role == Role::system) {
    const bool reasons =
        target_.model != nullptr && target_.model->capabilities.reasoning == catalog::Answer::yes;
    role = target_.provider.developer_role && reasons ? "developer" : "system";
  }
  write_head(role, message);
  return write_content(message.parts, message.role);
}

void RequestWriter::write_head(std::string_view role, const Message& message) {
  out_.begin_object();
  out_.member("role", role);
  if (!message.name.empty()) out_.member("name", message.name);
}

// `content` of a turn, and the end of its object. Text alone is one string, which every host
// understands; parts where there is more to say.
bool RequestWriter::write_content(const Chain<Part>& parts, Role role) {
  bool text_only = true;
  bool marked = false;
  for (const Part* part = parts.first; part != nullptr; part = part->next) {
    if (part->kind == PartKind::tool_result) continue;
    text_only = text_only && is_text(*part);
    marked = marked || part->cache != CacheMark::none;
  }
  if (marked && !target_.provider.cache_control_parts) {
    if (!notes_.cannot(Feature::cache_mark)) return false;
    marked = false;
  }
  out_.key("content");
  if (text_only && !marked) {
    write_text(parts, role == Role::assistant ? std::string_view() : paragraph);
  } else if (!write_parts(parts)) {
    return false;
  }
  out_.end_object();
  return true;
}

void RequestWriter::write_text(const Chain<Part>& parts, std::string_view separator) {
  out_.open_string();
  bool first = true;
  for (const Part* part = parts.first; part != nullptr; part = part->next) {
    if (!is_text(*part) || part->text.empty()) continue;
    if (!first) out_.add_raw(separator);
    first = false;
    out_.add_raw(part->text.bytes);
  }
  out_.close_string();
}

bool RequestWriter::write_parts(const Chain<Part>& parts) {
  out_.begin_array();
  for (const Part* part = parts.first; part != nullptr; part = part->next) {
    if (part->kind == PartKind::tool_result) continue;
    if (is_text(*part) && part->text.empty()) continue;
    if (!write_part(*part)) return false;
  }
  out_.end_array();
  return true;
}

bool RequestWriter::write_assistant(const Message& message) {
  bool texts = false;
  bool calls = false;
  bool marked = false;
  for (const Part* part = message.parts.first; part != nullptr; part = part->next) {
    texts = texts || (is_text(*part) && !part->text.empty());
    calls = calls || part->kind == PartKind::tool_call;
    marked = marked || part->cache != CacheMark::none;
  }
  if (marked && !notes_.cannot(Feature::cache_mark)) return false;
  write_head("assistant", message);
  out_.key("content");
  if (!texts && calls) {
    out_.null();
  } else {
    write_text(message.parts, {});
  }
  write_reasoning(message);
  if (calls) {
    out_.key("tool_calls");
    out_.begin_array();
    for (const Part* part = message.parts.first; part != nullptr; part = part->next) {
      if (part->kind == PartKind::tool_call) write_tool_call(*part);
    }
    out_.end_array();
  }
  out_.end_object();
  return true;
}

// Thinking goes back where the provider wants it; a signature is worth nothing there. Who wants it
// refuses a turn with calls but without it, whoever made that turn.
void RequestWriter::write_reasoning(const Message& message) {
  if (!target_.provider.reasoning_back) return;
  bool open = false;
  for (const Part* part = message.parts.first; part != nullptr; part = part->next) {
    const bool thinking = part->kind == PartKind::thinking;
    if (!thinking && part->kind != PartKind::tool_call) continue;
    if (!open) {
      const std::string_view field = target_.provider.reasoning_field;
      out_.key(field.empty() ? "reasoning_content" : field);
      out_.open_string();
    }
    open = true;
    if (thinking) out_.add_raw(part->text.bytes);
  }
  if (open) out_.close_string();
}

void RequestWriter::write_tool_call(const Part& call) {
  out_.begin_object();
  out_.key("id");
  write_call_id(call.id, calls_without_id_);
  out_.member("type", "function");
  out_.key("function");
  out_.begin_object();
  out_.member("name", call.name);
  out_.key("arguments");
  if (!call.arguments.given()) {
    out_.string("{}");
  } else if (call.arguments_escaped) {
    out_.raw_string(call.arguments.bytes);
  } else {
    out_.quoted(call.arguments.bytes);
  }
  out_.end_object();
  out_.end_object();
}

void RequestWriter::write_call_id(std::string_view id, uint32_t& without_id) {
  char own[call_id_max_bytes];
  if (!id.empty() && id.size() <= call_id_max_bytes) {
    out_.string(id);
    return;
  }
  const int size = id.empty() ? std::snprintf(own, sizeof(own), "call_%u", without_id++)
                              : std::snprintf(own, sizeof(own), "call_%016llx",
                                              static_cast<unsigned long long>(hash_of(id)));
  out_.string({own, static_cast<size_t>(size)});
}

bool RequestWriter::write_result(const Part& result) {
  const Part* first_text = nullptr;
  bool moved = false;
  for (const Part* part = result.content.first; part != nullptr; part = part->next) {
    if (!is_text(*part)) {
      moved = true;
    } else if (first_text == nullptr && !part->text.empty()) {
      first_text = part;
    }
  }
  if (result.cache != CacheMark::none && !notes_.cannot(Feature::cache_mark)) return false;
  out_.begin_object();
  out_.member("role", "tool");
  out_.key("tool_call_id");
  write_call_id(result.id, results_without_id_);
  out_.key("content");
  out_.open_string();
  // Chat Completions has no field that says so.
  if (result.is_error && !(first_text != nullptr && starts_as_error(first_text->text.bytes))) {
    out_.add_raw("Error: ");
  }
  if (result.json.given()) out_.add_plain(result.json.bytes);
  bool separate = result.json.given();
  for (const Part* part = first_text; part != nullptr; part = part->next) {
    if (!is_text(*part) || part->text.empty()) continue;
    if (separate) out_.add_raw(paragraph);
    separate = true;
    out_.add_raw(part->text.bytes);
  }
  if (!separate && moved) out_.add_raw(attached_note);
  out_.close_string();
  out_.end_object();
  return true;
}

bool RequestWriter::write_moved(const Message* first, const Message* end) {
  bool open = false;
  in_result_ = true;
  for (const Message* message = first; message != end; message = message->next) {
    message_index_ = message->index;
    for (const Part* result = message->parts.first; result != nullptr; result = result->next) {
      if (result->kind != PartKind::tool_result) continue;
      for (const Part* part = result->content.first; part != nullptr; part = part->next) {
        if (is_text(*part)) continue;
        if (!open) {
          out_.begin_object();
          out_.member("role", "user");
          out_.key("content");
          out_.begin_array();
        }
        open = true;
        if (!write_part(*part)) return false;
      }
    }
  }
  in_result_ = false;
  if (!open) return true;
  out_.end_array();
  out_.end_object();
  return true;
}

}  // namespace hyperion::dialect::openai_chat
