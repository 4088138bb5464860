#include "base/slab.h"

#include <set>
#include <vector>

#include <doctest/doctest.h>

namespace hyperion {
namespace {

struct Counted {
  explicit Counted(int* alive_count, int number) : alive(alive_count), value(number) { ++*alive; }
  ~Counted() { --*alive; }
  int* alive;
  int value;
};

TEST_CASE("slab: creates up to its capacity, then nullptr, and again after a destroy") {
  int alive = 0;
  Slab<Counted> slab(100, 8);
  std::vector<Counted*> objects;
  for (int i = 0; i < 100; ++i) {
    objects.push_back(slab.create(&alive, i));
    REQUIRE(objects.back() != nullptr);
  }
  CHECK(slab.create(&alive, 100) == nullptr);
  CHECK(alive == 100);
  CHECK(slab.in_use() == 100);
  CHECK(std::set<Counted*>(objects.begin(), objects.end()).size() == 100);
  for (int i = 0; i < 100; ++i) CHECK(objects[static_cast<size_t>(i)]->value == i);
  slab.destroy(objects[42]);
  CHECK(alive == 99);
  objects[42] = slab.create(&alive, 142);
  REQUIRE(objects[42] != nullptr);
  CHECK(slab.create(&alive, 143) == nullptr);
  for (Counted* object : objects) slab.destroy(object);
  CHECK(alive == 0);
  CHECK(slab.in_use() == 0);
}

TEST_CASE("slab: slots are reused, memory does not grow with the number of lives") {
  int alive = 0;
  Slab<Counted> slab(16, 4);
  std::set<Counted*> places;
  for (int i = 0; i < 1000; ++i) {
    Counted* first = slab.create(&alive, i);
    Counted* second = slab.create(&alive, i);
    places.insert(first);
    places.insert(second);
    slab.destroy(first);
    slab.destroy(second);
  }
  CHECK(places.size() <= 4);
}

TEST_CASE("slab: keeps the alignment of its objects") {
  struct alignas(64) Wide {
    char bytes[100];
  };
  Slab<Wide> slab(10, 3);
  std::vector<Wide*> objects;
  for (int i = 0; i < 10; ++i) {
    objects.push_back(slab.create());
    CHECK(reinterpret_cast<uintptr_t>(objects.back()) % 64 == 0);
  }
  for (Wide* object : objects) slab.destroy(object);
}

}  // namespace
}  // namespace hyperion
