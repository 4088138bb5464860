// What a request does next: each case one rule of the chain, then random lives of it.
#include "resilience/chain.h"

#include <algorithm>
#include <set>
#include <vector>

#include <doctest/doctest.h>

#include "base/random.h"

namespace hyperion::resilience {
namespace {

using dialect::ErrorKind;
using Kind = Action::Kind;

constexpr Instant start{1'000 * ns_per_ms};

Instant at_ms(uint64_t ms) { return start + ms * ns_per_ms; }

Bounds bounds_of(uint32_t attempts_max) {
  return {.attempts_max = attempts_max,
          .wait_max_ms = 2'000,
          .backoff_base_ms = 100,
          .backoff_max_ms = 1'000,
          .deadline = at_ms(60'000)};
}

// A chain of so many candidates, each a model and a provider of its own.
Chain chain_of(size_t count, Bounds bounds = bounds_of(3)) {
  Chain chain;
  chain.reset(bounds);
  for (size_t i = 0; i < count; ++i) {
    Candidate candidate;
    candidate.place = static_cast<uint32_t>(i);
    candidate.context_tokens = 100'000;
    chain.add(candidate);
  }
  return chain;
}

Event failed(uint8_t candidate, ErrorKind error, bool sent = true) {
  Event event;
  event.kind = Event::Kind::failed;
  event.candidate = candidate;
  event.error = error;
  event.sent = sent;
  return event;
}

Event blocked(uint8_t candidate, Skip skip, Instant until = {}) {
  Event event;
  event.kind = Event::Kind::blocked;
  event.candidate = candidate;
  event.skip = skip;
  event.until = until;
  return event;
}

Event waited() {
  Event event;
  event.kind = Event::Kind::waited;
  return event;
}

Event late() {
  Event event;
  event.kind = Event::Kind::late;
  return event;
}

void check_attempt(const Action& action, int candidate) {
  CHECK(action.kind == Kind::attempt);
  CHECK(int{action.candidate} == candidate);
}

}  // namespace

TEST_CASE("what another could do better goes to the next at once, in order") {
  for (ErrorKind kind : {ErrorKind::server, ErrorKind::overload, ErrorKind::timeout,
                         ErrorKind::rate_limit, ErrorKind::conflict, ErrorKind::bad_key,
                         ErrorKind::money, ErrorKind::forbidden, ErrorKind::no_model}) {
    CAPTURE(dialect::name_of(kind));
    Chain chain = chain_of(3);
    check_attempt(chain.next({}, start), 0);
    check_attempt(chain.next(failed(0, kind), start), 1);
    check_attempt(chain.next(failed(1, kind), start), 2);
  }
}

TEST_CASE("the client's own fault ends it, wherever it shows") {
  for (ErrorKind kind : {ErrorKind::invalid_request, ErrorKind::too_large,
                         ErrorKind::content_policy, ErrorKind::cancelled}) {
    Chain chain = chain_of(3);
    chain.next({}, start);
    const Action action = chain.next(failed(0, kind), start);
    CHECK(action.kind == Kind::give_up);
    CHECK(action.why == Action::Why::not_retryable);
  }
}

TEST_CASE("too long a context goes to a larger window only") {
  Chain chain;
  chain.reset(bounds_of(3));
  for (uint32_t window : {8'000u, 8'000u, 4'000u, 0u, 128'000u}) {
    Candidate candidate;
    candidate.context_tokens = window;
    candidate.place = static_cast<uint32_t>(chain.count());
    chain.add(candidate);
  }
  chain.next({}, start);
  check_attempt(chain.next(failed(0, ErrorKind::context_too_long), start), 4);
  CHECK(chain[1].skipped == Skip::window_too_small);
  CHECK(chain[3].skipped == Skip::window_too_small);
}

TEST_CASE("alone, a candidate is tried again after a wait, and a budget of attempts ends that") {
  Chain chain = chain_of(1);
  check_attempt(chain.next({}, start), 0);
  Event failure = failed(0, ErrorKind::overload);
  failure.random = UINT64_MAX;
  Action action = chain.next(failure, start);
  CHECK(action.kind == Kind::wait);
  CHECK(elapsed_ns(start, action.until) == 100 * ns_per_ms);
  check_attempt(chain.next(waited(), action.until), 0);
  action = chain.next(failure, action.until);
  CHECK(action.kind == Kind::wait);
  check_attempt(chain.next(waited(), action.until), 0);
  action = chain.next(failure, action.until);
  CHECK(action.kind == Kind::give_up);
  CHECK(action.why == Action::Why::attempts);
  CHECK(chain.attempts() == 3);
}

TEST_CASE("jitter is full: from nothing to the backoff, which doubles to its bound") {
  Event failure = failed(0, ErrorKind::server);
  Chain chain = chain_of(1, bounds_of(8));
  chain.next({}, start);
  uint64_t longest = 0;
  for (int i = 0; i < 6; ++i) {
    failure.random = 0;
    CHECK(chain.peek(failure, start).until == start);
    failure.random = UINT64_MAX;
    const Action action = chain.next(failure, start);
    longest = elapsed_ns(start, action.until) / ns_per_ms;
    CHECK(longest == std::min(1'000, 100 << i));
    chain.next(waited(), start);
  }
}

TEST_CASE("a provider's Retry-After is kept, and one beyond the bound is the client's to keep") {
  Chain chain = chain_of(1);
  chain.next({}, start);
  Event failure = failed(0, ErrorKind::rate_limit);
  failure.retry_after_ms = 1'500;
  CHECK(chain.peek(failure, start).until == at_ms(1'500));
  failure.retry_after_ms = 2'001;
  const Action action = chain.next(failure, start);
  CHECK(action.kind == Kind::give_up);
  CHECK(action.why == Action::Why::time);
}

TEST_CASE("of several that may be tried again the one that is useful soonest is") {
  Chain chain = chain_of(3, bounds_of(5));
  chain.next({}, start);
  Event failure = failed(0, ErrorKind::rate_limit);
  failure.retry_after_ms = 1'900;
  chain.next(failure, start);
  failure = failed(1, ErrorKind::rate_limit);
  failure.retry_after_ms = 700;
  chain.next(failure, start);
  failure = failed(2, ErrorKind::no_model);
  const Action action = chain.next(failure, start);
  CHECK(action.kind == Kind::wait);
  CHECK(int{action.candidate} == 1);
  CHECK(action.until == at_ms(700));
}

TEST_CASE("when all have failed the client hears of the soonest useful moment over the chain") {
  Chain chain = chain_of(3);
  chain.next({}, start);
  Event failure = failed(0, ErrorKind::rate_limit);
  failure.retry_after_ms = 30'000;
  chain.next(failure, start);
  failure = failed(1, ErrorKind::rate_limit);
  failure.retry_after_ms = 9'000;
  chain.next(failure, start);
  chain.next(failed(2, ErrorKind::no_model), start);
  CHECK(chain.soonest_ms(start) == 9'000);
  CHECK(chain.soonest_ms(at_ms(9'001)) == -1);
  // Who says nothing may be tried at once.
  Chain silent = chain_of(2);
  silent.next({}, start);
  silent.next(failure, start);
  silent.next(failed(1, ErrorKind::overload), start);
  CHECK(silent.soonest_ms(start) == -1);
}

TEST_CASE("x-should-retry is the provider's word, both ways") {
  Chain chain = chain_of(1);
  chain.next({}, start);
  Event failure = failed(0, ErrorKind::server);
  failure.should_retry = -1;
  CHECK(chain.peek(failure, start).kind == Kind::give_up);
  failure = failed(0, ErrorKind::invalid_request);
  failure.should_retry = 1;
  CHECK(chain.peek(failure, start).kind == Kind::wait);
  // It speaks of the same candidate: another may be tried all the same.
  Chain two = chain_of(2);
  two.next({}, start);
  failure = failed(0, ErrorKind::server);
  failure.should_retry = -1;
  check_attempt(two.next(failure, start), 1);
  // Of a client's fault it speaks of nobody else, and takes no other's turn.
  Chain four = chain_of(4);
  four.next({}, start);
  four.next(failed(0, ErrorKind::server), start);
  failure = failed(1, ErrorKind::invalid_request);
  failure.should_retry = 1;
  CHECK(four.next(failure, start).kind == Kind::give_up);
  Chain roomy = chain_of(2, bounds_of(5));
  roomy.next({}, start);
  roomy.next(failed(0, ErrorKind::server), start);
  const Action again = roomy.next(failure, start);
  CHECK(again.kind == Kind::wait);
  CHECK(int{again.candidate} == 1);
}

TEST_CASE("a timeout may have been billed: it is counted, and not tried there again") {
  Chain chain = chain_of(1);
  chain.next({}, start);
  const Action action = chain.next(failed(0, ErrorKind::timeout), start);
  CHECK(action.kind == Kind::give_up);
  CHECK(chain.possibly_billed() == 1);
  Chain unsent = chain_of(2);
  unsent.next({}, start);
  unsent.next(failed(0, ErrorKind::timeout, false), start);
  CHECK(unsent.possibly_billed() == 0);
}

TEST_CASE("money: a candidate beyond what the request may cost is skipped, lost attempts count") {
  Bounds bounds = bounds_of(3);
  bounds.max_cost_nano_usd = 100;
  Chain chain;
  chain.reset(bounds);
  for (int64_t worst : {70, 101, 40, 30}) {
    Candidate candidate;
    candidate.worst_nano_usd = worst;
    chain.add(candidate);
  }
  check_attempt(chain.next({}, start), 0);
  // 70 may be gone: 30 is all that is left.
  check_attempt(chain.next(failed(0, ErrorKind::timeout), start), 3);
  CHECK(chain[1].skipped == Skip::over_max_cost);
  CHECK(chain[2].skipped == Skip::over_max_cost);
  CHECK(chain.next(failed(3, ErrorKind::timeout), start).kind == Kind::give_up);
}

TEST_CASE("none affordable: given up for money, without an attempt") {
  Bounds bounds = bounds_of(3);
  bounds.max_cost_nano_usd = 10;
  Chain chain;
  chain.reset(bounds);
  Candidate candidate;
  candidate.worst_nano_usd = 11;
  chain.add(candidate);
  const Action action = chain.next({}, start);
  CHECK(action.why == Action::Why::money);
  CHECK(chain.attempts() == 0);
  CHECK(chain.least_worst_nano_usd() == 11);
}

TEST_CASE("another key of the same model comes before another model") {
  Chain chain;
  chain.reset(bounds_of(3));
  Candidate first;
  first.keys = 3;
  chain.add(first);
  Candidate second;
  second.place = 1;
  chain.add(second);
  chain.next({}, start);
  for (ErrorKind kind : {ErrorKind::rate_limit, ErrorKind::bad_key, ErrorKind::money}) {
    Chain copy = chain;
    check_attempt(copy.next(failed(0, kind), start), 0);
    CHECK((copy[0].keys_refused | copy[0].keys_limited) == 1);
  }
  // Two keys may be spent, then it is the other model's turn: each gets one.
  check_attempt(chain.next(failed(0, ErrorKind::bad_key), start), 0);
  Event failure = failed(0, ErrorKind::bad_key);
  failure.key = 1;
  check_attempt(chain.next(failure, start), 1);
}

TEST_CASE("what a breaker keeps shut is left alone while there is another, and tried at last") {
  Chain chain = chain_of(3);
  chain.next({}, start);
  check_attempt(chain.next(blocked(0, Skip::circuit_open, at_ms(900)), start), 1);
  check_attempt(chain.next(blocked(1, Skip::circuit_open, at_ms(300)), start), 2);
  // The one that would open first.
  Action action = chain.next(failed(2, ErrorKind::server), start);
  check_attempt(action, 1);
  CHECK(action.forced);
  action = chain.next(failed(1, ErrorKind::server), start);
  check_attempt(action, 0);
  CHECK(action.forced);
  CHECK(chain.attempts() == 3);
}

TEST_CASE("what is not fit at all is never tried") {
  Chain chain = chain_of(2);
  chain.next({}, start);
  check_attempt(chain.next(blocked(0, Skip::incapable), start), 1);
  const Action action = chain.next(blocked(1, Skip::not_translatable), start);
  CHECK(action.kind == Kind::give_up);
  CHECK(chain.attempts() == 0);
}

TEST_CASE("without room in the shard's retry budget nothing is tried twice, others still once") {
  Chain chain = chain_of(2);
  chain.next({}, start);
  Event failure = failed(0, ErrorKind::server);
  failure.may_retry = false;
  check_attempt(chain.next(failure, start), 1);
  failure.candidate = 1;
  const Action action = chain.next(failure, start);
  CHECK(action.kind == Kind::give_up);
  CHECK(action.why == Action::Why::retry_budget);
}

TEST_CASE("nothing begins at the deadline") {
  Chain chain = chain_of(2);
  chain.next({}, start);
  const Action action = chain.next(failed(0, ErrorKind::server), at_ms(60'000));
  CHECK(action.kind == Kind::give_up);
  CHECK(action.why == Action::Why::time);
}

TEST_CASE("a hedge goes to another place of the same model, once, and both must fail") {
  Chain chain;
  chain.reset(bounds_of(3));
  for (uint32_t place : {0u, 0u, 1u}) {
    Candidate candidate;
    candidate.place = place;
    chain.add(candidate);
  }
  chain.next({}, start);
  const Action hedge = chain.next(late(), start);
  CHECK(hedge.kind == Kind::hedge);
  CHECK(int{hedge.candidate} == 1);
  CHECK(chain.next(late(), start).kind == Kind::none);
  CHECK(chain.next(failed(1, ErrorKind::server), start).kind == Kind::none);
  check_attempt(chain.next(failed(0, ErrorKind::server), start), 2);
  // One that could not be begun leaves everything as it was.
  Chain unbegun = chain_of(1);
  unbegun.next({}, start);
  unbegun.next(late(), start);
  CHECK(unbegun.next(blocked(0, Skip::none), start).kind == Kind::none);
  CHECK(unbegun.attempts() == 1);
  CHECK(unbegun.next(failed(0, ErrorKind::server), start).kind == Kind::wait);
  // With one place only it is the same again; without money for both, none.
  Chain alone = chain_of(1);
  alone.next({}, start);
  CHECK(alone.next(late(), start).kind == Kind::hedge);
  Bounds poor = bounds_of(3);
  poor.max_cost_nano_usd = 100;
  Chain unpaid;
  unpaid.reset(poor);
  Candidate candidate;
  candidate.worst_nano_usd = 60;
  unpaid.add(candidate);
  unpaid.next({}, start);
  CHECK(unpaid.next(late(), start).kind == Kind::none);
}

namespace {

// A chain with drawn candidates and money.
Chain drawn_chain(Random& random, Bounds& bounds, size_t count) {
  if (random.chance(1, 4)) bounds.max_cost_nano_usd = static_cast<int64_t>(random.below(100));
  Chain chain;
  chain.reset(bounds);
  for (size_t i = 0; i < count; ++i) {
    Candidate candidate;
    candidate.keys = static_cast<uint8_t>(1 + random.below(3));
    candidate.place = static_cast<uint32_t>(i);
    candidate.context_tokens = static_cast<uint32_t>(random.below(4) * 8'000);
    candidate.worst_nano_usd = static_cast<int64_t>(random.below(60));
    chain.add(candidate);
  }
  return chain;
}

}  // namespace

TEST_CASE("whatever happens: bounded, nothing twice at once, and nobody fit is forgotten") {
  Random random(7);
  constexpr ErrorKind kinds[] = {
      ErrorKind::invalid_request, ErrorKind::context_too_long, ErrorKind::bad_key,
      ErrorKind::money,           ErrorKind::forbidden,        ErrorKind::no_model,
      ErrorKind::conflict,        ErrorKind::rate_limit,       ErrorKind::overload,
      ErrorKind::server,          ErrorKind::timeout};
  for (int life = 0; life < 200'000; ++life) {
    Bounds bounds = bounds_of(static_cast<uint32_t>(1 + random.below(5)));
    const size_t count = 1 + random.below(6);
    Chain chain = drawn_chain(random, bounds, count);
    Instant now = start;
    Action action = chain.next({}, now);
    uint32_t begun = 0;
    bool moved_only = true;  // every failure until now was one that others may not have
    std::set<int> seen;
    for (int step = 0; action.kind != Kind::give_up; ++step) {
      REQUIRE(step < 64);
      if (action.kind == Kind::wait) {
        REQUIRE(action.until >= now);
        REQUIRE(elapsed_ns(now, action.until) <= bounds.wait_max_ms * ns_per_ms);
        REQUIRE(action.until < bounds.deadline);
        now = action.until;
        action = chain.next(waited(), now);
        continue;
      }
      REQUIRE(action.kind == Kind::attempt);
      REQUIRE(action.candidate < count);
      Event event;
      event.random = random.next();
      event.may_retry = random.chance(3, 4);
      if (!action.forced && random.chance(1, 5)) {
        event.kind = Event::Kind::blocked;
        event.candidate = action.candidate;
        event.skip = random.chance(1, 2) ? Skip::circuit_open : Skip::incapable;
        event.until = now + random.below(5'000) * ns_per_ms;
        if (event.skip == Skip::incapable) seen.insert(action.candidate);
      } else {
        ++begun;
        seen.insert(action.candidate);
        event.kind = Event::Kind::failed;
        event.candidate = action.candidate;
        event.error = kinds[random.below(std::size(kinds))];
        event.key = static_cast<uint8_t>(random.below(chain[action.candidate].keys));
        event.sent = random.chance(1, 2);
        event.retry_after_ms = random.chance(1, 3) ? static_cast<int64_t>(random.below(4'000)) : -1;
        moved_only &=
            dialect::traits_of(event.error).moves_on && event.error != ErrorKind::context_too_long;
        now = now + random.below(50) * ns_per_ms;
      }
      REQUIRE(chain.peek(event, now).kind == Chain(chain).next(event, now).kind);
      action = chain.next(event, now);
    }
    REQUIRE(begun == chain.attempts());
    REQUIRE(begun <= std::max<size_t>(bounds.attempts_max, count));
    // Nobody who could have been paid is left out as long as nothing but failures to move on from
    // came, for lack of a try.
    for (size_t i = 0; i < count && moved_only && bounds.max_cost_nano_usd < 0; ++i)
      REQUIRE(seen.contains(static_cast<int>(i)));
  }
}

}  // namespace hyperion::resilience
