#include "dialect/anthropic_reader.h"
#include "dialect/text.h"

namespace hyperion::dialect::anthropic {

bool RequestReader::read_tools(Cursor& cursor, const Place& place) {
  request_.tools = {};
  if (take_null(cursor)) return true;
  if (!cursor.enter_array()) return expected(place, "a list of tools", cursor.peek());
  for (uint32_t i = 0; cursor.next_element(); ++i) {
    const Place at = place.element(i);
    Json object;
    if (!require_object(cursor, at, object)) return false;
    auto* tool = make<Tool>(workspace_.arena);
    if (tool == nullptr) return no_memory();
    tool->index = i;
    if (!read_tool(object.bytes, at, *tool)) return false;
    request_.tools.append(tool);
  }
  return true;
}

bool RequestReader::read_tool(std::string_view object, const Place& place, Tool& tool) {
  Cursor cursor(object);
  cursor.enter_object();
  std::string_view key;
  while (cursor.next_key(key)) {
    const Place at = place.member(key);
    bool good = true;
    if (key == "cache_control") {
      good = read_mark(cursor, at, tool.cache);
    } else if (key == "strict") {
      good = read_flag(cursor, at, tool.strict);
    } else if (take_null(cursor)) {
      continue;
    } else if (key == "type") {
      // Whatever else has a type is defined by Anthropic: run there, or known to its models only.
      Raw type;
      good = require_text(cursor, at, type);
      if (type.bytes != "custom") tool.kind = Tool::Kind::server;
    } else if (key == "name") {
      good = require_plain(cursor, at, tool.name);
    } else if (key == "description") {
      good = require_text(cursor, at, tool.description);
    } else if (key == "input_schema") {
      good = require_object(cursor, at, tool.schema);
    } else {
      cursor.skip();
    }
    if (!good) return false;
  }
  if (tool.kind == Tool::Kind::server) {
    tool.definition = {object};
    return true;
  }
  if (tool.name.empty() || tool.name.size() > 128)
    return refuse_at(place.member("name"), "expected a name of 1 to 128 characters");
  if (!tool.schema.given())
    return refuse_at(place.member("input_schema"), "expected a JSON Schema, got nothing");
  return true;
}

bool RequestReader::read_tool_choice(Cursor& cursor, const Place& place) {
  request_.tool_choice = ToolChoice::unset;
  bool given = false;
  if (!enter_object(cursor, place, given)) return false;
  if (!given) return true;
  Raw type;
  Flag one_at_a_time = Flag::unset;
  std::string_view key;
  while (cursor.next_key(key)) {
    const Place at = place.member(key);
    bool good = true;
    if (key == "type") {
      good = require_text(cursor, at, type);
    } else if (key == "name") {
      good = read_plain(cursor, at, request_.tool_choice_name);
    } else if (key == "disable_parallel_tool_use") {
      good = read_flag(cursor, at, one_at_a_time);
    } else {
      cursor.skip();
    }
    if (!good) return false;
  }
  if (one_at_a_time != Flag::unset)
    request_.parallel_tool_calls = flag_of(one_at_a_time == Flag::no);
  if (type.bytes == "auto") {
    request_.tool_choice = ToolChoice::automatic;
  } else if (type.bytes == "any") {
    request_.tool_choice = ToolChoice::required;
  } else if (type.bytes == "none") {
    request_.tool_choice = ToolChoice::none;
  } else if (type.bytes == "tool") {
    request_.tool_choice = ToolChoice::named;
  } else {
    return refuse_at(place.member("type"), "expected \"auto\", \"any\", \"tool\" or \"none\"");
  }
  return true;
}

bool RequestReader::check_tool_choice() {
  const Place place{nullptr, "tool_choice"};
  const bool forced =
      request_.tool_choice == ToolChoice::required || request_.tool_choice == ToolChoice::named;
  if (!forced) return true;
  if (request_.tools.empty()) return refuse_at(place, "no tools are given that could be chosen");
  if (request_.tool_choice != ToolChoice::named) return true;
  for (const Tool* tool = request_.tools.first; tool != nullptr; tool = tool->next) {
    if (tool->name == request_.tool_choice_name) return true;
  }
  return refuse_at(place.member("name"), "expected the name of one of the tools");
}

bool RequestReader::read_thinking(Cursor& cursor, const Place& place) {
  bool given = false;
  if (!enter_object(cursor, place, given)) return false;
  if (!given) return true;
  Raw type;
  Raw display;
  int64_t budget = -1;
  std::string_view key;
  while (cursor.next_key(key)) {
    const Place at = place.member(key);
    bool good = true;
    if (key == "type") {
      good = require_text(cursor, at, type);
    } else if (key == "display") {
      good = read_text(cursor, at, display);
    } else if (key == "budget_tokens") {
      good = read_count(cursor, at, 1024, tokens_max, budget);
    } else {
      cursor.skip();
    }
    if (!good) return false;
  }
  if (type.bytes == "enabled") {
    if (budget < 0)
      return refuse_at(place.member("budget_tokens"),
                       "expected an integer of at least 1024, got nothing");
    request_.thinking_budget_tokens = budget;
    request_.thinking_shown = Flag::yes;
  } else if (type.bytes == "adaptive") {
    request_.thinking_budget_tokens = -2;
  } else if (type.bytes == "disabled" || type.bytes == "between_tools") {
    request_.thinking_budget_tokens = 0;
  } else {
    return refuse_at(place.member("type"),
                     "expected \"enabled\", \"adaptive\", \"between_tools\" or \"disabled\"");
  }
  if (display.given()) request_.thinking_shown = flag_of(display.bytes != "omitted");
  return true;
}

bool RequestReader::read_output_config(Cursor& cursor, const Place& place) {
  bool given = false;
  if (!enter_object(cursor, place, given)) return false;
  std::string_view key;
  while (given && cursor.next_key(key)) {
    const Place at = place.member(key);
    bool good = true;
    if (key == "effort") {
      good = read_effort(cursor, at);
    } else if (key == "format") {
      good = read_format(cursor, at);
    } else {
      cursor.skip();
    }
    if (!good) return false;
  }
  return true;
}

bool RequestReader::read_effort(Cursor& cursor, const Place& place) {
  using catalog::Effort;
  if (take_null(cursor)) return true;
  Raw text;
  if (!require_text(cursor, place, text)) return false;
  for (Effort effort : {Effort::low, Effort::medium, Effort::high, Effort::xhigh, Effort::max}) {
    if (text.bytes != catalog::name_of(effort)) continue;
    request_.effort_given = true;
    request_.effort = effort;
    return true;
  }
  return refuse_at(place, "expected \"low\", \"medium\", \"high\", \"xhigh\" or \"max\"");
}

bool RequestReader::read_format(Cursor& cursor, const Place& place) {
  bool given = false;
  if (!enter_object(cursor, place, given)) return false;
  if (!given) return true;
  Raw type;
  std::string_view key;
  while (cursor.next_key(key)) {
    const Place at = place.member(key);
    bool good = true;
    if (key == "type") {
      good = require_text(cursor, at, type);
    } else if (key == "schema") {
      good = require_object(cursor, at, request_.schema);
    } else {
      cursor.skip();
    }
    if (!good) return false;
  }
  if (type.bytes != "json_schema")
    return refuse_at(place.member("type"), "expected \"json_schema\"");
  if (!request_.schema.given())
    return refuse_at(place.member("schema"), "expected a JSON Schema, got nothing");
  request_.format = Format::json_schema;
  return true;
}

}  // namespace hyperion::dialect::anthropic
