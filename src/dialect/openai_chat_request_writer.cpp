#include "dialect/openai_chat_parts.h"
#include "dialect/openai_chat_writer.h"

namespace hyperion::dialect::openai_chat {
namespace {

using catalog::Effort;

constexpr uint32_t stop_sequences_max = 4;  // OpenAI's schema
constexpr std::string_view no_parameters = R"({"type":"object","properties":{}})";
constexpr std::string_view default_schema_name = "answer";

}  // namespace

Effort effort_of_budget(int64_t tokens) {
  if (tokens == -2) return Effort::medium;
  if (tokens <= 0) return Effort::none;
  if (tokens <= 1024) return Effort::low;
  return tokens <= 8192 ? Effort::medium : Effort::high;
}

bool encode_request(const Request& request, const Target& target, Workspace, json::Output& out,
                    Notes& notes) {
  return RequestWriter(request, target, out, notes).write();
}

bool RequestWriter::write() {
  has_effort_ = effort_wanted(effort_);
  if (!refuse_unsayable()) return false;
  out_.begin_object();
  out_.member("model", target_.upstream_model);
  if (!write_messages() || !write_limits() || !write_sampling()) return false;
  if (!write_tools() || !write_tool_choice() || !write_format()) return false;
  if (!write_effort() || !write_hints()) return false;
  if (request_.stream) {
    out_.member("stream", true);
    if (target_.provider.stream_usage) {
      out_.key("stream_options");
      out_.begin_object();
      out_.member("include_usage", true);
      out_.end_object();
    }
  }
  out_.end_object();
  return !out_.failed();
}

// What has no canonical answer, or no place in a request to another vendor's host.
bool RequestWriter::refuse_unsayable() {
  struct Row {
    bool given;
    Feature feature;
  };
  const Request& r = request_;
  const Row rows[] = {
      {r.logprobs || r.top_logprobs > 0, Feature::logprobs},
      {r.audio_wanted, Feature::audio_output},
      {r.web_search.given(), Feature::web_search},
      {r.safety_settings.given(), Feature::safety_settings},
      {r.top_k.given(), Feature::top_k},
      {r.metadata.given(), Feature::metadata},
      {r.store == Flag::yes, Feature::store},
      {!r.verbosity.empty(), Feature::verbosity},
      {r.cache_automatic, Feature::cache_mark},
  };
  for (const Row& row : rows) {
    if (row.given && !notes_.cannot(row.feature)) return false;
  }
  for (const Word* word = r.unknown.first; word != nullptr; word = word->next) {
    if (!notes_.cannot(Feature::unknown_field, word->plain)) return false;
  }
  return true;
}

bool RequestWriter::write_limits() {
  const catalog::Model* model = target_.model;
  int64_t tokens = request_.output_tokens_max;
  if (tokens > 0) {
    const bool newer = model != nullptr && model->max_completion_tokens_only;
    const int64_t most = model != nullptr ? model->output_tokens_max : 0;
    if (most > 0 && tokens > most) {
      tokens = most;
      notes_.adjust("max_tokens");
    }
    out_.member(newer ? "max_completion_tokens" : target_.provider.max_tokens_field, tokens);
  }
  if (request_.n > 1) out_.member("n", request_.n);
  if (request_.stop.empty()) return true;
  if (request_.stop.count > stop_sequences_max && !notes_.cannot(Feature::stop_sequences_count)) {
    return false;
  }
  out_.key("stop");
  out_.begin_array();
  uint32_t count = 0;
  for (const Word* word = request_.stop.first; word != nullptr; word = word->next) {
    if (++count <= stop_sequences_max) out_.raw_string(word->raw.bytes);
  }
  out_.end_array();
  return true;
}

bool RequestWriter::write_sampling() {
  const catalog::Model* model = target_.model;
  const catalog::Sampling sampling = model != nullptr ? model->sampling : catalog::Sampling::yes;
  const bool taken =
      sampling == catalog::Sampling::yes ||
      (sampling == catalog::Sampling::effort_none && has_effort_ && effort_ == Effort::none);
  struct Row {
    const char* name;
    const Json& number;
    Feature feature;
  };
  const Row rows[] = {
      {"temperature", request_.temperature, Feature::sampling},
      {"top_p", request_.top_p, Feature::sampling},
      {"presence_penalty", request_.presence_penalty, Feature::penalties},
      {"frequency_penalty", request_.frequency_penalty, Feature::penalties},
      {"logit_bias", request_.logit_bias, Feature::logit_bias},
  };
  for (const Row& row : rows) {
    if (!row.number.given()) continue;
    if (taken) {
      out_.member_json(row.name, row.number.bytes);
    } else if (!notes_.cannot(row.feature, row.name)) {
      return false;
    }
  }
  if (request_.seed.given()) out_.member_json("seed", request_.seed.bytes);
  return true;
}

bool RequestWriter::write_hints() {
  if (request_.user.given()) out_.member_raw("user", request_.user.bytes);
  if (request_.prediction.given()) out_.member_json("prediction", request_.prediction.bytes);
  const std::string_view tier = request_.service_tier;
  if (tier.empty()) return true;
  if (tier == "auto" || tier == "default" || tier == "flex" || tier == "priority") {
    out_.member("service_tier", tier);
    return true;
  }
  return notes_.cannot(Feature::service_tier);
}

bool RequestWriter::write_format() {
  if (request_.format == Format::text) return true;
  const catalog::Model* model = target_.model;
  if (tools_written_ && model != nullptr && !model->tools_with_schema) {
    return notes_.cannot(Feature::schema_with_tools);
  }
  out_.key("response_format");
  out_.begin_object();
  if (request_.format == Format::json_object || !request_.schema.given()) {
    out_.member("type", "json_object");
    out_.end_object();
    return true;
  }
  out_.member("type", "json_schema");
  out_.key("json_schema");
  out_.begin_object();
  out_.member("name", request_.schema_name.empty() ? default_schema_name : request_.schema_name);
  if (request_.schema_description.given()) {
    out_.member_raw("description", request_.schema_description.bytes);
  }
  out_.member_json("schema", request_.schema.bytes);
  if (request_.schema_strict != Flag::unset) {
    out_.member("strict", request_.schema_strict == Flag::yes);
  }
  out_.end_object();
  out_.end_object();
  return true;
}

bool RequestWriter::is_allowed(const Tool& tool) const {
  if (request_.allowed_tools.empty()) return true;
  for (const Word* word = request_.allowed_tools.first; word != nullptr; word = word->next) {
    if (word->plain == tool.name) return true;
  }
  return false;
}

// Only OpenAI itself knows allowed_tools; leaving out the others says the same to everyone.
bool RequestWriter::write_tools() {
  for (const Tool* tool = request_.tools.first; tool != nullptr; tool = tool->next) {
    if (tool->kind == Tool::Kind::custom && !notes_.cannot(Feature::custom_tool)) return false;
    if (tool->kind == Tool::Kind::server && !notes_.cannot(Feature::server_tool)) return false;
    if (tool->kind != Tool::Kind::function || !is_allowed(*tool)) continue;
    if (tool->cache != CacheMark::none && !target_.provider.cache_control_parts &&
        !notes_.cannot(Feature::cache_mark)) {
      return false;
    }
    if (!tools_written_) {
      out_.key("tools");
      out_.begin_array();
    }
    tools_written_ = true;
    write_tool(*tool);
  }
  if (tools_written_) out_.end_array();
  return true;
}

void RequestWriter::write_tool(const Tool& tool) {
  out_.begin_object();
  out_.member("type", "function");
  out_.key("function");
  out_.begin_object();
  out_.member("name", tool.name);
  if (tool.description.given()) out_.member_raw("description", tool.description.bytes);
  out_.member_json("parameters", tool.schema.given() ? tool.schema.bytes : no_parameters);
  if (tool.strict != Flag::unset) out_.member("strict", tool.strict == Flag::yes);
  out_.end_object();
  write_mark(tool.cache);
  out_.end_object();
}

bool RequestWriter::write_tool_choice() {
  if (!tools_written_) return true;
  ToolChoice choice = request_.tool_choice;
  const bool forced = choice == ToolChoice::required || choice == ToolChoice::named;
  const bool refused = target_.model != nullptr && !target_.model->forced_tools;
  if (forced && (refused || names_unsent_tool(request_))) {
    if (!notes_.cannot(Feature::forced_tool_choice)) return false;
    choice = ToolChoice::automatic;
  }
  switch (choice) {
    case ToolChoice::unset: break;
    case ToolChoice::none: out_.member("tool_choice", "none"); break;
    case ToolChoice::automatic: out_.member("tool_choice", "auto"); break;
    case ToolChoice::required: out_.member("tool_choice", "required"); break;
    case ToolChoice::named:
      out_.key("tool_choice");
      out_.begin_object();
      out_.member("type", "function");
      out_.key("function");
      out_.begin_object();
      out_.member("name", request_.tool_choice_name);
      out_.end_object();
      out_.end_object();
      break;
  }
  if (request_.parallel_tool_calls == Flag::no) out_.member("parallel_tool_calls", false);
  return true;
}

bool RequestWriter::effort_wanted(Effort& effort) {
  const bool given = request_.effort_given || request_.thinking_budget_tokens != -1;
  const catalog::Model* model = target_.model;
  if (given) {
    effort =
        request_.effort_given ? request_.effort : effort_of_budget(request_.thinking_budget_tokens);
  }
  if (model == nullptr) return given;
  // Some take function tools only without reasoning: it is said, as they think by default.
  const bool functions = !request_.tools.empty() && !model->tools_with_reasoning;
  if (functions && model->efforts.has(Effort::none)) {
    if (!given || effort != Effort::none) notes_.cannot(Feature::reasoning_effort);
    effort = Effort::none;
    return true;
  }
  if (functions) {  // It always thinks, and takes the tools only where no effort is asked for.
    if (given) notes_.drop("reasoning_effort");
    return false;
  }
  if (!given) return false;
  if (!model->efforts.any()) {
    // Hosts of other vendors' models translate an effort themselves.
    if (model->thinking != catalog::Thinking::none) return true;
    if (effort != Effort::none) notes_.drop("reasoning_effort");
    return false;
  }
  const Effort nearest = model->efforts.nearest(effort);
  if (nearest != effort) notes_.cannot(Feature::reasoning_effort);
  effort = nearest;
  return true;
}

bool RequestWriter::write_effort() {
  if (has_effort_) out_.member("reasoning_effort", catalog::name_of(effort_));
  return true;
}

}  // namespace hyperion::dialect::openai_chat
