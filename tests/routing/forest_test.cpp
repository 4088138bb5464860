// What the scorer sums up several at a time is what comes of one after the other.
#include "routing/forest.h"

#include <array>
#include <random>
#include <vector>

#include <doctest/doctest.h>

#include "routing/trait_scales.h"

namespace hyperion::routing {
namespace {

TEST_CASE("trees of any depth and number are walked alike by every way of doing it") {
  std::mt19937 random(11);
  for (uint32_t depth = 0; depth <= Forest::depth_max; ++depth) {
    for (size_t trees : {0, 1, 7, 8, 9, 64}) {
      const size_t leaf_count = size_t{1} << depth;
      std::vector<TreeNode> nodes(trees * (leaf_count - 1));
      std::vector<int16_t> leaves(trees * leaf_count);
      for (TreeNode& node : nodes)
        node = {static_cast<int16_t>(random()), static_cast<uint16_t>(random() % trait_count)};
      for (int16_t& leaf : leaves) leaf = static_cast<int16_t>(random());
      Forest forest;
      forest.build(nodes, leaves, depth);
      for (int turn = 0; turn < 20; ++turn) {
        ScaledTraits traits{};
        for (size_t i = 0; i < trait_count; ++i) traits[i] = static_cast<int16_t>(random());
        CHECK(forest.sum(traits) == forest.sum_plainly(traits));
      }
    }
  }
}

TEST_CASE("a tree goes right above its threshold, and left at it") {
  const TreeNode node{-5, 3};
  const int16_t leaves[] = {10, 20};
  Forest forest;
  forest.build({&node, 1}, leaves, 1);
  ScaledTraits traits{};
  traits[3] = -5;
  CHECK(forest.sum(traits) == 10);
  traits[3] = -4;
  CHECK(forest.sum(traits) == 20);
  traits[3] = INT16_MIN;
  CHECK(forest.sum(traits) == 10);
}

TEST_CASE("traits are scaled alike by every way of doing it") {
  std::mt19937 random(12);
  std::array<TraitScale, trait_count> rows;
  std::array<float, trait_count> traits;
  for (int turn = 0; turn < 200; ++turn) {
    for (TraitScale& row : rows) {
      row.low = static_cast<int32_t>(random() % 2000) - 200;
      row.high = row.low + static_cast<int32_t>(random() % 9000);
      row.mean = row.low + static_cast<int32_t>(random() % 3000);
      row.factor = static_cast<int32_t>(random() % 32769);
    }
    for (float& trait : traits) trait = static_cast<float>(random() % 4096) / 100.0f;
    TraitScales scales;
    REQUIRE(scales.build(rows));
    CHECK(scale_traits(traits, scales) == scale_traits_plainly(traits, scales));
  }
}

TEST_CASE("scales that sixteen bits cannot hold are refused") {
  std::array<TraitScale, trait_count> rows{};
  TraitScales scales;
  CHECK(scales.build(rows));
  for (TraitScale bad :
       {TraitScale{0, 20'000, 0, 1}, TraitScale{-20'000, 0, 0, 1}, TraitScale{2, 1, 0, 1},
        TraitScale{0, 1, 0, -1}, TraitScale{0, 1, 0, 40'000}}) {
    rows[7] = bad;
    CHECK_FALSE(scales.build(rows));
  }
}

}  // namespace
}  // namespace hyperion::routing
