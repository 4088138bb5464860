// The openssl program as a peer: another implementation's reading of the protocol.
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "support/certificates.h"
#include "support/child_process.h"
#include "support/shared_data.h"
#include "tls/openssl_peer.h"

using namespace hyperion;
using namespace hyperion::test;
using tls::Problem;
using tls::problem_of;

namespace {

// A server stream of ours, and `openssl s_client` on the other side.
struct OpensslServerRun {
  OpensslServerRun(const std::filesystem::path& certificates, const std::vector<std::string>& more)
      : gate(world.clock, world.timers), process(arguments(certificates, listener.port(), more)) {
    REQUIRE(process.started());
    bridge = std::make_unique<SocketBridge>(world, listener.accept_one(), false);
    std::string error;
    context = tls::ServerContext::create(
        {certificates / "good.chain.pem", certificates / "good.key"}, gate, &error);
    REQUIRE_MESSAGE(context != nullptr, error);
    recorder.stream = *tls::accept_server(world.runtime, *context, bridge->stream, &recorder);
    recorder.stream->resume_reading();
    finished = bridge->run_until([this] { return recorder.opens + recorder.ends > 0; });
  }
  ~OpensslServerRun() {
    if (recorder.alive()) recorder.terminate();
    world.run_until([this] { return world.streams() == 0; });
  }

  static std::vector<std::string> arguments(const std::filesystem::path& certificates, int port,
                                            const std::vector<std::string>& more) {
    std::vector<std::string> list = {"openssl",          "s_client",
                                     "-connect",         "127.0.0.1:" + std::to_string(port),
                                     "-servername",      "good.test",
                                     "-verify_hostname", "good.test",
                                     "-CAfile",          (certificates / "root.pem").string()};
    list.insert(list.end(), more.begin(), more.end());
    return list;
  }

  MemoryWorld world;
  tls::HandshakeGate gate;
  LoopbackListener listener;
  ChildProcess process;
  std::unique_ptr<SocketBridge> bridge;
  std::unique_ptr<tls::ServerContext> context;
  Recorder recorder;
  bool finished = false;
};

}  // namespace

TEST_CASE("openssl's client talks to our server, by TLS 1.2 and 1.3 and every suite we offer") {
  const auto& certificates = test_certificates();
  if (certificates.empty()) return;
  const std::vector<std::vector<std::string>> variants = {
      {"-tls1_3"},
      {"-tls1_3", "-ciphersuites", "TLS_AES_256_GCM_SHA384"},
      {"-tls1_3", "-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256"},
      {"-tls1_3", "-groups", "X25519"},
      {"-tls1_3", "-groups", "P-384"},
      {"-tls1_3", "-groups", "X25519:P-256"},
      {"-tls1_2"},
      {"-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-GCM-SHA384"},
      {"-tls1_2", "-cipher", "ECDHE-ECDSA-CHACHA20-POLY1305"},
  };
  for (std::vector<std::string> variant : variants) {
    const std::string name = variant.back();
    CAPTURE(name);
    for (const char* more : {"-verify_return_error", "-quiet", "-ign_eof"}) variant.push_back(more);
    OpensslServerRun run(certificates, variant);
    REQUIRE(run.finished);
    REQUIRE_MESSAGE(run.recorder.opens == 1, run.process.printed());
    REQUIRE(run.process.write_input("question\n"));
    REQUIRE(run.bridge->run_until([&] { return run.recorder.received == "question\n"; }));
    run.recorder.send("answer from our server\n");
    run.recorder.as_user([&] { run.recorder.stream->finish_writing(); });
    REQUIRE(run.bridge->run_until([&] { return run.process.has_printed("answer from our server"); },
                                  &run.process));
    // It answers our close_notify with its own.
    REQUIRE(run.bridge->run_until([&] { return run.recorder.ends == 1; }));
    CHECK(run.recorder.end.code == ErrorCode::end_of_stream);
  }
}

TEST_CASE("old versions and suites without ECDHE and AEAD are refused by our server") {
  const auto& certificates = test_certificates();
  if (certificates.empty()) return;
  const std::vector<std::vector<std::string>> variants = {
      {"-tls1_1", "-cipher", "ALL@SECLEVEL=0"},
      {"-tls1", "-cipher", "ALL@SECLEVEL=0"},
      {"-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA256"},
      {"-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA"},
      {"-tls1_2", "-cipher", "aNULL:eNULL@SECLEVEL=0"},
      {"-tls1_2", "-cipher", "AES128-GCM-SHA256"},
      {"-tls1_2", "-cipher", "DHE-RSA-AES128-GCM-SHA256"},
  };
  for (const std::vector<std::string>& variant : variants) {
    const std::string name = variant.front() + " " + variant.back();
    CAPTURE(name);
    OpensslServerRun run(certificates, variant);
    REQUIRE(run.finished);
    CHECK(run.recorder.opens == 0);
    CHECK(run.recorder.end.code == ErrorCode::tls_handshake);
  }
}

TEST_CASE(
    "our server answers ALPN http/1.1 when it is offered, and refuses who offers only others") {
  const auto& certificates = test_certificates();
  if (certificates.empty()) return;
  struct {
    std::vector<std::string> offer;
    bool opens;
    const char* prints;
  } cases[] = {
      {{}, true, "No ALPN negotiated"},
      {{"-alpn", "http/1.1"}, true, "ALPN protocol: http/1.1"},
      {{"-alpn", "h2,http/1.1"}, true, "ALPN protocol: http/1.1"},
      {{"-alpn", "h2"}, false, "no application protocol"},
      {{"-alpn", "http/1.0,http/1.10,http/1."}, false, "no application protocol"},
  };
  for (const char* version : {"-tls1_2", "-tls1_3"}) {
    for (const auto& c : cases) {
      std::vector<std::string> arguments = c.offer;
      arguments.push_back(version);
      OpensslServerRun run(certificates, arguments);
      REQUIRE(run.finished);
      CHECK(run.recorder.opens == (c.opens ? 1 : 0));
      const auto printed = [&] { return run.process.has_printed(c.prints); };
      CHECK_MESSAGE(run.bridge->run_until(printed, &run.process), run.process.printed());
      if (!c.opens) CHECK(problem_of(run.recorder.end) == Problem::no_common_protocol);
    }
  }
}

TEST_CASE("a client that refuses our certificate is reported as its alert") {
  const auto& certificates = test_certificates();
  if (certificates.empty()) return;
  OpensslServerRun run(certificates,
                       {"-tls1_2", "-verify_return_error", "-verify_hostname", "other.test"});
  REQUIRE(run.finished);
  CHECK(run.recorder.opens == 0);
  CHECK(problem_of(run.recorder.end) == Problem::alert_from_peer);
}

TEST_CASE("renegotiation ends the connection") {
  const auto& certificates = test_certificates();
  if (certificates.empty()) return;
  OpensslServerRun run(certificates, {"-tls1_2"});
  REQUIRE(run.recorder.opens == 1);
  REQUIRE(run.process.write_input("R\n"));
  REQUIRE(run.bridge->run_until([&] { return run.recorder.ends == 1; }, &run.process));
  CHECK(run.recorder.opens == 1);
  CHECK(run.recorder.end.code == ErrorCode::connection_reset);
  CHECK(run.recorder.received.empty());
}

TEST_CASE("key updates are answered and followed") {
  const auto& certificates = test_certificates();
  if (certificates.empty()) return;
  OpensslServerRun run(certificates, {"-tls1_3"});
  REQUIRE(run.recorder.opens == 1);
  for (size_t lines = 1; lines <= 20; ++lines) {
    run.process.forget_printed();
    REQUIRE(run.process.write_input("K\n"));
    const auto updated = [&] { return run.process.has_printed("KEYUPDATE"); };
    REQUIRE(run.bridge->run_until(updated, &run.process));
    REQUIRE(run.process.write_input("line\n"));
    REQUIRE(run.bridge->run_until([&] { return run.recorder.received.size() == lines * 5; }));
    run.recorder.send("our line\n");
    const auto arrived = [&] { return run.process.has_printed("our line"); };
    REQUIRE(run.bridge->run_until(arrived, &run.process));
  }
  CHECK(run.recorder.ends == 0);
}

TEST_CASE("our client talks to openssl's server, by TLS 1.2 and 1.3") {
  const auto& certificates = test_certificates();
  if (certificates.empty()) return;
  for (std::vector<std::string> variant :
       std::vector<std::vector<std::string>>{{"-tls1_3"},
                                             {"-tls1_3", "-num_tickets", "5"},
                                             {"-tls1_3", "-groups", "X25519"},
                                             {"-tls1_3", "-groups", "P-384"},
                                             {"-tls1_3", "-alpn", "http/1.1"},
                                             {"-tls1_2"},
                                             {"-tls1_2", "-alpn", "h2,http/1.1"},
                                             {"-tls1_2", "-no_ticket"}}) {
    const std::string name = variant.back();
    CAPTURE(name);
    variant.push_back("-rev");
    OpensslServer server(certificates, "good", variant);
    OpensslClientRun run(certificates, server, "good.test");
    const std::string problem = tls::describe(problem_of(run.recorder.end));
    CAPTURE(problem);
    REQUIRE(run.recorder.opens == 1);
    // s_server sends each line back reversed, until it is told to end.
    run.recorder.send("question\n");
    REQUIRE(run.bridge.run_until([&] { return run.recorder.received == "noitseuq\n"; }));
    run.recorder.send("CLOSE\n");
    REQUIRE(run.bridge.run_until([&] { return run.recorder.ends == 1; }));
    CHECK(run.recorder.end.code == ErrorCode::end_of_stream);
  }
}

TEST_CASE("a server that drops the connection without close_notify has truncated its answer") {
  const auto& certificates = test_certificates();
  if (certificates.empty()) return;
  OpensslServer server(certificates, "good");
  OpensslClientRun run(certificates, server, "good.test");
  REQUIRE(run.recorder.opens == 1);
  REQUIRE(server.process().write_input("part of an answer\n"));
  REQUIRE(run.bridge.run_until([&] { return run.recorder.received == "part of an answer\n"; }));
  REQUIRE(server.process().write_input("Q\n"));  // closes the socket at once
  REQUIRE(run.bridge.run_until([&] { return run.recorder.ends == 1; }));
  CHECK(run.recorder.end.code == ErrorCode::tls_truncated);
}

TEST_CASE("the server name is sent for a DNS name, without its last dot, and not for an address") {
  const auto& certificates = test_certificates();
  if (certificates.empty()) return;
  // Told good.test, s_server changes to its second certificate; told another name, it gives up.
  OpensslServer by_name(
      certificates, "wildcard",
      {"-servername", "good.test", "-servername_fatal", "-cert2", certificates / "good_direct.pem",
       "-key2", certificates / "good_direct.key"});
  OpensslClientRun named(certificates, by_name, "GOOD.test.");
  CHECK(named.recorder.opens == 1);
  OpensslServer by_address(
      certificates, "ip_san",
      {"-servername", "good.test", "-servername_fatal", "-cert2", certificates / "good_direct.pem",
       "-key2", certificates / "good_direct.key"});
  OpensslClientRun unnamed(certificates, by_address, "127.0.0.1");
  CHECK(unnamed.recorder.opens == 1);
}

TEST_CASE("a server with old versions, weak suites or another protocol is refused") {
  const auto& certificates = test_certificates();
  if (certificates.empty()) return;
  struct {
    std::vector<std::string> arguments;
    Problem problem;
  } cases[] = {
      {{"-tls1_1"}, Problem::version_refused},
      {{"-tls1"}, Problem::version_refused},
      {{"-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA256:@SECLEVEL=0"}, Problem::no_common_cipher},
      {{"-tls1_2", "-cipher", "aNULL:eNULL:@SECLEVEL=0"}, Problem::no_common_cipher},
      {{"-tls1_3", "-alpn", "h2"}, Problem::no_common_protocol},
      {{"-tls1_2", "-alpn", "h2"}, Problem::no_common_protocol},
  };
  for (const auto& c : cases) {
    const std::string name = c.arguments.back();
    CAPTURE(name);
    OpensslServer server(certificates, "good", c.arguments);
    OpensslClientRun run(certificates, server, "good.test");
    REQUIRE(run.finished);
    CHECK(run.recorder.opens == 0);
    CHECK(run.recorder.end.code == ErrorCode::tls_handshake);
    CHECK(problem_of(run.recorder.end) == c.problem);
  }
}

TEST_CASE("a server that asks for a client certificate gets none and may go on") {
  const auto& certificates = test_certificates();
  if (certificates.empty()) return;
  OpensslServer server(certificates, "good", {"-verify", "1", "-tls1_3"});
  OpensslClientRun run(certificates, server, "good.test");
  CHECK(run.recorder.opens == 1);
}

TEST_CASE("a chain of a megabyte is refused, not stored") {
  const auto& certificates = test_certificates();
  if (certificates.empty()) return;
  const std::string one = read_file(certificates / "inter.pem");
  std::string many = read_file(certificates / "good.pem");
  while (many.size() < 1'400'000) many += one;
  std::ofstream(certificates / "huge.chain.pem") << many;
  std::filesystem::copy_file(certificates / "good.key", certificates / "huge.key");
  OpensslServer server(certificates, "huge");
  OpensslClientRun run(certificates, server, "good.test");
  REQUIRE(run.finished);
  CHECK(run.recorder.opens == 0);
}
