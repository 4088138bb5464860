#include "http/field_rules.h"

#include <array>

#include "http/head.h"

namespace hyperion::http {

namespace {

enum CharClass : uint8_t { token = 1, field_value = 2, host_name = 4, alphanumeric = 8 };

constexpr std::array<uint8_t, 256> make_classes() {
  std::array<uint8_t, 256> classes{};
  for (int c = 0; c < 256; ++c) {
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    bool digit = c >= '0' && c <= '9';
    if (letter || digit) classes[c] |= token | host_name | alphanumeric;
    if (c == '\t' || (c >= 0x20 && c != 0x7f)) classes[c] |= field_value;
  }
  for (char c : std::string_view("!#$%&'*+-.^_`|~")) classes[static_cast<uint8_t>(c)] |= token;
  // Unreserved, percent and sub-delims of RFC 3986, without the comma, which joins repeated fields.
  for (char c : std::string_view("-._~%!$&'()*+;=")) classes[static_cast<uint8_t>(c)] |= host_name;
  return classes;
}
constexpr std::array<uint8_t, 256> classes = make_classes();

bool is(char c, CharClass wanted) { return (classes[static_cast<uint8_t>(c)] & wanted) != 0; }

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool is_hex(char c) { return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'f'); }

bool is_port(std::string_view text) {
  if (text.size() > 5) return false;
  uint32_t port = 0;
  for (char c : text) {
    if (c < '0' || c > '9') return false;
    port = port * 10 + static_cast<uint32_t>(c - '0');
  }
  return port <= 65535;
}

bool is_registered_name(std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (!is(text[i], host_name)) return false;
    if (text[i] != '%') continue;
    if (i + 2 >= text.size() || !is_hex(text[i + 1]) || !is_hex(text[i + 2])) return false;
  }
  return !text.empty();
}

// "[" address "]": the characters only, as nothing is ever looked up by it.
bool is_bracketed_address(std::string_view text) {
  if (text.size() < 4) return false;
  for (char c : text.substr(1, text.size() - 2)) {
    if (!is_hex(c) && c != ':' && c != '.') return false;
  }
  return true;
}

// Does `name`, of which only letters and digits count, spell `wanted` (lower case)?
bool spells(std::string_view name, std::string_view wanted) {
  size_t at = 0;
  for (char c : name) {
    if (!is(c, alphanumeric)) continue;
    if (at == wanted.size() || lower(c) != wanted[at]) return false;
    ++at;
  }
  return at == wanted.size();
}

GuardedName guarded_if(std::string_view name, std::string_view plain, std::string_view letters,
                       GuardedName which) {
  if (!spells(name, letters)) return GuardedName::none;
  return equal_ignoring_case(name, plain) ? which : GuardedName::disguised;
}

// The length of a dot at the start of `text`, plain or percent-encoded; 0 if there is none.
size_t dot_size(std::string_view text) {
  if (text.empty()) return 0;
  if (text[0] == '.') return 1;
  bool encoded = text.size() >= 3 && text[0] == '%' && text[1] == '2' && lower(text[2]) == 'e';
  return encoded ? 3 : 0;
}

// Is the segment at the start of `path` ".."? "..;" counts, as some servers cut there.
bool starts_with_parent_segment(std::string_view path) {
  for (int dots = 0; dots < 2; ++dots) {
    size_t size = dot_size(path);
    if (size == 0) return false;
    path.remove_prefix(size);
  }
  return path.empty() || path[0] == '/' || path[0] == ';';
}

const char* path_fault(std::string_view path) {
  for (size_t i = 0; i < path.size(); ++i) {
    char c = path[i];
    if (c == '\\') return "The path must not contain a backslash; '/' was expected.";
    if (c == '%' && path.substr(i + 1, 2) == "00") return "The path must not contain %00.";
    if (c == '/' && starts_with_parent_segment(path.substr(i + 1))) {
      return "The path must not contain '..' segments; the full path was expected.";
    }
  }
  return nullptr;
}

}  // namespace

bool is_token_char(char c) { return is(c, token); }
bool is_field_value_char(char c) { return is(c, field_value); }

bool is_host(std::string_view text) {
  size_t name_size = text.size();
  if (!text.empty() && text[0] == '[') {
    size_t close = text.find(']');
    if (close == std::string_view::npos) return false;
    name_size = close + 1;
    if (!is_bracketed_address(text.substr(0, name_size))) return false;
  } else {
    size_t colon = text.find(':');
    if (colon != std::string_view::npos) name_size = colon;
    if (!is_registered_name(text.substr(0, name_size))) return false;
  }
  if (name_size == text.size()) return true;
  return text[name_size] == ':' && is_port(text.substr(name_size + 1));
}

bool parse_content_length(std::string_view text, uint64_t& value) {
  constexpr size_t digits_max_count = 19;  // the most that always fit 64 bits
  if (text.empty() || text.size() > digits_max_count) return false;
  if (text[0] == '0' && text.size() > 1) return false;
  uint64_t parsed = 0;
  for (char c : text) {
    if (c < '0' || c > '9') return false;
    parsed = parsed * 10 + static_cast<uint64_t>(c - '0');
  }
  value = parsed;
  return true;
}

GuardedName guarded_name(std::string_view name) {
  size_t first = 0;
  while (first < name.size() && !is(name[first], alphanumeric)) ++first;
  if (first == name.size()) return GuardedName::none;
  switch (lower(name[first])) {
    case 'a': return guarded_if(name, "authorization", "authorization", GuardedName::authorization);
    case 'c':
      return guarded_if(name, "content-length", "contentlength", GuardedName::content_length);
    case 'h': return guarded_if(name, "host", "host", GuardedName::host);
    case 't':
      return guarded_if(name, "transfer-encoding", "transferencoding",
                        GuardedName::transfer_encoding);
    default: return GuardedName::none;
  }
}

TargetParts check_target(std::string_view target, bool asterisk_allowed) {
  TargetParts parts;
  size_t path_end = target.size();
  for (size_t i = 0; i < target.size(); ++i) {
    char c = target[i];
    if (c <= 0x20 || c >= 0x7f || c == '#') {
      parts.fault =
          "The request target must be visible ASCII without '#'; encode other bytes as %XX.";
      return parts;
    }
    if (c == '?' && path_end == target.size()) path_end = i;
  }
  if (target == "*") {
    if (!asterisk_allowed) parts.fault = "The target '*' is for OPTIONS only; a path was expected.";
    parts.path_size = 1;
    return parts;
  }
  size_t path_begin = 0;
  for (std::string_view scheme : {std::string_view("http://"), std::string_view("https://")}) {
    if (!equal_ignoring_case(target.substr(0, scheme.size()), scheme)) continue;
    path_begin = target.find('/', scheme.size());
    if (path_begin == std::string_view::npos) path_begin = target.size();
    parts.authority_begin = static_cast<uint32_t>(scheme.size());
    parts.authority_size = static_cast<uint32_t>(path_begin - scheme.size());
    if (path_end < path_begin || parts.authority_size == 0) {
      parts.fault = "A target in absolute form must be http://host/path.";
      return parts;
    }
  }
  bool origin_form = path_begin == target.size() || target[path_begin] == '/';
  if (target.empty() || !origin_form) {
    parts.fault = "The request target must be a path that begins with '/'.";
    return parts;
  }
  parts.path_begin = static_cast<uint32_t>(path_begin);
  parts.path_size = static_cast<uint32_t>(path_end - path_begin);
  parts.fault = path_fault(target.substr(path_begin, parts.path_size));
  return parts;
}

}  // namespace hyperion::http
