// Provider's streams as bench/dialect measures them: one answer, as each dialect's provider sends
// it.
//
// A text in pieces of about five tokens, then a call of a tool whose arguments come in fragments,
// the finish, the usage, and now and then a ping. Each provider's own members that say nothing to a
// translator (fingerprints, padding, sequence numbers, usage repeated in every chunk) are there as
// they are on the wire, since reading over them is part of the cost. Made once, before anything is
// measured.
#pragma once

#include <string>

#include "dialect/wire.h"

namespace hyperion::bench {

std::string stream_of(dialect::Wire provider);

}  // namespace hyperion::bench
