// The load tool's clock and its view of other processes' CPU time.
//
// Every instant in this tool is CLOCK_MONOTONIC in nanoseconds, read in one process, so that an
// upstream's send time and a client's receive time can be subtracted without any error of
// synchronisation. The CPU time of a watched process is its kernel CPU clock: all of its threads,
// the kernel's own workers for it included, to the nanosecond. Nothing here can fail but watching
// a process that has ended, which reads as zero and is reported by the caller.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <ctime>
#include <vector>

namespace hyperion::bench {

constexpr int64_t nanoseconds_per_second = 1'000'000'000;
constexpr int64_t nanoseconds_per_millisecond = 1'000'000;

inline int64_t now_ns() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * nanoseconds_per_second + time.tv_nsec;
}

// CPU time in nanoseconds that these processes have used together, since they began.
inline int64_t cpu_time_ns(const std::vector<pid_t>& processes) {
  int64_t total = 0;
  for (const pid_t process : processes) {
    clockid_t clock{};
    timespec time{};
    if (clock_getcpuclockid(process, &clock) != 0) continue;
    if (clock_gettime(clock, &time) != 0) continue;
    total += time.tv_sec * nanoseconds_per_second + time.tv_nsec;
  }
  return total;
}

}  // namespace hyperion::bench
