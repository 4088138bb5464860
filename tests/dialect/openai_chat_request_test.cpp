#include <string>

#include <doctest/doctest.h>

#include "dialect/openai_chat_requests.h"

using namespace hyperion;
using namespace hyperion::dialect;
using catalog::Effort;
using test::a_call;
using test::check_refused;
using test::Decoding;
using test::message_at;
using test::messages;
using test::part_at;
using test::user_part;
using test::with;

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
      {hi + R"("stop":"a","stop":"b")", "stop"},
      {hi + R"("extra_body":{"seed":1},"seed":2)", "seed"},
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
