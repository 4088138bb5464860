#include "io/listener.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace hyperion::io {
namespace {

std::string explain_bind(const Address& address, int error) {
  std::string text = "cannot listen on " + address.text() + ": " + std::strerror(error) + ". ";
  switch (error) {
    case EADDRINUSE:
      if (address.storage.ss_family == AF_UNIX) {
        return text + "Another program listens there: stop it. If none does, remove that file.";
      }
      return text +
             "Another program has this port: stop it, or set another address under [server] "
             "listen.";
    case EACCES:
      return text +
             "Ports below 1024 need CAP_NET_BIND_SERVICE: use a higher port, or the systemd unit.";
    case EADDRNOTAVAIL: return text + "No interface of this machine has that address.";
    default: return text + "Check the address under [server] listen.";
  }
}

}  // namespace

Listener::~Listener() {
  reactor_.runtime().timers.cancel(retry_);
  if (fd_ >= 0) ::close(fd_);
}

std::string Listener::open(const Address& address, int backlog) {
  std::string problem;
  fd_ = bind_socket(address, problem);
  return fd_ < 0 ? problem : listen_on(fd_, backlog);
}

int Listener::bind_socket(const Address& address, std::string& problem) {
  int fd = socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    problem = explain_bind(address, errno);
    return -1;
  }
  int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (address.storage.ss_family != AF_UNIX)
    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
  if (address.storage.ss_family == AF_INET6)
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
  if (bind(fd, address.get(), address.size) == 0) return fd;
  problem = explain_bind(address, errno);
  ::close(fd);
  return -1;
}

std::string Listener::listen_on(int fd, int backlog) {
  return listen(fd, backlog) == 0 ? "" : explain_bind(address_of(fd), errno);
}

Address Listener::address_of(int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof(storage);
  getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size);
  return Address::from_sockaddr(reinterpret_cast<sockaddr*>(&storage), size);
}

void Listener::start() {
  wanted_ = true;
  if (fd_ >= 0 && !accept_.armed()) arm();
}

void Listener::arm() {
  io_uring_sqe* sqe = reactor_.prepare(accept_);
  // No address output: one buffer would serve all accepts.
  io_uring_prep_multishot_accept(sqe, fd_, nullptr, nullptr, SOCK_CLOEXEC);
}

void Listener::pause() {
  wanted_ = false;
  reactor_.cancel(accept_);
}

void Listener::finish() {
  wanted_ = false;
  finishing_ = true;
  reactor_.runtime().timers.cancel(retry_);
  if (accept_.armed()) {
    reactor_.cancel(accept_);
  } else if (fd_ >= 0) {
    take_rest(false);
  }
}

// The kernel wakes one of those who wait for connections: what it told our operation at its end, it
// told nobody else. So the queue is looked at again; arming and cancelling at once empties it.
void Listener::take_rest(bool failed) {
  pollfd queue{fd_, POLLIN, 0};
  if (!failed && ++rests_ <= rests_max && poll(&queue, 1, 0) > 0) {
    arm();
    reactor_.cancel(accept_);
    return;
  }
  ::close(fd_);
  fd_ = -1;
}

void Listener::close() {
  wanted_ = false;
  reactor_.runtime().timers.cancel(retry_);
  reactor_.cancel(accept_);
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

void Listener::on_accepted(int32_t result, uint32_t) {
  if (result >= 0) take(result);
  if (accept_.armed() || fd_ < 0) return;
  // Only this connection failed (accept(2)), or nothing did: go on. Anything else would fail again
  // at once.
  bool passing = result >= 0 || result == -ECANCELED || result == -ECONNABORTED ||
                 result == -EINTR || result == -EAGAIN || result == -EPROTO;
  if (finishing_) {
    take_rest(!passing);
  } else if (!wanted_) {
    return;
  } else if (passing) {
    start();
  } else {
    reactor_.runtime().timers.arm(retry_, reactor_.clock().now() + retry_ms * ns_per_ms);
  }
}

void Listener::on_retry() {
  if (wanted_) start();
}

void Listener::take(int fd) {
  if (fd_ < 0) {
    ::close(fd);
    return;
  }
  TcpStream* stream = acceptor_.has_room() ? reactor_.adopt(fd) : nullptr;
  if (stream == nullptr) {
    acceptor_.on_accept_overflow(fd);
    ::close(fd);
    return;
  }
  acceptor_.on_accept(stream);
}

}  // namespace hyperion::io
