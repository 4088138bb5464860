#include "dialect/openai_chat_reader.h"
#include "dialect/text.h"

namespace hyperion::dialect::openai_chat {
namespace {

// Each is looked for among the tools.
constexpr uint32_t allowed_tools_max = 1024;
constexpr const char* tool_types = "one of function and custom";
constexpr const char* tool_choices =
    "none, auto, required, or an object that names a function or the allowed tools";

}  // namespace

bool RequestReader::has_tool(std::string_view name) const {
  for (const Tool* tool = request_.tools.first; tool != nullptr; tool = tool->next) {
    if (tool->name == name) return true;
  }
  return false;
}

bool RequestReader::read_tools(Cursor& cursor, const Place& place) {
  if (take_null(cursor)) return true;
  const char given = cursor.peek();
  if (!cursor.enter_array()) return expected(place, "an array of tools", given);
  int64_t index = 0;
  for (; cursor.next_element(); ++index) {
    if (!read_tool(cursor, place.element(index))) return false;
  }
  return index > 0 || expected(place, "at least one tool, got an empty array");
}

bool RequestReader::read_tool(Cursor& cursor, const Place& place) {
  const char given = cursor.peek();
  if (!cursor.enter_object()) return expected(place, "an object", given);
  auto* tool = make<Tool>(workspace_.arena);
  if (tool == nullptr) return no_memory();
  tool->index = static_cast<uint32_t>(place.index);
  std::string_view type;
  std::string_view function;
  std::string_view custom;
  std::string_view key;
  while (cursor.next_key(key)) {
    if (key == "type") {
      if (!read_plain(cursor, place.member(key), type)) return false;
    } else if (key == "function") {
      cursor.read_raw(function);
    } else if (key == "custom") {
      cursor.read_raw(custom);
    } else if (key == "cache_control") {
      std::string_view mark;
      cursor.read_raw(mark);
      tool->cache = read_mark(mark);
    } else {
      cursor.skip();
    }
  }
  const bool is_custom = type == "custom";
  if (!is_custom && type != "function") return expected(place.member("type"), tool_types);
  if (is_custom) tool->kind = Tool::Kind::custom;
  const std::string_view object = is_custom ? custom : function;
  const Place at = place.member(is_custom ? "custom" : "function");
  if (object.empty()) return expected(at, "an object");
  Cursor inner(object);
  if (!read_tool_object(inner, at, *tool)) return false;
  request_.tools.append(tool);
  return true;
}

// What `function` or `custom` of a tool says, or one of the legacy `functions`.
bool RequestReader::read_tool_object(Cursor& cursor, const Place& place, Tool& tool) {
  const char given = cursor.peek();
  if (!cursor.enter_object()) return expected(place, "an object", given);
  std::string_view key;
  while (cursor.next_key(key)) {
    const Place at = place.member(key);
    bool right = true;
    if (key == "name") {
      right = read_plain(cursor, at, tool.name);
    } else if (key == "description") {
      right = read_text(cursor, at, tool.description);
    } else if (key == "parameters") {
      right = read_object(cursor, at, tool.schema);
    } else if (key == "strict") {
      right = read_flag(cursor, at, tool.strict);
    } else if (key == "format" && tool.kind == Tool::Kind::custom) {
      right = read_object(cursor, at, tool.definition);
    } else if (key == "cache_control") {
      std::string_view mark;
      cursor.read_raw(mark);
      tool.cache = read_mark(mark);
    } else {
      cursor.skip();
    }
    if (!right) return false;
  }
  return !tool.name.empty() || expected(place.member("name"), "the tool's name");
}

bool RequestReader::read_functions(Cursor& cursor, const Place& place) {
  if (take_null(cursor)) return true;
  const char given = cursor.peek();
  if (!cursor.enter_array()) return expected(place, "an array of functions", given);
  int64_t index = 0;
  for (; cursor.next_element(); ++index) {
    auto* tool = make<Tool>(workspace_.arena);
    if (tool == nullptr) return no_memory();
    tool->index = static_cast<uint32_t>(index);
    if (!read_tool_object(cursor, place.element(index), *tool)) return false;
    request_.tools.append(tool);
  }
  request_.legacy_functions = true;
  return index > 0 || expected(place, "at least one function, got an empty array");
}

bool RequestReader::read_function_call_choice(Cursor& cursor, const Place& place) {
  if (take_null(cursor)) return true;
  if (cursor.peek() == '"') {
    std::string_view word;
    if (!read_plain(cursor, place, word)) return false;
    if (word == "none") {
      request_.tool_choice = ToolChoice::none;
    } else if (word == "auto") {
      request_.tool_choice = ToolChoice::automatic;
    } else {
      return expected(place, "none, auto or an object with a name");
    }
    return true;
  }
  const char given = cursor.peek();
  if (!cursor.enter_object()) return expected(place, "none, auto or an object", given);
  std::string_view key;
  while (cursor.next_key(key)) {
    if (key != "name") {
      cursor.skip();
    } else if (!read_plain(cursor, place.member(key), request_.tool_choice_name)) {
      return false;
    }
  }
  request_.tool_choice = ToolChoice::named;
  return !request_.tool_choice_name.empty() ||
         expected(place.member("name"), "the function's name");
}

bool RequestReader::read_tool_choice(Cursor& cursor, const Place& place) {
  if (take_null(cursor)) return true;
  if (cursor.peek() == '{') return read_tool_choice_object(cursor, place);
  if (cursor.peek() != '"') return expected(place, tool_choices, cursor.peek());
  std::string_view word;
  if (!read_plain(cursor, place, word)) return false;
  if (word == "none") {
    request_.tool_choice = ToolChoice::none;
  } else if (word == "auto") {
    request_.tool_choice = ToolChoice::automatic;
  } else if (word == "required") {
    request_.tool_choice = ToolChoice::required;
  } else {
    return expected(place, tool_choices);
  }
  return true;
}

bool RequestReader::read_tool_choice_object(Cursor& cursor, const Place& place) {
  cursor.enter_object();
  std::string_view type, function, custom, allowed, key;
  while (cursor.next_key(key)) {
    if (key == "type") {
      if (!read_plain(cursor, place.member(key), type)) return false;
    } else if (key == "function") {
      cursor.read_raw(function);
    } else if (key == "custom") {
      cursor.read_raw(custom);
    } else if (key == "allowed_tools") {
      cursor.read_raw(allowed);
    } else {
      cursor.skip();
    }
  }
  if (type == "allowed_tools") return read_allowed_tools(allowed, place.member(type));
  if (type != "function" && type != "custom") {
    return expected(place.member("type"), "one of function, custom and allowed_tools");
  }
  request_.tool_choice = ToolChoice::named;
  return read_named(type == "function" ? function : custom, place.member(type),
                    request_.tool_choice_name);
}

// {"name": "f"}
bool RequestReader::read_named(std::string_view object, const Place& place,
                               std::string_view& name) {
  Cursor cursor(object);
  if (!cursor.enter_object()) return expected(place, "an object with a name");
  std::string_view key;
  while (cursor.next_key(key)) {
    if (key != "name") {
      cursor.skip();
    } else if (!read_plain(cursor, place.member(key), name)) {
      return false;
    }
  }
  return !name.empty() || expected(place.member("name"), "the tool's name");
}

// {"type": "function", "function": {"name": "f"}}
bool RequestReader::read_allowed_tool(Cursor& cursor, const Place& place) {
  if (request_.allowed_tools.count >= allowed_tools_max) {
    return expected(place, "at most 1024 allowed tools");
  }
  if (!cursor.enter_object()) return expected(place, "an object", cursor.peek());
  std::string_view type, named, key;
  while (cursor.next_key(key)) {
    if (key == "function" || key == "custom") {
      type = key;
      cursor.read_raw(named);
    } else {
      cursor.skip();
    }
  }
  if (type.empty()) return expected(place.member("function"), "an object with a name");
  auto* word = make<Word>(workspace_.arena);
  if (word == nullptr) return no_memory();
  if (!read_named(named, place.member(type), word->plain)) return false;
  request_.allowed_tools.append(word);
  return true;
}

bool RequestReader::read_allowed_tools(std::string_view object, const Place& place) {
  Cursor cursor(object);
  if (!cursor.enter_object()) return expected(place, "an object with mode and tools");
  std::string_view mode, key;
  while (cursor.next_key(key)) {
    const Place at = place.member(key);
    if (key == "mode") {
      if (!read_plain(cursor, at, mode)) return false;
    } else if (key == "tools") {
      if (!cursor.enter_array()) return expected(at, "an array of tools", cursor.peek());
      for (int64_t i = 0; cursor.next_element(); ++i) {
        if (!read_allowed_tool(cursor, at.element(i))) return false;
      }
    } else {
      cursor.skip();
    }
  }
  if (mode != "auto" && mode != "required") {
    return expected(place.member("mode"), "auto or required");
  }
  if (request_.allowed_tools.empty()) return expected(place.member("tools"), "at least one tool");
  request_.tool_choice = mode == "auto" ? ToolChoice::automatic : ToolChoice::required;
  return true;
}

// Names must be those of tools; without tools nothing can be forced.
bool RequestReader::check_tool_choice() {
  const Place place{nullptr, request_.legacy_functions ? "function_call" : "tool_choice"};
  const bool forced =
      request_.tool_choice == ToolChoice::required || request_.tool_choice == ToolChoice::named;
  if (request_.tools.empty() && (forced || !request_.allowed_tools.empty())) {
    return expected(place, "`tools` beside it");
  }
  if (request_.tool_choice == ToolChoice::named && !has_tool(request_.tool_choice_name)) {
    const Place function = place.member("function");
    return expected(request_.legacy_functions ? place.member("name") : function.member("name"),
                    "the name of one of the tools");
  }
  int64_t index = 0;
  for (const Word* word = request_.allowed_tools.first; word != nullptr; word = word->next) {
    const Place allowed = place.member("allowed_tools");
    const Place list = allowed.member("tools");
    if (!has_tool(word->plain)) return expected(list.element(index), "one of the tools");
    ++index;
  }
  return true;
}

bool RequestReader::read_response_format(Cursor& cursor, const Place& place) {
  bool given = false;
  if (!enter_object(cursor, place, given)) return false;
  if (!given) return true;
  std::string_view type, schema, key;
  while (cursor.next_key(key)) {
    if (key == "type") {
      if (!read_plain(cursor, place.member(key), type)) return false;
    } else if (key == "json_schema") {
      cursor.read_raw(schema);
    } else {
      cursor.skip();
    }
  }
  if (type == "text") {
    request_.format = Format::text;
  } else if (type == "json_object") {
    request_.format = Format::json_object;
  } else if (type == "json_schema") {
    request_.format = Format::json_schema;
    return read_json_schema(schema, place.member("json_schema"));
  } else {
    return expected(place.member("type"), "one of text, json_object and json_schema");
  }
  return true;
}

bool RequestReader::read_json_schema(std::string_view object, const Place& place) {
  Cursor cursor(object);
  if (!cursor.enter_object()) return expected(place, "an object with name and schema");
  std::string_view key;
  while (cursor.next_key(key)) {
    const Place at = place.member(key);
    bool right = true;
    if (key == "name") {
      right = read_plain(cursor, at, request_.schema_name);
    } else if (key == "description") {
      right = read_text(cursor, at, request_.schema_description);
    } else if (key == "schema") {
      right = read_object(cursor, at, request_.schema);
    } else if (key == "strict") {
      right = read_flag(cursor, at, request_.schema_strict);
    } else {
      cursor.skip();
    }
    if (!right) return false;
  }
  if (request_.schema_name.empty()) return expected(place.member("name"), "the schema's name");
  return request_.schema.given() || expected(place.member("schema"), "a JSON Schema");
}

}  // namespace hyperion::dialect::openai_chat
