#include "dialect/text.h"

#include <algorithm>
#include <cstring>

#include "json/escapes.h"
#include "json/utf8.h"
#include "json/validate.h"

namespace hyperion::dialect {
namespace {

constexpr std::string_view base64_marker = ";base64,";

bool is_base64_letter(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
         c == '/';
}

std::string_view prefix_of(Maker maker) {
  switch (maker) {
    case Maker::openai: return "hyperion.openai.";
    case Maker::anthropic: return "hyperion.anthropic.";
    case Maker::gemini: return "hyperion.gemini.";
    case Maker::unknown: return {};
  }
  return {};
}

// Eight bytes at a time where they are ASCII.
bool is_utf8(std::string_view text) {
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at < end) {
    uint64_t eight = 0x80;
    if (end - at >= 8) std::memcpy(&eight, at, 8);
    if ((eight & 0x8080808080808080) == 0) {
      at += 8;
      continue;
    }
    const size_t length = json::utf8_sequence_length(at, end);
    if (length == 0) return false;
    at += length;
  }
  return true;
}

}  // namespace

bool unescape_into(Arena& arena, std::string_view inside, std::string_view& plain) {
  if (inside.find('\\') == std::string_view::npos) {
    plain = inside;
    return true;
  }
  auto* place = static_cast<char*>(arena.allocate(inside.size(), 1));
  if (place == nullptr) return false;
  plain = {place, json::unescape(inside, place, inside.size())};
  return true;
}

bool is_json_object(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && text[first] == '{' && json::is_valid(text);
}

bool is_json_object_escaped(std::string_view inside, ByteBuffer& scratch) {
  if (inside.find('\\') == std::string_view::npos) return is_json_object(inside);
  scratch.clear();
  char* place = scratch.extend(inside.size());
  if (place == nullptr) return false;
  return is_json_object({place, json::unescape(inside, place, inside.size())});
}

bool is_inside(std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (static_cast<unsigned char>(text[i]) < ' ' || text[i] == '"') return false;
    if (text[i] == '\\') ++i;
  }
  return json::check_escapes(text).well_formed && is_utf8(text);
}

bool is_data_url(std::string_view inside) {
  constexpr std::string_view scheme = "data:";
  if (inside.size() < scheme.size()) return false;
  for (size_t i = 0; i < scheme.size(); ++i) {
    if ((inside[i] | 0x20) != (scheme[i] | 0x20)) return false;
  }
  return true;
}

// The parameters may hold anything but a comma, even quoted base64 markers: the last marker before
// the first comma counts (RFC 2397).
bool split_data_url(Arena& arena, std::string_view inside, std::string_view& media_type,
                    std::string_view& data) {
  if (!is_data_url(inside)) return false;
  const size_t comma = inside.find(',');
  if (comma == std::string_view::npos || comma + 1 < base64_marker.size()) return false;
  const size_t marker = comma + 1 - base64_marker.size();
  if (marker < 5) return false;
  for (size_t i = 0; i < base64_marker.size(); ++i) {
    const char c = inside[marker + i];
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
    if (lower != base64_marker[i]) return false;
  }
  std::string_view type = inside.substr(5, marker - 5);
  type = type.substr(0, type.find(';'));
  auto* place = static_cast<char*>(arena.allocate(type.size() + 1, 1));
  if (place == nullptr) return false;
  const size_t size = json::unescape(type, place, type.size());
  for (size_t i = 0; i < size; ++i) {
    if (place[i] >= 'A' && place[i] <= 'Z') place[i] = static_cast<char>(place[i] | 0x20);
  }
  media_type = {place, size};
  data = inside.substr(comma + 1);
  return true;
}

bool is_base64(std::string_view inside) {
  size_t digits = 0;
  size_t at = 0;
  while (at < inside.size()) {
    if (is_base64_letter(inside[at])) {
      ++digits;
      ++at;
    } else if (inside[at] == '\\' && at + 1 < inside.size() && inside[at + 1] == '/') {
      ++digits;
      at += 2;
    } else {
      break;
    }
  }
  size_t padding = 0;
  while (at < inside.size() && inside[at] == '=') {
    ++padding;
    ++at;
  }
  if (at != inside.size() || digits == 0 || padding > 2) return false;
  // Without padding any length but one digit too many will do.
  return padding == 0 ? digits % 4 != 1 : (digits + padding) % 4 == 0;
}

void add_data(json::Output& out, const Part& part) {
  if (!part.data_url_safe) {
    out.add_raw(part.data.bytes);
    return;
  }
  char piece[512];
  std::string_view rest = part.data.bytes;
  while (!rest.empty()) {
    const size_t size = std::min(rest.size(), sizeof(piece));
    for (size_t i = 0; i < size; ++i) {
      piece[i] = rest[i] == '-' ? '+' : rest[i] == '_' ? '/' : rest[i];
    }
    out.add_raw({piece, size});
    rest.remove_prefix(size);
  }
}

void add_signature(json::Output& out, std::string_view signature, Maker maker, Maker home) {
  if (maker != home && maker != Maker::unknown) out.add_plain(prefix_of(maker));
  out.add_raw(signature);
}

Maker maker_of(std::string_view& signature, Maker home) {
  for (Maker maker : {Maker::openai, Maker::anthropic, Maker::gemini}) {
    if (!signature.starts_with(prefix_of(maker))) continue;
    signature.remove_prefix(prefix_of(maker).size());
    return maker;
  }
  return home;
}

namespace {

// Searched by two bytes of it that are rare in texts, 16 places at once.
bool contains(std::string_view text, std::string_view word, size_t rare) {
  using Bytes = unsigned char __attribute__((vector_size(16)));
  if (text.size() < word.size()) return false;
  // Where the rare bytes of a match may stand.
  const char* at = text.data() + rare;
  const char* const end = text.data() + text.size() - word.size() + rare + 1;
  const auto is_here = [&](const char* place) {
    return *place == word[rare] && std::memcmp(place - rare, word.data(), word.size()) == 0;
  };
  const Bytes first = Bytes{} + static_cast<unsigned char>(word[rare]);
  const Bytes second = Bytes{} + static_cast<unsigned char>(word[rare + 1]);
  // A match has at least one more byte behind the second of these.
  for (; end - at > 16; at += 16) {
    Bytes here;
    Bytes next;
    std::memcpy(&here, at, sizeof(here));
    std::memcpy(&next, at + 1, sizeof(next));
    const auto both = (here == first) & (next == second);
    uint64_t halves[2];
    std::memcpy(halves, &both, sizeof(halves));
    if ((halves[0] | halves[1]) == 0) continue;
    for (const char* place = at; place < at + 16; ++place) {
      if (is_here(place)) return true;
    }
  }
  for (; at < end; ++at) {
    if (is_here(at)) return true;
  }
  return false;
}

}  // namespace

bool carries_foreign_thinking(Wire wire, std::string_view body, bool unmarked) {
  switch (wire) {
    case Wire::anthropic:
      return contains(body, "hyperion.gemini.", 1) || contains(body, "hyperion.openai.", 1);
    case Wire::openai_responses:
      return contains(body, "hyperion.anthropic.", 1) || contains(body, "hyperion.gemini.", 1);
    // There it is base64: "hyperion.".
    case Wire::gemini: return contains(body, "aHlwZXJpb24u", 0);
    case Wire::openai_chat:
      return unmarked &&
             (contains(body, "thinking_blocks\"", 7) || contains(body, "thought_signature\"", 6));
  }
  return false;
}

std::string_view bounded_inside(std::string_view inside, size_t size_max_bytes) {
  if (inside.size() <= size_max_bytes) return inside;
  size_t size = 0;
  while (size < size_max_bytes) {
    const auto byte = static_cast<unsigned char>(inside[size]);
    size_t step = 1;
    if (byte == '\\') {
      step = size + 1 < inside.size() && inside[size + 1] == 'u' ? 6 : 2;
      // Both halves of a pair: \ud83d\ude00.
      const bool high = inside.substr(size, 3) == "\\ud" || inside.substr(size, 3) == "\\uD";
      const bool low =
          inside.size() - size > 8 && inside[size + 6] == '\\' && inside[size + 7] == 'u';
      if (step == 6 && high && low) step = 12;
    } else if (byte >= 0xC0) {
      step = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : 2;
    }
    if (size + step > size_max_bytes) break;
    size += step;
  }
  return inside.substr(0, size);
}

void begin_event(json::Output& out, std::string_view name) {
  if (!name.empty()) {
    out.bytes("event: ");
    out.bytes(name);
    out.bytes("\n");
  }
  out.bytes("data: ");
}

void end_event(json::Output& out) { out.bytes("\n\n"); }

}  // namespace hyperion::dialect
