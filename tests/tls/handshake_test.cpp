// Handshakes: who is verified, how many a turn, what is agreed.
#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "tls/tls_pair.h"
#include "tls/tls_stream.h"

using namespace hyperion;
using namespace hyperion::test;

TEST_CASE("a client without a name to verify is refused, and the inner stream stays the caller's") {
  const auto& certificates = test_certificates();
  if (certificates.empty()) return;
  TlsPair pair(certificates);
  auto under = pair.world.make_pair();
  Recorder inner;
  Recorder other;
  Recorder handler;
  inner.stream = under.client;
  under.client->set_handler(&inner);
  other.stream = under.server;
  under.server->set_handler(&other);
  for (std::string_view host :
       {std::string_view(""), std::string_view("."), std::string_view("*"),
        std::string_view("good.test:443"), std::string_view("good.test\0", 10),
        std::string_view("https://good.test")}) {
    auto opened =
        tls::open_client(pair.world.runtime, *pair.client_context, under.client, host, &handler);
    CHECK_FALSE(static_cast<bool>(opened));
    CHECK(opened.error().code == ErrorCode::invalid);
  }
  pair.world.run_until_idle();
  CHECK(inner.opens == 1);
  inner.terminate();
  other.terminate();
  pair.world.run_until_idle();
}

TEST_CASE("a certificate for another name is refused, and the server is told by an alert") {
  const auto& certificates = test_certificates();
  if (certificates.empty()) return;
  TlsPair pair(certificates, "wronghost");
  REQUIRE(pair.handshake());
  REQUIRE(pair.world.run_until([&] { return pair.client.ends == 1; }));
  CHECK(pair.client.opens == 0);
  CHECK(pair.client.end.code == ErrorCode::tls_certificate);
  CHECK(tls::problem_of(pair.client.end) == tls::Problem::certificate_wrong_name);
  REQUIRE(pair.world.run_until([&] { return pair.server.ends == 1; }));
  CHECK(pair.server.opens == 0);
  CHECK(tls::problem_of(pair.server.end) == tls::Problem::alert_from_peer);
}

TEST_CASE("the alert of a refused handshake leaves before the user is told") {
  const auto& certificates = test_certificates();
  if (certificates.empty()) return;
  TlsPair pair(certificates, "wronghost");
  pair.client.when_end = [&] {
    CHECK(pair.under.client->output().empty());
    pair.client.terminate();
  };
  REQUIRE(pair.world.run_until([&] { return pair.server.ends + pair.client.closes == 2; }));
  CHECK(tls::problem_of(pair.server.end) == tls::Problem::alert_from_peer);
}

TEST_CASE("a peer that takes no byte keeps a refused handshake only until the inner stream ends") {
  const auto& certificates = test_certificates();
  if (certificates.empty()) return;
  TlsPair pair(certificates, "wronghost");
  while (pair.under.to_server->taken_bytes == 0) pair.world.turn();
  pair.under.to_server->in_flight_bytes_max = 0;
  pair.world.run_until_idle();
  CHECK(pair.client.ends == 0);
  pair.under.client->break_connection(ErrorCode::connection_reset);
  REQUIRE(pair.world.run_until([&] { return pair.client.ends == 1; }));
  CHECK(pair.client.end.code == ErrorCode::tls_certificate);
}

namespace {

// Several pairs of one shard, opened in the same turn.
struct Crowd {
  Crowd(TlsPair& pair, size_t count) : base(pair), clients(count), servers(count) {
    for (size_t i = 0; i < count; ++i) {
      auto under = base.world.make_pair();
      clients[i].stream = *tls::open_client(base.world.runtime, *base.client_context, under.client,
                                            "good.test", &clients[i]);
      servers[i].stream =
          *tls::accept_server(base.world.runtime, *base.server_context, under.server, &servers[i]);
    }
  }
  ~Crowd() {
    for (Recorder& client : clients) {
      if (client.alive()) client.terminate();
    }
    for (Recorder& server : servers) {
      if (server.alive()) server.terminate();
    }
    base.world.run_until_idle();
  }
  size_t opened() const {
    size_t count = 0;
    for (const Recorder& client : clients) count += static_cast<size_t>(client.opens);
    for (const Recorder& server : servers) count += static_cast<size_t>(server.opens);
    return count;
  }

  TlsPair& base;
  std::vector<Recorder> clients;
  std::vector<Recorder> servers;
};

}  // namespace

TEST_CASE("a burst of handshakes is spread over turns, and all of them succeed") {
  const auto& certificates = test_certificates();
  if (certificates.empty()) return;
  TlsPair pair(certificates);
  REQUIRE(pair.handshake());
  Crowd crowd(pair, 40);
  size_t most_in_a_turn = 0;
  size_t waited = 0;
  while (crowd.opened() < 80) {
    size_t before = crowd.opened();
    REQUIRE(pair.world.turn());
    most_in_a_turn = std::max(most_in_a_turn, crowd.opened() - before);
    waited = std::max(waited, pair.gate.waiting());
    // An open stream is served in every turn of the burst.
    const size_t size = pair.server.received.size();
    pair.client.send("x");
    pair.world.turn();
    pair.world.turn();
    CHECK(pair.server.received.size() > size);
  }
  CHECK(waited > tls::HandshakeGate::handshakes_per_turn_max);
  // A client is open in the turn of its admission, a server (not counted again) one or two later.
  CHECK(most_in_a_turn <= 2 * tls::HandshakeGate::handshakes_per_turn_max);
  CHECK(pair.gate.waiting() == 0);
}

TEST_CASE("streams that wait for their turn can be given up") {
  const auto& certificates = test_certificates();
  if (certificates.empty()) return;
  TlsPair pair(certificates);
  REQUIRE(pair.handshake());
  Crowd crowd(pair, 30);
  while (pair.gate.waiting() == 0) REQUIRE(pair.world.turn());
  for (size_t i = 0; i < 30; i += 2) {
    crowd.servers[i].terminate();
    crowd.clients[i].terminate();
  }
  REQUIRE(pair.world.run_until([&] { return crowd.opened() >= 30; }));
  CHECK(crowd.servers[1].opens == 1);
  CHECK(crowd.servers[0].opens == 0);
}

TEST_CASE("a connection that breaks while its handshake waits is reported") {
  const auto& certificates = test_certificates();
  if (certificates.empty()) return;
  TlsPair pair(certificates);
  REQUIRE(pair.handshake());
  Crowd crowd(pair, 30);
  while (pair.gate.waiting() == 0) REQUIRE(pair.world.turn());
  for (Recorder& client : crowd.clients) client.terminate();
  REQUIRE(pair.world.run_until([&] {
    return std::all_of(crowd.servers.begin(), crowd.servers.end(),
                       [](const Recorder& server) { return server.ends == 1; });
  }));
  CHECK(pair.gate.waiting() == 0);
}

TEST_CASE("contexts may go while their streams live") {
  const auto& certificates = test_certificates();
  if (certificates.empty()) return;
  for (int turns : {0, 1, 2, 3, 50}) {
    TlsPair pair(certificates);
    for (int i = 0; i < turns; ++i) pair.world.turn();
    pair.client_context.reset();
    pair.server_context.reset();
    pair.client.send("hello");
    CHECK(pair.world.run_until([&] { return pair.server.received == "hello"; }));
  }
}

TEST_CASE("a stream that nobody wants any more closes without a handler") {
  const auto& certificates = test_certificates();
  if (certificates.empty()) return;
  TlsPair pair(certificates);
  auto under = pair.world.make_pair();
  auto client = tls::open_client(pair.world.runtime, *pair.client_context, under.client,
                                 "good.test", nullptr);
  auto server = tls::accept_server(pair.world.runtime, *pair.server_context, under.server, nullptr);
  REQUIRE(static_cast<bool>(client));
  REQUIRE(static_cast<bool>(server));
  (*client)->terminate();
  (*server)->terminate();
  pair.world.run_until_idle();
  CHECK(pair.world.streams() == 2);  // those of the pair
}
