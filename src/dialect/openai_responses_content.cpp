#include "dialect/openai_responses_reader.h"
#include "dialect/text.h"
#include "json/cursor.h"

namespace hyperion::dialect::openai_responses {

namespace {

// The members of a part that are read, by place.
enum PartField : size_t {
  part_type,
  part_text,
  part_refusal,
  part_image_url,
  part_detail,
  part_file_id,
  part_file_data,
  part_file_url,
  part_filename,
  part_audio,
  part_breakpoint,
  part_cache_control,
  part_fields_count,
};

bool may_hold_media(Role role) { return role == Role::user || role == Role::tool; }

}  // namespace

bool RequestReader::read_content(std::string_view raw, const Place& place, Role role,
                                 Chain<Part>& parts) {
  if (!raw.empty() && raw.front() == '"') {
    Part* part = add_part(parts, PartKind::text, 0);
    return part != nullptr && text(raw, place, part->text);
  }
  Cursor cursor(raw);
  if (!cursor.enter_array()) return expected(place, "a string or a list of parts", raw);
  int64_t index = 0;
  for (; cursor.next_element(); ++index) {
    if (!read_part(cursor, place.element(index), role, index, parts)) return false;
  }
  if (index > 0) return true;
  return refuse_at(place, "expected at least one part, got an empty list");
}

bool RequestReader::read_part(Cursor& items, const Place& place, Role role, int64_t index,
                              Chain<Part>& parts) {
  Member fields[part_fields_count] = {
      {"type", {}},
      {"text", {}},
      {"refusal", {}},
      {"image_url", {}},
      {"detail", {}},
      {"file_id", {}},
      {"file_data", {}},
      {"file_url", {}},
      {"filename", {}},
      {"input_audio", {}},
      {"prompt_cache_breakpoint", {}},
      {"cache_control", {}},
  };
  if (!members(items, place, fields)) return false;
  const std::string_view type = inside_of(fields[part_type].raw);
  Part* part = add_part(parts, PartKind::text, index);
  if (part == nullptr) return false;
  const std::string_view mark = fields[part_breakpoint].raw.empty() ? fields[part_cache_control].raw
                                                                    : fields[part_breakpoint].raw;
  if (!mark.empty() && !read_mark(mark, place.member("prompt_cache_breakpoint"), *part)) {
    return false;
  }
  if (type == "input_text" || type == "output_text") {
    return text(fields[part_text].raw, place.member("text"), part->text);
  }
  if (type == "refusal" && role == Role::assistant) {
    part->kind = PartKind::refusal;
    return text(fields[part_refusal].raw, place.member("refusal"), part->text);
  }
  if (may_hold_media(role)) {
    if (type == "input_image") return read_image(fields, place, *part);
    if (type == "input_file") return read_file(fields, place, *part);
    if (type == "input_audio") return read_audio(fields[part_audio].raw, place, *part);
  }
  const char* types = role == Role::assistant ? "output_text or refusal"
                      : role == Role::system  ? "input_text"
                                             : "input_text, input_image, input_file or input_audio";
  return expected(place.member("type"), types, fields[part_type].raw);
}

// OpenAI's {"mode": "explicit", "ttl": "30m" | "12h"}, or {"type": "ephemeral", "ttl": "5m" | "1h"}
// as clients send it to several gateways.
bool RequestReader::read_mark(std::string_view raw, const Place& place, Part& part) {
  Member fields[] = {{"ttl", {}}};
  if (!members(raw, place, fields)) return false;
  const std::string_view ttl = inside_of(fields[0].raw);
  part.cache = ttl == "12h" || ttl == "1h" ? CacheMark::one_hour : CacheMark::short_lived;
  return true;
}

bool RequestReader::read_image(const Member* fields, const Place& place, Part& part) {
  part.kind = PartKind::image;
  if (!fields[part_detail].raw.empty() &&
      !plain(fields[part_detail].raw, place.member("detail"), part.detail)) {
    return false;
  }
  if (fields[part_image_url].raw.empty() && !fields[part_file_id].raw.empty()) {
    return plain(fields[part_file_id].raw, place.member("file_id"), part.file_id);
  }
  const Place at = place.member("image_url");
  Raw url;
  if (!text(fields[part_image_url].raw, at, url)) return false;
  if (is_data_url(url.bytes)) return read_data_url(url, at, part);
  if (url.empty()) return refuse_at(at, "expected a URL, got \"\"");
  part.url = url;
  return true;
}

bool RequestReader::read_file(const Member* fields, const Place& place, Part& part) {
  part.kind = PartKind::file;
  if (!fields[part_filename].raw.empty() &&
      !text(fields[part_filename].raw, place.member("filename"), part.file_name)) {
    return false;
  }
  if (!fields[part_file_data].raw.empty()) {
    const Place at = place.member("file_data");
    Raw data;
    return text(fields[part_file_data].raw, at, data) && read_file_data(data, at, part);
  }
  if (!fields[part_file_url].raw.empty()) {
    return text(fields[part_file_url].raw, place.member("file_url"), part.url);
  }
  if (fields[part_file_id].raw.empty()) {
    return expected(place, "`file_data`, `file_url` or `file_id`", {});
  }
  return plain(fields[part_file_id].raw, place.member("file_id"), part.file_id);
}

bool RequestReader::read_audio(std::string_view raw, const Place& place, Part& part) {
  part.kind = PartKind::audio;
  const Place at = place.member("input_audio");
  Member fields[] = {{"data", {}}, {"format", {}}};
  if (!members(raw, at, fields)) return false;
  const std::string_view format = inside_of(fields[1].raw);
  if (format == "wav") {
    part.media_type = "audio/wav";
  } else if (format == "mp3") {
    part.media_type = "audio/mp3";
  } else {
    return expected(at.member("format"), "wav or mp3", fields[1].raw);
  }
  const Place data = at.member("data");
  if (!text(fields[0].raw, data, part.data)) return false;
  return is_base64(part.data.bytes) || refuse_at(data, "expected base64 without line breaks");
}

}  // namespace hyperion::dialect::openai_responses
