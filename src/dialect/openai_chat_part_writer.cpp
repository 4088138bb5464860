#include <strings.h>

#include "dialect/openai_chat_writer.h"
#include "dialect/text.h"

namespace hyperion::dialect::openai_chat {

bool RequestWriter::write_part(const Part& part) {
  switch (part.kind) {
    case PartKind::text:
    case PartKind::refusal:
      out_.begin_object();
      out_.member("type", "text");
      out_.member_raw("text", part.text.bytes);
      write_mark(part.cache);
      out_.end_object();
      return true;
    case PartKind::image: return write_image(part);
    case PartKind::file: return write_file(part);
    case PartKind::audio: return write_audio(part);
    case PartKind::thinking:
    case PartKind::redacted_thinking:
    case PartKind::tool_call:
    case PartKind::tool_result: break;
  }
  return true;
}

bool RequestWriter::cannot_part(Feature feature, const Part& part) {
  char param[part_name_max_bytes];
  return notes_.cannot(feature, name_of_part(param, message_index_, in_result_ ? -1 : part.index));
}

bool RequestWriter::write_image(const Part& part) {
  if (part.url.given() && strncasecmp(part.url.bytes.data(), "http", 4) != 0 &&
      !cannot_part(Feature::image_url, part)) {
    return false;
  }
  if (!part.url.given() && !part.data.given()) return cannot_part(Feature::file_id, part);
  out_.begin_object();
  out_.member("type", "image_url");
  out_.key("image_url");
  out_.begin_object();
  out_.key("url");
  out_.open_string();
  if (part.url.given()) {
    out_.add_raw(part.url.bytes);
  } else {
    out_.add_raw("data:");
    out_.add_plain(part.media_type);
    out_.add_raw(";base64,");
    add_data(out_, part);
  }
  out_.close_string();
  if (!part.detail.empty()) out_.member("detail", part.detail);
  out_.end_object();
  write_mark(part.cache);
  out_.end_object();
  return true;
}

bool RequestWriter::write_file(const Part& part) {
  if (part.text.given()) {
    out_.begin_object();
    out_.member("type", "text");
    out_.member_raw("text", part.text.bytes);
    write_mark(part.cache);
    out_.end_object();
    return true;
  }
  if (part.media_type.starts_with("image/")) return write_image(part);
  if (!part.data.given()) {
    return cannot_part(part.file_id.empty() ? Feature::file_type : Feature::file_id, part);
  }
  // Chat Completions reads PDFs, and needs a name for them.
  if (part.media_type != "application/pdf" && !cannot_part(Feature::file_type, part)) return false;
  out_.begin_object();
  out_.member("type", "file");
  out_.key("file");
  out_.begin_object();
  const bool named = part.file_name.given() && !part.file_name.empty();
  out_.member_raw("filename", named ? part.file_name.bytes : "document.pdf");
  out_.key("file_data");
  out_.open_string();
  out_.add_raw("data:");
  out_.add_plain(part.media_type);
  out_.add_raw(";base64,");
  add_data(out_, part);
  out_.close_string();
  out_.end_object();
  write_mark(part.cache);
  out_.end_object();
  return true;
}

bool RequestWriter::write_audio(const Part& part) {
  const std::string_view type = part.media_type;
  const bool wav = type == "audio/wav" || type == "audio/x-wav" || type == "audio/wave";
  const bool mp3 = type == "audio/mp3" || type == "audio/mpeg";
  const bool deaf =
      target_.model != nullptr && target_.model->capabilities.audio_in == catalog::Answer::no;
  if ((!wav && !mp3) || deaf || !part.data.given()) return cannot_part(Feature::audio_input, part);
  out_.begin_object();
  out_.member("type", "input_audio");
  out_.key("input_audio");
  out_.begin_object();
  out_.key("data");
  out_.open_string();
  add_data(out_, part);
  out_.close_string();
  out_.member("format", wav ? "wav" : "mp3");
  out_.end_object();
  write_mark(part.cache);
  out_.end_object();
  return true;
}

void RequestWriter::write_mark(CacheMark mark) {
  if (mark == CacheMark::none || !target_.provider.cache_control_parts) return;
  out_.key("cache_control");
  out_.begin_object();
  out_.member("type", "ephemeral");
  if (mark == CacheMark::one_hour) out_.member("ttl", "1h");
  out_.end_object();
}

}  // namespace hyperion::dialect::openai_chat
