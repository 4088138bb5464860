#include "base/block_pool.h"

#include <new>

#include "base/assert.h"

namespace hyperion {

BlockPool::~BlockPool() {
  HYPERION_ASSERT(in_use_ == 0);
  while (free_ != nullptr) {
    Block* block = free_;
    free_ = block->next;
    ::operator delete(block);
  }
}

Block* BlockPool::take() {
  if (in_use_ >= blocks_max_) return nullptr;
  Block* block = free_;
  if (block != nullptr) {
    free_ = block->next;
    --kept_;
  } else {
    block = static_cast<Block*>(::operator new(sizeof(Block), std::nothrow));
    HYPERION_ASSERT(block != nullptr);
  }
  ++in_use_;
  block->next = nullptr;
  block->begin = block->end = 0;
  return block;
}

void BlockPool::give_back(Block* block) {
  HYPERION_ASSERT(in_use_ > 0);
  --in_use_;
  if (kept_ >= blocks_kept_) {
    ::operator delete(block);
    return;
  }
  block->next = free_;
  free_ = block;
  ++kept_;
}

}  // namespace hyperion
