// A pool in the simulated world: providers that are told what to do, and users of connections.
//
// A PoolWorld counts which addresses were dialled, and says for each whether it takes the
// connection, refuses it or stays silent. A Provider is the far end of one connection: it collects
// what it gets and answers whole requests by itself where it was told to. A User is a borrower and
// the reader of the answer; it notes what it was told. Nothing here sleeps: time is the world's.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "sim/world.h"
#include "upstream/pool.h"

namespace hyperion::test {

class PoolWorld;

class Provider final : public sim::SimPeer {
 public:
  Provider(PoolWorld& world, sim::SimStream& end) : stream(&end), world_(world) {}
  ~Provider() override;

  void on_bytes(std::string_view bytes) override;
  void on_gateway_closed(bool) override {}
  void answer(const std::string& text) { stream->deliver(text); }

  sim::SimStream* stream;
  size_t requests = 0;

 private:
  PoolWorld& world_;
  std::string received_;
};

inline const std::string good_answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

class PoolWorld final : public io::Transport {
 public:
  explicit PoolWorld(uint64_t seed = 1)
      : world(seed), runtime{world.clock(),  world.timers(),         world.runtime().deferred,
                             world.blocks(), world.runtime().random, *this} {
    describe(provider);
  }
  ~PoolWorld() override { close(); }

  static void describe(catalog::Provider& provider) {
    provider.name = "acme";
    provider.base_url = {false, "127.0.0.1", true, 80, "/v1", "127.0.0.1"};
    provider.connections.connections_warm = 0;
    provider.connections.connections_per_shard_max = 4;
    provider.connections.connection_idle_ms = 60'000;
  }

  // Made when it is first asked for, of what `provider` says then.
  upstream::Pool& pool() {
    if (pool_ == nullptr) {
      pool_ = std::make_unique<upstream::Pool>(runtime, provider, limits, nullptr, "");
    }
    return *pool_;
  }

  // Everything ends and nothing is left. Users must have let go of their connections.
  void close() {
    if (pool_ == nullptr) return;
    pool_->close_all();
    CHECK(run_until([&] { return pool_->connection_count() == 0; }));
    pool_.reset();
    for (int i = 0; i < 10'000 && world.streams_alive() > 0; ++i) world.step();
    CHECK(world.streams_alive() == 0);
    CHECK(world.timers().armed_count() == 0);
    CHECK(world.blocks().in_use() == 0);
  }

  bool run_until(const std::function<bool()>& done) {
    world.after(0, [] {});  // a turn, for what the test has done since the last one
    for (int i = 0; i < 100'000; ++i) {
      if (done()) return true;
      if (!world.step()) return done();
    }
    return false;
  }
  void run_for(uint64_t ms) {
    bool over = false;
    world.after(ms * ns_per_ms, [&over] { over = true; });
    run_until([&over] { return over; });
  }
  uint64_t now_ms() { return world.clock().now().ns / ns_per_ms; }

  io::Stream* connect(const io::Address& address, io::StreamHandler* handler) override {
    const std::string text = address.text();
    dialled.push_back(text);
    dialled_at_ms.push_back(now_ms());
    auto* stream = new sim::SimStream(world, handler);
    if (refuses != nullptr && refuses(text)) {
      stream->refuse(ErrorCode::connect_failed);
      return stream;
    }
    auto peer = std::make_unique<Provider>(*this, *stream);
    providers.push_back(peer.get());
    Provider* raw = peer.get();
    stream->attach(raw, std::move(peer));
    if (silent == nullptr || !silent(text)) stream->open();
    return stream;
  }

  sim::World world;
  io::Runtime runtime;
  catalog::Provider provider;
  http::Limits limits;
  std::string answers = good_answer;  // to each whole request; empty: the test answers
  std::function<bool(const std::string&)> refuses;
  std::function<bool(const std::string&)> silent;
  std::vector<std::string> dialled;
  std::vector<uint64_t> dialled_at_ms;
  std::vector<Provider*> providers;  // alive, oldest first
  size_t lendings = 0;

 private:
  std::unique_ptr<upstream::Pool> pool_;
};

inline Provider::~Provider() { std::erase(world_.providers, this); }

inline void Provider::on_bytes(std::string_view bytes) {
  received_ += bytes;
  for (size_t end; (end = received_.find("\r\n\r\n")) != std::string::npos;) {
    received_.erase(0, end + 4);
    ++requests;
    if (!world_.answers.empty()) answer(world_.answers);
  }
}

class User final : public upstream::Borrower, public upstream::ResponseHandler {
 public:
  explicit User(PoolWorld& world) : world_(world), arena_(world.world.blocks(), 256 * 1024) {}

  // Borrows and sends one request, now or when a connection comes.
  void ask(bool fresh = false) {
    status = 0;
    complete = failed = false;
    error = {};
    body.clear();
    arena_.reset();
    if (upstream::Connection* got = world_.pool().borrow(*this, fresh)) on_borrowed(got);
  }
  bool done() const { return complete || failed; }
  bool served() const { return complete && status == 200; }

  void on_borrowed(upstream::Connection* lent) override {
    connection = lent;
    was_reused = lent->reused();
    lending = ++world_.lendings;
    lent->begin(this, arena_);
    lent->output().append_copy("GET /v1/models HTTP/1.1\r\nhost: acme\r\n\r\n");
    lent->flush();
  }
  void on_borrow_failed(Error reason) override { end(reason); }
  void on_response_head(const http::ResponseHead& head) override { status = head.status; }
  void on_response_body(std::string_view bytes) override { body += bytes; }
  void on_response_complete(bool) override {
    complete = true;
    connection = nullptr;
  }
  void on_response_failed(Error reason, bool) override { end(reason); }
  void on_released() override { ++releases; }

  upstream::Connection* connection = nullptr;  // while it is lent
  bool was_reused = false;
  size_t lending = 0;  // which one in the world it had, from 1
  uint16_t status = 0;
  std::string body;
  bool complete = false;
  bool failed = false;
  Error error;
  int releases = 0;

 private:
  void end(Error reason) {
    failed = true;
    error = reason;
    connection = nullptr;
  }

  PoolWorld& world_;
  Arena arena_;
};

}  // namespace hyperion::test
