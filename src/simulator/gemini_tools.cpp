// What Gemini refuses of tools, of the way they are called, and of schemas.
#include <algorithm>
#include <string>
#include <vector>

#include "simulator/answer_text.h"
#include "simulator/gemini.h"

namespace hyperion::simulator::gemini {
namespace {

constexpr int schema_depth_max = 32;

bool is_function_name(std::string_view name) {
  const bool first = !name.empty() && (name[0] == '_' || (name[0] | 0x20) >= 'a') &&
                     (name[0] == '_' || (name[0] | 0x20) <= 'z');
  return first && name.size() <= 128 && std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_' || c == '.' || c == ':' || c == '-';
         });
}

bool read_function(JsonValue function, const std::string& path, Request& request, Answer& answer) {
  if (!check_members(function,
                     {"name", "description", "parameters", "parametersJsonSchema", "response",
                      "responseJsonSchema", "behavior"},
                     path, answer)) {
    return false;
  }
  const std::string_view name = function["name"].text();
  if (!is_function_name(name)) {
    return refuse(answer, "* GenerateContentRequest." + path +
                              ".name: Invalid function name. Must start with a letter or an "
                              "underscore. Must be alphanumeric (a-z, A-Z, 0-9), underscores (_), "
                              "dots (.), colons (:), or dashes (-), with a maximum length of 128.");
  }
  const JsonValue subset = function["parameters"];
  const JsonValue schema = member(function, "parametersJsonSchema");
  if (!subset.is_nothing() && !schema.is_nothing()) {
    return refuse(answer, "* GenerateContentRequest." + path +
                              ": only one of parameters and parameters_json_schema can be set.");
  }
  if (!check_schema(subset, path + ".parameters", 0, answer)) return false;
  for (const OfferedTool& other : request.turn.tools) {
    if (other.name == name) {
      return refuse(answer, "Duplicate function declaration found: " + std::string(name));
    }
  }
  request.turn.tools.push_back({name, subset.is_nothing() ? schema : subset});
  return true;
}

}  // namespace

// The subset of OpenAPI that `parameters` and `responseSchema` are.
bool check_schema(JsonValue schema, const std::string& path, int depth, Answer& answer) {
  if (depth > schema_depth_max || schema.is_nothing()) return true;
  if (!check_members(schema, {"type",        "format",        "title",
                              "description", "nullable",      "enum",
                              "maxItems",    "minItems",      "properties",
                              "required",    "minProperties", "maxProperties",
                              "minLength",   "maxLength",     "pattern",
                              "example",     "anyOf",         "propertyOrdering",
                              "default",     "items",         "minimum",
                              "maximum"},
                     path, answer)) {
    return false;
  }
  if (schema["type"].is_array()) {
    return refuse(answer, "Invalid JSON payload received. Unknown name \"type\" at '" + path +
                              "': Proto field is not repeating, cannot start list.");
  }
  uint32_t index = 0;
  for (JsonValue property : schema["properties"]) {
    const std::string inner = path + ".properties[" + std::to_string(index++) + "].value";
    if (!check_schema(property, inner, depth + 1, answer)) return false;
  }
  index = 0;
  for (JsonValue choice : member(schema, "anyOf")) {
    const std::string inner = path + ".any_of[" + std::to_string(index++) + "]";
    if (!check_schema(choice, inner, depth + 1, answer)) return false;
  }
  return check_schema(schema["items"], path + ".items", depth + 1, answer);
}

bool check_tools(Request& request, Answer& answer) {
  const JsonValue tools = request.root["tools"];
  uint32_t index = 0;
  for (JsonValue tool : tools) {
    const std::string path = "tools[" + std::to_string(index++) + "]";
    if (!check_members(tool,
                       {"functionDeclarations", "googleSearch", "codeExecution", "urlContext",
                        "googleSearchRetrieval", "computerUse", "fileSearch", "googleMaps"},
                       path, answer)) {
      return false;
    }
    request.tokens += tokens_of(tool.raw().size());
    uint32_t number = 0;
    for (JsonValue function : member(tool, "functionDeclarations")) {
      const std::string inner = path + ".function_declarations[" + std::to_string(number++) + "]";
      if (!read_function(function, inner, request, answer)) return false;
    }
  }
  request.has_functions = !request.turn.tools.empty();
  if (request.has_functions && request.turn.wants_json && !request.model->tools_with_schema) {
    return refuse(answer,
                  "Function calling with a response mime type: 'application/json' is "
                  "unsupported");
  }
  return true;
}

bool check_tool_config(Request& request, Answer& answer) {
  const JsonValue config = member(request.root, "toolConfig");
  if (config.is_nothing()) return true;
  if (!check_members(config, {"functionCallingConfig", "retrievalConfig"}, "tool_config", answer)) {
    return false;
  }
  const JsonValue calling = member(config, "functionCallingConfig");
  const std::string path = "tool_config.function_calling_config";
  if (calling.is_nothing()) return true;
  if (!check_members(calling, {"mode", "allowedFunctionNames", "streamFunctionCallArguments"}, path,
                     answer)) {
    return false;
  }
  std::string mode(calling["mode"].text().substr(0, 32));
  for (char& c : mode) c = c >= 'a' && c <= 'z' ? static_cast<char>(c & ~0x20) : c;
  if (!mode.empty() && mode != "AUTO" && mode != "ANY" && mode != "NONE" && mode != "VALIDATED" &&
      mode != "MODE_UNSPECIFIED") {
    return refuse(answer, "Invalid value at '" + path +
                              ".mode' (type.googleapis.com/google.ai."
                              "generativelanguage.v1beta.FunctionCallingConfig.Mode), \"" +
                              mode + "\"");
  }
  const JsonValue names = member(calling, "allowedFunctionNames");
  if (names.size() != 0 && mode != "ANY" && mode != "VALIDATED") {
    return refuse(answer,
                  "Allowed function names are only supported when the function calling "
                  "mode is ANY or VALIDATED.");
  }
  std::vector<OfferedTool> allowed;
  for (JsonValue name : names) {
    const size_t before = allowed.size();
    for (const OfferedTool& tool : request.turn.tools) {
      if (tool.name == name.text()) allowed.push_back(tool);
    }
    if (allowed.size() == before) {
      return refuse(answer, "Allowed function name '" + std::string(name.text().substr(0, 128)) +
                                "' is not declared.");
    }
  }
  if (!allowed.empty()) request.turn.tools = allowed;
  if (mode == "NONE") request.turn.tools.clear();
  if (mode == "ANY" && !request.has_functions) {
    return refuse(answer, "Function calling config is set without function_declarations.");
  }
  request.turn.must_call = mode == "ANY";
  return true;
}

}  // namespace hyperion::simulator::gemini
