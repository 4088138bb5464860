#include "base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace hyperion {

void assertion_failed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "hyperion: broken invariant: %s at %s:%d\n", expression, file, line);
  std::abort();
}

}  // namespace hyperion
