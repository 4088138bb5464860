#include "translation/allocations.h"

#include <cerrno>
#include <cstddef>

namespace {

uint64_t count = 0;

}  // namespace

extern "C" {

void* __libc_malloc(size_t size);
void* __libc_calloc(size_t count, size_t size);
void* __libc_realloc(void* memory, size_t size);
void* __libc_memalign(size_t alignment, size_t size);

void* malloc(size_t size) {
  ++count;
  return __libc_malloc(size);
}

void* calloc(size_t items, size_t size) {
  ++count;
  return __libc_calloc(items, size);
}

void* realloc(void* memory, size_t size) {
  ++count;
  return __libc_realloc(memory, size);
}

void* aligned_alloc(size_t alignment, size_t size) {
  ++count;
  return __libc_memalign(alignment, size);
}

int posix_memalign(void** memory, size_t alignment, size_t size) {
  ++count;
  *memory = __libc_memalign(alignment, size);
  return *memory != nullptr ? 0 : ENOMEM;
}

}  // extern "C"

namespace hyperion::bench {

uint64_t allocations_count() { return count; }

}  // namespace hyperion::bench
