#include "routing/selection.h"

#include <algorithm>

#include "catalog/cost.h"
#include "routing/logistic.h"

namespace hyperion::routing {
namespace {

using catalog::Deployment;
using catalog::Effort;
using catalog::Model;

// Round guesses by kind, not measured: they only weigh output against input prices, alike for all
// candidates. To be replaced by what a gateway's own answers turn out to take.
constexpr int64_t output_tokens_by_kind[kind_count] = {
    120,  // tool_use
    400,  // long_context
    500,  // code
    350,  // math
    350,  // reasoning
    250,  // knowledge
    400,  // transform
    600,  // writing
    60,   // simple_qa
    120,  // chat
};

// Tokens of thinking by effort, from none to max: guesses of the order of magnitude, not measured.
constexpr int64_t thinking_tokens_by_effort[] = {0, 100, 400, 1'500, 4'000, 8'000, 16'000};
static_assert(std::size(thinking_tokens_by_effort) == static_cast<size_t>(Effort::count));

int64_t thinking_tokens(const Model& model, const Wants& wants) {
  if (model.capabilities.reasoning != catalog::Answer::yes) return 0;
  if (wants.effort_given)
    return thinking_tokens_by_effort[static_cast<size_t>(model.efforts.nearest(wants.effort))];
  // Unasked: those that think always, as little as they may be told to; more where it was asked.
  if (wants.reasoning) return thinking_tokens_by_effort[static_cast<size_t>(Effort::medium)];
  const bool always = model.thinking_off == catalog::ThinkingOff::cannot ||
                      (model.thinking == catalog::Thinking::none && model.efforts.any() &&
                       !model.efforts.has(Effort::none));
  return always ? thinking_tokens_by_effort[static_cast<size_t>(Effort::low)] : 0;
}

// The tolerance of a tier, of the operator's: twice on what is easy, half on what is hard.
int32_t scaled(int32_t tolerance, Tier tier) {
  switch (tier) {
    case Tier::cheap_fast: return tolerance * 2;
    case Tier::balanced: return tolerance;
    case Tier::high_reasoning: return tolerance / 2;
  }
  return tolerance;
}

bool cheaper(const Candidate& a, const Candidate& b, const Live& live) {
  if (a.expected_nano_usd != b.expected_nano_usd) return a.expected_nano_usd < b.expected_nano_usd;
  const auto latency = [&](const Candidate& candidate) {
    const size_t index = candidate.deployment->index;
    const uint32_t us = index < live.first_token_us.size() ? live.first_token_us[index] : 0;
    return us == 0 ? UINT32_MAX : us;
  };
  if (latency(a) != latency(b)) return latency(a) < latency(b);
  if (a.chance != b.chance) return a.chance > b.chance;
  return a.deployment->index < b.deployment->index;
}

bool is_better(const Candidate& a, const Candidate& b) {
  if (a.chance != b.chance) return a.chance > b.chance;
  return a.deployment->index < b.deployment->index;
}

// The tokens of a turn, and who has a part of them in its provider's cache.
struct Load {
  int64_t tokens = 0;  // of input
  int64_t output_tokens = 0;
  int64_t cached_tokens = 0;
  const Deployment* held = nullptr;
};

class Selection {
 public:
  Selection(const Question& question, const Field& field, const Settings& settings,
            Decision& decision)
      : question_(question),
        field_(field),
        settings_(settings),
        decision_(decision),
        plain_(question.demands.is_plain()) {}

  void run();

 private:
  void gather();
  void add(const Deployment& deployment);
  Exclusion wall_before(const Deployment& deployment, Way way) const;
  Scores scores_of_turn(const Scores& own, const Scores* before) const;
  Tier tier_of(const Scores& scores) const;
  void bend(Scores& scores) const;
  int32_t tolerance(Tier tier) const;
  const Candidate* choose(const Scores& scores, const Load& load);
  void rate(Candidate& candidate, const Scores& scores) const;
  void price(Candidate& candidate, const Load& load) const;
  void judge(Candidate& candidate, const Candidate* asked, int32_t needed, const Load& load) const;
  bool is_slower(const Deployment& pick, const Deployment& asked) const;
  const Candidate* chosen_by_rule(const Load& load);
  void rank_next(const Candidate& chosen);
  template <class Before>
  void add_next(const Candidate& chosen, Exclusion excluded, Before before);
  void find_wall(const Load& load);
  Load load_of(uint32_t turn, Kind kind, const Deployment* held) const;

  const Question& question_;
  const Field& field_;
  const Settings& settings_;
  Decision& decision_;
  const bool plain_;                 // nothing but text is asked for
  const Candidate* best_ = nullptr;  // the one that the others were compared with
  // By candidate: what keeps it out whatever the turn.
  std::array<Exclusion, Decision::candidates_max> walls_{};
};

Exclusion Selection::wall_before(const Deployment& deployment, Way way) const {
  const uint16_t provider = deployment.provider->index;
  const bool narrowed =
      provider < 64 ? (field_.providers >> provider & 1) == 0 : field_.providers != ~uint64_t{0};
  if (!field_.allowed->allows(deployment)) return Exclusion::not_allowed;
  if (narrowed) return Exclusion::provider_narrowed;
  if (!deployment.provider->usable && !field_.assume_usable) return Exclusion::provider_unusable;
  const auto& unhealthy = field_.live.unhealthy;
  if (deployment.index < unhealthy.size() && unhealthy[deployment.index] != 0)
    return Exclusion::unhealthy;
  return missing_capability(*deployment.model, way, question_.demands, plain_);
}

void Selection::add(const Deployment& deployment) {
  const uint32_t at = decision_.candidate_count;
  if (at == Decision::candidates_max) return;
  const Way way = deployment.index < field_.ways.size() ? field_.ways[deployment.index] : Way::none;
  decision_.candidates[at] = {&deployment};
  walls_[at] = wall_before(deployment, way);
  // What the client asked for by name is not judged here.
  if (&deployment == question_.asked) walls_[at] = Exclusion::none;
  ++decision_.candidate_count;
}

// Smart: the asked model first, then its family at the same provider. Automatic: all.
void Selection::gather() {
  decision_.candidate_count = 0;
  const Deployment* asked = question_.asked;
  // Of a model that only its provider knows nothing can be said.
  if (asked != nullptr && asked->model == nullptr) return;
  if (asked != nullptr) add(*asked);
  for (const Deployment* candidate : field_.candidates) {
    if (candidate == asked) continue;
    // The comparison of names only where the provider is the same.
    const bool family = asked == nullptr || (candidate->provider == asked->provider &&
                                             candidate->model->family == asked->model->family);
    if (family) add(*candidate);
  }
}

// A turn is no easier than the one before it, less what a turn may let go: "go on" asks for as
// much as what it goes on with.
Scores Selection::scores_of_turn(const Scores& own, const Scores* before) const {
  if (before == nullptr) return own;
  // At the middle of the logistic a score falls by a quarter of what the logit does.
  const int32_t fall = settings_.score_fall_per_turn * 4 * logit_one / score_one;
  const int32_t floor = before->difficulty - fall;
  if (own.difficulty >= floor) return own;
  Scores held = *before;
  held.difficulty = static_cast<int16_t>(floor);
  held.score = score_of(floor);
  return held;
}

Tier Selection::tier_of(const Scores& scores) const {
  if (scores.unknown || scores.score >= settings_.high_reasoning_from_score)
    return Tier::high_reasoning;
  return scores.score >= settings_.balanced_from_score ? Tier::balanced : Tier::cheap_fast;
}

// What cannot be judged is taken as hard; a rule's tier holds, whatever the prompt looks like.
void Selection::bend(Scores& scores) const {
  if (scores.unknown) {
    const int32_t hard = difficulty_of(static_cast<uint16_t>(settings_.high_reasoning_from_score));
    scores.difficulty = static_cast<int16_t>(std::max<int32_t>(scores.difficulty, hard));
    scores.score = score_of(scores.difficulty);
  }
  if (question_.rule == nullptr || question_.rule->tier == 0) return;
  const int32_t second = difficulty_of(static_cast<uint16_t>(settings_.balanced_from_score));
  const int32_t third = difficulty_of(static_cast<uint16_t>(settings_.high_reasoning_from_score));
  int32_t difficulty = scores.difficulty;
  switch (static_cast<Tier>(question_.rule->tier)) {
    case Tier::cheap_fast: difficulty = std::min(difficulty, second - 1); break;
    case Tier::balanced: difficulty = std::clamp(difficulty, second, third - 1); break;
    case Tier::high_reasoning: difficulty = std::max(difficulty, third); break;
  }
  scores.difficulty = static_cast<int16_t>(difficulty);
  scores.score = score_of(difficulty);
  scores.unknown =
      scores.unknown && static_cast<Tier>(question_.rule->tier) == Tier::high_reasoning;
}

int32_t Selection::tolerance(Tier tier) const {
  const int32_t own =
      question_.route == Route::smart ? settings_.smart_tolerance : settings_.auto_tolerance;
  int32_t more = 0;
  if (question_.pressure > settings_.pressure_from && settings_.pressure_from < score_one) {
    const int32_t over = std::min<int32_t>(question_.pressure, score_one) - settings_.pressure_from;
    more = settings_.pressure_tolerance * over / (score_one - settings_.pressure_from);
  }
  return scaled(own, tier) + more;
}

void Selection::rate(Candidate& candidate, const Scores& scores) const {
  const catalog::Quality& quality = candidate.deployment->model->quality;
  candidate.chance = quality.known ? chance_of_model(quality, scores) : chance_unknown;
}

void Selection::price(Candidate& candidate, const Load& load) const {
  const Model& model = *candidate.deployment->model;
  const Wants& wants = question_.demands.wants;
  catalog::TokenCounts counts;
  counts.cached_input = candidate.deployment == load.held ? load.cached_tokens : 0;
  counts.input = load.tokens - counts.cached_input;
  counts.output = load.output_tokens + thinking_tokens(model, wants);
  candidate.expected_nano_usd = catalog::cost_nano_usd(model, counts);
  if (question_.max_cost_nano_usd < 0 && !question_.explains) return;
  const int64_t most = wants.output_tokens_max > 0 ? wants.output_tokens_max
                                                   : static_cast<int64_t>(model.output_tokens_max);
  const int64_t choices = std::min<int64_t>(wants.choices, 1024);
  candidate.worst_nano_usd =
      catalog::cost_nano_usd(model, {question_.demands.input_tokens_max, 0, most * choices});
}

bool Selection::is_slower(const Deployment& pick, const Deployment& asked) const {
  const auto& lately = field_.live.first_token_us;
  if (pick.index >= lately.size() || asked.index >= lately.size()) return false;
  const uint64_t own = lately[pick.index];
  const uint64_t wanted = lately[asked.index];
  return own != 0 && wanted != 0 && own * 100 > wanted * (100u + settings_.slower_percent);
}

void Selection::judge(Candidate& candidate, const Candidate* asked, int32_t needed,
                      const Load& load) const {
  if (candidate.excluded != Exclusion::none || &candidate == asked) return;
  // The conversation's model stays a little longer than another would be taken.
  if (candidate.deployment == load.held) needed -= settings_.hysteresis;
  if (candidate.chance < needed) {
    candidate.excluded = Exclusion::not_good_enough;
    return;
  }
  price(candidate, load);
  if (candidate.expected_nano_usd < 0) {
    candidate.excluded = Exclusion::unpriced;
  } else if (question_.max_cost_nano_usd >= 0 &&
             candidate.worst_nano_usd > question_.max_cost_nano_usd) {
    candidate.excluded = Exclusion::over_max_cost;
  } else if (asked != nullptr && candidate.expected_nano_usd >= asked->expected_nano_usd) {
    candidate.excluded = Exclusion::not_cheaper;
  } else if (asked != nullptr && is_slower(*candidate.deployment, *asked->deployment)) {
    candidate.excluded = Exclusion::slower;
  }
}

// One turn's choice among the candidates gathered; nullptr if there is none.
const Candidate* Selection::choose(const Scores& scores, const Load& load) {
  // What the others are compared with: the asked model, or the best that can.
  const bool asks = question_.asked != nullptr && decision_.candidate_count > 0;
  Candidate* best = asks ? &decision_.candidates[0] : nullptr;
  for (uint32_t i = 0; i < decision_.candidate_count; ++i) {
    Candidate& candidate = decision_.candidates[i];
    candidate.excluded = walls_[i];
    rate(candidate, scores);
    // Otherwise only what those cost that are good enough.
    if (question_.explains) price(candidate, load);
    const bool better = best == nullptr || is_better(candidate, *best);
    if (question_.asked == nullptr && candidate.excluded == Exclusion::none && better)
      best = &candidate;
  }
  if (best == nullptr) return nullptr;
  price(*best, load);
  best_ = best;
  const Candidate* asked = question_.asked != nullptr ? best : nullptr;
  // For what is hard, or cannot be judged, nothing that was asked for is too much.
  const Tier tier = tier_of(scores);
  const bool stays = asked != nullptr &&
                     (tier == Tier::high_reasoning || !asked->deployment->model->quality.known);
  const int32_t needed =
      stays ? chance_one + 1 + settings_.hysteresis : best->chance - tolerance(tier);
  const Candidate* chosen = asked;
  for (uint32_t i = 0; i < decision_.candidate_count; ++i) {
    Candidate& candidate = decision_.candidates[i];
    judge(candidate, asked, needed, load);
    if (candidate.excluded != Exclusion::none) continue;
    if (chosen == nullptr || cheaper(candidate, *chosen, field_.live)) chosen = &candidate;
  }
  return chosen;
}

// The model that a rule names, if it can and may; a rule never breaks a capability, nor what the
// request may cost. It stands as the choice, whatever was said against it.
const Candidate* Selection::chosen_by_rule(const Load& load) {
  if (question_.rule == nullptr) return nullptr;
  const Deployment* named = question_.rule->deployment;
  if (named == nullptr || named->model == nullptr) return nullptr;
  uint32_t at = 0;
  while (at < decision_.candidate_count && decision_.candidates[at].deployment != named) ++at;
  if (at == Decision::candidates_max) return nullptr;
  if (at == decision_.candidate_count) add(*named);
  Candidate& there = decision_.candidates[at];
  there.excluded = walls_[at];
  rate(there, decision_.held_scores);
  price(there, load);
  if (walls_[at] != Exclusion::none) return nullptr;
  if (named != question_.asked && question_.max_cost_nano_usd >= 0 &&
      there.worst_nano_usd > question_.max_cost_nano_usd) {
    there.excluded = Exclusion::over_max_cost;
    return nullptr;
  }
  return &there;
}

void Selection::rank_next(const Candidate& chosen) {
  decision_.next_count = 0;
  if (question_.asked != nullptr) {
    if (chosen.deployment != question_.asked)
      decision_.next[decision_.next_count++] = question_.asked;
    return;
  }
  // The next cheapest that are good enough, then whoever is able, the best first.
  add_next(chosen, Exclusion::none,
           [&](const Candidate& a, const Candidate& b) { return cheaper(a, b, field_.live); });
  add_next(chosen, Exclusion::not_good_enough,
           [](const Candidate& a, const Candidate& b) { return is_better(a, b); });
}

// The first by `before` of those with this exclusion, as many as there is still room for.
template <class Before>
void Selection::add_next(const Candidate& chosen, Exclusion excluded, Before before) {
  std::array<const Candidate*, Decision::next_max> best{};
  const size_t room = Decision::next_max - decision_.next_count;
  size_t count = 0;
  for (uint32_t i = 0; room > 0 && i < decision_.candidate_count; ++i) {
    const Candidate& candidate = decision_.candidates[i];
    if (candidate.excluded != excluded || &candidate == &chosen) continue;
    if (count == room && !before(candidate, *best[count - 1])) continue;
    size_t at = count < room ? count++ : count - 1;
    for (; at > 0 && before(candidate, *best[at - 1]); --at) best[at] = best[at - 1];
    best[at] = &candidate;
  }
  for (size_t i = 0; i < count; ++i) decision_.next[decision_.next_count++] = best[i]->deployment;
}

// Nobody is left: which wall keeps most of them out, and the cheapest behind that one alone. What
// was never in question is no wall to speak of while others were nearer; nor is it what the best
// one would have had: the best is good enough.
void Selection::find_wall(const Load& load) {
  std::array<uint32_t, static_cast<size_t>(Exclusion::count)> hits{};
  for (uint32_t i = 0; i < decision_.candidate_count; ++i)
    ++hits[static_cast<size_t>(decision_.candidates[i].excluded)];
  hits[static_cast<size_t>(Exclusion::none)] = 0;
  auto nearer = hits;
  for (Exclusion far : {Exclusion::not_allowed, Exclusion::provider_narrowed,
                        Exclusion::provider_unusable, Exclusion::not_good_enough})
    nearer[static_cast<size_t>(far)] = 0;
  if (std::any_of(nearer.begin(), nearer.end(), [](uint32_t count) { return count > 0; }))
    hits = nearer;
  const auto most = std::max_element(hits.begin(), hits.end());
  if (*most == 0) return;
  decision_.wall = static_cast<Exclusion>(most - hits.begin());
  const Candidate* best = nullptr;
  for (uint32_t i = 0; i < decision_.candidate_count; ++i) {
    Candidate& candidate = decision_.candidates[i];
    if (candidate.excluded != decision_.wall) continue;
    price(candidate, load);
    if (best == nullptr || cheaper(candidate, *best, field_.live)) best = &candidate;
  }
  decision_.nearest = best != nullptr ? best->deployment : nullptr;
}

Load Selection::load_of(uint32_t turn, Kind kind, const Deployment* held) const {
  const Wants& wants = question_.demands.wants;
  const bool last = turn + 1 == question_.turn_count;
  Load load;
  // A turn's own tokens are what stands before the next one.
  load.tokens = last ? question_.tokens_estimated : question_.turns[turn + 1].tokens_before;
  load.output_tokens = expected_output_tokens(kind, wants) * wants.choices;
  load.held = held;
  const uint32_t before = question_.turns[turn].tokens_before;
  if (before >= settings_.cached_prefix_tokens_min)
    load.cached_tokens = std::min<int64_t>(before, load.tokens);
  return load;
}

void Selection::run() {
  gather();
  Load load;
  Scores counted;
  const Candidate* chosen = nullptr;
  for (uint32_t i = 0; i < question_.turn_count; ++i) {
    counted = scores_of_turn(question_.turns[i].scores, i > 0 ? &counted : nullptr);
    decision_.held_scores = counted;
    bend(decision_.held_scores);
    decision_.held = chosen != nullptr ? chosen->deployment : nullptr;
    load = load_of(i, decision_.held_scores.kind, decision_.held);
    chosen = choose(decision_.held_scores, load);
  }
  decision_.tier = tier_of(decision_.held_scores);
  if (const Candidate* ruled = chosen_by_rule(load)) chosen = ruled;
  if (chosen == nullptr) {
    decision_.chosen = question_.asked;
    find_wall(load);
    return;
  }
  decision_.chosen = chosen->deployment;
  if (best_ != nullptr && best_->expected_nano_usd >= 0)
    decision_.saved_nano_usd = best_->expected_nano_usd - chosen->expected_nano_usd;
  rank_next(*chosen);
}

}  // namespace

int32_t ability_of(const catalog::Quality& quality, const Scores& scores) {
  int32_t sum = 0;
  for (size_t i = 0; i < head_count; ++i) sum += scores.shares[i] * quality.logits[i];
  return sum / share_one;
}

int32_t chance_of_model(const catalog::Quality& quality, const Scores& scores) {
  return chance_of(ability_of(quality, scores) - scores.difficulty);
}

int64_t expected_output_tokens(Kind kind, const Wants& wants) {
  const int64_t usual = output_tokens_by_kind[static_cast<size_t>(kind)];
  const int64_t most = wants.output_tokens_max;
  return most > 0 ? std::min(usual, most) : usual;
}

bool applies(const Rule& rule, Route route, Kind kind, uint32_t tokens) {
  const uint8_t wanted = route == Route::smart ? Rule::for_smart : Rule::for_auto;
  if ((rule.routes & wanted) == 0) return false;
  if (tokens < rule.tokens_min || tokens > rule.tokens_max) return false;
  return rule.kinds == 0 || (rule.kinds >> static_cast<unsigned>(kind) & 1) != 0;
}

uint64_t structure_hash(const Question& question) {
  uint64_t hash = 14695981039346656037u;  // FNV-1a
  const auto add = [&](int64_t value) {
    hash = (hash ^ static_cast<uint64_t>(value)) * 1099511628211u;
  };
  for (const int8_t trait : question.traits.values) add(trait);
  for (uint32_t i = 0; i < question.turn_count; ++i) {
    for (const int16_t share : question.turns[i].scores.shares) add(share);
    add(question.turns[i].scores.difficulty);
    add(question.turns[i].tokens_before);
  }
  add(question.tokens_estimated);
  return hash;
}

void decide(const Question& question, const Field& field, const Settings& settings,
            Decision& decision) {
  decision.route = question.route;
  decision.asked = question.asked;
  decision.rule = question.rule;
  decision.tokens_estimated = question.tokens_estimated;
  decision.chosen = decision.held = decision.nearest = nullptr;
  decision.next_count = 0;
  decision.saved_nano_usd = 0;
  decision.wall = Exclusion::none;
  decision.structure = question.explains ? structure_hash(question) : 0;
  decision.scores =
      question.turn_count > 0 ? question.turns[question.turn_count - 1].scores : Scores{};
  Selection(question, field, settings, decision).run();
}

}  // namespace hyperion::routing
