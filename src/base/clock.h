// Time as an argument.
//
// The pure code never reads a clock: it is given an Instant. The reactor reads the monotonic clock
// once a turn and the wall clock when a log line is written; the simulator sets both. Durations are
// plain integers whose names end in their unit.
#pragma once

#include <compare>
#include <cstdint>

namespace hyperion {

inline constexpr uint64_t ns_per_us = 1'000;
inline constexpr uint64_t ns_per_ms = 1'000'000;
inline constexpr uint64_t ns_per_s = 1'000'000'000;

// A point on the monotonic clock. Zero means "not yet".
struct Instant {
  uint64_t ns = 0;
  constexpr auto operator<=>(const Instant&) const = default;
  constexpr explicit operator bool() const { return ns != 0; }
};

constexpr Instant operator+(Instant at, uint64_t ns) { return {at.ns + ns}; }
// Never negative: an earlier `until` gives zero.
constexpr uint64_t elapsed_ns(Instant from, Instant until) {
  return until.ns > from.ns ? until.ns - from.ns : 0;
}

// What a shard tells the time by. `now` is the instant of the current turn, cheap; `precise_now`
// reads the clock (about 25 ns by vDSO); `wall_ns` is nanoseconds since 1970 UTC.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant now() const = 0;
  virtual Instant precise_now() const = 0;
  virtual uint64_t wall_ns() const = 0;
};

// The machine's clocks. `now` is what the last `refresh` read.
class SystemClock final : public Clock {
 public:
  SystemClock() { refresh(); }
  void refresh() { now_ = precise_now(); }
  Instant now() const override { return now_; }
  Instant precise_now() const override;
  uint64_t wall_ns() const override;

 private:
  Instant now_;
};

}  // namespace hyperion
