#include "translation/streams.h"

#include <string_view>

namespace hyperion::bench {
namespace {

using dialect::Wire;
using std::string;
using std::string_view;

constexpr size_t text_pieces = 240;
constexpr size_t argument_pieces = 48;
constexpr size_t pieces_per_ping = 40;

// Pieces of about five tokens, as the insides of JSON strings: an escape in one, letters beyond
// ASCII in another.
constexpr string_view texts[] = {
    "The quick answer is that ",
    "every request passes through ",
    "one of the shards, each ",
    "with its own ring and pool",
    ". In practice this means:\\n\\n",
    "- no locks on the way, and ",
    "hardly any waiting \xE2\x80\x93 as ",
    "measured in the table below",
};
// The inside of a JSON string that is inside of a JSON text: fragments of arguments.
constexpr string_view arguments[] = {
    "\\\"city\\\":\\\"",
    "San Francisco",
    "\\\",\\\"unit\\\":",
    "\\\"celsius\\\",",
};

string_view text_at(size_t i) { return texts[i % std::size(texts)]; }
string_view arguments_at(size_t i) { return arguments[i % std::size(arguments)]; }

string event(string_view data) { return "data: " + string(data) + "\n\n"; }
string event(string_view name, string_view data) {
  return "event: " + string(name) + "\ndata: " + string(data) + "\n\n";
}
string joined(std::initializer_list<string_view> pieces) {
  string all;
  for (string_view piece : pieces) all += piece;
  return all;
}

string chat_chunk(string_view delta, string_view finish = "null") {
  return event(
      joined({R"({"id":"chatcmpl-BXk2f1n8QmVZ5tPq3LwYcR7d","object":"chat.completion.chunk",)",
              R"("created":1763994000,"model":"gpt-4.1-2025-04-14",)",
              R"("service_tier":"default","system_fingerprint":"fp_51e1070cf2",)",
              R"("choices":[{"index":0,"delta":)", delta, R"(,"logprobs":null,"finish_reason":)",
              finish, R"(}],"usage":null,"obfuscation":"Zq3vN8w"})"}));
}

string chat_stream() {
  string all = chat_chunk(R"({"role":"assistant","content":"","refusal":null})");
  for (size_t i = 0; i < text_pieces; ++i) {
    all += chat_chunk(joined({R"({"content":")", text_at(i), R"("})"}));
    if (i % pieces_per_ping == 0) all += ": ping\n\n";
  }
  all += chat_chunk(R"({"tool_calls":[{"index":0,"id":"call_9pL2xQfT4mZb","type":"function",)"
                    R"("function":{"name":"get_weather","arguments":""}}]})");
  all += chat_chunk(R"({"tool_calls":[{"index":0,"function":{"arguments":"{"}}]})");
  for (size_t i = 0; i < argument_pieces; ++i) {
    all += chat_chunk(joined(
        {R"({"tool_calls":[{"index":0,"function":{"arguments":")", arguments_at(i), R"("}}]})"}));
  }
  all += chat_chunk(R"({"tool_calls":[{"index":0,"function":{"arguments":"\"days\":3}"}}]})");
  all += chat_chunk("{}", R"("tool_calls")");
  all += event(R"({"id":"chatcmpl-BXk2f1n8QmVZ5tPq3LwYcR7d","object":"chat.completion.chunk",)"
               R"("created":1763994000,"model":"gpt-4.1-2025-04-14","choices":[],"usage":)"
               R"({"prompt_tokens":812,"completion_tokens":1395,"total_tokens":2207,)"
               R"("prompt_tokens_details":{"cached_tokens":512,"audio_tokens":0},)"
               R"("completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,)"
               R"("accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}})");
  return all + event("[DONE]");
}

string anthropic_delta(string_view index, string_view delta) {
  return event("content_block_delta", joined({R"({"type":"content_block_delta","index":)", index,
                                              R"(,"delta":)", delta, "}"}));
}

string anthropic_stream() {
  string all = event(
      "message_start",
      R"({"type":"message_start","message":{"model":"claude-sonnet-4-5-20250929",)"
      R"("id":"msg_01XFDUDYJgAACzvnptvVoYEL","type":"message","role":"assistant","content":[],)"
      R"("stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":812,)"
      R"("cache_creation_input_tokens":0,"cache_read_input_tokens":512,"output_tokens":1,)"
      R"("service_tier":"standard"}}})");
  all += event("content_block_start", R"({"type":"content_block_start","index":0,"content_block":)"
                                      R"({"type":"text","text":""}})");
  for (size_t i = 0; i < text_pieces; ++i) {
    all += anthropic_delta("0", joined({R"({"type":"text_delta","text":")", text_at(i), R"("})"}));
    if (i % pieces_per_ping == 0) all += event("ping", R"({"type":"ping"})");
  }
  all += event("content_block_stop", R"({"type":"content_block_stop","index":0})");
  all += event("content_block_start",
               R"({"type":"content_block_start","index":1,"content_block":{"type":"tool_use",)"
               R"("id":"toolu_01T1x1fJ34qAmk2tNTrN7Up6","name":"get_weather","input":{}}})");
  all += anthropic_delta("1", R"({"type":"input_json_delta","partial_json":"{"})");
  for (size_t i = 0; i < argument_pieces; ++i) {
    all += anthropic_delta(
        "1", joined({R"({"type":"input_json_delta","partial_json":")", arguments_at(i), R"("})"}));
  }
  all += anthropic_delta("1", R"({"type":"input_json_delta","partial_json":"\"days\":3}"})");
  all += event("content_block_stop", R"({"type":"content_block_stop","index":1})");
  all += event("message_delta",
               R"({"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},)"
               R"("usage":{"input_tokens":812,"cache_creation_input_tokens":0,)"
               R"("cache_read_input_tokens":512,"output_tokens":1395}})");
  return all + event("message_stop", R"({"type":"message_stop"})");
}

string gemini_chunk(string_view part, string_view finish = "") {
  return "data: " +
         joined(
             {R"({"candidates": [{"content": {"parts": [)", part, R"(],"role": "model"})", finish,
              R"(,"index": 0}],"usageMetadata": {"promptTokenCount": 812,)",
              R"("candidatesTokenCount": 1395,"totalTokenCount": 2207,"promptTokensDetails": )",
              R"([{"modality": "TEXT","tokenCount": 812}],"thoughtsTokenCount": 0},)",
              R"("modelVersion": "gemini-2.5-flash","responseId": "kWkkaYDVFcOwz7IPrYXL8Ac"})"}) +
         "\r\n\r\n";
}

// Gemini gives a call whole: its stream has chunks of text only, and one of the call.
string gemini_stream() {
  string all;
  for (size_t i = 0; i < text_pieces + argument_pieces; ++i)
    all += gemini_chunk(joined({R"({"text": ")", text_at(i), R"("})"}));
  all += gemini_chunk(R"({"functionCall": {"name": "get_weather","args": )"
                      R"({"city": "San Francisco","unit": "celsius","days": 3}}})");
  return all + gemini_chunk(R"({"text": ""})", R"(,"finishReason": "STOP")");
}

// A writer of Responses' events, each with its number.
class ResponsesStream {
 public:
  string all;

  void add(string_view type, string_view members) {
    all += event(type, joined({R"({"type":")", type, R"(","sequence_number":)",
                               std::to_string(sequence_++), ",", members, "}"}));
  }
  void delta(string_view type, string_view item, string_view index, string_view text) {
    const bool is_text = type == "response.output_text.delta";
    add(type, joined({R"("item_id":")", item, R"(","output_index":)", index,
                      is_text ? R"(,"content_index":0)" : "", R"(,"delta":")", text,
                      is_text ? R"(","logprobs":[],"obfuscation":"Kd83nQ1xZ")"
                              : R"(","obfuscation":"Kd83nQ1xZ")"}));
  }

 private:
  size_t sequence_ = 0;
};

string response_object(string_view status, string_view output, string_view usage) {
  return joined({R"("response":{"id":"resp_67ccd2bed1ec8190b14f964abc0542670bb6a6b452d3795b",)",
                 R"("object":"response","created_at":1763994000,"status":")", status,
                 R"(","error":null,"incomplete_details":null,"instructions":null,)",
                 R"("max_output_tokens":null,"model":"gpt-4.1-2025-04-14","output":[)", output,
                 R"(],"parallel_tool_calls":true,"previous_response_id":null,"reasoning":)",
                 R"({"effort":null,"summary":null},"store":true,"temperature":1.0,"text":)",
                 R"({"format":{"type":"text"}},"tool_choice":"auto","tools":[],"top_p":1.0,)",
                 R"("truncation":"disabled","usage":)", usage, R"(,"user":null,"metadata":{}})"});
}

string responses_stream() {
  constexpr string_view message = "msg_67ccd2bf17f0819081ff3bb2cf6508e60bb6a6b452d3795b";
  constexpr string_view call = "fc_67ca09c6bedc8190a7abfec07b1a1332096610f474011cc0";
  ResponsesStream stream;
  stream.add("response.created", response_object("in_progress", "", "null"));
  stream.add("response.in_progress", response_object("in_progress", "", "null"));
  stream.add("response.output_item.added",
             joined({R"("output_index":0,"item":{"id":")", message,
                     R"(","type":"message","status":"in_progress","role":"assistant",)",
                     R"("content":[]})"}));
  stream.add("response.content_part.added",
             joined({R"("item_id":")", message, R"(","output_index":0,"content_index":0,"part":)",
                     R"({"type":"output_text","text":"","annotations":[]})"}));
  string text;
  for (size_t i = 0; i < text_pieces; ++i) {
    stream.delta("response.output_text.delta", message, "0", text_at(i));
    text += text_at(i);
  }
  stream.add("response.output_text.done",
             joined({R"("item_id":")", message, R"(","output_index":0,"content_index":0,"text":")",
                     text, R"(")"}));
  const string said = joined(
      {R"({"id":")", message, R"(","type":"message","status":"completed","role":"assistant",)",
       R"("content":[{"type":"output_text","text":")", text, R"(","annotations":[]}]})"});
  stream.add("response.output_item.done", joined({R"("output_index":0,"item":)", said}));
  const auto call_item = [&](string_view status, string_view arguments_text) {
    return joined({R"({"id":")", call, R"(","type":"function_call","status":")", status,
                   R"(","arguments":")", arguments_text,
                   R"(","call_id":"call_9pL2xQfT4mZb","name":"get_weather"})"});
  };
  stream.add("response.output_item.added",
             joined({R"("output_index":1,"item":)", call_item("in_progress", "")}));
  string given = "{";
  constexpr string_view fragment = "response.function_call_arguments.delta";
  stream.delta(fragment, call, "1", "{");
  for (size_t i = 0; i < argument_pieces; ++i) {
    stream.delta(fragment, call, "1", arguments_at(i));
    given += arguments_at(i);
  }
  stream.delta(fragment, call, "1", "\\\"days\\\":3}");
  given += "\\\"days\\\":3}";
  stream.add(
      "response.function_call_arguments.done",
      joined({R"("item_id":")", call, R"(","output_index":1,"arguments":")", given, R"(")"}));
  stream.add("response.output_item.done",
             joined({R"("output_index":1,"item":)", call_item("completed", given)}));
  stream.add("response.completed",
             response_object("completed", said + "," + call_item("completed", given),
                             R"({"input_tokens":812,"input_tokens_details":{"cached_tokens":512},)"
                             R"("output_tokens":1395,"output_tokens_details":)"
                             R"({"reasoning_tokens":0},"total_tokens":2207})"));
  return stream.all;
}

}  // namespace

std::string stream_of(Wire provider) {
  switch (provider) {
    case Wire::openai_chat: return chat_stream();
    case Wire::openai_responses: return responses_stream();
    case Wire::anthropic: return anthropic_stream();
    case Wire::gemini: return gemini_stream();
  }
  return {};
}

}  // namespace hyperion::bench
