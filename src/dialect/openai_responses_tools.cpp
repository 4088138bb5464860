#include "dialect/openai_responses_reader.h"
#include "json/cursor.h"

namespace hyperion::dialect::openai_responses {

namespace {

// OpenAI takes 128; a bound, since each choice is looked up among the tools.
constexpr int64_t tools_max_count = 1024;

}  // namespace

bool RequestReader::read_text(std::string_view raw, const Place& place) {
  Member fields[] = {{"format", {}}, {"verbosity", {}}};
  if (!members(raw, place, fields)) return false;
  const Place format = place.member("format");
  if (!fields[0].raw.empty() && !read_format(fields[0].raw, format)) return false;
  const Place verbosity = place.member("verbosity");
  return fields[1].raw.empty() || plain(fields[1].raw, verbosity, request_.verbosity);
}

bool RequestReader::read_format(std::string_view raw, const Place& place) {
  Member fields[] = {
      {"type", {}}, {"name", {}}, {"description", {}}, {"schema", {}}, {"strict", {}}};
  if (!members(raw, place, fields)) return false;
  const std::string_view type = inside_of(fields[0].raw);
  if (type == "text") return true;
  if (type == "json_object") {
    request_.format = Format::json_object;
    return true;
  }
  if (type != "json_schema") {
    return expected(place.member("type"), "text, json_object or json_schema", fields[0].raw);
  }
  request_.format = Format::json_schema;
  if (!plain(fields[1].raw, place.member("name"), request_.schema_name)) return false;
  if (fields[3].raw.empty()) return expected(place.member("schema"), "an object", {});
  if (!object(fields[3].raw, place.member("schema"), request_.schema)) return false;
  if (!fields[2].raw.empty() &&
      !text(fields[2].raw, place.member("description"), request_.schema_description)) {
    return false;
  }
  return fields[4].raw.empty() ||
         flag(fields[4].raw, place.member("strict"), request_.schema_strict);
}

bool RequestReader::read_tools(std::string_view raw, const Place& place) {
  Cursor cursor(raw);
  if (!cursor.enter_array()) return expected(place, "a list of tools", raw);
  std::string_view item;
  for (int64_t i = 0; cursor.next_element(); ++i) {
    if (!cursor.read_raw(item)) break;
    if (i == tools_max_count) return refuse_at(place, "more than 1024 tools");
    if (!read_tool(item, place.element(i), i)) return false;
  }
  return true;
}

bool RequestReader::read_tool(std::string_view raw, const Place& place, int64_t index) {
  Member fields[] = {{"type", {}},   {"name", {}},          {"description", {}}, {"parameters", {}},
                     {"strict", {}}, {"cache_control", {}}, {"function", {}}};
  if (!members(raw, place, fields)) return false;
  std::string_view type;
  if (!plain(fields[0].raw, place.member("type"), type)) return false;
  auto* tool = make<Tool>(workspace_.arena);
  if (tool == nullptr) return no_memory();
  tool->index = static_cast<uint32_t>(index);
  request_.tools.append(tool);
  if (type == "function") return read_function_tool(fields, place, *tool);
  tool->definition.bytes = raw;
  if (type == "custom") {
    tool->kind = Tool::Kind::custom;
    if (!plain(fields[1].raw, place.member("name"), tool->name)) return false;
    return fields[2].raw.empty() ||
           text(fields[2].raw, place.member("description"), tool->description);
  }
  // Run by the provider, or defined by it: known by its type alone.
  tool->kind = Tool::Kind::server;
  tool->name = type;
  return true;
}

bool RequestReader::read_function_tool(const Member* fields, const Place& place, Tool& tool) {
  if (fields[1].raw.empty() && !fields[6].raw.empty()) {
    return refuse_at(place.member("function"),
                     "expected `name` and `parameters` beside `type`: only Chat Completions has "
                     "them within `function`");
  }
  const Place name = place.member("name");
  if (!plain(fields[1].raw, name, tool.name)) return false;
  if (tool.name.empty()) return refuse_at(name, "expected a name, got \"\"");
  if (!fields[2].raw.empty() &&
      !text(fields[2].raw, place.member("description"), tool.description)) {
    return false;
  }
  if (!fields[3].raw.empty() && !object(fields[3].raw, place.member("parameters"), tool.schema)) {
    return false;
  }
  if (!fields[4].raw.empty() && !flag(fields[4].raw, place.member("strict"), tool.strict)) {
    return false;
  }
  if (!fields[5].raw.empty()) tool.cache = CacheMark::short_lived;
  return true;
}

bool RequestReader::read_tool_choice(std::string_view raw, const Place& place) {
  if (raw.front() == '{') return read_tool_choice_object(raw, place);
  const std::string_view word = inside_of(raw);
  if (word == "none") {
    request_.tool_choice = ToolChoice::none;
  } else if (word == "auto") {
    request_.tool_choice = ToolChoice::automatic;
  } else if (word == "required") {
    request_.tool_choice = ToolChoice::required;
  } else {
    return expected(place, "none, auto, required or an object", raw);
  }
  if (word == "required" && request_.tools.empty()) {
    return refuse_at(place, "\"required\" needs `tools`");
  }
  return true;
}

bool RequestReader::read_tool_choice_object(std::string_view raw, const Place& place) {
  Member fields[] = {{"type", {}}, {"name", {}}, {"mode", {}}, {"tools", {}}};
  if (!members(raw, place, fields)) return false;
  std::string_view type;
  if (!plain(fields[0].raw, place.member("type"), type)) return false;
  if (type == "allowed_tools") return read_allowed_tools(fields, place);
  if (type != "function" && type != "custom") {
    return refuse_unsupported(place, "a tool that one provider runs exists there only");
  }
  request_.tool_choice = ToolChoice::named;
  const Place name = place.member("name");
  return plain(fields[1].raw, name, request_.tool_choice_name) &&
         check_choice(request_.tool_choice_name, name);
}

bool RequestReader::read_allowed_tools(const Member* fields, const Place& place) {
  const std::string_view mode = inside_of(fields[2].raw);
  if (mode != "auto" && mode != "required") {
    return expected(place.member("mode"), "auto or required", fields[2].raw);
  }
  request_.tool_choice = mode == "auto" ? ToolChoice::automatic : ToolChoice::required;
  const Place tools = place.member("tools");
  Cursor cursor(fields[3].raw);
  if (!cursor.enter_array()) return expected(tools, "a list of tools", fields[3].raw);
  std::string_view item;
  for (int64_t i = 0; cursor.next_element(); ++i) {
    if (!cursor.read_raw(item)) break;
    if (i == tools_max_count) return refuse_at(tools, "more than 1024 tools");
    const Place at = tools.element(i);
    Member tool[] = {{"type", {}}, {"name", {}}};
    if (!members(item, at, tool)) return false;
    auto* word = make<Word>(workspace_.arena);
    if (word == nullptr) return no_memory();
    const Place name = at.member("name");
    if (!plain(tool[1].raw, name, word->plain) || !check_choice(word->plain, name)) return false;
    request_.allowed_tools.append(word);
  }
  if (request_.allowed_tools.empty()) {
    return refuse_at(tools, "expected at least one tool, got an empty list");
  }
  return true;
}

bool RequestReader::check_choice(std::string_view name, const Place& place) {
  for (const Tool* tool = request_.tools.first; tool != nullptr; tool = tool->next) {
    if (tool->name == name) return true;
  }
  return refuse_at(place, "expected the name of one of `tools`");
}

}  // namespace hyperion::dialect::openai_responses
