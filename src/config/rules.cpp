// What texts of the conf may hold, and values in words: the part of config/keys.h about messages.
#include <algorithm>
#include <cstdio>

#include "config/faults.h"
#include "config/keys.h"

namespace hyperion::config {
namespace {

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool all_of(std::string_view text, bool (*accept)(char c)) {
  return std::all_of(text.begin(), text.end(), accept);
}

bool is_label(std::string_view text) {
  if (text.empty() || text.size() > 63) return false;
  if (!is_lower(text.front()) && !is_digit(text.front())) return false;
  return all_of(text, [](char c) { return is_lower(c) || is_digit(c) || c == '_' || c == '-'; });
}

bool is_environment_name(std::string_view text) {
  if (text.size() > 128 || is_digit(text.front())) return false;
  return all_of(text, [](char c) { return is_upper(c) || is_digit(c) || c == '_'; });
}

// RFC 9110 5.6.2
bool is_token(std::string_view text) {
  return text.size() <= 64 && all_of(text, [](char c) {
           return is_lower(c) || is_upper(c) || is_digit(c) ||
                  std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
         });
}

bool is_origin(std::string_view text) {
  if (text == "*") return true;
  if (!text.starts_with("https://") && !text.starts_with("http://")) return false;
  const std::string_view host = text.substr(text.find("//") + 2);
  return !host.empty() && host.size() < 256 && all_of(host, [](char c) {
    return is_lower(c) || is_digit(c) ||
           std::string_view("-.:[]").find(c) != std::string_view::npos;
  });
}

bool is_fault(std::string_view text) {
  FaultPlan plan;
  std::string_view unknown;
  return text.size() <= 256 && read_faults(text, {}, true, plan, unknown) && plan.any();
}

bool is_line(std::string_view text) {
  return text.size() <= 1024 &&
         all_of(text, [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f; });
}

}  // namespace

bool acceptable(Text kind, std::string_view text) {
  if (text.empty()) return false;
  switch (kind) {
    case Text::line: return is_line(text);
    case Text::label: return is_label(text);
    case Text::model: return catalog::is_model_name(text);
    case Text::environment: return is_environment_name(text);
    case Text::path: return is_line(text);
    case Text::header_name: return is_token(text);
    case Text::origin: return is_origin(text);
    case Text::fault: return is_fault(text);
    case Text::pattern: return catalog::is_model_name(text);
  }
  return false;
}

std::string_view expectation(Text kind) {
  switch (kind) {
    case Text::line: return "a text of one line, up to 1024 bytes";
    case Text::label: return "a name of up to 63 of [a-z0-9_-] that starts with a letter or digit";
    case Text::model: return "a model's name: visible ASCII without quote and backslash";
    case Text::environment:
      return "the name of an environment variable, [A-Z_][A-Z0-9_]*, not its value";
    case Text::path: return "a path, up to 1024 bytes";
    case Text::header_name: return "a header's name";
    case Text::origin: return "an origin such as \"https://example.org\", or \"*\"";
    case Text::fault:
      return "a fault such as \"503\", \"reset\", \"cut:3\" or \"slow:500\", or several with "
             "commas; "
             "docs/simulator.md lists them";
    case Text::pattern:
      return "a model's name, a prefix such as \"gpt-4o*\", \"provider/*\" or \"*\"";
  }
  return "";
}

std::string describe(const Value& value) {
  constexpr size_t shown_max = 32;
  switch (value.kind) {
    case Value::Kind::boolean: return value.boolean ? "true" : "false";
    case Value::Kind::integer: return std::to_string(value.integer);
    case Value::Kind::real: {
      char number[32];
      std::snprintf(number, sizeof(number), "%g", value.real);
      return number;
    }
    case Value::Kind::date: return "the date " + value.text;
    case Value::Kind::list: return "a list";
    case Value::Kind::table: return "a table";
    case Value::Kind::other: return "a value of another kind";
    case Value::Kind::text: break;
  }
  if (value.text.empty()) return "an empty text";
  // Keys are longer than this: what is shown cannot be one.
  if (value.text.size() > shown_max) {
    return "a text of " + std::to_string(value.text.size()) + " bytes";
  }
  std::string shown = value.text;
  for (char& c : shown) {
    if (c < ' ' || c > '~') c = '?';
  }
  return "\"" + shown + "\"";
}

}  // namespace hyperion::config
