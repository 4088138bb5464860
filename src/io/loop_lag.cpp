#include "io/loop_lag.h"

#include <algorithm>

namespace hyperion::io {

uint64_t LoopLag::longest_ns() const {
  return std::max(longest_ns_, *std::max_element(closed_ns_.begin(), closed_ns_.end()));
}

// The windows that have ended by then, all but the first without a turn.
void LoopLag::advance(Instant to) {
  const uint64_t ended = elapsed_ns(window_end_, to) / window_ns + 1;
  push(longest_ns_);
  for (uint64_t i = 1; i < std::min<uint64_t>(ended, windows); ++i) push(0);
  window_end_ = window_end_ + ended * window_ns;
  longest_ns_ = 0;
}

// A turn ends beyond the window in which it began: it is the one turn of all it spans.
void LoopLag::close(Instant at) {
  push(longest_ns_);
  window_end_ = at + window_ns;
  longest_ns_ = 0;
}

void LoopLag::push(uint64_t longest_ns) {
  closed_ns_[next_] = longest_ns;
  next_ = (next_ + 1) % windows;
  std::array<uint64_t, windows> sorted = closed_ns_;
  std::nth_element(sorted.begin(), sorted.begin() + windows / 2, sorted.end());
  median_ns_ = sorted[windows / 2];
}

}  // namespace hyperion::io
