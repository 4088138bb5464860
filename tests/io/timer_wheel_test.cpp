#include "io/timer_wheel.h"

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <vector>

#include <doctest/doctest.h>

#include "base/random.h"

namespace hyperion::io {
namespace {

constexpr uint64_t tick_ns = uint64_t{1} << 20;
constexpr uint64_t hour_ns = 3600 * ns_per_s;

uint64_t tick_of(Instant at) { return at.ns / tick_ns; }
// The tick at which a timer must have fired: the first that does not begin before the deadline.
uint64_t last_tick_of(Instant deadline) { return (deadline.ns + tick_ns - 1) / tick_ns; }

// A wheel beside the plainest thing that could hold timers, driven by one seed.
class World {
 public:
  explicit World(uint64_t seed)
      : random_(seed), now_{1 + random_.below(100 * hour_ns)}, wheel_(now_) {
    for (size_t i = 0; i < timer_count; ++i) timers_[i] = std::make_unique<ModelTimer>(this, i);
  }
  ~World() {
    for (auto& timer : timers_) wheel_.cancel(*timer);
  }

  void step() {
    switch (random_.below(4)) {
      case 0: arm_random(); break;
      case 1: cancel_random(); break;
      default: expire(advance()); break;
    }
    check_bound();
  }

  // Follows `next_deadline` until every timer has fired.
  void run_out() {
    calm_ = true;
    size_t calls = 0;
    while (wheel_.armed_count() > 0) {
      Instant next = wheel_.next_deadline();
      REQUIRE(next > now_);
      expire(next);
      check_bound();
      // A timer moves down once a level, and once for each 4.9 hours of the wheel's reach.
      REQUIRE(++calls < timer_count * 60);
    }
  }

  size_t fired_count = 0;

 private:
  static constexpr size_t timer_count = 40;

  class ModelTimer final : public Timer {
   public:
    ModelTimer(World* world, size_t index) : world_(world), index_(index) {}
    void on_timer() override { world_->on_fired(index_); }

   private:
    World* world_;
    size_t index_;
  };

  Instant random_deadline() {
    // From the past to days ahead, each magnitude as likely.
    uint64_t distance = random_.below(uint64_t{1} << (1 + random_.below(48)));
    if (random_.chance(1, 10)) return {now_.ns - std::min(now_.ns - 1, distance)};
    return now_ + distance;
  }

  void arm_random() {
    size_t index = random_.below(timer_count);
    Instant deadline = random_deadline();
    wheel_.arm(*timers_[index], deadline);
    model_[index] = deadline;
    // This tick is over, or its call is running: not before the next.
    not_before_tick_[index] = tick_of(now_) + 1;
  }

  void cancel_random() {
    size_t index = random_.below(timer_count);
    random_.chance(1, 2) ? wheel_.cancel(*timers_[index]) : wheel_.stand_by(*timers_[index]);
    model_[index] = {};
  }

  Instant advance() {
    if (random_.chance(1, 3)) {
      Instant next = wheel_.next_deadline();
      if (next) return next;
    }
    uint64_t largest = random_.chance(1, 20) ? 43 : 24;
    return now_ + random_.below(uint64_t{1} << (1 + random_.below(largest)));
  }

  void expire(Instant now) {
    now_ = std::max(now, now_);
    fired_in_call_ = {};
    wheel_.expire(now_);
    for (size_t i = 0; i < timer_count; ++i) {
      if (!model_[i]) continue;
      uint64_t due = std::max(last_tick_of(model_[i]), not_before_tick_[i]);
      REQUIRE(due > tick_of(now_));  // else it should have fired
    }
  }

  void on_fired(size_t index) {
    ++fired_count;
    REQUIRE(static_cast<bool>(model_[index]));
    REQUIRE(model_[index] <= now_);
    REQUIRE_FALSE(fired_in_call_[index]);
    fired_in_call_[index] = true;
    REQUIRE_FALSE(timers_[index]->armed());
    model_[index] = {};
    if (calm_) return;
    for (uint64_t i = random_.below(3); i > 0; --i) arm_random();
    if (random_.chance(1, 4)) cancel_random();
    if (random_.chance(1, 4)) {
      wheel_.arm(*timers_[index], now_);
      model_[index] = now_;
      not_before_tick_[index] = tick_of(now_) + 1;
    }
  }

  void check_bound() {
    Instant earliest;
    size_t armed = 0;
    for (size_t i = 0; i < timer_count; ++i) {
      REQUIRE(timers_[i]->armed() == static_cast<bool>(model_[i]));
      REQUIRE(timers_[i]->deadline() == model_[i]);
      if (!model_[i]) continue;
      ++armed;
      Instant due = std::max(model_[i], Instant{not_before_tick_[i] * tick_ns});
      if (!earliest || due < earliest) earliest = due;
    }
    REQUIRE(wheel_.armed_count() == armed);
    Instant next = wheel_.next_deadline();
    REQUIRE(static_cast<bool>(next) == (armed > 0));
    if (armed > 0) REQUIRE(next.ns <= std::max(earliest.ns, now_.ns) + tick_ns);
  }

  Random random_;
  Instant now_;
  TimerWheel wheel_;
  std::array<std::unique_ptr<ModelTimer>, timer_count> timers_;
  std::array<Instant, timer_count> model_{};
  std::array<uint64_t, timer_count> not_before_tick_{};
  std::array<bool, timer_count> fired_in_call_{};
  bool calm_ = false;
};

TEST_CASE("timer wheel: agrees with a plain list of deadlines for many seeds") {
  size_t fired = 0;
  for (uint64_t seed = 1; seed <= 80; ++seed) {
    INFO("seed ", seed);
    World world(seed);
    for (int i = 0; i < 400; ++i) world.step();
    world.run_out();
    fired += world.fired_count;
  }
  CHECK(fired > 5'000);
}

struct CountingTimer final : Timer {
  void on_timer() override {
    ++fired;
    if (then) then();
  }
  int fired = 0;
  std::function<void()> then;
};

TEST_CASE("timer wheel: a timer never fires early and at most a tick late") {
  for (uint64_t offset : {uint64_t{0}, uint64_t{1}, tick_ns - 1, tick_ns, 100 * tick_ns + 5}) {
    Instant start{12'345'678'901};
    TimerWheel wheel(start);
    CountingTimer timer;
    Instant deadline = start + 5 * tick_ns + offset;
    wheel.arm(timer, deadline);
    wheel.expire({deadline.ns - 1});
    CHECK(timer.fired == 0);
    wheel.expire(deadline + tick_ns);
    CHECK(timer.fired == 1);
    CHECK_FALSE(timer.armed());
  }
}

TEST_CASE("timer wheel: following next_deadline to a far timer takes a handful of calls") {
  for (uint64_t distance : {ns_per_ms, 100 * ns_per_ms, 10 * ns_per_s, hour_ns, 24 * hour_ns}) {
    Instant now{987'654'321'000};
    TimerWheel wheel(now);
    wheel.expire(now);
    CountingTimer timer;
    wheel.arm(timer, now + distance);
    size_t calls = 0;
    while (timer.fired == 0) {
      Instant next = wheel.next_deadline();
      REQUIRE(next > now);
      REQUIRE(next.ns <= timer.deadline().ns + tick_ns);
      now = next;
      wheel.expire(now);
      ++calls;
    }
    CHECK(calls <= 4 + distance / (4 * hour_ns));
  }
}

TEST_CASE("timer wheel: a callback that arms its timer for now again does not hold the call up") {
  Instant now{5 * hour_ns};
  TimerWheel wheel(now);
  CountingTimer timer;
  timer.then = [&] { wheel.arm(timer, now); };
  wheel.arm(timer, now);
  now = now + hour_ns;
  wheel.expire(now);
  CHECK(timer.fired == 1);
  now = now + tick_ns;
  wheel.expire(now);
  CHECK(timer.fired == 2);
  wheel.cancel(timer);
}

TEST_CASE("timer wheel: a deadline that keeps moving later costs a wake-up now and then") {
  Instant now{hour_ns};
  TimerWheel wheel(now);
  CountingTimer timer;
  size_t calls = 0;
  // An idle timer of a minute, moved on every millisecond for ten minutes.
  for (uint64_t i = 0; i < 600'000; ++i) {
    now = now + ns_per_ms;
    wheel.arm(timer, now + 60 * ns_per_s);
    if (wheel.next_deadline() > now) continue;
    wheel.expire(now);
    ++calls;
  }
  CHECK(timer.fired == 0);
  CHECK(calls < 100);
  wheel.cancel(timer);
  CHECK_FALSE(wheel.next_deadline());
}

}  // namespace
}  // namespace hyperion::io
