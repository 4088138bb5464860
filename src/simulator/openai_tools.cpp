// A call of a tool: which one is wanted, and arguments that suit its schema at the first level.
#include <algorithm>
#include <string>

#include "json/cursor.h"
#include "simulator/openai.h"

namespace hyperion::simulator::openai {
namespace {

constexpr size_t arguments_max_bytes = 4096;

std::string_view unquoted(std::string_view raw) {
  const bool quoted = raw.size() >= 2 && raw.front() == '"';
  return quoted ? raw.substr(1, raw.size() - 2) : std::string_view();
}

// A value of the type that `schema` names; of an enumeration, its first.
std::string_view sample(std::string_view schema) {
  const std::string_view choices = find_value(schema, "enum");
  json::Cursor cursor(choices);
  std::string_view first;
  if (!choices.empty() && cursor.enter_array() && cursor.next_element() && cursor.read_raw(first)) {
    return first;
  }
  const std::string_view type = unquoted(find_value(schema, "type"));
  if (type == "integer" || type == "number") return "1";
  if (type == "boolean") return "true";
  if (type == "array") return "[]";
  if (type == "object") return "{}";
  if (type == "null") return "null";
  return "\"simulated\"";
}

// Arguments are cut into fragments, which must not fall within a character.
bool is_plain(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

void write_arguments(std::string_view parameters, std::string& out) {
  out = "{";
  json::Cursor cursor(find_value(parameters, "properties"));
  std::string_view key;
  std::string_view schema;
  if (cursor.peek() == '{' && cursor.enter_object()) {
    while (cursor.next_key(key) && cursor.read_raw(schema)) {
      const std::string_view value = sample(schema);
      if (!is_plain(key) || !is_plain(value)) continue;
      if (out.size() + key.size() + value.size() > arguments_max_bytes) break;
      if (out.size() > 1) out += ',';
      out += '"';
      out += key;
      out += "\":";
      out += value;
    }
  }
  out += '}';
}

}  // namespace

// Only where the request insists: by "required", or by a function's name.
bool read_tool_call(const Call& call, Generation& generation) {
  const std::string_view tools = call.raw(json::Key::tools);
  if (tools.empty() || tools.front() != '[') return false;
  const std::string_view choice = find_value(call.body, "tool_choice");
  const bool required = choice == "\"required\"";
  const std::string_view wanted = unquoted(find_value(find_value(choice, "function"), "name"));
  if (!required && wanted.empty()) return false;
  json::Cursor cursor(tools);
  std::string_view tool;
  if (!cursor.enter_array()) return false;
  while (cursor.next_element() && cursor.read_raw(tool)) {
    const std::string_view function = find_value(tool, "function");
    const std::string_view name = unquoted(find_value(function, "name"));
    if (name.empty() || (!required && name != wanted)) continue;
    generation.tool_name = name;  // raw, fit for a JSON string
    write_arguments(find_value(function, "parameters"), generation.tool_arguments);
    return true;
  }
  return false;
}

}  // namespace hyperion::simulator::openai
