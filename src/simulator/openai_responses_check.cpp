// What OpenAI's Responses refuse, and what a request counts.
#include <algorithm>
#include <string>
#include <vector>

#include "simulator/answer_text.h"
#include "simulator/openai_responses.h"

namespace hyperion::simulator::openai {
namespace {

constexpr uint32_t tokens_per_message = 4;
constexpr uint32_t tokens_per_attachment = 85;
constexpr double output_tokens_min = 16;  // the provider's own

constexpr std::string_view known_fields[] = {"background",
                                             "conversation",
                                             "include",
                                             "input",
                                             "instructions",
                                             "max_output_tokens",
                                             "max_tool_calls",
                                             "metadata",
                                             "model",
                                             "parallel_tool_calls",
                                             "previous_response_id",
                                             "prompt",
                                             "prompt_cache_key",
                                             "prompt_cache_retention",
                                             "prompt_cache_options",
                                             "reasoning",
                                             "safety_identifier",
                                             "service_tier",
                                             "store",
                                             "stream",
                                             "stream_options",
                                             "temperature",
                                             "text",
                                             "tool_choice",
                                             "tools",
                                             "top_logprobs",
                                             "top_p",
                                             "truncation",
                                             "user"};

bool refuse(Answer& answer, std::string_view code, const std::string& param,
            const std::string& message) {
  write_error({400, code, std::string_view(param).substr(0, 128),
               std::string_view(message).substr(0, 1024)},
              answer);
  return false;
}

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> list) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

bool check_fields(JsonValue root, Answer& answer) {
  for (JsonValue member : root) {
    if (std::find(std::begin(known_fields), std::end(known_fields), member.key()) !=
        std::end(known_fields)) {
      continue;
    }
    const std::string name(member.key().substr(0, 128));
    return refuse(answer, "unknown_parameter", name, "Unknown parameter: '" + name + "'.");
  }
  if (!root["previous_response_id"].is_nothing()) {
    return refuse(answer, "previous_response_not_found", "previous_response_id",
                  "Previous response with id '" +
                      std::string(root["previous_response_id"].text().substr(0, 128)) +
                      "' not found.");
  }
  return true;
}

bool check_limits(ResponseRequest& request, Answer& answer) {
  const JsonValue limit = request.root["max_output_tokens"];
  if (!limit.is_nothing()) {
    if (!limit.is_integer()) {
      return refuse(answer, "invalid_type", "max_output_tokens",
                    "Invalid type for 'max_output_tokens': expected an integer.");
    }
    if (limit.number() < output_tokens_min) {
      return refuse(answer, "integer_below_min_value", "max_output_tokens",
                    "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= "
                    "16, but got " +
                        std::string(limit.raw()) + " instead.");
    }
    request.turn.limit_tokens = static_cast<uint32_t>(std::min(limit.number(), 1e9));
  }
  const std::string_view effort = request.root["reasoning"]["effort"].text();
  const catalog::Sampling sampling = request.model->sampling;
  const bool refused = sampling == catalog::Sampling::no ||
                       (sampling == catalog::Sampling::effort_none && effort != "none");
  for (const char* name : {"temperature", "top_p"}) {
    const JsonValue value = request.root[name];
    if (value.is_nothing()) continue;
    if (refused) {
      return refuse(
          answer, {}, name,
          "Unsupported parameter: '" + std::string(name) + "' is not supported with this model.");
    }
    const double most = name == std::string_view("top_p") ? 1 : 2;
    if (!value.is_number() || value.number() < 0 || value.number() > most) {
      return refuse(answer, "invalid_value", name,
                    "Invalid '" + std::string(name) + "': expected a number from 0 to " +
                        (most == 1 ? "1." : "2."));
    }
  }
  return true;
}

bool check_reasoning(ResponseRequest& request, Answer& answer) {
  const JsonValue reasoning = request.root["reasoning"];
  const bool reasons = request.model->efforts.any();
  const JsonValue effort = reasoning["effort"];
  request.turn.thinking = reasons && effort.text() != "none";
  if (reasoning.is_nothing() || effort.is_nothing()) return true;
  if (!reasons) {
    return refuse(answer, "unsupported_parameter", "reasoning.effort",
                  "Unsupported parameter: 'reasoning.effort' is not supported with this model.");
  }
  std::string list;
  for (uint8_t i = 0; i < static_cast<uint8_t>(catalog::Effort::count); ++i) {
    const auto level = static_cast<catalog::Effort>(i);
    if (!request.model->efforts.has(level)) continue;
    if (effort.text() == catalog::name_of(level)) return true;
    list += (list.empty() ? "'" : ", '") + std::string(catalog::name_of(level)) + "'";
  }
  return refuse(answer, "unsupported_value", "reasoning.effort",
                "Unsupported value: '" + std::string(effort.text().substr(0, 32)) +
                    "' is not supported with the '" + request.model->id +
                    "' model. Supported values are: " + list + ".");
}

bool read_text_format(ResponseRequest& request, Answer& answer) {
  const JsonValue format = request.root["text"]["format"];
  if (format.is_nothing()) return true;
  const std::string_view type = format["type"].text();
  if (type == "json_schema") {
    if (format["name"].text().empty()) {
      return refuse(answer, "missing_required_parameter", "text.format.name",
                    "Missing required parameter: 'text.format.name'.");
    }
    if (!format["schema"].is_object()) {
      return refuse(answer, "missing_required_parameter", "text.format.schema",
                    "Missing required parameter: 'text.format.schema'.");
    }
    request.turn.schema = format["schema"];
    return true;
  }
  request.turn.wants_json = type == "json_object";
  if (request.turn.wants_json || type == "text") return true;
  return refuse(answer, "invalid_value", "text.format.type",
                "Invalid value: '" + std::string(type.substr(0, 64)) +
                    "'. Supported values are: 'json_object', 'json_schema', and 'text'.");
}

bool read_tools(ResponseRequest& request, Answer& answer) {
  const JsonValue tools = request.root["tools"];
  uint32_t index = 0;
  request.tokens += tokens_of(tools.raw().size());
  for (JsonValue tool : tools) {
    const std::string path = "tools[" + std::to_string(index++) + "]";
    if (tool["type"].text() != "function") continue;  // one of the provider's own
    if (tool["function"].present()) {
      return refuse(answer, "unknown_parameter", path + ".function",
                    "Unknown parameter: '" + path + ".function'.");
    }
    if (tool["name"].text().empty()) {
      return refuse(answer, "missing_required_parameter", path + ".name",
                    "Missing required parameter: '" + path + ".name'.");
    }
    request.turn.tools.push_back({tool["name"].text(), tool["parameters"]});
  }
  const JsonValue parallel = request.root["parallel_tool_calls"];
  request.turn.one_call = parallel.raw() == "false";
  const JsonValue choice = request.root["tool_choice"];
  if (choice.text() == "none") request.turn.tools.clear();
  request.turn.must_call = choice.text() == "required";
  if (choice["type"].text() == "function") request.turn.tool_forced = choice["name"].text();
  if ((request.turn.must_call || !request.turn.tool_forced.empty()) && tools.size() == 0) {
    return refuse(answer, {}, "tool_choice",
                  "Tool choice 'required' must be specified with 'tools' parameter.");
  }
  return true;
}

bool read_part(JsonValue part, bool assistant, const std::string& path, ResponseRequest& request,
               Answer& answer) {
  const std::string_view type = part["type"].text();
  const bool text = assistant ? is_one_of(type, {"output_text", "refusal"}) : type == "input_text";
  if (text) {
    const JsonValue words = type == "refusal" ? part["refusal"] : part["text"];
    if (!words.is_string()) {
      return refuse(answer, "missing_required_parameter", path + ".text",
                    "Missing required parameter: '" + path + ".text'.");
    }
    request.tokens += tokens_of(words.text().size());
    return true;
  }
  if (!assistant && is_one_of(type, {"input_image", "input_file", "input_audio"})) {
    request.tokens += tokens_per_attachment;
    std::string_view data = part["image_url"].text();
    if (type == "input_image" && data.starts_with("data:")) {
      const size_t at = data.find(";base64,");
      if (at == data.npos) {
        return refuse(answer, "invalid_value", path + ".image_url", "Invalid image data URL.");
      }
      std::string seen = describe_attachment(data.substr(5, at - 5), data.substr(at + 8));
      if (seen.empty()) {
        return refuse(answer, "invalid_value", path + ".image_url",
                      "Invalid base64 in the image's data URL.");
      }
      request.turn.seen.push_back(std::move(seen));
    } else {
      request.turn.seen.push_back(type == "input_image" ? "an image" : "a file");
    }
    return true;
  }
  return refuse(answer, "invalid_value", path,
                "Invalid value: '" + std::string(type.substr(0, 64)) +
                    (assistant ? "'. Supported values are: 'output_text' and 'refusal'."
                               : "'. Supported values are: 'input_text', 'input_image', "
                                 "'input_file', and 'input_audio'."));
}

bool read_message(JsonValue item, const std::string& path, ResponseRequest& request,
                  Answer& answer) {
  const std::string_view role = item["role"].text();
  if (!is_one_of(role, {"user", "assistant", "system", "developer"})) {
    return refuse(answer, "invalid_value", path + ".role",
                  "Invalid value: '" + std::string(role.substr(0, 64)) +
                      "'. Supported values are: 'assistant', 'system', 'developer', and 'user'.");
  }
  request.tokens += tokens_per_message;
  const JsonValue content = item["content"];
  if (content.is_string()) {
    request.tokens += tokens_of(content.text().size());
    return true;
  }
  if (!content.is_array()) {
    return refuse(answer, "invalid_type", path + ".content",
                  "Invalid type for '" + path + ".content': expected a string or an array.");
  }
  uint32_t index = 0;
  for (JsonValue part : content) {
    const std::string inner = path + ".content[" + std::to_string(index++) + "]";
    if (!read_part(part, role == "assistant", inner, request, answer)) return false;
  }
  return true;
}

struct OpenCalls {
  std::vector<std::string_view> made;
  std::vector<std::string_view> answered;
};

bool read_item(JsonValue item, const std::string& path, OpenCalls& calls, ResponseRequest& request,
               Answer& answer) {
  const std::string_view type = item["type"].text();
  if (item["type"].is_nothing() || type == "message") {
    return read_message(item, path, request, answer);
  }
  const std::string_view id = item["call_id"].text();
  if (type == "function_call") {
    if (id.empty() || item["name"].text().empty() || !item["arguments"].is_string()) {
      return refuse(answer, "missing_required_parameter", path,
                    "Missing required parameter: '" + path + "' needs call_id, name, arguments.");
    }
    request.tokens += tokens_of(item["arguments"].text().size());
    calls.made.push_back(id);
    return true;
  }
  if (type == "function_call_output") {
    if (std::find(calls.made.begin(), calls.made.end(), id) == calls.made.end()) {
      return refuse(answer, {}, "input",
                    "No tool call found for function call output with call_id " +
                        std::string(id.substr(0, 128)) + ".");
    }
    calls.answered.push_back(id);
    request.tokens += tokens_of(item["output"].raw().size());
    return true;
  }
  if (is_one_of(type, {"reasoning", "item_reference", "compaction", "web_search_call",
                       "file_search_call", "code_interpreter_call", "mcp_call", "custom_tool_call",
                       "custom_tool_call_output"})) {
    return true;
  }
  return refuse(answer, "invalid_value", path,
                "Invalid value: '" + std::string(type.substr(0, 64)) + "' is no type of an item.");
}

bool read_input(ResponseRequest& request, Answer& answer) {
  const JsonValue input = request.root["input"];
  request.tokens += tokens_of(request.root["instructions"].text().size());
  if (input.is_string()) {
    request.tokens += tokens_per_message + tokens_of(input.text().size());
    return true;
  }
  if (!input.is_array() || input.size() == 0) {
    return refuse(answer, "missing_required_parameter", "input",
                  "Missing required parameter: 'input'.");
  }
  OpenCalls calls;
  uint32_t index = 0;
  for (JsonValue item : input) {
    const std::string path = "input[" + std::to_string(index++) + "]";
    if (!read_item(item, path, calls, request, answer)) return false;
  }
  for (std::string_view id : calls.made) {
    if (std::find(calls.answered.begin(), calls.answered.end(), id) == calls.answered.end()) {
      return refuse(
          answer, {}, "input",
          "No tool output found for function call " + std::string(id.substr(0, 128)) + ".");
    }
  }
  return true;
}

}  // namespace

bool read_response_request(const Call& call, ResponseRequest& request, Answer& answer) {
  constexpr unsigned endpoints = static_cast<unsigned>(catalog::Endpoint::responses) |
                                 static_cast<unsigned>(catalog::Endpoint::chat);
  request.model = find_model(call, endpoints, answer);
  if (request.model == nullptr) return false;
  request.root = call.tree->read(call.body);
  const bool good = check_fields(request.root, answer) && check_limits(request, answer) &&
                    check_reasoning(request, answer) && read_text_format(request, answer) &&
                    read_tools(request, answer) && read_input(request, answer);
  if (!good) return false;
  if (request.model->context_tokens != 0 && request.tokens > request.model->context_tokens) {
    return refuse(answer, "context_length_exceeded", "input",
                  "Your input exceeds the context window of this model. Please adjust your input "
                  "and try again.");
  }
  request.turn.model = request.model->id;
  request.turn.answer_tokens = call.answer_tokens;
  request.turn.seed = hash_text(request.root["input"].raw(), hash_text(request.model->id, 8));
  return true;
}

}  // namespace hyperion::simulator::openai
