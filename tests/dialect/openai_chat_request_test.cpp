#include <string>

#include <doctest/doctest.h>

#include "dialect/harness.h"
#include "dialect/openai_chat.h"

using namespace hyperion;
using namespace hyperion::dialect;
using catalog::Effort;
using test::Decoding;

namespace {

Decoding decode(const std::string& members) {
  return Decoding(openai_chat::language(), "{\"model\":\"m\"," + members + "}");
}

// A request of one user message beside other members.
Decoding with(const std::string& members) {
  return decode(R"("messages":[{"role":"user","content":"hi"}],)" + members);
}

Decoding messages(const std::string& list) { return decode("\"messages\":[" + list + "]"); }

const Message& message_at(const Decoding& decoded, size_t index) {
  const Message* message = decoded.request.messages.first;
  for (; message != nullptr && index > 0; --index) message = message->next;
  REQUIRE(message != nullptr);
  return *message;
}

const Part& part_at(const Message& message, size_t index = 0) {
  const Part* part = message.parts.first;
  for (; part != nullptr && index > 0; --index) part = part->next;
  REQUIRE(part != nullptr);
  return *part;
}

// The first part of a user message whose content is [part].
Decoding user_part(const std::string& part) {
  return messages(R"({"role":"user","content":[)" + part + "]}");
}

constexpr const char* a_call =
    R"({"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function",)"
    R"("function":{"name":"f","arguments":"{\"a\": 1}"}}]})";

struct Refusal {
  std::string members;
  const char* param;
};

void check_refused(const std::vector<Refusal>& refusals) {
  for (const Refusal& item : refusals) {
    CAPTURE(item.members);
    const Decoding decoded = decode(item.members);
    CHECK(!decoded.accepted);
    CHECK(decoded.problem.status == 400);
    CHECK(std::string(decoded.problem.code) == "invalid_request");
    CHECK(decoded.param() == item.param);
    CHECK(decoded.message().find("expected ") != std::string::npos);
    CHECK(decoded.message().find(item.param) != std::string::npos);
  }
}

}  // namespace

TEST_CASE("the top level of a chat request is read field by field") {
  const Decoding decoded = with(
      R"("max_tokens":5,"max_completion_tokens":7,"temperature":0.70,"top_p":1e-1,)"
      R"("top_k":40,"n":2,)"
      R"("stop":"END\n","seed":9007199254740993,"presence_penalty":-1.5,"frequency_penalty":0,)"
      R"("logit_bias":{"50256":-100},"logprobs":true,"top_logprobs":3,"user":"u\"1",)"
      R"("metadata":{"a":"b"},"store":true,"service_tier":"flex","verbosity":"low","stream":true,)"
      R"("stream_options":{"include_usage":true,"include_obfuscation":false},)"
      R"("modalities":["text","audio"],"audio":{"voice":"alloy","format":"wav"},)"
      R"("prediction":{"type":"content","content":"x"},"web_search_options":{})");
  REQUIRE(decoded.accepted);
  const Request& request = decoded.request;
  CHECK(request.output_tokens_max == 7);
  CHECK(request.temperature.bytes == "0.70");
  CHECK(request.top_p.bytes == "1e-1");
  CHECK(request.top_k.bytes == "40");
  CHECK(request.n == 2);
  REQUIRE(request.stop.count == 1);
  CHECK(request.stop.first->raw.bytes == "END\\n");
  CHECK(request.seed.bytes == "9007199254740993");
  CHECK(request.presence_penalty.bytes == "-1.5");
  CHECK(request.frequency_penalty.bytes == "0");
  CHECK(request.logit_bias.bytes == R"({"50256":-100})");
  CHECK(request.logprobs);
  CHECK(request.top_logprobs == 3);
  CHECK(request.user.bytes == "u\\\"1");
  CHECK(request.metadata.bytes == R"({"a":"b"})");
  CHECK(request.store == Flag::yes);
  CHECK(request.service_tier == "flex");
  CHECK(request.verbosity == "low");
  CHECK(request.stream);
  CHECK(request.include_usage);
  CHECK(request.audio_wanted);
  CHECK(request.prediction.given());
  CHECK(request.web_search.bytes == "{}");
  CHECK(request.unknown.empty());
}

TEST_CASE("max_tokens counts where max_completion_tokens is not given") {
  CHECK(with(R"("max_tokens":5)").request.output_tokens_max == 5);
  CHECK(with(R"("max_tokens":5,"max_completion_tokens":null)").request.output_tokens_max == 5);
  CHECK(with(R"("max_completion_tokens":7,"max_tokens":5)").request.output_tokens_max == 7);
  CHECK(with(R"("n":1)").request.output_tokens_max == -1);
}

TEST_CASE("null is not given, for whatever is optional") {
  const Decoding decoded =
      with(R"("max_tokens":null,"temperature":null,"stop":null,"tools":null,"tool_choice":null,)"
           R"("response_format":null,"reasoning_effort":null,"stream":null,"stream_options":null,)"
           R"("user":null,"metadata":null,"logit_bias":null,"modalities":null,"reasoning":null,)"
           R"("thinking":null,"n":null,"store":null,"something_new":null)");
  REQUIRE(decoded.accepted);
  CHECK(!decoded.request.temperature.given());
  CHECK(!decoded.request.user.given());
  CHECK(!decoded.request.effort_given);
  CHECK(decoded.request.unknown.empty());
}

TEST_CASE("stop is a string or a list of them") {
  const Decoding decoded = with(R"("stop":["a","b\u000a"])");
  REQUIRE(decoded.request.stop.count == 2);
  CHECK(decoded.request.stop.last->raw.bytes == "b\\u000a");
  CHECK(with(R"("stop":[])").request.stop.empty());
}

TEST_CASE("safety_identifier is the end user's id, and goes before user") {
  CHECK(with(R"("safety_identifier":"s","user":"u")").request.user.bytes == "s");
  CHECK(with(R"("safety_identifier":"s")").request.user.bytes == "s");
}

TEST_CASE("unknown fields are named, Hyperion's own and the model are not") {
  const Decoding decoded =
      with(R"("hyperion":{"explain":true},"smart_routing":false,"fallbacks":["x"],"models":["y"],)"
           R"("moderation":{"model":"o"},"strange\u0041":1,"extra_body":{"top_k":3,"other":2})");
  REQUIRE(decoded.accepted);
  REQUIRE(decoded.request.unknown.count == 3);
  CHECK(decoded.request.unknown.first->plain == "moderation");
  CHECK(decoded.request.unknown.first->next->plain == "strangeA");
  CHECK(decoded.request.unknown.last->plain == "other");
  CHECK(decoded.request.top_k.bytes == "3");
}

TEST_CASE("wrong types and ranges are refused by name") {
  const std::string hi = R"("messages":[{"role":"user","content":"hi"}],)";
  check_refused({
      {hi + R"("max_tokens":0)", "max_tokens"},
      {hi + R"("max_tokens":"5")", "max_tokens"},
      {hi + R"("max_completion_tokens":1.5)", "max_completion_tokens"},
      {hi + R"("temperature":"hot")", "temperature"},
      {hi + R"("n":0)", "n"},
      {hi + R"("n":129)", "n"},
      {hi + R"("stop":5)", "stop"},
      {hi + R"("stop":["a",5])", "stop[1]"},
      {hi + R"("stream":"yes")", "stream"},
      {hi + R"("stream_options":[])", "stream_options"},
      {hi + R"("stream_options":{"include_usage":1})", "stream_options.include_usage"},
      {hi + R"("top_logprobs":21)", "top_logprobs"},
      {hi + R"("reasoning_effort":"huge")", "reasoning_effort"},
      {hi + R"("reasoning":{"effort":"huge"})", "reasoning.effort"},
      {hi + R"("thinking":{"type":"maybe"})", "thinking.type"},
      {hi + R"("modalities":["video"])", "modalities[0]"},
      {hi + R"("metadata":[])", "metadata"},
      {hi + R"("user":5)", "user"},
      {hi + R"("tools":[])", "tools"},
      {hi + R"("tools":{})", "tools"},
      {hi + R"("tools":[5])", "tools[0]"},
      {hi + R"("tools":[{"type":"web_search"}])", "tools[0].type"},
      {hi + R"("tools":[{"type":"function"}])", "tools[0].function"},
      {hi + R"("tools":[{"type":"function","function":{}}])", "tools[0].function.name"},
      {hi + R"("tools":[{"type":"function","function":{"name":"f","parameters":"x"}}])",
       "tools[0].function.parameters"},
      {hi + R"("functions":[])", "functions"},
      {hi + R"("tool_choice":"any")", "tool_choice"},
      {hi + R"("tool_choice":"required")", "tool_choice"},
      {hi + R"("response_format":{"type":"xml"})", "response_format.type"},
      {hi + R"("response_format":{"type":"json_schema"})", "response_format.json_schema"},
      {hi + R"("response_format":{"type":"json_schema","json_schema":{"schema":{}}})",
       "response_format.json_schema.name"},
      {hi + R"("response_format":{"type":"json_schema","json_schema":{"name":"a"}})",
       "response_format.json_schema.schema"},
      {R"("messages":[])", "messages"},
      {R"("messages":"hi")", "messages"},
      {R"("n":1)", "messages"},
  });
}

TEST_CASE("every row of the table of roles is read, developer as system") {
  const Decoding decoded =
      messages(std::string(R"({"role":"system","content":"s"},{"role":"developer","content":"d"},)"
                           R"({"content":"u","role":"user","name":"ann"},)") +
               a_call + R"(,{"role":"tool","tool_call_id":"call_1","content":"r"},)" +
               R"({"role":"assistant","content":"a"})");
  REQUIRE(decoded.accepted);
  REQUIRE(decoded.request.messages.count == 6);
  const Role roles[] = {Role::system,    Role::system, Role::user,
                        Role::assistant, Role::tool,   Role::assistant};
  for (size_t i = 0; i < 6; ++i) {
    CHECK(message_at(decoded, i).role == roles[i]);
    CHECK(message_at(decoded, i).index == i);
  }
  CHECK(message_at(decoded, 2).name == "ann");
  CHECK(part_at(message_at(decoded, 1)).text.bytes == "d");
}

TEST_CASE("wrong roles and contents are refused by place") {
  check_refused({
      {R"("messages":[5])", "messages[0]"},
      {R"("messages":[{"content":"x"}])", "messages[0].role"},
      {R"("messages":[{"role":"model","content":"x"}])", "messages[0].role"},
      {R"("messages":[{"role":5,"content":"x"}])", "messages[0].role"},
      {R"("messages":[{"role":"user"}])", "messages[0].content"},
      {R"("messages":[{"role":"user","content":null}])", "messages[0].content"},
      {R"("messages":[{"role":"user","content":5}])", "messages[0].content"},
      {R"("messages":[{"role":"user","content":[]}])", "messages[0].content"},
      {R"("messages":[{"role":"user","content":["x"]}])", "messages[0].content[0]"},
      {R"("messages":[{"role":"user","content":[{"text":"x"}]}])", "messages[0].content[0].type"},
      {R"("messages":[{"role":"user","content":[{"type":"video"}]}])",
       "messages[0].content[0].type"},
      {R"("messages":[{"role":"user","content":[{"type":"text"}]}])",
       "messages[0].content[0].text"},
      {R"("messages":[{"role":"system","content":[{"type":"image_url","image_url":"x"}]}])",
       "messages[0].content[0].type"},
      {R"("messages":[{"role":"user","content":[{"type":"refusal","refusal":"x"}]}])",
       "messages[0].content[0].type"},
      {R"("messages":[{"role":"assistant","content":null}])", "messages[0].content"},
      {R"("messages":[{"role":"assistant","tool_calls":[]}])", "messages[0].tool_calls"},
      {R"("messages":[{"role":"user","content":"a"},{"role":"assistant","content":[{)"
       R"("type":"image_url","image_url":"x"}]}])",
       "messages[1].content[0].type"},
  });
}

TEST_CASE("an image is a data URL or a public one") {
  Decoding decoded =
      user_part(R"({"type":"image_url","image_url":{"url":"data:image\/PNG;charset=x;base64,)"
                R"(iVBO\/w==","detail":"low"}})");
  REQUIRE(decoded.accepted);
  const Part& data = part_at(message_at(decoded, 0));
  CHECK(data.kind == PartKind::image);
  CHECK(data.media_type == "image/png");
  CHECK(data.data.bytes == "iVBO\\/w==");
  CHECK(data.detail == "low");
  for (const char* url : {"https://a.example/b.png", "HTTP://a.example", "gs://bucket/x",
                          "https:\\/\\/a.example\\/b"}) {
    decoded =
        user_part(R"({"image_url":{"url":")" + std::string(url) + R"("},"type":"image_url"})");
    REQUIRE(decoded.accepted);
    CHECK(part_at(message_at(decoded, 0)).url.bytes == url);
  }
}

TEST_CASE("a PDF in image_url is a file, a sound is audio") {
  Decoding decoded = user_part(
      R"({"type":"image_url","image_url":{"url":"data:application/pdf;base64,JVBERi0="}})");
  REQUIRE(decoded.accepted);
  CHECK(part_at(message_at(decoded, 0)).kind == PartKind::file);
  decoded = user_part(R"({"type":"image_url","image_url":{"url":"data:audio/ogg;base64,T2dn"}})");
  CHECK(part_at(message_at(decoded, 0)).kind == PartKind::audio);
}

TEST_CASE("audio and files are read with their types") {
  Decoding decoded =
      user_part(R"({"type":"input_audio","input_audio":{"data":"UklGRg==","format":"wav"}})");
  REQUIRE(decoded.accepted);
  const Part& audio = part_at(message_at(decoded, 0));
  CHECK(audio.kind == PartKind::audio);
  CHECK(audio.media_type == "audio/wav");
  CHECK(audio.data.bytes == "UklGRg==");

  decoded = user_part(R"({"type":"file","file":{"filename":"a b.pdf",)"
                      R"("file_data":"data:application/pdf;base64,JVBERi0="}})");
  REQUIRE(decoded.accepted);
  const Part& file = part_at(message_at(decoded, 0));
  CHECK(file.kind == PartKind::file);
  CHECK(file.media_type == "application/pdf");
  CHECK(file.file_name.bytes == "a b.pdf");

  decoded = user_part(R"({"type":"file","file":{"file_data":"JVBERi0x"}})");
  REQUIRE(decoded.accepted);
  CHECK(part_at(message_at(decoded, 0)).media_type == "application/pdf");

  decoded = user_part(R"({"type":"file","file":{"file_id":"file-1"}})");
  REQUIRE(decoded.accepted);
  CHECK(part_at(message_at(decoded, 0)).file_id == "file-1");
}

TEST_CASE("media that cannot be read are refused by place") {
  auto part = [](const std::string& text) {
    return R"("messages":[{"role":"user","content":[{"type":"text","text":"a"},)" + text + "]}]";
  };
  check_refused({
      {part(R"({"type":"image_url"})"), "messages[0].content[1].image_url"},
      {part(R"({"type":"image_url","image_url":{}})"), "messages[0].content[1].image_url.url"},
      {part(R"({"type":"image_url","image_url":{"url":"file:///etc/passwd"}})"),
       "messages[0].content[1].image_url.url"},
      {part(R"({"type":"image_url","image_url":{"url":"data:image/png,raw"}})"),
       "messages[0].content[1].image_url.url"},
      {part(R"({"type":"image_url","image_url":{"url":"data:image/png;base64,iVB\nO"}})"),
       "messages[0].content[1].image_url.url"},
      {part(R"({"type":"image_url","image_url":{"url":"data:;base64,iVBO"}})"),
       "messages[0].content[1].image_url.url"},
      {part(R"({"type":"input_audio","input_audio":{"data":"UklG","format":"midi"}})"),
       "messages[0].content[1].input_audio.format"},
      {part(R"({"type":"input_audio","input_audio":{"data":"Ukl\r\nG","format":"mp3"}})"),
       "messages[0].content[1].input_audio.data"},
      {part(R"({"type":"file","file":{}})"), "messages[0].content[1].file.file_data"},
      {part(R"({"type":"file","file":{"file_data":"aGFsbG8="}})"),
       "messages[0].content[1].file.file_data"},
  });
}

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

TEST_CASE("the three response formats are told apart") {
  CHECK(with(R"("response_format":{"type":"text"})").request.format == Format::text);
  CHECK(with(R"("response_format":{"type":"json_object"})").request.format == Format::json_object);
  const Decoding decoded =
      with(R"("response_format":{"json_schema":{"name":"n","description":"d","schema":{)"
           R"("b":1,"a":2},"strict":true},"type":"json_schema"})");
  REQUIRE(decoded.accepted);
  CHECK(decoded.request.format == Format::json_schema);
  CHECK(decoded.request.schema_name == "n");
  CHECK(decoded.request.schema.bytes == R"({"b":1,"a":2})");
  CHECK(decoded.request.schema_strict == Flag::yes);
}

TEST_CASE("every way to ask for reasoning is understood") {
  struct Case {
    const char* members;
    bool effort_given;
    Effort effort;
    int64_t budget;
    Flag shown;
  };
  const Case cases[] = {
      {R"("reasoning_effort":"none")", true, Effort::none, -1, Flag::unset},
      {R"("reasoning_effort":"xhigh")", true, Effort::xhigh, -1, Flag::unset},
      {R"("reasoning":{"effort":"low"})", true, Effort::low, -1, Flag::unset},
      {R"("reasoning":{"max_tokens":2000,"exclude":true})", false, Effort::none, 2000, Flag::no},
      {R"("reasoning":{"enabled":true})", false, Effort::none, -2, Flag::unset},
      {R"("reasoning":{"enabled":false})", false, Effort::none, 0, Flag::unset},
      {R"("include_reasoning":true)", false, Effort::none, -1, Flag::yes},
      {R"("thinking":{"type":"enabled","budget_tokens":4096})", false, Effort::none, 4096,
       Flag::unset},
      {R"("thinking":{"budget_tokens":4096,"type":"disabled"})", false, Effort::none, 0,
       Flag::unset},
      {R"("thinking":{"type":"adaptive","display":"omitted"})", false, Effort::none, -2, Flag::no},
      {R"("thinking_budget":0)", false, Effort::none, 0, Flag::unset},
  };
  for (const Case& item : cases) {
    CAPTURE(item.members);
    const Decoding decoded = with(item.members);
    REQUIRE(decoded.accepted);
    CHECK(decoded.request.effort_given == item.effort_given);
    CHECK(decoded.request.effort == item.effort);
    CHECK(decoded.request.thinking_budget_tokens == item.budget);
    CHECK(decoded.request.thinking_shown == item.shown);
  }
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

TEST_CASE("marks of caches are found on parts, messages and tool results") {
  const Decoding decoded = messages(
      std::string(
          R"({"role":"system","content":[{"type":"text","text":"a","cache_control":{)"
          R"("type":"ephemeral"}},{"type":"text","text":"b"}]},)"
          R"({"role":"user","content":"u","cache_control":{"type":"ephemeral","ttl":"1h"}},)"
          R"({"role":"user","content":[{"type":"text","text":"v",)"
          R"("prompt_cache_breakpoint":{"mode":"explicit","ttl":"12h"}}]},)") +
      a_call +
      R"(,{"role":"tool","tool_call_id":"call_1","content":[{"type":"text","text":"r",)"
      R"("cache_control":{"type":"ephemeral"}}]})");
  REQUIRE(decoded.accepted);
  CHECK(part_at(message_at(decoded, 0), 0).cache == CacheMark::short_lived);
  CHECK(part_at(message_at(decoded, 0), 1).cache == CacheMark::none);
  CHECK(part_at(message_at(decoded, 1)).cache == CacheMark::one_hour);
  CHECK(part_at(message_at(decoded, 2)).cache == CacheMark::one_hour);
  CHECK(part_at(message_at(decoded, 4)).cache == CacheMark::short_lived);
  CHECK(with(R"("cache_control":{"type":"ephemeral"})").request.cache_automatic);
}

TEST_CASE("a refusal of the assistant is a part of its turn") {
  const Decoding decoded = messages(
      R"({"role":"user","content":"q"},{"role":"assistant","content":null,"refusal":"no"},)"
      R"({"role":"assistant","content":[{"type":"refusal","refusal":"never"}]})");
  REQUIRE(decoded.accepted);
  CHECK(part_at(message_at(decoded, 1)).kind == PartKind::refusal);
  CHECK(part_at(message_at(decoded, 1)).text.bytes == "no");
  CHECK(part_at(message_at(decoded, 2)).kind == PartKind::refusal);
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
