// What a model must be able to do for a request: one row for each capability.
#include "routing/capability.h"

#include <functional>

#include <doctest/doctest.h>

namespace hyperion::routing {
namespace {

using catalog::Answer;
using catalog::Effort;
using catalog::Model;

// A model that can do everything, with room for 100,000 tokens of which 8,000 are answer.
Model able() {
  Model model;
  model.context_tokens = 100'000;
  model.output_tokens_max = 8'000;
  auto& can = model.capabilities;
  can.vision = can.pdf = can.audio_in = can.audio_out = can.tools = Answer::yes;
  can.json_schema = can.reasoning = Answer::yes;
  model.prefill = true;
  for (Effort effort : {Effort::none, Effort::low, Effort::high})
    model.efforts.bits |= static_cast<uint8_t>(1u << static_cast<unsigned>(effort));
  return model;
}

struct Row {
  const char* rule;
  std::function<void(Demands&)> ask;
  std::function<void(Model&)> lack;
  Exclusion wall;
};

const Row rows[] = {
    {"tools", [](Demands& d) { d.wants.tools = 1; },
     [](Model& m) { m.capabilities.tools = Answer::unknown; }, Exclusion::tools},
    {"tools and a schema", [](Demands& d) { d.wants.tools = 1, d.wants.json_schema = true; },
     [](Model& m) { m.tools_with_schema = false; }, Exclusion::tools},
    {"tools while thinking", [](Demands& d) { d.wants.tools = 1, d.wants.reasoning = true; },
     [](Model& m) { m.tools_with_reasoning = false; }, Exclusion::tools},
    {"a forced call", [](Demands& d) { d.wants.tools = 1, d.wants.tools_forced = true; },
     [](Model& m) { m.forced_tools = false; }, Exclusion::tool_choice},
    {"images", [](Demands& d) { d.images = true; },
     [](Model& m) { m.capabilities.vision = Answer::no; }, Exclusion::vision},
    {"sound", [](Demands& d) { d.audio = true; },
     [](Model& m) { m.capabilities.audio_in = Answer::unknown; }, Exclusion::audio},
    {"an answer in sound", [](Demands& d) { d.wants.audio_out = true; },
     [](Model& m) { m.capabilities.audio_out = Answer::no; }, Exclusion::audio},
    {"files", [](Demands& d) { d.files = true; },
     [](Model& m) { m.capabilities.pdf = Answer::unknown; }, Exclusion::files},
    {"a schema", [](Demands& d) { d.wants.json_schema = true; },
     [](Model& m) { m.capabilities.json_schema = Answer::no; }, Exclusion::json_schema},
    {"any JSON", [](Demands& d) { d.wants.json_object = true; },
     [](Model& m) { m.capabilities.json_schema = Answer::unknown; }, Exclusion::json_schema},
    {"thinking", [](Demands& d) { d.wants.reasoning = true; },
     [](Model& m) { m.capabilities.reasoning = Answer::no; }, Exclusion::reasoning},
    {"an effort that it knows",
     [](Demands& d) { d.wants.effort_given = true, d.wants.effort = Effort::high; },
     [](Model& m) { m.efforts = {}; }, Exclusion::reasoning},
    {"no thinking", [](Demands& d) { d.wants.effort_given = true; },
     [](Model& m) {
       m.efforts = {};
       m.thinking = catalog::Thinking::level;
       m.thinking_off = catalog::ThinkingOff::cannot;
     },
     Exclusion::reasoning},
    {"sampling", [](Demands& d) { d.wants.sampling = true; },
     [](Model& m) { m.sampling = catalog::Sampling::no; }, Exclusion::sampling},
    {"sampling where only those that do not think take it",
     [](Demands& d) { d.wants.sampling = true; },
     [](Model& m) { m.sampling = catalog::Sampling::effort_none; }, Exclusion::sampling},
    {"to go on with the assistant's words", [](Demands& d) { d.wants.prefill = true; },
     [](Model& m) { m.prefill = false; }, Exclusion::provider_feature},
    {"room for the question", [](Demands& d) { d.input_tokens_max = 50'000; },
     [](Model& m) { m.context_tokens = 50'500; }, Exclusion::context},
    {"a context that is known", [](Demands& d) { d.input_tokens_max = 1; },
     [](Model& m) { m.context_tokens = 0; }, Exclusion::context},
    {"room where input has its own bound", [](Demands& d) { d.input_tokens_max = 50'000; },
     [](Model& m) { m.input_tokens_max = 49'999; }, Exclusion::context},
    {"room for question and answer together",
     [](Demands& d) { d.input_tokens_max = 50'000, d.wants.output_tokens_max = 8'000; },
     [](Model& m) { m.context_tokens = 57'999; }, Exclusion::context},
    {"as long an answer", [](Demands& d) { d.wants.output_tokens_max = 8'000; },
     [](Model& m) { m.output_tokens_max = 7'999; }, Exclusion::output_limit},
    {"a known length of answers", [](Demands& d) { d.wants.output_tokens_max = 1; },
     [](Model& m) { m.output_tokens_max = 0; }, Exclusion::output_limit},
    {"that it exists", [](Demands&) {}, [](Model& m) { m.status = catalog::Status::retired; },
     Exclusion::retired},
};

}  // namespace

TEST_CASE("each capability keeps out who lacks it, and only where it is asked for") {
  for (const Row& row : rows) {
    CAPTURE(row.rule);
    Demands asks;
    row.ask(asks);
    Model lacking = able();
    row.lack(lacking);
    CHECK(missing_capability(able(), Way::passthrough, asks) == Exclusion::none);
    CHECK(missing_capability(lacking, Way::passthrough, asks) == row.wall);
    const bool always = row.wall == Exclusion::retired || lacking.context_tokens == 0;
    if (!always) CHECK(missing_capability(lacking, Way::passthrough, {}) == Exclusion::none);
  }
}

TEST_CASE("what only the asked provider can do is never asked of another model") {
  Demands demands;
  demands.wants.foreign = true;
  CHECK(missing_capability(able(), Way::passthrough, demands) == Exclusion::provider_feature);
  demands = {};
  demands.wants.logprobs = true;
  CHECK(missing_capability(able(), Way::passthrough, demands) == Exclusion::provider_feature);
}

TEST_CASE("several answers survive no translation") {
  Demands demands;
  demands.wants.choices = 2;
  CHECK(missing_capability(able(), Way::translated, demands) == Exclusion::provider_feature);
  CHECK(missing_capability(able(), Way::passthrough, demands) == Exclusion::none);
}

TEST_CASE("a model that the route cannot reach is out before all else") {
  CHECK(missing_capability(able(), Way::none, {}) == Exclusion::endpoint);
}

TEST_CASE("an effort is also taken as a budget, and none by a model that does not think") {
  Demands demands;
  demands.wants.effort_given = true;
  demands.wants.effort = Effort::xhigh;
  Model model = able();
  CHECK(missing_capability(model, Way::passthrough, demands) == Exclusion::reasoning);
  model.thinking = catalog::Thinking::budget;
  CHECK(missing_capability(model, Way::passthrough, demands) == Exclusion::none);
  demands.wants.effort = Effort::none;
  model = able();
  model.efforts = {};
  model.capabilities.reasoning = Answer::no;
  CHECK(missing_capability(model, Way::passthrough, demands) == Exclusion::none);
}

TEST_CASE("a conversation with calls in it needs a model that knows tools") {
  Conversation conversation;
  CHECK(demands_of(conversation, 7).is_plain());
  CHECK(demands_of(conversation, 7).input_tokens_max == 7);
  conversation.last.shape.tool_results = 1;
  CHECK(demands_of(conversation, 7).wants.tools == 1);
  CHECK_FALSE(demands_of(conversation, 7).is_plain());
  conversation.last.shape = {};
  conversation.last.shape.images = 1;
  CHECK_FALSE(demands_of(conversation, 7).is_plain());
}

TEST_CASE("every exclusion has a name of its own") {
  for (size_t a = 0; a < static_cast<size_t>(Exclusion::count); ++a) {
    const std::string_view name = name_of(static_cast<Exclusion>(a));
    CHECK_FALSE(name.empty());
    for (size_t b = 0; b < a; ++b) CHECK(name != name_of(static_cast<Exclusion>(b)));
  }
  CHECK(name_of(Exclusion::count).empty());
}

TEST_CASE("a window must hold twice the estimate, and never more than a token for each byte") {
  Demands demands;
  demands.input_tokens_max = 400'000;
  demands.input_tokens_expected = 40'000;
  CHECK(demands.room_tokens() == 81'024);
  CHECK(missing_capability(able(), Way::passthrough, demands) == Exclusion::none);
  demands.input_tokens_expected = 50'000;
  CHECK(missing_capability(able(), Way::passthrough, demands) == Exclusion::context);
  demands.input_tokens_max = 60'000;
  CHECK(demands.room_tokens() == 60'000);
  CHECK(missing_capability(able(), Way::passthrough, demands) == Exclusion::none);
  demands.input_tokens_expected = 0;
  CHECK(demands.room_tokens() == 60'000);
}

TEST_CASE("the old word for a limit goes only to models that know it, or through a translation") {
  Demands demands;
  demands.wants.old_limit = true;
  demands.wants.output_tokens_max = 100;
  Model model = able();
  CHECK(missing_capability(model, Way::passthrough, demands) == Exclusion::none);
  model.max_completion_tokens_only = true;
  CHECK(missing_capability(model, Way::passthrough, demands) == Exclusion::output_limit);
  CHECK(missing_capability(model, Way::translated, demands) == Exclusion::none);
}

}  // namespace hyperion::routing
