// Chat completions that are more than words or one call: several calls, refusals, structured
// answers. And what chat completions refuse of models that reason.
#include <string>

#include "simulator/answer_text.h"
#include "simulator/openai.h"
#include "simulator/turn.h"

namespace hyperion::simulator::openai {
namespace {

constexpr std::string_view refusal_text = "I cannot help with that in a simulation.";

std::string_view finish_of(const Turn& turn) {
  if (turn.length_reached) return "length";
  return turn.calls.empty() ? "stop" : "tool_calls";
}

void append_call_start(std::string& out, const Generation& generation, const Turn& turn,
                       uint32_t index) {
  out += "\"id\":\"call_";
  append_hex(out, mix(generation.seed, 100 + index), 24);
  out += "\",\"type\":\"function\",\"function\":{\"name\":\"" + turn.calls[index].name +
         "\",\"arguments\":\"";
}

void append_message(std::string& out, const Generation& generation, const Turn& turn) {
  out += "{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":";
  if (turn.refused || !turn.calls.empty()) {
    out += "null";
  } else {
    out += '"';
    append_escaped(out, turn.text.text);
    out += '"';
  }
  for (uint32_t i = 0; i < turn.calls.size(); ++i) {
    out += i == 0 ? ",\"tool_calls\":[{" : ",{";
    append_call_start(out, generation, turn, i);
    append_escaped(out, turn.calls[i].arguments.text);
    out += "\"}}";
  }
  if (!turn.calls.empty()) out += ']';
  out += ",\"refusal\":";
  if (turn.refused) {
    out += '"';
    out += refusal_text;
    out += '"';
  } else {
    out += "null";
  }
  out += ",\"annotations\":[]},\"logprobs\":null,\"finish_reason\":\"";
  out += finish_of(turn);
  out += "\"}";
}

// The chunks of a stream.
class Stream {
 public:
  Stream(const Turn& turn, Generation& generation)
      : turn_(turn), generation_(generation), out_(generation.script.text) {}

  void write() {
    if (turn_.calls.empty()) {
      send(R"({"role":"assistant","content":"","refusal":null})", {}, 0);
    }
    if (turn_.refused) send_text("refusal", refusal_text, 0);
    for (uint32_t i = 0; i < turn_.text.tokens(); ++i) {
      send_text("content", turn_.text.token(i), 1);
    }
    for (uint32_t i = 0; i < turn_.calls.size(); ++i) write_call(i);
    send("{}", finish_of(turn_), 0);
    if (generation_.include_usage) {
      begin();
      out_ += ",\"choices\":[],";
      append_usage(generation_, true, out_);
      out_ += "}\n\n";
      generation_.script.end_event();
    }
    out_ += "data: [DONE]\n\n";
    generation_.script.end_event();
  }

 private:
  void begin() {
    out_ += "data: {";
    append_ids(out_, generation_, "chatcmpl-", "chat.completion.chunk");
    out_ += ',';
    append_fingerprint(out_, generation_);
  }

  void send(std::string_view delta, std::string_view finish, uint32_t tokens) {
    begin();
    out_ += ",\"choices\":[{\"index\":0,\"delta\":";
    out_ += delta;
    out_ += ",\"logprobs\":null,\"finish_reason\":";
    if (finish.empty()) {
      out_ += "null}]";
    } else {
      out_ += '"';
      out_ += finish;
      out_ += "\"}]";
    }
    out_ += generation_.include_usage ? ",\"usage\":null}\n\n" : "}\n\n";
    generation_.script.end_event(tokens);
  }

  void send_text(std::string_view key, std::string_view text, uint32_t tokens) {
    std::string delta = "{\"" + std::string(key) + "\":\"";
    append_escaped(delta, text);
    send(delta + "\"}", {}, tokens);
  }

  // The first of the calls shares its chunk with the role.
  void write_call(uint32_t index) {
    const std::string place = "\"tool_calls\":[{\"index\":" + std::to_string(index) + ",";
    std::string delta = index == 0 ? "{\"role\":\"assistant\",\"content\":null," : "{";
    delta += place;
    append_call_start(delta, generation_, turn_, index);
    send(delta + (index == 0 ? "\"}}],\"refusal\":null}" : "\"}}]}"), {}, 0);
    const Said& arguments = turn_.calls[index].arguments;
    for (uint32_t i = 0; i < arguments.tokens(); ++i) {
      delta = "{" + place + "\"function\":{\"arguments\":\"";
      append_escaped(delta, arguments.token(i));
      send(delta + "\"}}]}", {}, 1);
    }
  }

  const Turn& turn_;
  Generation& generation_;
  std::string& out_;
};

bool refuse(Answer& answer, std::string_view code, std::string_view param,
            const std::string& message) {
  write_error({400, code, param, message}, answer);
  return false;
}

bool read_turn(const Call& call, const Generation& generation, TurnRequest& request,
               Answer& answer) {
  const JsonValue root = call.tree->read(call.body);
  for (JsonValue tool : root["tools"]) {
    const JsonValue function = tool["function"];
    if (function["name"].is_string()) {
      request.tools.push_back({function["name"].text(), function["parameters"]});
    }
  }
  const JsonValue choice = root["tool_choice"];
  request.must_call = choice.text() == "required";
  request.tool_forced = choice["function"]["name"].text();
  request.one_call = root["parallel_tool_calls"].raw() == "false";
  if (choice.text() == "none") request.tools.clear();
  const JsonValue format = root["response_format"];
  const std::string_view type = format["type"].text();
  request.wants_json = type == "json_object";
  if (type == "json_schema") {
    if (!format["json_schema"]["name"].is_string()) {
      return refuse(answer, "missing_required_parameter", "response_format.json_schema.name",
                    "Missing required parameter: 'response_format.json_schema.name'.");
    }
    request.schema = format["json_schema"]["schema"];
  } else if (!type.empty() && type != "text" && type != "json_object") {
    return refuse(answer, "invalid_value", "response_format.type",
                  "Invalid value. Supported values are: 'json_object', 'json_schema', and 'text'.");
  }
  request.model = generation.model->id;
  request.seed = generation.seed;
  request.answer_tokens = call.answer_tokens;
  return true;
}

}  // namespace

bool wants_turn(const Call& call) {
  if (call.plan.is(FaultKind::calls) || call.plan.is(FaultKind::refusal) ||
      call.plan.is(FaultKind::blocked)) {
    return true;
  }
  return !call.raw(json::Key::response_format).empty();
}

void answer_turn(const Call& call, Generation& generation, Answer& answer) {
  TurnRequest request;
  if (!read_turn(call, generation, request, answer)) return;
  // The limit is read as for words, however many they are.
  generation.tokens = UINT32_MAX;
  if (!read_limit(call, generation, answer)) return;
  request.limit_tokens = generation.tokens;
  generation.choices = 1;
  const Turn turn = plan_turn(request, call.plan);
  generation.tokens = turn.tokens();
  answer.model = generation.model;
  answer.counts.input = generation.input_tokens;
  answer.counts.output = generation.tokens;
  const bool usage = !call.plan.is(FaultKind::no_usage);
  if (call.scan.stream) {
    generation.include_usage = usage && call.scan.include_usage;
    answer.generation = generation;
    answer.write_event = write_scripted_event;
    Stream(turn, answer.generation).write();
    return;
  }
  std::string& out = answer.body;
  out += '{';
  append_ids(out, generation, "chatcmpl-", "chat.completion");
  out += ",\"choices\":[";
  append_message(out, generation, turn);
  out += "],";
  if (usage) {
    append_usage(generation, true, out);
    out += ',';
  }
  append_fingerprint(out, generation);
  out += "}\n";
}

bool check_reasoning(const Call& call, const catalog::Model& model, Answer& answer) {
  if (model.max_completion_tokens_only && !call.raw(json::Key::max_tokens).empty() &&
      call.raw(json::Key::max_tokens) != "null") {
    return refuse(answer, "unsupported_parameter", "max_tokens",
                  "Unsupported parameter: 'max_tokens' is not supported with this model. Use "
                  "'max_completion_tokens' instead.");
  }
  if (model.sampling == catalog::Sampling::yes) return true;
  const std::string_view effort = find_value(call.body, "reasoning_effort");
  const bool allowed = model.sampling == catalog::Sampling::effort_none && effort == "\"none\"";
  for (std::string_view name : {"temperature", "top_p"}) {
    const std::string_view value = find_value(call.body, name);
    if (allowed || value.empty() || value == "null" || value == "1" || value == "1.0") continue;
    return refuse(answer, "unsupported_value", name,
                  "Unsupported value: '" + std::string(name) + "' does not support " +
                      std::string(value.substr(0, 32)) +
                      " with this model. Only the default (1) value is supported.");
  }
  const bool reasons = !effort.empty() && effort != "null" && effort != "\"none\"";
  if (reasons && !model.tools_with_reasoning && !call.raw(json::Key::tools).empty()) {
    return refuse(answer, {}, "reasoning_effort",
                  "Function tools with reasoning_effort are not supported for " + model.id +
                      " in /v1/chat/completions. Please use /v1/responses instead.");
  }
  if (effort.empty() || effort == "null") return true;
  for (uint8_t i = 0; i < static_cast<uint8_t>(catalog::Effort::count); ++i) {
    const auto level = static_cast<catalog::Effort>(i);
    if (model.efforts.has(level) && effort == "\"" + std::string(catalog::name_of(level)) + "\"") {
      return true;
    }
  }
  return refuse(answer, "unsupported_value", "reasoning_effort",
                "Unsupported value: 'reasoning_effort' does not support " +
                    std::string(effort.substr(0, 32)) + " with this model.");
}

}  // namespace hyperion::simulator::openai
