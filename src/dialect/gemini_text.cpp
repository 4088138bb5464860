#include "dialect/gemini_text.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "dialect/text.h"

namespace hyperion::dialect::gemini {
namespace {

using json::Cursor;

struct ReasonRow {
  std::string_view reason;
  Finish finish;
};

constexpr ReasonRow reasons[] = {
    {"STOP", Finish::stop},
    {"MAX_TOKENS", Finish::length},
    {"CONTINUATION", Finish::length},  // Gemini 4: to be resumed
    {"SAFETY", Finish::content_filter},
    {"RECITATION", Finish::content_filter},
    {"BLOCKLIST", Finish::content_filter},
    {"PROHIBITED_CONTENT", Finish::content_filter},
    {"SPII", Finish::content_filter},
    {"LANGUAGE", Finish::content_filter},
    {"IMAGE_SAFETY", Finish::content_filter},
    {"IMAGE_PROHIBITED_CONTENT", Finish::content_filter},
    {"IMAGE_RECITATION", Finish::content_filter},
    {"MODEL_ARMOR", Finish::content_filter},
    {"MALFORMED_FUNCTION_CALL", Finish::malformed_call},
    {"UNEXPECTED_TOOL_CALL", Finish::malformed_call},
    {"TOO_MANY_TOOL_CALLS", Finish::malformed_call},
    {"MALFORMED_RESPONSE", Finish::malformed_call},
};

constexpr std::string_view letters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
// base64 of "hyperion.": nine bytes, so that nothing of it depends on what follows.
constexpr std::string_view foreign_prefix = "aHlwZXJpb24u";
constexpr std::string_view redacted_mark = "redacted.";

struct MakerRow {
  Maker maker;
  std::string_view prefix;
};
constexpr MakerRow makers[] = {{Maker::openai, "openai."}, {Maker::anthropic, "anthropic."}};

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }

// Base64 of a text that comes in pieces.
class Base64Writer {
 public:
  explicit Base64Writer(json::Output& out) : out_(out) {}

  void add(std::string_view text) {
    for (char c : text) {
      group_[size_++] = c;
      if (size_ == 3) flush();
    }
  }
  void finish() {
    if (size_ > 0) flush();
  }

 private:
  void flush() {
    char four[4];
    out_.add_raw({four, encode_base64({group_, size_}, four)});
    size_ = 0;
  }

  json::Output& out_;
  char group_[3];
  size_t size_ = 0;
};

int value_of(char c) {
  if (is_upper(c)) return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+' || c == '-') return 62;
  if (c == '/' || c == '_') return 63;
  return -1;
}

// What may stand in a signature or in a block of redacted reasoning: base64 of either alphabet and
// its like. It becomes part of another JSON text, so nothing else is let through.
bool is_signature_letter(char c) { return value_of(c) >= 0 || c == '=' || c == '.'; }

// The text behind `inside`, into the arena; empty when it is no base64 of such letters.
std::string_view decode_signature(Arena& arena, std::string_view inside) {
  char* const place = static_cast<char*>(arena.allocate(inside.size(), 1));
  if (place == nullptr) return {};
  size_t size = 0;
  uint32_t bits = 0;
  int count = 0;
  while (!inside.empty() && inside.back() == '=') inside.remove_suffix(1);
  for (size_t i = 0; i < inside.size(); ++i) {
    if (inside[i] == '\\') continue;
    const int value = value_of(inside[i]);
    if (value < 0) return {};
    bits = bits << 6 | static_cast<uint32_t>(value);
    if (++count % 4 == 1) continue;
    const int shift = count % 4 == 2 ? 4 : count % 4 == 3 ? 2 : 0;
    place[size++] = static_cast<char>(bits >> shift);
  }
  const std::string_view text(place, size);
  return std::all_of(text.begin(), text.end(), is_signature_letter) ? text : std::string_view();
}

int64_t known(int64_t count) { return std::max<int64_t>(count, 0); }

// The AUDIO of a list of {modality, tokenCount}.
int64_t read_audio_tokens(Cursor& cursor) {
  int64_t audio = 0;
  if (!cursor.enter_array()) {
    cursor.skip();
    return -1;
  }
  while (cursor.next_element()) {
    if (!cursor.enter_object()) {
      cursor.skip();
      continue;
    }
    std::string_view key, modality;
    int64_t count = 0;
    while (cursor.next_key(key)) {
      if (key == "modality" && cursor.peek() == '"') {
        cursor.read_string(modality);
      } else if (key == "tokenCount") {
        cursor.read_integer(count);
      } else {
        cursor.skip();
      }
    }
    if (modality == "AUDIO") audio = known(count);
  }
  return audio;
}

}  // namespace

size_t encode_base64(std::string_view bytes, char* out) {
  const auto byte = [bytes](size_t at) {
    return at < bytes.size() ? static_cast<unsigned char>(bytes[at]) : 0u;
  };
  size_t size = 0;
  for (size_t at = 0; at < bytes.size(); at += 3) {
    const uint32_t group = byte(at) << 16 | byte(at + 1) << 8 | byte(at + 2);
    const size_t given = std::min<size_t>(bytes.size() - at, 3) + 1;
    for (size_t i = 0; i < 4; ++i) {
      out[size++] = i < given ? letters[group >> (18 - 6 * i) & 63] : '=';
    }
  }
  return size;
}

bool is_named(std::string_view key, std::string_view camel) {
  size_t at = 0;
  for (char c : camel) {
    if (at < key.size() && key[at] == c) {
      ++at;
    } else if (is_upper(c) && at + 1 < key.size() && key[at] == '_' && key[at + 1] == (c | 0x20)) {
      at += 2;
    } else {
      return false;
    }
  }
  return at == key.size();
}

Finish finish_of(std::string_view reason, bool saw_call) {
  Finish finish = Finish::stop;
  for (const ReasonRow& row : reasons) {
    if (row.reason == reason) finish = row.finish;
  }
  return finish == Finish::stop && saw_call ? Finish::tool_calls : finish;
}

std::string_view reason_of(Finish finish) {
  switch (finish) {
    case Finish::length: return "MAX_TOKENS";
    case Finish::content_filter:
    case Finish::refusal: return "SAFETY";
    case Finish::malformed_call: return "MALFORMED_FUNCTION_CALL";
    case Finish::stop:
    case Finish::stop_sequence:
    case Finish::tool_calls:
    case Finish::pause: return "STOP";
  }
  return "STOP";
}

void read_usage(Cursor& cursor, Usage& usage) {
  if (!cursor.enter_object()) {
    cursor.skip();
    return;
  }
  int64_t prompt = -1, tool_prompt = -1, candidates = -1, thoughts = -1, cached = -1;
  int64_t audio_prompt = -1, audio_candidates = -1;
  std::string_view key;
  while (cursor.next_key(key)) {
    if (key == "promptTokenCount") {
      cursor.read_integer(prompt);
    } else if (key == "toolUsePromptTokenCount") {
      cursor.read_integer(tool_prompt);
    } else if (key == "candidatesTokenCount") {
      cursor.read_integer(candidates);
    } else if (key == "thoughtsTokenCount") {
      cursor.read_integer(thoughts);
    } else if (key == "cachedContentTokenCount") {
      cursor.read_integer(cached);
    } else if (key == "promptTokensDetails") {
      audio_prompt = read_audio_tokens(cursor);
    } else if (key == "candidatesTokensDetails") {
      audio_candidates = read_audio_tokens(cursor);
    } else {
      cursor.skip();
    }
  }
  // A total alone says nothing of its parts.
  if (prompt < 0 && candidates < 0 && thoughts < 0) return;
  usage.prompt_tokens = known(prompt) + known(tool_prompt);
  usage.completion_tokens = known(candidates) + known(thoughts);
  usage.cached_tokens = known(cached);
  usage.reasoning_tokens = known(thoughts);
  usage.audio_prompt_tokens = audio_prompt;
  usage.audio_completion_tokens = audio_candidates;
}

void write_usage(const Usage& usage, json::Output& out) {
  const int64_t thoughts = std::min(known(usage.reasoning_tokens), known(usage.completion_tokens));
  out.key("usageMetadata");
  out.begin_object();
  if (usage.prompt_tokens >= 0) out.member("promptTokenCount", usage.prompt_tokens);
  if (usage.completion_tokens >= 0) {
    out.member("candidatesTokenCount", usage.completion_tokens - thoughts);
  }
  out.member("totalTokenCount", known(usage.prompt_tokens) + known(usage.completion_tokens));
  if (usage.cached_tokens > 0) out.member("cachedContentTokenCount", usage.cached_tokens);
  if (thoughts > 0) out.member("thoughtsTokenCount", thoughts);
  out.end_object();
}

void add_foreign_signature(json::Output& out, std::string_view signature, Maker maker,
                           bool redacted) {
  Base64Writer writer(out);
  writer.add("hyperion.");
  for (const MakerRow& row : makers) {
    if (row.maker == maker) writer.add(row.prefix);
  }
  if (redacted) writer.add(redacted_mark);
  writer.add(signature);
  writer.finish();
}

Signature read_signature(Arena& arena, std::string_view inside) {
  if (!inside.starts_with(foreign_prefix)) return {{inside}, Maker::gemini, false};
  std::string_view text = decode_signature(arena, inside.substr(foreign_prefix.size()));
  for (const MakerRow& row : makers) {
    if (!text.starts_with(row.prefix)) continue;
    text.remove_prefix(row.prefix.size());
    const bool redacted = text.starts_with(redacted_mark);
    if (redacted) text.remove_prefix(redacted_mark.size());
    return {{text}, row.maker, redacted};
  }
  return {};
}

bool is_any_base64(std::string_view inside, bool& url_safe) {
  url_safe = inside.find_first_of("-_") != std::string_view::npos;
  if (!url_safe) return is_base64(inside);
  size_t padding = 0;
  while (!inside.empty() && inside.back() == '=') {
    inside.remove_suffix(1);
    ++padding;
  }
  const auto is_letter = [](char c) { return value_of(c) >= 0 && c != '+' && c != '/'; };
  if (inside.empty() || padding > 2) return false;
  if (padding > 0 ? (inside.size() + padding) % 4 != 0 : inside.size() % 4 == 1) return false;
  return std::all_of(inside.begin(), inside.end(), is_letter);
}

// The days by Hinnant's days_from_civil.
int64_t seconds_of(std::string_view time) {
  int year, month, day, hour, minute, second;
  char text[20] = {};
  if (time.size() < 20) return 0;
  std::memcpy(text, time.data(), 19);
  if (std::sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d", &year, &month, &day, &hour, &minute, &second) !=
      6) {
    return 0;
  }
  if (year < 1970 || month < 1 || month > 12) return 0;
  year -= month <= 2 ? 1 : 0;
  const int64_t era = year / 400;
  const int64_t year_of_era = year - era * 400;
  const int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  const int64_t days = era * 146097 + day_of_era - 719468;
  return days * 86400 + hour * 3600 + minute * 60 + second;
}

void add_compact(json::Output& out, std::string_view json, bool escaped) {
  size_t at = 0;
  bool in_string = false;
  while (at < json.size()) {
    const size_t begin = at;
    if (in_string) {
      while (at < json.size() && json[at] != '"') at += json[at] == '\\' ? 2 : 1;
      at = std::min(at + 1, json.size());
      in_string = false;
    } else {
      const size_t end = json.find_first_of(" \t\r\n\"", at);
      at = std::min(end, json.size());
      in_string = at < json.size() && json[at] == '"';
      if (in_string) ++at;
    }
    const std::string_view run = json.substr(begin, at - begin);
    if (escaped) {
      out.add_plain(run);
    } else {
      out.add_raw(run);
    }
    if (!in_string) at = std::min(json.find_first_not_of(" \t\r\n", at), json.size());
  }
}

}  // namespace hyperion::dialect::gemini
