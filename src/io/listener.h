// One listening socket of one shard.
//
// Every shard has its own socket on the same address (SO_REUSEPORT), so the kernel spreads
// connections and shards share nothing; few long connections can therefore sit on few cores.
// Accepting is one multishot operation. Without descriptors (EMFILE) it pauses and tries again;
// `pause` and `resume` are for overload, `finish` is for the drain: what clients have opened by
// then still comes to the acceptor. That one gets a Stream whose reading is paused. A socket may be
// shared with another process, which accepts from it too. Fails only in `open`, with a sentence for
// people.
#pragma once

#include <string>

#include "io/operation.h"
#include "io/reactor.h"
#include "io/tcp_stream.h"

namespace hyperion::io {

class Acceptor {
 public:
  // Takes over `stream`: set its handler and start reading, or terminate it.
  virtual void on_accept(Stream* stream) = 0;
  // Asked before a connection is taken over.
  virtual bool has_room() { return true; }
  // There is no room, or the shard's limit of streams is reached: `fd` is a connected socket;
  // answer if you like. It is closed after the call.
  virtual void on_accept_overflow(int fd) = 0;

 protected:
  ~Acceptor() = default;
};

class Listener {
 public:
  Listener(Reactor& reactor, Acceptor& acceptor) : reactor_(reactor), acceptor_(acceptor) {}
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener();

  // Binds and listens; an error is a whole sentence with the remedy, empty on success.
  std::string open(const Address& address, int backlog);
  // The same without a Listener: a bound socket to be adopted on another thread, or -1 and
  // `problem`. No connection comes to it before `listen_on`, which returns the problem.
  static int bind_socket(const Address& address, std::string& problem);
  static std::string listen_on(int fd, int backlog);
  // Takes a listening socket.
  void adopt(int fd) { fd_ = fd; }
  int descriptor() const { return fd_; }
  void start();
  // Stops accepting; what is queued in the kernel stays there. Connections that had been accepted
  // by then still come to the acceptor.
  void pause();
  void resume() { start(); }
  // Takes what is in the kernel's queue, then closes. For a socket that is shared with another
  // process this leaves nothing behind of which only we were told.
  void finish();
  // Stops and closes; nothing comes to the acceptor any more. The listener must outlive the turn in
  // which its operation ends: see `closed`.
  void close();
  bool closed() const { return fd_ < 0 && !accept_.armed(); }
  // The address really bound (port 0 replaced).
  Address address() const { return address_of(fd_); }
  static Address address_of(int fd);

 private:
  void on_accepted(int32_t result, uint32_t flags);
  void on_retry();
  void arm();
  void take(int fd);
  void take_rest(bool failed);

  // How long accepting pauses when the process has no descriptors left, or the socket fails.
  static constexpr uint64_t retry_ms = 100;
  // `finish` gives up on a queue that is filled faster than it is taken.
  static constexpr int rests_max = 64;

  Reactor& reactor_;
  Acceptor& acceptor_;
  int fd_ = -1;
  bool wanted_ = false;
  bool finishing_ = false;
  int rests_ = 0;
  MemberOperation<Listener, &Listener::on_accepted> accept_{this};
  MemberTimer<Listener, &Listener::on_retry> retry_{this};
};

}  // namespace hyperion::io
