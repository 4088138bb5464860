// 16 KiB blocks, the unit in which a shard gives memory to requests.
//
// Heads, write queues and arenas are made of blocks; a shard has one pool and a hard cap, so the
// memory of a shard is bounded by its configuration. `take` returns nullptr at the cap: the caller
// answers 503 before it reads more. Freed blocks are kept up to `keep` and given back to the
// allocator beyond that, so that a burst does not stay resident for ever. Not thread safe.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hyperion {

// Same as the receive buffers (engine research: 16 KiB messages through 4 KiB buffers cost 2.6
// times the CPU), so that one receive fills at most one block of output.
inline constexpr size_t block_size_bytes = 16 * 1024;

struct Block {
  Block* next;
  uint32_t begin;  // first byte in use, for queues
  uint32_t end;    // one past the last byte in use
  char bytes[block_size_bytes - 16];

  static constexpr size_t capacity() { return sizeof(bytes); }
};
static_assert(sizeof(Block) == block_size_bytes);

class BlockPool {
 public:
  explicit BlockPool(size_t blocks_max, size_t blocks_kept = 64)
      : blocks_max_(blocks_max), blocks_kept_(blocks_kept) {}
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;
  ~BlockPool();

  Block* take();
  void give_back(Block* block);

  size_t in_use() const { return in_use_; }
  size_t blocks_max() const { return blocks_max_; }

 private:
  size_t blocks_max_;
  size_t blocks_kept_;
  size_t in_use_ = 0;
  size_t kept_ = 0;
  Block* free_ = nullptr;
};

}  // namespace hyperion
