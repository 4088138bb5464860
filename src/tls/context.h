// What all TLS streams of one shard and one direction share: trust, identity, policy.
//
// A ClientContext holds the certificate authorities we trust, a ServerContext our certificate and
// key. Both fix the policy, which is not configurable: TLS 1.2 or 1.3, ECDHE with AEAD only, RSA
// keys from 2048 and EC keys from 256 bits, ALPN `http/1.1`, no session cache, no tickets
// (resumption saved no CPU when measured, and contexts of different shards share no ticket key), no
// renegotiation, no client certificates. A client always verifies its peer; nothing here or in
// the engine can switch that off.
//
// One context belongs to one shard and is used on its thread only. Made at start and at reload, by
// the shard, from settings that the configuration filled. `create` can fail on every file it reads;
// the text says which file and what to do. Streams keep what they need of a context alive, so after
// a reload the old one may be dropped at once. Costs: a ClientContext with a system's bundle takes
// about 2 ms to make and 95 KB (measured).
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "tls/handshake_gate.h"

struct WOLFSSL_CTX;

namespace hyperion::tls {

struct ClientSettings {
  // PEM file of certificate authorities to trust instead of the system's; empty: the system's
  // bundle. It may hold a server's own self-signed certificate, which is then trusted for its
  // names.
  std::string ca_file;
};

struct ServerSettings {
  // PEM: our certificate first, then the intermediates. With a P-256 key a handshake costs us 0.14
  // ms, with a 2048-bit RSA key 0.78 ms (measured).
  std::string certificate_file;
  std::string key_file;  // PEM, not encrypted
};

class ClientContext {
 public:
  // nullptr and a text in `*error` when the bundle cannot be read or holds no usable authority.
  // Authorities that cannot be used (expired, unknown kind of key) are left out and counted.
  static std::unique_ptr<ClientContext> create(const ClientSettings& settings, HandshakeGate& gate,
                                               std::string* error);
  ClientContext(const ClientContext&) = delete;
  ClientContext& operator=(const ClientContext&) = delete;
  ~ClientContext();

  size_t authorities() const { return authorities_; }
  size_t authorities_left_out() const { return authorities_left_out_; }

  HandshakeGate& gate() { return gate_; }
  WOLFSSL_CTX* native() { return native_; }  // for the engine only

 private:
  ClientContext(WOLFSSL_CTX* native, HandshakeGate& gate) : native_(native), gate_(gate) {}
  bool load_authorities(const std::string& path, const std::string& pem, std::string* error);

  WOLFSSL_CTX* native_;
  HandshakeGate& gate_;
  size_t authorities_ = 0;
  size_t authorities_left_out_ = 0;
};

class ServerContext {
 public:
  // nullptr and a text in `*error` when a file cannot be read or parsed, or when the key does not
  // belong to the certificate.
  static std::unique_ptr<ServerContext> create(const ServerSettings& settings, HandshakeGate& gate,
                                               std::string* error);
  ServerContext(const ServerContext&) = delete;
  ServerContext& operator=(const ServerContext&) = delete;
  ~ServerContext();

  HandshakeGate& gate() { return gate_; }
  WOLFSSL_CTX* native() { return native_; }  // for the engine only

 private:
  ServerContext(WOLFSSL_CTX* native, HandshakeGate& gate) : native_(native), gate_(gate) {}

  WOLFSSL_CTX* native_;
  HandshakeGate& gate_;
};

}  // namespace hyperion::tls
