#include "base/intrusive_list.h"

#include <algorithm>
#include <list>
#include <memory>
#include <vector>

#include <doctest/doctest.h>

#include "base/random.h"

namespace hyperion {
namespace {

struct LeftTag {};
struct RightTag {};

struct Item : ListNode<LeftTag>, ListNode<RightTag> {
  bool in_left() const { return ListNode<LeftTag>::linked(); }
};

using Left = IntrusiveList<Item, LeftTag>;
using Right = IntrusiveList<Item, RightTag>;

std::vector<Item*> content(Left& list) {
  std::vector<Item*> items;
  for (Item* item = list.front(); item != nullptr; item = list.next(item)) items.push_back(item);
  return items;
}

TEST_CASE("intrusive list: behaves as a list of pointers under random use") {
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    Random random(seed);
    std::vector<std::unique_ptr<Item>> items;
    for (int i = 0; i < 12; ++i) items.push_back(std::make_unique<Item>());
    Left lists[2];
    std::list<Item*> models[2];
    for (int step = 0; step < 500; ++step) {
      Item* item = items[random.below(items.size())].get();
      size_t which = random.below(2);
      switch (random.below(5)) {
        case 0:
        case 1:
          if (item->in_left()) break;
          if (random.chance(1, 2)) {
            lists[which].push_back(item);
            models[which].push_back(item);
          } else {
            lists[which].push_front(item);
            models[which].push_front(item);
          }
          break;
        case 2:
          item->ListNode<LeftTag>::unlink();
          for (std::list<Item*>& model : models) model.remove(item);
          break;
        case 3: {
          Item* first = lists[which].pop_front();
          CHECK(first == (models[which].empty() ? nullptr : models[which].front()));
          if (!models[which].empty()) models[which].pop_front();
          break;
        }
        default:
          lists[which].splice_back(lists[1 - which]);
          models[which].splice(models[which].end(), models[1 - which]);
      }
      for (int i = 0; i < 2; ++i) {
        std::vector<Item*> expected(models[i].begin(), models[i].end());
        REQUIRE(content(lists[i]) == expected);
        CHECK(lists[i].count() == expected.size());
        CHECK(lists[i].empty() == expected.empty());
        CHECK(lists[i].back() == (expected.empty() ? nullptr : expected.back()));
      }
    }
    for (Left& list : lists) {
      while (list.pop_front() != nullptr) {
      }
    }
  }
}

TEST_CASE("intrusive list: an element can be in one list of each tag at the same time") {
  Item item;
  Left left;
  Right right;
  left.push_back(&item);
  right.push_back(&item);
  CHECK(left.pop_front() == &item);
  CHECK(right.front() == &item);
  CHECK_FALSE(item.in_left());
  CHECK(right.pop_front() == &item);
}

}  // namespace
}  // namespace hyperion
