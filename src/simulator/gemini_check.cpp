// What Gemini refuses of a request beside its contents: fields, types, thinking.
#include <algorithm>
#include <string>

#include "simulator/answer_text.h"
#include "simulator/gemini.h"

namespace hyperion::simulator::gemini {
namespace {

using catalog::Thinking;
using catalog::ThinkingOff;

constexpr uint32_t stops_max = 5;

enum class Type { integer, number, text, boolean };

struct Setting {
  std::string_view name;
  Type type;
};

constexpr Setting generation_settings[] = {
    {"temperature", Type::number},
    {"topP", Type::number},
    {"topK", Type::number},
    {"candidateCount", Type::integer},
    {"maxOutputTokens", Type::integer},
    {"responseMimeType", Type::text},
    {"presencePenalty", Type::number},
    {"frequencyPenalty", Type::number},
    {"seed", Type::integer},
    {"responseLogprobs", Type::boolean},
    {"logprobs", Type::integer},
    {"mediaResolution", Type::text},
};

constexpr std::string_view type_names[] = {"TYPE_INT32", "TYPE_FLOAT", "TYPE_STRING", "TYPE_BOOL"};

std::string snake(std::string_view camel) {
  std::string name;
  for (char c : camel) {
    if (c >= 'A' && c <= 'Z') {
      name += '_';
      name += static_cast<char>(c | 0x20);
    } else {
      name += c;
    }
  }
  return name;
}

// Do both spell the same field? `camel` is in camel case.
bool same_field(std::string_view key, std::string_view camel) {
  return key == camel || key == snake(camel);
}

bool check_type(JsonValue value, Type type, const std::string& path, Answer& answer) {
  if (value.is_nothing()) return true;
  const bool good = type == Type::integer  ? value.is_integer()
                    : type == Type::number ? value.is_number()
                    : type == Type::text   ? value.is_string()
                                           : value.is_boolean();
  if (good) return true;
  return refuse(answer, "Invalid value at '" + path + "' (" +
                            std::string(type_names[static_cast<int>(type)]) + "), " +
                            std::string(value.raw().substr(0, 64)));
}

bool check_budget(const Request& request, int64_t budget, Answer& answer) {
  const catalog::Model& model = *request.model;
  const catalog::ThinkingBudget range = model.thinking_budget;
  if (budget == -1 || (budget == 0 && model.thinking_off == ThinkingOff::zero_budget)) return true;
  const bool below = budget < std::max(1, range.min_tokens);
  const bool above = range.max_tokens != 0 && budget > range.max_tokens;
  if (!below && !above) return true;
  return refuse(answer, "The thinking budget " + std::to_string(budget) +
                            " is invalid. Please choose a value between " +
                            std::to_string(range.min_tokens) + " and " +
                            std::to_string(range.max_tokens) + ".");
}

bool check_level(const Request& request, std::string_view level, Answer& answer) {
  if (request.model->thinking != Thinking::level) {
    return refuse(answer, "Thinking level is not supported for this model.");
  }
  std::string lower(level.substr(0, 32));
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  for (uint8_t i = 0; i < static_cast<uint8_t>(catalog::Effort::count); ++i) {
    const auto effort = static_cast<catalog::Effort>(i);
    if (lower == catalog::name_of(effort) && request.model->efforts.has(effort)) return true;
  }
  for (char& c : lower) c = c >= 'a' && c <= 'z' ? static_cast<char>(c & ~0x20) : c;
  return refuse(answer, "Thinking level " + lower +
                            " is not supported for this model. Please retry with other thinking "
                            "level.");
}

bool check_thinking(Request& request, JsonValue config, Answer& answer) {
  request.turn.thinking = request.model->thinking != Thinking::none;
  if (config.is_nothing()) return true;
  const std::string path = "generation_config.thinking_config";
  if (!check_members(config, {"includeThoughts", "thinkingBudget", "thinkingLevel"}, path,
                     answer)) {
    return false;
  }
  const JsonValue shown = member(config, "includeThoughts");
  const JsonValue budget = member(config, "thinkingBudget");
  const JsonValue level = member(config, "thinkingLevel");
  if (!check_type(shown, Type::boolean, path + ".include_thoughts", answer) ||
      !check_type(budget, Type::integer, path + ".thinking_budget", answer) ||
      !check_type(level, Type::text, path + ".thinking_level", answer)) {
    return false;
  }
  if (request.model->thinking == Thinking::none) {
    return refuse(answer, "Thinking is not enabled for " + request.model->id);
  }
  if (budget.is_number() && level.is_string()) {
    return refuse(answer, "You can only set only one of thinking budget and thinking level.");
  }
  if (level.is_string() && !check_level(request, level.text(), answer)) return false;
  if (budget.is_number()) {
    const auto tokens = static_cast<int64_t>(budget.number());
    if (request.model->thinking == Thinking::budget && !check_budget(request, tokens, answer)) {
      return false;
    }
    request.turn.thinking = tokens != 0;
  }
  request.thoughts_shown = shown.is_true();
  return true;
}

bool check_numbers(Request& request, JsonValue config, Answer& answer) {
  const JsonValue temperature = member(config, "temperature");
  if (temperature.is_number() && (temperature.number() < 0 || temperature.number() > 2)) {
    return refuse(answer,
                  "* GenerateContentRequest.generation_config.temperature: temperature "
                  "must be in the range [0.0, 2.0].");
  }
  const JsonValue top_p = member(config, "topP");
  if (top_p.is_number() && (top_p.number() < 0 || top_p.number() > 1)) {
    return refuse(answer,
                  "* GenerateContentRequest.generation_config.top_p: top_p must be in the "
                  "range [0.0, 1.0].");
  }
  const JsonValue limit = member(config, "maxOutputTokens");
  if (limit.is_number()) {
    const uint32_t most = request.model->output_tokens_max;
    if (limit.number() < 1 || (most != 0 && limit.number() > most)) {
      return refuse(answer,
                    "max_output_tokens must be in the range [1, " + std::to_string(most) + "].");
    }
    request.turn.limit_tokens = static_cast<uint32_t>(limit.number());
  }
  const JsonValue candidates = member(config, "candidateCount");
  if (candidates.is_number() && candidates.number() != 1) {
    return refuse(answer, "Multiple candidates is not enabled for this model");
  }
  if (request.vertex) return true;
  if (member(config, "presencePenalty").is_number() ||
      member(config, "frequencyPenalty").is_number()) {
    return refuse(answer, "Penalty is not enabled for this model");
  }
  if (member(config, "responseLogprobs").is_true() || member(config, "logprobs").is_number()) {
    return refuse(answer, "Logprobs is not enabled for models/" + request.model->id);
  }
  return true;
}

bool check_response_form(Request& request, JsonValue config, Answer& answer) {
  const std::string_view media = member(config, "responseMimeType").text();
  const JsonValue subset = member(config, "responseSchema");
  const JsonValue schema = member(config, "responseJsonSchema");
  if (!media.empty() && media != "application/json" && media != "text/plain" &&
      media != "text/x.enum") {
    return refuse(answer,
                  "* GenerateContentRequest.generation_config.response_mime_type: allowed "
                  "mimetypes are `text/plain`, `application/json` and `text/x.enum`.");
  }
  request.turn.wants_json = media == "application/json";
  if (subset.is_nothing() && schema.is_nothing()) return true;
  if (!subset.is_nothing() && !schema.is_nothing()) {
    return refuse(answer, "Only one of response_schema and response_json_schema can be set.");
  }
  if (!request.turn.wants_json) {
    return refuse(answer,
                  "Response schema is only supported with response mime type: "
                  "application/json");
  }
  request.turn.schema = subset.is_nothing() ? schema : subset;
  return check_schema(subset, "generation_config.response_schema", 0, answer);
}

bool check_generation_config(Request& request, Answer& answer) {
  const JsonValue config = member(request.root, "generationConfig");
  const std::string path = "generation_config";
  if (!config.is_nothing() && !check_members(config,
                                             {"temperature",
                                              "topP",
                                              "topK",
                                              "candidateCount",
                                              "maxOutputTokens",
                                              "stopSequences",
                                              "responseMimeType",
                                              "responseSchema",
                                              "responseJsonSchema",
                                              "presencePenalty",
                                              "frequencyPenalty",
                                              "seed",
                                              "responseLogprobs",
                                              "logprobs",
                                              "thinkingConfig",
                                              "responseModalities",
                                              "speechConfig",
                                              "mediaResolution",
                                              "imageConfig",
                                              "audioTimestamp",
                                              "routingConfig"},
                                             path, answer)) {
    return false;
  }
  for (const Setting& setting : generation_settings) {
    if (!check_type(member(config, setting.name), setting.type, path + "." + snake(setting.name),
                    answer)) {
      return false;
    }
  }
  const JsonValue stops = member(config, "stopSequences");
  if (!stops.is_nothing() && !stops.is_array()) {
    return refuse(answer, "Invalid value at 'generation_config.stop_sequences' (TYPE_STRING), " +
                              std::string(stops.raw().substr(0, 64)));
  }
  if (stops.size() > stops_max) {
    return refuse(answer,
                  "* GenerateContentRequest.generation_config.stop_sequences: must have at "
                  "most 5 elements.");
  }
  for (JsonValue stop : stops) request.turn.stops.push_back(stop.text());
  return check_thinking(request, member(config, "thinkingConfig"), answer) &&
         check_numbers(request, config, answer) && check_response_form(request, config, answer);
}

}  // namespace

JsonValue member(JsonValue object, std::string_view camel_name) {
  if (!object.is_object()) return {};
  for (JsonValue child : object) {
    if (same_field(child.key(), camel_name)) return child;
  }
  return {};
}

bool check_members(JsonValue object, std::initializer_list<std::string_view> known,
                   const std::string& path, Answer& answer) {
  if (!object.is_object()) {
    return refuse(answer, "Invalid value at '" + path +
                              "' (type.googleapis.com/google.ai.generati"
                              "velanguage.v1beta), " +
                              std::string(object.raw().substr(0, 64)));
  }
  for (JsonValue child : object) {
    const bool found = std::any_of(known.begin(), known.end(), [&](std::string_view name) {
      return same_field(child.key(), name);
    });
    if (found) continue;
    return refuse(answer, "Invalid JSON payload received. Unknown name \"" +
                              std::string(child.key().substr(0, 128)) + "\"" +
                              (path.empty() ? "" : " at '" + path + "'") + ": Cannot find field.");
  }
  return true;
}

bool read_request(const Call& call, JsonValue root, Request& request, Answer& answer) {
  request.root = root;
  request.vertex = is_vertex(call);
  if (!check_members(root,
                     {"model", "contents", "systemInstruction", "tools", "toolConfig",
                      "safetySettings", "generationConfig", "cachedContent", "serviceTier",
                      request.vertex ? "labels" : "contents"},
                     "", answer)) {
    return false;
  }
  for (JsonValue setting : member(root, "safetySettings")) {
    if (!check_members(setting, {"category", "threshold", "method"}, "safety_settings", answer)) {
      return false;
    }
  }
  if (!check_generation_config(request, answer) || !check_tools(request, answer)) return false;
  if (!check_tool_config(request, answer)) return false;
  const JsonValue system = member(root, "systemInstruction");
  if (!system.is_nothing() && !count_texts(system, "system_instruction", request.tokens, answer)) {
    return false;
  }
  if (!read_contents(request, answer)) return false;
  if (request.model->context_tokens != 0 && request.tokens > request.model->context_tokens) {
    return refuse(answer, "The input token count (" + std::to_string(request.tokens) +
                              ") exceeds the maximum number of tokens allowed (" +
                              std::to_string(request.model->context_tokens) + ").");
  }
  request.turn.model = request.model->id;
  request.turn.answer_tokens = call.answer_tokens;
  request.turn.seed = hash_text(root["contents"].raw(), hash_text(request.model->id, 6));
  return true;
}

}  // namespace hyperion::simulator::gemini
