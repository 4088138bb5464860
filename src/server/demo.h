// The samples that `hyperion demo` sends, and how it shows them.
//
// Sends each request to the gateway with a small blocking client (server/demo_client.h) and prints
// for people: what was sent, what came back (status, Hyperion's headers, the text
// of the answer) and why. Runs on the main thread, after gateway and simulator have begun to serve.
// An answer that is not the expected one is said so and counted; nothing here stops the demo.
#pragma once

#include "io/address.h"
#include "server/demo_client.h"

namespace hyperion::server {

inline constexpr const char* demo_small_key = "sk_test_small";

// Sends them all to `gateway`; returns how many went otherwise than they should.
int show_samples(const io::Address& gateway);

}  // namespace hyperion::server
