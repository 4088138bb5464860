// TLS over real sockets and a real ring: the two layers of streams fit each other.
#include <memory>
#include <string>

#include <doctest/doctest.h>

#include "io/listener.h"
#include "io/loopback.h"
#include "support/certificates.h"
#include "tls/context.h"
#include "tls/problem.h"
#include "tls/tls_stream.h"

using namespace hyperion;
using io::test::Loopback;
using io::test::loopback_address;
using io::test::Peer;

namespace {

// One server stream and one client stream on one reactor.
struct TlsOverTcp final : private io::Acceptor {
  TlsOverTcp(Loopback& running, const std::filesystem::path& certificates, const std::string& chain)
      : loop(running),
        gate(loop.runtime().clock, loop.runtime().timers),
        listener(loop.reactor(), *this) {
    std::string error;
    client_context = tls::ClientContext::create({certificates / "root.pem"}, gate, &error);
    REQUIRE_MESSAGE(client_context != nullptr, error);
    server_context = tls::ServerContext::create(
        {certificates / (chain + ".chain.pem"), certificates / (chain + ".key")}, gate, &error);
    REQUIRE_MESSAGE(server_context != nullptr, error);
    REQUIRE(listener.open(loopback_address(), 8) == "");
    listener.start();
    open_client(listener.address());
  }
  ~TlsOverTcp() {
    if (client.stream != nullptr) client.terminate();
    if (server.stream != nullptr) server.terminate();
    listener.close();
    CHECK(
        loop.run_until([&] { return listener.closed() && loop.reactor().streams_in_use() == 0; }));
  }

  void open_client(const io::Address& address) {
    io::Stream* under = loop.runtime().transport.connect(address, &client);
    REQUIRE(under != nullptr);
    client.take(*tls::open_client(loop.runtime(), *client_context, under, "good.test", &client));
  }
  void on_accept(io::Stream* under) override {
    server.take(*tls::accept_server(loop.runtime(), *server_context, under, &server));
    server.resume();
  }
  void on_accept_overflow(int) override { FAIL("no stream left"); }

  Loopback& loop;
  tls::HandshakeGate gate;
  io::Listener listener;
  std::unique_ptr<tls::ClientContext> client_context;
  std::unique_ptr<tls::ServerContext> server_context;
  Peer client;
  Peer server;
};

std::string pattern(size_t size) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 2654435761u >> 24);
  return bytes;
}

}  // namespace

TEST_CASE("megabytes both ways over loopback, then a clean end") {
  const auto& certificates = test::test_certificates();
  if (certificates.empty()) return;
  Loopback loop;
  if (!loop.open()) return;
  TlsOverTcp pair(loop, certificates, "good");
  REQUIRE(loop.run_until([&] { return pair.client.opened && pair.server.opened; }));
  const std::string bytes = pattern(5'000'000);
  pair.client.send(bytes);
  pair.server.send(bytes);
  REQUIRE(loop.run_until([&] {
    return pair.server.received.size() == bytes.size() &&
           pair.client.received.size() == bytes.size();
  }));
  CHECK(pair.server.received == bytes);
  CHECK(pair.client.received == bytes);
  REQUIRE(loop.run_until([&] {
    return pair.client.stream->output().empty() && pair.server.stream->output().empty();
  }));
  CHECK(loop.runtime().blocks.in_use() == 0);
  pair.client.finish();
  REQUIRE(loop.run_until([&] { return pair.server.ended; }));
  CHECK(pair.server.end.code == ErrorCode::end_of_stream);
  pair.server.finish();
  REQUIRE(loop.run_until([&] { return pair.client.ended; }));
  CHECK(pair.client.end.code == ErrorCode::end_of_stream);
}

TEST_CASE("a paused reader over loopback holds the sender back") {
  const auto& certificates = test::test_certificates();
  if (certificates.empty()) return;
  Loopback loop;
  if (!loop.open()) return;
  TlsOverTcp pair(loop, certificates, "good");
  REQUIRE(loop.run_until([&] { return pair.client.opened && pair.server.opened; }));
  pair.server.pause();
  const std::string bytes = pattern(20'000'000);
  pair.client.send(bytes);
  // Until nothing moves any more: what fits is in the sockets, the rest waits here.
  size_t waiting = 0;
  for (int quiet = 0; quiet < 50;) {
    loop.reactor().turn(false);
    const size_t now = pair.client.stream->output().size_bytes();
    quiet = now == waiting ? quiet + 1 : 0;
    waiting = now;
  }
  CHECK(waiting > 5'000'000);
  CHECK(pair.server.received.size() <= 64 * 1024);
  pair.server.resume();
  REQUIRE(loop.run_until([&] { return pair.server.received.size() == bytes.size(); }));
  CHECK(pair.server.received == bytes);
}

TEST_CASE("a refused certificate over loopback ends both sides, the server by an alert") {
  const auto& certificates = test::test_certificates();
  if (certificates.empty()) return;
  Loopback loop;
  if (!loop.open()) return;
  TlsOverTcp pair(loop, certificates, "wronghost");
  REQUIRE(loop.run_until([&] { return pair.client.ended && pair.server.ended; }));
  CHECK(tls::problem_of(pair.client.end) == tls::Problem::certificate_wrong_name);
  CHECK(tls::problem_of(pair.server.end) == tls::Problem::alert_from_peer);
}
