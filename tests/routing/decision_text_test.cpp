// How a decision reads: the header's line, the contract's JSON, the log's numbers.
#include "routing/decision_text.h"

#include <set>

#include "routing/choice_world.h"
#include "support/json_reader.h"

namespace hyperion::routing {
namespace {

using test::ChoiceWorld;
using test::Json;
using test::scores_at;

struct Text {
  MemoryBudget budget{1 << 20, 0};
  BlockPool pool{64};
  ByteBuffer buffer{pool, budget};
  json::Output out{buffer};
};

Json read(const json::Output& out) {
  REQUIRE_FALSE(out.failed());
  auto value = test::read_json(out.text());
  REQUIRE(value);
  return *value;
}

Json as_json(const ChoiceWorld& world, std::string_view requested) {
  Text text;
  write_decision(world.decision, requested, {"c0", "ca", "w1"}, text.out);
  return read(text.out);
}

Json as_logged(const ChoiceWorld& world) {
  Text text;
  write_logged(world.question, world.field, world.decision, {"c0", "ca", "w1"}, text.out);
  return read(text.out);
}

struct Two : ChoiceWorld {
  Two() : ChoiceWorld({{"acme-large", "acme", 1024, 10, 30}, {"acme-small", "acme", 512, 1, 3}}) {
    ask_smart("acme-large");
    question.explains = true;
    decide();
  }
};

}  // namespace

TEST_CASE("the header's line holds tier, score, both models and what was saved") {
  Two world;
  char line[160];
  const size_t size = write_decision_line(world.decision, "large", line, sizeof(line));
  // 200 tokens of input and 120 of output, nine tenths of them saved.
  CHECK(std::string_view(line, size) ==
        "tier=1 score=0.018 from=large to=acme-small saved=$0.005040000");
  CHECK(write_decision_line(world.decision, std::string(256, 'm'), line, sizeof(line)) == 0);
}

TEST_CASE("the header never promises a negative saving") {
  Two world;
  world.decision.saved_nano_usd = -5;
  char line[160];
  const size_t size = write_decision_line(world.decision, "m", line, sizeof(line));
  CHECK(std::string_view(line, size).ends_with("saved=$0.000000000"));
}

TEST_CASE("a decision as JSON has the contract's members") {
  Two world;
  const Json json = as_json(world, "large");
  CHECK(json["requested"].text == "large");
  CHECK(json["model"].text == "acme-small");
  CHECK(json["provider"].text == "acme");
  CHECK(json["route"].text == "smart");
  CHECK(json["intent"].text == "cheap_fast");
  CHECK(json["class"].text == "chat");
  CHECK(json["score"].number() == doctest::Approx(0.018));
  CHECK(json["tier"].integer() == 1);
  CHECK(json["tokens_estimated"].integer() == 200);
  CHECK(json["stamps"]["config"].text == "c0");
  CHECK(json["stamps"]["catalog"].text == "ca");
  CHECK(json["stamps"]["weights"].text == "w1");
  CHECK(json.find("ns") != nullptr);
  REQUIRE(json["candidates"].elements.size() == 2);
  const Json& asked = json["candidates"].elements[0];
  CHECK(asked["model"].text == "acme-large");
  CHECK(asked["provider"].text == "acme");
  CHECK(asked["p"].number() == doctest::Approx(0.9997).epsilon(0.001));
  CHECK(asked["expected_nano_usd"].integer() == 200 * 10'000 + 120 * 30'000);
  CHECK(asked["worst_nano_usd"].integer() == 200 * 10'000 + 16'000 * 30'000);
  REQUIRE(asked.find("excluded") != nullptr);
  CHECK(asked["excluded"].is(Json::Kind::null));
}

TEST_CASE("no member stands twice") {
  Two world;
  for (const Json& json : {as_json(world, "large"), as_logged(world)}) {
    std::set<std::string> seen;
    for (const test::JsonMember& member : json.members)
      CHECK_MESSAGE(seen.insert(member.key).second, member.key);
  }
}

TEST_CASE("a candidate of unknown quality has no chance, one left out has its reason") {
  ChoiceWorld world(
      {{"acme-new", "acme", test::unknown_strength, 10, 30}, {"acme-small", "acme", 512, 1, 3}});
  world.ask_smart("acme-new");
  world.decide();
  const Json json = as_json(world, "acme-new");
  REQUIRE(json["candidates"].elements.size() == 2);
  CHECK(json["candidates"].elements[0]["p"].is(Json::Kind::null));
  CHECK(json["candidates"].elements[1]["excluded"].text == "not_good_enough");
}

TEST_CASE("a decision without a choice says null") {
  Two world;
  world.ask_auto();
  world.question.demands.images = true;
  world.decide();
  const Json json = as_json(world, "auto");
  CHECK(json["model"].is(Json::Kind::null));
  CHECK(json["provider"].is(Json::Kind::null));
  CHECK(json["route"].text == "auto");
  CHECK(json["next"].elements.empty());
}

TEST_CASE("the log holds what went in: turns, wants, health and latencies, and no candidates") {
  Two world;
  world.question.demands.wants.tools = 2;
  world.question.pressure = 850;
  world.question.max_cost_nano_usd = 7;
  world.late_by("acme-large", 345);
  world.unhealthy[world.at("acme-small")->index] = 1;
  world.then(scores_at(64), 500);
  world.decide();
  const Json json = as_logged(world);
  CHECK(json["asked"].text == "acme/acme-large");
  CHECK(json["chosen"].text == "acme/acme-large");
  CHECK(json["wants"]["tools"].integer() == 2);
  CHECK(json["pressure"].integer() == 850);
  CHECK(json["max_cost_nano_usd"].integer() == 7);
  CHECK(json["live"]["acme/acme-large"].integer() == 345);
  CHECK(json["live"]["acme/acme-small"].integer() == -1);
  REQUIRE(json["turns"].elements.size() == 2);
  CHECK(json["turns"].elements[1].elements[head_count].integer() == 64);
  CHECK(json.find("candidates") == nullptr);
}

TEST_CASE("tiers and routes have the contract's names") {
  CHECK(name_of(Tier::cheap_fast) == "cheap_fast");
  CHECK(name_of(Tier::balanced) == "balanced");
  CHECK(name_of(Tier::high_reasoning) == "high_reasoning");
  CHECK(name_of(Route::passthrough) == "passthrough");
  CHECK(name_of(Route::smart) == "smart");
  CHECK(name_of(Route::automatic) == "auto");
}

}  // namespace hyperion::routing
