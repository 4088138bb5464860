#include "simulator/openai_responses.h"

#include "simulator/answer_text.h"

namespace hyperion::simulator::openai {
namespace {

constexpr int64_t created_from_s = 1'767'225'600;  // 2026-01-01 UTC: the same answer at any time
constexpr std::string_view refusal_text = "I cannot help with that in a simulation.";

// One response, in the states that it goes through.
class Writer {
 public:
  Writer(const ResponseRequest& request, const Turn& turn, const FaultPlan& plan)
      : request_(request),
        turn_(turn),
        usage_left_out_(plan.is(FaultKind::no_usage)),
        usage_sign_(plan.is(FaultKind::negative_usage) ? -1 : 1) {}

  std::string_view final_status() const {
    return turn_.length_reached ? "incomplete" : "completed";
  }
  uint32_t items() const {
    return (has_reasoning() ? 1u : 0u) + (has_message() ? 1u : 0u) +
           static_cast<uint32_t>(turn_.calls.size());
  }
  bool has_reasoning() const { return turn_.thinking.tokens() != 0; }
  // The thinking itself stays at the provider; who asks for a summary of it gets it whole here.
  bool shows_reasoning() const {
    return has_reasoning() && request_.root["reasoning"]["summary"].is_string();
  }
  bool has_message() const { return turn_.text.tokens() != 0 || turn_.refused; }
  std::string_view said() const {
    return turn_.refused ? refusal_text : std::string_view(turn_.text.text);
  }

  void append_response(std::string& out, bool finished) const {
    out += "{\"id\":\"resp_";
    append_hex(out, mix(request_.turn.seed, 1), 48);
    const int64_t created = created_from_s + static_cast<int64_t>(request_.turn.seed % 31'536'000);
    out += "\",\"object\":\"response\",\"created_at\":";
    append_number(out, created);
    out += ",\"status\":\"";
    out += finished ? final_status() : "in_progress";
    out += "\",\"background\":false,\"completed_at\":";
    if (finished && !turn_.length_reached) {
      append_number(out, created + 1);
    } else {
      out += "null";
    }
    out += ",\"error\":null,\"incomplete_details\":";
    out += finished && turn_.length_reached ? "{\"reason\":\"max_output_tokens\"}" : "null";
    append_echo(out, "instructions", "null");
    append_echo(out, "max_output_tokens", "null");
    out += ",\"max_tool_calls\":null,\"model\":\"" + request_.model->id + "\",\"output\":[";
    for (uint32_t i = 0; finished && i < items(); ++i) {
      if (i != 0) out += ',';
      append_item(out, i, true);
    }
    out += ']';
    append_echo(out, "parallel_tool_calls", "true");
    out += ",\"previous_response_id\":null";
    append_echo(out, "reasoning", "{\"effort\":null,\"summary\":null}");
    out += finished ? ",\"service_tier\":\"default\"" : ",\"service_tier\":\"auto\"";
    append_echo(out, "store", "true");
    append_echo(out, "temperature", "1.0");
    append_echo(out, "text", "{\"format\":{\"type\":\"text\"},\"verbosity\":\"medium\"}");
    append_echo(out, "tool_choice", "\"auto\"");
    append_echo(out, "tools", "[]");
    append_echo(out, "top_p", "1.0");
    out += ",\"truncation\":\"disabled\"";
    if (!finished) {
      out += ",\"usage\":null";
    } else if (!usage_left_out_) {
      append_usage(out);
    }
    append_echo(out, "user", "null");
    append_echo(out, "metadata", "{}");
    out += '}';
  }

  // Item `index` of the output: reasoning, then the message, then calls.
  void append_item(std::string& out, uint32_t index, bool whole) const {
    out += "{\"id\":\"";
    append_item_id(out, index);
    if (has_reasoning() && index == 0) {
      out += "\",\"type\":\"reasoning\",\"summary\":[";
      if (whole && shows_reasoning()) append_summary(out, true);
      out += "]}";
      return;
    }
    out += is_call(index) ? "\",\"type\":\"function_call\"" : "\",\"type\":\"message\"";
    out += ",\"status\":\"";
    out += whole ? final_status() : "in_progress";
    if (is_call(index)) {
      const SaidCall& call = call_at(index);
      out += "\",\"arguments\":\"";
      if (whole) append_escaped(out, call.arguments.text);
      out += "\",\"call_id\":\"call_";
      append_hex(out, mix(request_.turn.seed, 200 + index), 24);
      out += "\",\"name\":\"" + call.name + "\"}";
      return;
    }
    out += "\",\"content\":[";
    if (whole) append_part(out, true);
    out += "],\"phase\":\"final_answer\",\"role\":\"assistant\"}";
  }

  void append_part(std::string& out, bool whole) const {
    out += turn_.refused
               ? "{\"type\":\"refusal\",\"refusal\":\""
               : "{\"type\":\"output_text\",\"annotations\":[],\"logprobs\":[],\"text\":\"";
    if (whole) append_escaped(out, said());
    out += "\"}";
  }

  void append_summary(std::string& out, bool whole) const {
    out += "{\"type\":\"summary_text\",\"text\":\"";
    if (whole) append_escaped(out, turn_.thinking.text);
    out += "\"}";
  }

  void append_item_id(std::string& out, uint32_t index) const {
    out += is_call(index) ? "fc_" : has_reasoning() && index == 0 ? "rs_" : "msg_";
    append_hex(out, mix(request_.turn.seed, 100 + index), 48);
  }

  bool is_call(uint32_t index) const { return index >= items() - turn_.calls.size(); }
  const SaidCall& call_at(uint32_t index) const {
    return turn_.calls[index - (items() - turn_.calls.size())];
  }

 private:
  void append_echo(std::string& out, std::string_view name, std::string_view otherwise) const {
    const JsonValue given = request_.root[name];
    out += ",\"";
    out += name;
    out += "\":";
    out += given.is_nothing() ? otherwise : given.raw();
  }

  void append_usage(std::string& out) const {
    const auto input = static_cast<int64_t>(request_.tokens);
    const int64_t output = turn_.tokens();
    out += ",\"usage\":{\"input_tokens\":";
    append_number(out, usage_sign_ * input);
    out += ",\"input_tokens_details\":{\"cached_tokens\":0},\"output_tokens\":";
    append_number(out, usage_sign_ * output);
    out += ",\"output_tokens_details\":{\"reasoning_tokens\":";
    append_number(out, turn_.thinking.tokens());
    out += "},\"total_tokens\":";
    append_number(out, usage_sign_ * (input + output));
    out += '}';
  }

  const ResponseRequest& request_;
  const Turn& turn_;
  bool usage_left_out_;
  int64_t usage_sign_;
};

// The events of a stream; each has its number.
class Stream {
 public:
  Stream(const ResponseRequest& request, const Turn& turn, const Writer& writer, Script& script)
      : request_(request), turn_(turn), writer_(writer), script_(script), out_(script.text) {}

  void write() {
    send_response("response.created", false);
    send_response("response.in_progress", false);
    for (uint32_t i = 0; i < writer_.items(); ++i) write_item(i);
    send_response(turn_.length_reached ? "response.incomplete" : "response.completed", true);
  }

 private:
  void begin(std::string_view type) {
    out_ += "event: ";
    out_ += type;
    out_ += "\ndata: {\"type\":\"";
    out_ += type;
    out_ += '"';
  }
  void end(uint32_t tokens = 0) {
    out_ += ",\"sequence_number\":";
    append_number(out_, static_cast<int64_t>(script_.events.size()));
    out_ += "}\n\n";
    script_.end_event(tokens);
  }
  void send_response(std::string_view type, bool finished) {
    begin(type);
    out_ += ",\"response\":";
    writer_.append_response(out_, finished);
    end();
  }
  void append_place(uint32_t index) {
    out_ += ",\"item_id\":\"";
    writer_.append_item_id(out_, index);
    out_ += "\",\"output_index\":";
    append_number(out_, index);
  }

  void write_item(uint32_t index) {
    const bool reasoning = writer_.has_reasoning() && index == 0;
    send_item("response.output_item.added", index, false, 0);
    if (writer_.is_call(index)) {
      write_arguments(index);
    } else if (!reasoning) {
      write_message(index);
    } else if (writer_.shows_reasoning()) {
      write_summary(index);
    }
    const bool unseen = reasoning && !writer_.shows_reasoning();
    send_item("response.output_item.done", index, true, unseen ? turn_.thinking.tokens() : 0);
  }

  void send_item(std::string_view type, uint32_t index, bool whole, uint32_t tokens) {
    begin(type);
    out_ += ",\"item\":";
    writer_.append_item(out_, index, whole);
    out_ += ",\"output_index\":";
    append_number(out_, index);
    end(tokens);
  }

  void send_part(std::string_view type, uint32_t index, bool whole) {
    begin(type);
    out_ += ",\"content_index\":0";
    append_place(index);
    out_ += ",\"part\":";
    writer_.append_part(out_, whole);
    end();
  }

  void write_summary(uint32_t index) {
    send_summary_part("response.reasoning_summary_part.added", index, false);
    for (uint32_t i = 0; i < turn_.thinking.tokens(); ++i) {
      begin_in_summary("response.reasoning_summary_text.delta", index);
      out_ += ",\"delta\":\"";
      append_escaped(out_, turn_.thinking.token(i));
      out_ += '"';
      end(1);
    }
    begin_in_summary("response.reasoning_summary_text.done", index);
    out_ += ",\"text\":\"";
    append_escaped(out_, turn_.thinking.text);
    out_ += '"';
    end();
    send_summary_part("response.reasoning_summary_part.done", index, true);
  }

  void send_summary_part(std::string_view type, uint32_t index, bool whole) {
    begin_in_summary(type, index);
    out_ += ",\"part\":";
    writer_.append_summary(out_, whole);
    end();
  }

  void begin_in_summary(std::string_view type, uint32_t index) {
    begin(type);
    append_place(index);
    out_ += ",\"summary_index\":0";
  }

  void write_message(uint32_t index) {
    const bool refused = turn_.refused;
    send_part("response.content_part.added", index, false);
    for (uint32_t i = 0; i < turn_.text.tokens(); ++i) {
      send_delta("response.output_text.delta", index, turn_.text.token(i), true, 1);
    }
    if (refused) send_delta("response.refusal.delta", index, writer_.said(), true, 0);
    begin(refused ? "response.refusal.done" : "response.output_text.done");
    out_ += ",\"content_index\":0";
    append_place(index);
    out_ += refused ? ",\"refusal\":\"" : ",\"logprobs\":[],\"text\":\"";
    append_escaped(out_, writer_.said());
    out_ += '"';
    end();
    send_part("response.content_part.done", index, true);
  }

  void send_delta(std::string_view type, uint32_t index, std::string_view text, bool in_content,
                  uint32_t tokens) {
    begin(type);
    if (in_content) out_ += ",\"content_index\":0";
    out_ += ",\"delta\":\"";
    append_escaped(out_, text);
    out_ += '"';
    append_place(index);
    if (in_content && !turn_.refused) out_ += ",\"logprobs\":[]";
    const uint64_t bits = mix(request_.turn.seed, 0x0bf5ull + script_.events.size());
    out_ += ",\"obfuscation\":\"";
    append_hex(out_, bits, 1 + static_cast<unsigned>(bits % 16));
    out_ += '"';
    end(tokens);
  }

  void write_arguments(uint32_t index) {
    const Said& arguments = writer_.call_at(index).arguments;
    for (uint32_t i = 0; i < arguments.tokens(); ++i) {
      send_delta("response.function_call_arguments.delta", index, arguments.token(i), false, 1);
    }
    begin("response.function_call_arguments.done");
    out_ += ",\"arguments\":\"";
    append_escaped(out_, arguments.text);
    out_ += '"';
    append_place(index);
    end();
  }

  const ResponseRequest& request_;
  const Turn& turn_;
  const Writer& writer_;
  Script& script_;
  std::string& out_;
};

}  // namespace

void answer_response(const Call& call, Answer& answer) {
  ResponseRequest request;
  if (!read_response_request(call, request, answer)) return;
  const Turn turn = plan_turn(request.turn, call.plan);
  const Writer writer(request, turn, call.plan);
  if (!call.scan.stream) {
    answer.model = request.model;
    answer.counts.input = request.tokens;
    answer.counts.output = turn.tokens();
    writer.append_response(answer.body, true);
    answer.body += '\n';
    return;
  }
  Generation& generation = answer.generation;
  generation.model = request.model;
  generation.input_tokens = static_cast<uint32_t>(request.tokens);
  generation.named_events = true;
  answer.write_event = write_scripted_event;
  Stream(request, turn, writer, generation.script).write();
}

}  // namespace hyperion::simulator::openai
