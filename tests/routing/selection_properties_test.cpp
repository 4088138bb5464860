// What holds of every decision: seeded random catalogues, requests and settings.
#include <algorithm>
#include <memory>

#include "base/random.h"
#include "routing/choice_world.h"

namespace hyperion::routing {
namespace {

using test::ChoiceWorld;

constexpr uint64_t worlds = 300;
constexpr int questions_per_world = 40;

catalog::Answer some_answer(Random& random) {
  return static_cast<catalog::Answer>(random.below(3));
}

catalog::Model random_model(Random& random, size_t at) {
  static const char* const vendors[] = {"acme", "bolt", "cole"};
  catalog::Model model;
  model.id = "m" + std::to_string(at);
  model.family = vendors[random.below(3)];
  model.endpoints = static_cast<uint8_t>(catalog::Endpoint::chat);
  if (random.chance(1, 10)) model.status = catalog::Status::retired;
  if (random.chance(1, 10)) model.status = catalog::Status::deprecated;
  model.context_tokens = random.chance(1, 8) ? 0 : 1u << (12 + random.below(6));
  model.output_tokens_max = random.chance(1, 8) ? 0 : 1u << (10 + random.below(6));
  if (!random.chance(1, 8)) {
    model.prices.input = static_cast<int64_t>(random.below(12)) * 250'000;
    model.prices.output = model.prices.input * static_cast<int64_t>(1 + random.below(5));
    if (random.chance(1, 2)) model.prices.cached_input = model.prices.input / 10;
  }
  if (!random.chance(1, 8)) {
    const int level = static_cast<int>(random.below(900)) - 100;
    for (int16_t& logit : model.quality.logits)
      logit = static_cast<int16_t>(level + static_cast<int>(random.below(200)) - 100);
    model.quality.known = true;
  }
  model.capabilities.tools = some_answer(random);
  model.capabilities.vision = some_answer(random);
  model.capabilities.json_schema = some_answer(random);
  return model;
}

std::vector<catalog::Model> random_models(Random& random) {
  std::vector<catalog::Model> models;
  const size_t count = 2 + random.below(20);
  for (size_t i = 0; i < count; ++i) models.push_back(random_model(random, i));
  models[0].status = catalog::Status::active;  // somebody is there
  return models;
}

Scores random_scores(Random& random) {
  Scores scores;
  int32_t left = share_one;
  for (int16_t& share : scores.shares) {
    share = static_cast<int16_t>(random.below(static_cast<uint64_t>(left) + 1));
    left -= share;
  }
  scores.shares[0] = static_cast<int16_t>(scores.shares[0] + left);
  scores.difficulty = static_cast<int16_t>(static_cast<int>(random.below(1600)) - 1000);
  scores.score = score_of(scores.difficulty);
  scores.kind = static_cast<Kind>(random.below(kind_count));
  scores.unknown = random.chance(1, 20);
  return scores;
}

// A question of one turn, or of several; the state around it changes as well.
void ask(ChoiceWorld& world, Random& random, bool conversation) {
  world.question = {};
  const auto deployments = world.catalog.deployments();
  const auto& some = deployments[random.below(deployments.size())];
  world.question.route = random.chance(1, 2) ? Route::smart : Route::automatic;
  if (world.question.route == Route::smart) world.question.asked = &some;
  world.prompt(random_scores(random), static_cast<uint32_t>(random.below(6000)));
  while (conversation && world.question.turn_count < Question::turns_max && random.chance(2, 3))
    world.then(random_scores(random),
               world.question.tokens_estimated + static_cast<uint32_t>(random.below(3000)));
  Demands& demands = world.question.demands;
  demands.images = random.chance(1, 5);
  demands.wants.tools = random.chance(1, 5);
  demands.wants.json_schema = random.chance(1, 8);
  if (random.chance(1, 4)) demands.wants.output_tokens_max = 1 << random.below(14);
  if (random.chance(1, 6))
    world.question.max_cost_nano_usd = static_cast<int64_t>(random.below(40'000'000));
  world.question.pressure = static_cast<uint16_t>(random.below(1001));
  world.allowed = {};
  for (const auto& deployment : deployments) {
    if (random.chance(4, 5)) world.allowed.allow(deployment);
    world.unhealthy[deployment.index] = random.chance(1, 12);
    world.first_token_us[deployment.index] =
        static_cast<uint32_t>(random.chance(1, 2) ? random.below(800'000) : 0);
  }
}

template <class Check>
void for_many(uint64_t seed, bool conversation, Check check) {
  for (uint64_t i = 0; i < worlds; ++i) {
    Random random(seed * 1'000'003 + i);
    ChoiceWorld world(random_models(random));
    for (int question = 0; question < questions_per_world; ++question) {
      ask(world, random, conversation);
      CAPTURE(i);
      CAPTURE(question);
      check(world, random);
    }
  }
}

int64_t cost_of_choice(const Decision& decision) {
  for (uint32_t i = 0; i < decision.candidate_count; ++i) {
    if (decision.candidates[i].deployment == decision.chosen)
      return decision.candidates[i].expected_nano_usd;
  }
  return -1;
}

struct Said {
  const catalog::Deployment* chosen;
  std::vector<const catalog::Deployment*> next;
  const catalog::Deployment* held;
  const catalog::Deployment* nearest;
  Exclusion wall;
  Tier tier;
  Scores scores;
  int64_t saved;
  bool operator==(const Said&) const = default;
};

Said said(const Decision& decision) {
  return {
      decision.chosen,      {decision.next.begin(), decision.next.begin() + decision.next_count},
      decision.held,        decision.nearest,
      decision.wall,        decision.tier,
      decision.held_scores, decision.saved_nano_usd};
}

}  // namespace

TEST_CASE("a larger tolerance never costs more") {
  uint64_t cheaper = 0;
  for_many(1, false, [&](ChoiceWorld& world, Random& random) {
    int64_t before = -1;
    int32_t tolerance = 0;
    for (int step = 0; step < 6; ++step) {
      world.settings.smart_tolerance = world.settings.auto_tolerance = tolerance;
      const Decision& decision = world.decide();
      if (decision.chosen == nullptr) {
        // Only what the request may cost can keep all of them out; a larger tolerance may not.
        CHECK(before < 0);
      } else {
        const int64_t cost = cost_of_choice(decision);
        if (before >= 0) {
          CHECK(cost <= before);
          cheaper += cost < before;
        }
        before = cost;
      }
      tolerance += static_cast<int32_t>(random.below(1500));
    }
  });
  CHECK(cheaper > 500);
}

TEST_CASE("more pressure never costs more") {
  uint64_t cheaper = 0;
  for_many(2, false, [&](ChoiceWorld& world, Random&) {
    int64_t before = -1;
    for (uint16_t pressure = 700; pressure <= 1000; pressure += 50) {
      world.question.pressure = pressure;
      if (world.decide().chosen == nullptr) continue;
      const int64_t cost = cost_of_choice(world.decision);
      if (before >= 0) {
        CHECK(cost <= before);
        cheaper += cost < before;
      }
      before = cost;
    }
  });
  CHECK(cheaper > 200);
}

TEST_CASE("the same question gives the same decision, in any order and in any memory") {
  for_many(3, true, [&](ChoiceWorld& world, Random& random) {
    world.settings.auto_tolerance = static_cast<int32_t>(random.below(1500));
    const Said first = said(world.decide());
    CHECK(said(world.decide()) == first);
    std::vector<RosterRow> order(world.field.candidates.begin(), world.field.candidates.end());
    for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
    world.field.candidates = order;
    CHECK(said(world.decide()) == first);
    world.field.candidates = world.roster.candidates();
    auto fresh = std::make_unique<Decision>();
    decide(world.question, world.field, world.settings, *fresh);
    CHECK(said(*fresh) == first);
    // That somebody reads the explanation changes nothing.
    world.question.explains = true;
    CHECK(said(world.decide()) == first);
  });
}

TEST_CASE("nobody is chosen for another who is unknown, unpriced, gone, ill or not allowed") {
  uint64_t moved = 0;
  for_many(4, true, [&](ChoiceWorld& world, Random& random) {
    world.settings.auto_tolerance = world.settings.smart_tolerance =
        static_cast<int32_t>(random.below(6000));
    const Decision& decision = world.decide();
    if (decision.chosen == nullptr) {
      CHECK(world.question.route == Route::automatic);
      return;
    }
    std::vector<const catalog::Deployment*> all = {decision.chosen};
    for (uint32_t i = 0; i < decision.next_count; ++i) all.push_back(decision.next[i]);
    for (const catalog::Deployment* deployment : all) {
      if (deployment == world.question.asked) continue;
      ++moved;
      const catalog::Model& model = *deployment->model;
      CHECK(model.quality.known);
      CHECK(model.prices.input >= 0);
      CHECK(model.prices.output >= 0);
      CHECK(model.status == catalog::Status::active);
      CHECK(world.allowed.allows(*deployment));
      CHECK(world.unhealthy[deployment->index] == 0);
      CHECK(model.context_tokens > world.question.tokens_estimated);
      if (world.question.demands.images) CHECK(model.capabilities.vision == catalog::Answer::yes);
      if (world.question.demands.wants.tools > 0)
        CHECK(model.capabilities.tools == catalog::Answer::yes);
      if (world.question.asked != nullptr && world.question.asked->model != nullptr)
        CHECK(model.family == world.question.asked->model->family);
    }
    // Nobody twice, and never the choice itself.
    std::sort(all.begin(), all.end());
    CHECK(std::adjacent_find(all.begin(), all.end()) == all.end());
  });
  CHECK(moved > 3000);
}

TEST_CASE("smart never costs more than what was asked for, nor runs what is not good enough") {
  for_many(5, true, [&](ChoiceWorld& world, Random&) {
    if (world.question.route != Route::smart) return;
    const Decision& decision = world.decide();
    CHECK(decision.saved_nano_usd >= 0);
    if (decision.chosen == decision.asked) return;
    CHECK(decision.saved_nano_usd > 0);
    CHECK(decision.tier != Tier::high_reasoning);
    CHECK(decision.next_count == 1);
    CHECK(decision.next[0] == decision.asked);
    const int32_t most = world.settings.smart_tolerance * 2 + world.settings.hysteresis +
                         world.settings.pressure_tolerance;
    const Candidate& asked = decision.candidates[0];
    for (uint32_t i = 0; i < decision.candidate_count; ++i) {
      const Candidate& candidate = decision.candidates[i];
      if (candidate.deployment == decision.chosen) CHECK(asked.chance - candidate.chance <= most);
    }
  });
}

}  // namespace hyperion::routing
