#include <string>

#include <doctest/doctest.h>

#include "dialect/openai_chat_requests.h"

using namespace hyperion;
using namespace hyperion::dialect;
using test::a_call;
using test::check_refused;
using test::decode;
using test::Decoding;
using test::message_at;
using test::messages;
using test::part_at;
using test::with;

TEST_CASE("a call has its id, name and arguments as they stood, a result the call's name") {
  const Decoding decoded =
      messages(std::string(a_call) + R"(,{"role":"tool","tool_call_id":"call_1","content":"ok"})");
  REQUIRE(decoded.accepted);
  const Part& call = part_at(message_at(decoded, 0));
  CHECK(call.kind == PartKind::tool_call);
  CHECK(call.id == "call_1");
  CHECK(call.name == "f");
  CHECK(call.arguments.bytes == R"({\"a\": 1})");
  CHECK(call.arguments_escaped);
  const Part& result = part_at(message_at(decoded, 1));
  CHECK(result.kind == PartKind::tool_result);
  CHECK(result.id == "call_1");
  CHECK(result.name == "f");
  REQUIRE(!result.content.empty());
  CHECK(result.content.first->text.bytes == "ok");
}

TEST_CASE("arguments are made an object: none are none, another value is wrapped") {
  struct Case {
    const char* given;
    const char* meaning;
  };
  for (const Case& item :
       {Case{"", "{}"}, Case{" ", "{}"}, Case{"null", "{}"}, Case{"[1,2]", R"({\"value\":[1,2]})"},
        Case{"\\\"x\\\"", R"({\"value\":\"x\"})"}}) {
    CAPTURE(item.given);
    const Decoding decoded = messages(
        R"({"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{)"
        R"("name":"f","arguments":")" +
        std::string(item.given) + R"("}}]},{"role":"tool","tool_call_id":"c","content":"r"})");
    REQUIRE(decoded.accepted);
    CHECK(part_at(message_at(decoded, 0)).arguments.bytes == item.meaning);
  }
}

TEST_CASE("calls and results that do not match are refused by place") {
  auto call = [](const std::string& function) {
    return R"("messages":[{"role":"assistant","tool_calls":[{"id":"c","type":"function",)"
           R"("function":)" +
           function + R"(}]},{"role":"tool","tool_call_id":"c","content":"r"}])";
  };
  const std::string one = std::string(R"("messages":[)") + a_call;
  check_refused({
      {R"("messages":[{"role":"user","content":"a"},{"role":"tool","tool_call_id":"x",)"
       R"("content":"r"}])",
       "messages[1].tool_call_id"},
      {R"("messages":[{"role":"tool","content":"r"}])", "messages[0].tool_call_id"},
      {one + R"(,{"role":"tool","tool_call_id":"other","content":"r"}])",
       "messages[1].tool_call_id"},
      {one + R"(,{"role":"tool","tool_call_id":"call_1","content":"r"},)" +
           R"({"role":"tool","tool_call_id":"call_1","content":"r"}])",
       "messages[2].tool_call_id"},
      {one + R"(,{"role":"tool","tool_call_id":"call_1"}])", "messages[1].content"},
      {one + "]", "messages[0].tool_calls[0].id"},
      {one + R"(,{"role":"user","content":"never mind"}])", "messages[0].tool_calls[0].id"},
      {call(R"({"name":"f","arguments":"{\"a\":"})"),
       "messages[0].tool_calls[0].function.arguments"},
      {call(R"({"name":"f","arguments":"not JSON"})"),
       "messages[0].tool_calls[0].function.arguments"},
      {call(R"({"name":"f","arguments":{}})"), "messages[0].tool_calls[0].function.arguments"},
      {call(R"({"name":"f"})"), "messages[0].tool_calls[0].function.arguments"},
      {call(R"({"arguments":"{}"})"), "messages[0].tool_calls[0].function.name"},
      {R"("messages":[{"role":"assistant","tool_calls":[{"type":"function","function":{)"
       R"("name":"f","arguments":""}}]}])",
       "messages[0].tool_calls[0].id"},
      {R"("messages":[{"role":"function","name":"f","content":"r"}])", "messages[0].name"},
  });
}

TEST_CASE("parallel results may come in any order, and ids may repeat") {
  const Decoding decoded = messages(
      R"({"role":"assistant","tool_calls":[{"id":"a","type":"function","function":{)"
      R"("name":"f","arguments":"{}"}},)"
      R"({"id":"b","function":{"name":"g","arguments":"{}"}},)"
      R"({"id":"a","type":"function","function":{"name":"h","arguments":"{}"}}]},)"
      R"({"role":"tool","tool_call_id":"b","content":"1"},{"role":"tool",)"
      R"("tool_call_id":"a","content":"2"},)"
      R"({"role":"tool","tool_call_id":"a","content":"3"},{"role":"user","content":"go on"})");
  REQUIRE(decoded.accepted);
  CHECK(part_at(message_at(decoded, 1)).name == "g");
  CHECK(part_at(message_at(decoded, 2)).name == "f");
  CHECK(part_at(message_at(decoded, 3)).name == "h");
}

TEST_CASE("a call of a custom tool is a function of one string") {
  const Decoding decoded =
      messages(R"({"role":"assistant","tool_calls":[{"id":"c","type":"custom","custom":{)"
               R"("name":"sql","input":"a\"b\n"}}]},)"
               R"({"role":"tool","tool_call_id":"c","content":[{"type":"text","text":"1"},{)"
               R"("type":"text","text":"2"}]})");
  REQUIRE(decoded.accepted);
  const Part& call = part_at(message_at(decoded, 0));
  CHECK(call.name == "sql");
  CHECK(call.arguments.bytes == R"({"input":"a\"b\n"})");
  CHECK(!call.arguments_escaped);
  CHECK(part_at(message_at(decoded, 1)).content.count == 2);
}

TEST_CASE("functions and function_call of old are tools and calls") {
  const Decoding decoded =
      decode(R"("functions":[{"name":"f","description":"d","parameters":{"type":"object"}}],)"
             R"("function_call":{"name":"f"},)"
             R"("messages":[{"role":"user","content":"q"},{"role":"assistant","content":null,)"
             R"("function_call":{"name":"f","arguments":"{}"}},)"
             R"({"role":"function","name":"f","content":"42"}])");
  REQUIRE(decoded.accepted);
  CHECK(decoded.request.legacy_functions);
  REQUIRE(decoded.request.tools.count == 1);
  CHECK(decoded.request.tools.first->name == "f");
  CHECK(decoded.request.tools.first->schema.bytes == R"({"type":"object"})");
  CHECK(decoded.request.tool_choice == ToolChoice::named);
  const Part& call = part_at(message_at(decoded, 1));
  CHECK(!call.id.empty());
  const Part& result = part_at(message_at(decoded, 2));
  CHECK(result.kind == PartKind::tool_result);
  CHECK(result.id == call.id);
  CHECK(result.name == "f");
}

TEST_CASE("tools keep their order, schema bytes and strictness") {
  const Decoding decoded =
      with(R"("tools":[{"type":"function","function":{"name":"z","description":"d\n",)"
           R"("parameters":{"type": "object", "a":1.0},"strict":true}},)"
           R"({"type":"function","function":{"name":"a","parameters":null},"cache_control":{)"
           R"("type":"ephemeral","ttl":"1h"}},)"
           R"({"type":"custom","custom":{"name":"sql","format":{"type":"text"}}}],)"
           R"("parallel_tool_calls":false)");
  REQUIRE(decoded.accepted);
  REQUIRE(decoded.request.tools.count == 3);
  const Tool* tool = decoded.request.tools.first;
  CHECK(tool->name == "z");
  CHECK(tool->schema.bytes == R"({"type": "object", "a":1.0})");
  CHECK(tool->strict == Flag::yes);
  CHECK(tool->description.bytes == "d\\n");
  tool = tool->next;
  CHECK(tool->name == "a");
  CHECK(!tool->schema.given());
  CHECK(tool->cache == CacheMark::one_hour);
  tool = tool->next;
  CHECK(tool->kind == Tool::Kind::custom);
  CHECK(decoded.request.parallel_tool_calls == Flag::no);
}

TEST_CASE("each form of tool_choice is read, and names must be those of tools") {
  const std::string tools =
      R"("tools":[{"type":"function","function":{"name":"f"}},{"type":"function",)"
      R"("function":{"name":"g"}}],"tool_choice":)";
  CHECK(with(tools + R"("none")").request.tool_choice == ToolChoice::none);
  CHECK(with(tools + R"("auto")").request.tool_choice == ToolChoice::automatic);
  CHECK(with(tools + R"("required")").request.tool_choice == ToolChoice::required);
  const Decoding named = with(tools + R"({"type":"function","function":{"name":"g"}})");
  CHECK(named.request.tool_choice == ToolChoice::named);
  CHECK(named.request.tool_choice_name == "g");
  const Decoding allowed =
      with(tools + R"({"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[{)"
                   R"("type":"function","function":{"name":"g"}}]}})");
  CHECK(allowed.request.tool_choice == ToolChoice::required);
  REQUIRE(allowed.request.allowed_tools.count == 1);
  CHECK(allowed.request.allowed_tools.first->plain == "g");

  const std::string hi = R"("messages":[{"role":"user","content":"hi"}],)" + tools;
  check_refused({
      {hi + R"({"type":"function","function":{"name":"h"}})", "tool_choice.function.name"},
      {hi + R"({"type":"function","function":{}})", "tool_choice.function.name"},
      {hi + R"({"type":"function"})", "tool_choice.function"},
      {hi + R"({"type":"other"})", "tool_choice.type"},
      {hi + R"({"type":"allowed_tools","allowed_tools":{"mode":"any","tools":[{)"
            R"("type":"function","function":{"name":"g"}}]}})",
       "tool_choice.allowed_tools.mode"},
      {hi + R"({"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[]}})",
       "tool_choice.allowed_tools.tools"},
      {hi + R"({"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[{)"
            R"("type":"function","function":{"name":"x"}}]}})",
       "tool_choice.allowed_tools.tools[0]"},
  });
}

TEST_CASE("thinking that came back stands first, blocks before bare text, makers told apart") {
  Decoding decoded = messages(
      R"({"role":"user","content":"q"},{"role":"assistant","content":"a","reasoning_content":"hm",)"
      R"("thinking_blocks":[{"type":"thinking","thinking":"hm","signature":"Sig+/="},)"
      R"({"type":"redacted_thinking","data":"xyz"},{"type":"thinking","thinking":"",)"
      R"("signature":"hyperion.openai.Enc"}]})");
  REQUIRE(decoded.accepted);
  const Message& message = message_at(decoded, 1);
  REQUIRE(message.parts.count == 4);
  CHECK(part_at(message, 0).kind == PartKind::thinking);
  CHECK(part_at(message, 0).signature.bytes == "Sig+/=");
  CHECK(part_at(message, 0).signature_of == Maker::anthropic);
  CHECK(part_at(message, 1).kind == PartKind::redacted_thinking);
  CHECK(part_at(message, 1).text.bytes == "xyz");
  CHECK(part_at(message, 2).signature.bytes == "Enc");
  CHECK(part_at(message, 2).signature_of == Maker::openai);
  CHECK(part_at(message, 3).kind == PartKind::text);

  decoded = messages(R"({"role":"user","content":"q"},{"role":"assistant","content":"a",)"
                     R"("reasoning_content":"hm"})");
  REQUIRE(decoded.accepted);
  CHECK(part_at(message_at(decoded, 1)).kind == PartKind::thinking);
  CHECK(part_at(message_at(decoded, 1)).text.bytes == "hm");
  CHECK(!part_at(message_at(decoded, 1)).signature.given());
}

TEST_CASE("Gemini's signature is found in extra_content and in LiteLLM's ids") {
  for (const char* call :
       {R"({"id":"call_1","type":"function","function":{"name":"f","arguments":"{}"},)"
        R"("extra_content":{"google":{"thought_signature":"A+\/b="}}})",
        R"({"id":"call_1__thought__A+\/b=","type":"function","function":{"name":"f",)"
        R"("arguments":"{}"}})"}) {
    CAPTURE(call);
    const bool in_id = std::string(call).find("__thought__") != std::string::npos;
    const Decoding decoded =
        messages(R"({"role":"assistant","tool_calls":[)" + std::string(call) +
                 R"(]},{"role":"tool","tool_call_id":")" +
                 (in_id ? R"(call_1__thought__A+\/b=)" : "call_1") + R"(","content":"r"})");
    REQUIRE(decoded.accepted);
    const Part& part = part_at(message_at(decoded, 0));
    CHECK(part.id == "call_1");
    CHECK(part.signature.bytes == "A+\\/b=");
    CHECK(part.signature_of == Maker::gemini);
    CHECK(part_at(message_at(decoded, 1)).id == "call_1");
  }
}

TEST_CASE("an empty text beside calls is no part of the turn") {
  const Decoding decoded =
      messages(R"({"role":"assistant","content":"","tool_calls":[{"id":"c","type":"function",)"
               R"("function":{"name":"f","arguments":""}}]},)"
               R"({"role":"tool","tool_call_id":"c","content":[]})");
  REQUIRE(decoded.accepted);
  CHECK(message_at(decoded, 0).parts.count == 1);
  CHECK(part_at(message_at(decoded, 1)).content.empty());
}
