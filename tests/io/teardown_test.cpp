// Terminating a stream is right at every point of its life.
//
// One conversation is run many times. Run number n terminates one of its two streams in the n-th
// callback, or after the n-th turn, until a run comes to its end undisturbed. Peers check the rules
// of io/stream.h meanwhile (nothing after `terminate` but one `on_closed`, never from inside a
// call); at the end no stream and no block may be left.
#include <string>

#include <doctest/doctest.h>

#include "loopback.h"

namespace hyperion::io {
namespace {

using namespace test;

enum class Where : uint8_t { in_callback, after_turn };

class Conversation {
 public:
  Conversation(Loopback& loop, Where where, int moment, bool kill_client)
      : loop_(loop), where_(where), moment_(moment), kill_client_(kill_client), server_(loop) {
    server_.welcome = [this](Peer& peer) { welcome(peer); };
    client_.open_hook = [this] { callback(); };
    client_.read_hook = [this](std::string_view bytes) {
      answer_bytes_ += bytes.size();
      callback();
    };
    client_.written_hook = [this] { callback(); };
    client_.end_hook = [this] {
      callback();
      if (!client_.terminated) client_.terminate();
    };
    connect_peer(loop, server_.address, client_);
    // More than the sockets hold, so that sends are in flight while the other end waits.
    client_.send(std::string(request_bytes, 'q'));
  }

  // False when the moment never came: the conversation ended before.
  bool run() {
    // Turns that only look come first, so that a kill can fall between any two of them.
    while (!over() && turns_ < 2000 && !killed_) {
      loop_.reactor().turn(false);
      if (where_ == Where::after_turn && turns_ == moment_) kill();
      ++turns_;
    }
    REQUIRE(loop_.run_until([&] { return over(); }));
    CHECK(loop_.reactor().streams_in_use() == 0);
    CHECK(loop_.runtime().blocks.in_use() == 0);
    if (!killed_) CHECK(answer_bytes_ == request_bytes);
    return killed_;
  }

 private:
  static constexpr size_t request_bytes = 6'000'000;

  void welcome(Peer& peer) {
    // Killed before it was accepted: this end still has to be closed.
    peer.read_hook = [this, &peer](std::string_view bytes) {
      peer.send(bytes);
      request_bytes_seen_ += bytes.size();
      if (request_bytes_seen_ == request_bytes) peer.finish();
      callback();
    };
    peer.written_hook = [this] { callback(); };
    peer.end_hook = [this, &peer] {
      callback();
      if (!peer.terminated) peer.terminate();
    };
    peer.resume();
    callback();
  }

  bool over() const {
    if (!client_.closed) return false;
    if (server_.peers.empty()) return killed_ && turns_ > 20;
    // The client closes first; the server's end may have to be told by the test.
    Peer& peer = *server_.peers[0];
    if (!peer.terminated) peer.terminate();
    return peer.closed;
  }

  void callback() {
    if (where_ == Where::in_callback && callbacks_++ == moment_) kill();
  }

  void kill() {
    if (kill_client_ && !client_.terminated) {
      killed_ = true;
      client_.terminate();
      client_.terminate();
      client_.flush();
      client_.pause();
      client_.finish();
    }
    if (kill_client_ || server_.peers.empty()) return;
    Peer& peer = *server_.peers[0];
    if (peer.terminated) return;
    killed_ = true;
    peer.terminate();
    peer.flush();
    peer.resume();
  }

  Loopback& loop_;
  Where where_;
  int moment_;
  bool kill_client_;
  bool killed_ = false;
  int callbacks_ = 0;
  int turns_ = 0;
  size_t request_bytes_seen_ = 0;
  size_t answer_bytes_ = 0;
  Server server_;
  Peer client_;
};

void run_every_moment(const ReactorSettings& settings) {
  for (Where where : {Where::in_callback, Where::after_turn}) {
    for (bool kill_client : {true, false}) {
      int kills = 0;
      for (int moment = 0; moment < 5000;) {
        INFO("moment ", moment, ", client ", kill_client, ", in callback ",
             where == Where::in_callback);
        Loopback loop(settings);
        if (!loop.open()) return;
        Conversation conversation(loop, where, moment, kill_client);
        if (!conversation.run()) {
          // Before the other end is there, there is nothing to kill yet.
          if (moment > 8) break;
        } else {
          ++kills;
        }
        moment += moment < 60 ? 1 : 1 + moment / 8;
      }
      CHECK(kills > 10);
    }
  }
}

TEST_CASE("teardown: at every moment, with optimistic sends") { run_every_moment({}); }

TEST_CASE("teardown: at every moment, with ordinary sends") {
  ReactorSettings settings;
  settings.optimistic_send = false;
  run_every_moment(settings);
}

TEST_CASE("teardown: at every moment, with a small ring and one callback a turn") {
  ReactorSettings settings;
  settings.ring_entries = 4;
  settings.receive_buffer_count = 4;
  settings.callbacks_per_turn_max = 1;
  run_every_moment(settings);
}

TEST_CASE("teardown: a new stream may take the slot at once, in on_closed") {
  Loopback loop;
  if (!loop.open()) return;
  Server server(loop);
  std::vector<std::unique_ptr<Peer>> clients;
  std::function<void()> open_next = [&] {
    clients.push_back(std::make_unique<Peer>());
    Peer& client = *clients.back();
    connect_peer(loop, server.address, client);
    // Half of them die while connecting, half once open.
    if (clients.size() % 2 == 0) {
      client.terminate();
    } else {
      client.open_hook = [&client] { client.terminate(); };
    }
    client.closed_hook = [&] {
      if (clients.size() < 200) open_next();
    };
  };
  open_next();
  REQUIRE(loop.run_until([&] { return clients.size() == 200 && clients.back()->closed; }));
  for (auto& peer : server.peers) peer->terminate();
  REQUIRE(loop.run_until([&] { return loop.reactor().streams_in_use() == 0; }));
}

TEST_CASE("teardown: terminate outside a turn needs no other event") {
  Loopback loop;
  if (!loop.open()) return;
  Server server(loop);
  RawSocket raw(server.address);
  REQUIRE(loop.run_until([&] { return server.peers.size() == 1; }));
  Peer& peer = *server.peers[0];
  peer.terminate();  // nothing is armed on it
  REQUIRE(loop.run_until([&] { return peer.closed; }));
}

}  // namespace
}  // namespace hyperion::io
