#include "base/block_pool.h"

#include <vector>

#include <doctest/doctest.h>

namespace hyperion {
namespace {

TEST_CASE("block pool: hands out distinct, empty blocks up to its cap, then nullptr") {
  BlockPool pool(3);
  std::vector<Block*> taken;
  for (int i = 0; i < 3; ++i) {
    Block* block = pool.take();
    REQUIRE(block != nullptr);
    CHECK(block->begin == 0);
    CHECK(block->end == 0);
    CHECK(block->next == nullptr);
    for (Block* other : taken) CHECK(other != block);
    taken.push_back(block);
    block->begin = block->end = 77;
  }
  CHECK(pool.take() == nullptr);
  CHECK(pool.in_use() == 3);
  pool.give_back(taken.back());
  taken.pop_back();
  CHECK(pool.in_use() == 2);
  Block* again = pool.take();
  REQUIRE(again != nullptr);
  CHECK(again->begin == 0);
  CHECK(again->end == 0);
  taken.push_back(again);
  for (Block* block : taken) pool.give_back(block);
  CHECK(pool.in_use() == 0);
}

TEST_CASE("block pool: keeps some freed blocks for the next taker and frees the rest") {
  // What is kept is seen by its address; what leaks is seen by the leak check of a sanitized run.
  BlockPool pool(8, 1);
  Block* first = pool.take();
  Block* second = pool.take();
  pool.give_back(first);
  pool.give_back(second);
  Block* third = pool.take();
  CHECK(third == first);
  pool.give_back(third);
}

}  // namespace
}  // namespace hyperion
