// Writes a conversation as Gemini's contents: turns of `user` and `model` that alternate.

#include <algorithm>
#include <cstdio>

#include "dialect/gemini_writer.h"
#include "dialect/text.h"

namespace hyperion::dialect::gemini {
namespace {

// A documented value that stands for a signature which did not come back.
constexpr std::string_view signature_sentinel = "skip_thought_signature_validator";

// Gemini's conversations begin with the user, and no part is empty.
constexpr std::string_view nothing_said = " ";

// How far back the call of a result is looked for, and how many results (of how many calls) are put
// in the order of their calls.
constexpr int calls_looked_at_max = 4096;
constexpr uint32_t results_ordered_max = 128;

// What Google fetches itself, from its own hosts.
constexpr std::string_view google_urls[] = {
    "gs://",
    "https://generativelanguage.googleapis.com/",
    "https://www.youtube.com/",
    "https://youtube.com/",
    "https://m.youtube.com/",
    "https://youtu.be/",
};

struct TypeRow {
  std::string_view ending;
  std::string_view media_type;
};
constexpr TypeRow types[] = {
    {".png", "image/png"},       {".jpg", "image/jpeg"},  {".jpeg", "image/jpeg"},
    {".webp", "image/webp"},     {".heic", "image/heic"}, {".heif", "image/heif"},
    {".gif", "image/gif"},       {".mp3", "audio/mp3"},   {".wav", "audio/wav"},
    {".pdf", "application/pdf"}, {".txt", "text/plain"},  {".mp4", "video/mp4"},
};

std::string_view type_of_url(std::string_view url) {
  for (const TypeRow& row : types) {
    if (url.ends_with(row.ending)) return row.media_type;
  }
  return {};
}

bool is_media(const Part& part) {
  return part.kind == PartKind::image || part.kind == PartKind::audio ||
         (part.kind == PartKind::file && !part.text.given());
}

bool is_text(const Part& part) {
  return part.kind == PartKind::text || part.kind == PartKind::refusal ||
         (part.kind == PartKind::file && part.text.given());
}

// The field a refusal names.
struct Where {
  char text[64];
  Where(const Message& message, const Part& part) {
    std::snprintf(text, sizeof(text), "messages[%u].content[%u]", message.index, part.index);
  }
};

}  // namespace

// Without anybody else's word the system's is the user's: contents must not be empty.
void RequestWriter::write_system() {
  const Message* message = request_.messages.first;
  const Message* rest = message;
  while (rest != nullptr && rest->role == Role::system) rest = rest->next;
  if (rest == nullptr || rest == message) return;
  bool open = false;
  for (; message != rest; message = message->next) {
    for (const Part* part = message->parts.first; part != nullptr; part = part->next) {
      if (!is_text(*part) || part->text.empty()) continue;
      if (!open) {
        out_.key("systemInstruction");
        out_.begin_object();
        out_.key("parts");
        out_.begin_array();
        open = true;
      }
      out_.begin_object();
      out_.member_raw("text", part->text.bytes);
      out_.end_object();
    }
  }
  if (open) {
    out_.end_array();
    out_.end_object();
  }
}

bool RequestWriter::write_contents() {
  const Message* message = request_.messages.first;
  const Message* said = message;
  while (said != nullptr && said->role == Role::system) said = said->next;
  if (said != nullptr) message = said;
  out_.key("contents");
  out_.begin_array();
  while (message != nullptr) {
    if (message->role == Role::tool) {
      message = write_results(message);
      if (notes_.problem) return false;
    } else {
      if (!write_turn_message(*message)) return false;
      message = message->next;
    }
  }
  if (turn_ == Turn::none) write_text({nothing_said}, Turn::user, nullptr);
  end_turn();
  out_.end_array();
  return true;
}

bool RequestWriter::write_turn_message(const Message& message) {
  if (!message.name.empty() && !notes_.cannot(Feature::message_name)) return false;
  if (message.role == Role::assistant) return write_assistant(message);
  // A later word of the system is said in the user's turn, where it stands.
  for (const Part* part = message.parts.first; part != nullptr; part = part->next) {
    if (!write_user_part(*part, message)) return false;
  }
  return true;
}

void RequestWriter::end_turn() {
  if (turn_ == Turn::none) return;
  out_.end_array();
  out_.end_object();
  turn_ = Turn::none;
}

// Opens the object of a part, and its turn if another one is open: neighbours of one role merge,
// and a turn without parts is never written.
void RequestWriter::begin_part(Turn turn) {
  if (turn_ != turn) {
    const bool first = turn_ == Turn::none;
    end_turn();
    if (first && turn == Turn::model) {
      write_text({nothing_said}, Turn::user, nullptr);
      notes_.adjust("messages");
    }
    end_turn();
    out_.begin_object();
    out_.member("role", turn == Turn::user ? "user" : "model");
    out_.key("parts");
    out_.begin_array();
    turn_ = turn;
    called_ = false;
  }
  out_.begin_object();
}

void RequestWriter::write_text(Raw text, Turn turn, const Part* signed_by) {
  begin_part(turn);
  out_.member_raw("text", text.bytes);
  if (signed_by != nullptr) {
    if (signed_by->kind == PartKind::thinking) out_.member("thought", true);
    out_.member_raw("thoughtSignature", signed_by->signature.bytes);
  }
  out_.end_object();
}

bool RequestWriter::write_user_part(const Part& part, const Message& message) {
  if (part.cache != CacheMark::none && !notes_.cannot(Feature::cache_mark)) return false;
  if (is_media(part)) return write_media(part, message, true);
  if (is_text(part) && !part.text.empty()) write_text(part.text, Turn::user, nullptr);
  return true;
}

bool RequestWriter::write_assistant(const Message& message) {
  if (turn_ != Turn::model) turn_begin_ = &message;
  for (const Part* part = message.parts.first; part != nullptr; part = part->next) {
    if (part->cache != CacheMark::none && !notes_.cannot(Feature::cache_mark)) return false;
    const bool own = part->signature_of == Maker::gemini && !part->signature.empty();
    if (part->kind == PartKind::tool_call) {
      if (!write_call(*part)) return false;
    } else if (part->kind == PartKind::thinking) {
      // Reasoning of other models, or unsigned, is not this model's to go on from.
      if (own) write_text(part->text, Turn::model, part);
    } else if (is_media(*part)) {
      if (!write_media(*part, message, true)) return false;
    } else if (is_text(*part) && (own || !part->text.empty())) {
      write_text(part->text, Turn::model, own ? part : nullptr);
    }
  }
  return true;
}

bool RequestWriter::write_call(const Part& call) {
  auto* const reference = make<CallReference>(workspace_.arena);
  if (reference == nullptr) return no_memory();
  *reference = {&call, calls_};
  calls_ = reference;
  begin_part(Turn::model);
  out_.key("functionCall");
  out_.begin_object();
  if (!call.id.empty()) out_.member("id", call.id);
  out_.member("name", call.name);
  out_.key("args");
  if (!call.arguments.given()) {
    out_.value("{}");
  } else if (call.arguments_escaped) {
    out_.unquoted(call.arguments.bytes);
  } else {
    out_.value(call.arguments.bytes);
  }
  out_.end_object();
  // Of calls made at once only the first is signed.
  if (call.signature_of == Maker::gemini && !call.signature.empty()) {
    out_.member_raw("thoughtSignature", call.signature.bytes);
  } else if (!called_ && is_recent()) {
    out_.member("thoughtSignature", signature_sentinel);
  }
  called_ = true;
  out_.end_object();
  return true;
}

const Part* RequestWriter::find_call(std::string_view id) const {
  int looked_at = 0;
  for (const CallReference* reference = calls_;
       reference != nullptr && looked_at < calls_looked_at_max; reference = reference->before) {
    if (reference->call->id == id) return reference->call;
    ++looked_at;
  }
  return nullptr;
}

// Older models take ids and do not look at them (recorded with gemini-2.5-flash): the order of the
// calls decides, whatever order the results came in. Returns the message behind the results.
const Message* RequestWriter::write_results(const Message* first) {
  Result results[results_ordered_max];
  uint32_t count = 0;
  const Message* end = first;
  for (; end != nullptr && end->role == Role::tool; end = end->next) {
    for (const Part* part = end->parts.first; part != nullptr; part = part->next) {
      if (part->kind != PartKind::tool_result) continue;
      if (count == results_ordered_max) {
        // More than anybody makes: written as they come.
        if (!write_results_by_call(results, count, first)) return end;
        count = 0;
      }
      results[count++] = {part, end};
    }
  }
  write_results_by_call(results, count, first);
  return end;
}

bool RequestWriter::write_results_by_call(Result* results, uint32_t count, const Message* end) {
  uint32_t looked_at = 0;
  for (const Message* message = turn_begin_; message != nullptr && message != end;
       message = message->next) {
    for (const Part* call = message->parts.first; call != nullptr; call = call->next) {
      if (call->kind != PartKind::tool_call || ++looked_at > results_ordered_max) continue;
      for (uint32_t i = 0; i < count; ++i) {
        if (results[i].part == nullptr || results[i].part->id != call->id) continue;
        if (!write_result(*results[i].part, *results[i].message)) return false;
        results[i].part = nullptr;
        break;
      }
    }
  }
  for (uint32_t i = 0; i < count; ++i) {
    if (results[i].part != nullptr && !write_result(*results[i].part, *results[i].message)) {
      return false;
    }
  }
  return true;
}

bool RequestWriter::write_result(const Part& result, const Message& message) {
  const Part* const call = find_call(result.id);
  const std::string_view name = call != nullptr ? call->name : result.name;
  if (name.empty()) {
    return refuse(notes_.problem, "invalid_request", Where(message, result).text,
                  "The tool result with the id `%.*s` answers no tool call of this conversation.",
                  static_cast<int>(std::min<size_t>(result.id.size(), 64)), result.id.data());
  }
  if (result.cache != CacheMark::none && !notes_.cannot(Feature::cache_mark)) return false;
  // Older models read pictures beside the response.
  const bool within = is_recent();
  begin_part(Turn::user);
  out_.key("functionResponse");
  out_.begin_object();
  if (!result.id.empty()) out_.member("id", result.id);
  out_.member("name", name);
  out_.key("response");
  write_response(result);
  bool open = false;
  for (const Part* part = result.content.first; part != nullptr && within; part = part->next) {
    if (!is_media(*part)) continue;
    if (!open) {
      out_.key("parts");
      out_.begin_array();
      open = true;
    }
    if (!write_media(*part, message, false)) return false;
  }
  if (open) out_.end_array();
  out_.end_object();
  out_.end_object();
  for (const Part* part = result.content.first; part != nullptr && !within; part = part->next) {
    if (is_media(*part) && !write_media(*part, message, true)) return false;
  }
  return true;
}

// An object: a result that is one stands as it is, anything else under `result`, and what went
// wrong under `error`.
void RequestWriter::write_response(const Part& result) {
  if (result.json.given()) {
    out_.value(result.json.bytes);
    return;
  }
  const Part* text = nullptr;
  uint32_t texts = 0;
  for (const Part* part = result.content.first; part != nullptr; part = part->next) {
    if (!is_text(*part)) continue;
    text = part;
    ++texts;
  }
  const bool is_object = texts == 1 && is_json_object_escaped(text->text.bytes, workspace_.scratch);
  if (is_object && !result.is_error) {
    out_.unquoted(text->text.bytes);
    return;
  }
  out_.begin_object();
  out_.key(result.is_error ? "error" : "result");
  if (is_object) {
    out_.unquoted(text->text.bytes);
  } else {
    out_.open_string();
    for (const Part* part = result.content.first; part != nullptr; part = part->next) {
      if (is_text(*part)) out_.add_raw(part->text.bytes);
    }
    out_.close_string();
  }
  out_.end_object();
}

bool RequestWriter::is_google_url(std::string_view url) {
  return std::any_of(std::begin(google_urls), std::end(google_urls),
                     [url](std::string_view prefix) { return url.starts_with(prefix); });
}

// Data, or a file that Google can fetch. `as_part`: a part of the user's or the model's turn, else
// an element of a response's parts.
bool RequestWriter::write_media(const Part& part, const Message& message, bool as_part) {
  const Where where(message, part);
  low_detail_ |= part.detail == "low";
  high_detail_ |= part.detail == "high" || part.detail == "original";
  std::string_view url;
  if (!part.data.given()) {
    if (!part.url.given()) return notes_.cannot(Feature::file_id, where.text);
    if (!unescape_into(workspace_.arena, part.url.bytes, url)) return no_memory();
    if (!is_google_url(url)) return notes_.cannot(Feature::image_url, where.text);
  }
  std::string_view type = part.media_type;
  if (type == "image/jpg") type = "image/jpeg";  // many say so; Google knows the right name only
  if (type.empty()) type = part.data.given() ? "application/octet-stream" : type_of_url(url);
  if (as_part) {
    begin_part(message.role == Role::assistant ? Turn::model : Turn::user);
  } else {
    out_.begin_object();
  }
  out_.key(part.data.given() ? "inlineData" : "fileData");
  out_.begin_object();
  if (!type.empty()) out_.member("mimeType", type);
  if (part.data.given()) {
    out_.key("data");
    out_.open_string();
    add_data(out_, part);
    out_.close_string();
  } else {
    out_.member_raw("fileUri", part.url.bytes);
  }
  out_.end_object();
  out_.end_object();
  return true;
}

}  // namespace hyperion::dialect::gemini
