// Which model answers: each case one rule of smart routing, of auto, or of the operator.
#include "routing/selection.h"

#include "routing/choice_world.h"
#include "routing/expected_tokens.h"
#include "routing/logistic.h"

namespace hyperion::routing {
namespace {

using test::ChoiceWorld;
using test::ModelRow;
using test::scores_at;

// Chances of these at difficulty 0: 0.98, 0.95, 0.88; at -1024 (easy) all above 0.99.
const std::vector<ModelRow> acme_and_bolt = {
    {"acme-large", "acme", 1024, 10, 30}, {"acme-middle", "acme", 768, 3, 9},
    {"acme-small", "acme", 512, 1, 3},    {"bolt-large", "bolt", 1000, 8, 24},
    {"bolt-small", "bolt", 500, 0.5, 1},
};
constexpr int easy = -1024;
constexpr int middling = -40;  // a score of 0.46: the second tier
constexpr int hard = 300;      // and one of 0.76: the third

}  // namespace

TEST_CASE("smart: an easy prompt goes to the cheapest of the family that is good enough") {
  ChoiceWorld world(acme_and_bolt);
  world.ask_smart("acme-large");
  CHECK(world.choice() == "acme-small");
  CHECK(world.decision.tier == Tier::cheap_fast);
  CHECK(world.decision.saved_nano_usd > 0);
  CHECK(world.next() == "acme-large ");
}

TEST_CASE("smart: another vendor's and another provider's models are not even looked at") {
  ChoiceWorld world(acme_and_bolt);
  world.ask_smart("acme-small");
  CHECK(world.choice() == "acme-small");
  CHECK(world.why_not("bolt-small") == Exclusion::count);
  CHECK(world.decision.candidate_count == 3);

  // The same family at a second provider, for less.
  catalog::Draft draft;
  for (const char* name : {"first", "second"}) {
    catalog::Provider provider;
    provider.name = name;
    provider.serves = {"acme"};
    draft.providers.push_back({std::move(provider), {}});
  }
  for (const ModelRow& row : acme_and_bolt) {
    if (std::string_view(row.vendor) == "acme") draft.models.push_back({test::model_of(row), {}});
  }
  std::vector<catalog::Problem> problems;
  const catalog::Catalog catalog = catalog::Catalog::build(std::move(draft), problems);
  REQUIRE(problems.empty());
  const Roster roster(catalog, false);
  const std::vector<Way> ways(catalog.deployments().size(), Way::passthrough);
  world.question.asked = catalog.resolve("second/acme-large").deployment;
  REQUIRE(world.question.asked != nullptr);
  world.field.candidates = roster.candidates();
  world.field.ways = ways;
  CHECK(world.decide().chosen->id == "second/acme-small");
  for (uint32_t i = 0; i < world.decision.candidate_count; ++i)
    CHECK(world.decision.candidates[i].deployment->provider->name == "second");
}

TEST_CASE("smart: never an upgrade, a better model that costs more stays out") {
  ChoiceWorld world(acme_and_bolt);
  world.ask_smart("acme-small");
  for (int difficulty : {easy, middling, hard}) {
    world.prompt(scores_at(difficulty));
    CHECK(world.choice() == "acme-small");
  }
  world.prompt(scores_at(easy));
  world.decide();
  CHECK(world.why_not("acme-large") == Exclusion::not_cheaper);
}

TEST_CASE("smart: what is not good enough for the prompt stays out") {
  ChoiceWorld world(acme_and_bolt);
  world.ask_smart("acme-large");
  // 0.98, 0.96 and 0.90: one is within the tolerance of 3 points, the other is not.
  world.prompt(scores_at(middling));
  CHECK(world.choice() == "acme-middle");
  CHECK(world.decision.tier == Tier::balanced);
  CHECK(world.why_not("acme-small") == Exclusion::not_good_enough);
}

TEST_CASE("smart: a hard prompt stays, however good and cheap the others are") {
  ChoiceWorld world({{"acme-large", "acme", 1024, 10, 30}, {"acme-twin", "acme", 1024, 1, 3}});
  world.ask_smart("acme-large");
  CHECK(world.choice() == "acme-twin");
  world.prompt(scores_at(hard));
  CHECK(world.choice() == "acme-large");
  CHECK(world.decision.tier == Tier::high_reasoning);
  CHECK(world.decision.saved_nano_usd == 0);
}

TEST_CASE("smart: an asked model of unknown quality stays") {
  ChoiceWorld world(
      {{"acme-new", "acme", test::unknown_strength, 10, 30}, {"acme-small", "acme", 512, 1, 3}});
  world.ask_smart("acme-new");
  CHECK(world.choice() == "acme-new");
  CHECK(world.why_not("acme-small") == Exclusion::not_good_enough);
}

TEST_CASE("smart: a model of unknown quality is never chosen in place of another") {
  ChoiceWorld world(
      {{"acme-large", "acme", 512, 10, 30}, {"acme-new", "acme", test::unknown_strength, 1, 3}});
  world.ask_smart("acme-large");
  CHECK(world.choice() == "acme-large");
  CHECK(world.decision.candidate_count == 1);
}

TEST_CASE("smart: a prompt that cannot be judged stays, and is of the highest tier") {
  ChoiceWorld world(acme_and_bolt);
  world.ask_smart("acme-large");
  Scores scores = scores_at(easy);
  scores.unknown = true;
  world.prompt(scores);
  CHECK(world.choice() == "acme-large");
  CHECK(world.decision.tier == Tier::high_reasoning);
  CHECK(world.decision.held_scores.score >= world.settings.high_reasoning_from_score);
}

TEST_CASE("smart: a capability is never lost for money") {
  std::vector<catalog::Model> models;
  for (const ModelRow& row : acme_and_bolt) models.push_back(test::model_of(row));
  models[0].capabilities.tools = catalog::Answer::yes;
  models[1].capabilities.tools = catalog::Answer::yes;
  models[2].capabilities.tools = catalog::Answer::no;
  ChoiceWorld world(std::move(models));
  world.ask_smart("acme-large");
  CHECK(world.choice() == "acme-small");
  world.question.demands.wants.tools = 1;
  CHECK(world.choice() == "acme-middle");
  CHECK(world.why_not("acme-small") == Exclusion::tools);
}

TEST_CASE("smart: the asked model is not judged, even where the catalogue says that it cannot") {
  ChoiceWorld world(acme_and_bolt);
  world.ask_smart("acme-large");
  world.question.demands.images = true;
  CHECK(world.choice() == "acme-large");
  CHECK(world.why_not("acme-large") == Exclusion::none);
}

TEST_CASE("smart: who lately was clearly slower to the first token stays out") {
  ChoiceWorld world(acme_and_bolt);
  world.ask_smart("acme-large");
  world.late_by("acme-large", 400'000);
  world.late_by("acme-small", 600'000);  // just the half more
  CHECK(world.choice() == "acme-small");
  world.late_by("acme-small", 600'001);
  CHECK(world.choice() == "acme-middle");  // whose latency nobody knows
  CHECK(world.why_not("acme-small") == Exclusion::slower);
  world.late_by("acme-large", 0);
  CHECK(world.choice() == "acme-small");
}

TEST_CASE("smart: keys, health and missing credentials keep models out") {
  ChoiceWorld world(acme_and_bolt);
  world.ask_smart("acme-large");
  world.unhealthy[world.at("acme-small")->index] = 1;
  CHECK(world.choice() == "acme-middle");
  CHECK(world.why_not("acme-small") == Exclusion::unhealthy);
  world.allowed = {};
  world.allowed.allow(*world.at("acme-large"));
  world.allowed.allow(*world.at("acme-small"));
  CHECK(world.choice() == "acme-large");
  CHECK(world.why_not("acme-middle") == Exclusion::not_allowed);
}

TEST_CASE("smart: more room for quality is given on easy prompts than on middling ones") {
  // 4 points apart at both difficulties, more or less.
  ChoiceWorld world({{"strong", "acme", 400, 10, 30}, {"weak", "acme", 340, 1, 3}});
  world.ask_smart("strong");
  const auto lack = [&](int difficulty) {
    return chance_of(400 - difficulty) - chance_of(340 - difficulty);
  };
  const int second = difficulty_of(350);
  REQUIRE(lack(second) > 200);
  world.settings.smart_tolerance = lack(second) - 1;
  world.prompt(scores_at(second));
  CHECK(world.choice() == "strong");
  world.prompt(scores_at(second - 1));
  CHECK(world.choice() == "weak");
}

TEST_CASE("auto: the cheapest of all providers that is good enough") {
  ChoiceWorld world(acme_and_bolt);
  world.ask_auto();
  CHECK(world.choice() == "bolt-small");
  world.prompt(scores_at(middling));
  CHECK(world.choice() == "acme-middle");
  CHECK(world.why_not("bolt-small") == Exclusion::not_good_enough);
  world.prompt(scores_at(hard));
  CHECK(world.choice() == "bolt-large");
  CHECK(world.decision.tier == Tier::high_reasoning);
}

TEST_CASE("auto: costs are those of the whole answer, thinking included") {
  // Cheap to ask, but an answer costs ten times as much.
  ChoiceWorld words({{"a", "acme", 500, 1, 3}, {"b", "bolt", 500, 0.5, 30}});
  words.ask_auto();
  CHECK(words.choice() == "a");
  words.question.demands.wants.output_tokens_max = 1;
  CHECK(words.choice() == "b");

  std::vector<catalog::Model> models = {test::model_of({"quiet", "acme", 500, 1, 5}),
                                        test::model_of({"thinks", "bolt", 500, 1, 3})};
  models[1].capabilities.reasoning = catalog::Answer::yes;
  models[1].thinking = catalog::Thinking::level;
  models[1].thinking_off = catalog::ThinkingOff::cannot;
  ChoiceWorld thinking(std::move(models));
  thinking.ask_auto();
  CHECK(thinking.choice() == "quiet");
}

TEST_CASE("auto: ties go to the quicker, then to the better, then to the earlier in the conf") {
  ChoiceWorld world(
      {{"one", "acme", 500, 1, 3}, {"two", "bolt", 500, 1, 3}, {"three", "cole", 520, 1, 3}});
  world.ask_auto();
  CHECK(world.choice() == "three");
  world.late_by("two", 300'000);  // known beats unknown
  CHECK(world.choice() == "two");
  world.late_by("one", 200'000);
  CHECK(world.choice() == "one");
  ChoiceWorld same({{"one", "acme", 500, 1, 3}, {"two", "bolt", 500, 1, 3}});
  same.ask_auto();
  CHECK(same.choice() == "one");
}

TEST_CASE("auto: three more follow, the good enough by cost, then the able by chance") {
  ChoiceWorld world(acme_and_bolt);
  world.ask_auto();
  CHECK(world.choice() == "bolt-small");
  CHECK(world.next() == "acme-small acme-middle bolt-large ");
  world.prompt(scores_at(hard));
  CHECK(world.choice() == "bolt-large");
  CHECK(world.next() == "acme-large acme-middle acme-small ");
  // None of them may lack what is needed.
  world.unhealthy[world.at("acme-middle")->index] = 1;
  world.decide();
  CHECK(world.next() == "acme-large acme-small bolt-small ");
}

TEST_CASE("auto: a budget near its limit leans cheaper, and only from the threshold on") {
  ChoiceWorld world(acme_and_bolt);
  world.ask_auto();
  world.prompt(scores_at(middling));
  CHECK(world.choice() == "acme-middle");
  world.question.pressure = 800;
  CHECK(world.choice() == "acme-middle");
  world.question.pressure = 1000;
  CHECK(world.choice() == "bolt-small");
}

TEST_CASE("auto: what could cost more than max_cost stays out") {
  ChoiceWorld world(acme_and_bolt);
  world.ask_auto();
  world.prompt(scores_at(middling));
  world.question.demands.wants.output_tokens_max = 1000;
  // acme-middle: 200 tokens at 3, 1,000 at 9 dollars a million.
  world.question.max_cost_nano_usd = 200 * 3'000 + 1000 * 9'000;
  CHECK(world.choice() == "acme-middle");
  --world.question.max_cost_nano_usd;
  CHECK(world.choice() == "none");
  CHECK(world.why_not("acme-middle") == Exclusion::over_max_cost);
}

TEST_CASE("auto: hyperion.providers narrows the choice") {
  ChoiceWorld world(acme_and_bolt);
  world.ask_auto();
  world.field.providers = uint64_t{1} << world.at("acme-large")->provider->index;
  CHECK(world.choice() == "acme-small");
  CHECK(world.why_not("bolt-small") == Exclusion::provider_narrowed);
  CHECK(world.next() == "acme-middle acme-large ");
}

TEST_CASE("auto: with nothing left, the wall that most hit is named, and the nearest behind it") {
  ChoiceWorld world(acme_and_bolt);
  world.ask_auto();
  world.question.demands.images = true;
  world.unhealthy[world.at("bolt-small")->index] = 1;
  CHECK(world.choice() == "none");
  CHECK(world.decision.wall == Exclusion::vision);
  REQUIRE(world.decision.nearest != nullptr);
  CHECK(world.decision.nearest->model->id == "acme-small");
  CHECK(world.decision.next_count == 0);
}

TEST_CASE("auto: the wall is that of those in question, not what the key or the request left out") {
  ChoiceWorld world(acme_and_bolt);
  world.ask_auto();
  world.field.providers = uint64_t{1} << world.at("bolt-large")->provider->index;
  world.question.demands.images = true;
  CHECK(world.choice() == "none");  // three are narrowed away, two cannot see
  CHECK(world.decision.wall == Exclusion::vision);
  CHECK(world.decision.nearest->model->id == "bolt-small");
  // Of the others most are not good enough; but the one that is costs too much.
  world.question.demands.images = false;
  world.prompt(scores_at(hard));
  world.question.max_cost_nano_usd = 1;
  CHECK(world.choice() == "none");
  CHECK(world.decision.wall == Exclusion::over_max_cost);
  CHECK(world.decision.nearest->model->id == "bolt-large");
  // Only where nobody was in question is that said.
  world.allowed = {};
  CHECK(world.choice() == "none");
  CHECK(world.decision.wall == Exclusion::not_allowed);
}

TEST_CASE("a conversation's model is kept while its cached prefix makes it the cheaper one") {
  std::vector<catalog::Model> models = {test::model_of({"strong", "acme", 1024, 2, 4}),
                                        test::model_of({"weak", "bolt", 300, 1, 3})};
  models[0].prices.cached_input = 200'000;  // a tenth
  ChoiceWorld world(std::move(models));
  world.ask_auto();
  world.settings.score_fall_per_turn = 1000;
  world.prompt(scores_at(hard));
  world.then(scores_at(easy), 10'000);
  CHECK(world.choice() == "strong");
  REQUIRE(world.decision.held != nullptr);
  CHECK(world.decision.held->model->id == "strong");
  // Too short to be in a provider's cache.
  world.prompt(scores_at(hard));
  world.then(scores_at(easy), 1'000);
  CHECK(world.choice() == "weak");
}

TEST_CASE("a conversation's model may lack a little more than another would") {
  ChoiceWorld world({{"strong", "acme", 300, 10, 30}, {"held", "bolt", 250, 1, 3}});
  world.ask_auto();
  world.settings.score_fall_per_turn = 0;
  world.settings.balanced_from_score = 0;
  world.prompt(scores_at(0));
  const int32_t lack = chance_of(300) - chance_of(250);
  world.settings.auto_tolerance = lack;
  CHECK(world.choice() == "held");
  // Now a harder turn, where it lacks more: within the hysteresis, then without.
  const int32_t later = chance_of(300 - 60) - chance_of(250 - 60);
  REQUIRE(later > lack);
  world.then(scores_at(60), 100);
  world.settings.hysteresis = later - lack;
  CHECK(world.choice() == "held");
  world.settings.hysteresis = later - lack - 1;
  CHECK(world.choice() == "strong");
}

TEST_CASE("a turn is no easier than the one before it, less what a turn may let go") {
  ChoiceWorld world(acme_and_bolt);
  world.ask_smart("acme-large");
  world.prompt(scores_at(hard));
  const uint16_t first = world.decide().held_scores.score;
  world.then(scores_at(easy), 300);  // "go on"
  CHECK(world.choice() == "acme-large");
  uint16_t before = world.decision.held_scores.score;
  CHECK(world.decision.scores.score < 50);
  CHECK(before < first);
  CHECK(first - before <= world.settings.score_fall_per_turn);
  // It comes down turn by turn.
  for (uint32_t tokens = 400; world.question.turn_count < Question::turns_max; tokens += 100) {
    world.then(scores_at(easy), tokens);
    const uint16_t now = world.decide().held_scores.score;
    CHECK(now < before);
    CHECK(before - now <= world.settings.score_fall_per_turn);
    before = now;
  }
  CHECK(world.decision.chosen->model->id != "acme-large");
}

TEST_CASE("every tier is reached, at the scores that the conf says") {
  ChoiceWorld world(acme_and_bolt);
  world.ask_auto();
  const std::pair<uint16_t, Tier> rows[] = {
      {0, Tier::cheap_fast}, {349, Tier::cheap_fast},     {350, Tier::balanced},
      {599, Tier::balanced}, {600, Tier::high_reasoning}, {990, Tier::high_reasoning}};
  for (const auto& [score, tier] : rows) {
    Scores scores = scores_at(0);
    scores.score = score;
    world.prompt(scores);
    CHECK_MESSAGE(world.decide().tier == tier, score);
  }
}

TEST_CASE("an answer's length follows from its kind, and never exceeds what is allowed") {
  Wants wants;
  CHECK(expected_output_tokens(Kind::simple_qa, wants) < expected_output_tokens(Kind::code, wants));
  wants.output_tokens_max = 10;
  for (size_t kind = 0; kind < kind_count; ++kind)
    CHECK(expected_output_tokens(static_cast<Kind>(kind), wants) == 10);
}

}  // namespace hyperion::routing
