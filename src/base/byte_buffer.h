// A contiguous, growing buffer for one body or one unfinished event.
//
// Up to a block it lives in the shard's block pool; beyond that in memory of its own, counted
// against the shard's budget for bodies, so that big bodies cannot grow without bound. Some
// readable bytes always follow the content (parsers read ahead). `append` and `reserve` fail
// (false) at the pool's or the budget's cap: the caller answers 503.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/block_pool.h"

namespace hyperion {

// How much memory the large bodies of a shard may take together.
struct MemoryBudget {
  uint64_t limit_bytes = 0;
  uint64_t used_bytes = 0;

  bool take(uint64_t bytes) {
    if (used_bytes > limit_bytes || bytes > limit_bytes - used_bytes) return false;
    used_bytes += bytes;
    return true;
  }
  void give_back(uint64_t bytes) { used_bytes -= bytes; }
};

class ByteBuffer {
 public:
  // Readable bytes that follow the content; simdjson asks for 64.
  static constexpr size_t padding_bytes = 64;

  ByteBuffer(BlockPool& pool, MemoryBudget& budget) : pool_(pool), budget_(budget) {}
  ByteBuffer(const ByteBuffer&) = delete;
  ByteBuffer& operator=(const ByteBuffer&) = delete;
  ~ByteBuffer() { release(); }

  // Room for `size` bytes in all, to be filled by `append`.
  bool reserve(size_t size);
  bool append(std::string_view bytes) {
    if (bytes.size() > capacity_ - size_) return append_growing(bytes);
    if (!bytes.empty()) std::memcpy(bytes_ + size_, bytes.data(), bytes.size());
    size_ += bytes.size();
    return true;
  }
  // Room for `size` bytes more, already counted as content: the caller fills them, and takes back
  // with `shorten` what it did not need. nullptr when there is no memory.
  char* extend(size_t size) {
    if (size > capacity_ - size_ && !make_room(size_ + size)) return nullptr;
    char* place = bytes_ + size_;
    size_ += size;
    return place;
  }
  void shorten(size_t size);
  // Drops the first `size` bytes.
  void consume(size_t size);
  // Empties the buffer, keeps its memory.
  void clear() { size_ = 0; }
  // Empties the buffer and gives its memory back.
  void release();

  std::string_view view() const { return {bytes_, size_}; }
  size_t size() const { return size_; }
  size_t capacity() const { return capacity_; }
  bool empty() const { return size_ == 0; }

 private:
  bool append_growing(std::string_view bytes);
  bool make_room(size_t wanted);
  bool grow(size_t wanted);

  BlockPool& pool_;
  MemoryBudget& budget_;
  Block* block_ = nullptr;  // when the content fits a block
  char* bytes_ = nullptr;   // block_->bytes, or memory of our own
  size_t size_ = 0;
  size_t capacity_ = 0;  // padding not counted
};

}  // namespace hyperion
