#include <string>

#include "dialect/openai_responses.h"
#include "dialect/openai_responses_bench.h"

using namespace hyperion;
using namespace hyperion::dialect;
using catalog::Answer;
using catalog::Effort;
using test::Bench;
using test::json_of;

namespace {

const Language& responses() { return openai_responses::language(); }

// A bench whose request was read from Responses with these members beside the input.
struct Sent : Bench {
  explicit Sent(std::string_view members = {}, std::string_view input = R"("hi")") {
    provider.name = "openai";
    model.id = "gpt-x";
    model.capabilities.reasoning = Answer::yes;
    for (Effort effort : {Effort::none, Effort::low, Effort::medium, Effort::high}) {
      model.efforts.bits |= static_cast<uint8_t>(1 << static_cast<int>(effort));
    }
    std::string text = R"({"model":"m","input":)" + std::string(input);
    if (!members.empty()) text += "," + std::string(members);
    REQUIRE(decode(responses(), text + "}"));
  }
  test::Json write(std::string* dropped = nullptr, std::string* adjusted = nullptr) {
    return encode(responses(), dropped, adjusted);
  }
};

}  // namespace

TEST_CASE("a request names the model and is not stored") {
  Sent sent;
  CHECK(sent.write() == json_of(R"({"model":"gpt-x","input":[{"type":"message","role":"user",
    "content":[{"type":"input_text","text":"hi"}]}],"include":["reasoning.encrypted_content"],
    "store":false})"));
}

TEST_CASE("a stream is asked for") {
  Sent sent(R"("stream":true)");
  CHECK(sent.write()["stream"].boolean);
}

TEST_CASE("system messages keep their places, in the role the provider knows") {
  constexpr std::string_view input = R"([{"role":"system","content":"a"},
    {"role":"user","content":"b"},{"role":"developer","content":"c"}])";
  Sent sent("", input);
  CHECK(sent.write()["input"] == json_of(R"([
    {"type":"message","role":"developer","content":[{"type":"input_text","text":"a"}]},
    {"type":"message","role":"user","content":[{"type":"input_text","text":"b"}]},
    {"type":"message","role":"developer","content":[{"type":"input_text","text":"c"}]}])"));
  Sent other("", input);
  other.provider.developer_role = false;
  CHECK(other.write()["input"].elements[0]["role"].text == "system");
}

TEST_CASE("a turn of the assistant becomes items in its order") {
  Sent sent("", R"([{"role":"user","content":"q"},
    {"type":"reasoning","encrypted_content":"gAAA","summary":[{"type":"summary_text","text":"s"}]},
    {"role":"assistant","content":"let me see"},
    {"type":"function_call","call_id":"c1","name":"f",
     "arguments":"{\"b\":1e400,\"a\":\"\\u00e4\"}"},
    {"type":"function_call","call_id":"c2","name":"g","arguments":""},
    {"type":"function_call_output","call_id":"c1","output":"x"},
    {"type":"function_call_output","call_id":"c2","output":[{"type":"input_text","text":"y"},
     {"type":"input_image","image_url":"data:image/png;base64,iVBO"}]}])");
  CHECK(sent.write()["input"] == json_of(R"([
    {"type":"message","role":"user","content":[{"type":"input_text","text":"q"}]},
    {"type":"reasoning","summary":[{"type":"summary_text","text":"s"}],"encrypted_content":"gAAA"},
    {"type":"message","role":"assistant","content":[{"type":"output_text","text":"let me see"}]},
    {"type":"function_call","call_id":"c1","name":"f",
     "arguments":"{\"b\":1e400,\"a\":\"\\u00e4\"}"},
    {"type":"function_call","call_id":"c2","name":"g","arguments":"{}"},
    {"type":"function_call_output","call_id":"c1","output":"x"},
    {"type":"function_call_output","call_id":"c2","output":[{"type":"input_text","text":"y"},
     {"type":"input_image","image_url":"data:image/png;base64,iVBO"}]}])"));
}

TEST_CASE("arguments that came as an object are written as a text, spelled as they were") {
  Sent sent("", R"([{"type":"function_call","call_id":"c","name":"f","arguments":"{}"},
    {"type":"function_call_output","call_id":"c","output":"x"}])");
  Part* call = sent.request.messages.first->parts.first;
  call->arguments.bytes = R"({"n": 1e400, "s":"a\"b"})";
  call->arguments_escaped = false;
  CHECK(sent.write()["input"].elements[0]["arguments"].text == R"({"n": 1e400, "s":"a\"b"})");
}

TEST_CASE("a result that is an object is written as its text") {
  Sent sent("", R"([{"type":"function_call","call_id":"c","name":"f","arguments":"{}"},
    {"type":"function_call_output","call_id":"c","output":"x"}])");
  sent.request.messages.first->next->parts.first->json.bytes = R"({"a":"b"})";
  CHECK(sent.write()["input"].elements[1]["output"].text == R"({"a":"b"})");
}

TEST_CASE("reasoning that another vendor signed, or nobody, is left out") {
  Sent sent("", R"([{"role":"user","content":"q"},
    {"type":"reasoning","summary":[{"type":"summary_text","text":"a"}]},
    {"type":"reasoning","encrypted_content":"hyperion.anthropic.S","summary":[]},
    {"type":"reasoning","encrypted_content":"hyperion.anthropic.redacted.S","summary":[]},
    {"role":"assistant","content":"b"},{"role":"user","content":"c"}])");
  const test::Json body = sent.write();
  REQUIRE(body["input"].elements.size() == 3);
  CHECK(body["input"].elements[1]["role"].text == "assistant");
}

TEST_CASE("images, files and sound are written by what they are given as") {
  constexpr std::string_view input = R"([{"role":"user","content":[
    {"type":"input_image","image_url":"https://example.com/a.png","detail":"high"},
    {"type":"input_file","filename":"a.pdf","file_data":"data:application/pdf;base64,JVBE"},
    {"type":"input_file","file_url":"https://example.com/a.pdf"},
    {"type":"input_file","file_id":"file-2"}]}])";
  Sent sent("", input);
  CHECK(sent.write()["input"] ==
        json_of(R"([{"type":"message","role":"user",)" + std::string(input.substr(16))));
  Sent audio("", R"([{"role":"user","content":[
    {"type":"input_audio","input_audio":{"data":"UklG","format":"mp3"}}]}])");
  audio.model.capabilities.audio_in = Answer::yes;
  CHECK(audio.write()["input"].elements[0]["content"].elements[0] ==
        json_of(R"({"type":"input_audio","input_audio":{"data":"UklG","format":"mp3"}})"));
  audio.model.capabilities.audio_in = Answer::no;
  audio.write();
  CHECK(std::string(audio.problem.code) == "unsupported_parameter");
}

TEST_CASE("a file's id of another vendor and a URL that is not of the web are refused") {
  Sent sent("", R"([{"role":"user","content":[{"type":"input_file","file_id":"file_011"}]}])");
  sent.write();
  CHECK(sent.problem.status == 400);
  CHECK(std::string(sent.problem.param) == "messages[0].content[0]");
  Sent url("",
           R"([{"role":"user","content":[{"type":"input_image","image_url":"gs://b/a.png"}]}])");
  url.write();
  CHECK(url.problem.status == 400);
}

TEST_CASE(
    "`strict` is said to be false where the client left it out, as the API's own default is true") {
  Sent sent(R"("tools":[{"type":"function","name":"f","description":"d","parameters":{"z":1,"a":2}},
    {"type":"function","name":"g","strict":true}])");
  CHECK(sent.write()["tools"] == json_of(R"([
    {"type":"function","name":"f","description":"d","parameters":{"z":1,"a":2},"strict":false},
    {"type":"function","name":"g","parameters":{"type":"object","properties":{}},
     "strict":true}])"));
}

TEST_CASE(
    "choices of tools are carried, allowed_tools and parallel_tool_calls too (bifrost#7348)") {
  const std::string tools = R"("tools":[{"type":"function","name":"f"},
    {"type":"function","name":"g"}],"parallel_tool_calls":false,"tool_choice":)";
  for (const char* choice :
       {R"("none")", R"("auto")", R"("required")", R"({"type":"function","name":"g"})",
        R"({"type":"allowed_tools","mode":"auto","tools":[{"type":"function","name":"g"}]})"}) {
    CAPTURE(choice);
    Sent sent(tools + choice);
    const test::Json body = sent.write();
    CHECK(body["tool_choice"] == json_of(choice));
    CHECK(body.find("parallel_tool_calls") != nullptr);
    CHECK(!body["parallel_tool_calls"].boolean);
  }
}

TEST_CASE("a model that cannot be forced to call is left to choose, and that is named") {
  Sent sent(R"("tools":[{"type":"function","name":"f"}],"tool_choice":"required")");
  sent.model.forced_tools = false;
  std::string adjusted;
  CHECK(sent.write(nullptr, &adjusted)["tool_choice"].text == "auto");
  CHECK(adjusted == "tool_choice");
}

TEST_CASE("an answer that was begun cannot be gone on with") {
  constexpr std::string_view input = R"([{"role":"user","content":"a"},
    {"role":"assistant","content":[{"type":"output_text","text":"{"}]}])";
  Sent strict("", input);
  strict.write();
  CHECK(strict.problem.status == 400);
  Sent lenient("", input);
  lenient.settings.unsupported = Unsupported::drop;
  std::string dropped;
  CHECK(lenient.write(&dropped)["input"].elements.size() == 1);
  CHECK(dropped == "messages");
}

TEST_CASE("efforts are clamped to what the model has, and budgets become efforts") {
  struct Case {
    Effort wanted;
    const char* sent;
    const char* adjusted;
  };
  for (const Case& item :
       {Case{Effort::high, "high", ""}, Case{Effort::max, "high", "reasoning_effort"},
        Case{Effort::minimal, "none", "reasoning_effort"}}) {
    Sent sent;
    sent.request.effort_given = true;
    sent.request.effort = item.wanted;
    std::string adjusted;
    CHECK(sent.write(nullptr, &adjusted)["reasoning"]["effort"].text == item.sent);
    CHECK(adjusted == item.adjusted);
  }
  struct Budget {
    int64_t tokens;
    const char* sent;
  };
  for (const Budget& item :
       {Budget{0, "none"}, Budget{1024, "low"}, Budget{8192, "medium"}, Budget{30000, "high"}}) {
    Sent sent;
    sent.request.thinking_budget_tokens = item.tokens;
    CHECK(sent.write()["reasoning"]["effort"].text == item.sent);
  }
}

TEST_CASE("thinking that cannot be switched off is named as changed") {
  Sent sent;
  sent.model.efforts.bits = 1 << static_cast<int>(Effort::low);
  sent.request.thinking_budget_tokens = 0;
  std::string adjusted;
  CHECK(sent.write(nullptr, &adjusted)["reasoning"]["effort"].text == "low");
  CHECK(adjusted == "reasoning_effort");
}

TEST_CASE("a model that does not reason is asked for nothing of it") {
  Sent sent(R"("reasoning":{"effort":"high","summary":"auto"})");
  sent.model.capabilities.reasoning = Answer::no;
  sent.model.efforts.bits = 0;
  std::string adjusted;
  const test::Json body = sent.write(nullptr, &adjusted);
  CHECK(body.find("reasoning") == nullptr);
  CHECK(body.find("include") == nullptr);
  CHECK(adjusted == "reasoning_effort");
}

TEST_CASE("a summary of the reasoning is asked for only where the client wants to see it") {
  Sent sent(R"("reasoning":{"summary":"concise"})");
  CHECK(sent.write()["reasoning"] == json_of(R"({"summary":"auto"})"));
  Sent unknown;
  unknown.model_known = false;
  const test::Json body = unknown.write();
  CHECK(body.find("reasoning") == nullptr);
  CHECK(body.find("include") == nullptr);
}

TEST_CASE("sampling is left out where the model takes none, or only without thinking") {
  std::string dropped;
  Sent sent(R"("temperature":0.70,"top_p":1)");
  const test::Json body = sent.write();
  CHECK(body["temperature"].text == "0.70");
  CHECK(body["top_p"].text == "1");
  sent.model.sampling = catalog::Sampling::no;
  CHECK(sent.write(&dropped).find("temperature") == nullptr);
  CHECK(dropped == "temperature, top_p");
  sent.model.sampling = catalog::Sampling::effort_none;
  CHECK(sent.write(&dropped).find("temperature") == nullptr);
  sent.request.effort_given = true;
  sent.request.effort = Effort::none;
  CHECK(sent.write(&dropped)["temperature"].text == "0.70");
  CHECK(dropped.empty());
}

TEST_CASE("limits are kept within what the model and the API take, and that is named") {
  std::string adjusted;
  Sent sent(R"("max_output_tokens":100)");
  CHECK(sent.write(nullptr, &adjusted)["max_output_tokens"].integer() == 100);
  CHECK(adjusted.empty());
  sent.request.output_tokens_max = 5;
  CHECK(sent.write(nullptr, &adjusted)["max_output_tokens"].integer() == 16);
  CHECK(adjusted == "max_tokens");
  sent.request.output_tokens_max = 5000;
  sent.model.output_tokens_max = 4096;
  CHECK(sent.write()["max_output_tokens"].integer() == 4096);
}

TEST_CASE("formats and verbosity stand in `text`") {
  Sent sent(
      R"("text":{"verbosity":"low","format":{"type":"json_schema","name":"n","description":"d",
    "schema":{"z":1,"a":2},"strict":true}})");
  CHECK(sent.write()["text"] == json_of(R"({"format":{"type":"json_schema","name":"n",
    "description":"d","schema":{"z":1,"a":2},"strict":true},"verbosity":"low"})"));
  Sent object(R"("text":{"format":{"type":"json_object"}})");
  CHECK(object.write()["text"] == json_of(R"({"format":{"type":"json_object"}})"));
  Sent nameless(R"("text":{"format":{"type":"json_schema","name":"n","schema":{}}})");
  nameless.request.schema_name = {};
  CHECK(nameless.write()["text"]["format"]["name"].text == "answer");
}

TEST_CASE("account fields are carried") {
  std::string dropped;
  Sent sent(R"("user":"u","metadata":{"k":"v"},"service_tier":"flex","store":true)");
  const test::Json body = sent.write();
  CHECK(body["user"].text == "u");
  CHECK(body["metadata"] == json_of(R"({"k":"v"})"));
  CHECK(body["service_tier"].text == "flex");
  CHECK_MESSAGE(body["store"].boolean, "a client that asks for it is heard");
  sent.request.service_tier = "standard_only";
  CHECK(sent.write(&dropped).find("service_tier") == nullptr);
  CHECK(dropped == "service_tier");
}

TEST_CASE("what Responses has no field for is refused or left out by the table") {
  struct Case {
    void (*set)(Request&);
    const char* refused;
    const char* dropped;
  };
  static Word stop;
  stop.raw.bytes = "x";
  const Case cases[] = {
      {[](Request& r) { r.n = 2; }, "n", ""},
      {[](Request& r) { r.stop.append(&stop); }, "stop", ""},
      {[](Request& r) { r.logprobs = true; }, "logprobs", ""},
      {[](Request& r) { r.audio_wanted = true; }, "modalities", ""},
      {[](Request& r) { r.web_search.bytes = "{}"; }, "web_search_options", ""},
      {[](Request& r) { r.seed.bytes = "1"; }, "", "seed"},
      {[](Request& r) { r.top_k.bytes = "1"; }, "", "top_k"},
      {[](Request& r) { r.logit_bias.bytes = "{}"; }, "", "logit_bias"},
      {[](Request& r) { r.frequency_penalty.bytes = "1"; }, "", "frequency_penalty"},
      {[](Request& r) { r.prediction.bytes = "{}"; }, "", "prediction"},
      {[](Request& r) { r.messages.first->name = "bob"; }, "", "messages.name"},
      {[](Request& r) { r.messages.first->parts.first->cache = CacheMark::one_hour; }, "",
       "cache_control"},
  };
  for (const Case& item : cases) {
    CAPTURE(item.refused);
    CAPTURE(item.dropped);
    Sent sent;
    item.set(sent.request);
    std::string dropped;
    sent.write(&dropped);
    CHECK(dropped == item.dropped);
    CHECK(std::string(sent.problem.param) == item.refused);
    if (*item.refused == '\0') continue;
    sent.settings.unsupported = Unsupported::drop;
    sent.write(&dropped);
    CHECK(!sent.problem);
    CHECK(dropped == item.refused);
  }
}

TEST_CASE("tools that a provider runs, and free-text tools, are refused") {
  Sent server(R"("tools":[{"type":"web_search"}])");
  server.write();
  CHECK(std::string(server.problem.code) == "unsupported_parameter");
  server.settings.unsupported = Unsupported::drop;
  std::string dropped;
  CHECK(server.write(&dropped)["tools"].elements.empty());
  CHECK(dropped == "tools");
  Sent custom(R"("tools":[{"type":"custom","name":"x"}])");
  custom.settings.unsupported = Unsupported::drop;
  custom.write();
  CHECK(std::string(custom.problem.code) == "unsupported_parameter");
}

TEST_CASE("the same request gives the same bytes, tools in their order (bifrost#2347)") {
  constexpr std::string_view members = R"("tools":[{"type":"function","name":"z"},
    {"type":"function","name":"a"},{"type":"function","name":"m"}])";
  Sent one(members);
  Sent two(members);
  const test::Json body = one.write();
  two.write();
  CHECK(one.out.text() == two.out.text());
  CHECK(body["tools"].elements[0]["name"].text == "z");
  CHECK(body["tools"].elements[2]["name"].text == "m");
}

TEST_CASE("what is written is read again with the same meaning") {
  Sent sent(R"("temperature":1,"reasoning":{"effort":"low","summary":"auto"},"user":"u",
    "tools":[{"type":"function","name":"f","parameters":{"a":1},"strict":true}],
    "tool_choice":"required")",
            R"([{"role":"user","content":[{"type":"input_text","text":"a\n\u2028"},
     {"type":"input_image","image_url":"data:image/png;base64,iVBO","detail":"low"}]},
    {"type":"reasoning","encrypted_content":"gAAA","summary":[]},
    {"type":"function_call","call_id":"c","name":"f","arguments":"{\"a\":\"\\\"\"}"},
    {"type":"function_call_output","call_id":"c","output":"{\"r\":1}"},
    {"role":"assistant","content":"ok"},{"role":"user","content":"go"}])");
  sent.write();
  const std::string first(sent.out.text());
  Sent again;
  again.request = Request();
  REQUIRE(again.decode(responses(), first));
  again.write();
  CHECK(first == again.out.text());
}

TEST_CASE("the provider is asked at its path, if that fits") {
  char path[32];
  const size_t size = responses().write_path("m", true, path, sizeof(path));
  CHECK(std::string_view(path, size) == "/responses");
  CHECK(responses().write_path("m", true, path, 4) == 0);
}

TEST_CASE("no memory for the arena or the output is a refusal, not a crash") {
  for (size_t bytes : {0, 64, 256, 1024, 4096}) {
    BlockPool blocks(64);
    MemoryBudget budget{1 << 20, 0};
    Arena arena(blocks, bytes);
    ByteBuffer scratch(blocks, budget);
    Request request;
    RequestProblem problem;
    std::string body = R"({"instructions":"a","input":[)";
    for (int i = 0; i < 100; ++i) body += R"({"role":"user","content":"b"},)";
    body.back() = ']';
    CHECK(!responses().decode_request(body + "}", {arena, scratch}, request, problem));
    CHECK(problem.status == 503);
  }
  Sent sent;
  BlockPool none(0);
  MemoryBudget budget;
  ByteBuffer buffer(none, budget);
  json::Output out(buffer);
  Notes notes(sent.settings);
  const Target target{sent.provider, &sent.model, sent.model.id, sent.settings};
  CHECK(!responses().encode_request(sent.request, target, {sent.arena, sent.scratch}, out, notes));
  CHECK(!notes.problem);
}
