// What Anthropic refuses of tools, of the choice among them, and of schemas.
#include <algorithm>
#include <string>

#include "simulator/answer_text.h"
#include "simulator/anthropic.h"

namespace hyperion::simulator::anthropic {
namespace {

constexpr size_t tool_name_max_bytes = 128;
constexpr int schema_depth_max = 32;

bool field_required(Answer& answer, const std::string& path) {
  return refuse(answer, path + ": Field required");
}

bool is_tool_name(std::string_view name) {
  return !name.empty() && name.size() <= tool_name_max_bytes &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_' || c == '-';
         });
}

bool read_tool(JsonValue tool, const std::string& path, Request& request, Answer& answer) {
  if (!tool.is_object()) return refuse(answer, path + ": Input should be an object");
  const JsonValue type = tool["type"];
  const bool custom = type.is_nothing() || type.text() == "custom";
  if (!count_tokens(tool, tokens_of(tool.raw().size()), path, request, answer)) return false;
  if (!custom) return true;  // a tool of the provider's own: never called here
  const std::string inner = path + ".custom.";
  if (!only_known(tool,
                  {"type", "name", "description", "input_schema", "cache_control", "strict",
                   "eager_input_streaming", "input_examples", "defer_loading", "allowed_callers"},
                  inner, answer)) {
    return false;
  }
  if (!tool["name"].present()) return field_required(answer, inner + "name");
  if (!is_tool_name(tool["name"].text())) {
    return refuse(answer, inner + "name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'");
  }
  if (tool["description"].present() && !tool["description"].is_string()) {
    return refuse(answer, inner + "description: Input should be a valid string");
  }
  const JsonValue schema = tool["input_schema"];
  if (!schema.present()) return field_required(answer, inner + "input_schema");
  if (!schema.is_object()) {
    return refuse(answer, inner + "input_schema: Input should be an object");
  }
  if (!schema["type"].present()) return field_required(answer, inner + "input_schema.type");
  if (schema["type"].text() != "object") {
    return refuse(answer, inner + "input_schema.type: Input should be 'object'");
  }
  for (std::string_view key : {"oneOf", "allOf", "anyOf"}) {
    if (schema[key].present()) {
      return refuse(answer, inner +
                                "input_schema: input_schema does not support oneOf, allOf, or "
                                "anyOf at the top level");
    }
  }
  if (tool["strict"].is_true() && !check_schema(schema, path + ".custom", 0, answer)) return false;
  for (const OfferedTool& other : request.turn.tools) {
    if (other.name == tool["name"].text()) {
      return refuse(answer, "tools: Tool names must be unique.");
    }
  }
  request.turn.tools.push_back({tool["name"].text(), schema});
  return true;
}

bool check_tool_choice(Request& request, Answer& answer) {
  const JsonValue choice = request.root["tool_choice"];
  if (choice.is_nothing()) return true;
  if (!choice.is_object()) return refuse(answer, "tool_choice: Input should be an object");
  if (request.root["tools"].size() == 0) {
    return refuse(answer, "tool_choice: may only be specified while providing tools");
  }
  const std::string_view type = choice["type"].text();
  if (type != "auto" && type != "any" && type != "tool" && type != "none") {
    return refuse(answer, "tool_choice: Input tag '" + std::string(type.substr(0, 64)) +
                              "' found using 'type' does not match any of the expected tags: "
                              "'auto', 'any', 'tool', 'none'");
  }
  const std::string path = "tool_choice." + std::string(type) + ".";
  const bool named = type == "tool";
  const bool known =
      type == "none" ? only_known(choice, {"type"}, path, answer)
      : named ? only_known(choice, {"type", "name", "disable_parallel_tool_use"}, path, answer)
              : only_known(choice, {"type", "disable_parallel_tool_use"}, path, answer);
  if (!known) return false;
  request.turn.one_call = choice["disable_parallel_tool_use"].is_true();
  if (type == "none") request.turn.tools.clear();
  if (type != "any" && !named) return true;
  if (request.turn.thinking && request.root["thinking"].is_object()) {
    return refuse(answer, "Thinking may not be enabled when tool_choice forces tool use.");
  }
  if (!request.model->forced_tools) {
    return refuse(answer,
                  "tool_choice: this model does not support tool_choice types 'any' and "
                  "'tool'.");
  }
  request.turn.must_call = true;
  request.turn.thinking = false;
  if (!named) return true;
  if (!choice["name"].present()) return field_required(answer, path + "name");
  request.turn.tool_forced = choice["name"].text();
  for (JsonValue tool : request.root["tools"]) {
    if (tool["name"].text() == choice["name"].text()) return true;
  }
  return refuse(answer, "Tool '" + std::string(choice["name"].text().substr(0, 128)) +
                            "' not found in provided tools");
}

}  // namespace

// What the grammar behind structured answers cannot hold.
bool check_schema(JsonValue schema, const std::string& path, int depth, Answer& answer) {
  if (!schema.is_object() || depth > schema_depth_max) return true;
  const std::string_view type = schema["type"].text();
  if (type == "object" && schema["additionalProperties"].raw() != "false") {
    return refuse(answer, path +
                              ": For 'object' type, 'additionalProperties' must be explicitly "
                              "set to false");
  }
  for (std::string_view key : {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
                               "multipleOf", "minLength", "maxLength", "maxItems"}) {
    if (schema[key].present()) {
      return refuse(answer, path + ": For '" + std::string(type) + "' type, property '" +
                                std::string(key) + "' is not supported");
    }
  }
  for (std::string_view group : {"properties", "$defs", "definitions", "anyOf", "allOf"}) {
    for (JsonValue child : schema[group]) {
      if (!check_schema(child, path, depth + 1, answer)) return false;
    }
  }
  return check_schema(schema["items"], path, depth + 1, answer);
}

bool check_tools(Request& request, Answer& answer) {
  const JsonValue tools = request.root["tools"];
  if (!tools.is_nothing() && !tools.is_array()) {
    return refuse(answer, "tools: Input should be a valid array");
  }
  uint32_t index = 0;
  for (JsonValue tool : tools) {
    if (!read_tool(tool, "tools." + std::to_string(index++), request, answer)) return false;
  }
  return check_tool_choice(request, answer);
}

}  // namespace hyperion::simulator::anthropic
