#include "io/loop_lag.h"

#include <doctest/doctest.h>

using namespace hyperion;
using io::LoopLag;

namespace {

// A loop that works for so long and then waits for so long, for a while.
Instant run(LoopLag& lag, Instant from, uint64_t work_ns, uint64_t wait_ns, uint64_t for_ns) {
  const Instant until = from + for_ns;
  while (from < until) {
    lag.record(from, from + work_ns);
    from = from + work_ns + wait_ns;
  }
  return from;
}

constexpr Instant start{5 * ns_per_s};

}  // namespace

TEST_CASE("the lag is that of a usual turn, once half a second was like that") {
  LoopLag lag;
  CHECK(lag.median_ns() == 0);
  Instant now = run(lag, start, 30 * ns_per_ms, ns_per_ms, 400 * ns_per_ms);
  CHECK(lag.median_ns() < ns_per_ms);
  now = run(lag, now, 30 * ns_per_ms, ns_per_ms, 400 * ns_per_ms);
  CHECK(lag.median_ns() == 30 * ns_per_ms);
  // And as long to forget it.
  now = run(lag, now, ns_per_us, ns_per_ms, 400 * ns_per_ms);
  CHECK(lag.median_ns() == 30 * ns_per_ms);
  run(lag, now, ns_per_us, ns_per_ms, 500 * ns_per_ms);
  CHECK(lag.median_ns() == ns_per_us);
}

TEST_CASE("one long turn, however long, is no lag") {
  LoopLag lag;
  Instant now = run(lag, start, 100 * ns_per_us, ns_per_ms, 2 * ns_per_s);
  for (uint64_t ms : {50, 500, 5000}) {
    lag.record(now, now + ms * ns_per_ms);
    now = run(lag, now + ms * ns_per_ms, 100 * ns_per_us, ns_per_ms, ns_per_s / 2);
    CHECK(lag.median_ns() == 100 * ns_per_us);
    CHECK(lag.longest_ns() == ms * ns_per_ms);
    now = run(lag, now, 100 * ns_per_us, ns_per_ms, ns_per_s);
    CHECK(lag.longest_ns() == 100 * ns_per_us);
  }
}

TEST_CASE("turns longer than a window count for one each") {
  LoopLag lag;
  run(lag, start, 250 * ns_per_ms, 0, 4 * 250 * ns_per_ms);
  CHECK(lag.median_ns() == 0);
  run(lag, start + ns_per_s, 250 * ns_per_ms, 0, 250 * ns_per_ms);
  CHECK(lag.median_ns() == 250 * ns_per_ms);
}

TEST_CASE("a loop that waits has no lag") {
  LoopLag lag;
  Instant now = run(lag, start, 90 * ns_per_ms, 0, 2 * ns_per_s);
  CHECK(lag.median_ns() == 90 * ns_per_ms);
  // One turn, after a second of silence, tells that there was nothing to do.
  now = now + ns_per_s;
  lag.record(now, now + ns_per_us);
  CHECK(lag.median_ns() == 0);
  CHECK(lag.longest_ns() <= 90 * ns_per_ms);
  now = now + ns_per_s;
  lag.record(now, now + ns_per_us);
  CHECK(lag.longest_ns() == ns_per_us);
}

TEST_CASE("what is left to the next turns waits as much longer") {
  LoopLag lag;
  for (uint64_t i = 0; i < 12; ++i) {
    const Instant at = start + i * LoopLag::window_ns;
    lag.record(at, at + 10 * ns_per_ms, 1024, 3 * 1024);
  }
  CHECK(lag.median_ns() == 40 * ns_per_ms);
}
