#include "io/write_queue.h"

#include <algorithm>
#include <deque>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "base/random.h"

namespace hyperion::io {
namespace {

std::string bytes_of(const WriteQueue& queue, size_t capacity) {
  std::string text;
  std::vector<iovec> vectors(capacity);
  size_t count = queue.fill(vectors.data(), capacity);
  REQUIRE(count <= capacity);
  for (size_t i = 0; i < count; ++i) {
    REQUIRE(vectors[i].iov_len > 0);
    text.append(static_cast<const char*>(vectors[i].iov_base), vectors[i].iov_len);
  }
  return text;
}

// A queue beside a string, and the referenced bytes, which the queue must not copy late.
class World {
 public:
  explicit World(uint64_t seed) : random_(seed), pool_(100'000), queue_(pool_), other_(pool_) {}

  void step() {
    switch (random_.below(10)) {
      case 0:
      case 1: append_copy(queue_, model_); break;
      case 2:
      case 3: append_reference(queue_, model_); break;
      case 4: append_reserved(queue_, model_); break;
      case 5: append_other(); break;
      default: consume(); break;
    }
    check();
  }
  void finish() {
    queue_.consume(queue_.size_bytes());
    CHECK(queue_.empty());
    CHECK(pool_.in_use() == 0);
  }

 private:
  std::string random_text(size_t bound) {
    std::string text(random_.below(bound), '\0');
    for (char& c : text) c = static_cast<char>('a' + letter_++ % 26);
    return text;
  }
  void append_copy(WriteQueue& queue, std::string& model) {
    std::string text = random_text(random_.chance(1, 10) ? 50'000 : 700);
    REQUIRE(queue.append_copy(text));
    model += text;
  }
  void append_reference(WriteQueue& queue, std::string& model) {
    pinned_.push_back(random_text(random_.chance(1, 10) ? 100'000 : 2'000));
    REQUIRE(queue.append_reference(pinned_.back()));
    model += pinned_.back();
  }
  void append_reserved(WriteQueue& queue, std::string& model) {
    size_t size = random_.below(Block::capacity() / 2 + 1);
    char* place = queue.reserve(size);
    REQUIRE(place != nullptr);
    std::string text = random_text(size + 1);
    std::copy(text.begin(), text.end(), place);
    queue.commit(text.size());
    model += text;
  }
  void append_other() {
    std::string other_model;
    for (uint64_t i = random_.below(4); i > 0; --i) {
      random_.chance(1, 2) ? append_copy(other_, other_model)
                           : append_reference(other_, other_model);
    }
    queue_.append_all(other_);
    model_ += other_model;
    CHECK(other_.empty());
  }
  void consume() {
    size_t most = model_.size();
    if (random_.chance(1, 2)) most = std::min<size_t>(most, 1'000);
    size_t size = random_.below(most + 1);
    queue_.consume(size);
    model_.erase(0, size);
  }
  void check() {
    REQUIRE(queue_.size_bytes() == model_.size());
    CHECK(queue_.empty() == model_.empty());
    if (queue_.empty()) CHECK(pool_.in_use() <= 1);
    size_t capacity = random_.chance(1, 4) ? 10'000 : 1 + random_.below(16);
    std::string front = bytes_of(queue_, capacity);
    REQUIRE(front.size() <= model_.size());
    REQUIRE(front == model_.substr(0, front.size()));
    REQUIRE((capacity == 10'000 ? front.size() == model_.size() : true));
    REQUIRE((!model_.empty() ? !front.empty() : true));
  }

  Random random_;
  BlockPool pool_;
  WriteQueue queue_;
  WriteQueue other_;
  std::string model_;
  std::deque<std::string> pinned_;
  unsigned letter_ = 0;
};

TEST_CASE("write queue: behaves as a string for many seeds") {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    INFO("seed ", seed);
    World world(seed);
    for (int i = 0; i < 200; ++i) world.step();
    world.finish();
  }
}

TEST_CASE("write queue: an empty queue holds no block") {
  BlockPool pool(4);
  WriteQueue queue(pool);
  CHECK(pool.in_use() == 0);
  CHECK(queue.append_copy("x"));
  CHECK(pool.in_use() == 1);
  queue.consume(1);
  CHECK(pool.in_use() == 0);
  CHECK(queue.append_copy({}));
  CHECK(queue.append_reference({}));
  CHECK(pool.in_use() == 0);
  queue.consume(0);
}

TEST_CASE("write queue: long references are not copied, short ones are") {
  BlockPool pool(4);
  WriteQueue queue(pool);
  std::string body(WriteQueue::copied_below_bytes + 1, 'a');
  std::string word(WriteQueue::copied_below_bytes, 'b');
  CHECK(queue.append_reference(body));
  CHECK(queue.append_reference(word));
  body.assign(body.size(), 'A');
  word.assign(word.size(), 'B');
  std::string bytes = bytes_of(queue, 4);
  CHECK(bytes == body + std::string(word.size(), 'b'));
}

TEST_CASE("write queue: what a send describes stays in place while more is appended") {
  BlockPool pool(64);
  WriteQueue queue(pool);
  CHECK(queue.append_copy("front"));
  iovec before[1];
  REQUIRE(queue.fill(before, 1) == 1);
  for (int i = 0; i < 100; ++i) CHECK(queue.append_copy(std::string(1000, 'x')));
  iovec after[1];
  REQUIRE(queue.fill(after, 1) == 1);
  CHECK(after[0].iov_base == before[0].iov_base);
  CHECK(std::string_view(static_cast<char*>(before[0].iov_base), 5) == "front");
  queue.consume(5);
  CHECK(bytes_of(queue, 1).starts_with("xxx"));
}

TEST_CASE("write queue: refuses when the pool is at its cap, and can be cleared") {
  BlockPool pool(2);
  WriteQueue queue(pool);
  CHECK_FALSE(queue.append_copy(std::string(100'000, 'x')));
  CHECK(pool.in_use() == 2);
  WriteQueue second(pool);
  CHECK(second.reserve(10) == nullptr);
  CHECK_FALSE(second.append_reference(std::string_view("y")));
  queue.clear();
  CHECK(pool.in_use() == 0);
  CHECK(second.append_copy("y"));
}

}  // namespace
}  // namespace hyperion::io
