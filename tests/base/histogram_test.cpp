#include "base/histogram.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "base/random.h"

namespace hyperion {
namespace {

TEST_CASE("histogram: buckets cover every value once, in order, within 1 part in 32") {
  uint64_t expected = 0;
  for (size_t index = 0; index < Histogram::bucket_count; ++index) {
    uint64_t lowest = Histogram::lowest_of(index);
    uint64_t highest = Histogram::highest_of(index);
    CHECK(lowest == expected);
    CHECK(highest >= lowest);
    CHECK(Histogram::index_of(lowest) == index);
    CHECK(Histogram::index_of(highest) == index);
    CHECK((highest - lowest) * 32 <= std::max<uint64_t>(lowest, 32));
    expected = highest + 1;
  }
  CHECK(expected == Histogram::value_max + 1);
}

TEST_CASE("histogram: percentiles agree with a sorted list to the width of a bucket") {
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    Random random(seed);
    auto histogram = std::make_unique<Histogram>();
    std::vector<uint64_t> values;
    uint64_t sum = 0;
    size_t count = 1 + random.below(3000);
    for (size_t i = 0; i < count; ++i) {
      uint64_t value = random.next() >> (22 + random.below(42));
      values.push_back(value);
      sum += value;
      histogram->record(value);
    }
    std::sort(values.begin(), values.end());
    CHECK(histogram->count() == count);
    CHECK(histogram->sum() == sum);
    CHECK(histogram->highest() == values.back());
    for (double fraction : {0.0, 0.01, 0.5, 0.9, 0.99, 0.999, 1.0}) {
      auto rank = static_cast<size_t>(std::ceil(fraction * static_cast<double>(count)));
      uint64_t exact = values[std::max<size_t>(rank, 1) - 1];
      uint64_t reported = histogram->percentile(fraction);
      CHECK(reported >= exact);
      CHECK(reported - exact <= exact / 32);
    }
  }
}

TEST_CASE("histogram: an empty one reports zero, a huge value counts in the last bucket") {
  auto histogram = std::make_unique<Histogram>();
  CHECK(histogram->percentile(0.5) == 0);
  CHECK(histogram->count() == 0);
  histogram->record(UINT64_MAX);
  CHECK(histogram->count() == 1);
  CHECK(histogram->percentile(1.0) == Histogram::value_max);
  histogram->clear();
  CHECK(histogram->count() == 0);
  CHECK(histogram->highest() == 0);
}

TEST_CASE("histogram: merging equals recording everything in one") {
  auto first = std::make_unique<Histogram>();
  auto second = std::make_unique<Histogram>();
  auto both = std::make_unique<Histogram>();
  Random random(7);
  for (int i = 0; i < 2000; ++i) {
    uint64_t value = random.below(uint64_t{1} << (1 + random.below(40)));
    (i % 3 == 0 ? first : second)->record(value);
    both->record(value);
  }
  first->merge(*second);
  CHECK(first->count() == both->count());
  CHECK(first->sum() == both->sum());
  for (double fraction : {0.1, 0.5, 0.99, 1.0}) {
    CHECK(first->percentile(fraction) == both->percentile(fraction));
  }
}

TEST_CASE("histogram: buckets are visited in ascending order and add up") {
  auto histogram = std::make_unique<Histogram>();
  for (uint64_t value : {5u, 5u, 100u, 100'000u}) histogram->record(value);
  std::vector<Histogram::Bucket> buckets;
  histogram->for_each_bucket([&](const Histogram::Bucket& bucket) { buckets.push_back(bucket); });
  REQUIRE(buckets.size() == 3);
  CHECK(buckets[0].lowest == 5);
  CHECK(buckets[0].highest == 5);
  CHECK(buckets[0].count == 2);
  CHECK(buckets[1].lowest <= 100);
  CHECK(buckets[1].highest >= 100);
  CHECK(buckets[2].lowest > buckets[1].highest);
  CHECK(histogram->count_up_to(4) == 0);
  CHECK(histogram->count_up_to(5) == 2);
  CHECK(histogram->count_up_to(buckets[1].highest) == 3);
  CHECK(histogram->count_up_to(UINT64_MAX) == 4);
}

TEST_CASE("histogram: another thread may read while the owner records") {
  auto histogram = std::make_unique<Histogram>();
  constexpr uint64_t count = 200'000;
  std::thread owner([&] {
    for (uint64_t i = 0; i < count; ++i) histogram->record(i);
  });
  uint64_t before = 0;
  while (before < count) {
    uint64_t now = histogram->count();
    CHECK(now >= before);
    CHECK(histogram->percentile(0.5) < count);
    auto copy = std::make_unique<Histogram>();
    copy->merge(*histogram);
    CHECK(copy->count() >= now);
    before = now;
  }
  owner.join();
  CHECK(histogram->count() == count);
}

}  // namespace
}  // namespace hyperion
