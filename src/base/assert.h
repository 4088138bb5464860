// Assertions on our own state.
//
// They stay on in release builds: a gateway that handles money stops at the first broken invariant
// rather than serve on with a corrupted one. Used by every folder. They are for programmer errors
// only; what a peer sent (client or provider) is never asserted on, it is handled. A failed
// assertion prints the expression and its place and aborts; it never returns and never throws.
#pragma once

namespace hyperion {

[[noreturn]] void assertion_failed(const char* expression, const char* file, int line);

}  // namespace hyperion

#define HYPERION_ASSERT(expression)                   \
  (__builtin_expect(static_cast<bool>(expression), 1) \
       ? static_cast<void>(0)                         \
       : ::hyperion::assertion_failed(#expression, __FILE__, __LINE__))
