// The operator's word before the choice: when a rule holds, and what it may not do.
#include "routing/choice_world.h"
#include "routing/selection.h"

namespace hyperion::routing {
namespace {

using test::ChoiceWorld;
using test::ModelRow;
using test::scores_at;

const std::vector<ModelRow> acme_and_bolt = {
    {"acme-large", "acme", 1024, 10, 30}, {"acme-middle", "acme", 768, 3, 9},
    {"acme-small", "acme", 512, 1, 3},    {"bolt-large", "bolt", 1000, 8, 24},
    {"bolt-small", "bolt", 500, 0.5, 1},
};
constexpr int easy = -1024;
constexpr int middling = -40;  // a score of 0.46: the second tier
constexpr int hard = 300;      // and one of 0.76: the third

}  // namespace

TEST_CASE("rules: kinds, sizes and routes of requests, all of them") {
  Rule rule;
  CHECK(applies(rule, Route::smart, Kind::code, 5));
  CHECK(applies(rule, Route::automatic, Kind::chat, 5'000'000));
  rule.kinds = 1u << static_cast<unsigned>(Kind::code) | 1u << static_cast<unsigned>(Kind::math);
  CHECK(applies(rule, Route::smart, Kind::math, 5));
  CHECK_FALSE(applies(rule, Route::smart, Kind::chat, 5));
  rule.tokens_min = 10;
  rule.tokens_max = 20;
  CHECK_FALSE(applies(rule, Route::smart, Kind::code, 9));
  CHECK(applies(rule, Route::smart, Kind::code, 10));
  CHECK(applies(rule, Route::smart, Kind::code, 20));
  CHECK_FALSE(applies(rule, Route::smart, Kind::code, 21));
  rule.routes = Rule::for_auto;
  CHECK_FALSE(applies(rule, Route::smart, Kind::code, 15));
  CHECK(applies(rule, Route::automatic, Kind::code, 15));
}

TEST_CASE("rules: a model that can and may takes the request, good enough or not") {
  ChoiceWorld world(acme_and_bolt);
  Rule rule;
  rule.deployment = world.at("bolt-small");
  world.question.rule = &rule;
  world.ask_auto();
  world.prompt(scores_at(hard));
  CHECK(world.choice() == "bolt-small");
  CHECK(world.decision.rule == &rule);
  // For smart as well, across vendors: it is the operator's word. The asked model follows.
  world.ask_smart("acme-large");
  CHECK(world.choice() == "bolt-small");
  CHECK(world.next() == "acme-large ");
}

TEST_CASE("rules: the model of a rule is priced, and stands as the choice it is") {
  ChoiceWorld world(acme_and_bolt);
  Rule rule;
  rule.deployment = world.at("acme-small");
  world.question.rule = &rule;
  world.ask_smart("acme-large");
  world.prompt(scores_at(hard));
  for (const bool explains : {false, true}) {
    world.question.explains = explains;
    CHECK(world.choice() == "acme-small");
    CHECK(world.why_not("acme-small") == Exclusion::none);
    // 200 tokens of input and 120 of a chat's answer, at 10 and 30 against 1 and 3 dollars.
    CHECK(world.decision.saved_nano_usd == 200 * 9'000 + 120 * 27'000);
  }
}

TEST_CASE("rules: never break a capability, a permission or the request's own limit") {
  ChoiceWorld world(acme_and_bolt);
  Rule rule;
  rule.deployment = world.at("acme-middle");
  world.question.rule = &rule;
  world.ask_auto();
  CHECK(world.choice() == "acme-middle");
  world.question.max_cost_nano_usd = 5'000'000;
  world.question.demands.wants.output_tokens_max = 1000;
  CHECK(world.choice() == "bolt-small");
  world.question.max_cost_nano_usd = -1;
  CHECK(world.choice() == "acme-middle");
  world.unhealthy[world.at("acme-middle")->index] = 1;
  CHECK(world.choice() == "bolt-small");
  world.unhealthy[world.at("acme-middle")->index] = 0;
  world.ways[world.at("acme-middle")->index] = Way::none;
  CHECK(world.choice() == "bolt-small");
}

TEST_CASE("rules: a tier holds whatever the prompt looks like") {
  ChoiceWorld world(acme_and_bolt);
  world.ask_auto();
  Rule rule;
  world.question.rule = &rule;
  for (int difficulty : {easy, middling, hard}) {
    for (Tier tier : {Tier::cheap_fast, Tier::balanced, Tier::high_reasoning}) {
      rule.tier = static_cast<uint8_t>(tier);
      world.prompt(scores_at(difficulty));
      CHECK(world.decide().tier == tier);
      // Even if nobody can judge the prompt.
      world.question.turns[0].scores.unknown = true;
      CHECK(world.decide().tier == tier);
    }
  }
}

}  // namespace hyperion::routing
