// Bump allocation for the life of one request.
//
// An Arena takes blocks from the shard's BlockPool and gives them all back in `reset`. Strings that
// arrive in fragments grow in place when they are the newest allocation (`append`). Allocation can
// fail (nullptr / false) at the arena's own cap or when the pool is empty: the caller answers with
// an error of ours, never aborts. A single allocation is at most one block. Destructors are not
// run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/block_pool.h"

namespace hyperion {

class Arena {
 public:
  Arena(BlockPool& pool, size_t bytes_max) : pool_(pool), bytes_max_(bytes_max) {}
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  ~Arena() { reset(); }

  // `size` bytes aligned to `alignment` (a power of two up to 16), or nullptr.
  void* allocate(size_t size, size_t alignment = 8);

  // A copy of `text`; data() is nullptr when there was no room.
  std::string_view copy(std::string_view text);

  // Appends `more` to `text`, in place when `text` is the newest allocation, else by copying both.
  // False when there was no room; `text` is unchanged then. `text` must be empty or of this arena.
  bool append(std::string_view& text, std::string_view more);

  template <class T>
  T* allocate_array(size_t count) {
    if (count > Block::capacity() / sizeof(T)) return nullptr;
    return static_cast<T*>(allocate(sizeof(T) * count, alignof(T)));
  }

  void reset();
  size_t used_bytes() const { return used_bytes_; }

 private:
  BlockPool& pool_;
  size_t bytes_max_;
  size_t used_bytes_ = 0;
  Block* newest_ = nullptr;
};

}  // namespace hyperion
