// Memory of the binary comes from mimalloc: operator new and delete, and nothing else.
//
// Linked into hyperion alone. The tests keep the C library's allocator, so that a sanitizer or
// valgrind sees every allocation; malloc itself is left alone, because the C library hands out
// memory of its own that is freed here and there. Out of memory ends the process, as everywhere.
#include <cstddef>
#include <new>

#include <mimalloc.h>

void* operator new(std::size_t size) { return mi_new(size); }
void* operator new[](std::size_t size) { return mi_new(size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return mi_new_nothrow(size);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return mi_new_nothrow(size);
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  return mi_new_aligned(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
  return mi_new_aligned(size, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return mi_new_aligned_nothrow(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return mi_new_aligned_nothrow(size, static_cast<std::size_t>(alignment));
}

void operator delete(void* memory) noexcept { mi_free(memory); }
void operator delete[](void* memory) noexcept { mi_free(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { mi_free(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { mi_free(memory); }
void operator delete(void* memory, std::size_t size) noexcept { mi_free_size(memory, size); }
void operator delete[](void* memory, std::size_t size) noexcept { mi_free_size(memory, size); }
void operator delete(void* memory, std::align_val_t alignment) noexcept {
  mi_free_aligned(memory, static_cast<std::size_t>(alignment));
}
void operator delete[](void* memory, std::align_val_t alignment) noexcept {
  mi_free_aligned(memory, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  mi_free_aligned(memory, static_cast<std::size_t>(alignment));
}
void operator delete[](void* memory, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  mi_free_aligned(memory, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory, std::size_t size, std::align_val_t alignment) noexcept {
  mi_free_size_aligned(memory, size, static_cast<std::size_t>(alignment));
}
void operator delete[](void* memory, std::size_t size, std::align_val_t alignment) noexcept {
  mi_free_size_aligned(memory, size, static_cast<std::size_t>(alignment));
}
