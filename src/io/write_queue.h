// The bytes that wait to leave on one stream.
//
// A queue is a chain of blocks holding records: bytes copied into the block, or a reference to
// bytes that somebody else pins (a request body, for as long as the queue holds the reference).
// `fill` turns the front of the queue into iovecs for one sendmsg, `consume` drops what was sent.
// An empty queue holds no block, so an idle connection owns no memory. Appending fails (false) only
// when the shard's block pool is at its cap; the caller then gives up the connection. Used by every
// Stream.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/block_pool.h"

namespace hyperion::io {

class WriteQueue {
 public:
  explicit WriteQueue(BlockPool& pool) : pool_(pool) {}
  WriteQueue(const WriteQueue&) = delete;
  WriteQueue& operator=(const WriteQueue&) = delete;
  ~WriteQueue() { clear(); }

  // Copies `bytes` to the back. One memcpy; a block is taken when the last one is full.
  bool append_copy(std::string_view bytes);

  // Queues `bytes` without copying: they must stay readable until they are consumed or the queue is
  // cleared. Short ones (up to `copied_below_bytes`) are copied anyway, an iovec would cost more.
  bool append_reference(std::string_view bytes);

  // Room for `size` bytes (at most half a block) written in place: returns where to write, nullptr
  // at the pool's cap; `commit` with the bytes really written (<= size) must follow at once.
  char* reserve(size_t size);
  void commit(size_t size);

  // Moves everything that `other` (of the same pool) holds to the back of this queue. O(1).
  void append_all(WriteQueue& other);

  // Describes the front of the queue in up to `capacity` iovecs; returns how many were filled.
  size_t fill(iovec* vectors, size_t capacity) const;

  // Drops the first `size` bytes; size <= size_bytes().
  void consume(size_t size);
  void clear();

  size_t size_bytes() const { return size_; }
  bool empty() const { return size_ == 0; }

  static constexpr size_t copied_below_bytes = 4096;

 private:
  // In front of each run of bytes within a block. `reference` is nullptr for copied bytes, which
  // follow the record; `size` counts what is still to be sent.
  struct Record {
    const char* reference;
    uint32_t size;
    uint32_t consumed;  // of copied bytes: how many of the front were sent already
  };

  Record* add_record(size_t bytes_wanted);
  void drop_front_block();

  BlockPool& pool_;
  Block* head_ = nullptr;
  Block* tail_ = nullptr;
  Record* last_ = nullptr;  // newest record, in tail_
  size_t size_ = 0;
};

}  // namespace hyperion::io
