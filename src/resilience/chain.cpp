#include "resilience/chain.h"

#include <algorithm>

#include "base/planted.h"

namespace hyperion::resilience {
namespace {

using dialect::ErrorKind;

constexpr std::string_view skip_names[] = {"",
                                           "incapable",
                                           "not_translatable",
                                           "unusable",
                                           "window_too_small",
                                           "circuit_open",
                                           "rate_limited",
                                           "key_refused",
                                           "over_max_cost",
                                           "no_hold"};

constexpr std::string_view why_names[] = {"",     "not_retryable", "exhausted",   "attempts",
                                          "time", "money",         "retry_budget"};

// What another try at the same candidate may bring, unless the provider says otherwise. A timeout
// is not tried there again: it may have been billed, and the time is gone.
bool is_retryable(const Event& event) {
  if (event.should_retry != 0) return event.should_retry > 0;
  return dialect::traits_of(event.error).retryable && event.error != ErrorKind::timeout;
}

bool refuses_key(ErrorKind kind) {
  return dialect::traits_of(kind).key_fault && kind != ErrorKind::rate_limit;
}

uint16_t bit_of(uint8_t key) {
  return static_cast<uint16_t>(1u << std::min<size_t>(key, Chain::keys_max - 1));
}

uint16_t all_keys(const Candidate& candidate) {
  const size_t keys = std::clamp<size_t>(candidate.keys, 1, Chain::keys_max);
  return static_cast<uint16_t>((1u << keys) - 1);
}

}  // namespace

std::string_view name_of(Skip skip) { return skip_names[static_cast<size_t>(skip)]; }
std::string_view name_of(Action::Why why) { return why_names[static_cast<size_t>(why)]; }

bool Chain::add(const Candidate& candidate) {
  if (count_ == candidates_max) return false;
  candidates_[count_++] = candidate;
  usable_ = static_cast<uint8_t>(usable_ + !candidate.closed);
  return true;
}

uint32_t Chain::attempts_limit() const {
  if (HYPERION_PLANTED(attempts_unbounded)) return UINT16_MAX;
  return std::max<uint32_t>(bounds_.attempts_max, usable_);
}

uint32_t Chain::untried() const {
  return static_cast<uint32_t>(std::count_if(
      candidates_, candidates_ + count_,
      [](const Candidate& candidate) { return candidate.attempts == 0 && !candidate.closed; }));
}

size_t Chain::tried_count() const {
  return static_cast<size_t>(
      std::count_if(candidates_, candidates_ + count_,
                    [](const Candidate& candidate) { return candidate.attempts != 0; }));
}

int64_t Chain::least_worst_nano_usd() const {
  int64_t least = INT64_MAX;
  for (size_t i = 0; i < count_; ++i) {
    if (candidates_[i].worst_nano_usd >= 0) least = std::min(least, candidates_[i].worst_nano_usd);
  }
  return least;
}

int64_t Chain::soonest_ms(Instant now) const {
  Instant soonest;
  for (size_t i = 0; i < count_; ++i) {
    const Candidate& candidate = candidates_[i];
    if (candidate.closed) continue;
    if (candidate.ready <= now) return -1;
    if (!soonest || candidate.ready < soonest) soonest = candidate.ready;
  }
  return soonest ? static_cast<int64_t>(elapsed_ns(now, soonest) / ns_per_ms) : -1;
}

// Whether the request may still go there. What keeps it out for good is remembered.
bool Chain::fits(Candidate& candidate) const {
  if (candidate.closed) return false;
  if (window_min_ != 0 && candidate.context_tokens <= window_min_) {
    candidate.skipped = Skip::window_too_small;
  } else if (bounds_.max_cost_nano_usd >= 0 &&
             candidate.worst_nano_usd > bounds_.max_cost_nano_usd - possibly_billed_nano_usd_) {
    candidate.skipped = Skip::over_max_cost;
  } else {
    return true;
  }
  candidate.closed = true;
  return false;
}

Action Chain::attempt(uint8_t index, bool forced) {
  waiting_ = false;
  ++running_;
  ++attempts_;
  candidates_[index].attempts++;
  candidates_[index].skipped = Skip::none;
  return {.kind = Action::Kind::attempt, .candidate = index, .forced = forced};
}

Action Chain::give_up(Action::Why why) const { return {.kind = Action::Kind::give_up, .why = why}; }

Action Chain::next(const Event& event, Instant now) {
  switch (event.kind) {
    case Event::Kind::begin: return find_next(event, now);
    case Event::Kind::failed:
      take_failure(event, now);
      if (running_ > 0) return {};
      return after_failure(event, now);
    case Event::Kind::blocked: {
      // It was counted when the action was given; nothing was sent.
      Candidate& candidate = candidates_[event.candidate];
      --running_;
      --attempts_;
      --candidate.attempts;
      candidate.skipped = event.skip;
      candidate.ready = std::max(candidate.ready, event.until);
      // Those of a breaker may be forced later; a hedge that did not begin says nothing.
      const bool for_now = event.skip == Skip::none || event.skip == Skip::circuit_open ||
                           event.skip == Skip::rate_limited || event.skip == Skip::key_refused;
      if (!for_now) candidate.closed = true;
      return running_ > 0 ? Action{} : find_next(event, now);
    }
    case Event::Kind::waited:
      if (!waiting_) return {};
      if (now >= bounds_.deadline) return give_up(Action::Why::time);
      candidates_[awaited_].keys_limited = 0;
      return attempt(awaited_, true);
    case Event::Kind::late: return hedge();
  }
  return {};
}

void Chain::take_failure(const Event& event, Instant now) {
  Candidate& candidate = candidates_[event.candidate];
  if (running_ > 0) --running_;
  candidate.kind = event.error;
  if (event.retry_after_ms >= 0 && !HYPERION_PLANTED(retry_after_ignored))
    candidate.ready = now + static_cast<uint64_t>(event.retry_after_ms) * ns_per_ms;
  if (event.sent && event.error == ErrorKind::timeout) {
    ++possibly_billed_;
    possibly_billed_nano_usd_ += std::max<int64_t>(candidate.worst_nano_usd, 0);
  }
  if (event.error == ErrorKind::context_too_long && !HYPERION_PLANTED(too_long_moves_down))
    window_min_ = std::max(window_min_,
                           candidate.context_tokens == 0 ? UINT32_MAX : candidate.context_tokens);
  if (dialect::traits_of(event.error).key_fault) {
    // Here; whether it is refused for the provider's other models too is for Health to say.
    const bool limited = event.error == ErrorKind::rate_limit;
    if (!HYPERION_PLANTED(refused_key_again))
      (limited ? candidate.keys_limited : candidate.keys_refused) |= bit_of(event.key);
  }
  const bool keys_gone = candidate.keys_refused == all_keys(candidate);
  if (keys_gone || (!refuses_key(event.error) && !is_retryable(event))) candidate.closed = true;
}

bool Chain::has_other_key(const Candidate& candidate) const {
  return static_cast<uint16_t>(candidate.keys_refused | candidate.keys_limited) !=
         all_keys(candidate);
}

Action Chain::after_failure(const Event& event, Instant now) {
  const dialect::ErrorTraits& traits = dialect::traits_of(event.error);
  if (now >= bounds_.deadline) return give_up(Action::Why::time);
  const bool moves_on = traits.moves_on || HYPERION_PLANTED(client_fault_moves);
  if (!moves_on && !is_retryable(event)) return give_up(Action::Why::not_retryable);
  Candidate& candidate = candidates_[event.candidate];
  // Another key of the same model, as long as every other candidate still gets its turn.
  const bool spare = attempts_limit() - std::min(attempts_, attempts_limit()) > untried();
  if (traits.key_fault && spare && event.should_retry >= 0 && fits(candidate) &&
      has_other_key(candidate)) {
    return attempt(event.candidate, false);
  }
  if (moves_on) return find_next(event, now);
  // Nobody else would do better: the same, as the provider says, or nobody.
  return spare ? find_wait(event, now, event.candidate) : give_up(Action::Why::not_retryable);
}

Action Chain::find_next(const Event& event, Instant now) {
  if (now >= bounds_.deadline) return give_up(Action::Why::time);
  // In order, those that nothing speaks against.
  for (uint8_t i = 0; i < count_; ++i) {
    Candidate& candidate = candidates_[i];
    if (candidate.attempts == 0 && candidate.skipped == Skip::none && fits(candidate))
      return attempt(i, false);
  }
  // Those that are shut: the one that would open first.
  int best = -1;
  for (uint8_t i = 0; i < count_; ++i) {
    Candidate& candidate = candidates_[i];
    if (candidate.attempts != 0 || !fits(candidate)) continue;
    if (best < 0 || candidate.ready < candidates_[static_cast<size_t>(best)].ready) best = i;
  }
  if (best >= 0 && attempts_ < attempts_limit() && !HYPERION_PLANTED(shut_never_forced))
    return attempt(static_cast<uint8_t>(best), true);
  return find_wait(event, now);
}

// The same again, when that is useful soonest; of all that were tried, or of `only` one.
Action Chain::find_wait(const Event& event, Instant now, int only) {
  if (attempts_ >= attempts_limit()) return give_up(Action::Why::attempts);
  const uint64_t shift = std::min<uint32_t>(waits_, 20);
  const uint64_t most =
      std::min<uint64_t>(uint64_t{bounds_.backoff_base_ms} << shift, bounds_.backoff_max_ms);
  const uint64_t backoff = static_cast<uint64_t>(
      (static_cast<unsigned __int128>(event.random) * (most * ns_per_ms + 1)) >> 64);
  const Instant soonest = now + backoff;
  int best = -1;
  Instant when;
  bool over_cost = false;
  for (uint8_t i = 0; i < count_; ++i) {
    Candidate& candidate = candidates_[i];
    if (only >= 0 && i != only) continue;
    if (candidate.attempts == 0 || !fits(candidate)) {
      over_cost |= candidate.skipped == Skip::over_max_cost || candidate.skipped == Skip::no_hold;
      continue;
    }
    const Instant at = std::max(soonest, candidate.ready);
    if (best >= 0 && at >= when) continue;
    best = i;
    when = at;
  }
  if (best < 0) return give_up(over_cost ? Action::Why::money : Action::Why::exhausted);
  if (elapsed_ns(now, when) > uint64_t{bounds_.wait_max_ms} * ns_per_ms ||
      when >= bounds_.deadline) {
    return give_up(Action::Why::time);
  }
  if (!event.may_retry) return give_up(Action::Why::retry_budget);
  ++waits_;
  waiting_ = true;
  awaited_ = static_cast<uint8_t>(best);
  return {.kind = Action::Kind::wait, .candidate = awaited_, .until = when};
}

// The same model elsewhere if there is such a place, else the same again.
Action Chain::hedge() {
  if (running_ != 1 || hedged_ || attempts_ >= attempts_limit()) return {};
  int first = -1;
  for (uint8_t i = 0; i < count_; ++i) {
    if (candidates_[i].attempts != 0) first = i;
  }
  if (first < 0) return {};
  uint8_t index = static_cast<uint8_t>(first);
  for (uint8_t i = 0; i < count_; ++i) {
    Candidate& other = candidates_[i];
    const bool elsewhere = other.place == candidates_[static_cast<size_t>(first)].place;
    if (other.attempts == 0 && elsewhere && other.skipped == Skip::none && fits(other)) {
      index = i;
      break;
    }
  }
  // Both may be billed.
  const int64_t worst = candidates_[index].worst_nano_usd;
  const int64_t running = candidates_[static_cast<size_t>(first)].worst_nano_usd;
  if (bounds_.max_cost_nano_usd >= 0 &&
      (worst < 0 || running < 0 ||
       worst > bounds_.max_cost_nano_usd - possibly_billed_nano_usd_ - running)) {
    return {};
  }
  hedged_ = true;
  Action action = attempt(index, false);
  action.kind = Action::Kind::hedge;
  return action;
}

}  // namespace hyperion::resilience
