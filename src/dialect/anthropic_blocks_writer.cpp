#include <cctype>
#include <cstdio>

#include "dialect/anthropic_writer.h"
#include "dialect/text.h"

namespace hyperion::dialect::anthropic {
namespace {

constexpr std::string_view image_types[] = {"image/jpeg", "image/png", "image/gif", "image/webp"};

// Within a JSON string, where a slash may be escaped.
bool is_https(std::string_view inside) {
  constexpr std::string_view scheme = "https://";
  size_t at = 0;
  for (char c : scheme) {
    if (at + 1 < inside.size() && inside[at] == '\\' && inside[at + 1] == '/') ++at;
    if (at >= inside.size() || std::tolower(static_cast<unsigned char>(inside[at])) != c)
      return false;
    ++at;
  }
  return true;
}

bool is_text_type(std::string_view media_type) {
  return media_type.starts_with("text/") || media_type == "application/json";
}

}  // namespace

size_t write_safe_id(std::string_view id, char (&out)[id_length_max + 24]) {
  size_t size = 0;
  bool changed = id.empty() || id.size() > id_length_max;
  for (char c : id.substr(0, id_length_max)) {
    const bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '_' || c == '-';
    changed |= !good;
    out[size++] = good ? c : '_';
  }
  if (!changed) return size;
  // The hash keeps apart what the letters no longer do.
  const int added = std::snprintf(out + size, sizeof(out) - size, "-%016llx",
                                  static_cast<unsigned long long>(hash_of(id)));
  return size + static_cast<size_t>(added);
}

void RequestWriter::write_id(std::string_view id) {
  char safe[id_length_max + 24];
  out_.string({safe, write_safe_id(id, safe)});
}

// Empty texts are refused, and so is thinking that Anthropic did not sign.
bool RequestWriter::is_written(const Part& part) const {
  switch (part.kind) {
    case PartKind::text:
    case PartKind::refusal: return !is_blank(part.text.bytes);
    case PartKind::thinking:
      return part.signature_of == Maker::anthropic && !part.signature.empty();
    case PartKind::redacted_thinking:
      return part.signature_of == Maker::anthropic && !part.text.empty();
    case PartKind::file: return !part.text.given() || !is_blank(part.text.bytes);
    default: return true;
  }
}

bool RequestWriter::cannot_part(Feature feature, const Part& part, const Message& message) {
  char param[64];
  std::snprintf(param, sizeof(param), "messages[%u].content[%u]", message.index, part.index);
  return notes_.cannot(feature, param);
}

bool RequestWriter::write_part(const Part& part, const Message& message) {
  switch (part.kind) {
    case PartKind::text:
    case PartKind::refusal:
      return write_text(
          part, &part == last_text_ ? without_trailing_blanks(part.text.bytes) : part.text.bytes);
    case PartKind::image: return write_image(part, message);
    case PartKind::file: return write_file(part, message);
    case PartKind::audio: return cannot_part(Feature::audio_input, part, message);
    case PartKind::thinking:
    case PartKind::redacted_thinking: write_thinking_part(part); return true;
    case PartKind::tool_call: write_call(part); return true;
    case PartKind::tool_result: return write_result(part, message);
  }
  return true;
}

bool RequestWriter::write_text(const Part& part, std::string_view text) {
  out_.begin_object();
  out_.member("type", "text");
  out_.member_raw("text", text);
  write_mark(part.cache);
  out_.end_object();
  return true;
}

void RequestWriter::write_thinking_part(const Part& part) {
  out_.begin_object();
  if (part.kind == PartKind::thinking) {
    out_.member("type", "thinking");
    out_.member_raw("thinking", part.text.bytes);
    out_.member_raw("signature", part.signature.bytes);
  } else {
    out_.member("type", "redacted_thinking");
    out_.member_raw("data", part.text.bytes);
  }
  out_.end_object();
}

void RequestWriter::write_call(const Part& part) {
  out_.begin_object();
  out_.member("type", "tool_use");
  out_.key("id");
  write_id(part.id);
  out_.member("name", part.name);
  out_.key("input");
  if (!part.arguments.given()) {
    out_.value("{}");
  } else if (part.arguments_escaped) {
    out_.unquoted(part.arguments.bytes);
  } else {
    out_.value(part.arguments.bytes);
  }
  write_mark(part.cache);
  out_.end_object();
}

bool RequestWriter::write_result(const Part& part, const Message& message) {
  out_.begin_object();
  out_.member("type", "tool_result");
  out_.key("tool_use_id");
  write_id(part.id);
  const Part* only = nullptr;
  uint32_t count = 0;
  for (const Part* inner = part.content.first; inner != nullptr; inner = inner->next) {
    if (!is_written(*inner)) continue;
    only = inner;
    ++count;
  }
  if (count == 1 && only->kind == PartKind::text && only->cache == CacheMark::none) {
    out_.member_raw("content", only->text.bytes);
  } else if (count > 0) {
    out_.key("content");
    out_.begin_array();
    for (const Part* inner = part.content.first; inner != nullptr; inner = inner->next) {
      const bool fits = inner->kind == PartKind::text || inner->kind == PartKind::refusal ||
                        inner->kind == PartKind::image || inner->kind == PartKind::file ||
                        inner->kind == PartKind::audio;
      if (fits && is_written(*inner) && !write_part(*inner, message)) return false;
    }
    out_.end_array();
  } else if (part.json.given()) {
    out_.key("content");
    out_.quoted(part.json.bytes);
  }
  if (part.is_error) out_.member("is_error", true);
  write_mark(part.cache);
  out_.end_object();
  return true;
}

void RequestWriter::write_base64_source(std::string_view media_type, const Part& part) {
  out_.key("source");
  out_.begin_object();
  out_.member("type", "base64");
  out_.member("media_type", media_type);
  out_.key("data");
  out_.open_string();
  add_data(out_, part);
  out_.close_string();
  out_.end_object();
}

bool RequestWriter::write_image(const Part& part, const Message& message) {
  if (!part.file_id.empty()) return cannot_part(Feature::file_id, part, message);
  std::string_view type = part.media_type;
  if (part.data.given() && type == "application/pdf") return write_file(part, message);
  if (type == "image/jpg") type = "image/jpeg";
  bool known = false;
  for (std::string_view allowed : image_types) known |= type == allowed;
  if (part.data.given() && !known) return cannot_part(Feature::image_type, part, message);
  if (!part.data.given() && !is_https(part.url.bytes))
    return cannot_part(Feature::image_url, part, message);
  if (!part.detail.empty() && part.detail != "auto") notes_.cannot(Feature::image_detail);
  out_.begin_object();
  out_.member("type", "image");
  if (part.data.given()) {
    write_base64_source(type, part);
  } else {
    out_.key("source");
    out_.begin_object();
    out_.member("type", "url");
    out_.member_raw("url", part.url.bytes);
    out_.end_object();
  }
  write_mark(part.cache);
  out_.end_object();
  return true;
}

bool RequestWriter::write_file(const Part& part, const Message& message) {
  if (!part.file_id.empty()) return cannot_part(Feature::file_id, part, message);
  const bool is_text = part.text.given() || (part.data.given() && is_text_type(part.media_type));
  const bool is_pdf = part.data.given() && part.media_type == "application/pdf";
  if (!is_text && !is_pdf) {
    // An image may come as a file, too.
    if (part.media_type.starts_with("image/")) return write_image(part, message);
    if (part.data.given()) return cannot_part(Feature::file_type, part, message);
    if (!is_https(part.url.bytes)) return cannot_part(Feature::image_url, part, message);
  }
  out_.begin_object();
  out_.member("type", "document");
  if (is_pdf) {
    write_base64_source(part.media_type, part);
  } else if (!is_text) {
    out_.key("source");
    out_.begin_object();
    out_.member("type", "url");
    out_.member_raw("url", part.url.bytes);
    out_.end_object();
  } else if (!write_text_file(part)) {
    return false;
  }
  if (!part.file_name.empty()) out_.member_raw("title", part.file_name.bytes);
  write_mark(part.cache);
  out_.end_object();
  return true;
}

bool RequestWriter::write_text_file(const Part& part) {
  out_.key("source");
  out_.begin_object();
  out_.member("type", "text");
  out_.member("media_type", "text/plain");
  if (part.text.given()) {
    out_.member_raw("data", part.text.bytes);
  } else {
    workspace_.scratch.clear();
    if (!decode_base64(part.data.bytes, workspace_.scratch))
      return refuse_for_memory(notes_.problem);
    out_.member("data", workspace_.scratch.view());
  }
  out_.end_object();
  return true;
}

bool decode_base64(std::string_view inside, ByteBuffer& out) {
  char* place = out.extend(inside.size());
  if (place == nullptr) return false;
  size_t size = 0;
  uint32_t bits = 0;
  int count = 0;
  for (char c : inside) {
    uint32_t digit = 0;
    if (c >= 'A' && c <= 'Z')
      digit = static_cast<uint32_t>(c - 'A');
    else if (c >= 'a' && c <= 'z')
      digit = static_cast<uint32_t>(c - 'a' + 26);
    else if (c >= '0' && c <= '9')
      digit = static_cast<uint32_t>(c - '0' + 52);
    else if (c == '+')
      digit = 62;
    else if (c == '/')
      digit = 63;
    else
      continue;  // padding, and the backslash of an escaped slash
    bits = bits << 6 | digit;
    // Six bits a digit: each but the first of four completes a byte.
    if (++count % 4 != 1) place[size++] = static_cast<char>(bits >> (4 - count % 4) % 4 * 2);
  }
  out.shorten(inside.size() - size);
  return true;
}

}  // namespace hyperion::dialect::anthropic
