#include "tls/tls_stream.h"

#include <string>

#include <doctest/doctest.h>

#include "tls/tls_pair.h"

using namespace hyperion;
using namespace hyperion::test;

TEST_CASE("a client and a server agree and carry bytes both ways") {
  const auto& certificates = test_certificates();
  if (certificates.empty()) return;
  TlsPair pair(certificates);
  REQUIRE(pair.handshake());
  CHECK(tls::describe(tls::problem_of(pair.client.end)) == std::string("no TLS problem"));
  CHECK(pair.client.opens == 1);
  CHECK(pair.server.opens == 1);
  pair.client.send("question");
  REQUIRE(pair.world.run_until([&] { return pair.server.received == "question"; }));
  pair.server.send("answer");
  REQUIRE(pair.world.run_until([&] { return pair.client.received == "answer"; }));
  pair.world.run_until_idle();
  CHECK(pair.client.stream->output().empty());
  CHECK(pair.client.writtens > 0);
  CHECK(pair.world.blocks.in_use() == 0);
}
