// How long a loop keeps what is ready waiting: the sign that a core has more to do than it can.
//
// Pure: the reactor tells it of every turn, without a clock read of its own. The longest turn of
// each tenth of a second is kept, and the lag is the median of the last ten: what holds for half a
// second raises it, and one long turn (a reload, a process that took the core away) does not. A
// tenth in which the loop only waited counts as no lag. A few instructions a turn, one sort of ten
// numbers a tenth of a second.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/clock.h"

namespace hyperion::io {

class LoopLag {
 public:
  static constexpr uint64_t window_ns = 100 * ns_per_ms;
  static constexpr size_t windows = 10;

  // A turn whose work began at `begin` and was done at `end`. What found no place in the turn
  // waits longer: `behind` of it where the turn did `done`.
  void record(Instant begin, Instant end, uint64_t done = 0, uint64_t behind = 0) {
    uint64_t lag_ns = elapsed_ns(begin, end);
    if (behind != 0) lag_ns += lag_ns * behind / (done != 0 ? done : 1);
    if (begin >= window_end_) advance(begin);
    if (lag_ns > longest_ns_) longest_ns_ = lag_ns;
    if (end >= window_end_) close(end);
  }

  // As of the window that ended last.
  uint64_t median_ns() const { return median_ns_; }
  // The longest of the last second.
  uint64_t longest_ns() const;

 private:
  void advance(Instant to);
  void close(Instant at);
  void push(uint64_t longest_ns);

  Instant window_end_;
  uint64_t longest_ns_ = 0;  // of the window that goes on
  uint64_t median_ns_ = 0;
  std::array<uint64_t, windows> closed_ns_{};
  size_t next_ = 0;
};

}  // namespace hyperion::io
