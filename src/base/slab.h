// Fixed-size slots for objects that live and die on one shard.
//
// A Slab<T> hands out slots from chunks that are never returned to the system, so that a stale
// pointer (a late completion) still points at memory of type T and a generation check can catch it.
// `create` allocates only when the slab grows, never beyond `capacity` (nullptr then: the caller
// answers "overloaded"). Not thread safe: one slab belongs to one shard.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "base/assert.h"

namespace hyperion {

template <class T>
class Slab {
 public:
  explicit Slab(size_t capacity, size_t chunk_slots = 64)
      : capacity_(capacity), chunk_slots_(chunk_slots) {}
  Slab(const Slab&) = delete;
  Slab& operator=(const Slab&) = delete;
  // Every object must have been destroyed: a slot still in use is a leak.
  ~Slab() { HYPERION_ASSERT(in_use_ == 0); }

  // Constructs a T in a free slot; nullptr when `capacity` objects are alive. O(1) amortised.
  template <class... Arguments>
  T* create(Arguments&&... arguments) {
    if (in_use_ >= capacity_) return nullptr;
    if (free_ == nullptr) grow();
    Slot* slot = free_;
    free_ = slot->next_free;
    ++in_use_;
    return new (slot->storage) T(std::forward<Arguments>(arguments)...);
  }

  void destroy(T* object) {
    HYPERION_ASSERT(in_use_ > 0);
    object->~T();
    Slot* slot = reinterpret_cast<Slot*>(object);
    slot->next_free = free_;
    free_ = slot;
    --in_use_;
  }

  size_t in_use() const { return in_use_; }
  size_t capacity() const { return capacity_; }

 private:
  union Slot {
    Slot* next_free;
    alignas(T) unsigned char storage[sizeof(T)];
  };

  void grow() {
    chunks_.push_back(std::make_unique<Slot[]>(chunk_slots_));
    Slot* chunk = chunks_.back().get();
    for (size_t i = chunk_slots_; i-- > 0;) {
      chunk[i].next_free = free_;
      free_ = &chunk[i];
    }
  }

  size_t capacity_;
  size_t chunk_slots_;
  size_t in_use_ = 0;
  Slot* free_ = nullptr;
  std::vector<std::unique_ptr<Slot[]>> chunks_;
};

}  // namespace hyperion
