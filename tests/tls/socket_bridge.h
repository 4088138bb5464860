// Connects one end of a memory stream pair to a real socket, and so a TlsStream to any program.
//
// Only for tests: the socket stands in for the other end of the pair. `pump` moves what can be
// moved without waiting; `run_until` lets the world turn, pumping, and sleeps in poll while nothing
// moves.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <string>

#include <doctest/doctest.h>

#include "support/child_process.h"
#include "support/memory_stream.h"

namespace hyperion::test {

// A listening socket on the loopback interface, at a port the kernel chooses.
class LoopbackListener {
 public:
  LoopbackListener() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
    REQUIRE(listen(fd_, 8) == 0);
    socklen_t size = sizeof(address);
    REQUIRE(getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port_ = ntohs(address.sin_port);
  }
  ~LoopbackListener() { close(fd_); }
  int port() const { return port_; }
  int accept_one() {
    pollfd ready = {fd_, POLLIN, 0};
    REQUIRE(poll(&ready, 1, 10'000) == 1);
    return accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
  }

 private:
  int fd_;
  int port_ = 0;
};

inline int connect_to_loopback(int port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  REQUIRE(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
  return fd;
}

class SocketBridge {
 public:
  // Takes `fd`. The stream is an outgoing one if `connecting`, else an accepted one.
  SocketBridge(MemoryWorld& world, int fd, bool connecting)
      : world_(world), fd_(fd), from_stream_(world.make_link()), to_stream_(world.make_link()) {
    REQUIRE(fcntl(fd_, F_SETFL, O_NONBLOCK) == 0);
    stream = world.make_end(to_stream_, from_stream_, connecting);
  }
  SocketBridge(const SocketBridge&) = delete;
  SocketBridge& operator=(const SocketBridge&) = delete;
  ~SocketBridge() { close(fd_); }

  // False when nothing happened for 10 s, or at the end of the work. Also wakes when `program`, if
  // given, prints something.
  bool run_until(const std::function<bool()>& done, ChildProcess* program = nullptr) {
    while (!done()) {
      bool busy = world_.turn();
      busy = pump() || busy;
      if (busy) continue;
      if (done()) return true;
      pollfd ready[2] = {{to_stream_->finished ? -1 : fd_, POLLIN, 0}, {-1, POLLIN, 0}};
      if (program != nullptr) ready[1].fd = program->output_file();
      if (poll(ready, 2, to_stream_->finished && program == nullptr ? 0 : 10'000) <= 0)
        return false;
      if (program != nullptr && ready[1].revents != 0 && !program->read_some(0)) program = nullptr;
    }
    return true;
  }

  MemoryStream* stream;

 private:
  bool pump() {
    bool moved = false;
    std::string& out = from_stream_->in_flight;
    if (!out.empty()) {
      ssize_t sent = send(fd_, out.data(), out.size(), MSG_NOSIGNAL);
      if (sent > 0) out.erase(0, static_cast<size_t>(sent));
      if (sent < 0 && errno != EAGAIN) out.clear();
      moved = sent != 0;
    }
    if (out.empty() && from_stream_->finished && !shut_down_) {
      shut_down_ = moved = true;
      shutdown(fd_, SHUT_WR);
    }
    char buffer[16 * 1024];
    while (!to_stream_->finished &&
           to_stream_->in_flight.size() < to_stream_->in_flight_bytes_max) {
      ssize_t got = recv(fd_, buffer, sizeof(buffer), 0);
      if (got < 0 && errno == EAGAIN) break;
      moved = true;
      if (got <= 0) to_stream_->finished = true;
      if (got > 0) to_stream_->in_flight.append(buffer, static_cast<size_t>(got));
    }
    return moved;
  }

  MemoryWorld& world_;
  int fd_;
  MemoryLink* from_stream_;
  MemoryLink* to_stream_;
  bool shut_down_ = false;
};

}  // namespace hyperion::test
