#include "sim/words.h"

namespace hyperion::sim {
namespace {

using dialect::Wire;

const char* const gemini_usage =
    R"("usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":4,"totalTokenCount":7})";

std::string gemini_answer(const std::string& id, const std::string& parts,
                          const std::string& rest) {
  return R"({"candidates":[{"content":{"parts":[)" + parts + R"(],"role":"model"})" + rest +
         R"(,"index":0}],)" + gemini_usage + R"(,"modelVersion":"upstream-model","responseId":")" +
         id + "\"}";
}

std::string gemini_text(const std::string& text) { return R"({"text":")" + text + "\"}"; }

}  // namespace

std::string Speaker::whole_answer(const std::string& text) const {
  switch (wire_) {
    case Wire::anthropic:
      return R"({"id":")" + id_ +
             R"(","type":"message","role":"assistant","model":"upstream-model","content":[)"
             R"({"type":"text","text":")" +
             text +
             R"("}],"stop_reason":"end_turn","stop_sequence":null,)"
             R"("usage":{"input_tokens":3,"output_tokens":4}})";
    case Wire::gemini: return gemini_answer(id_, gemini_text(text), R"(,"finishReason":"STOP")");
    default:
      return R"({"id":")" + id_ +
             R"(","model":"upstream-model","choices":[{"index":0,"message":{"role":"assistant",)"
             R"("content":")" +
             text +
             R"("},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":4}})";
  }
}

// Words that mean nothing by themselves, but for the one that a status shares with others.
std::string Speaker::refusal(const Refusal& refusal) const {
  const bool long_one = refusal.kind == dialect::ErrorKind::context_too_long;
  const std::string message =
      std::string(overload_message) + (long_one ? ": prompt is too long" : "");
  switch (wire_) {
    case Wire::anthropic:
      return R"({"type":"error","error":{"type":"simulated_error","message":")" + message + "\"}}";
    case Wire::gemini:
      return R"({"error":{"code":)" + std::to_string(refusal.status) + R"(,"message":")" + message +
             R"(","status":"SIMULATED"}})";
    default:
      return R"({"error":{"message":")" + message +
             R"(","type":"simulated","param":null,"code":null}})";
  }
}

std::string Speaker::event(const std::string& name, const std::string& data) {
  if (array_) {
    const std::string lead = begun_ ? ",\r\n" : "[";
    begun_ = true;
    return lead + data;
  }
  const std::string end = wire_ == Wire::gemini ? "\r\n\r\n" : "\n\n";
  return (name.empty() ? "" : "event: " + name + "\n") + "data: " + data + end;
}

// Of OpenAI's.
std::string Speaker::chunk(const std::string& delta, const std::string& finish) {
  return event("", R"({"id":")" + id_ +
                       R"(","model":"upstream-model","choices":[{"index":0,"delta":{)" + delta +
                       R"(},"finish_reason":)" + finish + "}]}");
}

std::string Speaker::opening() {
  switch (wire_) {
    case Wire::anthropic:
      return event("message_start",
                   R"({"type":"message_start","message":{"id":")" + id_ +
                       R"(","type":"message","role":"assistant","model":"upstream-model",)"
                       R"("content":[],"stop_reason":null,"stop_sequence":null,)"
                       R"("usage":{"input_tokens":3,"output_tokens":1}}})") +
             event("content_block_start", R"({"type":"content_block_start","index":0,)"
                                          R"("content_block":{"type":"text","text":""}})");
    case Wire::gemini: return event("", gemini_answer(id_, gemini_text(""), ""));
    default: return chunk(R"("role":"assistant","content":"")", "null");
  }
}

std::string Speaker::text(const std::string& piece) {
  switch (wire_) {
    case Wire::anthropic:
      return event("content_block_delta", R"({"type":"content_block_delta","index":0,)"
                                          R"("delta":{"type":"text_delta","text":")" +
                                              piece + "\"}}");
    case Wire::gemini: return event("", gemini_answer(id_, gemini_text(piece), ""));
    default: return chunk(R"("content":")" + piece + "\"", "null");
  }
}

std::string Speaker::close_block() {
  return event("content_block_stop",
               std::string(R"({"type":"content_block_stop","index":)") + (called_ ? "1}" : "0}"));
}

// After it nothing but the closing may come.
std::string Speaker::tool_call() {
  if (wire_ == Wire::anthropic) {
    const std::string before = close_block();
    called_ = true;
    const std::string delta =
        R"({"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta",)"
        R"("partial_json":")";
    return before +
           event("content_block_start",
                 R"({"type":"content_block_start","index":1,"content_block":)"
                 R"({"type":"tool_use","id":"toolu_1","name":"look_up","input":{}}})") +
           event("content_block_delta", delta + R"({\"city\""}})") +
           event("content_block_delta", delta + R"(:\"Bern\"}"}})");
  }
  called_ = true;
  if (wire_ == Wire::gemini) {
    return event("", gemini_answer(
                         id_, R"({"functionCall":{"name":"look_up","args":{"city":"Bern"}}})", ""));
  }
  return chunk(R"("tool_calls":[{"index":0,"id":"call_1","type":"function",)"
               R"("function":{"name":"look_up","arguments":""}}])",
               "null") +
         chunk(R"("tool_calls":[{"index":0,"function":{"arguments":"{\"city\":\"Bern\"}"}}])",
               "null");
}

std::string Speaker::closing() {
  switch (wire_) {
    case Wire::anthropic:
      return close_block() +
             event("message_delta", std::string(R"({"type":"message_delta","delta":{)") +
                                        R"("stop_reason":")" + (called_ ? "tool_use" : "end_turn") +
                                        R"(","stop_sequence":null},"usage":{"output_tokens":4}})") +
             event("message_stop", R"({"type":"message_stop"})");
    case Wire::gemini:
      return event("", gemini_answer(id_, gemini_text(""), R"(,"finishReason":"STOP")")) +
             (array_ ? "]" : "");
    default:
      return chunk("", called_ ? "\"tool_calls\"" : "\"stop\"") +
             event("", R"({"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4}})") +
             event("", "[DONE]");
  }
}

std::string Speaker::failure() {
  const std::string message = overload_message;
  switch (wire_) {
    case Wire::anthropic:
      return event("error", R"({"type":"error","error":{"type":"overloaded_error","message":")" +
                                message + "\"}}");
    case Wire::gemini:
      return event(
          "", R"({"error":{"code":503,"message":")" + message + R"(","status":"UNAVAILABLE"}})");
    default: return event("", R"({"error":{"message":")" + message + R"(","code":null}})");
  }
}

std::string Speaker::comment() const { return array_ ? "\r\n" : ": keep-alive\n\n"; }

std::string Speaker::half_event() const {
  return array_ ? ",\r\n{\"candidates\": [{\"con" : "data: {\"choices\":[{\"del";
}

std::string Speaker::event_without_end(const std::string& filler) const {
  return (array_ ? ",\r\n{\"text\": \"" : "data: ") + filler;
}

}  // namespace hyperion::sim
