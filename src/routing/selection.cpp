#include "routing/selection.h"

#include <algorithm>
#include <array>
#include <span>

#include "catalog/cost.h"
#include "routing/ability.h"
#include "routing/expected_tokens.h"
#include "routing/logistic.h"

namespace hyperion::routing {
namespace {

using catalog::Deployment;
using catalog::Model;

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

// Of what is done for each of some fifty candidates.
#define INLINED [[gnu::always_inline]] inline

constexpr uint32_t none = UINT32_MAX;

// The tokens of a turn, and who has a part of them in its provider's cache.
struct Load {
  int64_t tokens = 0;  // of input
  int64_t output_tokens = 0;
  int64_t cached_tokens = 0;
  const Deployment* held = nullptr;
};

// The first few by some order, but for the choice itself.
class First {
 public:
  explicit First(const Candidate& chosen) : chosen_(&chosen) {}

  template <class Before>
  void take(const Candidate& candidate, Exclusion excluded, Before before) {
    if (candidate.excluded != excluded || &candidate == chosen_) return;
    if (count_ == first_.size() && !before(candidate, *first_.back())) return;
    size_t at = count_ < first_.size() ? count_++ : count_ - 1;
    for (; at > 0 && before(candidate, *first_[at - 1]); --at) first_[at] = first_[at - 1];
    first_[at] = &candidate;
  }
  // As many as there is still room for.
  void move_to(Decision& decision) const {
    for (size_t i = 0; i < count_ && decision.next_count < Decision::next_max; ++i)
      decision.next[decision.next_count++] = first_[i]->deployment;
  }

 private:
  const Candidate* const chosen_;
  std::array<const Candidate*, Decision::next_max> first_;
  size_t count_ = 0;
};

class Selection {
 public:
  Selection(const Question& question, const Field& field, const Settings& settings,
            Decision& decision)
      : question_(question),
        field_(field),
        settings_(settings),
        decision_(decision),
        plain_(question.demands.is_plain()),
        thinking_unasked_(!question.demands.wants.reasoning &&
                          !question.demands.wants.effort_given),
        ways_(field.ways),
        unhealthy_(field.live.unhealthy),
        unhindered_(plain_ && !question.demands.wants.old_limit && field.allowed->allows_all() &&
                    field.providers == ~uint64_t{0}),
        output_asked_(question.demands.wants.output_tokens_max),
        room_tokens_(question.demands.room_tokens()),
        needed_tokens_(room_tokens_ + (output_asked_ > 0 ? output_asked_ : output_tokens_assumed)) {
  }

  void run();

 private:
  void gather();
  void gather_all();
  void add(const RosterRow& row);
  Exclusion wall_before(const RosterRow& row) const;
  bool is_open(const RosterRow& row) const;
  Scores scores_of_turn(const Scores& own, const Scores* before) const;
  Tier tier_of(const Scores& scores) const;
  void bend(Scores& scores) const;
  int32_t tolerance(Tier tier) const;
  const Candidate* choose(const Scores& scores, const Load& load);
  int32_t chance_at(uint32_t at, const Scores& scores) const;
  void rate_all(const Scores& scores);
  uint32_t find_best() const;
  void price(uint32_t at, const Load& load);
  int64_t expected_cost(const RosterRow& row, const Load& load) const;
  void keep_good(const Candidate* asked, int32_t needed, const Load& load);
  void judge(uint32_t at, const Candidate* asked, const Load& load);
  bool is_slower(const Deployment& pick, const Deployment& asked) const;
  const Candidate* chosen_by_rule(const Load& load);
  void rank_next(const Candidate& chosen);
  void find_wall(const Load& load);
  Load load_of(uint32_t turn, Kind kind, const Deployment* held) const;

  const Question& question_;
  const Field& field_;
  const Settings& settings_;
  Decision& decision_;
  const bool plain_;             // nothing but text is asked for
  const bool thinking_unasked_;  // nothing is said of thinking
  const std::span<const Way> ways_;
  const std::span<const uint8_t> unhealthy_;
  const bool unhindered_;       // only the room, the way and the provider's state can hinder
  const int64_t output_asked_;  // at most 0: not given
  const int64_t room_tokens_;
  const int64_t needed_tokens_;      // with the answer asked for, or assumed
  const Candidate* best_ = nullptr;  // the one that the others were compared with
  // By candidate: its row, and what keeps it out whatever the turn.
  std::array<const RosterRow*, Decision::candidates_max> rows_;
  std::array<Exclusion, Decision::candidates_max> walls_;
  // Those that are good enough for the turn, in their order, before anything is said of costs.
  std::array<uint16_t, Decision::candidates_max> good_;
  uint32_t good_count_ = 0;
  // Of what stands in no roster: the asked model, a rule's.
  RosterRow asked_row_;
  RosterRow ruled_row_;
};

// What nobody is kept out by, in one condition; most candidates of most requests.
INLINED bool Selection::is_open(const RosterRow& row) const {
  const bool reached = row.index < ways_.size() && ways_.data()[row.index] != Way::none;
  const bool healthy = row.index >= unhealthy_.size() || unhealthy_.data()[row.index] == 0;
  const bool fits = (needed_tokens_ <= row.context_tokens) &
                    (room_tokens_ <= row.input_tokens_max) &
                    (output_asked_ <= row.output_tokens_max);
  return reached & healthy & fits & !row.retired & (row.usable | field_.assume_usable);
}

Exclusion Selection::wall_before(const RosterRow& row) const {
  const uint16_t provider = row.provider;
  const bool narrowed =
      provider < 64 ? (field_.providers >> provider & 1) == 0 : field_.providers != ~uint64_t{0};
  if (!field_.allowed->allows(*row.deployment)) return Exclusion::not_allowed;
  if (narrowed) return Exclusion::provider_narrowed;
  if (!row.usable && !field_.assume_usable) return Exclusion::provider_unusable;
  if (row.index < unhealthy_.size() && unhealthy_[row.index] != 0) return Exclusion::unhealthy;
  const Way way = row.index < ways_.size() ? ways_[row.index] : Way::none;
  return missing_capability(*row.deployment->model, way, question_.demands, plain_);
}

INLINED void Selection::add(const RosterRow& row) {
  const uint32_t at = decision_.candidate_count;
  if (at == Decision::candidates_max) return;
  Candidate& candidate = decision_.candidates.data()[at];
  candidate.deployment = row.deployment;
  candidate.expected_nano_usd = candidate.worst_nano_usd = 0;
  rows_.data()[at] = &row;
  // What the client asked for by name is not judged here.
  Exclusion wall = Exclusion::none;
  if (row.deployment != question_.asked && !(unhindered_ && is_open(row))) wall = wall_before(row);
  walls_.data()[at] = wall;
  decision_.candidate_count = at + 1;
}

void Selection::gather_all() {
  const RosterRow* const rows = field_.candidates.data();
  const auto count =
      static_cast<uint32_t>(std::min<size_t>(field_.candidates.size(), Decision::candidates_max));
  Candidate* const candidates = decision_.candidates.data();
  for (uint32_t i = 0; i < count; ++i) {
    candidates[i].deployment = rows[i].deployment;
    candidates[i].expected_nano_usd = candidates[i].worst_nano_usd = 0;
    rows_.data()[i] = rows + i;
    walls_.data()[i] = unhindered_ && is_open(rows[i]) ? Exclusion::none : wall_before(rows[i]);
  }
  decision_.candidate_count = count;
}

// Smart: the asked model first, then its family at the same provider. Automatic: all.
void Selection::gather() {
  decision_.candidate_count = 0;
  const Deployment* asked = question_.asked;
  if (asked == nullptr) return gather_all();
  // Of a model that only its provider knows nothing can be said.
  if (asked->model == nullptr) return;
  asked_row_ = row_of(*asked);
  add(asked_row_);
  for (const RosterRow& row : field_.candidates) {
    // The comparison of names only where the provider is the same.
    if (row.provider != asked_row_.provider || row.deployment == asked) continue;
    if (row.deployment->provider == asked->provider &&
        row.deployment->model->family == asked->model->family)
      add(row);
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

int32_t Selection::chance_at(uint32_t at, const Scores& scores) const {
  const RosterRow& row = *rows_[at];
  if (!row.quality_known) return chance_unknown;
  const int32_t product = product_of(row.logits, eight_of(scores.shares));
  return chance_of(product / share_one - scores.difficulty);
}

// All at once: first the products, then what the logistic makes of them.
void Selection::rate_all(const Scores& scores) {
  std::array<int32_t, Decision::candidates_max> products;
  const uint32_t count = decision_.candidate_count;
  const Eight shares = eight_of(scores.shares);
  for (uint32_t i = 0; i < count; ++i)
    products.data()[i] = product_of(rows_.data()[i]->logits, shares);
  const int32_t difficulty = scores.difficulty;
  Candidate* const candidates = decision_.candidates.data();
  for (uint32_t i = 0; i < count; ++i) {
    candidates[i].chance = chance_of(products.data()[i] / share_one - difficulty);
    candidates[i].excluded = walls_.data()[i];
  }
  // Only what was asked for may be of unknown quality.
  if (count > 0 && !rows_[0]->quality_known) candidates[0].chance = chance_unknown;
}

int64_t Selection::expected_cost(const RosterRow& row, const Load& load) const {
  const Model& model = *row.deployment->model;
  const int64_t thinking =
      thinking_unasked_ ? row.thinking_tokens : thinking_tokens(model, question_.demands.wants);
  const int64_t cached = row.deployment == load.held ? load.cached_tokens : 0;
  const int64_t input = load.tokens - cached;
  const int64_t output = load.output_tokens + thinking;
  // What catalog::cost_nano_usd makes of it, from one line of memory.
  constexpr int64_t tokens_small = int64_t{1} << 31;
  constexpr uint64_t pico_per_nano = 1000;
  if (row.plain_price && load.tokens < tokens_small && output < tokens_small) {
    const auto pico = static_cast<uint64_t>(input * row.price_input + cached * row.price_cached +
                                            output * row.price_output);
    return static_cast<int64_t>((pico + pico_per_nano - 1) / pico_per_nano);
  }
  return catalog::cost_nano_usd(model, {input, cached, output});
}

void Selection::price(uint32_t at, const Load& load) {
  const RosterRow& row = *rows_[at];
  Candidate& candidate = decision_.candidates[at];
  candidate.expected_nano_usd = expected_cost(row, load);
  if (question_.max_cost_nano_usd < 0 && !question_.explains) return;
  const Wants& wants = question_.demands.wants;
  const int64_t most = wants.output_tokens_max > 0 ? wants.output_tokens_max
                                                   : static_cast<int64_t>(row.output_tokens_max);
  const int64_t choices = std::min<int64_t>(wants.choices, 1024);
  candidate.worst_nano_usd = catalog::cost_nano_usd(
      *row.deployment->model, {question_.demands.input_tokens_max, 0, most * choices});
}

bool Selection::is_slower(const Deployment& pick, const Deployment& asked) const {
  const auto& lately = field_.live.first_token_us;
  if (pick.index >= lately.size() || asked.index >= lately.size()) return false;
  const uint64_t own = lately[pick.index];
  const uint64_t wanted = lately[asked.index];
  return own != 0 && wanted != 0 && own * 100 > wanted * (100u + settings_.slower_percent);
}

// Without branches: which are good enough changes from prompt to prompt.
void Selection::keep_good(const Candidate* asked, int32_t needed, const Load& load) {
  uint32_t good = 0;
  for (uint32_t i = 0; i < decision_.candidate_count; ++i) {
    Candidate& candidate = decision_.candidates.data()[i];
    // The conversation's model stays a little longer than another would be taken.
    const int32_t least = needed - (candidate.deployment == load.held ? settings_.hysteresis : 0);
    const Exclusion wall = walls_.data()[i];
    const bool enough = (candidate.chance >= least) | (&candidate == asked);
    good_.data()[good] = static_cast<uint16_t>(i);
    good += (wall == Exclusion::none) & enough;
    const auto kept = enough ? Exclusion::none : Exclusion::not_good_enough;
    candidate.excluded = wall == Exclusion::none ? kept : wall;
  }
  good_count_ = good;
}

void Selection::judge(uint32_t at, const Candidate* asked, const Load& load) {
  Candidate& candidate = decision_.candidates.data()[at];
  if (&candidate == asked) return;
  price(at, load);
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

// The first by is_better of those that nothing keeps out; `none` if there are none.
uint32_t Selection::find_best() const {
  uint32_t best_at = none;
  int32_t best = INT32_MIN;
  uint16_t best_index = 0;
  for (uint32_t i = 0; i < decision_.candidate_count; ++i) {
    if (walls_.data()[i] != Exclusion::none) continue;
    const int32_t chance = decision_.candidates.data()[i].chance;
    if (chance < best) continue;
    const uint16_t index = rows_.data()[i]->index;
    if (chance == best && index > best_index) continue;
    best_at = i;
    best = chance;
    best_index = index;
  }
  return best_at;
}

// One turn's choice among the candidates gathered; nullptr if there is none.
const Candidate* Selection::choose(const Scores& scores, const Load& load) {
  // What the others are compared with: the asked model, or the best that can.
  const bool asks = question_.asked != nullptr && decision_.candidate_count > 0;
  uint32_t best_at = asks ? 0 : none;
  Candidate* const candidates = decision_.candidates.data();
  rate_all(scores);
  // Otherwise only what those cost that are good enough.
  for (uint32_t i = 0; question_.explains && i < decision_.candidate_count; ++i) price(i, load);
  if (!asks) best_at = find_best();
  if (best_at == none) return nullptr;
  price(best_at, load);
  Candidate* const best = candidates + best_at;
  best_ = best;
  const Candidate* asked = question_.asked != nullptr ? best : nullptr;
  // For what is hard, or cannot be judged, nothing that was asked for is too much.
  const Tier tier = tier_of(scores);
  const bool stays = asked != nullptr &&
                     (tier == Tier::high_reasoning || !asked->deployment->model->quality.known);
  const int32_t needed =
      stays ? chance_one + 1 + settings_.hysteresis : best->chance - tolerance(tier);
  const Candidate* chosen = asked;
  keep_good(asked, needed, load);
  for (uint32_t i = 0; i < good_count_; ++i) {
    judge(good_.data()[i], asked, load);
    const Candidate& candidate = candidates[good_.data()[i]];
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
  if (at == decision_.candidate_count) {
    ruled_row_ = row_of(*named);
    add(ruled_row_);
  }
  Candidate& there = decision_.candidates[at];
  there.excluded = walls_[at];
  there.chance = chance_at(at, decision_.held_scores);
  price(at, load);
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
  const auto by_cost = [this](const Candidate& a, const Candidate& b) {
    return cheaper(a, b, field_.live);
  };
  First cheapest(chosen);
  for (uint32_t i = 0; i < good_count_; ++i)
    cheapest.take(decision_.candidates.data()[good_.data()[i]], Exclusion::none, by_cost);
  cheapest.move_to(decision_);
  if (decision_.next_count == Decision::next_max) return;
  First best(chosen);
  for (uint32_t i = 0; i < decision_.candidate_count; ++i)
    best.take(decision_.candidates.data()[i], Exclusion::not_good_enough, is_better);
  best.move_to(decision_);
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
    price(i, load);
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
