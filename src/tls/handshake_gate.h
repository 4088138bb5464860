// At most a few handshakes a turn, so that open connections go first.
//
// The expensive part of a handshake (signature, key exchange, verification: 0.15 to 0.8 ms) happens
// in one piece when the peer's first flight arrives. A burst of new connections would hold up every
// open stream of the shard for as long. Each TlsStream asks here once, when that flight is in its
// hands: it goes ahead, or waits for a later turn in order of arrival (uSockets has the same rule).
// One gate a shard; it must outlive the streams of the shard. Nothing fails, nothing is allocated.
#pragma once

#include <cstddef>

#include "base/clock.h"
#include "base/intrusive_list.h"
#include "io/timer_wheel.h"

namespace hyperion::tls {

struct HandshakeGateTag {};

class HandshakeGate final : private io::Timer {
 public:
  static constexpr size_t handshakes_per_turn_max = 5;

  // Embedded in the stream that waits. Leaves the queue by `unlink`.
  class Waiter : public ListNode<HandshakeGateTag> {
   public:
    virtual void on_admitted() = 0;

   protected:
    ~Waiter() = default;
  };

  HandshakeGate(const Clock& clock, io::TimerWheel& timers) : clock_(clock), timers_(timers) {}
  HandshakeGate(const HandshakeGate&) = delete;
  HandshakeGate& operator=(const HandshakeGate&) = delete;
  ~HandshakeGate() { timers_.cancel(*this); }

  // True: go ahead now. False: `waiter` is queued, its `on_admitted` comes in a later turn from the
  // timer wheel.
  bool admit(Waiter* waiter) {
    begin_turn();
    if (waiters_.empty() && admitted_this_turn_ < handshakes_per_turn_max) {
      ++admitted_this_turn_;
      return true;
    }
    waiters_.push_back(waiter);
    if (!armed()) timers_.arm(*this, clock_.now() + 1);
    return false;
  }

  size_t waiting() const { return waiters_.count(); }

 private:
  void begin_turn() {
    // The clock stands still within a turn.
    if (clock_.now() == turn_) return;
    turn_ = clock_.now();
    admitted_this_turn_ = 0;
  }

  void on_timer() override {
    begin_turn();
    while (admitted_this_turn_ < handshakes_per_turn_max) {
      Waiter* waiter = waiters_.pop_front();
      if (waiter == nullptr) return;
      ++admitted_this_turn_;
      waiter->on_admitted();
    }
    if (!waiters_.empty()) timers_.arm(*this, clock_.now() + 1);
  }

  const Clock& clock_;
  io::TimerWheel& timers_;
  Instant turn_;
  size_t admitted_this_turn_ = 0;
  IntrusiveList<Waiter, HandshakeGateTag> waiters_;
};

}  // namespace hyperion::tls
