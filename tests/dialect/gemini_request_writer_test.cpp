#include <string>

#include <doctest/doctest.h>

#include "dialect/gemini_draft.h"

using namespace hyperion;
using namespace hyperion::dialect;
using test::Draft;
using test::json_of;
using test::lenient;
using test::newer;
using test::older;

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

TEST_CASE("gemini body: of too many stop sequences the first five are kept") {
  Draft draft;
  draft.say(Role::user, "go");
  for (const char* word : {"a", "b", "c", "d", "e", "f"}) draft.stop(word);
  const test::Json config = draft.encode(&newer, false, lenient()).json()["generationConfig"];
  CHECK(config["stopSequences"] == json_of(R"(["a","b","c","d","e"])"));
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
      R"("contents":[{"role":"user","parts":[{"text":"go"}]}],"generationConfig":{)"
      R"("maxOutputTokens":5})";
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
