// Does what the chain says (resilience/chain.h): begins attempts, waits, and ends the request when
// nothing is left. Nothing here runs after the commit point.
#include <algorithm>
#include <cstring>

#include "base/planted.h"
#include "dialect/text.h"
#include "gateway/client.h"
#include "gateway/exchange.h"
#include "gateway/gateway.h"

namespace hyperion::gateway {
namespace {

using dialect::ErrorKind;
using resilience::Action;
using resilience::Event;
using resilience::Skip;

}  // namespace

void Exchange::begin_chain() { act(chain_.next(environment({}), gateway_.runtime().clock.now())); }

// What of the shard the chain's word depends on.
Event Exchange::environment(Event event) {
  event.may_retry = retrying_ || gateway_.may_retry(*snapshot_);
  event.random = gateway_.runtime().random.next();
  return event;
}

void Exchange::act(Action action) {
  while (!finished_) {
    Event blocked;
    switch (action.kind) {
      case Action::Kind::none: return;
      case Action::Kind::give_up: give_up(action.why); return;
      case Action::Kind::wait:
        if (!retrying_) gateway_.begin_retrying();
        retrying_ = true;
        gateway_.counters().retries.add();
        gateway_.runtime().timers.arm(wait_, action.until);
        return;
      case Action::Kind::attempt:
      case Action::Kind::hedge:
        if (begin_attempt(action, blocked)) return;
        if (finished_) return;
        blocked.kind = Event::Kind::blocked;
        blocked.candidate = action.candidate;
        action = chain_.next(environment(blocked), gateway_.runtime().clock.now());
    }
  }
}

// Left out, and named: "anthropic/claude-haiku-4-5 (vision)".
void Exchange::note(std::string_view& list, std::string_view name, std::string_view reason) {
  if (client_ == nullptr) return;
  Arena& arena = client_->arena();
  (void)((list.empty() || arena.append(list, "; ")) && arena.append(list, name) &&
         arena.append(list, " (") && arena.append(list, reason) && arena.append(list, ")"));
}

// True: an attempt has begun, or the exchange has ended. False: `blocked` says why not.
bool Exchange::begin_attempt(const Action& action, Event& blocked) {
  const catalog::Deployment& deployment = *candidates_[action.candidate];
  const resilience::Candidate& candidate = chain_[action.candidate];
  const auto skip = [&](Skip why, std::string_view reason) {
    blocked.skip = why;
    note(record_.skipped, deployment.id, reason);
    if (record_.fallback_reason.empty()) record_.fallback_reason = reason;
    return false;
  };
  Leg leg;
  leg.candidate = action.candidate;
  const bool named = resolution_.deployment == &deployment;
  leg.resolution =
      named ? resolution_
            : snapshot_->config->catalog.resolution_of(deployment, catalog::Match::routed);
  leg.crossing = named ? crossing_ : crossing_to(*endpoint_, deployment);
  // What another vendor's model thought means nothing here: it is left out, as in a translation.
  if (leg.crossing.kind == Crossing::Kind::passthrough && endpoint_->operation == Operation::chat &&
      dialect::carries_foreign_thinking(endpoint_->wire, body_.view(), candidate.place > 0)) {
    leg.crossing.kind = Crossing::Kind::translated;
    name_dropped("thinking");
  }
  if (!deployment.provider->usable) return skip(Skip::unusable, name_of(Skip::unusable));
  if (candidate.place > 0 && &deployment != asked_) {
    const std::string_view reason = unfit(deployment, leg.crossing);
    if (finished_) return true;
    if (!reason.empty()) {
      name_dropped_fallback(candidate.place);
      return skip(Skip::incapable, reason);
    }
  }
  const Instant now = gateway_.runtime().clock.now();
  const auto avoid = static_cast<uint16_t>(candidate.keys_refused | candidate.keys_limited);
  const bool rehearsed = rehearses();
  const resilience::Health::Pick pick =
      snapshot_->health->pick(deployment, avoid, chain_.has_untried(), action.forced || rehearsed,
                              now, gateway_.runtime().random);
  if (pick.skip != Skip::none) {
    blocked.until = pick.until;
    return skip(pick.skip, name_of(pick.skip));
  }
  retried_ = false;
  leg.key = pick.key;
  leg.probe = pick.probe;
  leg.target = snapshot_->health->target_of(deployment, pick.key);
  return start_leg(leg, action.kind == Action::Kind::hedge, blocked);
}

void Exchange::name_dropped(std::string_view name) {
  if (client_ == nullptr || dropped_options_.find(name) != std::string_view::npos) return;
  Arena& arena = client_->arena();
  (void)((dropped_options_.empty() || arena.append(dropped_options_, ", ")) &&
         arena.append(dropped_options_, name));
}

// A fallback that was left out, under the name that the client gave it.
void Exchange::name_dropped_fallback(uint32_t place) {
  if (!scan_.options.fallbacks.present() || place <= fallbacks_behind_) return;
  char name[64];
  std::snprintf(name, sizeof(name), "hyperion.fallbacks[%u]", place - fallbacks_behind_ - 1);
  name_dropped(name);
}

// Always false: what was to be tried is not.
bool Exchange::leave_out(const catalog::Deployment& deployment, Skip skip, Event& blocked) {
  blocked.skip = skip;
  note(record_.skipped, deployment.id, name_of(skip));
  return false;
}

void Exchange::refuse_for_slots() {
  gateway_.counters().requests_refused_overloaded.add();
  Failure failure = make_failure(503, "overloaded", {},
                                 "Too many requests are in flight. Try again in a second.");
  failure.retry_after_ms = 1000;
  refuse(failure, Side::gateway, Phase::connect);
}

bool Exchange::start_leg(const Leg& leg, bool hedge, Event& blocked) {
  const catalog::Deployment& deployment = *leg.resolution.deployment;
  const bool first = chain_[leg.candidate].place == 0;
  const auto drop_probe = [&] {
    if (leg.probe) gateway_.tell_health(*snapshot_, leg.target, true, {});
  };
  Failure failure;
  // A second attempt that cannot be made is none; the first goes on.
  if (!read_for(leg.crossing, failure)) {
    drop_probe();
    if (hedge || (!first && failure.status == 400)) {
      return leave_out(deployment, Skip::not_translatable, blocked);
    }
    refuse(failure, failure.status == 503 ? Side::gateway : Side::client, Phase::decide);
    return true;
  }
  if (leg.crossing.kind == Crossing::Kind::estimate) {
    drop_probe();
    answer_token_estimate();
    return true;
  }
  if (!hedge) {
    record_.provider = deployment.provider->name;
    record_.model = leg.resolution.upstream_model;
    record_.translated = leg.crossing.translates();
    record_.phase = Phase::connect;
  }
  ledger::Hold hold = gateway_.holds().take(chain_[leg.candidate].worst_nano_usd);
  if (!hold.granted()) {
    drop_probe();
    return leave_out(deployment, Skip::no_hold, blocked);
  }
  Attempt* attempt = gateway_.create_attempt(*this, leg, std::move(hold));
  if (attempt == nullptr) {
    drop_probe();
    if (hedge) return leave_out(deployment, Skip::unusable, blocked);
    refuse_for_slots();
    return true;
  }
  ++attempts_alive_;
  dialect::RequestProblem problem;
  if (!attempt->prepare(problem)) {
    drop_probe();
    if (hedge || (!first && problem.status == 400)) {
      // Not the client's fault: it asked for another model, which could have been told.
      on_attempt_joined(attempt);
      return leave_out(deployment, Skip::not_translatable, blocked);
    }
    refuse(failure_of(problem), problem.status == 503 ? Side::gateway : Side::client,
           Phase::decide);
    on_attempt_joined(attempt);
    return true;
  }
  clear_error();
  (hedge ? hedge_ : attempt_) = attempt;
  record_.attempts = chain_.attempts() + fresh_retries_;
  if (hedge) {
    record_.hedged = true;
    gateway_.counters().hedges.add();
  } else if (!first) {
    gateway_.counters().fallbacks.add();
  }
  // Before the start, which may end the attempt and with it the exchange.
  if (!hedge) arm_hedge(*attempt);
  attempt->start();
  return true;
}

// A second attempt when this one's first token is later than most.
void Exchange::arm_hedge(const Attempt& attempt) {
  const resilience::HedgingSettings& hedging = snapshot_->config->settings.resilience.hedging;
  if (!hedging.enabled || chain_.attempts() != 1 || body_.size() > hedging.body_max_bytes) return;
  const uint64_t p95_us =
      snapshot_->health->pace(*attempt.leg().resolution.deployment).first_token_p95_us();
  // Of a plain answer nobody knows when it should begin.
  if (p95_us == 0 || !wants_stream_) return;
  const uint64_t after_ns =
      std::max<uint64_t>(p95_us * ns_per_us, uint64_t{hedging.after_min_ms} * ns_per_ms);
  gateway_.runtime().timers.arm(late_, gateway_.runtime().clock.now() + after_ns);
}

void Exchange::on_late() {
  if (finished_ || attempt_ == nullptr || attempt_->committed()) return;
  if (!gateway_.may_hedge(*snapshot_)) return;
  Event event;
  event.kind = Event::Kind::late;
  const Action action = chain_.next(environment(event), gateway_.runtime().clock.now());
  if (action.kind != Action::Kind::hedge) return;
  Event blocked;
  gateway_.begin_hedging();
  hedging_ = true;
  const std::string_view skipped = record_.skipped;
  const std::string_view reason = record_.fallback_reason;
  if (begin_attempt(action, blocked) || finished_) return;
  // It never was: nobody was left out for it, and it counts for nothing.
  record_.skipped = skipped;
  if (record_.fallback_reason.empty()) record_.fallback_reason = reason;
  hedging_ = false;
  gateway_.end_hedging();
  blocked.kind = Event::Kind::blocked;
  blocked.candidate = action.candidate;
  // Of the one that runs it says nothing.
  if (action.candidate == attempt_->leg().candidate) blocked.skip = Skip::none;
  (void)chain_.next(environment(blocked), gateway_.runtime().clock.now());
}

void Exchange::on_wait_over() {
  if (finished_) return;
  Event event;
  event.kind = Event::Kind::waited;
  act(chain_.next(environment(event), gateway_.runtime().clock.now()));
}

Event Exchange::failure_event(const Attempt& attempt, Error error,
                              const dialect::ProviderError* said) {
  Event event;
  event.kind = Event::Kind::failed;
  event.candidate = attempt.leg().candidate;
  event.key = attempt.leg().key;
  event.error = said != nullptr ? said->kind : kind_of(error);
  event.sent = attempt.sent();
  if (said != nullptr) {
    event.should_retry = said->should_retry;
    event.retry_after_ms = said->retry_after_ms;
  } else if (error.side == Side::gateway && event.error != ErrorKind::bad_key) {
    event.error = ErrorKind::none;  // our own doing: nobody else could do better
  }
  return event;
}

// Whether the client is spared this error: somebody else is tried, or it is one of several and the
// answer names them all.
bool Exchange::goes_on_after(const Attempt& attempt, const dialect::ProviderError& said) {
  Event event = environment(failure_event(attempt, {}, &said));
  // The longest wait that could be drawn: what is promised here is kept.
  event.random = UINT64_MAX;
  const Action action = chain_.peek(event, gateway_.runtime().clock.now());
  if (action.kind != Action::Kind::give_up) return true;
  return !dialect::traits_of(said.kind).client_fault && chain_.tried_count() > 1;
}

// The other attempt is not needed any more; what it cost stays unknown.
void Exchange::drop_other(Attempt*& other) {
  if (other == nullptr) return;
  Attempt* attempt = other;
  other = nullptr;
  if (attempt->sent()) count_possibly_billed();
  attempt->cancel();
}

void Exchange::count_possibly_billed() {
  ++record_.possibly_billed;
  gateway_.counters().possibly_billed.add();
}

void Exchange::on_attempt_commits(Attempt& attempt) {
  gateway_.runtime().timers.cancel(late_);
  if (hedge_ == &attempt) std::swap(attempt_, hedge_);
  if (!HYPERION_PLANTED(hedge_not_cancelled)) drop_other(hedge_);
  take(attempt);
  record_.fallback_index = chain_[attempt.leg().candidate].place;
}

void Exchange::take(Attempt& attempt) { static_cast<Trace&>(record_) = attempt.trace(); }

void Exchange::on_attempt_failed(Attempt& attempt, Error error,
                                 const dialect::ProviderError* said) {
  const bool hedge = &attempt == hedge_;
  (hedge ? hedge_ : attempt_) = nullptr;
  if (finished_) return;
  // Only the first attempt's lateness is worth a second one.
  if (!hedge) gateway_.runtime().timers.cancel(late_);
  take(attempt);
  record_.side = error.side;
  record_.phase = error.phase;
  record_.error = error.code;
  if (attempt.committed() && !HYPERION_PLANTED(attempt_after_commit)) {
    // What the client has cannot be taken back: it must see that it is not the whole.
    gateway_.counters().streams_cut.add();
    finish(Outcome::failed, true);
    return;
  }
  // A connection that had been idle may have died before it carried anything: one more try, on a
  // new one.
  if (error.retry_safe && error.reused && !retried_) {
    retried_ = true;
    ++fresh_retries_;
    Leg leg = attempt.leg();
    leg.fresh = true;
    leg.probe = false;  // its place was given back
    Event blocked;
    if (start_leg(leg, hedge, blocked)) {
      gateway_.counters().retries.add();
      return;
    }
    if (finished_) return;
    --fresh_retries_;
  }
  const Event event = environment(failure_event(attempt, error, said));
  if (event.sent && event.error == ErrorKind::timeout) count_possibly_billed();
  last_failure_ = said != nullptr ? failure_of(*said, record_.provider)
                                  : failure_of_upstream(error, record_.provider);
  const std::string_view reason = dialect::name_of(event.error);
  note(record_.tried, attempt.leg().resolution.deployment->id, reason);
  if (record_.fallback_reason.empty()) record_.fallback_reason = reason;
  const Action action = chain_.next(event, gateway_.runtime().clock.now());
  if (action.kind == Action::Kind::none) clear_error();
  // One of two: the other is listened to from now on.
  if (action.kind == Action::Kind::none && attempt_ == nullptr) std::swap(attempt_, hedge_);
  act(action);
}

// What the log says of an error that was got round.
void Exchange::clear_error() {
  record_.side = Side::none;
  record_.error = ErrorCode::none;
  record_.error_kind = ErrorKind::none;
}

void Exchange::give_up(Action::Why why) {
  record_.gave_up = name_of(why);
  Failure failure = last_failure_.value_or(Failure{});
  if (chain_.attempts() == 0) {
    refuse(failure_of_none(why), why == Action::Why::money ? Side::client : Side::gateway,
           Phase::decide);
    return;
  }
  if (chain_.tried_count() > 1 &&
      !(failure.status >= 400 && failure.status < 500 && why == Action::Why::not_retryable)) {
    failure = failure_of_all();
  }
  failure.should_retry_no |= record_.attempts > 1;
  if (chain_.tried_count() > 1)
    failure.retry_after_ms = chain_.soonest_ms(gateway_.runtime().clock.now());
  if (record_.error == ErrorCode::none) record_.error = ErrorCode::unsupported;
  const bool sent = answer_failure(failure);
  finish(Outcome::failed, !sent);
}

Failure Exchange::failure_of_all() const {
  const int tried = static_cast<int>(std::min<size_t>(record_.tried.size(), 400));
  const int skipped = static_cast<int>(std::min<size_t>(record_.skipped.size(), 120));
  Failure failure = make_failure(
      502, "all_upstreams_failed", {}, "All of %zu candidates failed: %.*s%s%.*s. Try again later.",
      chain_.tried_count(), tried, record_.tried.data(),
      record_.skipped.empty() ? "" : "; left out: ", skipped, record_.skipped.data());
  return failure;
}

// Nobody could be tried at all.
Failure Exchange::failure_of_none(Action::Why why) const {
  const int size = static_cast<int>(std::min<size_t>(record_.skipped.size(), 400));
  if (why == Action::Why::money) {
    Failure failure = make_failure(
        429, "budget_exceeded", "hyperion.max_cost",
        "The request may cost more than `hyperion.max_cost` of %.9g USD at each of its candidates, "
        "the least %.9g USD. Raise it, or lower max_tokens.",
        static_cast<double>(max_cost_nano_usd_) / 1e9,
        static_cast<double>(chain_.least_worst_nano_usd()) / 1e9);
    failure.should_retry_no = true;
    return failure;
  }
  const catalog::Provider& provider = *candidates_[0]->provider;
  if (chain_.count() == 1 && !provider.usable) {
    return make_failure(502, "upstream_credentials", {}, "Provider %s cannot be used: %s.",
                        provider.name.c_str(), provider.unusable_because.c_str());
  }
  return make_failure(502, "all_upstreams_failed", {},
                      "None of the candidates could be tried: %.*s.", size, record_.skipped.data());
}

}  // namespace hyperion::gateway
