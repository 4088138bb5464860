// What a Responses answer repeats of its request: clients read these members as a matter of course.

#include "dialect/openai_responses_answer_writer.h"

namespace hyperion::dialect::openai_responses {

namespace {

void member_or_null(json::Output& out, std::string_view name, std::string_view json) {
  out.key(name);
  if (json.empty()) {
    out.null();
  } else {
    out.value(json);
  }
}

}  // namespace

void AnswerWriter::write_request_echo() {
  static constexpr Request nothing;
  const Request& request = context_.request != nullptr ? *context_.request : nothing;
  out_.key("max_output_tokens");
  if (request.output_tokens_max >= 0) {
    out_.number(request.output_tokens_max);
  } else {
    out_.null();
  }
  out_.member("parallel_tool_calls", request.parallel_tool_calls != Flag::no);
  out_.member_json("previous_response_id", "null");
  out_.key("reasoning");
  out_.begin_object();
  out_.key("effort");
  if (request.effort_given) {
    out_.string(catalog::name_of(request.effort));
  } else {
    out_.null();
  }
  out_.key("summary");
  if (request.thinking_shown == Flag::yes) {
    out_.string("auto");
  } else {
    out_.null();
  }
  out_.end_object();
  out_.member_json("service_tier", "null");
  out_.member("store", false);
  member_or_null(out_, "temperature", request.temperature.bytes);
  write_text_echo();
  write_tool_choice_echo();
  write_tools_echo();
  out_.member("top_logprobs", int64_t{0});
  member_or_null(out_, "top_p", request.top_p.bytes);
  out_.member("truncation", "disabled");
  out_.key("user");
  if (request.user.given()) {
    out_.raw_string(request.user.bytes);
  } else {
    out_.null();
  }
  out_.member_json("metadata", request.metadata.given() ? request.metadata.bytes : "{}");
}

void AnswerWriter::write_text_echo() {
  const Request* request = context_.request;
  out_.key("text");
  out_.begin_object();
  out_.key("format");
  out_.begin_object();
  if (request == nullptr || request->format == Format::text) {
    out_.member("type", "text");
  } else if (request->format == Format::json_object) {
    out_.member("type", "json_object");
  } else {
    out_.member("type", "json_schema");
    out_.member("name", request->schema_name);
    out_.member_json("schema", request->schema.given() ? request->schema.bytes : "{}");
    out_.member("strict", request->schema_strict == Flag::yes);
  }
  out_.end_object();
  if (request != nullptr && !request->verbosity.empty()) {
    out_.member("verbosity", request->verbosity);
  }
  out_.end_object();
}

void AnswerWriter::write_tool_choice_echo() {
  const ToolChoice choice =
      context_.request != nullptr ? context_.request->tool_choice : ToolChoice::unset;
  out_.key("tool_choice");
  if (choice == ToolChoice::named) {
    out_.begin_object();
    out_.member("type", "function");
    out_.member("name", context_.request->tool_choice_name);
    out_.end_object();
  } else {
    out_.string(choice == ToolChoice::none       ? "none"
                : choice == ToolChoice::required ? "required"
                                                 : "auto");
  }
}

void AnswerWriter::write_tools_echo() {
  out_.key("tools");
  out_.begin_array();
  const Tool* tool = context_.request != nullptr ? context_.request->tools.first : nullptr;
  for (; tool != nullptr; tool = tool->next) {
    if (tool->kind != Tool::Kind::function) {
      if (tool->definition.given()) out_.value(tool->definition.bytes);
      continue;
    }
    out_.begin_object();
    out_.member("type", "function");
    out_.key("description");
    if (tool->description.given()) {
      out_.raw_string(tool->description.bytes);
    } else {
      out_.null();
    }
    out_.member("name", tool->name);
    member_or_null(out_, "parameters", tool->schema.bytes);
    out_.member("strict", tool->strict == Flag::yes);
    out_.end_object();
  }
  out_.end_array();
}

}  // namespace hyperion::dialect::openai_responses
