// All deadlines of a shard: one hierarchical timer wheel.
//
// The wait time of the ring is the only kernel timer; everything else is a Timer embedded in its
// owner. Arming, moving and cancelling are O(1). Ticks are 2^20 ns (about 1 ms): a timer fires up
// to one tick late, never early. Moving a deadline later only notes it (the slot is corrected when
// it comes up), since most deadlines move later or are cancelled. Pure: the clock is an argument.
// Callbacks may arm and cancel any timer.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/clock.h"
#include "base/intrusive_list.h"

namespace hyperion::io {

struct TimerTag {};

class Timer : public ListNode<TimerTag> {
 public:
  virtual void on_timer() = 0;
  bool armed() const { return static_cast<bool>(deadline_); }
  Instant deadline() const { return deadline_; }

 protected:
  ~Timer() = default;

 private:
  friend class TimerWheel;
  Instant deadline_;
  uint64_t slot_tick_ = 0;
};

// A Timer that calls a member function of its owner: `MemberTimer<Client, &Client::on_idle>
// idle_{this}`.
template <class Owner, void (Owner::*Function)()>
class MemberTimer final : public Timer {
 public:
  explicit MemberTimer(Owner* owner) : owner_(owner) {}
  void on_timer() override { (owner_->*Function)(); }

 private:
  Owner* owner_;
};

class TimerWheel {
 public:
  explicit TimerWheel(Instant start);

  // Fires at the first `expire` at or up to a tick after `deadline`. Re-arms if already armed.
  void arm(Timer& timer, Instant deadline);
  void cancel(Timer& timer);
  // As cancel, for a timer that is soon armed again, most likely for later than before: it keeps
  // its place in the wheel, so that nothing is moved then. `cancel` before it is destroyed.
  void stand_by(Timer& timer);

  // Runs what is due at `now`. A timer runs once in a call: armed again by a callback, even for a
  // past instant, it waits for the next call.
  void expire(Instant now);

  // When `expire` has something to do next, a lower bound (never later than the earliest deadline
  // by more than a tick); zero if nothing is armed. O(levels).
  Instant next_deadline() const;

  size_t armed_count() const { return armed_count_; }

 private:
  static constexpr int tick_shift = 20;
  static constexpr int slot_bits = 6;
  static constexpr int slots = 1 << slot_bits;
  static constexpr int levels =
      4;  // 64^4 ticks: 4.9 hours; later deadlines are re-inserted on the way
  using List = IntrusiveList<Timer, TimerTag>;

  void insert(Timer& timer, uint64_t tick);
  void run_slot(int level, int slot, Instant now);

  uint64_t current_tick_;       // every slot before it has been run
  uint64_t arm_from_tick_ = 0;  // while callbacks run: the first tick of the next call
  size_t armed_count_ = 0;
  uint64_t occupied_[levels] = {};
  List lists_[levels][slots];
};

}  // namespace hyperion::io
