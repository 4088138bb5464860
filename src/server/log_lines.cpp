#include "server/log_lines.h"

#include <charconv>

#include "json/cursor.h"
#include "json/escapes.h"

namespace hyperion::server {
namespace {

bool read_text(json::Cursor& cursor, std::string& text) {
  std::string_view raw;
  if (!cursor.read_string(raw)) return false;
  text.assign(raw);
  text.resize(json::unescape(text, text.data(), text.size()));
  return true;
}

bool read_score(json::Cursor& cursor, double& score) {
  std::string_view raw;
  if (!cursor.read_raw(raw)) return false;
  const auto read = std::from_chars(raw.data(), raw.data() + raw.size(), score);
  return read.ec == std::errc() && read.ptr == raw.data() + raw.size();
}

// As the gateway writes it.
bool read_feedback(json::Cursor& cursor, LogLine& line) {
  if (!cursor.enter_object()) return false;
  for (std::string_view key; cursor.next_key(key);) {
    int64_t number = 0;
    if (key == "request_id") {
      if (!read_text(cursor, line.label_id)) return false;
    } else if (key == "score_permille") {
      if (!cursor.read_integer(number)) return false;
      line.label_score = static_cast<double>(number) / 1000;
    } else {
      cursor.skip();
    }
  }
  return !cursor.failed();
}

}  // namespace

bool read_log_line(std::string_view text, LogLine& line) {
  line = {};
  json::Cursor cursor(text);
  if (!cursor.enter_object()) return false;
  for (std::string_view key; cursor.next_key(key);) {
    std::string_view raw;
    if (key == "id") {
      if (!read_text(cursor, line.id)) return false;
    } else if (key == "key") {
      if (!read_text(cursor, line.key)) return false;
    } else if (key == "route") {
      if (!read_text(cursor, line.route)) return false;
    } else if (key == "requested_model") {
      if (!read_text(cursor, line.requested)) return false;
    } else if (key == "provider") {
      if (!read_text(cursor, line.provider)) return false;
    } else if (key == "fallback_index") {
      if (!cursor.read_integer(line.fallback_index)) return false;
    } else if (key == "prompt_tokens") {
      if (!cursor.read_integer(line.prompt_tokens)) return false;
    } else if (key == "cached_tokens") {
      if (!cursor.read_integer(line.cached_tokens)) return false;
    } else if (key == "completion_tokens") {
      if (!cursor.read_integer(line.completion_tokens)) return false;
    } else if (key == "feedback") {
      if (!read_feedback(cursor, line)) return false;
    } else if (key == "request_id") {
      if (!read_text(cursor, line.label_id)) return false;
    } else if (key == "score") {
      if (!read_score(cursor, line.label_score)) return false;
    } else if (key == "good" || key == "bad") {
      if (cursor.peek() == 't') line.label_score = key == "good" ? 1 : 0;
      cursor.skip();
    } else if (key == "model" && cursor.peek() == '"') {
      if (!read_text(cursor, line.label_model)) return false;
    } else if (key == "body" && cursor.peek() == '{') {
      if (!cursor.read_raw(raw)) return false;
      line.label_body.assign(raw);
    } else if (key == "decision") {
      if (!cursor.read_raw(raw)) return false;
      line.decided = routing::read_logged(raw, line.decision);
      line.unreadable = !line.decided;
    } else {
      cursor.skip();
    }
  }
  return !cursor.failed() && cursor.at_end();
}

}  // namespace hyperion::server
