#include "dialect/openai_responses_item_writer.h"
#include "dialect/openai_responses_parts.h"

namespace hyperion::dialect::openai_responses {

using catalog::Answer;
using catalog::Effort;
using catalog::Sampling;

namespace {

// OpenAI refuses less.
constexpr int64_t output_tokens_min = 16;

constexpr std::string_view schema_name_default = "answer";
constexpr std::string_view schema_default = R"({"type":"object","properties":{}})";

// Budgets that Google's own OpenAI layer takes for low and medium; above, high.
Effort effort_of_budget(int64_t tokens) {
  if (tokens == 0) return Effort::none;
  if (tokens <= 1024) return Effort::low;
  return tokens <= 8192 ? Effort::medium : Effort::high;
}

bool is_service_tier(std::string_view word) {
  constexpr std::string_view words[] = {"auto", "default", "flex", "scale", "priority", "fast"};
  for (std::string_view each : words) {
    if (word == each) return true;
  }
  return false;
}

class RequestWriter {
 public:
  RequestWriter(const Request& request, const Target& target, json::Output& out, Notes& notes)
      : request_(request), target_(target), model_(target.model), out_(out), notes_(notes) {}

  bool write() {
    if (!refuse_foreign()) return false;
    choose_effort();
    if (!notes_.problem && effort_refused_) return false;
    out_.begin_object();
    out_.member("model", target_.upstream_model);
    if (!ItemWriter(target_, out_, notes_).write(request_)) return false;
    if (!write_tools() || !write_tool_choice() || !write_limits() || !write_sampling()) {
      return false;
    }
    write_text();
    write_reasoning();
    if (!write_account()) return false;
    // What a client of another dialect says is not kept, unless it asks for that.
    out_.member("store", request_.store == Flag::yes);
    if (request_.stream) out_.member("stream", true);
    out_.end_object();
    return !out_.failed();
  }

 private:
  bool cannot(Feature feature, std::string_view param = {}) {
    return notes_.cannot(feature, param);
  }

  // What this dialect has no field for.
  bool refuse_foreign() {
    if (request_.n > 1 && !cannot(Feature::n)) return false;
    if (!request_.stop.empty() && !cannot(Feature::stop_sequences_count)) return false;
    if (request_.logprobs && !cannot(Feature::logprobs)) return false;
    if (request_.audio_wanted && !cannot(Feature::audio_output)) return false;
    if (request_.web_search.given() && !cannot(Feature::web_search)) return false;
    if (request_.logit_bias.given() && !cannot(Feature::logit_bias)) return false;
    if (request_.seed.given() && !cannot(Feature::seed)) return false;
    if (request_.top_k.given() && !cannot(Feature::top_k)) return false;
    if (request_.presence_penalty.given() && !cannot(Feature::penalties)) return false;
    if (request_.frequency_penalty.given() && !cannot(Feature::penalties, "frequency_penalty")) {
      return false;
    }
    if (request_.prediction.given() && !cannot(Feature::prediction)) return false;
    if (request_.safety_settings.given() && !cannot(Feature::safety_settings)) return false;
    if (request_.cache_automatic && !cannot(Feature::cache_mark)) return false;
    for (const Word* word = request_.unknown.first; word != nullptr; word = word->next) {
      notes_.drop(word->plain);
    }
    return true;
  }

  // A model that is unknown may reason; one that is known has its row.
  bool may_reason() const {
    return model_ == nullptr || model_->capabilities.reasoning != Answer::no;
  }
  bool does_reason() const {
    return model_ != nullptr && model_->capabilities.reasoning == Answer::yes;
  }

  void choose_effort() {
    effort_given_ = request_.effort_given || request_.thinking_budget_tokens >= 0;
    if (!effort_given_) return;
    const Effort wanted =
        request_.effort_given ? request_.effort : effort_of_budget(request_.thinking_budget_tokens);
    effort_ = wanted;
    if (model_ == nullptr) return;
    if (!model_->efforts.any()) {
      // Nothing to switch off is no loss.
      effort_given_ = false;
      if (wanted != Effort::none) effort_refused_ = !cannot(Feature::reasoning_effort);
      return;
    }
    effort_ = model_->efforts.nearest(wanted);
    // A budget of tokens is met as closely as the words allow; no thinking at all is a word.
    if (effort_ != wanted && (request_.effort_given || wanted == Effort::none)) {
      effort_refused_ = !cannot(Feature::reasoning_effort);
    }
  }

  bool write_tools() {
    if (request_.tools.empty()) return true;
    out_.key("tools");
    out_.begin_array();
    for (const Tool* tool = request_.tools.first; tool != nullptr; tool = tool->next) {
      if (tool->cache != CacheMark::none && !cannot(Feature::cache_mark)) return false;
      if (tool->kind == Tool::Kind::function) {
        write_function(*tool);
      } else if (!cannot(tool->kind == Tool::Kind::custom ? Feature::custom_tool
                                                          : Feature::server_tool)) {
        return false;
      }
    }
    out_.end_array();
    return true;
  }

  // `strict` is true at OpenAI where it is absent, and changes the schema; in all other dialects
  // absence means no.
  void write_function(const Tool& tool) {
    out_.begin_object();
    out_.member("type", "function");
    out_.member("name", tool.name);
    if (tool.description.given()) out_.member_raw("description", tool.description.bytes);
    out_.member_json("parameters", tool.schema.given() ? tool.schema.bytes : schema_default);
    out_.member("strict", tool.strict == Flag::yes);
    out_.end_object();
  }

  bool has_functions() const {
    for (const Tool* tool = request_.tools.first; tool != nullptr; tool = tool->next) {
      if (tool->kind == Tool::Kind::function) return true;
    }
    return false;
  }

  bool write_tool_choice() {
    if (!has_functions()) return true;
    ToolChoice choice = request_.tool_choice;
    const bool forced = choice == ToolChoice::required || choice == ToolChoice::named;
    const bool refused = model_ != nullptr && !model_->forced_tools;
    if (forced && (refused || names_unsent_tool(request_))) {
      if (!cannot(Feature::forced_tool_choice)) return false;
      choice = ToolChoice::automatic;
    }
    if (!request_.allowed_tools.empty() && choice != ToolChoice::none &&
        choice != ToolChoice::named) {
      write_allowed_tools(choice);
    } else if (choice == ToolChoice::named) {
      out_.key("tool_choice");
      write_named(request_.tool_choice_name);
    } else if (choice != ToolChoice::unset) {
      out_.member("tool_choice", choice == ToolChoice::none        ? "none"
                                 : choice == ToolChoice::automatic ? "auto"
                                                                   : "required");
    }
    if (request_.parallel_tool_calls != Flag::unset) {
      out_.member("parallel_tool_calls", request_.parallel_tool_calls == Flag::yes);
    }
    return true;
  }

  void write_named(std::string_view name) {
    out_.begin_object();
    out_.member("type", "function");
    out_.member("name", name);
    out_.end_object();
  }

  void write_allowed_tools(ToolChoice choice) {
    out_.key("tool_choice");
    out_.begin_object();
    out_.member("type", "allowed_tools");
    out_.member("mode", choice == ToolChoice::required ? "required" : "auto");
    out_.key("tools");
    out_.begin_array();
    for (const Word* word = request_.allowed_tools.first; word != nullptr; word = word->next) {
      write_named(word->plain);
    }
    out_.end_array();
    out_.end_object();
  }

  bool write_limits() {
    int64_t tokens = request_.output_tokens_max;
    if (tokens < 0) return true;
    const int64_t most = model_ != nullptr ? model_->output_tokens_max : 0;
    if (most > 0 && tokens > most) tokens = most;
    if (tokens < output_tokens_min) tokens = output_tokens_min;
    if (tokens != request_.output_tokens_max) notes_.adjust("max_tokens");
    out_.member("max_output_tokens", tokens);
    return true;
  }

  bool write_sampling() {
    if (!request_.temperature.given() && !request_.top_p.given()) return true;
    const Sampling sampling = model_ != nullptr ? model_->sampling : Sampling::yes;
    const bool off = effort_given_ && effort_ == Effort::none;
    const bool takes = sampling == Sampling::yes || (sampling == Sampling::effort_none && off);
    if (request_.temperature.given()) {
      if (takes) out_.member_json("temperature", request_.temperature.bytes);
      if (!takes && !cannot(Feature::sampling)) return false;
    }
    if (request_.top_p.given()) {
      if (takes) out_.member_json("top_p", request_.top_p.bytes);
      if (!takes && !cannot(Feature::sampling, "top_p")) return false;
    }
    return true;
  }

  void write_text() {
    if (request_.format == Format::text && request_.verbosity.empty()) return;
    out_.key("text");
    out_.begin_object();
    if (request_.format == Format::json_object) {
      out_.member_json("format", R"({"type":"json_object"})");
    } else if (request_.format == Format::json_schema) {
      write_schema();
    }
    if (!request_.verbosity.empty()) out_.member("verbosity", request_.verbosity);
    out_.end_object();
  }

  void write_schema() {
    out_.key("format");
    out_.begin_object();
    out_.member("type", "json_schema");
    out_.member("name", request_.schema_name.empty() ? schema_name_default : request_.schema_name);
    if (request_.schema_description.given()) {
      out_.member_raw("description", request_.schema_description.bytes);
    }
    out_.member_json("schema", request_.schema.given() ? request_.schema.bytes : schema_default);
    if (request_.schema_strict != Flag::unset) {
      out_.member("strict", request_.schema_strict == Flag::yes);
    }
    out_.end_object();
  }

  // Encrypted reasoning is how the model's thinking comes back in the next turn, where nothing is
  // stored. Models that do not reason refuse to be asked for it.
  void write_reasoning() {
    const bool shown = request_.thinking_shown == Flag::yes && may_reason();
    if (effort_given_ || shown) {
      out_.key("reasoning");
      out_.begin_object();
      if (effort_given_) out_.member("effort", catalog::name_of(effort_));
      if (shown) out_.member("summary", "auto");
      out_.end_object();
    }
    if (does_reason() || (may_reason() && (effort_given_ || shown))) {
      out_.member_json("include", R"(["reasoning.encrypted_content"])");
    }
  }

  bool write_account() {
    if (!request_.user.empty()) out_.member_raw("user", request_.user.bytes);
    if (request_.metadata.given()) out_.member_json("metadata", request_.metadata.bytes);
    if (request_.service_tier.empty()) return true;
    if (!is_service_tier(request_.service_tier)) return cannot(Feature::service_tier);
    out_.member("service_tier", request_.service_tier);
    return true;
  }

  const Request& request_;
  const Target& target_;
  const catalog::Model* const model_;
  json::Output& out_;
  Notes& notes_;
  bool effort_given_ = false;
  bool effort_refused_ = false;
  Effort effort_ = Effort::none;
};

}  // namespace

bool encode_request(const Request& request, const Target& target, Workspace, json::Output& out,
                    Notes& notes) {
  return RequestWriter(request, target, out, notes).write();
}

}  // namespace hyperion::dialect::openai_responses
