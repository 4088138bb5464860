// A forest of full trees over the traits of a prompt: the sum of the leaves they end at.
//
// Read from the file of weights by routing/weights.cpp, asked by the scorer once for each turn.
// Eight trees are walked at once, because a walk waits for memory at each step, and a step takes
// four instructions and no branch. Integers: the same sum everywhere. Cannot fail; the traits of
// nodes are checked when weights are read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace hyperion::routing {

// As it stands in the file: the children of node n are 2n + 1 and 2n + 2.
struct TreeNode {
  int16_t threshold;  // of the scaled trait: not above it goes left
  uint16_t trait;
};

class Forest {
 public:
  static constexpr uint32_t depth_max = 8;

  // `nodes` and `leaves` of trees that are `depth` deep, one behind the other.
  void build(std::span<const TreeNode> nodes, std::span<const int16_t> leaves, uint32_t depth);

  // `traits`: at least as many as the nodes ask for.
  int32_t sum(std::span<const int16_t> traits) const;
  // The same, one tree after the other.
  int32_t sum_plainly(std::span<const int16_t> traits) const;

 private:
  struct Node {
    uint16_t threshold;  // 0x8000 higher, as the traits are: compared without a sign
    uint16_t trait;
  };
  template <uint32_t depth>
  int32_t sum_of_depth(const uint16_t* traits) const;

  uint32_t depth_ = 0;
  uint32_t tree_count_ = 0;
  std::vector<Node> nodes_;  // the root of each is its second: children of n are 2n and 2n + 1
  std::vector<int16_t> leaves_;
};

}  // namespace hyperion::routing
