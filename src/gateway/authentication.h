// Who is asking? The virtual key of a request.
//
// The presented key (Authorization: Bearer, x-api-key as Anthropic's clients send it, or
// x-goog-api-key as Google's do) is hashed whole and looked up by hash;
// the comparison takes the same time wherever it differs. Unknown, malformed and revoked keys get
// the same 401 after the same work. There is no anonymous identity: a conf without keys answers 401
// to everything that needs one. Pure but for the table it reads.
#pragma once

#include "config/virtual_keys.h"
#include "http/head.h"

namespace hyperion::gateway {

// Longer credentials are not ours; hashing is bounded by this.
inline constexpr size_t credential_size_max_bytes = 512;

// nullptr: not known (or revoked, or nothing presented).
const config::VirtualKey* authenticate(const http::RequestHead& head,
                                       const config::VirtualKeys& keys);

}  // namespace hyperion::gateway
