#include "base/random.h"

#include <vector>

#include <doctest/doctest.h>

namespace hyperion {
namespace {

TEST_CASE("random: a seed gives the same numbers for ever") {
  // xoshiro256** with the state splitmix64 makes of seed 42; computed with the authors' C code.
  Random random(42);
  const uint64_t expected[] = {0x15780b2e0c2ec716u, 0x6104d9866d113a7eu, 0xae17533239e499a1u,
                               0xecb8ad4703b360a1u};
  for (uint64_t number : expected) CHECK(random.next() == number);
}

TEST_CASE("random: seeds differ from their neighbours") {
  for (uint64_t seed = 0; seed < 100; ++seed) {
    CHECK(Random(seed).next() != Random(seed + 1).next());
  }
}

TEST_CASE("random: below stays below and reaches every value") {
  Random random(5);
  CHECK(random.below(0) == 0);
  CHECK(random.below(1) == 0);
  std::vector<int> seen(10);
  for (int i = 0; i < 10'000; ++i) ++seen[random.below(10)];
  for (int count : seen) {
    CHECK(count > 850);
    CHECK(count < 1150);
  }
}

TEST_CASE("random: chance is as likely as it says") {
  Random random(6);
  int hits = 0;
  for (int i = 0; i < 10'000; ++i) hits += random.chance(1, 4) ? 1 : 0;
  CHECK(hits > 2300);
  CHECK(hits < 2700);
  CHECK_FALSE(random.chance(0, 4));
  CHECK(random.chance(4, 4));
}

}  // namespace
}  // namespace hyperion
