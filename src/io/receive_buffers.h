// The receive memory of a shard: one ring of buffers that the kernel fills.
//
// Idle connections own no receive memory; a completion names the buffer it filled. A Lease holds a
// buffer while its bytes are being looked at and gives it back when it ends, on every path. Streams
// that found the ring empty wait in the reactor's starved list until a buffer comes back; since a
// lease never outlives the callback that it is made for, that is within a turn or two. Buffers are
// 16 KiB: 4 KiB ones cost 2.6 times the CPU for large messages (measured).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <liburing.h>

namespace hyperion::io {

class ReceiveBuffers {
 public:
  static constexpr uint16_t group = 0;

  ReceiveBuffers() = default;
  ReceiveBuffers(const ReceiveBuffers&) = delete;
  ReceiveBuffers& operator=(const ReceiveBuffers&) = delete;
  ~ReceiveBuffers() { close(); }

  // Registers `count` (a power of two up to 32768) buffers of `size_bytes`. Returns 0 or -errno.
  int open(io_uring* ring, unsigned count, unsigned size_bytes);
  void close();

  // How many hold bytes that nobody has looked at yet, as far as completions told.
  unsigned filled() const { return filled_; }
  void note_filled() { ++filled_; }
  unsigned count() const { return count_; }

  class Lease {
   public:
    Lease(ReceiveBuffers& buffers, uint16_t id) : buffers_(buffers), id_(id) {}
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ~Lease() { buffers_.give_back(id_); }
    std::string_view bytes(size_t size) const { return {buffers_.place_of(id_), size}; }

   private:
    ReceiveBuffers& buffers_;
    uint16_t id_;
  };

 private:
  void give_back(uint16_t id);
  char* place_of(uint16_t id) const { return memory_ + size_t{id} * (size_ + spread_bytes); }

  // Between buffers. At a distance of a power of two the beginnings of all of them, which is all
  // that most requests fill, would share a few sets of the CPU's caches and evict each other.
  static constexpr size_t spread_bytes = 5 * 64;

  io_uring* ring_ = nullptr;
  io_uring_buf_ring* buffer_ring_ = nullptr;
  char* memory_ = nullptr;
  unsigned count_ = 0;
  unsigned size_ = 0;
  unsigned filled_ = 0;
};

}  // namespace hyperion::io
