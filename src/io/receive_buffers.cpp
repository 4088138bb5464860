#include "io/receive_buffers.h"

#include <sys/mman.h>

#include <cerrno>

#include "base/assert.h"

namespace hyperion::io {

int ReceiveBuffers::open(io_uring* ring, unsigned count, unsigned size_bytes) {
  void* memory = mmap(nullptr, size_t{count} * (size_bytes + spread_bytes), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return -errno;
  memory_ = static_cast<char*>(memory);
  count_ = count;
  size_ = size_bytes;
  int error = 0;
  buffer_ring_ = io_uring_setup_buf_ring(ring, count, group, 0, &error);
  if (buffer_ring_ == nullptr) {
    close();
    return error;
  }
  ring_ = ring;
  int mask = io_uring_buf_ring_mask(count);
  for (unsigned id = 0; id < count; ++id) {
    io_uring_buf_ring_add(buffer_ring_, place_of(static_cast<uint16_t>(id)), size_,
                          static_cast<uint16_t>(id), mask, static_cast<int>(id));
  }
  io_uring_buf_ring_advance(buffer_ring_, static_cast<int>(count));
  return 0;
}

void ReceiveBuffers::close() {
  if (buffer_ring_ != nullptr) io_uring_free_buf_ring(ring_, buffer_ring_, count_, group);
  buffer_ring_ = nullptr;
  if (memory_ != nullptr) munmap(memory_, size_t{count_} * (size_ + spread_bytes));
  memory_ = nullptr;
}

void ReceiveBuffers::give_back(uint16_t id) {
  HYPERION_ASSERT(filled_ > 0 && id < count_);
  --filled_;
  io_uring_buf_ring_add(buffer_ring_, place_of(static_cast<uint16_t>(id)), size_, id,
                        io_uring_buf_ring_mask(count_), 0);
  io_uring_buf_ring_advance(buffer_ring_, 1);
}

}  // namespace hyperion::io
