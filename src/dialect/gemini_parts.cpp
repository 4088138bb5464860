// Takes the parts of a Google client's contents apart.

#include <algorithm>

#include "dialect/gemini_reader.h"
#include "dialect/text.h"

namespace hyperion::dialect::gemini {
namespace {

// Files that Google's Files API keeps: they mean nothing to another vendor.
constexpr std::string_view files_host = "generativelanguage.googleapis.com/";

// Parts of tools that Google runs; nobody else can read them.
constexpr std::string_view foreign_parts[] = {"executableCode", "codeExecutionResult", "toolCall",
                                              "toolResponse"};

PartKind kind_of(std::string_view media_type) {
  if (media_type.starts_with("image/")) return PartKind::image;
  return media_type.starts_with("audio/") ? PartKind::audio : PartKind::file;
}

}  // namespace

bool RequestReader::read_part(Cursor& cursor, const Place& place, PartFields& fields) {
  using Data = PartFields::Data;
  if (!cursor.enter_object()) return expected(place, "an object", cursor.peek());
  const auto is_data = [&](Data data, std::string_view name) {
    fields.several |= fields.data != Data::none;
    fields.data = data;
    fields.data_name = name;
  };
  std::string_view key;
  while (cursor.next_key(key)) {
    bool read = true;
    if (take_null(cursor)) continue;
    if (key == "text") {
      is_data(Data::text, "text");
      read = read_text(cursor, place.member("text"), fields.text);
    } else if (key == "thought") {
      Flag flag = Flag::unset;
      read = read_flag(cursor, place.member("thought"), flag);
      fields.thought = flag == Flag::yes;
    } else if (is_named(key, "thoughtSignature")) {
      read = read_text(cursor, place.member("thoughtSignature"), fields.signature);
    } else if (is_named(key, "inlineData") || is_named(key, "fileData")) {
      is_data(Data::blob, key[0] == 'i' ? "inlineData" : "fileData");
      read = read_blob(cursor, place.member(fields.data_name), fields);
    } else if (is_named(key, "functionCall")) {
      is_data(Data::call, "functionCall");
      read = read_function(cursor, place.member("functionCall"), fields);
    } else if (is_named(key, "functionResponse")) {
      is_data(Data::result, "functionResponse");
      read = read_function(cursor, place.member("functionResponse"), fields);
    } else if (is_named(key, "mediaResolution")) {
      read = read_resolution(cursor, place.member("mediaResolution"), fields);
    } else {
      for (std::string_view name : foreign_parts) {
        if (is_named(key, name)) is_data(Data::foreign, name);
      }
      cursor.skip();
    }
    if (!read) return false;
  }
  return true;
}

bool RequestReader::read_blob(Cursor& cursor, const Place& place, PartFields& fields) {
  if (!cursor.enter_object()) return expected(place, "an object", cursor.peek());
  std::string_view key;
  while (cursor.next_key(key)) {
    bool read = true;
    if (is_named(key, "mimeType")) {
      read = read_plain(cursor, place.member("mimeType"), fields.media_type);
    } else if (key == "data") {
      read = read_text(cursor, place.member("data"), fields.bytes);
    } else if (is_named(key, "fileUri")) {
      read = read_text(cursor, place.member("fileUri"), fields.url);
    } else if (is_named(key, "displayName")) {
      read = read_text(cursor, place.member("displayName"), fields.display_name);
    } else {
      cursor.skip();
    }
    if (!read) return false;
  }
  return true;
}

// A call or a response.
bool RequestReader::read_function(Cursor& cursor, const Place& place, PartFields& fields) {
  if (!cursor.enter_object()) return expected(place, "an object", cursor.peek());
  std::string_view key;
  while (cursor.next_key(key)) {
    bool read = true;
    if (key == "id") {
      read = read_plain(cursor, place.member("id"), fields.id);
    } else if (key == "name") {
      read = read_plain(cursor, place.member("name"), fields.name);
    } else if (key == "args" || key == "response") {
      read = read_object(cursor, place.member(key), fields.object);
    } else if (key == "parts") {
      read = cursor.read_raw(fields.parts);
    } else {
      cursor.skip();
    }
    if (!read) return false;
  }
  if (!fields.object.given()) fields.object.bytes = "{}";
  return true;
}

// {"level": "MEDIA_RESOLUTION_LOW"}, in OpenAI's words.
bool RequestReader::read_resolution(Cursor& cursor, const Place& place, PartFields& fields) {
  std::string_view level, key;
  if (cursor.peek() == '"') {
    if (!read_plain(cursor, place, level)) return false;
  } else if (cursor.enter_object()) {
    while (cursor.next_key(key)) {
      if (key != "level") {
        cursor.skip();
      } else if (!read_plain(cursor, place.member("level"), level)) {
        return false;
      }
    }
  } else {
    cursor.skip();
  }
  if (level == "MEDIA_RESOLUTION_LOW") fields.detail = "low";
  if (level == "MEDIA_RESOLUTION_HIGH") fields.detail = "high";
  return true;
}

bool RequestReader::fill_blob(const PartFields& fields, const Place& place, Part& part) {
  const Place data = place.member(fields.data_name);
  auto* const type = static_cast<char*>(
      workspace_.arena.allocate(std::max<size_t>(fields.media_type.size(), 1), 1));
  if (type == nullptr) return no_memory();
  std::transform(fields.media_type.begin(), fields.media_type.end(), type,
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
  part.media_type = {type, fields.media_type.size()};
  part.kind = kind_of(part.media_type);
  part.file_name = fields.display_name;
  part.detail = fields.detail;
  if (fields.data_name == "fileData") {
    if (fields.url.empty()) {
      return refuse_at(data.member("fileUri"), "a file needs its URI");
    }
    part.url = fields.url;
    if (fields.url.bytes.find(files_host) != std::string_view::npos &&
        !unescape_into(workspace_.arena, fields.url.bytes, part.file_id)) {
      return no_memory();
    }
    return true;
  }
  if (part.media_type.empty()) {
    return refuse_at(data.member("mimeType"), "data needs its MIME type");
  }
  if (!is_any_base64(fields.bytes.bytes, part.data_url_safe)) {
    return refuse_at(data.member("data"), "expected base64 without line breaks");
  }
  part.data = fields.bytes;
  return true;
}

}  // namespace hyperion::dialect::gemini
