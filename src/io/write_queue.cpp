#include "io/write_queue.h"

#include <algorithm>
#include <cstring>

#include "base/assert.h"

namespace hyperion::io {
namespace {

constexpr uint32_t align_record(uint32_t at) { return (at + 7) & ~7u; }

}  // namespace

WriteQueue::Record* WriteQueue::add_record(size_t bytes_wanted) {
  uint32_t at = tail_ == nullptr ? 0 : align_record(tail_->end);
  if (tail_ == nullptr || at + sizeof(Record) + bytes_wanted > Block::capacity()) {
    Block* block = pool_.take();
    if (block == nullptr) return nullptr;
    if (tail_ == nullptr) {
      head_ = block;
    } else {
      tail_->next = block;
    }
    tail_ = block;
    at = 0;
  }
  auto* record = reinterpret_cast<Record*>(tail_->bytes + at);
  *record = {nullptr, 0, 0};
  tail_->end = at + static_cast<uint32_t>(sizeof(Record));
  last_ = record;
  return record;
}

bool WriteQueue::append_copy(std::string_view bytes) {
  while (!bytes.empty()) {
    bool extendable = last_ != nullptr && last_->reference == nullptr;
    size_t room = extendable ? Block::capacity() - tail_->end : 0;
    if (room == 0) {
      // A record in a nearly full block would carry a few bytes only: ask for some room.
      if (add_record(std::min<size_t>(bytes.size(), 256)) == nullptr) return false;
      room = Block::capacity() - tail_->end;
    }
    size_t part = std::min(room, bytes.size());
    std::memcpy(tail_->bytes + tail_->end, bytes.data(), part);
    commit(part);
    bytes.remove_prefix(part);
  }
  return true;
}

bool WriteQueue::append_reference(std::string_view bytes) {
  if (bytes.size() <= copied_below_bytes) return append_copy(bytes);
  while (!bytes.empty()) {
    size_t part = std::min<size_t>(bytes.size(), UINT32_MAX);
    Record* record = add_record(0);
    if (record == nullptr) return false;
    record->reference = bytes.data();
    record->size = static_cast<uint32_t>(part);
    size_ += part;
    bytes.remove_prefix(part);
  }
  return true;
}

char* WriteQueue::reserve(size_t size) {
  HYPERION_ASSERT(size <= Block::capacity() / 2);
  bool extendable = last_ != nullptr && last_->reference == nullptr;
  if (!extendable || Block::capacity() - tail_->end < size) {
    if (add_record(size) == nullptr) return nullptr;
  }
  return tail_->bytes + tail_->end;
}

void WriteQueue::commit(size_t size) {
  HYPERION_ASSERT(last_ != nullptr && last_->reference == nullptr);
  HYPERION_ASSERT(tail_->end + size <= Block::capacity());
  tail_->end += static_cast<uint32_t>(size);
  last_->size += static_cast<uint32_t>(size);
  size_ += size;
}

void WriteQueue::append_all(WriteQueue& other) {
  HYPERION_ASSERT(&pool_ == &other.pool_ && this != &other);
  if (other.head_ == nullptr) return;
  if (tail_ == nullptr) {
    head_ = other.head_;
  } else {
    tail_->next = other.head_;
  }
  tail_ = other.tail_;
  last_ = other.last_;
  size_ += other.size_;
  other.head_ = other.tail_ = nullptr;
  other.last_ = nullptr;
  other.size_ = 0;
}

size_t WriteQueue::fill(iovec* vectors, size_t capacity) const {
  size_t count = 0;
  for (Block* block = head_; block != nullptr; block = block->next) {
    uint32_t at = block->begin;
    while (at + sizeof(Record) <= block->end) {
      auto* record = reinterpret_cast<Record*>(block->bytes + at);
      const char* bytes = record->reference;
      uint32_t next = at + static_cast<uint32_t>(sizeof(Record));
      if (bytes == nullptr) {
        bytes = block->bytes + next + record->consumed;
        next += record->consumed + record->size;
      }
      if (record->size > 0) {
        if (count == capacity) return count;
        vectors[count++] = {const_cast<char*>(bytes), record->size};
      }
      at = align_record(next);
    }
  }
  return count;
}

void WriteQueue::consume(size_t size) {
  HYPERION_ASSERT(size <= size_);
  size_ -= size;
  if (size_ == 0) {
    clear();
    return;
  }
  while (true) {
    if (head_->begin + sizeof(Record) > head_->end) {
      drop_front_block();
      continue;
    }
    auto* record = reinterpret_cast<Record*>(head_->bytes + head_->begin);
    if (size < record->size) {
      record->size -= static_cast<uint32_t>(size);
      if (record->reference != nullptr) {
        record->reference += size;
      } else {
        record->consumed += static_cast<uint32_t>(size);
      }
      return;
    }
    size -= record->size;
    uint32_t next = head_->begin + static_cast<uint32_t>(sizeof(Record));
    if (record->reference == nullptr) next += record->consumed + record->size;
    head_->begin = align_record(next);
  }
}

void WriteQueue::drop_front_block() {
  Block* block = head_;
  head_ = block->next;
  HYPERION_ASSERT(head_ != nullptr);
  pool_.give_back(block);
}

void WriteQueue::clear() {
  while (head_ != nullptr) {
    Block* block = head_;
    head_ = block->next;
    pool_.give_back(block);
  }
  tail_ = nullptr;
  last_ = nullptr;
  size_ = 0;
}

}  // namespace hyperion::io
