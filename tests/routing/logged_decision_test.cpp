// What the log keeps of a decision is read back as it was.
#include "routing/logged_decision.h"

#include <random>

#include <doctest/doctest.h>

#include "base/byte_buffer.h"
#include "routing/decision_text.h"
#include "routing/features.h"

using namespace hyperion;
using namespace hyperion::routing;

namespace {

constexpr Stamps stamps = {"conf0", "catalog1", "weights2"};

// Three providers, of which the last has no key; each serves one model.
const catalog::Catalog& three() {
  static const catalog::Catalog catalog = [] {
    catalog::Draft draft;
    for (const char* name : {"a", "b", "quo\"ted"}) {
      catalog::Model model;
      model.id = "m-" + std::string(name);
      model.family = name;
      model.prices.input = model.prices.output = 1;
      catalog::Provider provider;
      provider.name = name;
      provider.serves = {name};
      provider.usable = provider.name != "quo\"ted";
      draft.models.push_back({std::move(model), {}});
      draft.providers.push_back({std::move(provider), {}});
    }
    std::vector<catalog::Problem> problems;
    catalog::Catalog result = catalog::Catalog::build(std::move(draft), problems);
    REQUIRE(problems.empty());
    REQUIRE(result.deployments().size() == 3);
    return result;
  }();
  return catalog;
}

const catalog::Deployment* deployment(size_t index) { return &three().deployments()[index]; }

class Text {
 public:
  const std::string& write(const Question& question, const Field& field, const Decision& decision) {
    buffer_.clear();
    json::Output out(buffer_);
    write_logged(question, field, decision, stamps, out);
    REQUIRE_FALSE(out.failed());
    text_.assign(out.text());
    return text_;
  }

 private:
  BlockPool blocks_{16, 16};
  MemoryBudget memory_;
  ByteBuffer buffer_{blocks_, memory_};
  std::string text_;
};

template <class Number>
void draw(std::mt19937_64& random, Number& number) {
  number = static_cast<Number>(random());
}

Question any_question(std::mt19937_64& random) {
  Question question;
  question.route = random() % 2 != 0 ? Route::smart : Route::automatic;
  question.asked = question.route == Route::smart ? deployment(random() % 3) : nullptr;
  Wants& wants = question.demands.wants;
  for (bool* flag : {&wants.tools_forced, &wants.json_object, &wants.json_schema, &wants.sampling,
                     &wants.reasoning, &wants.audio_out, &wants.logprobs, &wants.foreign,
                     &wants.prefill, &wants.effort_given, &question.demands.images,
                     &question.demands.audio, &question.demands.files})
    *flag = random() % 2 != 0;
  if (wants.effort_given)
    wants.effort =
        static_cast<catalog::Effort>(random() % static_cast<size_t>(catalog::Effort::count));
  wants.tools = static_cast<uint32_t>(random() % 3);
  wants.output_tokens_max = random() % 3 == 0 ? -1 : static_cast<int64_t>(random() % 100'000);
  wants.choices = 1 + static_cast<int64_t>(random() % 3);
  question.demands.input_tokens_max = static_cast<int64_t>(random() % (1ull << 50));
  question.turn_count = 1 + static_cast<uint32_t>(random() % Question::turns_max);
  for (uint32_t i = 0; i < question.turn_count; ++i) {
    Turn& turn = question.turns[i];
    for (int16_t& share : turn.scores.shares) draw(random, share);
    draw(random, turn.scores.difficulty);
    turn.scores.score = score_of(turn.scores.difficulty);
    turn.scores.kind = static_cast<Kind>(random() % kind_count);
    turn.scores.unknown = random() % 2 != 0;
    draw(random, turn.tokens_before);
  }
  for (size_t i = 0; i < trait_count; ++i) draw(random, question.traits.values[i]);
  question.calibrated = static_cast<int32_t>(random() % 1'025) - 512;
  draw(random, question.tokens_estimated);
  question.demands.input_tokens_expected = question.tokens_estimated;
  question.max_cost_nano_usd =
      random() % 2 != 0 ? -1 : static_cast<int64_t>(random() % 1'000'000'000'000'000'000ull);
  question.pressure = static_cast<uint16_t>(random() % 1'001);
  return question;
}

Decision automatic() {
  Decision decision;
  decision.route = Route::automatic;
  return decision;
}

// A question that is written and read most plainly.
std::string plain() {
  std::mt19937_64 random(1);
  Question question = any_question(random);
  Decision decision;
  decision.route = question.route;
  return Text().write(question, Field{}, decision);
}

// `text` with the first `what` replaced.
std::string with(std::string text, std::string_view what, std::string_view by) {
  const size_t at = text.find(what);
  REQUIRE(at != std::string::npos);
  return text.replace(at, what.size(), by);
}

}  // namespace

TEST_CASE("every question is read back as it was written") {
  std::mt19937_64 random(21);
  Text text;
  LoggedDecision logged;
  for (int round = 0; round < 3'000; ++round) {
    const Question question = any_question(random);
    Decision decision;
    decision.route = question.route;
    decision.chosen = random() % 4 == 0 ? nullptr : deployment(random() % 3);
    decision.tier = static_cast<Tier>(1 + random() % 3);
    decision.saved_nano_usd = static_cast<int64_t>(random() % 2'000'001) - 1'000'000;
    const std::string& json = text.write(question, Field{}, decision);
    INFO(json);
    REQUIRE(read_logged(json, logged));
    const Question& again = logged.question;
    CHECK(again.route == question.route);
    CHECK(again.demands == question.demands);
    CHECK(again.turn_count == question.turn_count);
    CHECK(again.turns == question.turns);
    CHECK(again.traits == question.traits);
    CHECK(again.calibrated == question.calibrated);
    CHECK(again.tokens_estimated == question.tokens_estimated);
    CHECK(again.max_cost_nano_usd == question.max_cost_nano_usd);
    CHECK(again.pressure == question.pressure);
    CHECK(logged.asked == (question.asked != nullptr ? question.asked->id : ""));
    CHECK(logged.chosen == (decision.chosen != nullptr ? decision.chosen->id : ""));
    CHECK(logged.tier == static_cast<int>(decision.tier));
    CHECK(logged.saved_nano_usd == decision.saved_nano_usd);
    CHECK_FALSE(logged.narrowed);
    CHECK(logged.live.empty());
    CHECK(logged.unusable.empty() == (question.asked != deployment(2)));
    CHECK(logged.config_stamp == stamps.config);
    CHECK(logged.catalog_stamp == stamps.catalog);
    CHECK(logged.weights_stamp == stamps.weights);
  }
}

TEST_CASE("what was known of providers and models at that moment is kept") {
  std::mt19937_64 random(22);
  Question question = any_question(random);
  question.asked = nullptr;
  const RosterRow candidates[] = {row_of(*deployment(0)), row_of(*deployment(2))};
  Field field;
  field.candidates = candidates;
  field.providers = 0b101;
  const uint32_t first_token_us[] = {1'500, 9, 0};
  const uint8_t unhealthy[] = {0, 0, 1};
  field.live = {first_token_us, unhealthy};
  LoggedDecision logged;
  REQUIRE(read_logged(Text().write(question, field, automatic()), logged));
  CHECK(logged.narrowed);
  CHECK(logged.providers == std::vector<std::string>{"a", "quo\"ted"});
  CHECK(logged.unusable == std::vector<std::string>{"quo\"ted"});
  const std::string ill = deployment(2)->id;
  CHECK(logged.live ==
        std::vector<std::pair<std::string, int64_t>>{{deployment(0)->id, 1'500}, {ill, -1}});

  // The asked model and a rule's count, though they are no candidates.
  question.asked = deployment(1);
  REQUIRE(read_logged(Text().write(question, field, automatic()), logged));
  REQUIRE(logged.live.size() == 3);
  CHECK(logged.live[0] == std::pair<std::string, int64_t>{deployment(1)->id, 9});
  question.asked = nullptr;
  Rule rule;
  rule.name = "bulk";
  rule.deployment = deployment(1);
  question.rule = &rule;
  field.providers = 0b010;
  REQUIRE(read_logged(Text().write(question, field, automatic()), logged));
  CHECK(logged.rule == "bulk");
  CHECK(logged.live.size() == 3);
  CHECK(logged.providers == std::vector<std::string>{"b"});

  // Narrowed to nobody is not the same as not narrowed.
  field.providers = 0;
  REQUIRE(read_logged(Text().write(question, field, automatic()), logged));
  CHECK(logged.narrowed);
  CHECK(logged.providers.empty());
  field.assume_usable = true;
  REQUIRE(read_logged(Text().write(question, field, automatic()), logged));
  CHECK(logged.unusable.empty());
}

TEST_CASE("members of later versions are passed over") {
  LoggedDecision logged;
  const std::string text = plain();
  CHECK(read_logged(with(text, "{", "{\"new\":{\"deep\":[1,{}]},"), logged));
  CHECK(read_logged(with(text, "\"wants\":{", "\"wants\":{\"new\":[true],"), logged));
}

TEST_CASE("what is not as it is written is refused") {
  LoggedDecision logged;
  const std::string text = plain();
  REQUIRE(read_logged(text, logged));
  for (size_t size = 0; size < text.size(); ++size) {
    INFO(size);
    CHECK_FALSE(read_logged(std::string_view(text).substr(0, size), logged));
  }
  for (const char* other : {"null", "[]", "{}", "\"decision\"", "1", "{\"turns\":[]}"})
    CHECK_FALSE(read_logged(other, logged));
  // One place each: a turn of another length, kinds and numbers that do not fit, words for numbers.
  const size_t turn = text.find("\"turns\":[[") + std::string("\"turns\":[[").size();
  const auto changed = [&](size_t at, size_t size, std::string_view by) {
    std::string other = text;
    return other.replace(at, size, by);
  };
  const size_t number = text.find(',', turn) - turn;
  CHECK(read_logged(changed(turn, number, "-32768"), logged));
  CHECK_FALSE(read_logged(changed(turn, number, "32768"), logged));
  CHECK_FALSE(read_logged(changed(turn, number, "1.5"), logged));
  CHECK_FALSE(read_logged(changed(turn, number, "\"1\""), logged));
  CHECK_FALSE(read_logged(changed(turn, number, "1,1"), logged));
  CHECK_FALSE(read_logged(with(text, "\"traits\":[", "\"traits\":[128,"), logged));
  CHECK_FALSE(read_logged(with(text, "\"tokens\":", "\"tokens\":-"), logged));
  CHECK_FALSE(read_logged(with(text, "\"tier\":", "\"tier\":x"), logged));
  CHECK_FALSE(read_logged(with(text, "\"route\":\"", "\"route\":\"pass"), logged));
  CHECK_FALSE(read_logged(with(text, "\"stamps\":[", "\"stamps\":[\"x\","), logged));
}

TEST_CASE("a decision fits the room that the log has for it, however much goes into it") {
  std::mt19937_64 random(23);
  for (int round = 0; round < 200; ++round)
    CHECK(Text().write(any_question(random), Field{}, automatic()).size() < 1'500);
}
