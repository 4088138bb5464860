// Counts of values in buckets whose width grows with the value.
//
// Log-linear: values below 64 have a bucket each, every further doubling is cut into 32, so a value
// is known to 1 part in 32 (3.2 %) over the whole range up to `value_max`; larger values count in
// the last bucket. Memory is fixed (about 10 KB), recording is two additions and never fails. One
// thread records; any other may read at the same time: counters are relaxed atomics, so a reader
// sees each of them recent, not all of them of the same instant. Values have the unit of whoever
// records them, usually nanoseconds (value_max is then 73 minutes).
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace hyperion {

class Histogram {
 public:
  static constexpr int precision_bits = 5;
  static constexpr int value_bits = 42;
  static constexpr uint64_t value_max = (uint64_t{1} << value_bits) - 1;
  static constexpr size_t bucket_count =
      (size_t{2} << precision_bits) + (size_t{value_bits - precision_bits - 1} << precision_bits);

  // Both ends belong to the bucket.
  struct Bucket {
    uint64_t lowest = 0;
    uint64_t highest = 0;
    uint64_t count = 0;
  };

  Histogram() = default;
  Histogram(const Histogram&) = delete;
  Histogram& operator=(const Histogram&) = delete;

  // By the owning thread only.
  void record(uint64_t value) {
    if (value > value_max) value = value_max;
    add(counts_[index_of(value)], 1);
    add(sum_, value);
    if (value > highest_.load(std::memory_order_relaxed)) {
      highest_.store(value, std::memory_order_relaxed);
    }
  }
  // Adds what `other` holds now; `other` may be recording on its thread. By the owner of this one.
  void merge(const Histogram& other);
  // By the owning thread only.
  void clear();

  // How many values were recorded. Walks the buckets.
  uint64_t count() const;
  uint64_t sum() const { return sum_.load(std::memory_order_relaxed); }
  uint64_t highest() const { return highest_.load(std::memory_order_relaxed); }
  // The smallest bucket end that at least `fraction` (0 to 1) of the values do not exceed, and at
  // most the highest value recorded; 0 when nothing was recorded.
  uint64_t percentile(double fraction) const;
  // How many values are certainly not above `limit`: those of the buckets that end there or
  // before. For cumulative buckets ("le") of metrics; exact if `limit` is the end of a bucket.
  uint64_t count_up_to(uint64_t limit) const;

  // Calls `visit(const Bucket&)` for each bucket that holds something, in ascending order.
  template <class Visitor>
  void for_each_bucket(Visitor&& visit) const {
    for (size_t index = 0; index < bucket_count; ++index) {
      uint64_t count = counts_[index].load(std::memory_order_relaxed);
      if (count != 0) visit(Bucket{lowest_of(index), highest_of(index), count});
    }
  }

  static constexpr size_t index_of(uint64_t value) {
    constexpr uint64_t linear = uint64_t{2} << precision_bits;
    if (value < linear) return static_cast<size_t>(value);
    int shift = std::bit_width(value) - precision_bits - 1;
    return (static_cast<size_t>(shift) << precision_bits) + static_cast<size_t>(value >> shift);
  }
  static constexpr uint64_t lowest_of(size_t index) {
    constexpr size_t linear = size_t{2} << precision_bits;
    if (index < linear) return index;
    size_t shift = (index >> precision_bits) - 1;
    return (uint64_t{index} - (shift << precision_bits)) << shift;
  }
  static constexpr uint64_t highest_of(size_t index) { return lowest_of(index + 1) - 1; }

 private:
  // Only the owner writes: no locked instruction is needed.
  static void add(std::atomic<uint64_t>& counter, uint64_t amount) {
    counter.store(counter.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
  }

  std::array<std::atomic<uint64_t>, bucket_count> counts_{};
  std::atomic<uint64_t> sum_{0};
  std::atomic<uint64_t> highest_{0};
};
static_assert(Histogram::index_of(Histogram::value_max) == Histogram::bucket_count - 1);

}  // namespace hyperion
