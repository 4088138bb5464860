// A TLS client and a TLS server over a pair of streams in memory, and handlers that keep what came.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include "support/certificates.h"
#include "support/memory_stream.h"
#include "tls/context.h"
#include "tls/problem.h"
#include "tls/tls_stream.h"

namespace hyperion::test {

// Keeps what a stream reported, and checks the rules every stream must keep.
class Recorder final : public io::StreamHandler {
 public:
  io::Stream* stream = nullptr;
  std::string received;
  Error end;
  int opens = 0;
  int ends = 0;
  int writtens = 0;
  int closes = 0;
  size_t reads = 0;
  // Run inside the callbacks, after the recording.
  std::function<void()> when_open, when_read, when_end, when_written;

  // Does `what` as the user of the stream; no callback may come meanwhile.
  void as_user(const std::function<void()>& what) {
    bool outer = in_user_call_;
    in_user_call_ = true;
    what();
    in_user_call_ = outer;
  }
  void send(std::string_view bytes) {
    as_user([&] {
      REQUIRE(stream->output().append_copy(bytes));
      stream->flush();
    });
  }
  void terminate() {
    as_user([&] { stream->terminate(); });
  }
  bool alive() const { return stream != nullptr; }

  void on_open() override {
    check_callback();
    ++opens;
    run(when_open);
  }
  void on_read(std::string_view bytes) override {
    check_callback();
    CHECK(!bytes.empty());
    CHECK(ends == 0);
    ++reads;
    received += bytes;
    run(when_read);
  }
  void on_end(Error error) override {
    check_callback();
    CHECK(error.code != ErrorCode::none);
    ++ends;
    end = error;
    CHECK(ends == 1);
    run(when_end);
  }
  void on_written() override {
    check_callback();
    ++writtens;
    run(when_written);
  }
  void on_closed() override {
    CHECK(stream != nullptr);
    CHECK(stream->terminated());
    CHECK(!in_user_call_);
    ++closes;
    CHECK(closes == 1);
    stream = nullptr;
  }

 private:
  void check_callback() {
    REQUIRE(stream != nullptr);
    CHECK(!in_user_call_);
    CHECK(!stream->terminated());
    CHECK(closes == 0);
  }
  // A hook may replace itself.
  static void run(std::function<void()>& hook) {
    if (!hook) return;
    std::function<void()> copy = hook;
    copy();
  }

  bool in_user_call_ = false;
};

// The two ends. Contexts trust and serve the generated certificates.
struct TlsPair {
  explicit TlsPair(const std::filesystem::path& certificates, const std::string& chain = "good",
                   const std::string& host = "good.test")
      : gate(world.clock, world.timers) {
    std::string error;
    client_context = tls::ClientContext::create({(certificates / "root.pem").string()}, gate, &error);
    REQUIRE_MESSAGE(client_context != nullptr, error);
    server_context = tls::ServerContext::create(
        {(certificates / (chain + ".chain.pem")).string(), (certificates / (chain + ".key")).string()},
        gate, &error);
    REQUIRE_MESSAGE(server_context != nullptr, error);
    under = world.make_pair();
    auto opened = tls::open_client(world.runtime, *client_context, under.client, host, &client);
    REQUIRE(static_cast<bool>(opened));
    client.stream = *opened;
    auto accepted = tls::accept_server(world.runtime, *server_context, under.server, &server);
    REQUIRE(static_cast<bool>(accepted));
    server.stream = *accepted;
    server.stream->resume_reading();
  }
  ~TlsPair() {
    if (client.alive()) client.terminate();
    if (server.alive()) server.terminate();
    world.run_until([this] { return world.streams() == 0; });
    CHECK(world.streams() == 0);
    CHECK(client.closes == 1);
    CHECK(server.closes == 1);
    CHECK(world.blocks.in_use() == 0);
  }

  bool handshake() {
    return world.run_until([this] {
      return (client.opens > 0 && server.opens > 0) || client.ends > 0 || server.ends > 0;
    });
  }

  MemoryWorld world;
  tls::HandshakeGate gate;
  std::unique_ptr<tls::ClientContext> client_context;
  std::unique_ptr<tls::ServerContext> server_context;
  MemoryWorld::Pair under;
  Recorder client;
  Recorder server;
};

}  // namespace hyperion::test
