// What a request does next: which candidate is tried, when, and when it is over.
//
// A pure state machine, one for streamed and plain answers alike. The exchange owns a Chain, feeds
// it events with the time at which they happened, and does what it says; it holds no connection, no
// timer, no money. What moves it is the kind of an error (dialect/provider_error, one table).
// Untried candidates come first and at once; then those that a breaker keeps shut (better the least
// bad than none); only then the same candidate again, at the soonest useful moment over the whole
// chain, which is a random part of the backoff or the provider's own Retry-After. One budget covers
// it all: attempts, wall time, money. Nothing follows the commit point: the exchange stops asking.
// No allocation; about 20 ns an event.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/clock.h"
#include "dialect/provider_error.h"
#include "resilience/settings.h"

namespace hyperion::resilience {

// Why a candidate was left out, for the log and the answer.
enum class Skip : uint8_t {
  none,
  incapable,         // lacks what the request needs
  not_translatable,  // what was asked for cannot be said in its dialect
  unusable,          // without its key
  window_too_small,  // the request was too long for one as large
  circuit_open,      // it failed lately
  rate_limited,      // it said when to come back
  key_refused,       // its key or account was refused lately
  over_max_cost,     // its worst case is above what the request may cost
  no_hold,           // a budget does not grant its worst case now
};
std::string_view name_of(Skip skip);

struct Candidate {
  // What the caller knows of it.
  uint8_t keys = 1;             // how many its provider has; at most keys_max
  uint32_t context_tokens = 0;  // 0: unknown
  int64_t worst_nano_usd = -1;  // -1: unknown
  uint32_t place =
      0;  // in the list as the client sees it; the same for one model in several places
  // What has become of it.
  uint8_t attempts = 0;
  bool closed = false;  // never again in this request
  Skip skipped = Skip::none;
  dialect::ErrorKind kind = dialect::ErrorKind::none;  // of its last failure
  uint16_t keys_refused = 0;                           // a bit for each
  uint16_t keys_limited = 0;
  Instant ready;  // not worth trying before
};

struct Bounds {
  uint32_t attempts_max = 3;
  uint32_t wait_max_ms = 0;
  uint32_t backoff_base_ms = 0;
  uint32_t backoff_max_ms = 0;
  Instant deadline;                // of the whole request
  int64_t max_cost_nano_usd = -1;  // over all attempts; -1: none
};

struct Event {
  enum class Kind : uint8_t {
    begin,    // the request is ready to go
    failed,   // the attempt at `candidate` ended before the commit point
    blocked,  // `candidate` cannot be tried now, for `skip`, until `until` where that is known
    waited,   // the time of a wait has come
    late,     // the first token takes longer than usual: is a second attempt wanted?
  };
  Kind kind = Kind::begin;
  uint8_t candidate = 0;
  // Of a failure
  dialect::ErrorKind error = dialect::ErrorKind::none;
  uint8_t key = 0;              // the one that was used
  bool sent = false;            // the provider may have begun to work, and to bill
  int8_t should_retry = 0;      // x-should-retry: 1 yes, -1 no
  int64_t retry_after_ms = -1;  // -1: not given
  // Of a block
  Skip skip = Skip::none;
  Instant until;
  // Of both, and of a wait
  bool may_retry = true;  // the shard's retry budget has room
  uint64_t random = 0;    // for the jitter
};

struct Action {
  enum class Kind : uint8_t {
    attempt,  // `candidate`; `forced`: whatever its breaker says
    wait,     // until `until`, then tell `waited`
    hedge,    // beside the attempt that runs
    give_up,  // the last failure is the answer
    none,     // another attempt still runs
  };
  enum class Why : uint8_t { none, not_retryable, exhausted, attempts, time, money, retry_budget };
  Kind kind = Kind::none;
  uint8_t candidate = 0;
  bool forced = false;
  Why why = Why::none;
  Instant until;
};
std::string_view name_of(Action::Why why);

// What a chain is at, beside its candidates.
struct ChainState {
  uint8_t count_ = 0;
  uint8_t usable_ = 0;  // of them, when they were added
  uint8_t running_ = 0;
  uint8_t awaited_ = 0;  // the candidate that a wait is for
  bool waiting_ = false;
  bool hedged_ = false;
  uint32_t attempts_ = 0;
  uint32_t waits_ = 0;
  uint32_t window_min_ = 0;  // a window as large was too small
  uint32_t possibly_billed_ = 0;
  int64_t possibly_billed_nano_usd_ = 0;
};

class Chain : private ChainState {
 public:
  static constexpr size_t candidates_max = 16;
  static constexpr size_t keys_max = 16;

  // Most requests have one candidate: room for more is neither cleared nor copied.
  Chain() {}
  Chain(const Chain& other) : ChainState(other) { take(other); }
  Chain& operator=(const Chain& other) {
    static_cast<ChainState&>(*this) = other;
    take(other);
    return *this;
  }

  void reset(const Bounds& bounds) {
    static_cast<ChainState&>(*this) = {};
    bounds_ = bounds;
  }
  // Behind those that are there; one that is `closed` is only reported. False: no room.
  bool add(const Candidate& candidate);

  size_t count() const { return count_; }
  const Candidate& operator[](size_t index) const { return candidates_[index]; }
  // Candidates that were tried.
  size_t tried_count() const;
  // Whether somebody is left to go to.
  bool has_untried() const { return untried() > 0; }
  // Of all candidates; INT64_MAX where none is known.
  int64_t least_worst_nano_usd() const;
  // Until one of those that were tried is worth another try, as their providers said; -1 where one
  // of them said nothing, or none may be tried again.
  int64_t soonest_ms(Instant now) const;
  // Attempts that were begun, hedges too.
  uint32_t attempts() const { return attempts_; }
  // What attempts whose outcome is unknown may have cost at most.
  int64_t possibly_billed_nano_usd() const { return possibly_billed_nano_usd_; }
  uint32_t possibly_billed() const { return possibly_billed_; }
  bool waiting() const { return waiting_; }

  Action next(const Event& event, Instant now);
  // What `next` would say, changing nothing.
  Action peek(const Event& event, Instant now) const {
    Chain copy = *this;
    return copy.next(event, now);
  }

 private:
  void take(const Chain& other) {
    bounds_ = other.bounds_;
    for (size_t i = 0; i < count_; ++i) candidates_[i] = other.candidates_[i];
  }
  uint32_t attempts_limit() const;
  bool fits(Candidate& candidate) const;
  uint32_t untried() const;
  Action attempt(uint8_t index, bool forced);
  Action hedge();
  void take_failure(const Event& event, Instant now);
  bool has_other_key(const Candidate& candidate) const;
  Action after_failure(const Event& event, Instant now);
  Action find_next(const Event& event, Instant now);
  Action find_wait(const Event& event, Instant now, int only = -1);
  Action give_up(Action::Why why) const;

  union {
    Candidate candidates_[candidates_max];
  };
  Bounds bounds_;
};

}  // namespace hyperion::resilience
