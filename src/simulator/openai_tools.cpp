// A call of a tool: which one is wanted, and arguments that suit its schema.
#include <algorithm>
#include <string>

#include "json/cursor.h"
#include "simulator/openai.h"
#include "simulator/sample.h"

namespace hyperion::simulator::openai {
namespace {

std::string_view unquoted(std::string_view raw) {
  const bool quoted = raw.size() >= 2 && raw.front() == '"';
  return quoted ? raw.substr(1, raw.size() - 2) : std::string_view();
}

// Arguments are cut into fragments, which must not fall within a character.
bool is_plain(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

void write_arguments(std::string_view parameters, std::string& out) {
  JsonTree tree;
  out.clear();
  append_arguments(tree.read(parameters), out);
  if (!is_plain(out)) out = "{}";
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
