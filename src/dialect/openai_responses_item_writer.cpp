#include "dialect/openai_responses_item_writer.h"

#include "dialect/text.h"

namespace hyperion::dialect::openai_responses {

using catalog::Answer;

namespace {

bool is_web_url(std::string_view url) {
  return url.starts_with("http://") || url.starts_with("https://") ||
         url.starts_with("http:\\/\\/") || url.starts_with("https:\\/\\/");
}

// What OpenAI's files are called; other vendors' ids begin otherwise (Anthropic: file_).
constexpr std::string_view file_id_prefix = "file-";

bool is_detail(std::string_view word) {
  return word == "low" || word == "high" || word == "auto" || word == "original";
}

bool holds_text_only(const Chain<Part>& parts) {
  for (const Part* part = parts.first; part != nullptr; part = part->next) {
    if (part->kind != PartKind::text) return false;
  }
  return true;
}

}  // namespace

bool ItemWriter::write(const Request& request) {
  out_.key("input");
  out_.begin_array();
  for (const Message* message = request.messages.first; message != nullptr;
       message = message->next) {
    // What the assistant began would be answered, not gone on with.
    const bool begun = message->next == nullptr && message->role == Role::assistant;
    if (begun && target_.model != nullptr && !target_.model->prefill) {
      if (!notes_.cannot(Feature::prefill)) return false;
      continue;
    }
    if (!message->name.empty() && !notes_.cannot(Feature::message_name)) return false;
    if (!write_message(*message)) return false;
  }
  out_.end_array();
  return true;
}

bool ItemWriter::cannot(Feature feature, const Part& part) {
  char param[part_name_max_bytes];
  return notes_.cannot(feature, name_of_part(param, message_index_, in_result_ ? -1 : part.index));
}

bool ItemWriter::write_message(const Message& message) {
  message_index_ = message.index;
  if (message.parts.empty()) return true;
  if (message.role == Role::assistant) return write_assistant(message);
  if (message.role == Role::tool) {
    for (const Part* part = message.parts.first; part != nullptr; part = part->next) {
      if (part->kind == PartKind::tool_result && !write_result(*part)) return false;
    }
    return true;
  }
  // Results that a dialect has within a user's turn come before its words.
  const Part* first = message.parts.first;
  while (first != nullptr && first->kind == PartKind::tool_result) {
    if (!write_result(*first)) return false;
    first = first->next;
  }
  if (first == nullptr) return true;
  const char* system = target_.provider.developer_role ? "developer" : "system";
  begin_message(message.role == Role::system ? system : "user");
  for (const Part* part = first; part != nullptr; part = part->next) {
    if (!write_part(*part)) return false;
  }
  end_message();
  for (const Part* part = first; part != nullptr; part = part->next) {
    if (part->kind == PartKind::tool_result && !write_result(*part)) return false;
  }
  return true;
}

void ItemWriter::begin_message(const char* role) {
  out_.begin_object();
  out_.member("type", "message");
  out_.member("role", role);
  out_.key("content");
  out_.begin_array();
}

void ItemWriter::end_message() {
  out_.end_array();
  out_.end_object();
}

bool ItemWriter::write_assistant(const Message& message) {
  bool open = false;
  for (const Part* part = message.parts.first; part != nullptr; part = part->next) {
    const bool says = part->kind == PartKind::text || part->kind == PartKind::refusal;
    if (says) {
      if (part->text.empty()) continue;
      if (!open) begin_message("assistant");
      open = true;
      write_text(part->kind == PartKind::text ? "output_text" : "refusal", part->text);
      continue;
    }
    if (open) end_message();
    open = false;
    if (part->kind == PartKind::tool_call) write_call(*part);
    if (part->kind == PartKind::thinking) write_reasoning(*part);
    // What a model drew or said aloud has no item a client could send.
    const bool media = part->kind == PartKind::image || part->kind == PartKind::file ||
                       part->kind == PartKind::audio;
    if (media && !cannot(Feature::file_type, *part)) return false;
  }
  if (open) end_message();
  return true;
}

// Only its maker can read a signature, and reasoning without one is of no use here.
void ItemWriter::write_reasoning(const Part& thinking) {
  if (thinking.signature.empty() || thinking.signature_of != Maker::openai) return;
  out_.begin_object();
  out_.member("type", "reasoning");
  out_.key("summary");
  out_.begin_array();
  if (!thinking.text.empty()) write_text("summary_text", thinking.text);
  out_.end_array();
  out_.member_raw("encrypted_content", thinking.signature.bytes);
  out_.end_object();
}

// Gemini's older models name calls by their function alone.
void ItemWriter::write_id(const Part& part) {
  out_.key("call_id");
  out_.open_string();
  if (part.id.empty()) {
    out_.add_plain("call_");
    out_.add_plain(part.name);
  } else {
    out_.add_plain(part.id);
  }
  out_.close_string();
}

void ItemWriter::write_call(const Part& call) {
  out_.begin_object();
  out_.member("type", "function_call");
  write_id(call);
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
}

bool ItemWriter::write_result(const Part& result) {
  out_.begin_object();
  out_.member("type", "function_call_output");
  write_id(result);
  out_.key("output");
  bool ok = true;
  if (result.json.given()) {
    out_.quoted(result.json.bytes);
  } else if (holds_text_only(result.content)) {
    out_.open_string();
    for (const Part* part = result.content.first; part != nullptr; part = part->next) {
      out_.add_raw(part->text.bytes);
    }
    out_.close_string();
  } else {
    ok = write_result_parts(result);
  }
  out_.end_object();
  return ok;
}

bool ItemWriter::write_result_parts(const Part& result) {
  in_result_ = true;
  out_.begin_array();
  for (const Part* part = result.content.first; part != nullptr; part = part->next) {
    if (!write_part(*part)) return false;
  }
  in_result_ = false;
  out_.end_array();
  return true;
}

bool ItemWriter::write_part(const Part& part) {
  if (part.cache != CacheMark::none && !notes_.cannot(Feature::cache_mark)) return false;
  switch (part.kind) {
    case PartKind::text:
    case PartKind::refusal: write_text("input_text", part.text); return true;
    case PartKind::image: return write_image(part);
    case PartKind::file: return write_file(part);
    case PartKind::audio: return write_audio(part);
    default: return true;
  }
}

void ItemWriter::write_text(const char* type, Raw text) {
  out_.begin_object();
  out_.member("type", type);
  out_.member_raw(type == std::string_view("refusal") ? "refusal" : "text", text.bytes);
  out_.end_object();
}

void ItemWriter::write_data_url(const Part& part) {
  out_.open_string();
  out_.add_plain("data:");
  out_.add_plain(part.media_type);
  out_.add_plain(";base64,");
  add_data(out_, part);
  out_.close_string();
}

bool ItemWriter::write_image(const Part& part) {
  const bool ours = part.file_id.starts_with(file_id_prefix);
  if (!part.data.given() && !part.file_id.empty() && !ours) return cannot(Feature::file_id, part);
  if (!part.data.given() && !ours && !is_web_url(part.url.bytes))
    return cannot(Feature::image_url, part);
  out_.begin_object();
  out_.member("type", "input_image");
  if (part.data.given()) {
    out_.key("image_url");
    write_data_url(part);
  } else if (ours) {
    out_.member("file_id", part.file_id);
  } else {
    out_.member_raw("image_url", part.url.bytes);
  }
  if (is_detail(part.detail)) out_.member("detail", part.detail);
  out_.end_object();
  return true;
}

bool ItemWriter::write_file(const Part& part) {
  if (part.text.given()) {
    write_text("input_text", part.text);
    return true;
  }
  const bool ours = part.file_id.starts_with(file_id_prefix);
  if (!part.data.given() && !part.file_id.empty() && !ours) return cannot(Feature::file_id, part);
  if (!part.data.given() && !ours && !is_web_url(part.url.bytes))
    return cannot(Feature::file_type, part);
  out_.begin_object();
  out_.member("type", "input_file");
  if (part.data.given()) {
    // Data without a name is refused.
    if (part.file_name.empty()) {
      out_.member("filename", part.media_type == "application/pdf" ? "file.pdf" : "file");
    } else {
      out_.member_raw("filename", part.file_name.bytes);
    }
    out_.key("file_data");
    write_data_url(part);
  } else if (ours) {
    out_.member("file_id", part.file_id);
  } else {
    out_.member_raw("file_url", part.url.bytes);
  }
  out_.end_object();
  return true;
}

bool ItemWriter::write_audio(const Part& part) {
  const bool hears =
      target_.model != nullptr && target_.model->capabilities.audio_in == Answer::yes;
  const bool mp3 = part.media_type == "audio/mp3" || part.media_type == "audio/mpeg";
  const bool wav = part.media_type == "audio/wav" || part.media_type == "audio/x-wav";
  if (!hears || !part.data.given() || (!mp3 && !wav)) return cannot(Feature::audio_input, part);
  out_.begin_object();
  out_.member("type", "input_audio");
  out_.key("input_audio");
  out_.begin_object();
  out_.key("data");
  out_.open_string();
  add_data(out_, part);
  out_.close_string();
  out_.member("format", mp3 ? "mp3" : "wav");
  out_.end_object();
  out_.end_object();
  return true;
}

}  // namespace hyperion::dialect::openai_responses
