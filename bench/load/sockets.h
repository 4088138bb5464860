// Loopback TCP sockets, as both roles of the load tool want them: non-blocking, without Nagle.
//
// Connecting blocks: on loopback it is over as soon as the kernel has queued the connection, and
// the tool's other work is not measured while it opens connections. Each function returns -1 (or
// false) on failure with errno set; none prints.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace hyperion::bench {

// A listener on 127.0.0.1; port 0 picks a free one. `port` is set to the port in use.
int listen_on_loopback(uint16_t& port);

// The next waiting connection of a listener, or -1.
int accept_connection(int listener);

// A connection to 127.0.0.1:port; fails after five seconds.
int connect_to_loopback(uint16_t port);

// Raises the limit on open descriptors to what the process may have, and returns it.
size_t raise_descriptor_limit();

// Bytes that a full socket buffer did not take, kept in order until it has room.
class Outbox {
 public:
  // Sends as much as the socket takes and keeps the rest. False when the peer is gone.
  bool send(int descriptor, std::string_view bytes);

  // Sends what was kept. False when the peer is gone.
  bool flush(int descriptor);

  bool empty() const { return sent_ == kept_.size(); }

 private:
  std::string kept_;
  size_t sent_ = 0;
};

}  // namespace hyperion::bench
