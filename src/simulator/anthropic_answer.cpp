// The words of Anthropic's answers: messages, whole and as events, and counts of tokens.
#include <string>

#include "simulator/answer_text.h"
#include "simulator/anthropic.h"

namespace hyperion::simulator::anthropic {
namespace {

constexpr std::string_view refusal_explanation =
    "This simulated request was refused due to policy.";

// How an answer is spoiled, by its fault.
struct UsageForm {
  bool left_out = false;
  bool negative = false;
};

std::string_view stop_reason(const Turn& turn) {
  if (turn.refused) return "refusal";
  if (turn.length_reached) return "max_tokens";
  if (!turn.calls.empty()) return "tool_use";
  return turn.stopped_by.empty() ? "end_turn" : "stop_sequence";
}

void append_stop(std::string& out, const Turn& turn) {
  out += "\"stop_reason\":\"";
  out += stop_reason(turn);
  out += "\",\"stop_sequence\":";
  if (turn.stopped_by.empty()) {
    out += "null";
  } else {
    out += '"';
    out += turn.stopped_by;  // raw, as the request has it
    out += '"';
  }
  out += ",\"stop_details\":";
  if (turn.refused) {
    out += "{\"type\":\"refusal\",\"category\":null,\"explanation\":\"";
    out += refusal_explanation;
    out += "\"}";
  } else {
    out += "null";
  }
}

void append_input_usage(std::string& out, const TokenCounts& counts, int64_t sign) {
  out += "\"input_tokens\":";
  append_number(out, sign * static_cast<int64_t>(counts.input));
  out += ",\"cache_creation_input_tokens\":";
  append_number(out, sign * static_cast<int64_t>(counts.cache_write + counts.cache_write_1h));
  out += ",\"cache_read_input_tokens\":";
  append_number(out, sign * static_cast<int64_t>(counts.cached));
}

void append_thinking_usage(std::string& out, uint64_t thinking) {
  if (thinking == 0) return;
  out += ",\"output_tokens_details\":{\"thinking_tokens\":";
  append_number(out, static_cast<int64_t>(thinking));
  out += '}';
}

void append_full_usage(std::string& out, const TokenCounts& counts, uint64_t output,
                       uint64_t thinking, bool negative) {
  const int64_t sign = negative ? -1 : 1;
  out += "\"usage\":{";
  append_input_usage(out, counts, sign);
  out += ",\"cache_creation\":{\"ephemeral_5m_input_tokens\":";
  append_number(out, static_cast<int64_t>(counts.cache_write));
  out += ",\"ephemeral_1h_input_tokens\":";
  append_number(out, static_cast<int64_t>(counts.cache_write_1h));
  out += "},\"output_tokens\":";
  append_number(out, sign * static_cast<int64_t>(output));
  append_thinking_usage(out, thinking);
  out += ",\"service_tier\":\"standard\",\"inference_geo\":\"not_available\"}";
}

void append_ids(std::string& out, const Request& request) {
  out += "\"model\":\"";
  out += request.model->id;
  out += "\",\"id\":\"msg_01";
  append_hex(out, mix(request.turn.seed, 1), 22);
  out += "\",\"type\":\"message\",\"role\":\"assistant\"";
}

void append_tool_start(std::string& out, const Request& request, const SaidCall& call,
                       uint32_t index) {
  out += "{\"type\":\"tool_use\",\"id\":\"toolu_01";
  append_hex(out, mix(request.turn.seed, 100 + index), 22);
  out += "\",\"name\":\"";
  out += call.name;
  out += "\",\"input\":";
}

// Pads with spaces before the last brace, as recorded, and ends the event.
void end_padded(Script& script, uint64_t seed, uint32_t tokens = 0) {
  const auto padding = mix(seed, 0x9add + script.events.size()) % 16;
  if (script.text.back() == '}') {
    script.text.pop_back();
    script.text.append(padding, ' ');
    script.text += '}';
  }
  script.text += "\n\n";
  script.end_event(tokens);
}

void begin_event(Script& script, std::string_view name) {
  script.text += "event: ";
  script.text += name;
  script.text += "\ndata: {\"type\":\"";
  script.text += name;
  script.text += '"';
}

// One stream's events, block after block.
class Writer {
 public:
  Writer(const Request& request, const Turn& turn, UsageForm form, Script& script)
      : request_(request), turn_(turn), form_(form), script_(script), out_(script.text) {}

  void write() {
    write_start();
    if (turn_.thinking.tokens() != 0) write_thinking();
    if (turn_.text.tokens() != 0 || turn_.refused) write_text();
    uint32_t index = 0;
    for (const SaidCall& call : turn_.calls) write_call(call, index++);
    write_end();
  }

 private:
  void end(uint32_t tokens = 0) { end_padded(script_, request_.turn.seed, tokens); }

  void write_start() {
    begin_event(script_, "message_start");
    out_ += ",\"message\":{";
    append_ids(out_, request_);
    out_ += ",\"content\":[],\"stop_reason\":null,\"stop_sequence\":null,\"stop_details\":null";
    if (!form_.left_out) {
      out_ += ',';
      // The output of a start is a number without a meaning.
      append_full_usage(out_, request_.counts, 1 + request_.turn.seed % 8, 0, form_.negative);
    }
    out_ += "}}";
    end();
  }

  void begin_block() {
    begin_event(script_, "content_block_start");
    out_ += ",\"index\":";
    append_number(out_, block_);
    out_ += ",\"content_block\":";
  }

  void end_block_start() {
    out_ += '}';
    end();
    if (block_ != 0) return;
    out_ += "event: ping\ndata: {\"type\": \"ping\"}\n\n";
    script_.end_event();
  }

  void write_delta(std::string_view type, std::string_view key, std::string_view text,
                   uint32_t tokens) {
    begin_event(script_, "content_block_delta");
    out_ += ",\"index\":";
    append_number(out_, block_);
    out_ += ",\"delta\":{\"type\":\"";
    out_ += type;
    out_ += "\",\"";
    out_ += key;
    out_ += "\":\"";
    append_escaped(out_, text);
    out_ += "\"}}";
    end(tokens);
  }

  void end_block() {
    begin_event(script_, "content_block_stop");
    out_ += ",\"index\":";
    append_number(out_, block_++);
    out_ += '}';
    end();
  }

  void write_thinking() {
    begin_block();
    out_ += "{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"\"}";
    end_block_start();
    const bool shown = request_.thinking_shown;
    for (uint32_t i = 0; shown && i < turn_.thinking.tokens(); ++i) {
      write_delta("thinking_delta", "thinking", turn_.thinking.token(i), 1);
    }
    const std::string_view text = shown ? std::string_view(turn_.thinking.text) : "";
    write_delta("signature_delta", "signature", signature_of(request_.turn.seed, text),
                shown ? 0 : turn_.thinking.tokens());
    end_block();
  }

  void write_text() {
    begin_block();
    out_ += "{\"type\":\"text\",\"text\":\"\"}";
    end_block_start();
    for (uint32_t i = 0; i < turn_.text.tokens(); ++i) {
      write_delta("text_delta", "text", turn_.text.token(i), 1);
    }
    end_block();
  }

  // Of arguments that are empty, nothing but an empty fragment is sent.
  void write_call(const SaidCall& call, uint32_t index) {
    begin_block();
    append_tool_start(out_, request_, call, index);
    out_ += "{},\"caller\":{\"type\":\"direct\"}}";
    end_block_start();
    const bool empty = call.arguments.text == "{}";
    write_delta("input_json_delta", "partial_json", "", empty ? call.arguments.tokens() : 0);
    for (uint32_t i = 0; !empty && i < call.arguments.tokens(); ++i) {
      write_delta("input_json_delta", "partial_json", call.arguments.token(i), 1);
    }
    end_block();
  }

  void write_end() {
    begin_event(script_, "message_delta");
    out_ += ",\"delta\":{";
    append_stop(out_, turn_);
    out_ += '}';
    if (!form_.left_out) {
      const int64_t sign = form_.negative ? -1 : 1;
      out_ += ",\"usage\":{";
      // In a third of recorded streams the input side is not repeated.
      if (request_.turn.seed % 3 != 0) {
        append_input_usage(out_, request_.counts, sign);
        out_ += ',';
      }
      out_ += "\"output_tokens\":";
      append_number(out_, sign * static_cast<int64_t>(turn_.tokens()));
      append_thinking_usage(out_, turn_.thinking.tokens());
      out_ += '}';
    }
    out_ += '}';
    end();
    begin_event(script_, "message_stop");
    out_ += '}';
    end();
  }

  const Request& request_;
  const Turn& turn_;
  UsageForm form_;
  Script& script_;
  std::string& out_;
  uint32_t block_ = 0;
};

void write_message(const Request& request, const Turn& turn, UsageForm form, std::string& out) {
  out += '{';
  append_ids(out, request);
  out += ",\"content\":[";
  const size_t begin = out.size();
  auto separate = [&] {
    if (out.size() != begin) out += ',';
  };
  if (turn.thinking.tokens() != 0) {
    const std::string_view text =
        request.thinking_shown ? std::string_view(turn.thinking.text) : "";
    out += "{\"type\":\"thinking\",\"thinking\":\"";
    append_escaped(out, text);
    out += "\",\"signature\":\"" + signature_of(request.turn.seed, text) + "\"}";
  }
  if (turn.text.tokens() != 0) {
    separate();
    out += "{\"type\":\"text\",\"text\":\"";
    append_escaped(out, turn.text.text);
    out += "\"}";
  }
  uint32_t index = 0;
  for (const SaidCall& call : turn.calls) {
    separate();
    append_tool_start(out, request, call, index++);
    out += call.whole ? call.arguments.text : "{}";
    out += ",\"caller\":{\"type\":\"direct\"}}";
  }
  out += "],";
  append_stop(out, turn);
  if (!form.left_out) {
    out += ',';
    append_full_usage(out, request.counts, turn.tokens(), turn.thinking.tokens(), form.negative);
  }
  out += '}';
}

}  // namespace

void answer_messages(const Call& call, Answer& answer) {
  Request request;
  if (!read_request(call, request, answer)) return;
  const Turn turn = plan_turn(request.turn, call.plan);
  const UsageForm form = {call.plan.is(FaultKind::no_usage),
                          call.plan.is(FaultKind::negative_usage)};
  if (!request.root["stream"].is_true()) {
    answer.model = request.model;
    answer.counts = request.counts;
    answer.counts.output = turn.tokens();
    write_message(request, turn, form, answer.body);
    return;
  }
  Generation& generation = answer.generation;
  generation.model = request.model;
  generation.counts = request.counts;
  generation.input_tokens = static_cast<uint32_t>(request.counts.input);
  answer.write_event = write_scripted_event;
  Writer(request, turn, form, generation.script).write();
}

void answer_count(const Call& call, Answer& answer) {
  Request request;
  request.counts_only = true;
  if (!read_request(call, request, answer)) return;
  answer.body = "{\"input_tokens\":";
  append_number(answer.body, static_cast<int64_t>(request.counts.whole_input()));
  answer.body += '}';
}

}  // namespace hyperion::simulator::anthropic
