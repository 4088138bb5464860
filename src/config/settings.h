// The settings of every part of the gateway, one struct for each section of the conf file.
//
// The initialisers here are the defaults: nothing repeats them but conf/hyperion.toml, and a test
// compares that file line by line. The folders that read these structs (upstream, gateway, admin,
// simulator, server) lie below `config` in the order of inclusion, so the structs live here; those
// of http, json, dialect, routing and resilience are their own (*/limits.h, */settings.h).
// Names carry their unit last. Sizes and times are those of reference practice, with the reason
// beside each. Plain data, no logic.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/secret.h"
#include "catalog/model.h"
#include "config/outages.h"
#include "dialect/settings.h"
#include "http/limits.h"
#include "io/address.h"
#include "json/limits.h"
#include "resilience/admission.h"
#include "resilience/settings.h"
#include "routing/settings.h"

namespace hyperion::config {

// [server]
struct ServerSettings {
  std::vector<io::Address> listen;  // 127.0.0.1:8080; without TLS, [tls] has its own list
  std::vector<uint32_t> cores;  // empty is "auto": all this process may run on. A list also pins.
  uint32_t shards = 0;          // 0: one for each core
  bool pin = false;             // pin shards to cores although `cores` is "auto"
  uint32_t drain_s = 630;       // SIGTERM: hard stop, above the total time of an upstream request
  uint32_t successor_ready_s = 30;    // SIGUSR2: so long a new binary may take until it serves
  uint32_t backlog = 4096;            // of each listening socket; the kernel caps it at somaxconn
  uint32_t connections_max = 16'384;  // of clients, over all shards
  uint32_t ring_entries = 1024;       // submission queue of each shard, a power of two
  uint32_t receive_buffers = 512;     // of each shard, a power of two
  uint32_t receive_buffer_size_bytes = 16 * 1024;  // 4 KiB ones cost 2.6 times the CPU (measured)
  uint32_t busy_poll_us = 0;    // spin so long before sleeping: for cores that do nothing else
  bool optimistic_send = true;  // saves a wake-up for each send, where the start-up test allows it
};

// [tls]
struct TlsSettings {
  std::vector<io::Address> listen;  // served with the certificate below
  std::string certificate_file;     // PEM, with its chain
  std::string key_file;             // PEM
  std::string ca_file;              // roots for providers; empty: the system's bundle
};

// [limits], apart from those of http::Limits and json::Limits
struct GatewayLimits {
  uint32_t requests_per_connection_max = 10'000;
  uint64_t response_body_size_max_bytes = 64ull * 1024 * 1024;  // of an answer that is not streamed
  // A request's pieces while it is translated: some 200 bytes a message, part or tool; texts stay
  // in the body.
  uint32_t translated_request_max_bytes = 16 * 1024 * 1024;
  uint32_t relay_backlog_max_bytes = 256 * 1024;  // unsent to a slow client: stop reading upstream
  uint32_t early_answer_drain_max_bytes =
      64 * 1024;                                // of an unread body, so that the answer is seen
  uint32_t tls_handshakes_per_shard_max = 256;  // half-open at once
};

// [timeouts]: of clients here, of providers in catalog::UpstreamTimeouts
struct ClientTimeouts {
  uint32_t head_ms = 10'000;       // absolute, not per byte: slowloris
  uint32_t body_grace_ms = 5'000;  // before the minimum rate counts
  uint32_t body_rate_min_bytes_per_s = 1024;
  uint32_t body_total_ms = 120'000;
  uint32_t write_stall_ms = 30'000;  // no byte taken by the client
  uint32_t keep_alive_ms = 75'000;
  uint32_t keep_alive_jitter_percent = 10;
  uint32_t tls_handshake_ms = 5'000;
  uint32_t early_answer_drain_ms = 1'000;
};

// [upstream], apart from catalog::ConnectionLimits
struct UpstreamSettings {
  uint32_t dns_refresh_ms = 30'000;  // getaddrinfo tells no lifetime
};

// [discovery]: of providers that have it on
struct DiscoverySettings {
  uint32_t interval_s = 3600;  // between two looks at a provider's list, by each shard
  uint32_t timeout_ms = 10'000;
  uint32_t models_max = 2000;  // OpenRouter, the longest known, shows some hundreds
  uint32_t response_max_bytes = 2 * 1024 * 1024;  // read in one go: about a millisecond
};

// [memory]: what the shards may hold for requests; [admission] says what is done near the limit
struct MemorySettings {
  uint32_t blocks_per_shard_max = 8192;  // of 16 KiB: heads, write queues, arenas
  uint32_t blocks_per_shard_kept = 512;  // kept for reuse when a burst is over
  uint64_t bodies_per_shard_max_bytes = 256ull * 1024 * 1024;
};

// [cors]
struct CorsSettings {
  std::vector<std::string> allowed_origins;  // empty: off. "*" allows every origin.
  uint32_t max_age_s = 600;
  bool enabled() const { return !allowed_origins.empty(); }
};

// [log]
struct LogSettings {
  std::string target = "stderr";  // "stderr", "stdout", "off" or a file's path
  uint32_t buffer_size_bytes =
      1024 * 1024;  // of each shard; lines are dropped and counted when full
};

// [admin]
struct AdminSettings {
  io::Address listen;  // 127.0.0.1:8081; size 0 is "off"
  std::string token_env = "HYPERION_ADMIN_TOKEN";
  std::string token_file;
  bool public_health = false;   // /health/* on the public listener as well
  bool public_metrics = false;  // /metrics likewise
  Secret token;                 // empty: everything but health and metrics is closed
};

// [simulator]
struct SimulatorSettings {
  io::Address listen;           // 127.0.0.1:9090
  uint32_t first_token_ms = 0;  // delay before the first token, or before a plain answer
  uint32_t token_gap_ms = 0;    // between tokens of a stream
  uint32_t jitter_percent = 0;  // of both, either way
  uint32_t answer_tokens = 32;  // of an answer, unless the request's limit is lower
  std::string fault;           // as in the header x-hyperion-fault, without a model: "503", "cut:3"
  uint32_t fault_percent = 0;  // of requests that get `fault`
  uint64_t seed = 1;           // of jitter, faults and outages
  uint32_t requests_recorded_max = 1024;  // for GET /_simulator/requests; the oldest go first
  std::vector<Outage> outages;
};

struct Settings {
  Settings();  // fills the addresses, which have no constant form

  ServerSettings server;
  TlsSettings tls;
  http::Limits http;
  json::Limits json;
  GatewayLimits limits;
  ClientTimeouts timeouts;
  // Defaults of every provider; each catalog::Provider holds what holds for it.
  catalog::UpstreamTimeouts upstream_timeouts;
  catalog::ConnectionLimits upstream_connections;
  UpstreamSettings upstream;
  DiscoverySettings discovery;
  MemorySettings memory;
  resilience::AdmissionSettings admission;
  CorsSettings cors;
  LogSettings log;
  AdminSettings admin;
  SimulatorSettings simulator;
  dialect::TranslationSettings translation;
  routing::Settings routing;
  resilience::Settings resilience;
};

}  // namespace hyperion::config
