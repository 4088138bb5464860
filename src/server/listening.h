// The sockets this process listens on: bound by itself, or inherited from the process before it.
//
// Owned by the Server, used by the main thread. Every shard has a socket of its own on a public
// address (SO_REUSEPORT); the admin address has one. A queue of connections belongs to its socket
// and dies with the last process that holds it, so every inherited socket of an address that the
// conf still names is accepted from, whatever the number of shards is now: spread over the shards
// when there are more of them, completed by new ones when there are fewer. Binding is apart from
// listening: until `listen` no connection comes, so one that cannot start has lost none. Fails with
// sentences for people.
#pragma once

#include <string>
#include <vector>

#include "config/config.h"
#include "server/shard.h"

namespace hyperion::server {

// How an address of the conf is served; the values are those of the hand-over's messages.
enum class Service : char { plain = 'p', tls = 't', admin = 'a' };

// An address as the conf names it, and its sockets, each of which has its own queue.
struct HeldAddress {
  Service service = Service::plain;
  std::string text;
  std::vector<int> sockets;
};

class ListeningSockets {
 public:
  explicit ListeningSockets(std::vector<HeldAddress> inherited = {});
  ~ListeningSockets();  // removes the paths of unix listeners that are ours
  ListeningSockets(const ListeningSockets&) = delete;
  ListeningSockets& operator=(const ListeningSockets&) = delete;

  // Binds or takes from the inherited what the conf names. Empty on success.
  std::string open(const config::Settings& settings, size_t shard_count);
  // From now on connections come; the inherited ones had never stopped.
  std::string listen(int backlog);

  const std::vector<ListeningSocket>& of_shard(size_t shard) const { return by_shard_[shard]; }
  const std::vector<HeldAddress>& held() const { return held_; }
  // For each address that was inherited: is it used?
  const std::vector<bool>& taken() const { return taken_; }
  // Another process has these of `held` now: their paths stay when this one ends.
  void leave(const std::vector<bool>& taken);
  // Where it really listens (port 0 replaced), for the start-up message.
  const std::vector<std::string>& texts() const { return texts_; }

 private:
  std::string open_one(const io::Address& wanted, Service service);
  HeldAddress* inherit(const io::Address& wanted, Service service);

  std::vector<HeldAddress> inherited_;
  std::vector<bool> taken_;
  std::vector<HeldAddress> held_;
  std::vector<std::vector<ListeningSocket>> by_shard_;
  std::vector<std::string> texts_;
  std::vector<std::string> paths_;  // by address held: to be removed at the end, or empty
};

}  // namespace hyperion::server
