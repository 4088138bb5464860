#include <string>

#include <doctest/doctest.h>

#include "dialect/gemini.h"
#include "dialect/harness.h"

using namespace hyperion;
using namespace hyperion::dialect;

using test::json_of;

namespace {

catalog::Model model_of(catalog::Thinking thinking) {
  using catalog::Effort;
  catalog::Model model;
  model.thinking = thinking;
  model.output_tokens_max = 65536;
  if (thinking == catalog::Thinking::level) {
    for (Effort effort : {Effort::low, Effort::medium, Effort::high}) {
      model.efforts.bits |= static_cast<uint8_t>(1 << static_cast<int>(effort));
    }
    model.thinking_off = catalog::ThinkingOff::cannot;
  } else {
    model.tools_with_schema = false;
    model.thinking_off = catalog::ThinkingOff::zero_budget;
    model.thinking_budget = {128, 24576};
  }
  return model;
}

const catalog::Model newer = model_of(catalog::Thinking::level);
const catalog::Model older = model_of(catalog::Thinking::budget);

// A request built by hand; everything lives in its memory.
struct Draft {
  test::Memory memory;
  Request request;

  Draft() { request.thinking_shown = Flag::no; }

  Message& say(Role role) {
    Message* message = make<Message>(memory.arena);
    message->role = role;
    message->index = request.messages.count;
    request.messages.append(message);
    return *message;
  }
  Part& add(Message& message, PartKind kind) {
    Part* part = make<Part>(memory.arena);
    part->kind = kind;
    part->index = message.parts.count;
    message.parts.append(part);
    return *part;
  }
  Part& say(Role role, std::string_view text) {
    Part& part = add(say(role), PartKind::text);
    part.text = {text};
    return part;
  }
  Part& call(Message& message, std::string_view id, std::string_view name,
             std::string_view arguments = "{}") {
    Part& part = add(message, PartKind::tool_call);
    part.id = id;
    part.name = name;
    part.arguments = {arguments};
    return part;
  }
  Part& answer(std::string_view id, std::string_view text) {
    Part& result = add(say(Role::tool), PartKind::tool_result);
    result.id = id;
    Part* part = make<Part>(memory.arena);
    part->text = {text};
    result.content.append(part);
    return result;
  }
  Tool& tool(std::string_view name, std::string_view schema = {}) {
    Tool* tool = make<Tool>(memory.arena);
    tool->name = name;
    tool->schema = {schema};
    request.tools.append(tool);
    return *tool;
  }
  void allow(std::string_view name) {
    Word* word = make<Word>(memory.arena);
    word->plain = name;
    request.allowed_tools.append(word);
  }
  void stop(std::string_view text) {
    Word* word = make<Word>(memory.arena);
    word->raw = {text};
    request.stop.append(word);
  }

  test::Encoding encode(const catalog::Model* model = &newer, bool vertex = false,
                        const TranslationSettings& settings = {}) const {
    catalog::Provider provider;
    provider.vertex = vertex;
    return test::encode(gemini::language(), request, provider, model, "gemini-x", settings);
  }
  test::Json contents(const catalog::Model* model = &newer) const {
    return encode(model).json()["contents"];
  }
  test::Json config(const catalog::Model* model = &newer) const {
    return encode(model).json()["generationConfig"];
  }
};

TranslationSettings lenient() {
  TranslationSettings settings;
  settings.unsupported = Unsupported::drop;
  return settings;
}

}  // namespace

TEST_CASE("gemini body: systems lead, later ones are said by the user, neighbours merge") {
  Draft draft;
  draft.say(Role::system, "S1");
  draft.say(Role::system, "S\\n2");
  draft.say(Role::user, "a");
  draft.say(Role::user, "b");
  draft.say(Role::assistant, "c");
  draft.say(Role::assistant, "");
  draft.say(Role::assistant, "d");
  draft.say(Role::system, "S3");
  draft.say(Role::user, "e\\\"");
  CHECK(draft.encode().json() == json_of(R"({
    "systemInstruction":{"parts":[{"text":"S1"},{"text":"S\n2"}]},
    "contents":[{"role":"user","parts":[{"text":"a"},{"text":"b"}]},
      {"role":"model","parts":[{"text":"c"},{"text":"d"}]},
      {"role":"user","parts":[{"text":"S3"},{"text":"e\""}]}]})"));
}

TEST_CASE("gemini body: the first content is the user's, and there is one") {
  Draft leading;
  leading.say(Role::assistant, "Welcome");
  leading.say(Role::user, "Hi");
  CHECK(leading.contents() == json_of(R"([{"role":"user","parts":[{"text":" "}]},
    {"role":"model","parts":[{"text":"Welcome"}]},{"role":"user","parts":[{"text":"Hi"}]}])"));
  Draft lone;
  lone.say(Role::system, "Write a poem");
  CHECK(lone.encode().json() ==
        json_of(R"({"contents":[{"role":"user","parts":[{"text":"Write a poem"}]}]})"));
  Draft empty;
  empty.say(Role::user, "");
  CHECK(empty.contents() == json_of(R"([{"role":"user","parts":[{"text":" "}]}])"));
}

TEST_CASE(
    "gemini body: calls and results of an older model: names looked up, in the order of "
    "calls") {
  Draft draft;
  draft.say(Role::user, "go");
  Message& turn = draft.say(Role::assistant);
  draft.call(turn, "c1", "f", R"({"n":1e400,"b":2})");
  draft.call(turn, "c2", "g", R"({\"q\":\"\\\"x\\\"\"})").arguments_escaped = true;
  draft.call(turn, "c3", "f", "").arguments = {};
  draft.answer("c3", "three");
  draft.answer("c1", R"({\"sum\": 1e400})");
  draft.answer("c2", "[1,2]").is_error = true;
  draft.say(Role::user, "well?");
  const test::Encoding encoding = draft.encode(&older);
  CHECK(encoding.json()["contents"] == json_of(R"([{"role":"user","parts":[{"text":"go"}]},
    {"role":"model","parts":[{"functionCall":{"id":"c1","name":"f","args":{"n":1e400,"b":2}}},
      {"functionCall":{"id":"c2","name":"g","args":{"q":"\"x\""}}},{"functionCall":{"id":"c3","name":"f","args":{}}}]},
    {"role":"user","parts":[
      {"functionResponse":{"id":"c1","name":"f","response":{"sum":1e400}}},
      {"functionResponse":{"id":"c2","name":"g","response":{"error":"[1,2]"}}},
      {"functionResponse":{"id":"c3","name":"f","response":{"result":"three"}}},
      {"text":"well?"}]}])"));
}

TEST_CASE(
    "gemini body: newer models get their signatures, or the sentinel on a turn's first call") {
  Draft draft;
  draft.say(Role::user, "go");
  Message& first = draft.say(Role::assistant);
  Part& signed_call = draft.call(first, "c1", "f");
  signed_call.signature = {"U2ln"};
  signed_call.signature_of = Maker::gemini;
  draft.call(first, "c2", "f");
  draft.answer("c1", "1");
  draft.answer("c2", "2");
  Message& second = draft.say(Role::assistant);
  Part& foreign = draft.call(second, "c3", "g");
  foreign.signature = {"Abc"};
  foreign.signature_of = Maker::anthropic;
  draft.call(second, "c4", "g");
  draft.answer("c3", "3");
  draft.answer("c4", "4");
  const test::Json contents = draft.contents();
  CHECK(contents.elements[1] == json_of(R"({"role":"model","parts":[
    {"functionCall":{"id":"c1","name":"f","args":{}},"thoughtSignature":"U2ln"},
    {"functionCall":{"id":"c2","name":"f","args":{}}}]})"));
  CHECK(contents.elements[2]["parts"].elements[1] ==
        json_of(R"({"functionResponse":{"id":"c2","name":"f","response":{"result":"2"}}})"));
  CHECK(contents.elements[3] == json_of(R"({"role":"model","parts":[
    {"functionCall":{"id":"c3","name":"g","args":{}},"thoughtSignature":"skip_thought_signature_validator"},
    {"functionCall":{"id":"c4","name":"g","args":{}}}]})"));
  // A model nobody knows is taken for a new one, an older one checks nothing.
  CHECK(draft.encode(nullptr).body.find("skip_thought_signature_validator") != std::string::npos);
  CHECK(draft.encode(&older).body.find("skip_thought_signature_validator") == std::string::npos);
}

TEST_CASE("gemini body: one turn of several assistant messages has one sentinel") {
  Draft draft;
  draft.say(Role::user, "go");
  draft.call(draft.say(Role::assistant), "c1", "f");
  draft.call(draft.say(Role::assistant), "c2", "g");
  draft.answer("c2", "2");
  draft.answer("c1", "1");
  const test::Json contents = draft.contents();
  REQUIRE(contents.elements.size() == 3);
  const auto& parts = contents.elements[1]["parts"].elements;
  REQUIRE(parts.size() == 2);
  CHECK(parts[0].find("thoughtSignature") != nullptr);
  CHECK(parts[1].find("thoughtSignature") == nullptr);
  // The results stand in the order of the calls.
  CHECK(contents.elements[2]["parts"].elements[0]["functionResponse"]["name"].text == "f");
}

TEST_CASE("gemini body: only Gemini's own thoughts go back") {
  Draft draft;
  draft.say(Role::user, "go");
  Message& turn = draft.say(Role::assistant);
  draft.add(turn, PartKind::thinking).text = {"unsigned"};
  Part& foreign = draft.add(turn, PartKind::thinking);
  foreign.text = {"foreign"};
  foreign.signature = {"x"};
  foreign.signature_of = Maker::anthropic;
  Part& own = draft.add(turn, PartKind::thinking);
  own.text = {"own"};
  own.signature = {"U2ln"};
  own.signature_of = Maker::gemini;
  draft.add(turn, PartKind::redacted_thinking).text = {"r"};
  draft.add(turn, PartKind::refusal).text = {"No."};
  CHECK(draft.contents().elements[1] == json_of(R"({"role":"model","parts":[
    {"text":"own","thought":true,"thoughtSignature":"U2ln"},{"text":"No."}]})"));
}

TEST_CASE("gemini body: a result without its call is refused, one with a name of its own is not") {
  Draft draft;
  draft.say(Role::user, "go");
  Part& result = draft.answer("lost", "x");
  const test::Encoding refused = draft.encode();
  CHECK(!refused.accepted);
  CHECK(std::string(refused.problem.param) == "messages[1].content[0]");
  CHECK(std::string(refused.problem.message).find("lost") != std::string::npos);
  result.name = "f";
  CHECK(draft.encode().accepted);
}

TEST_CASE("gemini body: pictures, sound and files") {
  Draft draft;
  Message& turn = draft.say(Role::user);
  Part& image = draft.add(turn, PartKind::image);
  image.media_type = "image/png";
  image.data = {"a-_b"};
  image.data_url_safe = true;
  Part& audio = draft.add(turn, PartKind::audio);
  audio.media_type = "audio/wav";
  audio.data = {"QUJD"};
  draft.add(turn, PartKind::file).text = {"A plain document"};
  draft.add(turn, PartKind::image).url = {"gs://bucket/a.png"};
  draft.add(turn, PartKind::file).url = {"https:\\/\\/www.youtube.com\\/watch?v=x"};
  Part& file = draft.add(turn, PartKind::file);
  file.url = {"https://generativelanguage.googleapis.com/v1beta/files/x"};
  file.media_type = "video/mp4";
  CHECK(draft.contents() == json_of(R"([{"role":"user","parts":[
    {"inlineData":{"mimeType":"image/png","data":"a+/b"}},
    {"inlineData":{"mimeType":"audio/wav","data":"QUJD"}},
    {"text":"A plain document"},
    {"fileData":{"mimeType":"image/png","fileUri":"gs://bucket/a.png"}},
    {"fileData":{"fileUri":"https://www.youtube.com/watch?v=x"}},
    {"fileData":{"mimeType":"video/mp4","fileUri":"https://generativelanguage.googleapis.com/v1beta/files/x"}}]}])"));
}

TEST_CASE("gemini body: public URLs and other vendors' files are refused, whatever the settings") {
  for (const TranslationSettings& settings : {TranslationSettings(), lenient()}) {
    for (std::string_view url : {"https://example.com/a.png", "http://www.youtube.com/x",
                                 "https://youtube.com.evil/x", "https://www.youtube.com"}) {
      Draft draft;
      draft.say(Role::user, "see");
      draft.add(draft.say(Role::user), PartKind::image).url = {url};
      const test::Encoding encoding = draft.encode(&newer, false, settings);
      CHECK(!encoding.accepted);
      CHECK(std::string(encoding.problem.param) == "messages[1].content[0]");
      CHECK(std::string(encoding.problem.code) == "unsupported_parameter");
    }
    Draft draft;
    draft.add(draft.say(Role::user), PartKind::file).file_id = "file-123";
    CHECK(!draft.encode(&newer, false, settings).accepted);
  }
}

TEST_CASE(
    "gemini body: pictures of a result stand within it for newer models, beside it for older") {
  Draft draft;
  draft.say(Role::user, "go");
  draft.call(draft.say(Role::assistant), "c", "f");
  Part& result = draft.answer("c", "seen");
  Part* image = make<Part>(draft.memory.arena);
  image->kind = PartKind::image;
  image->media_type = "image/png";
  image->data = {"QUJD"};
  result.content.append(image);
  CHECK(draft.contents(&newer).elements[2]["parts"] ==
        json_of(R"([{"functionResponse":{"id":"c","name":"f",
    "response":{"result":"seen"},"parts":[{"inlineData":{"mimeType":"image/png","data":"QUJD"}}]}}])"));
  CHECK(draft.contents(&older).elements[2]["parts"] ==
        json_of(R"([{"functionResponse":{"id":"c","name":"f",
    "response":{"result":"seen"}}},{"inlineData":{"mimeType":"image/png","data":"QUJD"}}])"));
}

TEST_CASE("gemini body: tools keep their order and their schemas' bytes") {
  Draft draft;
  draft.say(Role::user, "go");
  draft.tool("zeta", R"({"type":"object",  "$ref":"#/x","const":1})").description = {"Z\\n"};
  draft.tool("alpha");
  const test::Encoding encoding = draft.encode();
  CHECK(encoding.json()["tools"] ==
        json_of(R"([{"functionDeclarations":[{"name":"zeta","description":"Z\n",
          "parametersJsonSchema":{"type":"object","$ref":"#/x","const":1}},{"name":"alpha"}]}])"));
  CHECK(encoding.body.find(R"({"type":"object",  "$ref":"#/x","const":1})") != std::string::npos);
  CHECK(encoding.json().find("toolConfig") == nullptr);
}

TEST_CASE("gemini body: every tool choice") {
  const auto chosen = [](ToolChoice choice, std::initializer_list<const char*> allowed = {},
                         const catalog::Model* model = &newer) {
    Draft draft;
    draft.say(Role::user, "go");
    draft.tool("f");
    draft.request.tool_choice = choice;
    if (choice == ToolChoice::named) draft.request.tool_choice_name = "f";
    for (const char* name : allowed) draft.allow(name);
    return draft.encode(model).json()["toolConfig"]["functionCallingConfig"];
  };
  CHECK(chosen(ToolChoice::none) == json_of(R"({"mode":"NONE"})"));
  CHECK(chosen(ToolChoice::automatic) == json_of(R"({"mode":"AUTO"})"));
  CHECK(chosen(ToolChoice::required) == json_of(R"({"mode":"ANY"})"));
  CHECK(chosen(ToolChoice::named) == json_of(R"({"mode":"ANY","allowedFunctionNames":["f"]})"));
  CHECK(chosen(ToolChoice::required, {"f", "g"}) ==
        json_of(R"({"mode":"ANY","allowedFunctionNames":["f","g"]})"));
  CHECK(chosen(ToolChoice::automatic, {"f"}) ==
        json_of(R"({"mode":"VALIDATED","allowedFunctionNames":["f"]})"));
  catalog::Model free = newer;
  free.forced_tools = false;
  CHECK(chosen(ToolChoice::required, {}, &free) == json_of(R"({"mode":"AUTO"})"));
  // Without tools there is nothing to choose.
  Draft draft;
  draft.say(Role::user, "go");
  draft.request.tool_choice = ToolChoice::automatic;
  CHECK(draft.encode().json().find("toolConfig") == nullptr);
}

TEST_CASE("gemini body: generationConfig") {
  Draft draft;
  draft.say(Role::user, "go");
  Request& request = draft.request;
  request.output_tokens_max = 100;
  request.temperature = {"1.50"};
  request.top_p = {"0.9"};
  request.top_k = {"40"};
  request.n = 2;
  draft.stop("a");
  draft.stop("\\n");
  request.seed = {"7"};
  request.presence_penalty = {"0"};
  request.frequency_penalty = {"0.0"};
  request.format = Format::json_schema;
  request.schema = {R"({"type":"object"})"};
  const test::Encoding encoding = draft.encode();
  CHECK(encoding.json()["generationConfig"] ==
        json_of(R"({"maxOutputTokens":100,"temperature":1.50,"topP":0.9,
    "topK":40,"candidateCount":2,"stopSequences":["a","\n"],"seed":7,
    "responseMimeType":"application/json","responseJsonSchema":{"type":"object"}})"));
  CHECK(encoding.dropped == "");
  CHECK(encoding.adjusted == "");
  request.presence_penalty = {"0.5"};
  request.frequency_penalty = {"-1"};
  CHECK(draft.encode().dropped == "presence_penalty, frequency_penalty");
  const test::Json vertex = draft.encode(&newer, true).json()["generationConfig"];
  CHECK(vertex["presencePenalty"].text == "0.5");
  CHECK(vertex["frequencyPenalty"].text == "-1");
  Draft plain;
  plain.say(Role::user, "go");
  CHECK(plain.encode().json().find("generationConfig") == nullptr);
  plain.request.format = Format::json_object;
  CHECK(plain.config() == json_of(R"({"responseMimeType":"application/json"})"));
}

TEST_CASE("gemini body: output tokens are kept to what the model gives") {
  Draft draft;
  draft.say(Role::user, "go");
  draft.request.output_tokens_max = 100'000;
  const test::Encoding encoding = draft.encode();
  CHECK(encoding.json()["generationConfig"]["maxOutputTokens"].text == "65536");
  CHECK(encoding.adjusted == "max_tokens");
  CHECK(draft.encode(nullptr).json()["generationConfig"]["maxOutputTokens"].text == "100000");
}

TEST_CASE("gemini body: a schema together with tools only where the model takes both") {
  Draft draft;
  draft.say(Role::user, "go");
  draft.tool("f");
  draft.request.format = Format::json_schema;
  draft.request.schema = {"{}"};
  CHECK(draft.config(&newer)["responseMimeType"].text == "application/json");
  CHECK(!draft.encode(&older).accepted);
  const test::Encoding dropped = draft.encode(&older, false, lenient());
  CHECK(dropped.accepted);
  CHECK(dropped.dropped == "response_format");
  CHECK(dropped.json().find("generationConfig") == nullptr);
}

TEST_CASE("gemini body: what it cannot say is refused, dropped or changed by policy") {
  struct Case {
    void (*set)(Draft&);
    bool refused;
    const char* named;
  };
  const Case cases[] = {
      {[](Draft& d) { d.request.logprobs = true; }, true, "logprobs"},
      {[](Draft& d) { d.request.n = 9; }, true, "n"},
      {[](Draft& d) { d.request.audio_wanted = true; }, true, "modalities"},
      {[](Draft& d) { d.request.web_search = {"{}"}; }, true, "web_search_options"},
      {[](Draft& d) {
         for (int i = 0; i < 6; ++i) d.stop("x");
       },
       true, "stop"},
      {[](Draft& d) { d.request.logit_bias = {"{}"}; }, false, "logit_bias"},
      {[](Draft& d) { d.request.user = {"u"}; }, false, "user"},
      {[](Draft& d) { d.request.metadata = {"{}"}; }, false, "metadata"},
      {[](Draft& d) { d.request.store = Flag::yes; }, false, "store"},
      {[](Draft& d) { d.request.verbosity = "low"; }, false, "verbosity"},
      {[](Draft& d) { d.request.prediction = {"{}"}; }, false, "prediction"},
      {[](Draft& d) { d.request.service_tier = "scale"; }, false, "service_tier"},
      {[](Draft& d) { d.request.parallel_tool_calls = Flag::no; }, false, "parallel_tool_calls"},
      {[](Draft& d) { d.tool("f").strict = Flag::yes; }, false, "tools.strict"},
      {[](Draft& d) { d.say(Role::user).name = "Bob"; }, false, "messages.name"},
      {[](Draft& d) { d.say(Role::user, "x").cache = CacheMark::one_hour; }, false,
       "cache_control"},
      {[](Draft& d) {
         Word* word = make<Word>(d.memory.arena);
         word->plain = "unheard";
         d.request.unknown.append(word);
       },
       false, "unheard"},
      {[](Draft& d) { d.tool("s").kind = Tool::Kind::server; }, true, "tools"},
  };
  for (const Case& item : cases) {
    CAPTURE(item.named);
    Draft draft;
    draft.say(Role::user, "go");
    item.set(draft);
    const test::Encoding strict = draft.encode();
    CHECK(strict.accepted != item.refused);
    if (item.refused) CHECK(std::string(strict.problem.param) == item.named);
    const test::Encoding loose = draft.encode(&newer, false, lenient());
    CHECK(loose.accepted);
    CHECK(loose.dropped == item.named);
  }
  Draft custom;
  custom.say(Role::user, "go");
  custom.tool("c").kind = Tool::Kind::custom;
  CHECK(!custom.encode(&newer, false, lenient()).accepted);
}

TEST_CASE("gemini body: service tiers are named as Gemini names them") {
  const auto tier = [](std::string_view name, bool vertex = false) {
    Draft draft;
    draft.say(Role::user, "go");
    draft.request.service_tier = name;
    return draft.encode(&newer, vertex).json()["serviceTier"].text;
  };
  CHECK(tier("auto") == "");
  CHECK(tier("default") == "standard");
  CHECK(tier("flex") == "flex");
  CHECK(tier("priority") == "priority");
  CHECK(tier("flex", true) == "");
}

TEST_CASE("gemini body: sampling is left out for models that take none") {
  catalog::Model model = newer;
  model.sampling = catalog::Sampling::no;
  Draft draft;
  draft.say(Role::user, "go");
  draft.request.temperature = {"1"};
  draft.request.top_p = {"1"};
  const test::Encoding encoding = draft.encode(&model);
  CHECK(encoding.dropped == "temperature, top_p");
  CHECK(encoding.json().find("generationConfig") == nullptr);
}

TEST_CASE("gemini body: an image's detail is asked of the whole request") {
  const auto detail = [](std::initializer_list<const char*> details) {
    Draft draft;
    Message& turn = draft.say(Role::user);
    for (const char* word : details) {
      Part& image = draft.add(turn, PartKind::image);
      image.media_type = "image/png";
      image.data = {"QUJD"};
      image.detail = word;
    }
    return draft.config()["mediaResolution"].text;
  };
  CHECK(detail({"low", "low"}) == "MEDIA_RESOLUTION_LOW");
  CHECK(detail({"high", "auto"}) == "MEDIA_RESOLUTION_HIGH");
  CHECK(detail({"auto"}) == "");
  CHECK(detail({"low", "high"}) == "");
}

namespace {

struct Thought {
  bool effort_given;
  catalog::Effort effort;
  int64_t budget;
  const char* level;   // what a model with levels is sent; "" nothing
  const char* tokens;  // and one with budgets
  bool level_changed;
  bool tokens_changed;
};

}  // namespace

TEST_CASE("gemini body: efforts and budgets become levels or budgets, by the model's row") {
  using catalog::Effort;
  const Thought thoughts[] = {
      {false, Effort::none, -1, "", "", false, false},
      {true, Effort::none, -1, "LOW", "0", true, false},
      {true, Effort::minimal, -1, "LOW", "1024", true, false},
      {true, Effort::low, -1, "LOW", "1024", false, false},
      {true, Effort::medium, -1, "MEDIUM", "8192", false, false},
      {true, Effort::high, -1, "HIGH", "24576", false, false},
      {true, Effort::xhigh, -1, "HIGH", "24576", true, false},
      {true, Effort::max, -1, "HIGH", "24576", true, false},
      {false, Effort::none, -2, "", "-1", false, false},
      {false, Effort::none, 0, "LOW", "0", true, false},
      {false, Effort::none, 1, "LOW", "128", false, true},
      {false, Effort::none, 2000, "MEDIUM", "2000", false, false},
      {false, Effort::none, 32000, "HIGH", "24576", false, true},
  };
  for (const Thought& item : thoughts) {
    Draft draft;
    draft.say(Role::user, "go");
    draft.request.effort_given = item.effort_given;
    draft.request.effort = item.effort;
    draft.request.thinking_budget_tokens = item.budget;
    CAPTURE(static_cast<int>(item.effort));
    CAPTURE(item.budget);
    const test::Encoding level = draft.encode(&newer);
    CHECK(level.json()["generationConfig"]["thinkingConfig"]["thinkingLevel"].text == item.level);
    CHECK(level.json()["generationConfig"]["thinkingConfig"].find("thinkingBudget") == nullptr);
    CHECK(level.adjusted == (item.level_changed ? "reasoning_effort" : ""));
    const test::Encoding tokens = draft.encode(&older);
    CHECK(tokens.json()["generationConfig"]["thinkingConfig"]["thinkingBudget"].text ==
          item.tokens);
    CHECK(tokens.json()["generationConfig"]["thinkingConfig"].find("thinkingLevel") == nullptr);
    CHECK(tokens.adjusted == (item.tokens_changed ? "reasoning_effort" : ""));
  }
}

TEST_CASE("gemini body: a model that always thinks gets its least budget for none") {
  catalog::Model pro = older;
  pro.thinking_off = catalog::ThinkingOff::cannot;
  Draft draft;
  draft.say(Role::user, "go");
  draft.request.effort_given = true;
  const test::Encoding encoding = draft.encode(&pro);
  CHECK(encoding.json()["generationConfig"]["thinkingConfig"]["thinkingBudget"].text == "128");
  CHECK(encoding.adjusted == "reasoning_effort");
}

TEST_CASE("gemini body: a model that does not think is asked nothing") {
  const catalog::Model plain;
  for (const catalog::Model* model : {&plain, static_cast<const catalog::Model*>(nullptr)}) {
    Draft draft;
    draft.say(Role::user, "go");
    draft.request.thinking_shown = Flag::yes;
    draft.request.effort_given = true;
    draft.request.effort = catalog::Effort::none;
    CHECK(draft.encode(model).adjusted == "");
    draft.request.effort = catalog::Effort::high;
    const test::Encoding encoding = draft.encode(model);
    CHECK(encoding.json().find("generationConfig") == nullptr);
    CHECK(encoding.adjusted == "reasoning_effort");
  }
}

TEST_CASE("gemini body: thoughts are asked for only if the client will get them") {
  const auto included = [](Flag shown, bool setting, bool off = false) {
    Draft draft;
    draft.say(Role::user, "go");
    draft.request.thinking_shown = shown;
    if (off) draft.request.thinking_budget_tokens = 0;
    TranslationSettings settings;
    settings.reasoning_content = setting;
    return draft.encode(&older, false, settings)
        .json()["generationConfig"]["thinkingConfig"]["includeThoughts"]
        .boolean;
  };
  CHECK(included(Flag::yes, false));
  CHECK(included(Flag::unset, true));
  CHECK(!included(Flag::unset, false));
  CHECK(!included(Flag::no, true));
  // With a budget of nothing it would be a 400.
  CHECK(!included(Flag::yes, true, true));
}

TEST_CASE("gemini body: tokens are counted of a whole request, by Vertex of its parts") {
  Draft draft;
  draft.say(Role::user, "go");
  draft.request.output_tokens_max = 5;
  const auto count = [&](bool vertex) {
    test::Memory memory;
    TranslationSettings settings;
    Notes notes(settings);
    catalog::Provider provider;
    provider.vertex = vertex;
    REQUIRE(gemini::encode_count_tokens(draft.request, {provider, &newer, "gemini-x", settings},
                                        {memory.arena, memory.scratch}, memory.out, notes));
    return json_of(memory.out.text());
  };
  const std::string members =
      R"("contents":[{"role":"user","parts":[{"text":"go"}]}],"generationConfig":{"maxOutputTokens":5})";
  CHECK(count(false) ==
        json_of(R"({"generateContentRequest":{"model":"models/gemini-x",)" + members + "}}"));
  CHECK(count(true) == json_of("{" + members + "}"));
  CHECK(gemini::read_total_tokens(R"({"totalTokens": 31, "x": [1]})") == 31);
  for (const char* bad :
       {"", "{}", R"({"totalTokens":"x"})", R"({"totalTokens":-1})", R"({"totalTokens":3)", "[]"}) {
    CHECK(gemini::read_total_tokens(bad) == -1);
  }
}

TEST_CASE("gemini paths: the model is one segment, whatever it is called") {
  const auto path = [](std::string_view model, bool stream) {
    char out[200];
    return std::string(out, gemini::write_path(model, stream, out, sizeof(out)));
  };
  CHECK(path("gemini-3.8-flash", false) == "/models/gemini-3.8-flash:generateContent");
  CHECK(path("gemini-3.8-flash", true) == "/models/gemini-3.8-flash:streamGenerateContent?alt=sse");
  CHECK(path("models/x", false) == "/models/x:generateContent");
  CHECK(path("tunedModels/x", false) == "/tunedModels/x:generateContent");
  CHECK(path("../../evil?x#y", false) == "/models/..%2F..%2Fevil%3Fx%23y:generateContent");
  char small[10];
  CHECK(gemini::write_path("gemini-3.8-flash", false, small, sizeof(small)) == 0);
}

TEST_CASE("gemini body: what a Google client said comes back as it was") {
  const char* body = R"({"systemInstruction":{"parts":[{"text":"S"}]},
    "contents":[{"role":"user","parts":[{"text":"go"},{"inlineData":{"mimeType":"image/png","data":"QUJD"}}]},
      {"role":"model","parts":[{"text":"hm","thought":true,"thoughtSignature":"U2ln"},
        {"functionCall":{"id":"a","name":"f","args":{"x":[1,2]}},"thoughtSignature":"QUJD"}]},
      {"role":"user","parts":[{"functionResponse":{"id":"a","name":"f","response":{"y":1}}},{"text":"so"}]}],
    "tools":[{"functionDeclarations":[{"name":"f","description":"F","parametersJsonSchema":{"type":"object"}}]}],
    "toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["f"]}},
    "safetySettings":[{"category":"c","threshold":"t"}],
    "generationConfig":{"maxOutputTokens":10,"temperature":0.1,"topP":0.2,"topK":3,"candidateCount":2,
      "stopSequences":["x"],"seed":4,"responseMimeType":"application/json",
      "responseJsonSchema":{"type":"object"},
      "thinkingConfig":{"thinkingLevel":"LOW","includeThoughts":true}},"serviceTier":"flex"})";
  const test::Decoding decoded(gemini::language(), body);
  REQUIRE_MESSAGE(decoded.accepted, decoded.message());
  const test::Encoding encoding =
      test::encode(gemini::language(), decoded.request, catalog::Provider(), &newer);
  CHECK(encoding.json() == json_of(body));
}
