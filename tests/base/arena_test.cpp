#include "base/arena.h"

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "base/random.h"

namespace hyperion {
namespace {

constexpr size_t block_room = Block::capacity() - 16;

TEST_CASE("arena: allocations are aligned, writable and do not overlap") {
  BlockPool pool(64);
  Arena arena(pool, 512 * 1024);
  Random random(11);
  struct Part {
    unsigned char* bytes;
    size_t size;
    unsigned char value;
  };
  std::vector<Part> parts;
  for (int i = 0; i < 500; ++i) {
    size_t alignment = size_t{1} << random.below(5);
    size_t size = 1 + random.below(600);
    void* place = arena.allocate(size, alignment);
    REQUIRE(place != nullptr);
    CHECK(reinterpret_cast<uintptr_t>(place) % alignment == 0);
    auto value = static_cast<unsigned char>(i);
    std::memset(place, value, size);
    parts.push_back({static_cast<unsigned char*>(place), size, value});
  }
  for (const Part& part : parts) {
    for (size_t i = 0; i < part.size; ++i) REQUIRE(part.bytes[i] == part.value);
  }
}

TEST_CASE("arena: the newest text grows in place, an older one is copied") {
  BlockPool pool(8);
  Arena arena(pool, 64 * 1024);
  std::string_view first = arena.copy("con");
  const char* place = first.data();
  CHECK(arena.append(first, "tent"));
  CHECK(first == "content");
  CHECK(first.data() == place);
  std::string_view second = arena.copy("x");
  CHECK(arena.append(first, "-type"));
  CHECK(first == "content-type");
  CHECK(first.data() != place);
  CHECK(second == "x");
}

TEST_CASE("arena: a text that outgrows its block moves to the next one") {
  BlockPool pool(8);
  Arena arena(pool, 64 * 1024);
  std::string_view text;
  std::string expected;
  while (expected.size() + 1000 < block_room) {
    expected.append(1000, static_cast<char>('a' + expected.size() % 26));
    REQUIRE(arena.append(text, std::string_view(expected).substr(text.size())));
  }
  CHECK(pool.in_use() == 1);
  std::string_view other = arena.copy(std::string(900, 'z'));
  CHECK(other.size() == 900);
  expected.append(100, '!');
  REQUIRE(arena.append(text, std::string(100, '!')));
  CHECK(text == expected);
  CHECK(pool.in_use() == 3);
  // One allocation is at most one block: the text stays as it was.
  CHECK_FALSE(arena.append(text, std::string(block_room, '?')));
  CHECK(text == expected);
}

TEST_CASE("arena: many interleaved texts stay equal to strings that grew the same way") {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    BlockPool pool(4096);
    Arena arena(pool, 8 * 1024 * 1024);
    Random random(seed);
    std::string_view texts[5];
    std::string models[5];
    for (int step = 0; step < 400; ++step) {
      size_t which = random.below(5);
      std::string more(random.below(120), static_cast<char>('a' + step % 26));
      REQUIRE(arena.append(texts[which], more));
      models[which] += more;
      for (int i = 0; i < 5; ++i) REQUIRE(texts[i] == models[i]);
    }
    arena.reset();
    CHECK(pool.in_use() == 0);
    CHECK(arena.used_bytes() == 0);
  }
}

TEST_CASE("arena: refuses beyond its own cap, beyond a block and when the pool is empty") {
  BlockPool pool(2);
  Arena small(pool, 100);
  CHECK(small.allocate(101) == nullptr);
  std::string_view text = small.copy(std::string(90, 'a'));
  CHECK(text.size() == 90);
  CHECK_FALSE(small.append(text, std::string(11, 'b')));
  CHECK(text == std::string(90, 'a'));
  CHECK(small.append(text, std::string(10, 'b')));
  CHECK(small.allocate(1) == nullptr);
  CHECK(small.copy("x").data() == nullptr);
  small.reset();
  CHECK(small.allocate(100) != nullptr);

  Arena large(pool, 1024 * 1024);
  CHECK(large.allocate(block_room + 1) == nullptr);
  CHECK(large.allocate(SIZE_MAX) == nullptr);
  CHECK(large.allocate_array<uint64_t>(SIZE_MAX / 8 + 2) == nullptr);
  CHECK(large.allocate(block_room) != nullptr);
  CHECK(large.allocate(block_room) == nullptr);  // the small arena has the other block
  small.reset();
  CHECK(large.allocate(block_room) != nullptr);
}

TEST_CASE("arena: empty texts are no special case") {
  BlockPool pool(2);
  Arena arena(pool, 1000);
  std::string_view text;
  CHECK(arena.append(text, {}));
  CHECK(text.empty());
  CHECK(arena.append(text, "a"));
  CHECK(arena.append(text, {}));
  CHECK(text == "a");
  CHECK(arena.copy({}).data() != nullptr);
}

}  // namespace
}  // namespace hyperion
