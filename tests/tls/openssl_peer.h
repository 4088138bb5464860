// The openssl program as the other side of a handshake.
//
// OpensslServer is `openssl s_server` with one chain of the suite, OpensslClientRun one client
// stream of ours that connects to it and runs until the handshake has succeeded or failed. Used by
// the tests that want another implementation's reading of the protocol; they end with their
// objects.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "support/child_process.h"
#include "support/memory_stream.h"
#include "tls/context.h"
#include "tls/recorder.h"
#include "tls/socket_bridge.h"
#include "tls/tls_stream.h"

namespace hyperion::test {

// `openssl s_server` with one chain of the suite, at a port of its own.
class OpensslServer {
 public:
  OpensslServer(const std::filesystem::path& certificates, const std::string& chain,
                const std::vector<std::string>& more = {})
      : process_(arguments(certificates, chain, more)) {
    REQUIRE(process_.started());
    REQUIRE_MESSAGE(process_.wait_for("ACCEPT 127.0.0.1:"), process_.printed());
    REQUIRE(process_.wait_for("\n"));
    size_t at = process_.printed().find("ACCEPT 127.0.0.1:");
    port_ = std::atoi(process_.printed().c_str() + at + 17);
    REQUIRE(port_ > 0);
  }
  int port() const { return port_; }
  ChildProcess& process() { return process_; }

 private:
  static std::vector<std::string> arguments(const std::filesystem::path& certificates,
                                            const std::string& chain,
                                            const std::vector<std::string>& more) {
    std::string file = (certificates / (chain + ".chain.pem")).string();
    // Security level 0: it is our side that has to refuse what is weak.
    std::vector<std::string> list = {"openssl",     "s_server",
                                     "-accept",     "127.0.0.1:0",
                                     "-cert",       file,
                                     "-cert_chain", file,
                                     "-key",        (certificates / (chain + ".key")).string(),
                                     "-cipher",     "DEFAULT@SECLEVEL=0"};
    list.insert(list.end(), more.begin(), more.end());
    return list;
  }

  ChildProcess process_;
  int port_ = 0;
};

// One client stream of ours, connected to a port on this machine.
struct OpensslClientRun {
  OpensslClientRun(const std::filesystem::path& certificates, OpensslServer& server,
                   const std::string& host)
      : OpensslClientRun(certificates, server.port(), host) {}

  OpensslClientRun(const std::filesystem::path& certificates, int port, const std::string& host)
      : gate(world.clock, world.timers), bridge(world, connect_to_loopback(port), true) {
    std::string error;
    context = tls::ClientContext::create({(certificates / "root.pem").string()}, gate, &error);
    REQUIRE_MESSAGE(context != nullptr, error);
    auto opened = tls::open_client(world.runtime, *context, bridge.stream, host, &recorder);
    REQUIRE(static_cast<bool>(opened));
    recorder.stream = *opened;
    finished = bridge.run_until([this] { return recorder.opens + recorder.ends > 0; });
  }
  ~OpensslClientRun() {
    if (recorder.alive()) recorder.terminate();
    world.run_until([this] { return world.streams() == 0; });
  }

  MemoryWorld world;
  tls::HandshakeGate gate;
  SocketBridge bridge;
  std::unique_ptr<tls::ClientContext> context;
  Recorder recorder;
  bool finished = false;
};

}  // namespace hyperion::test
