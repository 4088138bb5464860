#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "dialect/harness.h"
#include "dialect/openai_chat.h"

using namespace hyperion;
using catalog::Effort;
using dialect::CacheMark;
using dialect::Format;
using dialect::Maker;
using dialect::Message;
using dialect::Part;
using dialect::PartKind;
using dialect::Request;
using dialect::Role;
using dialect::Tool;
using dialect::ToolChoice;
using dialect::Word;
using test::Encoding;
using test::json_of;
namespace openai_chat = dialect::openai_chat;

namespace {

// A request built by hand, and who it is written for.
struct Asked {
  Message& message(Role role) {
    messages.push_back(std::make_unique<Message>());
    messages.back()->role = role;
    messages.back()->index = request.messages.count;
    request.messages.append(messages.back().get());
    return *messages.back();
  }
  Part& part(PartKind kind, std::string_view text = {}) {
    return part_in(messages.back()->parts, kind, text);
  }
  Part& part_in(dialect::Chain<Part>& chain, PartKind kind, std::string_view text = {}) {
    parts.push_back(std::make_unique<Part>());
    Part& made = *parts.back();
    made.kind = kind;
    made.text.bytes = text;
    chain.append(&made);
    return made;
  }
  void say(Role role, std::string_view text) {
    message(role);
    part(PartKind::text, text);
  }
  Part& call(std::string_view id, std::string_view name, std::string_view arguments) {
    Part& made = part(PartKind::tool_call);
    made.id = id;
    made.name = name;
    made.arguments.bytes = arguments;
    return made;
  }
  Part& result(std::string_view id, std::string_view text) {
    Part& made = part(PartKind::tool_result);
    made.id = id;
    if (!text.empty()) part_in(made.content, PartKind::text, text);
    return made;
  }
  Tool& tool(std::string_view name) {
    tools.push_back(std::make_unique<Tool>());
    tools.back()->name = name;
    request.tools.append(tools.back().get());
    return *tools.back();
  }
  void word(dialect::Chain<Word>& chain, std::string_view text) {
    words.push_back(std::make_unique<Word>());
    words.back()->plain = text;
    words.back()->raw.bytes = text;
    chain.append(words.back().get());
  }

  Encoding encode() const {
    return test::encode(openai_chat::language(), request, provider, known ? &model : nullptr,
                        "gpt-x", settings);
  }
  test::Json json() const {
    const Encoding encoding = encode();
    REQUIRE(encoding.accepted);
    return encoding.json();
  }

  Request request;
  catalog::Provider provider;
  catalog::Model model;
  bool known = true;
  dialect::TranslationSettings settings;
  std::vector<std::unique_ptr<Message>> messages;
  std::vector<std::unique_ptr<Part>> parts;
  std::vector<std::unique_ptr<Tool>> tools;
  std::vector<std::unique_ptr<Word>> words;
};

Asked asked() {
  Asked made;
  made.say(Role::user, "hi");
  return made;
}

Asked asked_with_tool() {
  Asked made = asked();
  made.tool("f");
  return made;
}

void set_efforts(catalog::Model& model, std::initializer_list<Effort> efforts) {
  for (Effort effort : efforts) {
    model.efforts.bits =
        static_cast<uint8_t>(model.efforts.bits | 1 << static_cast<uint8_t>(effort));
  }
}

}  // namespace

TEST_CASE("the smallest request is model and messages, in this order") {
  CHECK(asked().encode().body ==
        R"({"model":"gpt-x","messages":[{"role":"user","content":"hi"}]})");
}

TEST_CASE("usage is asked for in streams unless it comes unasked") {
  Asked made = asked();
  made.request.stream = true;
  CHECK(made.json()["stream_options"] == json_of(R"({"include_usage":true})"));
  made.provider.stream_usage = false;
  CHECK(made.json().find("stream_options") == nullptr);
  CHECK(made.json()["stream"].boolean);
}

TEST_CASE("the limit of tokens has the provider's name, and the model's where it has but one") {
  Asked made = asked();
  made.request.output_tokens_max = 100;
  CHECK(made.json()["max_completion_tokens"].integer() == 100);
  made.provider.max_tokens_field = "max_tokens";
  CHECK(made.json()["max_tokens"].integer() == 100);
  made.model.max_completion_tokens_only = true;
  CHECK(made.json()["max_completion_tokens"].integer() == 100);
  CHECK(made.json().find("max_tokens") == nullptr);
  made.model.output_tokens_max = 64;
  CHECK(made.json()["max_completion_tokens"].integer() == 64);
  CHECK(made.encode().adjusted == "max_tokens");
}

TEST_CASE("sampling is sent by model, numbers as they were spelled") {
  Asked made = asked();
  made.request.temperature.bytes = "0.70";
  made.request.top_p.bytes = "1e-1";
  made.request.seed.bytes = "9007199254740993";
  CHECK(made.encode().body.find(R"("temperature":0.70,"top_p":1e-1,"seed":9007199254740993)") !=
        std::string::npos);
  made.model.sampling = catalog::Sampling::no;
  Encoding encoding = made.encode();
  CHECK(encoding.json().find("temperature") == nullptr);
  CHECK(encoding.dropped == "temperature, top_p");
  // With effort none only.
  made.model.sampling = catalog::Sampling::effort_none;
  set_efforts(made.model, {Effort::none, Effort::low});
  CHECK(made.json().find("temperature") == nullptr);
  made.request.effort_given = true;
  made.request.effort = Effort::none;
  CHECK(made.json()["temperature"].text == "0.70");
  CHECK(made.json()["reasoning_effort"].text == "none");
  made.request.effort = Effort::low;
  CHECK(made.json().find("temperature") == nullptr);
}

TEST_CASE("effort is the nearest that the model has; budgets become efforts") {
  struct Case {
    bool given;
    Effort effort;
    int64_t budget;
    const char* word;
    const char* adjusted;
  };
  for (const Case& item :
       {Case{false, Effort::none, -1, "", ""}, Case{true, Effort::high, -1, "high", ""},
        Case{true, Effort::max, -1, "high", "reasoning_effort"},
        Case{true, Effort::none, -1, "low", "reasoning_effort"},
        Case{false, Effort::none, 1024, "low", ""}, Case{false, Effort::none, 8192, "medium", ""},
        Case{false, Effort::none, 32000, "high", ""}, Case{false, Effort::none, -2, "medium", ""},
        Case{true, Effort::low, 32000, "low", ""}}) {
    Asked made = asked();
    set_efforts(made.model, {Effort::low, Effort::medium, Effort::high});
    made.request.effort_given = item.given;
    made.request.effort = item.effort;
    made.request.thinking_budget_tokens = item.budget;
    const Encoding encoding = made.encode();
    CHECK(encoding.json()["reasoning_effort"].text == item.word);
    CHECK(encoding.adjusted == item.adjusted);
  }
  // A model that takes none; one that nobody knows.
  Asked made = asked();
  made.request.effort_given = true;
  made.request.effort = Effort::high;
  CHECK(made.json().find("reasoning_effort") == nullptr);
  CHECK(made.encode().dropped == "reasoning_effort");
  made.known = false;
  CHECK(made.json()["reasoning_effort"].text == "high");
}

TEST_CASE("who takes tools only without reasoning is told so") {
  Asked made = asked_with_tool();
  made.model.tools_with_reasoning = false;
  set_efforts(made.model, {Effort::none, Effort::high});
  CHECK(made.json()["reasoning_effort"].text == "none");
  made.request.effort_given = true;
  made.request.effort = Effort::high;
  CHECK(made.json()["reasoning_effort"].text == "none");
  CHECK(made.encode().adjusted == "reasoning_effort");
  // One that cannot but reason takes them where nothing is said of its effort.
  made.model.efforts = {};
  set_efforts(made.model, {Effort::low, Effort::high});
  CHECK(made.json().find("reasoning_effort") == nullptr);
  CHECK(made.encode().dropped == "reasoning_effort");
  made.request.effort_given = false;
  CHECK(made.json().find("reasoning_effort") == nullptr);
  CHECK(made.encode().dropped == "");
}

TEST_CASE("system is developer where the provider has that role and the model reasons") {
  Asked made;
  made.say(Role::system, "a");
  made.say(Role::user, "hi");
  CHECK(made.json()["messages"].elements[0]["role"].text == "system");
  made.model.capabilities.reasoning = catalog::Answer::yes;
  CHECK(made.json()["messages"].elements[0]["role"].text == "developer");
  made.provider.developer_role = false;
  CHECK(made.json()["messages"].elements[0]["role"].text == "system");
}

TEST_CASE("texts of a turn are one string, of the assistant without a gap") {
  Asked made;
  made.message(Role::user);
  made.part(PartKind::text, "a\\n");
  made.part(PartKind::text, "");
  made.part(PartKind::text, "b");
  made.message(Role::assistant);
  made.part(PartKind::text, "c");
  made.part(PartKind::refusal, "d");
  made.say(Role::user, "e");
  const auto messages = made.json()["messages"].elements;
  CHECK(messages[0]["content"].text == "a\n\n\nb");
  CHECK(messages[1]["content"].text == "cd");
}

TEST_CASE("marks of caches go where the provider takes them, else they are named") {
  Asked made;
  made.message(Role::user);
  made.part(PartKind::text, "a").cache = CacheMark::one_hour;
  made.part(PartKind::text, "b");
  made.tool("f").cache = CacheMark::short_lived;
  CHECK(made.json()["messages"].elements[0]["content"].text == "a\n\nb");
  CHECK(made.encode().dropped == "cache_control");
  CHECK(made.encode().body.find("cache_control") == std::string::npos);
  made.provider.cache_control_parts = true;
  CHECK(made.json()["messages"].elements[0]["content"] ==
        json_of(R"([{"type":"text","text":"a","cache_control":{"type":"ephemeral","ttl":"1h"}},{)"
                R"("type":"text","text":"b"}])"));
  CHECK(made.json()["tools"].elements[0]["cache_control"] == json_of(R"({"type":"ephemeral"})"));
  CHECK(made.encode().dropped == "");
}

TEST_CASE("media are written as parts") {
  Asked made;
  made.message(Role::user);
  made.part(PartKind::text, "look");
  Part& image = made.part(PartKind::image);
  image.media_type = "image/png";
  image.data.bytes = "iVBO";
  image.detail = "low";
  made.part(PartKind::image).url.bytes = "https://a/b.png";
  Part& file = made.part(PartKind::file);
  file.media_type = "application/pdf";
  file.data.bytes = "JVBE";
  Part& audio = made.part(PartKind::audio);
  audio.media_type = "audio/mpeg";
  audio.data.bytes = "SUQz";
  made.part(PartKind::file).text.bytes = "a document";
  CHECK(made.json()["messages"].elements[0]["content"] == json_of(R"([
      {"type":"text","text":"look"},
      {"type":"image_url","image_url":{"url":"data:image/png;base64,iVBO","detail":"low"}},
      {"type":"image_url","image_url":{"url":"https://a/b.png"}},
      {"type":"file","file":{"filename":"document.pdf",
        "file_data":"data:application/pdf;base64,JVBE"}},
      {"type":"input_audio","input_audio":{"data":"SUQz","format":"mp3"}},
      {"type":"text","text":"a document"}])"));
}

TEST_CASE("media that Chat Completions cannot have are refused") {
  struct Case {
    PartKind kind;
    const char* media_type;
    const char* data;
    const char* url;
    const char* file_id;
  };
  for (const Case& item : {Case{PartKind::image, "", nullptr, "gs://b/x", ""},
                           Case{PartKind::file, "", nullptr, nullptr, "file_1"},
                           Case{PartKind::file, "application/zip", "UEsD", nullptr, ""},
                           Case{PartKind::file, "", nullptr, "https://a/b.pdf", ""},
                           Case{PartKind::audio, "audio/flac", "ZkxhQw==", nullptr, ""}}) {
    for (dialect::Unsupported mode : {dialect::Unsupported::strict, dialect::Unsupported::drop}) {
      Asked made = asked();
      made.settings.unsupported = mode;
      Part& part = made.part(item.kind);
      part.media_type = item.media_type;
      if (item.data != nullptr) part.data.bytes = item.data;
      if (item.url != nullptr) part.url.bytes = item.url;
      part.file_id = item.file_id;
      const Encoding encoding = made.encode();
      CHECK(!encoding.accepted);
      CHECK(std::string(encoding.problem.code) == "unsupported_parameter");
      CHECK(std::string(encoding.problem.param) == "messages[0].content[0]");
    }
  }
}

TEST_CASE("calls and results: content null, arguments byte for byte, one message a result") {
  Asked made = asked();
  made.message(Role::assistant);
  made.call("toolu_1", "f", R"({"b": 1e400, "a":"\u00e9\""})");
  made.call("toolu_2", "g", R"({\"x\":1})").arguments_escaped = true;
  made.call("toolu_3", "h", "");
  made.message(Role::tool);
  made.result("toolu_2", "two");
  made.result("toolu_1", "").json.bytes = R"({"ok": true})";
  made.message(Role::tool);
  made.result("toolu_3", "it broke").is_error = true;
  const auto messages = made.json()["messages"].elements;
  REQUIRE(messages.size() == 5);
  CHECK(messages[1]["content"].is(test::Json::Kind::null));
  const auto& calls = messages[1]["tool_calls"].elements;
  CHECK(calls[0]["function"]["arguments"].text == R"({"b": 1e400, "a":"\u00e9\""})");
  CHECK(calls[1]["function"]["arguments"].text == R"({"x":1})");
  CHECK(calls[2]["function"]["arguments"].text == "{}");
  CHECK(calls[0]["type"].text == "function");
  CHECK(messages[2] == json_of(R"({"role":"tool","tool_call_id":"toolu_2","content":"two"})"));
  CHECK(messages[3]["content"].text == R"({"ok": true})");
  CHECK(messages[4]["content"].text == "Error: it broke");
}

TEST_CASE("images in results move into a message of the user behind all results") {
  Asked made = asked();
  made.message(Role::assistant);
  made.call("1", "f", "{}");
  made.call("2", "g", "{}");
  made.message(Role::tool);
  Part& shot = made.result("1", "");
  Part& image = made.part_in(shot.content, PartKind::image);
  image.media_type = "image/png";
  image.data.bytes = "iVBO";
  made.message(Role::tool);
  made.result("2", "two");
  made.say(Role::user, "go on");
  const auto messages = made.json()["messages"].elements;
  REQUIRE(messages.size() == 6);
  CHECK(messages[2]["role"].text == "tool");
  CHECK(!messages[2]["content"].text.empty());
  CHECK(messages[3]["role"].text == "tool");
  CHECK(messages[4]["role"].text == "user");
  CHECK(messages[4]["content"].elements.at(0)["image_url"]["url"].text ==
        "data:image/png;base64,iVBO");
  CHECK(messages[5]["content"].text == "go on");
}

TEST_CASE("results and text in one turn: the results stand first") {
  Asked made = asked();
  made.message(Role::assistant);
  made.call("1", "f", "{}");
  made.message(Role::user);
  made.part(PartKind::text, "and then");
  made.result("1", "one");
  const auto messages = made.json()["messages"].elements;
  REQUIRE(messages.size() == 4);
  CHECK(messages[2]["role"].text == "tool");
  CHECK(messages[3] == json_of(R"({"role":"user","content":"and then"})"));
}

TEST_CASE("ids that are missing or too long are made, alike for call and result") {
  Asked made = asked();
  const std::string long_id(41, 'x');
  made.message(Role::assistant);
  made.call("", "f", "{}");
  made.call(long_id, "g", "{}");
  made.call("", "h", "{}");
  made.message(Role::tool);
  made.result("", "1");
  made.result(long_id, "2");
  made.result("", "3");
  const auto messages = made.json()["messages"].elements;
  const auto& calls = messages[1]["tool_calls"].elements;
  for (size_t i = 0; i < 3; ++i) {
    CHECK(calls[i]["id"].text == messages[2 + i]["tool_call_id"].text);
    CHECK(calls[i]["id"].text.size() <= 40);
    CHECK(!calls[i]["id"].text.empty());
  }
  CHECK(calls[0]["id"].text != calls[2]["id"].text);
}

TEST_CASE("thinking goes back only to who wants it, then with every call") {
  Asked made = asked();
  made.message(Role::assistant);
  Part& thinking = made.part(PartKind::thinking, "hm");
  thinking.signature.bytes = "Sig";
  thinking.signature_of = Maker::anthropic;
  made.part(PartKind::redacted_thinking, "xyz");
  made.part(PartKind::text, "a");
  made.say(Role::user, "b");
  made.message(Role::assistant);
  made.call("1", "f", "{}");
  made.message(Role::tool);
  made.result("1", "r");
  CHECK(made.encode().body.find("hm") == std::string::npos);
  CHECK(made.encode().body.find("xyz") == std::string::npos);
  made.provider.reasoning_back = true;
  auto messages = made.json()["messages"].elements;
  CHECK(messages[1]["reasoning_content"].text == "hm");
  REQUIRE(messages[3].find("reasoning_content") != nullptr);
  CHECK(messages[3]["reasoning_content"].text == "");
  CHECK(messages[2].find("reasoning_content") == nullptr);
  made.provider.reasoning_field = "reasoning";
  messages = made.json()["messages"].elements;
  CHECK(messages[1]["reasoning"].text == "hm");
}

TEST_CASE("tools keep order and schema bytes; one without a schema takes an empty object") {
  Asked made = asked();
  Tool& first = made.tool("z");
  first.description.bytes = "d\\n";
  first.schema.bytes = R"({"type": "object", "b":1.0})";
  first.strict = dialect::Flag::yes;
  made.tool("a");
  made.request.parallel_tool_calls = dialect::Flag::no;
  CHECK(made.encode().body.find(
            R"("tools":[{"type":"function","function":{"name":"z","description":"d\n",)"
            R"("parameters":{"type": "object", "b":1.0},"strict":true}},)"
            R"({"type":"function","function":{"name":"a","parameters":{"type":"object",)"
            R"("properties":{}}}}],"parallel_tool_calls":false)") != std::string::npos);
}

TEST_CASE("each tool choice is written, allowed tools are the only ones left") {
  Asked made = asked_with_tool();
  made.tool("g");
  CHECK(made.json().find("tool_choice") == nullptr);
  for (auto [choice, word] : {std::pair{ToolChoice::none, "none"},
                              {ToolChoice::automatic, "auto"},
                              {ToolChoice::required, "required"}}) {
    made.request.tool_choice = choice;
    CHECK(made.json()["tool_choice"].text == word);
  }
  made.request.tool_choice = ToolChoice::named;
  made.request.tool_choice_name = "g";
  CHECK(made.json()["tool_choice"] == json_of(R"({"type":"function","function":{"name":"g"}})"));
  made.model.forced_tools = false;
  CHECK(made.json()["tool_choice"].text == "auto");
  CHECK(made.encode().adjusted == "tool_choice");
  made.word(made.request.allowed_tools, "g");
  made.request.tool_choice = ToolChoice::automatic;
  REQUIRE(made.json()["tools"].elements.size() == 1);
  CHECK(made.json()["tools"].elements[0]["function"]["name"].text == "g");
}

TEST_CASE("custom and server tools are refused") {
  Asked made = asked();
  made.tool("sql").kind = Tool::Kind::custom;
  CHECK(!made.encode().accepted);
  made = asked();
  made.tool("search").kind = Tool::Kind::server;
  CHECK(!made.encode().accepted);
  made.settings.unsupported = dialect::Unsupported::drop;
  CHECK(made.json().find("tools") == nullptr);
}

TEST_CASE("formats are written, and json_object says the word JSON") {
  Asked made = asked();
  made.request.format = Format::json_object;
  CHECK(made.json()["response_format"] == json_of(R"({"type":"json_object"})"));
  CHECK(made.json()["messages"].elements.at(0)["content"].text.find("JSON") != std::string::npos);
  made.say(Role::user, "as Json, please");
  CHECK(made.json()["messages"].elements.size() == 2);
  made.request.format = Format::json_schema;
  made.request.schema.bytes = R"({"b":1,"a":2})";
  CHECK(
      made.json()["response_format"] ==
      json_of(R"({"type":"json_schema","json_schema":{"name":"answer","schema":{"b":1,"a":2}}})"));
  made.request.schema_name = "n";
  made.request.schema_strict = dialect::Flag::yes;
  CHECK(made.json()["response_format"]["json_schema"] ==
        json_of(R"({"name":"n","schema":{"b":1,"a":2},"strict":true})"));
  made.tool("f");
  made.model.tools_with_schema = false;
  CHECK(!made.encode().accepted);
}

TEST_CASE("more than four stop sequences are refused, or the first four sent") {
  Asked made = asked();
  for (const char* word : {"a", "b\\n", "c", "d"}) made.word(made.request.stop, word);
  CHECK(made.json()["stop"] == json_of(R"(["a","b\n","c","d"])"));
  made.word(made.request.stop, "e");
  CHECK(made.encode().problem.status == 400);
  made.settings.unsupported = dialect::Unsupported::drop;
  CHECK(made.json()["stop"].elements.size() == 4);
  CHECK(made.encode().dropped == "stop");
}

TEST_CASE("an answer that was begun cannot be gone on with") {
  Asked made = asked();
  made.say(Role::assistant, "It is");
  CHECK(made.encode().problem.status == 400);
  made.settings.unsupported = dialect::Unsupported::drop;
  CHECK(made.json()["messages"].elements.size() == 1);
  made.model.prefill = true;
  CHECK(made.json()["messages"].elements.size() == 2);
}

TEST_CASE("hints without a counterpart are named, shapes without one refused") {
  Asked made = asked();
  made.request.top_k.bytes = "40";
  made.request.metadata.bytes = "{}";
  made.request.store = dialect::Flag::yes;
  made.request.verbosity = "low";
  made.request.service_tier = "standard_only";
  made.request.safety_settings.bytes = "[]";
  made.word(made.request.unknown, "cachedContent");
  made.request.user.bytes = "u\\\"";
  const Encoding encoding = made.encode();
  CHECK(encoding.accepted);
  CHECK(encoding.dropped ==
        "safetySettings, top_k, metadata, store, verbosity, cachedContent, service_tier");
  CHECK(encoding.json()["user"].text == "u\"");
  made.request.logprobs = true;
  CHECK(std::string(made.encode().problem.param) == "logprobs");
  made.request.logprobs = false;
  made.request.audio_wanted = true;
  CHECK(std::string(made.encode().problem.param) == "modalities");
}

TEST_CASE("what is read, written and read again means the same") {
  const std::string body = R"({"model":"m","messages":[
      {"role":"system","content":"s\n"},
      {"role":"user","content":[{"type":"text","text":"look"},{"type":"image_url",
        "image_url":{"url":"data:image/png;base64,iVBO"}}]},
      {"role":"assistant","content":"t","tool_calls":[{"id":"a","type":"function",
        "function":{"name":"f","arguments":"{\"x\": 1.0}"}},
        {"id":"b","type":"function","function":{"name":"g","arguments":""}}]},
      {"role":"tool","tool_call_id":"a","content":"1"},{"role":"tool","tool_call_id":"b",
        "content":"2"},
      {"role":"user","content":"\u00e9\ud83d\ude00"}],
    "max_tokens":7,"temperature":0.5,"stop":["x"],"n":2,"tools":[{"type":"function",
        "function":{"name":"f","parameters":{"type":"object"}}}],
    "tool_choice":"required","parallel_tool_calls":false,"stream":true,
    "response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"a":1}}}})";
  const catalog::Provider provider;
  const test::Decoding first(openai_chat::language(), body);
  REQUIRE(first.accepted);
  const Encoding once = test::encode(openai_chat::language(), first.request, provider, nullptr);
  REQUIRE(once.accepted);
  const test::Decoding second(openai_chat::language(), once.body);
  REQUIRE(second.accepted);
  const Encoding twice = test::encode(openai_chat::language(), second.request, provider, nullptr);
  CHECK(once.body == twice.body);
  const test::Json given = json_of(body);
  const test::Json sent = once.json();
  for (const char* name : {"temperature", "stop", "n", "tools", "tool_choice", "stream",
                           "parallel_tool_calls", "response_format"}) {
    CAPTURE(name);
    CHECK(sent[name] == given[name]);
  }
  for (size_t i : {0, 1, 3, 4, 5}) {
    CHECK(sent["messages"].elements[i] == given["messages"].elements[i]);
  }
  CHECK(sent["messages"].elements[2]["tool_calls"].elements[0] ==
        given["messages"].elements[2]["tool_calls"].elements[0]);
}
