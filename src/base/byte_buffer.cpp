#include "base/byte_buffer.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "base/assert.h"

namespace hyperion {

bool ByteBuffer::reserve(size_t size) { return size <= capacity_ || grow(size); }

// Doubled, so that each byte is copied a constant number of times; exactly when memory is short.
bool ByteBuffer::make_room(size_t wanted) {
  return wanted <= capacity_ || grow(std::max(wanted, capacity_ * 2)) || grow(wanted);
}

bool ByteBuffer::append_growing(std::string_view bytes) {
  if (!make_room(size_ + bytes.size())) return false;
  std::memcpy(bytes_ + size_, bytes.data(), bytes.size());
  size_ += bytes.size();
  return true;
}

void ByteBuffer::shorten(size_t size) {
  HYPERION_ASSERT(size <= size_);
  size_ -= size;
}

void ByteBuffer::consume(size_t size) {
  HYPERION_ASSERT(size <= size_);
  size_ -= size;
  if (size_ > 0) std::memmove(bytes_, bytes_ + size, size_);
}

bool ByteBuffer::grow(size_t wanted) {
  constexpr size_t in_block = Block::capacity() - padding_bytes;
  if (block_ == nullptr && bytes_ == nullptr && wanted <= in_block) {
    block_ = pool_.take();
    if (block_ == nullptr) return false;
    bytes_ = block_->bytes;
    capacity_ = in_block;
    return true;
  }
  // The old memory goes as soon as its content is copied: only the difference is new.
  size_t held = block_ == nullptr && bytes_ != nullptr ? capacity_ + padding_bytes : 0;
  if (!budget_.take(wanted + padding_bytes - held)) return false;
  char* bytes = static_cast<char*>(::operator new(wanted + padding_bytes, std::nothrow));
  HYPERION_ASSERT(bytes != nullptr);
  if (size_ > 0) std::memcpy(bytes, bytes_, size_);
  if (block_ != nullptr) pool_.give_back(block_);
  if (held != 0) ::operator delete(bytes_);
  block_ = nullptr;
  bytes_ = bytes;
  capacity_ = wanted;
  return true;
}

void ByteBuffer::release() {
  if (block_ != nullptr) {
    pool_.give_back(block_);
  } else if (bytes_ != nullptr) {
    ::operator delete(bytes_);
    budget_.give_back(capacity_ + padding_bytes);
  }
  block_ = nullptr;
  bytes_ = nullptr;
  size_ = capacity_ = 0;
}

}  // namespace hyperion
