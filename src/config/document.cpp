#include "config/document.h"

#include <algorithm>
#include <cstdio>

// As deep as we read, so that freeing a tree cannot exhaust the stack.
#define TOML_MAX_NESTED_VALUES 16
#include <toml++/toml.h>

namespace hyperion::config {
namespace {

// toml++ bounds the nesting of arrays and inline tables, but not that of dotted keys, whose tables
// it frees by recursion. A list of addresses may hold many dots.
constexpr size_t dots_per_line_max = 512;

bool too_many_dots(std::string_view text, SyntaxProblem& problem) {
  uint32_t line = 1;
  size_t dots = 0;
  for (char c : text) {
    dots = c == '\n' ? 0 : dots + (c == '.' ? 1 : 0);
    if (c == '\n') ++line;
    if (dots <= dots_per_line_max) continue;
    problem = {line, "expected at most 512 dots in one line"};
    return true;
  }
  return false;
}

// The library's words, which may end with the character it stumbled over.
std::string in_plain_ascii(std::string_view text) {
  std::string result;
  for (char c : text) result += c >= ' ' && c <= '~' ? c : '?';
  return result;
}

bool convert(const toml::node& node, size_t depth, Value& value, SyntaxProblem& problem);

bool convert_table(const toml::table& table, size_t depth, Value& value, SyntaxProblem& problem) {
  value.kind = Value::Kind::table;
  for (const auto& [key, child] : table) {
    Member member;
    member.key = std::string(key.str());
    member.line = key.source().begin.line;
    if (!convert(child, depth + 1, member.value, problem)) return false;
    value.members.push_back(std::move(member));
  }
  std::stable_sort(value.members.begin(), value.members.end(),
                   [](const Member& a, const Member& b) { return a.line < b.line; });
  return true;
}

bool convert_list(const toml::array& array, size_t depth, Value& value, SyntaxProblem& problem) {
  value.kind = Value::Kind::list;
  for (const toml::node& child : array) {
    value.items.emplace_back();
    if (!convert(child, depth + 1, value.items.back(), problem)) return false;
  }
  return true;
}

std::string text_of(const toml::date& date) {
  char text[16];
  std::snprintf(text, sizeof(text), "%04u-%02u-%02u", unsigned{date.year} % 10'000,
                unsigned{date.month} % 100, unsigned{date.day} % 100);
  return text;
}

bool convert(const toml::node& node, size_t depth, Value& value, SyntaxProblem& problem) {
  value.line = node.source().begin.line;
  if (depth > document_depth_max) {
    problem = {value.line, "expected tables and lists nested at most 16 deep"};
    return false;
  }
  switch (node.type()) {
    case toml::node_type::table: return convert_table(*node.as_table(), depth, value, problem);
    case toml::node_type::array: return convert_list(*node.as_array(), depth, value, problem);
    case toml::node_type::boolean:
      value.kind = Value::Kind::boolean;
      value.boolean = node.as_boolean()->get();
      return true;
    case toml::node_type::integer:
      value.kind = Value::Kind::integer;
      value.integer = node.as_integer()->get();
      return true;
    case toml::node_type::floating_point:
      value.kind = Value::Kind::real;
      value.real = node.as_floating_point()->get();
      return true;
    case toml::node_type::string:
      value.kind = Value::Kind::text;
      value.text = node.as_string()->get();
      return true;
    case toml::node_type::date:
      value.kind = Value::Kind::date;
      value.text = text_of(node.as_date()->get());
      return true;
    default: value.kind = Value::Kind::other; return true;
  }
}

}  // namespace

const Member* Value::find(std::string_view key) const {
  for (const Member& member : members) {
    if (member.key == key) return &member;
  }
  return nullptr;
}

std::optional<Value> parse_document(std::string_view text, SyntaxProblem& problem) {
  if (text.size() > document_size_max_bytes) {
    problem = {0, "expected a file of at most 4 MiB"};
    return std::nullopt;
  }
  if (too_many_dots(text, problem)) return std::nullopt;
  const toml::parse_result result = toml::parse(text);
  if (!result) {
    problem.line = result.error().source().begin.line;
    problem.message = "not TOML: " + in_plain_ascii(result.error().description());
    return std::nullopt;
  }
  Value document;
  if (!convert(result.table(), 0, document, problem)) return std::nullopt;
  return document;
}

}  // namespace hyperion::config
