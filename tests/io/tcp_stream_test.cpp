#include "io/tcp_stream.h"

#include <algorithm>
#include <cerrno>
#include <deque>
#include <string>

#include <doctest/doctest.h>

#include "base/random.h"
#include "loopback.h"

namespace hyperion::io {
namespace {

using namespace test;

TEST_CASE("stream: what is sent arrives, and the answer comes back") {
  for (bool optimistic : both_kinds) {
    Loopback loop(settings_with(optimistic));
    if (!loop.open()) return;
    Pair pair(loop);
    Peer& server = *pair.accepted;
    server.read_hook = [&](std::string_view bytes) { server.send(bytes); };
    server.resume();
    for (int i = 0; i < 20; ++i) {
      pair.client.send("hello");
      REQUIRE(loop.run_until([&] { return pair.client.received.size() == 5; }));
      CHECK(pair.client.received == "hello");
      pair.client.received.clear();
    }
    const ReactorStatistics& statistics = loop.reactor().statistics();
    CHECK(statistics.sends == 40);
    CHECK(statistics.sends_silent == (optimistic ? 40 : 0));
  }
}

// Sends `total` bytes of a pattern, at most `backlog` of them queued, some copied, some referenced.
class Source {
 public:
  Source(Peer& peer, uint64_t seed, uint64_t total, size_t backlog)
      : peer_(peer), random_(seed), pattern_(seed), total_(total), backlog_(backlog) {}

  void fill() {
    WriteQueue& output = peer_.stream->output();
    while (pattern_.position() < total_ && output.size_bytes() < backlog_) {
      size_t size = 1 + random_.below(random_.chance(1, 8) ? 100'000 : 3'000);
      size = std::min<size_t>(size, total_ - pattern_.position());
      if (random_.chance(1, 2)) {
        REQUIRE(output.append_copy(pattern_.next(size)));
      } else {
        pinned_.push_back(pattern_.next(size));
        REQUIRE(output.append_reference(pinned_.back()));
      }
    }
    // Referenced bytes are needed until they have left the queue.
    if (output.empty()) pinned_.clear();
    peer_.flush();
    if (pattern_.position() == total_ && !finished_) {
      finished_ = true;
      peer_.finish();
    }
  }

 private:
  Peer& peer_;
  Random random_;
  Pattern pattern_;
  uint64_t total_;
  size_t backlog_;
  bool finished_ = false;
  std::deque<std::string> pinned_;
};

// Checks a pattern; now and then stops reading, to go on a few turns later.
class Sink {
 public:
  Sink(Peer& peer, uint64_t seed) : peer_(peer), random_(seed + 99), pattern_(seed) {}

  void take(std::string_view bytes) {
    REQUIRE(pattern_.matches(bytes));
    if (!random_.chance(1, 8)) return;
    peer_.pause();
    paused_turns_ = 1 + random_.below(5);
  }
  // Between turns.
  void tick() {
    if (paused_turns_ == 0 || --paused_turns_ > 0) return;
    peer_.resume();
  }
  bool paused() const { return paused_turns_ > 0; }
  uint64_t received() const { return pattern_.position(); }

 private:
  Peer& peer_;
  Random random_;
  Pattern pattern_;
  uint64_t paused_turns_ = 0;
};

void transfer_both_ways(Loopback& loop, uint64_t total, size_t backlog) {
  Pair pair(loop);
  Peer* peers[2] = {&pair.client, pair.accepted};
  std::vector<std::unique_ptr<Source>> sources;
  std::vector<std::unique_ptr<Sink>> sinks;
  for (uint64_t i = 0; i < 2; ++i) {
    Peer& peer = *peers[i];
    sources.push_back(std::make_unique<Source>(peer, i, total, backlog));
    sinks.push_back(std::make_unique<Sink>(peer, 1 - i));
    peer.written_hook = [source = sources[i].get()] { source->fill(); };
    peer.read_hook = [sink = sinks[i].get()](std::string_view bytes) { sink->take(bytes); };
    sources[i]->fill();
    peer.resume();
  }
  REQUIRE(loop.run_until([&] {
    // A turn may sleep only when nobody waits for this loop to resume.
    while (sinks[0]->paused() || sinks[1]->paused()) {
      loop.reactor().turn(false);
      for (auto& sink : sinks) sink->tick();
    }
    return peers[0]->ended && peers[1]->ended;
  }));
  for (int i = 0; i < 2; ++i) {
    CHECK(sinks[static_cast<size_t>(i)]->received() == total);
    CHECK(peers[i]->end.code == ErrorCode::end_of_stream);
  }
}

TEST_CASE("stream: large transfers both ways, with pauses, lose and reorder nothing") {
  for (bool optimistic : both_kinds) {
    for (size_t backlog : {size_t{20'000}, size_t{1'000'000}}) {
      INFO("optimistic ", optimistic, ", backlog ", backlog);
      Loopback loop(settings_with(optimistic));
      if (!loop.open()) return;
      transfer_both_ways(loop, 12'000'000, backlog);
    }
  }
}

TEST_CASE("stream: small rings, few buffers and few callbacks a turn change nothing") {
  struct Row {
    const char* name;
    ReactorSettings settings;
  };
  std::vector<Row> rows;
  for (bool optimistic : both_kinds) {
    ReactorSettings settings = settings_with(optimistic);
    settings.ring_entries = 4;
    rows.push_back({"4 ring entries", settings});
    settings = settings_with(optimistic);
    settings.receive_buffer_count = 2;
    settings.receive_buffer_size_bytes = 4096;
    rows.push_back({"2 small buffers", settings});
    settings = settings_with(optimistic);
    settings.callbacks_per_turn_max = 1;
    rows.push_back({"1 callback a turn", settings});
    settings.ring_entries = 4;
    settings.receive_buffer_count = 2;
    rows.push_back({"all of it", settings});
    settings = settings_with(optimistic);
    settings.busy_poll_us = 20;
    rows.push_back({"busy poll", settings});
  }
  for (const Row& row : rows) {
    INFO(std::string(row.name), ", optimistic ", row.settings.optimistic_send);
    Loopback loop(row.settings);
    if (!loop.open()) return;
    transfer_both_ways(loop, 3'000'000, 200'000);
  }
}

TEST_CASE("stream: a flood is held back by a pause and loses nothing") {
  for (bool optimistic : both_kinds) {
    Loopback loop(settings_with(optimistic));
    if (!loop.open()) return;
    Pair pair(loop);
    Peer& server = *pair.accepted;
    constexpr uint64_t total = 8'000'000;
    Source source(pair.client, 5, total, 4'000'000);
    pair.client.written_hook = [&] { source.fill(); };
    source.fill();
    Pattern expected(5);
    bool paused = true;
    uint64_t after_pause = 0;
    uint64_t after_pause_most = 0;
    server.read_hook = [&](std::string_view bytes) {
      REQUIRE(expected.matches(bytes));
      if (paused) after_pause += bytes.size();
      if (!paused) server.pause();
      paused = true;
    };
    size_t pauses = 0;
    while (!server.ended) {
      ++pauses;
      paused = false;
      after_pause = 0;
      int before = server.reads;
      server.resume();
      REQUIRE(loop.run_until([&] { return server.reads != before || server.ended; }));
      // Quiet is reached in a few turns; then nothing more comes.
      for (int i = 0; i < 10; ++i) loop.reactor().turn(false);
      uint64_t quiet = expected.position();
      for (int i = 0; i < 10; ++i) loop.reactor().turn(false);
      CHECK(expected.position() == quiet);
      after_pause_most = std::max(after_pause_most, after_pause);
    }
    CHECK(expected.position() == total);
    CHECK(pauses > 1);
    CHECK(after_pause_most <= 256u * 16 * 1024);  // all receive buffers of the shard
  }
}

TEST_CASE("stream: the handler can change between callbacks") {
  Loopback loop;
  if (!loop.open()) return;
  Pair pair(loop);
  Peer second;
  pair.accepted->read_hook = [&](std::string_view) { pair.accepted->stream->set_handler(&second); };
  pair.accepted->resume();
  pair.client.send("first");
  REQUIRE(loop.run_until([&] { return pair.accepted->reads == 1; }));
  pair.client.send("second");
  REQUIRE(loop.run_until([&] { return second.reads == 1; }));
  CHECK(second.received == "second");
  pair.accepted->stream->set_handler(pair.accepted);
}

TEST_CASE("stream: an accepted stream can be terminated without a handler") {
  Loopback loop;
  if (!loop.open()) return;
  struct Refuser final : Acceptor {
    void on_accept(Stream* stream) override {
      stream->terminate();
      ++refused;
    }
    void on_accept_overflow(int) override {}
    int refused = 0;
  } refuser;
  Listener listener(loop.reactor(), refuser);
  REQUIRE(listener.open(loopback_address(), 16) == "");
  listener.start();
  RawSocket raw(listener.address());
  bool ended = false;
  REQUIRE(loop.run_until([&] {
    loop.reactor().turn(false);
    raw.read_available(ended);
    return ended;
  }));
  CHECK(refuser.refused == 1);
  CHECK(loop.reactor().streams_in_use() == 0);
  listener.close();
  REQUIRE(loop.run_until([&] { return listener.closed(); }));
}

TEST_CASE("stream: works over unix sockets") {
  Loopback loop;
  if (!loop.open()) return;
  std::string path = "/tmp/unix-stream-test-" + std::to_string(getpid());
  struct Collect final : Acceptor {
    void on_accept(Stream* stream) override {
      peer.take(stream);
      peer.resume();
    }
    void on_accept_overflow(int) override {}
    Peer peer;
  } collect;
  Listener listener(loop.reactor(), collect);
  Address address = Address::parse("unix:" + path).value();
  REQUIRE(listener.open(address, 16) == "");
  listener.start();
  Peer client;
  connect_peer(loop, address, client);
  Pattern pattern(3);
  client.send(pattern.next(1'000'000));
  client.finish();
  REQUIRE(loop.run_until([&] { return collect.peer.ended; }));
  CHECK(collect.peer.received == Pattern(3).next(1'000'000));
  CHECK(collect.peer.end.code == ErrorCode::end_of_stream);
  client.terminate();
  collect.peer.terminate();
  listener.close();
  REQUIRE(
      loop.run_until([&] { return client.closed && collect.peer.closed && listener.closed(); }));
  unlink(path.c_str());
}

}  // namespace
}  // namespace hyperion::io
