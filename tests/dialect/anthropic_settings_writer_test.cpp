#include <string>

#include <doctest/doctest.h>

#include "dialect/anthropic_writing.h"

using namespace hyperion;
using namespace hyperion::test::anthropic_writing;
using test::json_of;

TEST_CASE("tools keep their order and the bytes of their schemas") {
  const Written written = with(
      R"("tools":[{"type":"function","function":{"name":"z","description":"d\"",)"
      R"("parameters":{ "type":"object","properties" : {"a":{"type":"integer","minimum":1.0}}},)"
      R"("strict":true},"cache_control":{"type":"ephemeral"}},)"
      R"({"type":"function","function":{"name":"a"}},)"
      R"({"type":"function","function":{"name":"b","parameters":{}}},)"
      R"({"type":"function","function":{"name":"c","parameters":{ "properties":{} }}}])");
  CHECK(written["tools"] ==
        json_of(R"([{"name":"z","description":"d\"","input_schema":{"type":"object",)"
                R"("properties":{"a":{"type":"integer","minimum":1.0}}},"strict":true,)"
                R"("cache_control":{"type":"ephemeral"}},)"
                R"({"name":"a","input_schema":{"type":"object","properties":{}}},)"
                R"({"name":"b","input_schema":{"type":"object","properties":{}}},)"
                R"({"name":"c","input_schema":{"type":"object","properties":{}}}])"));
  CHECK(written.body.find(
            R"({ "type":"object","properties" : {"a":{"type":"integer","minimum":1.0}}})") !=
        std::string::npos);
}

TEST_CASE("each tool choice is said in Anthropic's words") {
  const std::string tools = "\"tools\":[" + tool_f + "],";
  struct Case {
    const char* members;
    const char* expected;
  };
  const Case cases[] = {
      {R"("tool_choice":"auto")", R"({"type":"auto"})"},
      {R"("tool_choice":"none")", R"({"type":"none"})"},
      {R"("tool_choice":"required")", R"({"type":"any"})"},
      {R"("tool_choice":{"type":"function","function":{"name":"f"}})",
       R"({"type":"tool","name":"f"})"},
      {R"("parallel_tool_calls":false)", R"({"type":"auto","disable_parallel_tool_use":true})"},
      {R"("parallel_tool_calls":false,"tool_choice":"required")",
       R"({"type":"any","disable_parallel_tool_use":true})"},
      {R"("parallel_tool_calls":true)", "null"},
      {R"("parallel_tool_calls":false,"tool_choice":"none")", R"({"type":"none"})"},
  };
  for (const Case& item : cases) {
    CAPTURE(item.members);
    CHECK(with(tools + item.members)["tool_choice"] == json_of(item.expected));
  }
}

TEST_CASE("allowed tools are the only ones sent") {
  const Written written =
      with("\"tools\":[" + tool_f +
           R"(,{"type":"function","function":{"name":"g"}}],)"
           R"("tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"required",)"
           R"("tools":[{"type":"function","function":{"name":"g"}}]}})");
  REQUIRE(written["tools"].elements.size() == 1);
  CHECK(written["tools"].elements[0]["name"].text == "g");
  CHECK(written["tool_choice"]["type"].text == "any");
}

TEST_CASE("a model that cannot be forced, or that thinks, chooses for itself") {
  const std::string members = "\"tools\":[" + tool_f + R"(],"tool_choice":"required")";
  const catalog::Model unforced = adaptive_model();
  const Written chosen = with(members, &unforced);
  CHECK(chosen["tool_choice"]["type"].text == "auto");
  CHECK(chosen.adjusted == "tool_choice");
  const catalog::Model thinking = budget_model();
  CHECK(with(members, &thinking)["tool_choice"]["type"].text == "any");
  const Written also = with(members + R"(,"reasoning_effort":"low")", &thinking);
  CHECK(also["tool_choice"]["type"].text == "auto");
  CHECK(also["thinking"]["type"].text == "enabled");
}

TEST_CASE("a conversation with calls but without tools gets those it used, not to be called") {
  const Written written = turns(user + "," + calls + "," + result_1 + "," + result_2);
  REQUIRE(written["tools"].elements.size() == 2);
  CHECK(written["tools"].elements[0] ==
        json_of(R"({"name":"f","input_schema":{"type":"object","properties":{}}})"));
  CHECK(written["tools"].elements[1]["name"].text == "g");
  CHECK(written["tool_choice"] == json_of(R"({"type":"none"})"));
  CHECK(turns(user)["tools"].is(Tree::Kind::null));
}

TEST_CASE("temperature is clamped to 1 and keeps its spelling; top_p gives way to it") {
  CHECK(with("\"temperature\":0.70").body.find("\"temperature\":0.70") != std::string::npos);
  const Written hot = with("\"temperature\":1.5,\"top_p\":0.9");
  CHECK(hot["temperature"].integer() == 1);
  CHECK(hot.adjusted == "temperature");
  CHECK(hot["top_p"].is(Tree::Kind::null));
  CHECK(hot.dropped == "top_p");
  CHECK(with("\"top_p\":0.9")["top_p"].text == "0.9");
  CHECK(with("\"top_k\":40")["top_k"].integer() == 40);
}

TEST_CASE("no sampling for a model that refuses it, and none with thinking") {
  const catalog::Model refusing = adaptive_model();
  const Written none = with("\"temperature\":0.5,\"top_p\":0.9,\"top_k\":4", &refusing);
  CHECK(none["temperature"].is(Tree::Kind::null));
  CHECK(none["top_p"].is(Tree::Kind::null));
  CHECK(none["top_k"].is(Tree::Kind::null));
  CHECK(none.dropped == "temperature, top_p, top_k");
  const catalog::Model thinking = budget_model();
  const Written thought = with(R"("temperature":0.5,"reasoning_effort":"high")", &thinking);
  CHECK(thought["temperature"].is(Tree::Kind::null));
  CHECK(thought["thinking"]["budget_tokens"].integer() == 4096);
  CHECK(thought.dropped == "temperature");
}

TEST_CASE("an effort is said as each model takes it") {
  struct Case {
    const char* name;
    catalog::Model model;
    const char* effort;
    const char* thinking;
    const char* sent;  // output_config.effort, "" for none
    bool noted;
  };
  catalog::Model between = adaptive_model();
  between.thinking_off = catalog::ThinkingOff::between_tools;
  catalog::Model both = budget_model();
  both.efforts = efforts_of({Effort::low, Effort::medium, Effort::high});
  const catalog::Model plain;
  const char* adaptive = R"({"type":"adaptive","display":"summarized"})";
  const Case cases[] = {
      {"adaptive", adaptive_model(), "high", adaptive, "high", false},
      {"adaptive has no minimal", adaptive_model(), "minimal", adaptive, "low", true},
      {"no xhigh here", older_adaptive_model(), "xhigh", adaptive, "high", true},
      {"cannot be off", adaptive_model(), "none", "null", "low", true},
      {"off", older_adaptive_model(), "none", R"({"type":"disabled"})", "", false},
      {"off between tools", between, "none", R"({"type":"between_tools"})", "", false},
      {"budget", budget_model(), "medium", R"({"type":"enabled","budget_tokens":2048})", "", false},
      {"budget off", budget_model(), "none", "null", "", false},
      {"budget and effort", both, "low", R"({"type":"enabled","budget_tokens":1024})", "low",
       false},
      {"no thinking", plain, "high", "null", "", true},
  };
  for (const Case& item : cases) {
    CAPTURE(item.name);
    const Written written =
        with(std::string("\"reasoning_effort\":\"") + item.effort + "\"", &item.model);
    CHECK(written["thinking"] == json_of(item.thinking));
    CHECK(written["output_config"]["effort"].text == item.sent);
    CHECK((written.adjusted == "reasoning_effort") == item.noted);
  }
}

TEST_CASE("a budget stays below max_tokens and leaves room for the answer") {
  const catalog::Model model = budget_model();
  auto budget = [&](int64_t max_tokens, const char* effort) {
    return with(
        "\"max_tokens\":" + std::to_string(max_tokens) + ",\"reasoning_effort\":\"" + effort + "\"",
        &model)["thinking"];
  };
  CHECK(budget(64'000, "max")["budget_tokens"].integer() == 16'384);
  CHECK(budget(10'000, "max")["budget_tokens"].integer() == 5'000);
  CHECK(budget(1'500, "max")["budget_tokens"].integer() == 1'024);
  CHECK(budget(1'024, "max").is(Tree::Kind::null));
  CHECK(budget(100, "low").is(Tree::Kind::null));
}

TEST_CASE("thinking is switched off when the turn that calls tools came back without its own") {
  const catalog::Model model = budget_model();
  const std::string effort = R"("reasoning_effort":"high",)";
  const Written off =
      write(effort + "\"messages\":[" + user + "," + calls + "," + result_1 + "," + result_2 + "]",
            &model);
  CHECK(off["thinking"].is(Tree::Kind::null));
  CHECK(off.dropped == "reasoning_effort");
  // With the blocks of the vendor, signed, in front of the calls it stays on.
  std::string thinking_calls = calls;
  thinking_calls.insert(1, R"("thinking_blocks":[{"type":"thinking","thinking":"hm",)"
                           R"("signature":"sig"}],)");
  const Written on = write(effort + "\"messages\":[" + user + "," + thinking_calls + "," +
                               result_1 + "," + result_2 + "]",
                           &model);
  CHECK(on["thinking"]["type"].text == "enabled");
  CHECK(on["messages"].elements[1]["content"].elements[0] ==
        json_of(R"({"type":"thinking","thinking":"hm","signature":"sig"})"));
  // A turn that called nothing asks for none.
  CHECK(write(effort + "\"messages\":[" + user + R"(,{"role":"assistant","content":"a"},)" + user +
                  "]",
              &model)["thinking"]["type"]
            .text == "enabled");
}

TEST_CASE("thinking that another vendor signed, or nobody, is not sent") {
  const Written written = turns(
      user +
      R"(,{"role":"assistant","content":"a","thinking_blocks":[{"type":"thinking",)"
      R"("thinking":"hm","signature":"hyperion.gemini.x"}]},{"role":"assistant","content":"b",)"
      R"("reasoning_content":"unsigned"},)" +
      user);
  const Tree& content = written["messages"].elements[1]["content"];
  CHECK(content == json_of(R"([{"type":"text","text":"a"},{"type":"text","text":"b"}])"));
}

TEST_CASE("a JSON schema is the output format, its objects closed and its bounds left out") {
  const catalog::Model model = adaptive_model();
  const Written written = with(
      R"("response_format":{"type":"json_schema","json_schema":{"name":"n","schema":)"
      R"({ "type":"object","properties":{"minimum":{"type":"integer","minimum":1,"maximum":2},)"
      R"("o":{"minLength":1,"type":["object","null"],"properties":{}},)"
      R"("l":{"type":"array","items":{"type":"object"},"minItems":1},)"
      R"("e":{"enum":[{"type":"object"}]},"c":{"type":"object","additionalProperties":true}},)"
      R"("$defs":{"d":{"type":"object"}},"anyOf":[{"type":"object"},{"type":"string"}] }}})",
      &model);
  CHECK(written["output_config"]["format"] ==
        json_of(R"({"type":"json_schema","schema":{"type":"object","properties":{)"
                R"("minimum":{"type":"integer"},)"
                R"("o":{"type":["object","null"],"properties":{},"additionalProperties":false},)"
                R"("l":{"type":"array","items":{"type":"object","additionalProperties":false},)"
                R"("minItems":1},"e":{"enum":[{"type":"object"}]},)"
                R"("c":{"type":"object","additionalProperties":true}},)"
                R"("$defs":{"d":{"type":"object","additionalProperties":false}},)"
                R"("anyOf":[{"type":"object","additionalProperties":false},{"type":"string"}],)"
                R"("additionalProperties":false}})"));
  CHECK(written.adjusted == "response_format");
  const Written untouched =
      with(R"("response_format":{"type":"json_schema","json_schema":{"name":"n","schema":)"
           R"({"type":"object", "additionalProperties" : false}}})",
           &model);
  CHECK(untouched.body.find(R"({"type":"object", "additionalProperties" : false})") !=
        std::string::npos);
  CHECK(untouched.adjusted.empty());
}

TEST_CASE("json_object, and a schema for a model without them, are asked for in words") {
  const Written object =
      write(R"("messages":[{"role":"system","content":"s"},{"role":"user","content":"hi"}],)"
            R"("response_format":{"type":"json_object"})");
  REQUIRE(object["system"].elements.size() == 2);
  CHECK(object["system"].elements[0]["text"].text == "s");
  CHECK(object["system"].elements[1]["text"].text.find("JSON object") != std::string::npos);
  CHECK(object["output_config"].is(Tree::Kind::null));
  CHECK(object.adjusted == "response_format");
  catalog::Model old = budget_model();
  old.capabilities.json_schema = catalog::Answer::no;
  const Written schema = with(
      R"("response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"a":"\""}}})",
      &old);
  CHECK(schema["system"].elements[0]["text"].text.find(R"({"a":"\""})") != std::string::npos);
  CHECK(schema["output_config"].is(Tree::Kind::null));
}

TEST_CASE("what changes the answer's shape is refused, hints are dropped by name") {
  for (const char* members : {"\"n\":2", "\"logprobs\":true",
                              R"("modalities":["text","audio"],)"
                              R"("audio":{"voice":"alloy","format":"wav"})"}) {
    CAPTURE(members);
    const Written refused = with(members);
    CHECK_FALSE(refused.accepted);
    CHECK(std::string(refused.problem.code) == "unsupported_parameter");
  }
  const Written hints =
      with(R"("seed":1,"presence_penalty":0.1,"frequency_penalty":0.2,"logit_bias":{"1":2},)"
           R"("metadata":{"a":"b"},"store":true,"verbosity":"low","prediction":{"type":"content",)"
           R"("content":"x"},"service_tier":"flex","odd_field":1)");
  REQUIRE(hints.accepted);
  CHECK(hints.dropped ==
        "logit_bias, seed, presence_penalty, frequency_penalty, metadata, store, verbosity, "
        "prediction, odd_field, service_tier");
}

TEST_CASE("stop sequences are a list, blank ones are dropped") {
  CHECK(with(R"("stop":"END")")["stop_sequences"] == json_of(R"(["END"])"));
  const Written some = with(R"("stop":["\n","a\n"])");
  CHECK(some["stop_sequences"] == json_of(R"(["a\n"])"));
  CHECK(some.dropped == "stop");
  CHECK(with(R"("stop":["\n"])")["stop_sequences"].is(Tree::Kind::null));
}

TEST_CASE("an end user's id goes along, an e-mail address never") {
  CHECK(with(R"("user":"u-1")")["metadata"] == json_of(R"({"user_id":"u-1"})"));
  for (const char* user_id : {"me@example.com", "me\\u0040example.com"}) {
    const Written written = with(std::string("\"user\":\"") + user_id + "\"");
    CHECK(written["metadata"].is(Tree::Kind::null));
    CHECK(written.dropped == "user");
    CHECK(written.body.find("example") == std::string::npos);
  }
}

TEST_CASE("service tiers have Anthropic's names, and a stream is asked for in the body") {
  CHECK(with(R"("service_tier":"auto")")["service_tier"].text == "auto");
  CHECK(with(R"("service_tier":"default")")["service_tier"].text == "standard_only");
  CHECK(with(R"("stream":true)")["stream"].boolean);
  CHECK(with(R"("stream":false)")["stream"].is(Tree::Kind::null));
}
