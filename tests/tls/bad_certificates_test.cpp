// The cases of the shared suite `tls-badcerts`, each a real handshake with `openssl s_server`.
#include <map>
#include <memory>
#include <string>

#include <doctest/doctest.h>

#include "support/certificates.h"
#include "support/child_process.h"
#include "support/json_reader.h"
#include "support/shared_data.h"
#include "tls/openssl_peer.h"
#include "tls/tls_pair.h"

using namespace hyperion;
using namespace hyperion::test;

namespace {

using tls::Problem;

// What an operator is told about each chain that is refused for another reason than its names.
const std::map<std::string, Problem> problems = {
    {"expired", Problem::certificate_expired},
    {"notyet", Problem::certificate_not_yet_valid},
    {"selfsigned", Problem::certificate_untrusted},
    {"untrusted", Problem::certificate_untrusted},
    {"missing_inter", Problem::certificate_untrusted},
    {"clientonly", Problem::certificate_wrong_purpose},
    {"under_expired", Problem::certificate_expired},
    {"under_notca", Problem::certificate_untrusted},
    {"under_nc", Problem::certificate_chain_invalid},
    {"under_pathlen", Problem::certificate_chain_invalid},
    {"rsa1024", Problem::certificate_weak_key},
    {"sha1", Problem::certificate_weak_signature},
    {"critical_unknown", Problem::certificate_chain_invalid},
};

}  // namespace

TEST_CASE("a client's verdict on every certificate of the suite") {
  const auto& certificates = test_certificates();
  if (certificates.empty()) return;
  const auto file = shared_data("suites/tls-badcerts/cases.json");
  REQUIRE(file.has_value());
  const auto suite = JsonReader(read_file(*file)).read();
  REQUIRE(suite.has_value());
  std::map<std::string, std::unique_ptr<OpensslServer>> servers;
  int handshakes = 0;
  for (const Json& item : (*suite)["cases"].elements) {
    const std::string chain = item["chain"].text;
    const std::string host = item["connect_host"].text;
    const std::string expected = item["expect"].text;
    CAPTURE(chain);
    CAPTURE(host);
    if (chain == "keymismatch") continue;  // a server's case: see context_test.cpp
    auto& server = servers[chain];
    if (!server) server = std::make_unique<OpensslServer>(certificates, chain);
    OpensslClientRun run(certificates, *server, host);
    REQUIRE(run.finished);
    ++handshakes;
    const Problem problem = tls::problem_of(run.recorder.end);
    const std::string description = tls::describe(problem);
    CAPTURE(description);
    CHECK(run.recorder.opens + run.recorder.ends == 1);
    if (expected == "accept") CHECK(run.recorder.opens == 1);
    if (expected == "reject") {
      CHECK(run.recorder.opens == 0);
      CHECK(run.recorder.end.code == ErrorCode::tls_certificate);
      const auto known = problems.find(chain);
      CHECK(problem == (known != problems.end() ? known->second : Problem::certificate_wrong_name));
    }
  }
  CHECK(handshakes >= 28);
}

TEST_CASE(
    "a self-signed certificate is accepted by whoever names it in ca_file, for its names only") {
  const auto& certificates = test_certificates();
  if (certificates.empty()) return;
  TlsPair pinned(certificates, "selfsigned", "good.test", "selfsigned");
  CHECK(pinned.handshake());
  CHECK(pinned.client.opens == 1);
  TlsPair other_name(certificates, "selfsigned", "other.test", "selfsigned");
  CHECK(other_name.handshake());
  CHECK(tls::problem_of(other_name.client.end) == Problem::certificate_wrong_name);
}

TEST_CASE("what one peer sent does not help the next one") {
  const auto& certificates = test_certificates();
  if (certificates.empty()) return;
  // The first handshake shows the intermediate certificate that the second server forgets.
  TlsPair pair(certificates, "good");
  REQUIRE(pair.handshake());
  REQUIRE(pair.client.opens == 1);
  std::string error;
  auto forgetful = tls::ServerContext::create(
      {certificates / "missing_inter.chain.pem", certificates / "missing_inter.key"}, pair.gate,
      &error);
  REQUIRE_MESSAGE(forgetful != nullptr, error);
  auto under = pair.world.make_pair();
  Recorder client;
  Recorder server;
  client.stream = *tls::open_client(pair.world.runtime, *pair.client_context, under.client,
                                    "good.test", &client);
  server.stream = *tls::accept_server(pair.world.runtime, *forgetful, under.server, &server);
  CHECK(pair.world.run_until([&] { return client.opens + client.ends > 0; }));
  CHECK(client.opens == 0);
  CHECK(tls::problem_of(client.end) == Problem::certificate_untrusted);
  client.terminate();
  server.terminate();
  pair.world.run_until_idle();
}
