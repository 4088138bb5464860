// A small world for the tests of the selection: a few models, a prompt of one difficulty.
//
// Every model does all kinds of work equally well (`strength`, in logits of 256), so that a chance
// follows from strength less difficulty alone. A ChoiceWorld is built from rows once; tests change
// its question, field and settings and ask for the decision.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "routing/selection.h"

namespace hyperion::test {

struct ModelRow {
  const char* id;
  const char* vendor;
  int strength;       // unknown_strength: no quality
  double input_usd;   // per million tokens
  double output_usd;  // likewise
};
inline constexpr int unknown_strength = -30'000;

inline catalog::Model model_of(const ModelRow& row) {
  catalog::Model model;
  model.id = row.id;
  model.family = row.vendor;
  model.endpoints = static_cast<uint8_t>(catalog::Endpoint::chat);
  model.context_tokens = 200'000;
  model.output_tokens_max = 16'000;
  model.prices.input = static_cast<int64_t>(row.input_usd * 1e6);
  model.prices.output = static_cast<int64_t>(row.output_usd * 1e6);
  if (row.strength != unknown_strength) {
    model.quality.logits.fill(static_cast<int16_t>(row.strength));
    model.quality.known = true;
  }
  return model;
}

// A prompt for no head in particular.
inline routing::Scores scores_at(int difficulty, routing::Kind kind = routing::Kind::chat) {
  routing::Scores scores;
  scores.shares[0] = routing::share_one;
  scores.difficulty = static_cast<int16_t>(difficulty);
  scores.score = routing::score_of(difficulty);
  scores.kind = kind;
  return scores;
}

class ChoiceWorld {
 public:
  explicit ChoiceWorld(const std::vector<ModelRow>& rows) {
    catalog::Draft draft;
    for (const ModelRow& row : rows) add(draft, model_of(row));
    build(std::move(draft));
  }
  explicit ChoiceWorld(std::vector<catalog::Model> models) {
    catalog::Draft draft;
    for (catalog::Model& model : models) add(draft, std::move(model));
    build(std::move(draft));
  }
  ChoiceWorld(const ChoiceWorld&) = delete;

  const catalog::Deployment* at(std::string_view id) const {
    for (const catalog::Deployment& deployment : catalog.deployments()) {
      if (deployment.model != nullptr && deployment.model->id == id) return &deployment;
    }
    FAIL("no such model: " << std::string(id));
    return nullptr;
  }

  void ask_smart(std::string_view id) {
    question.route = routing::Route::smart;
    question.asked = at(id);
  }
  void ask_auto() {
    question.route = routing::Route::automatic;
    question.asked = nullptr;
  }
  // One turn, of this difficulty.
  void prompt(const routing::Scores& scores, uint32_t tokens = 200) {
    question.turns[0] = {scores, 0};
    question.turn_count = 1;
    question.tokens_estimated = tokens;
    question.demands.input_tokens_max = tokens;
  }
  // A further turn behind `tokens_before` tokens.
  void then(const routing::Scores& scores, uint32_t tokens_before) {
    question.turns[question.turn_count++] = {scores, tokens_before};
    question.tokens_estimated = tokens_before + 20;
    question.demands.input_tokens_max = tokens_before + 20;
  }
  void late_by(std::string_view id, uint32_t us) { first_token_us[at(id)->index] = us; }

  const routing::Decision& decide() {
    field.live = {first_token_us, unhealthy};
    routing::decide(question, field, settings, decision);
    return decision;
  }
  std::string choice() {
    const auto* chosen = decide().chosen;
    return chosen != nullptr ? chosen->model->id : "none";
  }
  routing::Exclusion why_not(std::string_view id) const {
    for (uint32_t i = 0; i < decision.candidate_count; ++i) {
      const routing::Candidate& candidate = decision.candidates[i];
      if (candidate.deployment->model->id == id) return candidate.excluded;
    }
    return routing::Exclusion::count;
  }
  std::string next() const {
    std::string all;
    for (uint32_t i = 0; i < decision.next_count; ++i) all += decision.next[i]->model->id + " ";
    return all;
  }

  catalog::Catalog catalog;
  routing::Roster roster;
  routing::Settings settings;
  routing::Question question;
  routing::Field field;
  catalog::DeploymentSet allowed;
  std::vector<routing::Way> ways;
  std::vector<uint32_t> first_token_us;
  std::vector<uint8_t> unhealthy;
  routing::Decision decision;

 private:
  // One provider for each vendor, of the vendor's name.
  static void add(catalog::Draft& draft, catalog::Model model) {
    bool known = false;
    for (const auto& provider : draft.providers) known |= provider.value.name == model.family;
    if (!known) {
      catalog::Provider provider;
      provider.name = model.family;
      provider.serves = {model.family};
      draft.providers.push_back({std::move(provider), {}});
    }
    draft.models.push_back({std::move(model), {}});
  }
  void build(catalog::Draft draft) {
    std::vector<catalog::Problem> problems;
    catalog = catalog::Catalog::build(std::move(draft), problems);
    REQUIRE(problems.empty());
    roster = routing::Roster(catalog, false);
    allowed.allow_all();
    ways.assign(catalog.deployments().size(), routing::Way::passthrough);
    first_token_us.assign(catalog.deployments().size(), 0);
    unhealthy.assign(catalog.deployments().size(), 0);
    field.candidates = roster.candidates();
    field.allowed = &allowed;
    field.ways = ways;
    prompt(scores_at(-1024));
  }
};

}  // namespace hyperion::test
