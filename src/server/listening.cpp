#include "server/listening.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "io/listener.h"

namespace hyperion::server {
namespace {

bool is_path(const io::Address& address) { return address.storage.ss_family == AF_UNIX; }

std::string path_of(const io::Address& address) {
  constexpr size_t scheme_size = 5;  // unix:
  return is_path(address) ? address.text().substr(scheme_size) : "";
}

// A socket with SO_REUSEPORT would quietly share the port with another Hyperion: one without it
// tells. Empty: nobody listens there.
std::string check_free(const io::Address& address) {
  int probe = socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int on = 1;
  setsockopt(probe, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (address.storage.ss_family == AF_INET6)
    setsockopt(probe, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
  // A path that nobody listens on was left behind by a process that died.
  bool left_behind =
      is_path(address) && connect(probe, address.get(), address.size) != 0 && errno == ECONNREFUSED;
  if (left_behind) unlink(path_of(address).c_str());
  bool busy =
      address.port() != 0 && bind(probe, address.get(), address.size) != 0 && errno == EADDRINUSE;
  close(probe);
  if (!busy) return {};
  return "cannot listen on " + address.text() +
         ": Address already in use. Another program has this port: stop it, or set another address "
         "under [server] listen.";
}

}  // namespace

ListeningSockets::ListeningSockets(std::vector<HeldAddress> inherited)
    : inherited_(std::move(inherited)), taken_(inherited_.size(), false) {}

ListeningSockets::~ListeningSockets() {
  for (const std::string& path : paths_) {
    if (!path.empty()) unlink(path.c_str());
  }
}

std::string ListeningSockets::open(const config::Settings& settings, size_t shard_count) {
  by_shard_.resize(shard_count);
  std::string problem;
  for (const io::Address& address : settings.server.listen) {
    if (problem.empty()) problem = open_one(address, Service::plain);
  }
  for (const io::Address& address : settings.tls.listen) {
    if (problem.empty()) problem = open_one(address, Service::tls);
  }
  if (problem.empty() && settings.admin.listen.size != 0)
    problem = open_one(settings.admin.listen, Service::admin);
  for (size_t i = 0; i < inherited_.size(); ++i) {
    if (taken_[i]) continue;
    for (int fd : inherited_[i].sockets) close(fd);
  }
  return problem;
}

// The same address may be served in another way now. Port 0 says nothing about which is meant.
HeldAddress* ListeningSockets::inherit(const io::Address& wanted, Service service) {
  bool unmistakable = wanted.port() != 0 || is_path(wanted);
  for (size_t i = 0; i < inherited_.size(); ++i) {
    const HeldAddress& one = inherited_[i];
    if (taken_[i] || one.text != wanted.text() || one.sockets.empty()) continue;
    if (!unmistakable && one.service != service) continue;
    taken_[i] = true;
    return &inherited_[i];
  }
  return nullptr;
}

std::string ListeningSockets::open_one(const io::Address& wanted, Service service) {
  size_t shard_count = service == Service::admin ? 1 : by_shard_.size();
  // A path can be bound once: its shards share the socket.
  size_t socket_count = is_path(wanted) ? 1 : shard_count;
  HeldAddress held{service, wanted.text(), {}};
  io::Address address = wanted;
  std::string problem;
  const HeldAddress* inherited = inherit(wanted, service);
  if (inherited != nullptr) {
    held.sockets = inherited->sockets;
    address = io::Listener::address_of(held.sockets[0]);
  } else {
    problem = check_free(wanted);
    if (!problem.empty()) return problem;
  }
  while (held.sockets.size() < socket_count) {
    int fd = io::Listener::bind_socket(address, problem);
    if (fd < 0) return problem;
    held.sockets.push_back(fd);
    address = io::Listener::address_of(fd);
  }
  ListeningSocket socket;
  socket.side =
      service == Service::admin ? gateway::Listening::admin_side : gateway::Listening::public_side;
  socket.tls = service == Service::tls;
  for (size_t i = 0; i < std::max(shard_count, held.sockets.size()); ++i) {
    socket.fd =
        i < held.sockets.size() ? held.sockets[i] : fcntl(held.sockets[0], F_DUPFD_CLOEXEC, 0);
    if (socket.fd < 0) return "no descriptors are left for the listeners: raise `ulimit -n`.";
    by_shard_[i % shard_count].push_back(socket);
  }
  texts_.push_back((socket.tls ? "https://" : "http://") + address.text() +
                   (service == Service::admin ? " (admin)" : ""));
  // An inherited path is its owner's until we listen.
  paths_.push_back(inherited == nullptr ? path_of(address) : "");
  held_.push_back(std::move(held));
  return {};
}

std::string ListeningSockets::listen(int backlog) {
  for (size_t i = 0; i < held_.size(); ++i) {
    for (int fd : held_[i].sockets) {
      std::string problem = io::Listener::listen_on(fd, backlog);
      if (!problem.empty()) return problem;
    }
    paths_[i] = path_of(io::Listener::address_of(held_[i].sockets[0]));
  }
  return {};
}

void ListeningSockets::leave(const std::vector<bool>& taken) {
  for (size_t i = 0; i < std::min(taken.size(), paths_.size()); ++i) {
    if (taken[i]) paths_[i].clear();
  }
}

}  // namespace hyperion::server
