#include "base/histogram.h"

#include <algorithm>
#include <cmath>

namespace hyperion {

void Histogram::merge(const Histogram& other) {
  for (size_t index = 0; index < bucket_count; ++index) {
    uint64_t count = other.counts_[index].load(std::memory_order_relaxed);
    if (count != 0) add(counts_[index], count);
  }
  add(sum_, other.sum());
  highest_.store(std::max(highest(), other.highest()), std::memory_order_relaxed);
}

void Histogram::clear() {
  for (std::atomic<uint64_t>& counter : counts_) counter.store(0, std::memory_order_relaxed);
  sum_.store(0, std::memory_order_relaxed);
  highest_.store(0, std::memory_order_relaxed);
}

uint64_t Histogram::count() const {
  uint64_t total = 0;
  for (const std::atomic<uint64_t>& counter : counts_) {
    total += counter.load(std::memory_order_relaxed);
  }
  return total;
}

uint64_t Histogram::percentile(double fraction) const {
  uint64_t total = count();
  if (total == 0) return 0;
  double wanted = std::ceil(std::clamp(fraction, 0.0, 1.0) * static_cast<double>(total));
  uint64_t rank = std::max<uint64_t>(1, static_cast<uint64_t>(wanted));
  uint64_t passed = 0;
  size_t index = 0;
  for (; index < bucket_count - 1; ++index) {
    passed += counts_[index].load(std::memory_order_relaxed);
    if (passed >= rank) break;
  }
  return std::min(highest_of(index), highest());
}

uint64_t Histogram::count_up_to(uint64_t limit) const {
  uint64_t total = 0;
  for (size_t index = 0; index < bucket_count && highest_of(index) <= limit; ++index) {
    total += counts_[index].load(std::memory_order_relaxed);
  }
  return total;
}

}  // namespace hyperion
