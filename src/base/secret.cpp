#include "base/secret.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <utility>

#include "base/assert.h"

namespace hyperion {

void wipe_memory(void* memory, size_t size) {
  if (size != 0) explicit_bzero(memory, size);
}

Secret::Secret(std::string_view text) {
  if (text.empty()) return;
  const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  mapped_bytes_ = (text.size() + page - 1) / page * page;
  void* memory =
      mmap(nullptr, mapped_bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  HYPERION_ASSERT(memory != MAP_FAILED);
  // Both are refused in some places (RLIMIT_MEMLOCK, old kernels); the rest still holds then.
  (void)mlock(memory, mapped_bytes_);
  (void)madvise(memory, mapped_bytes_, MADV_DONTDUMP);
  bytes_ = static_cast<char*>(memory);
  size_ = text.size();
  std::memcpy(bytes_, text.data(), size_);
}

Secret Secret::take(std::string& text) {
  Secret secret{std::string_view(text)};
  wipe_memory(text.data(), text.size());
  text.clear();
  return secret;
}

Secret::Secret(Secret&& other) noexcept
    : bytes_(std::exchange(other.bytes_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      mapped_bytes_(std::exchange(other.mapped_bytes_, 0)) {}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    wipe();
    bytes_ = std::exchange(other.bytes_, nullptr);
    size_ = std::exchange(other.size_, 0);
    mapped_bytes_ = std::exchange(other.mapped_bytes_, 0);
  }
  return *this;
}

void Secret::wipe() {
  if (bytes_ == nullptr) return;
  wipe_memory(bytes_, size_);
  munmap(bytes_, mapped_bytes_);
  bytes_ = nullptr;
  size_ = 0;
  mapped_bytes_ = 0;
}

}  // namespace hyperion
