// A TLS client and a TLS server over a pair of streams in memory.
//
// The server shows one chain of the generated certificates, the client trusts their root and
// connects to a host of the test's choice. When the pair goes, both streams must have closed once
// and every block must be back in the pool.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include <doctest/doctest.h>

#include "support/certificates.h"
#include "support/memory_stream.h"
#include "tls/context.h"
#include "tls/recorder.h"
#include "tls/tls_stream.h"

namespace hyperion::test {

// The two ends. Contexts trust and serve the generated certificates.
struct TlsPair {
  explicit TlsPair(const std::filesystem::path& certificates, const std::string& chain = "good",
                   const std::string& host = "good.test", const std::string& trust = "root")
      : gate(world.clock, world.timers) {
    std::string error;
    client_context =
        tls::ClientContext::create({(certificates / (trust + ".pem")).string()}, gate, &error);
    REQUIRE_MESSAGE(client_context != nullptr, error);
    server_context = tls::ServerContext::create({(certificates / (chain + ".chain.pem")).string(),
                                                 (certificates / (chain + ".key")).string()},
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
