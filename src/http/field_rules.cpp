#include "http/field_rules.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "http/head.h"

namespace hyperion::http {

namespace {

enum CharClass : uint8_t {
  token = 1,
  field_value = 2,
  host_name = 4,
  alphanumeric = 8,
  plain_in_target = 16,  // visible ASCII that needs no further look there
};

constexpr std::array<uint8_t, 256> make_classes() {
  std::array<uint8_t, 256> classes{};
  for (int c = 0; c < 256; ++c) {
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    bool digit = c >= '0' && c <= '9';
    if (letter || digit) classes[c] |= token | host_name | alphanumeric;
    if (c > 0x20 && c < 0x7f) classes[c] |= plain_in_target;
    if (c == '\t' || (c >= 0x20 && c != 0x7f)) classes[c] |= field_value;
  }
  for (char c : std::string_view("!#$%&'*+-.^_`|~")) classes[static_cast<uint8_t>(c)] |= token;
  // Unreserved, percent and sub-delims of RFC 3986, without the comma, which joins repeated fields.
  for (char c : std::string_view("-._~%!$&'()*+;=")) classes[static_cast<uint8_t>(c)] |= host_name;
  for (char c : std::string_view("#%/?\\")) {
    classes[static_cast<uint8_t>(c)] &= static_cast<uint8_t>(~plain_in_target);
  }
  return classes;
}
constexpr std::array<uint8_t, 256> classes = make_classes();

bool is(char c, CharClass wanted) {
  return (classes.data()[static_cast<uint8_t>(c)] & wanted) != 0;
}

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
  for (const char* at = text.data(); at != text.data() + text.size(); ++at) {
    if (!is(*at, host_name)) return false;
    if (*at != '%') continue;
    const std::string_view digits = text.substr(static_cast<size_t>(at - text.data()) + 1, 2);
    if (digits.size() < 2 || !is_hex(digits[0]) || !is_hex(digits[1])) return false;
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

uint64_t load_folded(const char* at) {
  uint64_t word;
  std::memcpy(&word, at, sizeof(word));
  return word | 0x2020202020202020u;
}

// Equal but for case? Both of one size from 8 to 24, `name` of token characters, `wanted` of lower
// case letters and hyphens: then setting one bit folds letters and changes nothing else that
// counts.
bool equal_folded(std::string_view name, std::string_view wanted) {
  const size_t last = wanted.size() - 8;
  const size_t middle = last < 8 ? last : 8;
  return load_folded(name.data()) == load_folded(wanted.data()) &&
         load_folded(name.data() + middle) == load_folded(wanted.data() + middle) &&
         load_folded(name.data() + last) == load_folded(wanted.data() + last);
}

// Does `name`, of which only letters and digits count, spell `wanted` (lower case)?
bool spells(std::string_view name, std::string_view wanted) {
  if (name.size() < wanted.size()) return false;
  size_t at = 0;
  for (char c : name) {
    if (!is(c, alphanumeric)) continue;
    if (at == wanted.size() || lower(c) != wanted[at]) return false;
    ++at;
  }
  return at == wanted.size();
}

// The length of a dot at the start of `text`, plain or percent-encoded; 0 if there is none.
size_t dot_size(std::string_view text) {
  if (text.empty()) return 0;
  if (text[0] == '.') return 1;
  bool encoded = text.size() >= 3 && text[0] == '%' && text[1] == '2' && lower(text[2]) == 'e';
  return encoded ? 3 : 0;
}

// Is the segment at the start of the rest of a target ".."? "..;" counts, as some servers cut
// there.
bool starts_with_parent_segment(std::string_view path) {
  for (int dots = 0; dots < 2; ++dots) {
    size_t size = dot_size(path);
    if (size == 0) return false;
    path.remove_prefix(size);
  }
  return path.empty() || path[0] == '/' || path[0] == ';' || path[0] == '?';
}

constexpr const char* character_fault =
    "The request target must be visible ASCII without '#'; encode other bytes as %XX.";

// Finds the end of the path in `parts`, and faults of the characters up to it and behind it.
void check_characters(std::string_view target, TargetParts& parts) {
  bool in_path = true;
  parts.path_size = static_cast<uint32_t>(target.size()) - parts.path_begin;
  const char* const begin = target.data();
  const char* const end = begin + target.size();
  for (const char* at = begin + parts.path_begin; at != end; ++at) {
    const char c = *at;
    if (is(c, plain_in_target)) continue;
    const size_t i = static_cast<size_t>(at - begin);
    if (c != '/' && c != '?' && c != '%' && c != '\\') {
      parts.fault = character_fault;
      return;
    }
    if (!in_path) continue;
    if (c == '?') {
      in_path = false;
      parts.path_size = static_cast<uint32_t>(i) - parts.path_begin;
    } else if (c == '\\') {
      parts.fault = "The path must not contain a backslash; '/' was expected.";
    } else if (c == '%' && target.substr(i + 1, 2) == "00") {
      parts.fault = "The path must not contain %00.";
    } else if (c == '/' && starts_with_parent_segment(target.substr(i + 1))) {
      parts.fault = "The path must not contain '..' segments; the full path was expected.";
    }
    if (parts.fault != nullptr) return;
  }
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
  struct Guarded {
    std::string_view usual;
    std::string_view letters;
    GuardedName which;
  };
  static constexpr Guarded authorization = {"authorization", "authorization",
                                            GuardedName::authorization};
  static constexpr Guarded content_length = {"content-length", "contentlength",
                                             GuardedName::content_length};
  static constexpr Guarded host = {"host", "host", GuardedName::host};
  static constexpr Guarded transfer_encoding = {"transfer-encoding", "transferencoding",
                                                GuardedName::transfer_encoding};
  size_t first = 0;
  while (first < name.size() && !is(name[first], alphanumeric)) ++first;
  if (first == name.size()) return GuardedName::none;
  const Guarded* guarded = nullptr;
  switch (lower(name[first])) {
    case 'a': guarded = &authorization; break;
    case 'c': guarded = &content_length; break;
    case 'h': guarded = &host; break;
    case 't': guarded = &transfer_encoding; break;
    default: return GuardedName::none;
  }
  const bool long_enough = guarded->usual.size() >= 8;
  if (long_enough && name.size() == guarded->usual.size() && equal_folded(name, guarded->usual)) {
    return guarded->which;
  }
  if (!spells(name, guarded->letters)) return GuardedName::none;
  // Without hyphens in it, a name that spells it in as many characters is it.
  const bool usual = !long_enough && name.size() == guarded->usual.size();
  return usual ? guarded->which : GuardedName::disguised;
}

// Splits an absolute form; leaves the parts as they are when it is none.
void split_absolute_form(std::string_view target, TargetParts& parts) {
  for (std::string_view scheme : {std::string_view("http://"), std::string_view("https://")}) {
    if (!equal_ignoring_case(target.substr(0, scheme.size()), scheme)) continue;
    const size_t authority_end =
        std::min(target.find_first_of("/?#", scheme.size()), target.size());
    parts.authority_begin = static_cast<uint32_t>(scheme.size());
    parts.authority_size = static_cast<uint32_t>(authority_end - scheme.size());
    parts.path_begin = static_cast<uint32_t>(authority_end);
  }
}

TargetParts check_target(std::string_view target, bool asterisk_allowed) {
  TargetParts parts;
  if (target == "*") {
    if (!asterisk_allowed) parts.fault = "The target '*' is for OPTIONS only; a path was expected.";
    parts.path_size = 1;
    return parts;
  }
  if (target.empty() || target[0] != '/') {
    split_absolute_form(target, parts);
    const bool path_follows = parts.path_begin == target.size() || target[parts.path_begin] == '/';
    if (parts.authority_size == 0 || !path_follows) {
      parts.fault = "The request target must be a path that begins with '/'.";
      return parts;
    }
  }
  check_characters(target, parts);
  return parts;
}

}  // namespace hyperion::http
