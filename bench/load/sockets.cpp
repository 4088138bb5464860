#include "load/sockets.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace hyperion::bench {

namespace {

constexpr int listen_backlog = 4096;
constexpr int connect_timeout_seconds = 5;

sockaddr_in loopback_address(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int close_and_fail(int descriptor) {
  const int error = errno;
  close(descriptor);
  errno = error;
  return -1;
}

void send_at_once(int descriptor) {
  const int on = 1;
  setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

}  // namespace

int listen_on_loopback(uint16_t& port) {
  const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return -1;
  const int on = 1;
  setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address = loopback_address(port);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (bind(descriptor, generic, size) != 0) return close_and_fail(descriptor);
  if (listen(descriptor, listen_backlog) != 0) return close_and_fail(descriptor);
  if (getsockname(descriptor, generic, &size) != 0) return close_and_fail(descriptor);
  port = ntohs(address.sin_port);
  return descriptor;
}

int accept_connection(int listener) {
  const int descriptor = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (descriptor >= 0) send_at_once(descriptor);
  return descriptor;
}

int connect_to_loopback(uint16_t port) {
  const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return -1;
  const timeval timeout{connect_timeout_seconds, 0};
  setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
  sockaddr_in address = loopback_address(port);
  if (connect(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    return close_and_fail(descriptor);
  }
  fcntl(descriptor, F_SETFL, O_NONBLOCK);
  send_at_once(descriptor);
  return descriptor;
}

size_t raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_max;
}

bool Outbox::send(int descriptor, std::string_view bytes) {
  if (!empty()) {
    kept_.append(bytes);
    return true;
  }
  const ssize_t sent = ::send(descriptor, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent < 0 && errno != EAGAIN && errno != EINTR) return false;
  const size_t taken = sent < 0 ? 0 : static_cast<size_t>(sent);
  if (taken < bytes.size()) {
    kept_.assign(bytes.substr(taken));
    sent_ = 0;
  }
  return true;
}

bool Outbox::flush(int descriptor) {
  const ssize_t sent =
      ::send(descriptor, kept_.data() + sent_, kept_.size() - sent_, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent < 0) return errno == EAGAIN || errno == EINTR;
  sent_ += static_cast<size_t>(sent);
  if (empty()) {
    kept_.clear();
    sent_ = 0;
  }
  return true;
}

}  // namespace hyperion::bench
