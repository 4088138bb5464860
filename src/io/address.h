// A socket address: IPv4 or IPv6 with a port, or a unix path for local listeners.
//
// A value type that owns its bytes. `parse` reads "127.0.0.1:8080", "[::1]:8080" and
// "unix:/run/x.sock" and never resolves names: names are resolved by upstream's resolver thread
// only.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace hyperion::io {

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;

  static Result<Address> parse(std::string_view text);
  static Result<Address> from_ip(std::string_view ip, uint16_t port);
  // Copies what the kernel or getaddrinfo gave.
  static Address from_sockaddr(const sockaddr* address, socklen_t size);

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  bool is_loopback() const;
  uint16_t port() const;
  void set_port(uint16_t port);
  std::string text() const;  // for start-up messages and logs of our own listeners
};

}  // namespace hyperion::io
