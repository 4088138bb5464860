// Counts what the program asks of the C library's allocator: malloc and its kin, operator new
// included.
//
// The counting functions stand in place of the library's (glibc only) and pass on to them.
#pragma once

#include <cstdint>

namespace hyperion::bench {

uint64_t allocations_count();

}  // namespace hyperion::bench
