// Whether one way to one model (a deployment with one of its keys) is worth trying.
//
//   closed ─(failures)─▶ open ─(its time is over)─▶ half open ─(a probe succeeds)─▶ closed
//                          ▲──────────────────────────┘ (it fails: twice as long)
//
// A pure state machine of some 40 bytes, one for each target of a shard, owned by Health. Opens
// after so many failures in a row, or when too large a part of a window failed; a provider that
// says when to come back (429 with Retry-After, a refused key) is taken at its word. What the
// client did wrong, and clients that leave, are never told to it. While half open one request at a
// time goes through: one that has somebody else to go to, if it fails.
#pragma once

#include <cstdint>

#include "base/clock.h"
#include "resilience/settings.h"

namespace hyperion::resilience {

class Breaker {
 public:
  enum class State : uint8_t { closed, open, half_open };
  enum class Why : uint8_t { none, failures, rate_limited, key_refused };

  State state(Instant now) const {
    if (opened_because_ == Why::none) return State::closed;
    return now < open_until_ ? State::open : State::half_open;
  }
  Why why() const { return opened_because_; }
  Instant open_until() const { return open_until_; }
  bool probing() const { return probing_; }
  uint8_t times_opened() const { return times_opened_; }

  // Takes the one place of a half open target's probe.
  void begin_probe() { probing_ = true; }
  // The probe ended without a verdict: its client left.
  void drop_probe() { probing_ = false; }

  // True: it was not closed, and is now.
  bool on_success(Instant now, const BreakerSettings& settings);
  // True: it has had enough, and is to be opened; `open` does so. Whether it may is for Health to
  // say, which sees the others.
  bool on_failure(Instant now, const BreakerSettings& settings);
  // `least_ms`: what the provider asked for; the growing time of `failures` holds beside it.
  void open(Why why, Instant now, uint64_t least_ms, const BreakerSettings& settings);
  // Another shard has seen it.
  void open_until(Why why, Instant until);
  void close();
  // It should open, but must not: counts from the beginning.
  void forgive();

 private:
  void roll(Instant now, const BreakerSettings& settings);

  Instant open_until_;
  Instant window_begin_;
  // Of the current half of the window and the one before.
  uint16_t good_[2] = {};
  uint16_t bad_[2] = {};
  uint16_t in_a_row_ = 0;
  uint8_t times_opened_ = 0;  // since it last did well
  Why opened_because_ = Why::none;
  bool probing_ = false;
};

}  // namespace hyperion::resilience
