#include "base/arena.h"

#include <cstring>

namespace hyperion {

void* Arena::allocate(size_t size, size_t alignment) {
  if (size > Block::capacity() - 16 || used_bytes_ + size > bytes_max_) return nullptr;
  if (newest_ != nullptr) {
    size_t at = (newest_->end + alignment - 1) & ~(alignment - 1);
    if (at + size <= Block::capacity()) {
      newest_->end = static_cast<uint32_t>(at + size);
      used_bytes_ += size;
      return newest_->bytes + at;
    }
  }
  Block* block = pool_.take();
  if (block == nullptr) return nullptr;
  block->next = newest_;
  newest_ = block;
  block->end = static_cast<uint32_t>(size);
  used_bytes_ += size;
  return block->bytes;
}

std::string_view Arena::copy(std::string_view text) {
  char* place = static_cast<char*>(allocate(text.size(), 1));
  if (place == nullptr) return {};
  if (!text.empty()) std::memcpy(place, text.data(), text.size());
  return {place, text.size()};
}

bool Arena::append(std::string_view& text, std::string_view more) {
  if (more.empty()) return true;
  if (text.empty()) {
    std::string_view copied = copy(more);
    if (copied.data() == nullptr) return false;
    text = copied;
    return true;
  }
  bool newest = newest_ != nullptr && text.data() + text.size() == newest_->bytes + newest_->end;
  if (newest && newest_->end + more.size() <= Block::capacity() &&
      used_bytes_ + more.size() <= bytes_max_) {
    std::memcpy(newest_->bytes + newest_->end, more.data(), more.size());
    newest_->end += static_cast<uint32_t>(more.size());
    used_bytes_ += more.size();
    text = {text.data(), text.size() + more.size()};
    return true;
  }
  char* place = static_cast<char*>(allocate(text.size() + more.size(), 1));
  if (place == nullptr) return false;
  if (!text.empty()) std::memcpy(place, text.data(), text.size());
  if (!more.empty()) std::memcpy(place + text.size(), more.data(), more.size());
  text = {place, text.size() + more.size()};
  return true;
}

void Arena::reset() {
  while (newest_ != nullptr) {
    Block* block = newest_;
    newest_ = block->next;
    pool_.give_back(block);
  }
  used_bytes_ = 0;
}

}  // namespace hyperion
