#include "resilience/key_slots.h"

#include <thread>
#include <vector>

#include <doctest/doctest.h>

namespace hyperion::resilience {
namespace {

TEST_CASE("a key has no more requests in flight than its limit, and one refused leaves no trace") {
  KeySlots slots;
  CHECK(slots.take(2));
  CHECK(slots.take(2));
  CHECK_FALSE(slots.take(2));
  CHECK_FALSE(slots.take(2));
  CHECK(slots.in_flight() == 2);
  slots.give_back();
  CHECK(slots.take(2));
  CHECK_FALSE(slots.take(2));
}

TEST_CASE("a place is given back once, by release or at the end of its life") {
  KeySlots slots;
  uint64_t shard_requests = 0;
  {
    Place first, second, third;
    for (Place* place : {&first, &second, &third}) place->enter(shard_requests);
    CHECK(shard_requests == 3);
    CHECK(first.take(slots, 2));
    CHECK(second.take(slots, 2));
    CHECK_FALSE(third.take(slots, 2));
    first.release();
    first.release();
    CHECK(slots.in_flight() == 1);
    CHECK(shard_requests == 2);
    // And may be taken again.
    CHECK(first.take(slots, 2));
  }
  CHECK(slots.in_flight() == 0);
  CHECK(shard_requests == 0);
}

TEST_CASE("shards that take and give back at once never exceed the limit and lose no count") {
  constexpr uint32_t limit = 3;
  constexpr int rounds = 20'000;
  KeySlots slots;
  std::atomic<uint32_t> inside{0}, inside_max{0}, taken{0};
  std::vector<std::thread> shards;
  for (int i = 0; i < 4; ++i) {
    shards.emplace_back([&] {
      for (int round = 0; round < rounds; ++round) {
        Place first, second;
        uint32_t held = 0;
        for (Place* place : {&first, &second}) {
          if (!place->take(slots, limit)) continue;
          ++taken;
          ++held;
          const uint32_t now = ++inside;
          uint32_t seen = inside_max;
          while (seen < now && !inside_max.compare_exchange_weak(seen, now)) {
          }
        }
        inside -= held;
      }
    });
  }
  for (std::thread& shard : shards) shard.join();
  CHECK(inside_max <= limit);
  CHECK(taken > 0);
  CHECK(slots.in_flight() == 0);
}

TEST_CASE("a key's state is the same for every snapshot that knows it") {
  KeySlotsRegistry registry;
  std::shared_ptr<KeySlots> before = registry.get("a");
  CHECK(before->take(1));
  // The reload lowers nothing and forgets nothing.
  std::shared_ptr<KeySlots> after = registry.get("a");
  CHECK(after == before);
  CHECK_FALSE(after->take(1));
  CHECK(after->take(2));
  CHECK(registry.get("b") != after);
  CHECK(registry.in_flight() == 2);
}

TEST_CASE("a state that a request still holds is found again when its key comes back") {
  KeySlotsRegistry registry;
  std::shared_ptr<KeySlots> held_by_old_snapshot = registry.get("a");
  CHECK(held_by_old_snapshot->take(1));
  registry.forget_unused();
  CHECK(registry.get("a") == held_by_old_snapshot);
  held_by_old_snapshot.reset();
  registry.forget_unused();
  CHECK(registry.size() == 0);
  CHECK(registry.get("a")->in_flight() == 0);
}

}  // namespace
}  // namespace hyperion::resilience
