#include "routing/forest.h"

#include <array>
#include <utility>

namespace hyperion::routing {
namespace {

constexpr size_t traits_max = 64;
constexpr uint16_t sign_bit = 0x8000;

}  // namespace

void Forest::build(std::span<const TreeNode> nodes, std::span<const int16_t> leaves,
                   uint32_t depth) {
  const size_t leaf_count = size_t{1} << depth;
  depth_ = depth;
  tree_count_ = static_cast<uint32_t>(leaves.size() / leaf_count);
  leaves_.assign(leaves.begin(), leaves.end());
  nodes_.assign(leaves.size(), Node{});
  for (size_t tree = 0; tree < tree_count_; ++tree) {
    for (size_t node = 0; node + 1 < leaf_count; ++node) {
      const TreeNode& from = nodes[tree * (leaf_count - 1) + node];
      nodes_[tree * leaf_count + node + 1] = {
          static_cast<uint16_t>(static_cast<uint16_t>(from.threshold) ^ sign_bit), from.trait};
    }
  }
}

template <uint32_t depth>
int32_t Forest::sum_of_depth(const uint16_t* traits) const {
  constexpr size_t leaf_count = size_t{1} << depth;
  constexpr size_t at_once = 8;
  const auto step = [traits](const Node* nodes, size_t& at) {
    const Node& node = nodes[at];
    at = at + at + (node.threshold < traits[node.trait]);
  };
  int32_t sum = 0;
  const Node* nodes = nodes_.data();
  const int16_t* leaves = leaves_.data() - leaf_count;
  size_t tree = 0;
  for (; tree + at_once <= tree_count_; tree += at_once) {
    size_t a = 1, b = 1, c = 1, d = 1, e = 1, f = 1, g = 1, h = 1;
    for (uint32_t level = 0; level < depth; ++level) {
      step(nodes, a);
      step(nodes + leaf_count, b);
      step(nodes + 2 * leaf_count, c);
      step(nodes + 3 * leaf_count, d);
      step(nodes + 4 * leaf_count, e);
      step(nodes + 5 * leaf_count, f);
      step(nodes + 6 * leaf_count, g);
      step(nodes + 7 * leaf_count, h);
    }
    sum += leaves[a] + leaves[leaf_count + b] + leaves[2 * leaf_count + c] +
           leaves[3 * leaf_count + d] + leaves[4 * leaf_count + e] + leaves[5 * leaf_count + f] +
           leaves[6 * leaf_count + g] + leaves[7 * leaf_count + h];
    nodes += at_once * leaf_count;
    leaves += at_once * leaf_count;
  }
  for (; tree < tree_count_; ++tree, nodes += leaf_count, leaves += leaf_count) {
    size_t at = 1;
    for (uint32_t level = 0; level < depth; ++level) step(nodes, at);
    sum += leaves[at];
  }
  return sum;
}

int32_t Forest::sum(std::span<const int16_t> traits) const {
  std::array<uint16_t, traits_max> raised{};
  for (size_t i = 0; i < traits.size(); ++i)
    raised.data()[i] = static_cast<uint16_t>(static_cast<uint16_t>(traits[i]) ^ sign_bit);
  const uint16_t* const values = raised.data();
  switch (depth_) {
    case 1: return sum_of_depth<1>(values);
    case 2: return sum_of_depth<2>(values);
    case 3: return sum_of_depth<3>(values);
    case 4: return sum_of_depth<4>(values);
    case 5: return sum_of_depth<5>(values);
    case 6: return sum_of_depth<6>(values);
    case 7: return sum_of_depth<7>(values);
    case 8: return sum_of_depth<8>(values);
    default: return sum_of_depth<0>(values);
  }
}

int32_t Forest::sum_plainly(std::span<const int16_t> traits) const {
  const size_t leaf_count = size_t{1} << depth_;
  int32_t sum = 0;
  for (size_t tree = 0; tree < tree_count_; ++tree) {
    size_t at = 1;
    while (at < leaf_count) {
      const Node& node = nodes_[tree * leaf_count + at];
      const int threshold = static_cast<int16_t>(node.threshold ^ sign_bit);
      at = 2 * at + (traits[node.trait] > threshold ? 1 : 0);
    }
    sum += leaves_[tree * leaf_count + at - leaf_count];
  }
  return sum;
}

}  // namespace hyperion::routing
