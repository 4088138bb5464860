#include <strings.h>

#include "dialect/openai_chat_reader.h"
#include "dialect/text.h"

namespace hyperion::dialect::openai_chat {
namespace {

struct AudioRow {
  std::string_view format;
  std::string_view media_type;
};
// OpenAI's two, and what else Gemini hears.
constexpr AudioRow audio_rows[] = {
    {"wav", "audio/wav"}, {"mp3", "audio/mp3"}, {"flac", "audio/flac"},
    {"ogg", "audio/ogg"}, {"aac", "audio/aac"}, {"aiff", "audio/aiff"},
};

constexpr const char* part_types_of(Role role) {
  switch (role) {
    case Role::user: return "one of text, image_url, input_audio and file";
    case Role::assistant: return "one of text, refusal, thinking and redacted_thinking";
    case Role::tool: return "one of text and image_url";
    case Role::system: break;
  }
  return "text";
}

bool has_scheme(std::string_view inside, std::string_view scheme) {
  return inside.size() > scheme.size() &&
         strncasecmp(inside.data(), scheme.data(), scheme.size()) == 0;
}

}  // namespace

// The values of a part as they stood: the type may be named last.
struct RequestReader::PartFields {
  std::string_view type, text, image_url, input_audio, file, refusal, thinking, signature, data;
  std::string_view cache_control;

  std::string_view* find(std::string_view key) {
    struct Row {
      std::string_view name;
      std::string_view PartFields::*value;
    };
    static constexpr Row rows[] = {
        {"type", &PartFields::type},
        {"text", &PartFields::text},
        {"image_url", &PartFields::image_url},
        {"input_audio", &PartFields::input_audio},
        {"file", &PartFields::file},
        {"refusal", &PartFields::refusal},
        {"thinking", &PartFields::thinking},
        {"signature", &PartFields::signature},
        {"data", &PartFields::data},
        {"cache_control", &PartFields::cache_control},
        {"prompt_cache_breakpoint", &PartFields::cache_control},
    };
    for (const Row& row : rows) {
      if (row.name == key) return &(this->*row.value);
    }
    return nullptr;
  }
};

Part* RequestReader::add_part(Chain<Part>& parts, PartKind kind, uint32_t index) {
  auto* part = make<Part>(workspace_.arena);
  if (part == nullptr) return nullptr;
  part->kind = kind;
  part->index = index;
  parts.append(part);
  return part;
}

// Anthropic's cache_control or OpenAI's prompt_cache_breakpoint.
CacheMark RequestReader::read_mark(std::string_view value) {
  Cursor cursor(value);
  if (!cursor.enter_object()) return CacheMark::none;
  CacheMark mark = CacheMark::short_lived;
  std::string_view key;
  while (cursor.next_key(key)) {
    std::string_view word;
    if (key == "ttl" && cursor.peek() == '"' && cursor.read_string(word)) {
      if (word == "1h" || word == "12h") mark = CacheMark::one_hour;
    } else {
      cursor.skip();
    }
  }
  return mark;
}

bool RequestReader::read_content(std::string_view content, const Place& place, Role role,
                                 Chain<Part>& parts) {
  Cursor cursor(content);
  const char given = cursor.peek();
  if (given == '"') {
    Part* part = add_part(parts, PartKind::text, 0);
    return part != nullptr ? read_text(cursor, place, part->text) : no_memory();
  }
  constexpr const char* wanted = "a string or an array of parts";
  if (given == '\0') return expected(place, wanted);
  if (!cursor.enter_array()) return expected(place, wanted, given);
  int64_t index = 0;
  for (; cursor.next_element(); ++index) {
    if (!read_part(cursor, place.element(index), role, parts)) return false;
  }
  return index > 0 || expected(place, "at least one part, got an empty array");
}

bool RequestReader::read_part(Cursor& cursor, const Place& place, Role role, Chain<Part>& parts) {
  const char given = cursor.peek();
  if (!cursor.enter_object()) return expected(place, "an object", given);
  PartFields fields;
  std::string_view key;
  while (cursor.next_key(key)) {
    std::string_view ignored;
    std::string_view* value = fields.find(key);
    cursor.read_raw(value != nullptr ? *value : ignored);
  }
  std::string_view type;
  Cursor type_cursor(fields.type);
  if (fields.type.empty()) return expected(place.member("type"), part_types_of(role));
  if (!read_plain(type_cursor, place.member("type"), type)) return false;
  Part* part = add_part(parts, PartKind::text, static_cast<uint32_t>(place.index));
  if (part == nullptr) return no_memory();
  part->cache = read_mark(fields.cache_control);
  return read_part_value(fields, type, place, role, *part);
}

bool RequestReader::read_part_value(const PartFields& fields, std::string_view type,
                                    const Place& place, Role role, Part& part) {
  if (type == "text") {
    Cursor cursor(fields.text);
    if (!read_text(cursor, place.member(type), part.text)) return false;
    return part.text.given() || expected(place.member(type), "a string");
  }
  const bool user = role == Role::user;
  if (type == "image_url" && (user || role == Role::tool)) {
    return read_image(fields.image_url, place.member(type), part);
  }
  if (type == "input_audio" && user) {
    return read_audio(fields.input_audio, place.member(type), part);
  }
  if (type == "file" && user) return read_file(fields.file, place.member(type), part);
  if (role == Role::assistant && type == "refusal") {
    part.kind = PartKind::refusal;
    Cursor cursor(fields.refusal);
    if (!read_text(cursor, place.member(type), part.text)) return false;
    return part.text.given() || expected(place.member(type), "a string");
  }
  if (role == Role::assistant && type == "thinking") return read_thinking_part(fields, place, part);
  if (role == Role::assistant && type == "redacted_thinking") {
    part.kind = PartKind::redacted_thinking;
    Cursor cursor(fields.data);
    if (!read_text(cursor, place.member("data"), part.text)) return false;
    part.signature_of = maker_of(part.text.bytes, Maker::anthropic);
    return part.text.given() || expected(place.member("data"), "a string");
  }
  return expected(place.member("type"), part_types_of(role));
}

bool RequestReader::read_thinking_part(const PartFields& fields, const Place& place, Part& part) {
  part.kind = PartKind::thinking;
  Cursor text(fields.thinking);
  if (!read_text(text, place.member("thinking"), part.text)) return false;
  if (fields.signature.empty()) return true;
  Cursor signature(fields.signature);
  if (!read_text(signature, place.member("signature"), part.signature)) return false;
  if (part.signature.given()) part.signature_of = maker_of(part.signature.bytes, Maker::anthropic);
  return true;
}

// {"url": .., "detail": ..}, or the URL itself, as some clients have it.
bool RequestReader::read_image(std::string_view value, const Place& place, Part& part) {
  part.kind = PartKind::image;
  Cursor cursor(value);
  if (cursor.peek() == '"') return read_image_url(cursor, place, part);
  if (!cursor.enter_object()) return expected(place, "an object with a url");
  bool given = false;
  std::string_view key;
  while (cursor.next_key(key)) {
    const Place at = place.member(key);
    if (key == "url") {
      given = true;
      if (!read_image_url(cursor, at, part)) return false;
    } else if (key == "detail") {
      if (!read_plain(cursor, at, part.detail)) return false;
    } else {
      cursor.skip();
    }
  }
  return given || expected(place.member("url"), "a URL");
}

bool RequestReader::read_image_url(Cursor& cursor, const Place& place, Part& part) {
  constexpr const char* wanted = "an http(s) URL or a data URL in base64";
  Raw url;
  if (!read_text(cursor, place, url)) return false;
  if (is_data_url(url.bytes)) return read_data_url(url, place, part);
  const bool known = has_scheme(url.bytes, "https:") || has_scheme(url.bytes, "http:") ||
                     has_scheme(url.bytes, "gs:");
  if (!known) return expected(place, wanted);
  part.url = url;
  return true;
}

bool RequestReader::read_audio(std::string_view value, const Place& place, Part& part) {
  part.kind = PartKind::audio;
  Cursor cursor(value);
  if (!cursor.enter_object()) return expected(place, "an object with data and format");
  std::string_view format;
  std::string_view key;
  while (cursor.next_key(key)) {
    const Place at = place.member(key);
    if (key == "data") {
      if (!read_text(cursor, at, part.data)) return false;
    } else if (key == "format") {
      if (!read_plain(cursor, at, format)) return false;
    } else {
      cursor.skip();
    }
  }
  for (const AudioRow& row : audio_rows) {
    if (row.format == format) part.media_type = row.media_type;
  }
  if (part.media_type.empty()) return expected(place.member("format"), "wav or mp3");
  if (is_base64(part.data.bytes)) return true;
  return expected(place.member("data"), "base64 without line breaks");
}

bool RequestReader::read_file(std::string_view value, const Place& place, Part& part) {
  part.kind = PartKind::file;
  Cursor cursor(value);
  if (!cursor.enter_object()) return expected(place, "an object with file_data or file_id");
  Raw data;
  std::string_view key;
  while (cursor.next_key(key)) {
    const Place at = place.member(key);
    bool right = true;
    if (key == "file_data") {
      right = read_text(cursor, at, data);
    } else if (key == "filename") {
      right = read_text(cursor, at, part.file_name);
    } else if (key == "file_id") {
      right = read_plain(cursor, at, part.file_id);
    } else {
      cursor.skip();
    }
    if (!right) return false;
  }
  if (data.given()) return read_file_data(data, place.member("file_data"), part);
  return !part.file_id.empty() || expected(place.member("file_data"), "a data URL in base64");
}

}  // namespace hyperion::dialect::openai_chat
