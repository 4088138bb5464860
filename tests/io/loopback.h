// Real streams over loopback sockets, in one thread and one reactor.
//
// A Loopback is a reactor with a watchdog; a Server accepts into Peers; a Peer is one end of a
// stream that records what happens to it and checks the rules that io/stream.h promises to every
// user. Tests hang hooks on Peers and run turns until something is true. Nothing here sleeps: when
// a test waits for an event that never comes, the watchdog's thread wakes the reactor after a
// generous time and the test fails. No timer is armed, so a wake-up that was lost is not made good
// by one.
#pragma once

#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "base/random.h"
#include "io/listener.h"
#include "io/mailbox.h"
#include "io/reactor.h"
#include "support/shared_data.h"

namespace hyperion::io::test {

// Every rule holds with optimistic sends and without.
inline constexpr bool both_kinds[] = {true, false};

inline ReactorSettings settings_with(bool optimistic) {
  ReactorSettings settings;
  settings.optimistic_send = optimistic;
  return settings;
}

inline Address loopback_address(uint16_t port = 0) {
  return Address::from_ip("127.0.0.1", port).value();
}

class Loopback {
 public:
  explicit Loopback(const ReactorSettings& settings = {}) : reactor_(settings, 1) {}
  ~Loopback() {
    if (!open_) return;
    watchdog_.stop();
    while (!watchdog_.stopped()) reactor_.turn();
    reactor_.turn(false);
  }

  // False, and the case counted as skipped, where there is no io_uring.
  bool open() {
    Refusal refusal = reactor_.open();
    if (refusal) {
      hyperion::test::skip_case(refusal.what);
      return false;
    }
    open_ = true;
    watchdog_.start(reactor_);
    reactor_.turn(false);
    return true;
  }

  // Runs turns until `condition` holds. False when it never did.
  template <class Condition>
  bool run_until(Condition condition) {
    bool expired = false;
    int done = eventfd(0, EFD_CLOEXEC);
    std::thread guard([&] {
      pollfd event{done, POLLIN, 0};
      if (poll(&event, 1, patience_ms) == 0) watchdog_.post([&] { expired = true; });
    });
    while (!condition() && !expired) reactor_.turn();
    eventfd_write(done, 1);
    guard.join();
    close(done);
    bool held = !expired;
    reactor_.turn(false);  // a message of the guard that came too late must not outlive `expired`
    return held;
  }

  Reactor& reactor() { return reactor_; }
  Runtime& runtime() { return reactor_.runtime(); }

 private:
  static constexpr int patience_ms = 60'000;

  Reactor reactor_;
  Mailbox watchdog_;
  bool open_ = false;
};

// One end of a stream.
class Peer final : public StreamHandler {
 public:
  Peer() = default;
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  ~Peer() { CHECK((stream == nullptr || closed)); }

  void take(Stream* taken) {
    stream = taken;
    stream->set_handler(this);
  }

  // What a test does to the stream; no callback may come from inside.
  void send(std::string_view bytes) {
    guarded([&] {
      REQUIRE(stream->output().append_copy(bytes));
      stream->flush();
    });
  }
  void flush() {
    guarded([&] { stream->flush(); });
  }
  void resume() {
    guarded([&] { stream->resume_reading(); });
  }
  void pause() {
    guarded([&] { stream->pause_reading(); });
  }
  void finish() {
    guarded([&] { stream->finish_writing(); });
  }
  void terminate() {
    if (closed) return;
    terminated = true;
    guarded([&] { stream->terminate(); });
    CHECK(stream->terminated());
  }

  void reset() {
    if (closed) return;
    terminated = true;
    guarded([&] { stream->reset(); });
    CHECK(stream->terminated());
  }

  void on_open() override {
    check_alive();
    CHECK_FALSE(opened);
    opened = true;
    if (open_hook) open_hook();
  }
  void on_read(std::string_view bytes) override {
    check_alive();
    CHECK_FALSE(ended);
    CHECK_FALSE(bytes.empty());
    ++reads;
    if (read_hook) {
      read_hook(bytes);
    } else {
      received.append(bytes);
    }
  }
  void on_end(Error error) override {
    check_alive();
    CHECK_FALSE(ended);
    CHECK(static_cast<bool>(error));
    ended = true;
    end = error;
    if (end_hook) end_hook();
  }
  void on_written() override {
    check_alive();
    CHECK_FALSE((ended && end.code != ErrorCode::end_of_stream));
    ++written;
    if (written_hook) written_hook();
  }
  bool awaits_written() const override { return awaits; }
  void on_closed() override {
    CHECK_FALSE(inside_call_);
    CHECK(terminated);
    CHECK_FALSE(closed);
    closed = true;
    if (closed_hook) closed_hook();
  }

  Stream* stream = nullptr;
  std::string received;
  bool opened = false;
  bool ended = false;
  bool closed = false;
  bool terminated = false;
  bool awaits = true;
  Error end;
  int reads = 0;
  int written = 0;
  std::function<void()> open_hook;
  std::function<void(std::string_view)> read_hook;
  std::function<void()> end_hook;
  std::function<void()> written_hook;
  std::function<void()> closed_hook;

 private:
  template <class Call>
  void guarded(Call call) {
    bool outer = std::exchange(inside_call_, true);
    call();
    inside_call_ = outer;
  }
  void check_alive() const {
    CHECK_FALSE(inside_call_);
    CHECK_FALSE(terminated);
    CHECK_FALSE(closed);
  }

  bool inside_call_ = false;
};

// Accepts into Peers, which `welcome` prepares.
class Server final : public Acceptor {
 public:
  explicit Server(Loopback& loopback) : loopback_(loopback), listener_(loopback.reactor(), *this) {
    std::string problem = listener_.open(loopback_address(), 512);
    REQUIRE(problem == "");
    address = listener_.address();
    listener_.start();
  }
  ~Server() {
    listener_.close();
    CHECK(loopback_.run_until([&] { return listener_.closed(); }));
  }

  void on_accept(Stream* stream) override {
    peers.push_back(std::make_unique<Peer>());
    peers.back()->take(stream);
    if (welcome) welcome(*peers.back());
  }
  bool has_room() override { return room; }
  void on_accept_overflow(int fd) override {
    CHECK(fd >= 0);
    ++overflows;
  }
  Listener& listener() { return listener_; }

  Address address;
  std::vector<std::unique_ptr<Peer>> peers;
  bool room = true;
  int overflows = 0;
  std::function<void(Peer&)> welcome;

 private:
  Loopback& loopback_;
  Listener listener_;
};

inline void connect_peer(Loopback& loopback, const Address& address, Peer& peer) {
  Stream* stream = loopback.reactor().connect(address, &peer);
  REQUIRE(stream != nullptr);
  peer.stream = stream;
}

// A client and a server Peer of one connection.
struct Pair {
  explicit Pair(Loopback& loopback) : loop(loopback), server(loopback) {
    connect_peer(loop, server.address, client);
    REQUIRE(loop.run_until([&] { return client.opened && server.peers.size() == 1; }));
    accepted = server.peers[0].get();
  }
  // Every test ends here: both ends close, nothing is left.
  ~Pair() {
    client.terminate();
    accepted->terminate();
    CHECK(loop.run_until([&] { return client.closed && accepted->closed; }));
    CHECK(loop.reactor().streams_in_use() == 0);
    CHECK(loop.runtime().blocks.in_use() == 0);
  }

  Loopback& loop;
  Server server;
  Peer client;
  Peer* accepted = nullptr;
};

// A plain socket, for peers that do what no Stream does.
class RawSocket {
 public:
  RawSocket() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) { REQUIRE(fd_ >= 0); }
  explicit RawSocket(const Address& address) : RawSocket() {
    REQUIRE(::connect(fd_, address.get(), address.size) == 0);
  }
  RawSocket(const RawSocket&) = delete;
  RawSocket& operator=(const RawSocket&) = delete;
  ~RawSocket() {
    if (fd_ >= 0) ::close(fd_);
  }
  int fd() const { return fd_; }
  void close() { ::close(std::exchange(fd_, -1)); }
  void reset() {
    linger now{1, 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    close();
  }
  void send(std::string_view bytes) {
    REQUIRE(::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(bytes.size()));
  }
  // What has arrived by now; `ended` is set at the end of the stream.
  std::string read_available(bool& ended) {
    std::string text;
    char part[65536];
    ssize_t size = 0;
    while ((size = recv(fd_, part, sizeof(part), MSG_DONTWAIT)) > 0) {
      text.append(part, static_cast<size_t>(size));
    }
    ended = size == 0;
    return text;
  }

 private:
  int fd_;
};

// A stream of bytes in which every position is known, so that loss and disorder show. It repeats
// after a prime number of bytes, which no buffer size divides.
class Pattern {
 public:
  explicit Pattern(uint64_t seed) : shift_(seed * 7919 % period) {}
  std::string next(size_t size) {
    std::string text;
    text.reserve(size);
    while (text.size() < size) {
      std::string_view run = run_from(position_, size - text.size());
      text.append(run);
      position_ += run.size();
    }
    return text;
  }
  // Whether `bytes` are what comes next.
  bool matches(std::string_view bytes) {
    while (!bytes.empty()) {
      std::string_view run = run_from(position_, bytes.size());
      if (!bytes.starts_with(run)) return false;
      position_ += run.size();
      bytes.remove_prefix(run.size());
    }
    return true;
  }
  uint64_t position() const { return position_; }

 private:
  static constexpr uint64_t period = 65'521;

  static const std::string& table() {
    static const std::string bytes = [] {
      Random random(1);
      std::string text;
      for (uint64_t i = 0; i < period; ++i) text += static_cast<char>(random.next() >> 56);
      return text;
    }();
    return bytes;
  }
  std::string_view run_from(uint64_t position, size_t most) const {
    return std::string_view(table()).substr((position + shift_) % period, most);
  }

  uint64_t shift_;
  uint64_t position_ = 0;
};

}  // namespace hyperion::io::test
