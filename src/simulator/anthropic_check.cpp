// What Anthropic refuses of a request beside messages and tools: fields, sampling, thinking.
#include <algorithm>
#include <string>
#include <vector>

#include "simulator/answer_text.h"
#include "simulator/anthropic.h"

namespace hyperion::simulator::anthropic {
namespace {

using catalog::Effort;
using catalog::Sampling;
using catalog::Thinking;
using catalog::ThinkingOff;

constexpr double top_p_with_thinking_min = 0.95;

bool field_required(Answer& answer, const std::string& path) {
  return refuse(answer, path + ": Field required");
}

bool is_in_list(std::string_view text, std::initializer_list<std::string_view> list) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

bool check_fields(const Request& request, Answer& answer) {
  const JsonValue root = request.root;
  if (!root.is_object()) return refuse(answer, "Input should be an object");
  if (request.counts_only) {
    return only_known(
        root,
        {"model", "messages", "system", "tools", "tool_choice", "thinking", "output_config",
         "output_format", "cache_control", "context_management", "mcp_servers", "speed"},
        "", answer);
  }
  return only_known(root, {"model",         "messages",
                           "max_tokens",    "system",
                           "metadata",      "stop_sequences",
                           "stream",        "temperature",
                           "top_p",         "top_k",
                           "tools",         "tool_choice",
                           "thinking",      "service_tier",
                           "container",     "mcp_servers",
                           "output_config", "output_format",
                           "cache_control", "inference_geo",
                           "speed",         "context_management"},
                    "", answer);
}

bool find_model(const Call& call, Request& request, Answer& answer) {
  const JsonValue name = request.root["model"];
  if (!name.present()) return field_required(answer, "model");
  if (!name.is_string()) return refuse(answer, "model: Input should be a valid string");
  request.model = call.models->find(name.text());
  if (request.model != nullptr && request.model->id.starts_with("claude")) return true;
  const std::string message = "model: " + std::string(name.text().substr(0, 256));
  write_error({404, {}, {}, message}, answer);
  return false;
}

bool check_max_tokens(Request& request, Answer& answer) {
  if (request.counts_only) return true;
  const JsonValue limit = request.root["max_tokens"];
  if (!limit.present()) return field_required(answer, "max_tokens");
  if (!limit.is_integer()) return refuse(answer, "max_tokens: Input should be a valid integer");
  if (limit.number() < 1) {
    return refuse(answer, "max_tokens: Input should be greater than or equal to 1");
  }
  const uint32_t most = request.model->output_tokens_max;
  if (most != 0 && limit.number() > most) {
    return refuse(answer, "max_tokens: " + std::string(limit.raw()) + " > " + std::to_string(most) +
                              ", which is the maximum allowed number of output tokens for " +
                              request.model->id);
  }
  request.turn.limit_tokens = static_cast<uint32_t>(std::min(limit.number(), 1e9));
  return true;
}

bool check_range(JsonValue root, std::string_view key, double least, double most, Answer& answer) {
  const JsonValue value = root[key];
  const std::string name(key);
  if (value.is_nothing()) return true;
  if (!value.is_number()) return refuse(answer, name + ": Input should be a valid number");
  if (value.number() > most) {
    return refuse(answer, name + ": Input should be less than or equal to " +
                              std::to_string(static_cast<int64_t>(most)));
  }
  if (value.number() < least) {
    return refuse(answer, name + ": Input should be greater than or equal to " +
                              std::to_string(static_cast<int64_t>(least)));
  }
  return true;
}

bool check_sampling(const Request& request, Answer& answer) {
  const JsonValue root = request.root;
  const bool thinking = request.turn.thinking && root["thinking"].is_object();
  if (request.newer_version) {
    for (std::string_view key : {"temperature", "top_p", "top_k"}) {
      if (root[key].present()) {
        return refuse(answer, std::string(key) + ": Extra inputs are not permitted");
      }
    }
  }
  if (!check_range(root, "temperature", 0, 1, answer)) return false;
  if (!check_range(root, "top_p", 0, 1, answer)) return false;
  if (!check_range(root, "top_k", 0, 1e9, answer)) return false;
  const JsonValue temperature = root["temperature"];
  const JsonValue top_p = root["top_p"];
  if (request.model->sampling == Sampling::no) {
    const bool other = (temperature.is_number() && temperature.number() != 1) ||
                       (top_p.is_number() && top_p.number() != 1) || root["top_k"].is_number();
    if (other) {
      return refuse(answer,
                    "`temperature`, `top_p` and `top_k` may not be set to other than "
                    "default values for this model.");
    }
  }
  if (temperature.is_number() && top_p.is_number()) {
    return refuse(answer,
                  "`temperature` and `top_p` cannot both be specified for this model. "
                  "Please use only one.");
  }
  if (thinking && temperature.is_number() && temperature.number() != 1) {
    return refuse(answer, "`temperature` may only be set to 1 when thinking is enabled.");
  }
  if (thinking && top_p.is_number() && top_p.number() < top_p_with_thinking_min) {
    return refuse(answer,
                  "`top_p` must be greater than or equal to 0.95 or unset when thinking is "
                  "enabled.");
  }
  if (thinking && root["top_k"].is_number()) {
    return refuse(answer, "`top_k` must be unset when thinking is enabled.");
  }
  return true;
}

bool read_budget(Request& request, JsonValue thinking, Answer& answer) {
  const catalog::Model& model = *request.model;
  if (model.thinking == Thinking::adaptive && model.thinking_budget.min_tokens == 0) {
    return refuse(answer,
                  "\"thinking.type.enabled\" is not supported for this model. Use "
                  "\"thinking.type.adaptive\" and \"output_config.effort\" to control "
                  "thinking behavior.");
  }
  if (model.thinking == Thinking::none) {
    return refuse(answer, "thinking: this model does not support thinking.");
  }
  const JsonValue budget = thinking["budget_tokens"];
  if (!budget.present()) return field_required(answer, "thinking.enabled.budget_tokens");
  if (!budget.is_integer()) {
    return refuse(answer, "thinking.enabled.budget_tokens: Input should be a valid integer");
  }
  if (budget.number() < 1024) {
    return refuse(answer,
                  "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024");
  }
  if (!request.counts_only && budget.number() >= request.turn.limit_tokens) {
    return refuse(answer, "`max_tokens` must be greater than `thinking.budget_tokens`.");
  }
  request.turn.thinking = true;
  request.thinking_must_return = true;
  return true;
}

bool switch_thinking_off(Request& request, std::string_view type, Answer& answer) {
  const catalog::Model& model = *request.model;
  const bool between = type == "between_tools";
  const bool allowed = between ? model.thinking_off == ThinkingOff::between_tools
                               : model.thinking_off == ThinkingOff::omit ||
                                     model.thinking_off == ThinkingOff::disabled;
  if (!allowed) {
    return refuse(answer,
                  "\"thinking.type." + std::string(type) + "\" is not supported for this model.");
  }
  const std::string_view effort = request.root["output_config"]["effort"].text();
  for (auto level = static_cast<uint8_t>(model.thinking_off_effort_max) + 1;
       level < static_cast<int>(Effort::count); ++level) {
    if (!between && effort == catalog::name_of(static_cast<Effort>(level))) {
      return refuse(answer, "thinking cannot be disabled at effort '" + std::string(effort) + "'.");
    }
  }
  request.turn.thinking = false;
  return true;
}

bool check_thinking(Request& request, Answer& answer) {
  const catalog::Model& model = *request.model;
  const JsonValue thinking = request.root["thinking"];
  request.turn.thinking =
      model.thinking_off == ThinkingOff::cannot || model.thinking_off == ThinkingOff::between_tools;
  // The newest models show nothing of it unless they are asked to.
  request.thinking_shown = model.sampling != Sampling::no;
  if (thinking.is_nothing()) return true;
  if (!thinking.is_object()) return refuse(answer, "thinking: Input should be an object");
  if (!only_known(thinking, {"type", "budget_tokens", "display"}, "thinking.", answer))
    return false;
  const JsonValue display = thinking["display"];
  if (display.present()) {
    if (!is_in_list(display.text(), {"summarized", "omitted"})) {
      return refuse(answer, "thinking.display: Input should be 'summarized' or 'omitted'");
    }
    request.thinking_shown = display.text() == "summarized";
  }
  const std::string_view type = thinking["type"].text();
  if (type != "enabled" && thinking["budget_tokens"].present()) {
    return refuse(
        answer, "thinking." + std::string(type) + ".budget_tokens: Extra inputs are not permitted");
  }
  if (type == "enabled") return read_budget(request, thinking, answer);
  if (type == "disabled" || type == "between_tools") {
    return switch_thinking_off(request, type, answer);
  }
  if (type != "adaptive") {
    return refuse(answer, "thinking: Input tag '" + std::string(type.substr(0, 64)) +
                              "' found using 'type' does not match any of the expected tags: "
                              "'adaptive', 'disabled', 'enabled'");
  }
  if (model.thinking != Thinking::adaptive) {
    return refuse(answer, "adaptive thinking is not supported on this model");
  }
  request.turn.thinking = true;
  return true;
}

bool check_effort(const Request& request, JsonValue effort, Answer& answer) {
  if (effort.is_nothing()) return true;
  constexpr Effort levels[] = {Effort::high, Effort::low, Effort::max, Effort::medium,
                               Effort::xhigh};  // by their names, as the provider lists them
  bool known = false;
  bool supported = false;
  std::string list;
  for (Effort level : levels) {
    const bool same = effort.text() == catalog::name_of(level);
    known |= same;
    if (!request.model->efforts.has(level)) continue;
    supported |= same;
    if (!list.empty()) list += ", ";
    list += catalog::name_of(level);
  }
  if (!known) {
    return refuse(answer,
                  "output_config.effort: Input should be 'low', 'medium', 'high', 'xhigh' "
                  "or 'max'");
  }
  if (supported) return true;
  if (list.empty()) return refuse(answer, "This model does not support the effort parameter.");
  return refuse(answer, "This model does not support effort level '" + std::string(effort.text()) +
                            "'. Supported levels: " + list + ".");
}

bool read_format(JsonValue format, const std::string& path, Request& request, Answer& answer) {
  if (format.is_nothing()) return true;
  if (!only_known(format, {"type", "schema"}, path + ".", answer)) return false;
  if (format["type"].text() != "json_schema") {
    return refuse(answer, path + ".type: Input should be 'json_schema'");
  }
  if (!format["schema"].is_object()) return field_required(answer, path + ".schema");
  if (!check_schema(format["schema"], path + ".schema", 0, answer)) return false;
  if (request.model->capabilities.json_schema == catalog::Answer::no) {
    return refuse(answer, "'" + request.model->id + "' does not support output format.");
  }
  request.turn.schema = format["schema"];
  return true;
}

bool check_output_config(Request& request, Answer& answer) {
  const JsonValue config = request.root["output_config"];
  if (!read_format(request.root["output_format"], "output_format", request, answer)) return false;
  if (config.is_nothing()) return true;
  if (!config.is_object()) return refuse(answer, "output_config: Input should be an object");
  if (!only_known(config, {"effort", "format", "task_budget"}, "output_config.", answer)) {
    return false;
  }
  return check_effort(request, config["effort"], answer) &&
         read_format(config["format"], "output_config.format", request, answer);
}

bool check_rest(Request& request, Answer& answer) {
  const JsonValue root = request.root;
  if (!root["stream"].is_nothing() && !root["stream"].is_boolean()) {
    return refuse(answer, "stream: Input should be a valid boolean");
  }
  const JsonValue stops = root["stop_sequences"];
  if (!stops.is_nothing() && !stops.is_array()) {
    return refuse(answer, "stop_sequences: Input should be a valid array");
  }
  for (JsonValue stop : stops) {
    if (!stop.is_string()) return refuse(answer, "stop_sequences: Input should be a valid string");
    if (stop.text().find_first_not_of(" \t") == std::string_view::npos) {
      return refuse(answer, "stop_sequences: each stop sequence must contain non-whitespace");
    }
    request.turn.stops.push_back(stop.text());
  }
  const JsonValue metadata = root["metadata"];
  if (!metadata.is_nothing()) {
    if (!metadata.is_object()) return refuse(answer, "metadata: Input should be an object");
    if (!only_known(metadata, {"user_id"}, "metadata.", answer)) return false;
    if (metadata["user_id"].text().find('@') != std::string_view::npos) {
      return refuse(answer, "metadata.user_id: user_id appears to contain an email address");
    }
  }
  const JsonValue tier = root["service_tier"];
  if (!tier.is_nothing() && !is_in_list(tier.text(), {"auto", "standard_only"})) {
    return refuse(answer, "service_tier: Input should be 'auto' or 'standard_only'");
  }
  return true;
}

}  // namespace

bool only_known(JsonValue object, std::initializer_list<std::string_view> known,
                const std::string& path, Answer& answer) {
  for (JsonValue member : object) {
    if (is_in_list(member.key(), known)) continue;
    return refuse(answer, path + std::string(member.key().substr(0, 128)) +
                              ": Extra inputs are not permitted");
  }
  return true;
}

bool read_request(const Call& call, Request& request, Answer& answer) {
  request.root = call.tree->read(call.body);
  request.newer_version = call.head->headers.find("anthropic-version") == "2026-10-21";
  if (!check_fields(request, answer) || !find_model(call, request, answer)) return false;
  if (!check_max_tokens(request, answer) || !check_thinking(request, answer)) return false;
  if (!check_sampling(request, answer) || !check_output_config(request, answer)) return false;
  if (!check_rest(request, answer) || !check_tools(request, answer)) return false;
  if (!read_system(request, answer) || !read_messages(request, answer)) return false;
  const uint64_t tokens = request.counts.whole_input();
  if (request.model->context_tokens != 0 && tokens > request.model->context_tokens) {
    return refuse(answer, "prompt is too long: " + std::to_string(tokens) + " tokens > " +
                              std::to_string(request.model->context_tokens) + " maximum");
  }
  request.turn.model = request.model->id;
  request.turn.answer_tokens = call.answer_tokens;
  request.turn.seed = hash_text(request.root["messages"].raw(), hash_text(request.model->id, 5));
  return true;
}

}  // namespace hyperion::simulator::anthropic
