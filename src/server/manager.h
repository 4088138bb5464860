// Tells the service manager that started us what it should know: sd_notify(3), without its library.
//
// A datagram to the socket that $NOTIFY_SOCKET names; where the variable is not set nobody asked,
// and nothing happens. Called by the main thread at start, hand-over and drain. Cannot fail in a
// way that anybody could act upon.
#pragma once

#include <string_view>

namespace hyperion::server {

// `state` is lines of NAME=VALUE: READY=1, STOPPING=1, MAINPID=...
void tell_manager(std::string_view state);

}  // namespace hyperion::server
