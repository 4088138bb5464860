#include <algorithm>

#include "dialect/gemini.h"
#include "dialect/gemini_writer.h"

namespace hyperion::dialect::gemini {
namespace {

// Gemini's own bounds.
constexpr int64_t candidates_max = 8;
constexpr uint32_t stop_sequences_max = 5;

// Zero is what OpenAI's clients send for "nothing wanted".
bool is_zero(std::string_view number) {
  return number.find_first_not_of("-0.") == std::string_view::npos;
}

}  // namespace

bool RequestWriter::write() {
  out_.begin_object();
  if (!write_members()) return false;
  out_.end_object();
  return !out_.failed() && note_the_rest();
}

// Vertex counts what a request holds, the Gemini API a whole request.
bool RequestWriter::write_count() {
  out_.begin_object();
  const bool wrapped = !target_.provider.vertex;
  if (wrapped) {
    out_.key("generateContentRequest");
    out_.begin_object();
    out_.key("model");
    out_.open_string();
    add_model_name(out_, target_.upstream_model);
    out_.close_string();
  }
  if (!write_members()) return false;
  if (wrapped) out_.end_object();
  out_.end_object();
  return !out_.failed();
}

bool RequestWriter::write_members() {
  write_system();
  if (!write_contents() || !write_tools() || !write_tool_config()) return false;
  if (request_.safety_settings.given()) {
    out_.member_json("safetySettings", request_.safety_settings.bytes);
  }
  return write_generation_config() && write_service_tier();
}

// What Gemini has no place for at all.
bool RequestWriter::note_the_rest() {
  const Request& request = request_;
  if (request.logprobs && !notes_.cannot(Feature::logprobs)) return false;
  if (request.audio_wanted && !notes_.cannot(Feature::audio_output)) return false;
  if (request.web_search.given() && !notes_.cannot(Feature::web_search)) return false;
  if (request.parallel_tool_calls == Flag::no && !notes_.cannot(Feature::parallel_tool_calls)) {
    return false;
  }
  if (request.logit_bias.given()) notes_.cannot(Feature::logit_bias);
  if (request.user.given()) notes_.cannot(Feature::user);
  if (request.metadata.given()) notes_.cannot(Feature::metadata);
  if (request.store != Flag::unset) notes_.cannot(Feature::store);
  if (!request.verbosity.empty()) notes_.cannot(Feature::verbosity);
  if (request.prediction.given()) notes_.cannot(Feature::prediction);
  if (request.cache_automatic) notes_.cannot(Feature::cache_mark);
  for (const Word* word = request.unknown.first; word != nullptr; word = word->next) {
    notes_.drop(word->plain);
  }
  return !notes_.problem;
}

// One object with all declarations.
bool RequestWriter::write_tools() {
  bool open = false;
  for (const Tool* tool = request_.tools.first; tool != nullptr; tool = tool->next) {
    if (tool->kind == Tool::Kind::custom) {
      if (!notes_.cannot(Feature::custom_tool)) return false;
      continue;
    }
    if (tool->kind == Tool::Kind::server) {
      if (!notes_.cannot(Feature::server_tool)) return false;
      continue;
    }
    if (tool->cache != CacheMark::none && !notes_.cannot(Feature::cache_mark)) return false;
    if (tool->strict == Flag::yes && !notes_.cannot(Feature::tool_strict)) return false;
    if (!open) {
      out_.key("tools");
      out_.begin_array();
      out_.begin_object();
      out_.key("functionDeclarations");
      out_.begin_array();
      open = true;
    }
    write_declaration(*tool);
  }
  if (open) {
    out_.end_array();
    out_.end_object();
    out_.end_array();
  }
  declared_ = open;
  return true;
}

void RequestWriter::write_declaration(const Tool& tool) {
  out_.begin_object();
  out_.member("name", tool.name);
  if (!tool.description.empty()) out_.member_raw("description", tool.description.bytes);
  if (tool.schema.given()) out_.member_json("parametersJsonSchema", tool.schema.bytes);
  out_.end_object();
}

bool RequestWriter::write_tool_config() {
  if (!declared_) return true;
  const bool some = !request_.allowed_tools.empty();
  switch (request_.tool_choice) {
    case ToolChoice::unset: return true;
    case ToolChoice::none: write_calling_config("NONE"); return true;
    // Names may be given with ANY and VALIDATED only.
    case ToolChoice::automatic: write_calling_config(some ? "VALIDATED" : "AUTO"); return true;
    case ToolChoice::required:
    case ToolChoice::named: break;
  }
  const bool refused = target_.model != nullptr && !target_.model->forced_tools;
  if (refused || names_unsent_tool(request_)) {
    if (!notes_.cannot(Feature::forced_tool_choice)) return false;
    write_calling_config("AUTO");
    return true;
  }
  write_calling_config("ANY");
  return true;
}

void RequestWriter::write_calling_config(std::string_view mode) {
  out_.key("toolConfig");
  out_.begin_object();
  out_.key("functionCallingConfig");
  out_.begin_object();
  out_.member("mode", mode);
  const bool named = request_.tool_choice == ToolChoice::named;
  if ((mode == "ANY" || mode == "VALIDATED") && (named || !request_.allowed_tools.empty())) {
    out_.key("allowedFunctionNames");
    out_.begin_array();
    if (named) out_.string(request_.tool_choice_name);
    const Word* word = named ? nullptr : request_.allowed_tools.first;
    for (; word != nullptr; word = word->next) out_.string(word->plain);
    out_.end_array();
  }
  out_.end_object();
  out_.end_object();
}

void RequestWriter::open_config() {
  if (config_open_) return;
  config_open_ = true;
  out_.key("generationConfig");
  out_.begin_object();
}

void RequestWriter::config_json(std::string_view name, const Json& json) {
  if (!json.given()) return;
  open_config();
  out_.member_json(name, json.bytes);
}

bool RequestWriter::write_generation_config() {
  int64_t tokens = request_.output_tokens_max;
  const int64_t most = target_.model != nullptr ? target_.model->output_tokens_max : 0;
  if (most > 0 && tokens > most) {
    tokens = most;
    notes_.adjust("max_tokens");
  }
  if (tokens >= 0) {
    open_config();
    out_.member("maxOutputTokens", tokens);
  }
  if (!write_sampling() || !write_candidates() || !write_stop()) return false;
  config_json("seed", request_.seed);
  if (!write_penalties() || !write_format() || !write_thinking() || !write_detail()) return false;
  if (config_open_) out_.end_object();
  return true;
}

bool RequestWriter::write_sampling() {
  const bool none = target_.model != nullptr && target_.model->sampling == catalog::Sampling::no;
  if (!none) {
    config_json("temperature", request_.temperature);
    config_json("topP", request_.top_p);
    config_json("topK", request_.top_k);
    return true;
  }
  const bool ok = (!request_.temperature.given() || notes_.cannot(Feature::sampling)) &&
                  (!request_.top_p.given() || notes_.cannot(Feature::sampling, "top_p"));
  return ok && (!request_.top_k.given() || notes_.cannot(Feature::top_k));
}

bool RequestWriter::write_candidates() {
  if (request_.n <= 1) return true;
  if (request_.n > candidates_max) return notes_.cannot(Feature::n);
  open_config();
  out_.member("candidateCount", request_.n);
  return true;
}

bool RequestWriter::write_stop() {
  if (request_.stop.empty()) return true;
  if (request_.stop.count > stop_sequences_max && !notes_.cannot(Feature::stop_sequences_count)) {
    return false;
  }
  open_config();
  out_.key("stopSequences");
  out_.begin_array();
  uint32_t count = 0;
  for (const Word* word = request_.stop.first; word != nullptr; word = word->next) {
    if (count++ < stop_sequences_max) out_.raw_string(word->raw.bytes);
  }
  out_.end_array();
  return true;
}

// Only Vertex takes them for every model; elsewhere they are a 400.
bool RequestWriter::write_penalties() {
  const Json& presence = request_.presence_penalty;
  const Json& frequency = request_.frequency_penalty;
  if (target_.provider.vertex) {
    config_json("presencePenalty", presence);
    config_json("frequencyPenalty", frequency);
    return true;
  }
  const bool ok = !presence.given() || is_zero(presence.bytes) || notes_.cannot(Feature::penalties);
  return ok && (!frequency.given() || is_zero(frequency.bytes) ||
                notes_.cannot(Feature::penalties, "frequency_penalty"));
}

bool RequestWriter::write_format() {
  if (request_.format == Format::text) return true;
  if (declared_ && target_.model != nullptr && !target_.model->tools_with_schema) {
    return notes_.cannot(Feature::schema_with_tools);
  }
  open_config();
  out_.member("responseMimeType", "application/json");
  if (request_.format == Format::json_schema) config_json("responseJsonSchema", request_.schema);
  return true;
}

// Of the whole request here, of each image at OpenAI.
bool RequestWriter::write_detail() {
  if (!low_detail_ && !high_detail_) return true;
  if (low_detail_ && high_detail_) return notes_.cannot(Feature::image_detail);
  open_config();
  out_.member("mediaResolution", low_detail_ ? "MEDIA_RESOLUTION_LOW" : "MEDIA_RESOLUTION_HIGH");
  return true;
}

// A field of the Gemini API only.
bool RequestWriter::write_service_tier() {
  std::string_view tier = request_.service_tier;
  if (tier.empty() || tier == "auto") return true;
  if (tier == "default") tier = "standard";
  const bool known = tier == "standard" || tier == "flex" || tier == "priority";
  if (!known || target_.provider.vertex) return notes_.cannot(Feature::service_tier);
  out_.member("serviceTier", tier);
  return true;
}

bool encode_request(const Request& request, const Target& target, Workspace workspace,
                    json::Output& out, Notes& notes) {
  return RequestWriter(request, target, workspace, out, notes).write();
}

bool encode_count_tokens(const Request& request, const Target& target, Workspace workspace,
                         json::Output& out, Notes& notes) {
  return RequestWriter(request, target, workspace, out, notes).write_count();
}

}  // namespace hyperion::dialect::gemini
