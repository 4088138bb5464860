// A client's request of about 4 KB, as bench/dialect measures it, in each dialect.
//
// A system text, a conversation with a call and its result, sampling, two tools with schemas.
// Written once in Chat Completions' dialect; the others are made of it by our own encoders, so that
// all say the same.
#pragma once

#include <string>

#include "dialect/wire.h"

namespace hyperion::bench {

// Empty when it cannot be made.
std::string request_of(dialect::Wire client);

}  // namespace hyperion::bench
