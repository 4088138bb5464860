#include "io/reactor.h"

#include <sys/resource.h>

#include <string>

#include <doctest/doctest.h>

#include "base/random.h"
#include "loopback.h"

namespace hyperion::io {
namespace {

using namespace test;

// Many streams that echo messages of random sizes, all at once.
class Mesh {
 public:
  Mesh(Loopback& loop, size_t streams, int rounds, size_t message_bytes)
      : loop_(loop), server_(loop), rounds_(rounds), message_bytes_(message_bytes) {
    server_.welcome = [](Peer& peer) {
      peer.read_hook = [&peer](std::string_view bytes) { peer.send(bytes); };
      peer.resume();
    };
    for (size_t i = 0; i < streams; ++i) clients_.push_back(std::make_unique<Client>(i));
    for (auto& client : clients_) start(*client);
  }

  bool run() {
    bool done = loop_.run_until([&] { return finished_ == clients_.size(); });
    for (auto& client : clients_) client->peer.terminate();
    for (auto& peer : server_.peers) peer->terminate();
    return loop_.run_until([&] { return loop_.reactor().streams_in_use() == 0; }) && done;
  }

 private:
  struct Client {
    explicit Client(uint64_t seed) : random(seed), sent(seed), expected(seed) {}
    Peer peer;
    Random random;
    Pattern sent;
    Pattern expected;
    int round = 0;
  };

  void start(Client& client) {
    client.peer.open_hook = [this, &client] { send_next(client); };
    client.peer.read_hook = [this, &client](std::string_view bytes) {
      REQUIRE(client.expected.matches(bytes));
      if (client.expected.position() < client.sent.position()) return;
      if (client.round < rounds_) {
        send_next(client);
      } else {
        ++finished_;
      }
    };
    connect_peer(loop_, server_.address, client.peer);
  }
  void send_next(Client& client) {
    ++client.round;
    client.peer.send(client.sent.next(1 + client.random.below(message_bytes_)));
  }

  Loopback& loop_;
  Server server_;
  int rounds_;
  size_t message_bytes_;
  size_t finished_ = 0;
  std::vector<std::unique_ptr<Client>> clients_;
};

TEST_CASE("reactor: fifty streams share two receive buffers") {
  ReactorSettings settings;
  settings.receive_buffer_count = 2;
  Loopback loop(settings);
  if (!loop.open()) return;
  CHECK(Mesh(loop, 50, 20, 20'000).run());
  CHECK(loop.reactor().statistics().starved > 0);
  CHECK(loop.reactor().receive_buffers().filled() == 0);
}

TEST_CASE("reactor: floods cannot keep the receive buffers from quiet streams") {
  ReactorSettings settings;
  settings.receive_buffer_count = 2;
  Loopback loop(settings);
  if (!loop.open()) return;
  Server server(loop);
  uint64_t flooded = 0;
  server.welcome = [&](Peer& peer) {
    peer.read_hook = [&](std::string_view bytes) { flooded += bytes.size(); };
    peer.resume();
  };
  // Two peers that always have more to read.
  Peer floods[2];
  for (Peer& flood : floods) {
    connect_peer(loop, server.address, flood);
    flood.written_hook = [&flood] {
      if (flood.stream->output().size_bytes() < 500'000) flood.send(std::string(500'000, 'f'));
    };
    flood.send(std::string(1'000'000, 'f'));
  }
  REQUIRE(loop.run_until([&] { return flooded > 1'000'000; }));
  size_t heard = 0;
  server.welcome = [&](Peer& peer) {
    peer.read_hook = [&](std::string_view bytes) { heard += bytes.size(); };
    peer.resume();
  };
  std::vector<std::unique_ptr<RawSocket>> quiet;
  for (int i = 0; i < 20; ++i) quiet.push_back(std::make_unique<RawSocket>(server.address));
  REQUIRE(loop.run_until([&] { return server.peers.size() == 22; }));
  constexpr size_t rounds = 10;
  for (size_t round = 1; round <= rounds; ++round) {
    for (auto& socket : quiet) socket->send("q");
    int turns = 0;
    for (; heard < round * quiet.size() && turns < 200; ++turns) loop.reactor().turn(false);
    CHECK(heard == round * quiet.size());
    CHECK(turns <= 40);
  }
  for (Peer& flood : floods) flood.terminate();
  for (auto& peer : server.peers) peer->terminate();
  REQUIRE(loop.run_until([&] { return loop.reactor().streams_in_use() == 0; }));
}

TEST_CASE("reactor: more completions than the queue holds are all seen") {
  for (bool optimistic : {true, false}) {
    ReactorSettings settings;
    settings.ring_entries = 4;  // 32 completions
    settings.optimistic_send = optimistic;
    Loopback loop(settings);
    if (!loop.open()) return;
    // Large messages: partial sends report themselves while the queue overflows.
    CHECK(Mesh(loop, 150, 2, 500'000).run());
    CHECK(loop.reactor().statistics().completion_overflows > 0);
  }
}

TEST_CASE("reactor: a few callbacks a turn are enough") {
  for (unsigned callbacks : {1u, 3u}) {
    ReactorSettings settings;
    settings.callbacks_per_turn_max = callbacks;
    Loopback loop(settings);
    if (!loop.open()) return;
    CHECK(Mesh(loop, 40, 10, 30'000).run());
  }
}

TEST_CASE("reactor: an idle shard does not turn") {
  for (bool optimistic : {true, false}) {
    ReactorSettings settings;
    settings.optimistic_send = optimistic;
    Loopback loop(settings);
    if (!loop.open()) return;
    Pair pair(loop);
    pair.accepted->resume();
    // A timer far away, a reader, a paused stream with bytes waiting, a send that nobody awaits.
    struct Far final : Timer {
      void on_timer() override {}
    } timer;
    loop.runtime().timers.arm(timer, loop.runtime().clock.now() + 600 * ns_per_s);
    pair.client.pause();
    pair.accepted->send("not read");
    pair.client.awaits = false;
    pair.client.send("ping");
    REQUIRE(loop.run_until([&] { return pair.accepted->received == "ping"; }));
    for (int i = 0; i < 5; ++i) loop.reactor().turn(false);
    uint64_t before = loop.reactor().statistics().turns;
    Mailbox mailbox;
    mailbox.start(loop.reactor());
    bool over = false;
    std::thread other([&] {
      usleep(300'000);  // the stretch of time that is looked at
      mailbox.post([&] { over = true; });
    });
    while (!over) loop.reactor().turn();
    other.join();
    CHECK(loop.reactor().statistics().turns - before <= 5);
    loop.runtime().timers.cancel(timer);
    mailbox.stop();
    REQUIRE(loop.run_until([&] { return mailbox.stopped(); }));
  }
}

TEST_CASE("reactor: who waits for on_written gets it without another event") {
  Loopback loop;
  if (!loop.open()) return;
  Pair pair(loop);
  // The other end does not read: no completion but the send's own end can wake the shard.
  pair.client.send("small");
  REQUIRE(loop.run_until([&] { return pair.client.written == 1; }));
  SUBCASE("a chain of small sends") {
    int left = 50;
    pair.client.written_hook = [&] {
      if (left-- > 0) pair.client.send("next");
    };
    pair.client.send("first");
    REQUIRE(loop.run_until([&] { return left < 0; }));
  }
  SUBCASE("finish after a send that nobody awaited") {
    pair.client.awaits = false;
    pair.client.send("small");
    loop.reactor().turn(false);  // the send is prepared
    pair.client.finish();
    pair.accepted->resume();
    REQUIRE(loop.run_until([&] { return pair.accepted->ended; }));
  }
  SUBCASE("more output after a send that nobody awaited") {
    pair.client.awaits = false;
    pair.client.send("small");
    loop.reactor().turn(false);
    pair.client.send("more");
    pair.accepted->resume();
    REQUIRE(loop.run_until([&] { return pair.accepted->received == "smallsmallmore"; }));
  }
  SUBCASE("terminate after a send that nobody awaited") {
    pair.client.awaits = false;
    pair.client.send("small");
    loop.reactor().turn(false);
    pair.client.terminate();
    REQUIRE(loop.run_until([&] { return pair.client.closed; }));
  }
}

TEST_CASE("reactor: a send that nobody awaits saves a wake-up") {
  if (!probe_capabilities().optimistic_send) return;
  uint64_t turns[2];
  for (int awaits = 0; awaits < 2; ++awaits) {
    Loopback loop;
    if (!loop.open()) return;
    Server server(loop);
    server.welcome = [&](Peer& peer) {
      peer.awaits = awaits != 0;
      peer.read_hook = [&peer](std::string_view bytes) { peer.send(bytes); };
      peer.resume();
    };
    RawSocket raw(server.address);
    REQUIRE(loop.run_until([&] { return server.peers.size() == 1; }));
    Peer& peer = *server.peers[0];
    uint64_t before = loop.reactor().statistics().turns;
    std::thread other([&] {
      char byte = 0;
      for (int i = 0; i < 200; ++i) {
        if (send(raw.fd(), "x", 1, MSG_NOSIGNAL) != 1 || recv(raw.fd(), &byte, 1, 0) != 1) break;
      }
      shutdown(raw.fd(), SHUT_WR);
    });
    CHECK(loop.run_until([&] { return peer.ended; }));
    other.join();
    CHECK(peer.reads == 200);
    turns[awaits] = loop.reactor().statistics().turns - before;
    peer.terminate();
    REQUIRE(loop.run_until([&] { return peer.closed; }));
  }
  CHECK(turns[0] < 250);
  CHECK(turns[1] > 350);
}

TEST_CASE("reactor: timers fire within a tick of their time, also after a long callback") {
  Loopback loop;
  if (!loop.open()) return;
  struct Alarm final : Timer {
    explicit Alarm(Loopback& world) : loop(world) {}
    void on_timer() override { fired_at = loop.reactor().clock().precise_now(); }
    Loopback& loop;
    Instant fired_at;
  } alarm(loop);
  Instant deadline = loop.reactor().clock().precise_now() + 20 * ns_per_ms;
  loop.runtime().timers.arm(alarm, deadline);
  REQUIRE(loop.run_until([&] { return static_cast<bool>(alarm.fired_at); }));
  CHECK(alarm.fired_at >= deadline);
}

TEST_CASE("reactor: the lag is how long the loop works, and not how long it waits") {
  Loopback loop;
  if (!loop.open()) return;
  // Works for a while and comes back after a pause.
  struct Worker final : Timer {
    explicit Worker(Loopback& world) : loop(world) {}
    void on_timer() override {
      const Clock& clock = loop.reactor().clock();
      const Instant until = clock.precise_now() + work_ns;
      while (clock.precise_now() < until) {
      }
      loop.runtime().timers.arm(*this, clock.precise_now() + pause_ns);
    }
    Loopback& loop;
    uint64_t work_ns = 0;
    uint64_t pause_ns = 0;
  } worker(loop);
  const auto run = [&](uint64_t work_ns, uint64_t pause_ns) {
    worker.work_ns = work_ns;
    worker.pause_ns = pause_ns;
    const Instant until = loop.reactor().clock().precise_now() + 1500 * ns_per_ms;
    loop.runtime().timers.arm(worker, loop.reactor().clock().now() + ns_per_ms);
    while (loop.reactor().clock().now() < until) loop.reactor().turn();
    return loop.reactor().lag().median_ns();
  };
  CHECK(run(30 * ns_per_ms, 5 * ns_per_ms) >= 30 * ns_per_ms);
  CHECK(run(0, 50 * ns_per_ms) < 30 * ns_per_ms);
  loop.runtime().timers.cancel(worker);
}

TEST_CASE("reactor: streams_max is a limit on both kinds of streams") {
  ReactorSettings settings;
  settings.streams_max = 3;
  Loopback loop(settings);
  if (!loop.open()) return;
  Server server(loop);
  Peer client;
  connect_peer(loop, server.address, client);
  REQUIRE(loop.run_until([&] { return client.opened && server.peers.size() == 1; }));
  RawSocket third(server.address);
  REQUIRE(loop.run_until([&] { return server.peers.size() == 2; }));
  Peer refused;
  CHECK(loop.reactor().connect(server.address, &refused) == nullptr);
  RawSocket fourth(server.address);
  REQUIRE(loop.run_until([&] { return server.overflows == 1; }));
  bool ended = false;
  REQUIRE(loop.run_until([&] {
    loop.reactor().turn(false);
    fourth.read_available(ended);
    return ended;
  }));
  // A slot that is free again is used again.
  server.peers[1]->terminate();
  REQUIRE(loop.run_until([&] { return server.peers[1]->closed; }));
  RawSocket fifth(server.address);
  REQUIRE(loop.run_until([&] { return server.peers.size() == 3; }));
  client.terminate();
  server.peers[0]->terminate();
  server.peers[2]->terminate();
  REQUIRE(loop.run_until([&] { return loop.reactor().streams_in_use() == 0; }));
}

TEST_CASE("reactor: stop ends run from within a callback") {
  Loopback loop;
  if (!loop.open()) return;
  Mailbox mailbox;
  mailbox.start(loop.reactor());
  mailbox.post([&] { loop.reactor().stop(); });
  loop.reactor().run();
  mailbox.stop();
  REQUIRE(loop.run_until([&] { return mailbox.stopped(); }));
}

}  // namespace
}  // namespace hyperion::io
