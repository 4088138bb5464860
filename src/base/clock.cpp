#include "base/clock.h"

#include <ctime>

namespace hyperion {
namespace {

uint64_t read_ns(clockid_t id) {
  timespec time{};
  clock_gettime(id, &time);
  return static_cast<uint64_t>(time.tv_sec) * ns_per_s + static_cast<uint64_t>(time.tv_nsec);
}

}  // namespace

Instant SystemClock::precise_now() const { return {read_ns(CLOCK_MONOTONIC)}; }
uint64_t SystemClock::wall_ns() const { return read_ns(CLOCK_REALTIME); }

}  // namespace hyperion
