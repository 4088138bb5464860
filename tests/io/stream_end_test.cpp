#include <cerrno>
#include <string>

#include <doctest/doctest.h>

#include "io/tcp_stream.h"
#include "loopback.h"

namespace hyperion::io {
namespace {

using namespace test;

TEST_CASE("stream: a reset is one on_end, connection_reset, whatever was in flight") {
  for (bool optimistic : both_kinds) {
    for (bool sending : {false, true}) {
      for (bool reading : {false, true}) {
        if (!sending && !reading) continue;
        INFO("optimistic ", optimistic, ", sending ", sending, ", reading ", reading);
        Loopback loop(settings_with(optimistic));
        if (!loop.open()) return;
        Server server(loop);
        RawSocket raw(server.address);
        REQUIRE(loop.run_until([&] { return server.peers.size() == 1; }));
        Peer& peer = *server.peers[0];
        if (reading) peer.resume();
        if (sending) peer.send(std::string(10'000'000, 'x'));
        for (int i = 0; i < 5; ++i) loop.reactor().turn(false);
        if (sending) CHECK(peer.stream->output().size_bytes() > 0);
        raw.reset();
        REQUIRE(loop.run_until([&] { return peer.ended; }));
        CHECK(peer.end.code == ErrorCode::connection_reset);
        CHECK((peer.end.system_errno == ECONNRESET || peer.end.system_errno == EPIPE));
        // Writing on is harmless and says nothing.
        peer.send("too late");
        for (int i = 0; i < 5; ++i) loop.reactor().turn(false);
        CHECK(peer.stream->output().empty());
        peer.terminate();
        REQUIRE(loop.run_until([&] { return peer.closed; }));
      }
    }
  }
}

TEST_CASE("stream: what a peer said before it reset is read before the end is told") {
  for (bool optimistic : both_kinds) {
    for (bool paused : {false, true}) {
      INFO("optimistic ", optimistic, ", paused ", paused);
      Loopback loop(settings_with(optimistic));
      if (!loop.open()) return;
      RawSocket listener;
      Address address = loopback_address();
      REQUIRE(bind(listener.fd(), address.get(), address.size) == 0);
      REQUIRE(listen(listener.fd(), 1) == 0);
      socklen_t size = sizeof(address.storage);
      getsockname(listener.fd(), reinterpret_cast<sockaddr*>(&address.storage), &size);
      Peer client;
      connect_peer(loop, address, client);
      client.send(std::string(20'000'000, 'b'));
      REQUIRE(loop.run_until([&] { return client.opened; }));
      for (int i = 0; i < 5; ++i) loop.reactor().turn(false);
      if (paused) client.pause();
      // A server that refuses the body: it answers, and closes with bytes unread, which resets.
      int server = accept(listener.fd(), nullptr, nullptr);
      REQUIRE(server >= 0);
      REQUIRE(send(server, "413 too large", 13, MSG_NOSIGNAL) == 13);
      close(server);
      REQUIRE(loop.run_until([&] { return client.ended; }));
      if (!paused) CHECK(client.received == "413 too large");
      CHECK(client.end.code == ErrorCode::connection_reset);
      CHECK(client.stream->output().empty());
      client.terminate();
      REQUIRE(loop.run_until([&] { return client.closed; }));
    }
  }
}

TEST_CASE("stream: after the peer's FIN writing goes on, and FIN follows the last byte") {
  for (bool optimistic : both_kinds) {
    Loopback loop(settings_with(optimistic));
    if (!loop.open()) return;
    Server server(loop);
    RawSocket raw(server.address);
    raw.send("request");
    shutdown(raw.fd(), SHUT_WR);
    REQUIRE(loop.run_until([&] { return server.peers.size() == 1; }));
    Peer& peer = *server.peers[0];
    peer.resume();
    REQUIRE(loop.run_until([&] { return peer.ended; }));
    CHECK(peer.received == "request");
    CHECK(peer.end.code == ErrorCode::end_of_stream);
    Pattern pattern(1);
    peer.send(pattern.next(3'000'000));
    peer.finish();
    Pattern expected(1);
    bool ended = false;
    REQUIRE(loop.run_until([&] {
      loop.reactor().turn(false);
      CHECK(expected.matches(raw.read_available(ended)));
      return ended;
    }));
    CHECK(expected.position() == 3'000'000);
    peer.terminate();
    REQUIRE(loop.run_until([&] { return peer.closed; }));
  }
}

TEST_CASE("stream: one that breaks after its clean end drops its queue and says so") {
  for (bool optimistic : both_kinds) {
    Loopback loop(settings_with(optimistic));
    if (!loop.open()) return;
    Server server(loop);
    RawSocket raw(server.address);
    shutdown(raw.fd(), SHUT_WR);
    REQUIRE(loop.run_until([&] { return server.peers.size() == 1; }));
    Peer& peer = *server.peers[0];
    peer.resume();
    REQUIRE(loop.run_until([&] { return peer.ended; }));
    peer.send(std::string(20'000'000, 'x'));
    for (int i = 0; i < 5; ++i) loop.reactor().turn(false);
    REQUIRE_FALSE(peer.stream->output().empty());
    raw.reset();
    // Whoever waits for the queue to fall goes on, once for each time it had filled it.
    REQUIRE(loop.run_until([&] { return peer.stream->output().empty(); }));
    int written = peer.written;
    CHECK(written > 0);
    peer.send("more");
    REQUIRE(loop.run_until([&] { return peer.written > written; }));
    CHECK(peer.stream->output().empty());
    peer.terminate();
    REQUIRE(loop.run_until([&] { return peer.closed; }));
  }
}

TEST_CASE("stream: terminate ends with FIN, reset with a reset, also with a send in flight") {
  for (bool optimistic : both_kinds) {
    for (bool reset : {false, true}) {
      for (bool sending : {false, true}) {
        INFO("optimistic ", optimistic, ", reset ", reset, ", sending ", sending);
        Loopback loop(settings_with(optimistic));
        if (!loop.open()) return;
        Server server(loop);
        RawSocket raw(server.address);
        REQUIRE(loop.run_until([&] { return server.peers.size() == 1; }));
        Peer& peer = *server.peers[0];
        peer.resume();
        peer.send(sending ? std::string(20'000'000, 'x') : "done");
        for (int i = 0; i < 5; ++i) loop.reactor().turn(false);
        reset ? peer.reset() : peer.terminate();
        peer.reset();
        peer.terminate();
        REQUIRE(loop.run_until([&] { return peer.closed; }));
        std::string taken(65'536, '\0');
        ssize_t size = 0;
        while ((size = recv(raw.fd(), taken.data(), taken.size(), 0)) > 0) {
        }
        CHECK(size == (reset ? -1 : 0));
        if (reset) CHECK(errno == ECONNRESET);
        CHECK(loop.runtime().blocks.in_use() == 0);
      }
    }
  }
}

TEST_CASE("stream: a refused connection ends with connect_failed and its errno") {
  Loopback loop;
  if (!loop.open()) return;
  RawSocket unused;
  Address address = loopback_address();
  REQUIRE(bind(unused.fd(), address.get(), address.size) == 0);
  socklen_t size = sizeof(address.storage);
  getsockname(unused.fd(), reinterpret_cast<sockaddr*>(&address.storage), &size);
  Peer client;
  connect_peer(loop, address, client);
  client.send("never sent");
  REQUIRE(loop.run_until([&] { return client.ended; }));
  CHECK_FALSE(client.opened);
  CHECK(client.end.code == ErrorCode::connect_failed);
  CHECK(client.end.system_errno == ECONNREFUSED);
  client.resume();
  client.flush();
  for (int i = 0; i < 3; ++i) loop.reactor().turn(false);
  client.terminate();
  REQUIRE(loop.run_until([&] { return client.closed; }));
  CHECK(loop.reactor().streams_in_use() == 0);
  CHECK(loop.runtime().blocks.in_use() == 0);
}

TEST_CASE("stream: output and FIN asked for before the connection is open follow it") {
  for (bool with_output : {true, false}) {
    Loopback loop;
    if (!loop.open()) return;
    Server server(loop);
    server.welcome = [](Peer& peer) { peer.resume(); };
    Peer client;
    connect_peer(loop, server.address, client);
    if (with_output) client.send("early");
    client.finish();
    loop.reactor().deferred().run_all();  // a turn that ends before the connection is open
    REQUIRE(loop.run_until([&] { return server.peers.size() == 1 && server.peers[0]->ended; }));
    CHECK(server.peers[0]->received == (with_output ? "early" : ""));
    CHECK(client.opened);
    client.terminate();
    server.peers[0]->terminate();
    REQUIRE(loop.run_until([&] { return client.closed && server.peers[0]->closed; }));
  }
}

TEST_CASE("stream: FIN comes after everything that was queued, each part sent on its own") {
  for (bool optimistic : both_kinds) {
    Loopback loop(settings_with(optimistic));
    if (!loop.open()) return;
    Pair pair(loop);
    pair.accepted->resume();
    int sent = 0;
    pair.client.written_hook = [&] {
      if (!pair.client.stream->output().empty()) return;
      if (++sent < 5) {
        pair.client.send("part ");
      } else if (sent == 5) {
        pair.client.send("last");
        pair.client.finish();
      }
    };
    pair.client.send("part ");
    REQUIRE(loop.run_until([&] { return pair.accepted->ended; }));
    CHECK(pair.accepted->received == "part part part part part last");
    CHECK(pair.accepted->end.code == ErrorCode::end_of_stream);
  }
}

}  // namespace
}  // namespace hyperion::io
