#include "io/listener.h"

#include <fcntl.h>
#include <sys/resource.h>

#include <string>

#include <doctest/doctest.h>

#include "loopback.h"

namespace hyperion::io {
namespace {

using namespace test;

void close_all(Loopback& loop, Server& server) {
  for (auto& peer : server.peers) {
    if (!peer->terminated) peer->terminate();
  }
  REQUIRE(loop.run_until([&] { return loop.reactor().streams_in_use() == 0; }));
}

TEST_CASE("listener: accepts every connection of a burst") {
  Loopback loop;
  if (!loop.open()) return;
  Server server(loop);
  std::vector<std::unique_ptr<RawSocket>> sockets;
  for (int i = 0; i < 200; ++i) sockets.push_back(std::make_unique<RawSocket>(server.address));
  REQUIRE(loop.run_until([&] { return server.peers.size() == 200; }));
  close_all(loop, server);
}

TEST_CASE("listener: without descriptors it waits, and accepts when there are some again") {
  Loopback loop;
  if (!loop.open()) return;
  Server server(loop);
  std::vector<std::unique_ptr<RawSocket>> sockets;
  for (int i = 0; i < 4; ++i) sockets.push_back(std::make_unique<RawSocket>());
  // The lowest free descriptor is now the limit: none is left.
  int lowest = dup(0);
  REQUIRE(lowest > 0);
  close(lowest);
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  rlimit none = before;
  none.rlim_cur = static_cast<rlim_t>(lowest);
  REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
  for (auto& socket : sockets) {
    REQUIRE(connect(socket->fd(), server.address.get(), server.address.size) == 0);
  }
  uint64_t turns_before = loop.reactor().statistics().turns;
  for (int i = 0; i < 10; ++i) loop.reactor().turn(false);
  CHECK(server.peers.empty());
  CHECK(loop.runtime().timers.armed_count() == 1);
  // It does not spin meanwhile: the next turns sleep until the retry.
  Instant start = loop.reactor().clock().precise_now();
  while (loop.runtime().timers.armed_count() == 1 &&
         elapsed_ns(start, loop.reactor().clock().precise_now()) < 5 * ns_per_s) {
    loop.reactor().turn();
  }
  CHECK(loop.reactor().statistics().turns - turns_before < 40);
  setrlimit(RLIMIT_NOFILE, &before);
  REQUIRE(loop.run_until([&] { return server.peers.size() == 4; }));
  close_all(loop, server);
}

TEST_CASE("listener: an acceptor without room gets the socket, which is closed after the call") {
  Loopback loop;
  if (!loop.open()) return;
  Server server(loop);
  server.room = false;
  RawSocket raw(server.address);
  bool ended = false;
  REQUIRE(loop.run_until([&] {
    loop.reactor().turn(false);
    raw.read_available(ended);
    return ended;
  }));
  CHECK(server.overflows == 1);
  CHECK(server.peers.empty());
  CHECK(loop.reactor().streams_in_use() == 0);
  server.room = true;
  RawSocket second(server.address);
  REQUIRE(loop.run_until([&] { return server.peers.size() == 1; }));
  close_all(loop, server);
}

TEST_CASE("listener: paused, it leaves connections in the kernel; resumed, it takes them") {
  Loopback loop;
  if (!loop.open()) return;
  Server server(loop);
  server.listener().pause();
  for (int i = 0; i < 5; ++i) loop.reactor().turn(false);
  RawSocket first(server.address);
  RawSocket second(server.address);
  for (int i = 0; i < 5; ++i) loop.reactor().turn(false);
  CHECK(server.peers.empty());
  server.listener().resume();
  REQUIRE(loop.run_until([&] { return server.peers.size() == 2; }));
  // At once after each other, in either order.
  server.listener().pause();
  server.listener().resume();
  RawSocket third(server.address);
  REQUIRE(loop.run_until([&] { return server.peers.size() == 3; }));
  close_all(loop, server);
}

TEST_CASE("listener: a pause in on_accept loses none of the connections accepted by then") {
  Loopback loop;
  if (!loop.open()) return;
  Server server(loop);
  loop.reactor().turn(false);
  server.welcome = [&](Peer&) { server.listener().pause(); };
  std::vector<std::unique_ptr<RawSocket>> sockets;
  for (int i = 0; i < 50; ++i) sockets.push_back(std::make_unique<RawSocket>(server.address));
  for (int i = 0; i < 10; ++i) loop.reactor().turn(false);
  size_t accepted = server.peers.size();
  CHECK(accepted >= 1);
  for (int i = 0; i < 10; ++i) loop.reactor().turn(false);
  CHECK(server.peers.size() == accepted);
  server.welcome = nullptr;
  server.listener().resume();
  REQUIRE(loop.run_until([&] { return server.peers.size() == 50; }));
  for (auto& socket : sockets) {
    bool ended = false;
    socket->read_available(ended);
    CHECK_FALSE(ended);
  }
  close_all(loop, server);
}

TEST_CASE("listener: closed with connections on their way, it hands over none and leaks none") {
  for (bool in_callback : {false, true}) {
    Loopback loop;
    if (!loop.open()) return;
    Server server(loop);
    loop.reactor().turn(false);
    std::vector<std::unique_ptr<RawSocket>> sockets;
    for (int i = 0; i < 20; ++i) sockets.push_back(std::make_unique<RawSocket>(server.address));
    if (in_callback) {
      server.welcome = [&](Peer&) { server.listener().close(); };
      REQUIRE(loop.run_until([&] { return server.listener().closed(); }));
      CHECK(server.peers.size() == 1);
    } else {
      server.listener().close();
      REQUIRE(loop.run_until([&] { return server.listener().closed(); }));
      CHECK(server.peers.empty());
    }
    size_t ended_count = 0;
    for (auto& socket : sockets) {
      bool ended = false;
      char byte = 0;
      ssize_t size = recv(socket->fd(), &byte, 1, MSG_DONTWAIT);
      ended = size == 0 || (size < 0 && errno != EAGAIN);
      ended_count += ended ? 1 : 0;
    }
    CHECK(ended_count == sockets.size() - server.peers.size());
    close_all(loop, server);
  }
}

TEST_CASE("listener: finishing, it takes what the kernel has queued, then closes by itself") {
  for (bool paused : {false, true}) {
    Loopback loop;
    if (!loop.open()) return;
    Server server(loop);
    for (int i = 0; i < 3; ++i) loop.reactor().turn(false);
    if (paused) {
      server.listener().pause();
      for (int i = 0; i < 3; ++i) loop.reactor().turn(false);
    }
    std::vector<std::unique_ptr<RawSocket>> sockets;
    for (int i = 0; i < 50; ++i) sockets.push_back(std::make_unique<RawSocket>(server.address));
    server.listener().finish();
    REQUIRE(loop.run_until([&] { return server.listener().closed(); }));
    CHECK(server.peers.size() == 50);
    RawSocket late;
    CHECK(connect(late.fd(), server.address.get(), server.address.size) != 0);
    close_all(loop, server);
  }
}

// The kernel wakes one of those who wait at a socket. If that one ends, the connection is its own.
TEST_CASE("listener: finishing on a shared socket loses no connection between the two") {
  Loopback loop;
  if (!loop.open()) return;
  Server server(loop);
  Listener second(loop.reactor(), server);
  second.adopt(fcntl(server.listener().descriptor(), F_DUPFD_CLOEXEC, 0));
  second.start();
  for (int i = 0; i < 3; ++i) loop.reactor().turn(false);
  std::vector<std::unique_ptr<RawSocket>> sockets;
  for (int i = 0; i < 3; ++i) sockets.push_back(std::make_unique<RawSocket>(server.address));
  server.listener().finish();
  REQUIRE(loop.run_until([&] { return server.listener().closed(); }));
  REQUIRE(loop.run_until([&] { return server.peers.size() == 3; }));
  sockets.push_back(std::make_unique<RawSocket>(server.address));
  REQUIRE(loop.run_until([&] { return server.peers.size() == 4; }));
  second.close();
  REQUIRE(loop.run_until([&] { return second.closed(); }));
  close_all(loop, server);
}

TEST_CASE("listener: closed while it finishes, it hands over nothing more") {
  Loopback loop;
  if (!loop.open()) return;
  Server server(loop);
  server.listener().pause();
  for (int i = 0; i < 3; ++i) loop.reactor().turn(false);
  std::vector<std::unique_ptr<RawSocket>> sockets;
  for (int i = 0; i < 20; ++i) sockets.push_back(std::make_unique<RawSocket>(server.address));
  server.welcome = [&](Peer&) { server.listener().close(); };
  server.listener().finish();
  REQUIRE(loop.run_until([&] { return server.listener().closed(); }));
  CHECK(server.peers.size() == 1);
  close_all(loop, server);
}

TEST_CASE("listener: a socket that cannot accept is tried again now and then, not all the time") {
  Loopback loop;
  if (!loop.open()) return;
  struct Nobody final : Acceptor {
    void on_accept(Stream*) override { FAIL("nothing can be accepted"); }
    void on_accept_overflow(int) override {}
  } nobody;
  Listener listener(loop.reactor(), nobody);
  RawSocket not_listening;
  listener.adopt(dup(not_listening.fd()));
  listener.start();
  for (int i = 0; i < 10; ++i) loop.reactor().turn(false);
  CHECK(loop.runtime().timers.armed_count() == 1);
  listener.close();
  CHECK(loop.runtime().timers.armed_count() == 0);
  REQUIRE(loop.run_until([&] { return listener.closed(); }));
}

TEST_CASE("listener: an address in use, foreign or forbidden is a sentence with a remedy") {
  Loopback loop;
  if (!loop.open()) return;
  Server server(loop);
  struct Nobody final : Acceptor {
    void on_accept(Stream*) override {}
    void on_accept_overflow(int) override {}
  } nobody;
  RawSocket other;
  Address address = loopback_address();
  REQUIRE(bind(other.fd(), address.get(), address.size) == 0);
  REQUIRE(listen(other.fd(), 1) == 0);
  socklen_t size = sizeof(address.storage);
  getsockname(other.fd(), reinterpret_cast<sockaddr*>(&address.storage), &size);
  Listener listener(loop.reactor(), nobody);
  std::string problem = listener.open(address, 16);
  CHECK(problem.find(address.text()) != std::string::npos);
  CHECK(problem.find("Another program has this port") != std::string::npos);
  problem = listener.open(Address::from_ip("192.0.2.1", 0).value(), 16);
  CHECK(problem.find("No interface") != std::string::npos);
}

TEST_CASE("listener: shards share one address") {
  Loopback loop;
  if (!loop.open()) return;
  Server first(loop);
  struct Nobody final : Acceptor {
    void on_accept(Stream*) override {}
    void on_accept_overflow(int) override {}
  } nobody;
  Listener second(loop.reactor(), nobody);
  CHECK(second.open(first.address, 16) == "");
  CHECK(second.address().text() == first.address.text());
}

}  // namespace
}  // namespace hyperion::io
