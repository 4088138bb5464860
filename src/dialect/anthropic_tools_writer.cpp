#include "dialect/anthropic_writer.h"
#include "json/cursor.h"

namespace hyperion::dialect::anthropic {
namespace {

using json::Cursor;

constexpr std::string_view json_instruction =
    "Answer with one JSON object and nothing else: no words around it, no code fence.";
constexpr std::string_view schema_instruction =
    "Answer with one JSON value and nothing else: no words around it, no code fence. It must match "
    "this JSON Schema: ";

// As many names of tools as are worth defining where the conversation uses tools that the request
// does not define.
constexpr size_t used_tools_max = 64;

bool has_member(std::string_view object, std::string_view name) {
  Cursor cursor(object);
  if (!cursor.enter_object()) return false;
  std::string_view key;
  while (cursor.next_key(key)) {
    if (key == name) return true;
    cursor.skip();
  }
  return false;
}

// What stands between the braces of an object.
std::string_view inside_of(std::string_view object) {
  object.remove_prefix(1);
  object.remove_suffix(1);
  const size_t first = object.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  const size_t last = object.find_last_not_of(" \t\r\n");
  return object.substr(first, last - first + 1);
}

}  // namespace

bool RequestWriter::plan_tools() {
  for (const Word* word = request_.allowed_tools.first; word != nullptr; word = word->next) {
    if (allowed_.add(word->plain) == CallSet::Added::full)
      return refuse(notes_.problem, "invalid_request", "tool_choice",
                    "`tool_choice`: at most 512 tools may be allowed.");
  }
  return true;
}

bool RequestWriter::is_written(const Tool& tool) const {
  return tool.kind == Tool::Kind::function && (allowed_.empty() || allowed_.has(tool.name));
}

bool RequestWriter::write_tools() {
  for (const Tool* tool = request_.tools.first; tool != nullptr; tool = tool->next) {
    if (tool->kind == Tool::Kind::custom && !notes_.cannot(Feature::custom_tool)) return false;
    if (tool->kind == Tool::Kind::server && !notes_.cannot(Feature::server_tool)) return false;
    if (!is_written(*tool)) continue;
    if (!tools_written_) {
      out_.key("tools");
      out_.begin_array();
    }
    tools_written_ = true;
    write_tool(*tool);
  }
  if (tools_written_) {
    out_.end_array();
  } else {
    write_used_tools();
  }
  return true;
}

void RequestWriter::write_tool(const Tool& tool) {
  out_.begin_object();
  out_.member("name", tool.name);
  if (!tool.description.empty()) out_.member_raw("description", tool.description.bytes);
  out_.key("input_schema");
  write_parameters(tool.schema.bytes);
  if (tool.strict == Flag::yes) out_.member("strict", true);
  write_mark(tool.cache);
  out_.end_object();
}

// Anthropic's must be {"type": "object", ...}; all other bytes stay as they are.
void RequestWriter::write_parameters(std::string_view schema) {
  const bool is_object = !schema.empty() && schema.front() == '{';
  if (is_object && has_member(schema, "type")) {
    out_.value(schema);
    return;
  }
  const std::string_view members = is_object ? inside_of(schema) : std::string_view();
  out_.begin_object();
  out_.member("type", "object");
  if (members.empty()) {
    out_.key("properties");
    out_.begin_object();
    out_.end_object();
  } else {
    out_.value(members);
  }
  out_.end_object();
}

// A conversation with calls must come with tools: those it used, which the model may not call.
void RequestWriter::write_used_tools() {
  std::string_view names[used_tools_max];
  size_t count = 0;
  for (const Message* message = first_turn_; message != turns_end_; message = message->next) {
    if (message->role != Role::assistant) continue;
    for (const Part* part = message->parts.first; part != nullptr; part = part->next) {
      if (part->kind != PartKind::tool_call || count == used_tools_max) continue;
      bool known = false;
      for (size_t i = 0; i < count; ++i) known |= names[i] == part->name;
      if (!known) names[count++] = part->name;
    }
  }
  if (count == 0) return;
  tools_written_ = tools_invented_ = true;
  out_.key("tools");
  out_.begin_array();
  for (size_t i = 0; i < count; ++i) {
    out_.begin_object();
    out_.member("name", names[i]);
    out_.key("input_schema");
    write_parameters({});
    out_.end_object();
  }
  out_.end_array();
}

bool RequestWriter::write_tool_choice() {
  if (!tools_written_) return true;
  ToolChoice choice = tools_invented_ ? ToolChoice::none : request_.tool_choice;
  const bool forced = choice == ToolChoice::required || choice == ToolChoice::named;
  const bool refused = plan_.thinks() || (model_ != nullptr && !model_->forced_tools);
  if (forced && (refused || names_unsent_tool(request_))) {
    if (!notes_.cannot(Feature::forced_tool_choice)) return false;
    choice = ToolChoice::automatic;
  }
  const bool one_at_a_time = request_.parallel_tool_calls == Flag::no && choice != ToolChoice::none;
  if (choice == ToolChoice::unset) {
    if (!one_at_a_time) return true;
    choice = ToolChoice::automatic;
  }
  out_.key("tool_choice");
  out_.begin_object();
  switch (choice) {
    case ToolChoice::none: out_.member("type", "none"); break;
    case ToolChoice::required: out_.member("type", "any"); break;
    case ToolChoice::named:
      out_.member("type", "tool");
      out_.member("name", request_.tool_choice_name);
      break;
    default: out_.member("type", "auto");
  }
  if (one_at_a_time) out_.member("disable_parallel_tool_use", true);
  out_.end_object();
  return true;
}

bool RequestWriter::plan_format() {
  if (request_.format == Format::json_object) {
    format_plan_ = FormatPlan::instructed;
    return notes_.cannot(Feature::json_object);
  }
  if (request_.format != Format::json_schema || !request_.schema.given()) return true;
  if (model_ != nullptr && !model_->tools_with_schema && !request_.tools.empty())
    return notes_.cannot(Feature::schema_with_tools);
  const bool lacking = model_ != nullptr && model_->capabilities.json_schema == catalog::Answer::no;
  format_plan_ = lacking ? FormatPlan::instructed_schema : FormatPlan::schema;
  if (lacking) notes_.adjust(row_of(Feature::json_object).param);
  return true;
}

void RequestWriter::write_instruction(std::string_view schema) {
  out_.begin_object();
  out_.member("type", "text");
  out_.key("text");
  out_.open_string();
  out_.add_plain(schema.empty() ? json_instruction : schema_instruction);
  out_.add_plain(schema);
  out_.close_string();
  out_.end_object();
}

bool RequestWriter::write_output_config() {
  if (format_plan_ != FormatPlan::schema && !plan_.effort_given) return true;
  out_.key("output_config");
  out_.begin_object();
  if (plan_.effort_given) out_.member("effort", catalog::name_of(plan_.effort));
  if (format_plan_ == FormatPlan::schema) {
    out_.key("format");
    out_.begin_object();
    out_.member("type", "json_schema");
    workspace_.scratch.clear();
    bool changed_meaning = false;
    if (!fit_schema(request_.schema.bytes, workspace_.scratch, changed_meaning))
      return refuse_for_memory(notes_.problem);
    if (changed_meaning) notes_.adjust(row_of(Feature::json_object).param);
    out_.member_json("schema", workspace_.scratch.view());
    out_.end_object();
  }
  out_.end_object();
  return true;
}

}  // namespace hyperion::dialect::anthropic
