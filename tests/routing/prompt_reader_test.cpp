#include "routing/prompt_reader.h"

#include <string>

#include <doctest/doctest.h>

#include "json/body_scan.h"
#include "json/limits.h"

namespace hyperion::routing {
namespace {

using dialect::Wire;

// A body with what was read of it.
struct Read {
  std::string body;
  Conversation conversation;

  explicit Read(std::string text, Wire wire = Wire::openai_chat) : body(std::move(text)) {
    const size_t size = body.size();
    body.append(json::padding_bytes, ' ');
    json::Scanner scanner(1 << 26);
    json::Scan scan;
    json::ScanError error;
    const std::string_view view = std::string_view(body).substr(0, size);
    REQUIRE_MESSAGE(scanner.scan(view, json::Limits{}, scan, error), error.field, error.expected);
    read_conversation(view, scanner.walk_again(view, json::Limits{}), wire, conversation);
  }
  const Prompt& last() const { return conversation.last; }
  const Shape& shape() const { return conversation.last.shape; }
  const Wants& wants() const { return conversation.wants; }
  std::string text() const {
    std::string all;
    for (std::string_view text : last().text()) all += std::string(text) + "|";
    return all;
  }
};

}  // namespace

TEST_CASE("the last turn of the user stands apart from the system, history and results") {
  Read read(R"({"model":"m","messages":[
    {"role":"system","content":"be brief"},
    {"role":"user","content":"first question"},
    {"role":"assistant","content":"an answer","tool_calls":[{"id":"a","type":"function",
      "function":{"name":"f","arguments":"{}"}}]},
    {"content":"a result","role":"tool","tool_call_id":"a"},
    {"role":"user","content":[{"type":"text","text":"second \"part\""},
      {"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}},
      {"text":"and third","type":"text"}]},
    {"role":"assistant","content":null,"tool_calls":[{},{}]},
    {"role":"tool","content":"x"},{"role":"tool","content":"y"}]})");
  CHECK(read.text() == "second \\\"part\\\"|and third|");
  CHECK(read.shape().user_turns == 2);
  CHECK(read.shape().assistant_turns == 2);
  CHECK(read.shape().turns == 7);
  CHECK(read.shape().tool_calls == 3);
  CHECK(read.shape().tool_results == 3);
  CHECK(read.shape().tool_results_after == 2);
  CHECK(read.shape().images == 1);
  CHECK(read.shape().system_bytes == 8);
  CHECK(read.shape().user_bytes == 24);
  CHECK(read.shape().other_bytes == 14 + 9 + 8 + 2);
  REQUIRE(read.conversation.earlier_count == 1);
  CHECK(read.conversation.earlier[0].texts[0] == "first question");
  CHECK(read.conversation.earlier[0].shape.turns == 1);
  CHECK_FALSE(read.wants().prefill);
}

TEST_CASE("images and files inside a tool's result are seen, and their bytes are no text") {
  Read anthropic(R"({"model":"m","messages":[{"role":"user","content":[{"type":"tool_result",
    "tool_use_id":"t","content":[{"type":"text","text":"found"},{"type":"image","source":
    {"type":"base64","data":"AAAAAAAAAAAAAAAA"}},{"type":"document","source":{}}]}]}]})",
                 Wire::anthropic);
  CHECK(anthropic.shape().images == 1);
  CHECK(anthropic.shape().files == 1);
  CHECK(anthropic.shape().tool_results == 1);
  CHECK(anthropic.shape().other_bytes == 7);

  Read gemini(R"({"contents":[{"role":"user","parts":[{"functionResponse":{"name":"f",
    "response":{"r":1},"parts":[{"inlineData":{"mimeType":"image/png","data":"AAAAAAAA"}},
    {"inline_data":{"data":"AAAA","mime_type":"application/pdf"}}]}}]}]})",
              Wire::gemini);
  CHECK(gemini.shape().images == 1);
  CHECK(gemini.shape().files == 1);
  CHECK(gemini.shape().tool_results == 1);
  CHECK(gemini.shape().other_bytes == 3 + 7);

  Read responses(R"({"model":"m","input":[{"type":"function_call_output","call_id":"c",
    "output":[{"type":"input_image","image_url":"data:image/png;base64,AAAA"}]}]})",
                 Wire::openai_responses);
  CHECK(responses.shape().images == 1);
  CHECK(responses.shape().tool_results == 1);
}

TEST_CASE("the arguments of the model's calls count as bytes, in each dialect") {
  const std::string text(1000, 'x');
  const auto bytes = [](std::string body, Wire wire) {
    return Read(std::move(body), wire).shape().call_bytes;
  };
  CHECK(bytes(R"({"messages":[{"role":"assistant","content":null,"tool_calls":[{"id":"c",)"
              R"("type":"function","function":{"name":"f","arguments":")" +
                  text + R"("}}]}]})",
              Wire::openai_chat) >= 1000);
  CHECK(bytes(R"({"input":[{"type":"function_call","name":"f","arguments":")" + text + R"("}]})",
              Wire::openai_responses) >= 1000);
  CHECK(bytes(R"({"messages":[{"role":"assistant","content":[{"type":"tool_use","input":{"a":")" +
                  text + R"("}}]}]})",
              Wire::anthropic) >= 1000);
  CHECK(bytes(R"({"contents":[{"role":"model","parts":[{"functionCall":{"args":{"a":")" + text +
                  R"("}}}]}]})",
              Wire::gemini) >= 1000);
}

TEST_CASE("what only the provider keeps ties the request to it") {
  for (const char* member : {R"("previous_response_id":"r1")", R"("conversation":"c1")",
                             R"("conversation":{"id":"c1"})"}) {
    const std::string body = std::string(R"({"input":"go on",)") + member + "}";
    CHECK_MESSAGE(Read(body, Wire::openai_responses).wants().foreign, member);
  }
  CHECK(Read(R"({"contents":[],"cachedContent":"x"})", Wire::gemini).wants().foreign);
  CHECK(Read(R"({"messages":[],"mcp_servers":[{}]})", Wire::anthropic).wants().foreign);
  CHECK_FALSE(Read(R"({"input":"go on","previous_response_id":null})", Wire::openai_responses)
                  .wants()
                  .foreign);
}

TEST_CASE("Anthropic: blocks, results in the user's message, thinking, tools without a type") {
  Read read(R"({"model":"m","max_tokens":1000,"system":[{"type":"text","text":"sys"}],
    "thinking":{"type":"enabled","budget_tokens":2048},
    "tools":[{"name":"a","input_schema":{}},{"type":"custom","name":"b","input_schema":{}},
             {"type":"web_search_20250305","name":"web_search"}],
    "tool_choice":{"type":"any"},
    "messages":[{"role":"user","content":"do it"},
      {"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"s"},
        {"type":"tool_use","id":"t","name":"a","input":{"text":"no text of the user"}}]},
      {"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":"done"},
        {"type":"document","source":{"type":"text","data":"a file"}}]}]})",
            Wire::anthropic);
  CHECK(read.text() == "do it|");
  CHECK(read.shape().system_bytes == 3);
  CHECK(read.shape().tool_results_after == 1);
  CHECK(read.shape().tool_calls == 1);
  CHECK(read.shape().files == 1);
  CHECK(read.wants().tools == 2);
  CHECK(read.wants().foreign);
  CHECK(read.wants().tools_forced);
  CHECK(read.wants().reasoning);
  CHECK(read.wants().output_tokens_max == 1000);
  CHECK_FALSE(
      Read(R"({"thinking":{"type":"disabled"},"messages":[]})", Wire::anthropic).wants().reasoning);
}

TEST_CASE("Responses: a string is a turn, items are messages, calls and results") {
  CHECK(Read(R"({"input":"hello","instructions":"sys"})", Wire::openai_responses).text() ==
        "hello|");
  Read read(R"({"input":[{"role":"user","content":[{"type":"input_text","text":"look"},
      {"type":"input_image","image_url":"x"},{"type":"input_file","file_id":"f"}]},
      {"type":"reasoning","summary":[]},
      {"type":"function_call","call_id":"c","name":"f","arguments":"{}"},
      {"type":"function_call_output","call_id":"c","output":"result"},
      {"type":"message","role":"assistant","content":[{"type":"output_text","text":"so"}]}],
      "reasoning":{"effort":"high","summary":"auto"},"max_output_tokens":77,
      "text":{"format":{"type":"json_schema","name":"n","schema":{}},"verbosity":"low"},
      "tools":[{"type":"function","name":"f"},{"type":"web_search"}],"tool_choice":"auto"})",
            Wire::openai_responses);
  CHECK(read.text() == "look|");
  CHECK(read.shape().images == 1);
  CHECK(read.shape().files == 1);
  CHECK(read.shape().tool_calls == 1);
  CHECK(read.shape().tool_results == 1);
  CHECK(read.shape().other_bytes == 6 + 2);
  CHECK(read.wants().effort_given);
  CHECK(read.wants().effort == catalog::Effort::high);
  CHECK(read.wants().json_schema);
  CHECK(read.wants().tools == 1);
  CHECK(read.wants().foreign);
  CHECK_FALSE(read.wants().tools_forced);
  CHECK(read.wants().output_tokens_max == 77);
  CHECK(read.wants().prefill);
}

TEST_CASE("Gemini: contents without a role, media types, configuration, declared functions") {
  Read read(R"({"systemInstruction":{"parts":[{"text":"sys"}]},
    "contents":[{"parts":[{"text":"hi"},{"inlineData":{"mimeType":"image/png","data":"AA"}},
       {"fileData":{"mimeType":"audio/wav","fileUri":"u"}},{"text":"secret","thought":true}]},
      {"role":"model","parts":[{"functionCall":{"name":"f","args":{}}}]},
      {"role":"user","parts":[{"functionResponse":{"name":"f","response":{}}}]}],
    "tools":[{"functionDeclarations":[{"name":"f"},{"name":"g"}]},{"googleSearch":{}}],
    "toolConfig":{"functionCallingConfig":{"mode":"ANY"}},
    "generationConfig":{"responseMimeType":"application/json","responseSchema":{"type":"OBJECT"},
      "maxOutputTokens":9,"candidateCount":2,"temperature":0,
      "thinkingConfig":{"thinkingLevel":"HIGH"}}})",
            Wire::gemini);
  CHECK(read.text() == "hi|");
  CHECK(read.shape().system_bytes == 3);
  CHECK(read.shape().images == 1);
  CHECK(read.shape().audio == 1);
  CHECK(read.shape().tool_calls == 1);
  CHECK(read.shape().tool_results_after == 1);
  CHECK(read.wants().tools == 2);
  CHECK(read.wants().foreign);
  CHECK(read.wants().tools_forced);
  CHECK(read.wants().json_object);
  CHECK(read.wants().json_schema);
  CHECK(read.wants().sampling);
  CHECK(read.wants().choices == 2);
  CHECK(read.wants().effort == catalog::Effort::high);
  CHECK(read.wants().output_tokens_max == 9);
}

TEST_CASE("what a literal extra_body holds counts as if it stood at the top") {
  Read read(R"({"messages":[{"role":"user","content":"x"}],
    "extra_body":{"reasoning_effort":"low","response_format":{"type":"json_object"}}})");
  CHECK(read.wants().effort == catalog::Effort::low);
  CHECK(read.wants().json_object);
}

TEST_CASE("effort none is no wish for reasoning") {
  Read read(R"({"reasoning_effort":"none","messages":[]})");
  CHECK(read.wants().effort_given);
  CHECK_FALSE(read.wants().reasoning);
}

TEST_CASE("wrong types are passed over, nothing is lost behind them") {
  Read read(R"({"tools":7,"tool_choice":[1],"max_tokens":"many","n":null,"modalities":{},
    "reasoning":3,"response_format":"x","system":5,"logprobs":false,
    "messages":[1,null,"text",[],{"role":5,"content":7},{"role":"user","content":[3,null,
      {"type":9,"text":8},{"type":"text","text":"kept"}]}]})");
  CHECK(read.text() == "kept|");
  CHECK(read.wants().tools == 0);
  CHECK(read.wants().output_tokens_max == -1);
  CHECK_FALSE(read.wants().logprobs);
  CHECK(Read(R"({"messages":"no"})").text() == "no|");
  CHECK(Read("{}").last().text_count == 0);
}

TEST_CASE("of many parts the first and the last stay, all are counted") {
  std::string parts;
  for (int i = 0; i < 40; ++i)
    parts += (i > 0 ? "," : "") + (R"({"type":"text","text":"p)" + std::to_string(i)) + "\"}";
  Read read(R"({"messages":[{"role":"user","content":[)" + parts + "]}]}");
  REQUIRE(read.last().text_count == Prompt::texts_max);
  CHECK(read.last().texts[0] == "p0");
  CHECK(read.last().texts[Prompt::texts_max - 1] == "p39");
  CHECK(read.shape().user_bytes == 10 * 2 + 30 * 3);
}

TEST_CASE("of earlier turns the first and the newest stay, in order") {
  for (const int turns : {1, 2, 4, 5, 6, 7, 8, 9, 30}) {
    std::string messages;
    for (int i = 0; i < turns; ++i) {
      messages += (i > 0 ? "," : "") + (R"({"role":"user","content":"u)" + std::to_string(i)) +
                  R"("},{"role":"assistant","content":"a"})";
    }
    Read read(R"({"messages":[)" + messages + "]}");
    CHECK(read.last().texts[0] == "u" + std::to_string(turns - 1));
    const int earlier = static_cast<int>(read.conversation.earlier_count);
    CHECK(earlier == std::min(turns - 1, static_cast<int>(Conversation::earlier_max)));
    for (int i = 0; i < earlier; ++i) {
      const int turn = i == 0 ? 0 : turns - 1 - (earlier - i);
      CHECK(read.conversation.earlier[static_cast<size_t>(i)].texts[0] ==
            "u" + std::to_string(turn));
      CHECK(read.conversation.earlier[static_cast<size_t>(i)].shape.user_turns ==
            static_cast<uint32_t>(turn + 1));
    }
  }
}

TEST_CASE("which word a limit was given in matters in OpenAI's dialect alone") {
  CHECK(Read(R"({"max_tokens":5,"messages":[]})").wants().old_limit);
  CHECK_FALSE(Read(R"({"max_completion_tokens":5,"messages":[]})").wants().old_limit);
  CHECK_FALSE(Read(R"({"max_tokens":5,"messages":[]})", Wire::anthropic).wants().old_limit);
  CHECK(Read(R"({"max_tokens":5,"messages":[]})", Wire::anthropic).wants().output_tokens_max == 5);
}

}  // namespace hyperion::routing
