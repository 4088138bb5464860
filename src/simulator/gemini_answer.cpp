// The words of Gemini's generated answers: one message, or chunks of a stream.
#include <string>
#include <vector>

#include "simulator/answer_text.h"
#include "simulator/gemini.h"

namespace hyperion::simulator::gemini {
namespace {

constexpr std::string_view empty_text = "{\"text\":\"\"}";

// Writes messages; each is a whole answer of the provider's type.
class Writer {
 public:
  Writer(const Request& request, const Turn& turn, const FaultPlan& plan)
      : request_(request),
        turn_(turn),
        usage_left_out_(plan.is(FaultKind::no_usage)),
        usage_negative_(plan.is(FaultKind::negative_usage)),
        blocked_(plan.is(FaultKind::blocked)) {}

  // With `finish` empty: not the last. `parts` empty: no content.
  void append_message(std::string& out, std::string_view parts, std::string_view finish,
                      std::string_view finish_message = {}) const {
    out += '{';
    if (blocked_) {
      out += "\"promptFeedback\":{\"blockReason\":\"SAFETY\"},";
    } else {
      append_candidate(out, parts, finish, finish_message);
    }
    if (!usage_left_out_) append_usage(out, !finish.empty());
    out += "\"modelVersion\":\"" + request_.model->id + "\",";
    if (request_.vertex) out += "\"createTime\":\"2026-01-01T00:00:00.000000Z\",";
    out += "\"responseId\":\"";
    append_hex(out, mix(request_.turn.seed, 1), 22);
    out += "\"}";
  }

  void append_thought(std::string& out, std::string_view text) const {
    out += "{\"text\":\"";
    append_escaped(out, text);
    out += "\",\"thought\":true}";
  }
  void append_text(std::string& out, std::string_view text) const {
    out += "{\"text\":\"";
    append_escaped(out, text);
    out += "\"}";
  }
  // Of several calls only the first carries the signature.
  void append_call(std::string& out, uint32_t index) const {
    const SaidCall& call = turn_.calls[index];
    out += "{\"functionCall\":{\"name\":\"" + call.name + "\",\"args\":";
    out += call.whole ? call.arguments.text : "{}";
    if (request_.model->id.starts_with("gemini-4")) {
      out += ",\"id\":\"";
      append_hex(out, mix(request_.turn.seed, 100 + index), 8);
      out += '"';
    }
    out += '}';
    if (index == 0 && request_.turn.thinking) {
      out += ",\"thoughtSignature\":\"" + signature_of(request_.turn.seed, call.name) + '"';
    }
    out += '}';
  }

  std::string_view finish_reason() const {
    if (turn_.refused) return "SAFETY";
    return turn_.length_reached ? "MAX_TOKENS" : "STOP";
  }

  // Of the output, counted up to the message that is written next.
  uint32_t thoughts = 0;
  uint32_t words = 0;

 private:
  void append_candidate(std::string& out, std::string_view parts, std::string_view finish,
                        std::string_view finish_message) const {
    out += "\"candidates\":[{";
    if (request_.vertex && !parts.empty()) {
      out += "\"content\":{\"role\":\"model\",\"parts\":[";
      out += parts;
      out += "]},";
    } else if (!parts.empty()) {
      out += "\"content\":{\"parts\":[";
      out += parts;
      out += "],\"role\":\"model\"},";
    }
    if (!finish.empty()) {
      out += "\"finishReason\":\"";
      out += finish;
      out += "\",";
    }
    if (turn_.refused) {
      out +=
          "\"safetyRatings\":[{\"category\":\"HARM_CATEGORY_DANGEROUS_CONTENT\",\"probability\":"
          "\"HIGH\",\"blocked\":true}],";
    }
    if (!request_.vertex) out += "\"index\":0,";
    if (!finish_message.empty()) {
      out += "\"finishMessage\":\"";
      out += finish_message;
      out += "\",";
    }
    out.back() = '}';
    out += "],";
  }

  void append_usage(std::string& out, bool last) const {
    const int64_t sign = usage_negative_ ? -1 : 1;
    const auto input = static_cast<int64_t>(request_.tokens);
    out += "\"usageMetadata\":{";
    if (request_.vertex && !last) {
      out += "\"trafficType\":\"ON_DEMAND\"},";
      return;
    }
    out += "\"promptTokenCount\":";
    append_number(out, sign * input);
    if (words != 0) {
      out += ",\"candidatesTokenCount\":";
      append_number(out, sign * words);
    }
    out += ",\"totalTokenCount\":";
    append_number(out, sign * (input + words + thoughts));
    out += ",\"promptTokensDetails\":[{\"modality\":\"TEXT\",\"tokenCount\":";
    append_number(out, sign * input);
    out += "}]";
    if (thoughts != 0) {
      out += ",\"thoughtsTokenCount\":";
      append_number(out, sign * thoughts);
    }
    out += request_.vertex ? ",\"trafficType\":\"ON_DEMAND\"}," : ",\"serviceTier\":\"standard\"},";
  }

  const Request& request_;
  const Turn& turn_;
  bool usage_left_out_;
  bool usage_negative_;
  bool blocked_;
};

void write_answer(const Request& request, const Turn& turn, const FaultPlan& plan,
                  std::string& out) {
  Writer writer(request, turn, plan);
  writer.thoughts = turn.thinking.tokens();
  writer.words = turn.text.tokens() + turn.call_tokens();
  std::string parts;
  auto separate = [&] {
    if (!parts.empty()) parts += ',';
  };
  if (request.thoughts_shown && writer.thoughts != 0) {
    writer.append_thought(parts, turn.thinking.text);
  }
  if (turn.text.tokens() != 0) {
    separate();
    writer.append_text(parts, turn.text.text);
  }
  for (uint32_t i = 0; i < turn.calls.size(); ++i) {
    separate();
    writer.append_call(parts, i);
  }
  std::string message;
  writer.append_message(message, parts, writer.finish_reason(),
                        turn.calls.empty() ? "" : "Model generated function call(s).");
  append_pretty(out, message);
  out += '\n';
}

// The chunks of a stream, in either form.
class Stream {
 public:
  Stream(const Request& request, const Turn& turn, const FaultPlan& plan, EventForm form,
         Script& script)
      : request_(request),
        turn_(turn),
        form_(form),
        script_(script),
        writer_(request, turn, plan) {}

  void write() {
    for (uint32_t i = 0; i < turn_.thinking.tokens(); ++i) {
      ++writer_.thoughts;
      if (!request_.thoughts_shown) {
        ++unsaid_tokens_;
        continue;
      }
      parts_.clear();
      writer_.append_thought(parts_, turn_.thinking.token(i));
      send({}, 1);
    }
    write_text();
    write_calls();
    if (turn_.refused) {
      parts_.clear();
      send(writer_.finish_reason(), 0);
    }
    if (!finished_) {  // Nothing to say, or the limit was reached within the thinking.
      parts_ = empty_text;
      send(writer_.finish_reason(), 0);
    }
    if (form_ == EventForm::array) {
      script_.text += "\n]";
      script_.events.back().end += 2;
    }
  }

 private:
  void send(std::string_view finish, uint32_t tokens, std::string_view finish_message = {}) {
    std::string message;
    writer_.append_message(message, parts_, finish, finish_message);
    if (form_ == EventForm::array) {
      script_.text += script_.empty() ? "[" : "\n,\n";
      append_pretty(script_.text, message);
    } else {
      script_.text += "data: ";
      append_spaced(script_.text, message);
      script_.text += "\r\n\r\n";
    }
    script_.end_event(tokens + unsaid_tokens_);
    unsaid_tokens_ = 0;
    finished_ = !finish.empty();
  }

  // The last words carry the finish, but for newer models, which send it by itself.
  void write_text() {
    const uint32_t tokens = turn_.text.tokens();
    const bool apart = request_.model->thinking == catalog::Thinking::level;
    for (uint32_t i = 0; i < tokens; ++i) {
      ++writer_.words;
      parts_.clear();
      writer_.append_text(parts_, turn_.text.token(i));
      const bool finish = i + 1 == tokens && !apart;
      send(finish ? writer_.finish_reason() : std::string_view(), 1);
    }
    if (tokens == 0 || !apart) return;
    parts_ = empty_text;
    send(writer_.finish_reason(), 0);
  }

  // Calls share a chunk or have one each; newer models finish in a later one.
  void write_calls() {
    if (turn_.calls.empty()) return;
    const bool apart = request_.model->thinking == catalog::Thinking::level;
    const bool together = request_.turn.seed % 2 == 0;
    uint32_t tokens = 0;
    parts_.clear();
    for (uint32_t i = 0; i < turn_.calls.size(); ++i) {
      if (!parts_.empty()) parts_ += ',';
      writer_.append_call(parts_, i);
      tokens += turn_.calls[i].arguments.tokens();
      const bool last = i + 1 == turn_.calls.size();
      if (!last && together) continue;
      writer_.words += tokens;
      if (last && !apart) {
        send(writer_.finish_reason(), tokens, "Model generated function call(s).");
      } else {
        send({}, tokens);
      }
      tokens = 0;
      parts_.clear();
    }
    if (!apart) return;
    parts_ = empty_text;
    send(writer_.finish_reason(), 0);
  }

  const Request& request_;
  const Turn& turn_;
  EventForm form_;
  Script& script_;
  Writer writer_;
  std::string parts_;
  uint32_t unsaid_tokens_ = 0;
  bool finished_ = false;
};

bool wants_events(std::string_view query) {
  for (size_t at = query.find("alt=sse"); at != query.npos; at = query.find("alt=sse", at + 1)) {
    if (at == 0 || query[at - 1] == '&') return true;
  }
  return false;
}

}  // namespace

void generate(const Call& call, bool stream, Answer& answer) {
  const EventForm form = wants_events(call.head->query) ? EventForm::crlf : EventForm::array;
  Request request;
  request.model = find_model(call, "generateContent", answer);
  const bool good =
      request.model != nullptr && read_request(call, call.tree->read(call.body), request, answer);
  if (!good) {
    if (stream && form == EventForm::array) answer.body = "[" + answer.body + "]";
    return;
  }
  const Turn turn = plan_turn(request.turn, call.plan);
  if (!stream) {
    answer.model = request.model;
    answer.counts.input = request.tokens;
    answer.counts.output = turn.tokens();
    write_answer(request, turn, call.plan, answer.body);
    return;
  }
  Generation& generation = answer.generation;
  generation.model = request.model;
  generation.input_tokens = static_cast<uint32_t>(request.tokens);
  generation.form = form;
  answer.write_event = write_scripted_event;
  Stream(request, turn, call.plan, form, generation.script).write();
}

}  // namespace hyperion::simulator::gemini
