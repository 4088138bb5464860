#include "base/byte_buffer.h"

#include <cstring>
#include <string>

#include <doctest/doctest.h>

#include "base/random.h"

namespace hyperion {
namespace {

TEST_CASE("byte buffer: behaves as a string under random use; some bytes follow it") {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    BlockPool pool(4);
    MemoryBudget budget{10'000'000, 0};
    {
      ByteBuffer buffer(pool, budget);
      std::string model;
      Random random(seed);
      for (int step = 0; step < 300; ++step) {
        switch (random.below(7)) {
          case 0: {
            size_t size = random.below(model.size() + 1);
            buffer.consume(size);
            model.erase(0, size);
            break;
          }
          case 6: {
            size_t size = random.below(20'000);
            size_t kept = random.below(size + 1);
            char* place = buffer.extend(size);
            REQUIRE(place != nullptr);
            std::memset(place, 'e', size);
            buffer.shorten(size - kept);
            model.append(kept, 'e');
            break;
          }
          case 1: REQUIRE(buffer.reserve(random.below(60'000))); break;
          case 2:
            if (!random.chance(1, 10)) break;
            random.chance(1, 2) ? buffer.clear() : buffer.release();
            model.clear();
            break;
          default: {
            std::string more(random.below(3000), static_cast<char>('a' + step % 26));
            REQUIRE(buffer.append(more));
            model += more;
          }
        }
        REQUIRE(buffer.view() == model);
        CHECK(buffer.empty() == model.empty());
        volatile char sum = 0;
        for (size_t i = 0; !model.empty() && i < ByteBuffer::padding_bytes; ++i) {
          sum = static_cast<char>(sum + buffer.view().data()[model.size() + i]);
        }
      }
    }
    CHECK(budget.used_bytes == 0);
    CHECK(pool.in_use() == 0);
  }
}

TEST_CASE("byte buffer: refuses beyond the budget and without a block, and keeps its content") {
  BlockPool pool(1);
  MemoryBudget budget{40'000, 0};
  ByteBuffer first(pool, budget);
  ByteBuffer second(pool, budget);
  REQUIRE(first.append("first"));
  CHECK_FALSE(second.append("no block is left"));
  CHECK(second.empty());
  CHECK(first.append(std::string(20'000, 'x')));
  CHECK(pool.in_use() == 0);
  CHECK_FALSE(first.append(std::string(30'000, 'y')));
  CHECK(first.size() == 20'005);
  CHECK(second.append("now it fits"));
  first.release();
  CHECK(budget.used_bytes == 0);
}

}  // namespace
}  // namespace hyperion
