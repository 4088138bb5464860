// Whether a shard takes on another request, and what it does when it is nearly full.
//
// Pure. The gateway tells it what is used of five things that run out; each has three thresholds
// (Envoy's scheme), and the highest that any of them has reached is the level:
//
//   calm       everybody is served
//   busy       requests of low priority are refused
//   strained   and those of normal priority; what is between here and full is reserved for high
//   full       and those of high priority
//
// Full of anything but requests means that even new connections are too much: those already there
// are then served first. (Full of requests does not: to refuse costs little and tells more.)
// A level is left only some way below where it began, so that it does not flap. Looking costs a
// comparison or two for each thing, so it is done for every request, before its body is read; what
// is refused costs no more than its head and the answer. Cannot fail, reads no clock.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/random.h"

namespace hyperion::resilience {

// Of a key, and so of its requests: who is refused first.
enum class Priority : uint8_t { low, normal, high };
inline constexpr size_t priority_count = 3;

// [admission]
struct AdmissionSettings {
  uint32_t requests_per_shard_max = 0;  // in flight; 0: as many as there are connections
  // How long what is ready may wait for its turn; 0: it is not looked at. The thresholds below are
  // shares of it: at the default low priority is refused from 80 ms on.
  uint32_t loop_lag_max_ms = 100;
  // Of each thing, as Envoy's overload manager has it for its heap.
  uint32_t shed_low_at_percent = 80;
  uint32_t refuse_at_percent = 90;
  uint32_t stop_accept_at_percent = 95;
  uint32_t hysteresis_percent = 5;  // a level is left so many points below where it begins
  // What a refused client is told, in seconds chosen at random: they must not all come back at
  // once.
  uint32_t retry_after_min_s = 1;
  uint32_t retry_after_max_s = 5;
};

// What runs out.
enum class Resource : uint8_t { requests, blocks, bodies, loop_lag, descriptors };
inline constexpr size_t resource_count = 5;
using Amounts = std::array<uint64_t, resource_count>;

enum class Level : uint8_t { calm, busy, strained, full };
inline constexpr size_t level_count = 4;

std::string_view name_of(Priority priority);

class Admission {
 public:
  // `capacities`: how much there is of each thing; 0: it is not looked at. What has been reached is
  // judged anew.
  void configure(const AdmissionSettings& settings, const Amounts& capacities);

  // Takes note of what is used now.
  Level look(const Amounts& used) {
    size_t highest = 0;
    for (size_t i = 0; i < resource_count; ++i) {
      Gauge& gauge = gauges_[i];
      if (used[i] >= gauge.raise_at || gauge.level != 0) move(gauge, used[i]);
      if (gauge.level > highest) highest = gauge.level;
    }
    level_ = static_cast<Level>(highest);
    return level_;
  }

  Level level() const { return level_; }
  bool admits(Priority priority) const {
    return static_cast<size_t>(level_) <= static_cast<size_t>(priority);
  }
  // The first of those things that have brought the level about.
  Resource scarcest() const;
  bool stops_accepting() const;

  // For a Retry-After header.
  uint32_t retry_after_s(Random& random) const;

 private:
  struct Gauge {
    uint64_t raise_at = UINT64_MAX;  // the next level, from this on
    size_t level = 0;
    std::array<uint64_t, level_count - 1> begin_at{};  // of each level above calm
    std::array<uint64_t, level_count - 1> end_below{};
  };

  static void move(Gauge& gauge, uint64_t used);

  AdmissionSettings settings_;
  std::array<Gauge, resource_count> gauges_{};
  Level level_ = Level::calm;
};

}  // namespace hyperion::resilience
