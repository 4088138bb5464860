// A peer that keeps the TLS protocol but abuses it. It is played by the library itself, since no
// program has commands for that.
#include <algorithm>
#include <string>

#include <doctest/doctest.h>
#include <wolfssl/options.h>
#include <wolfssl/ssl.h>

#include "tls/tls_pair.h"
#include "tls/tls_stream.h"

using namespace hyperion;
using namespace hyperion::test;

namespace {

// A client without any policy, over the links of one accepted stream.
class BareClient {
 public:
  BareClient(MemoryLink* to_server, MemoryLink* to_client)
      : to_server_(to_server),
        to_client_(to_client),
        context_(wolfSSL_CTX_new(wolfTLSv1_3_client_method())) {
    REQUIRE(context_ != nullptr);
    wolfSSL_CTX_set_verify(context_, WOLFSSL_VERIFY_NONE, nullptr);
    wolfSSL_CTX_SetIOSend(context_, [](WOLFSSL*, char* bytes, int size, void* self) {
      static_cast<BareClient*>(self)->to_server_->in_flight.append(bytes,
                                                                   static_cast<size_t>(size));
      return size;
    });
    wolfSSL_CTX_SetIORecv(context_, [](WOLFSSL*, char* bytes, int size, void* self) {
      std::string& from = static_cast<BareClient*>(self)->to_client_->in_flight;
      const size_t part = std::min(from.size(), static_cast<size_t>(size));
      if (part == 0) return int{WOLFSSL_CBIO_ERR_WANT_READ};
      from.copy(bytes, part);
      from.erase(0, part);
      return static_cast<int>(part);
    });
    native_ = wolfSSL_new(context_);
    REQUIRE(native_ != nullptr);
    wolfSSL_SetIOReadCtx(native_, this);
    wolfSSL_SetIOWriteCtx(native_, this);
  }
  ~BareClient() {
    wolfSSL_free(native_);
    wolfSSL_CTX_free(context_);
  }

  bool connect() { return wolfSSL_connect(native_) == WOLFSSL_SUCCESS; }
  bool update_keys() { return wolfSSL_update_keys(native_) == WOLFSSL_SUCCESS; }

 private:
  MemoryLink* to_server_;
  MemoryLink* to_client_;
  WOLFSSL_CTX* context_;
  WOLFSSL* native_ = nullptr;
};

}  // namespace

TEST_CASE("a flood of key updates by a peer that reads no answer ends the connection") {
  const auto& certificates = test_certificates();
  if (certificates.empty()) return;
  TlsPair pair(certificates);
  MemoryLink* to_server = pair.world.make_link();
  MemoryLink* to_client = pair.world.make_link();
  MemoryStream* under = pair.world.make_end(to_server, to_client, false);
  Recorder server;
  server.stream = *tls::accept_server(pair.world.runtime, *pair.server_context, under, &server);
  server.stream->resume_reading();
  BareClient client(to_server, to_client);
  bool connected = false;
  REQUIRE(pair.world.run_until([&] { return connected = connected || client.connect(); }));
  REQUIRE(pair.world.run_until([&] { return server.opens == 1; }));
  to_client->in_flight_bytes_max = 0;
  size_t largest = 0;
  for (int updates = 0; updates < 20'000 && server.ends == 0; ++updates) {
    REQUIRE(client.update_keys());
    if (updates % 100 != 0) continue;
    pair.world.run_until_idle();
    largest = std::max(largest, under->output().size_bytes());
  }
  CHECK(server.ends == 1);
  CHECK(tls::problem_of(server.end) == tls::Problem::too_many_protocol_messages);
  CHECK(largest < 2 * tls::protocol_backlog_bytes_max);
  server.terminate();
  pair.world.run_until_idle();
}
