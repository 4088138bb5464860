// The gateway of one shard: its clients, exchanges and attempts, and what they share.
//
// Owned by the server's shard (or by the simulated world of tests/sim); lives on one thread. It
// accepts streams, hands them to Clients, keeps the current Snapshot, the pools of objects and
// memory, the counters and the log. Overload is decided here: `refuses_new_requests`. It never
// blocks and never allocates per request in the steady state. `apply` changes the configuration,
// `begin_drain` and `terminate_all` end it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/byte_buffer.h"
#include "base/slab.h"
#include "gateway/attempt.h"
#include "gateway/client.h"
#include "gateway/counters.h"
#include "gateway/decision_ring.h"
#include "gateway/discovery.h"
#include "gateway/exchange.h"
#include "gateway/pages.h"
#include "gateway/request_log.h"
#include "gateway/router.h"
#include "gateway/snapshot.h"
#include "io/runtime.h"
#include "json/body_scan.h"
#include "tls/context.h"

namespace hyperion::gateway {

// Why no connection is kept for another request.
enum class Drain : uint8_t {
  none,
  handed_over,  // another process accepts: open connections get one answer more
  ending,       // nobody does: idle ones are closed
};

class Gateway {
 public:
  // `log` may be nullptr (no request log). `counters` and `pages` outlive the gateway.
  Gateway(io::Runtime& runtime, Counters& counters, RequestLog* log, Pages* pages,
          size_t connections_max);
  ~Gateway();
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  // Takes a configuration. An error is a sentence for people and leaves everything as it was.
  std::string apply(std::shared_ptr<const config::Config> config);

  // A new client. `stream` is open and its reading paused; with `handshake` its TLS handshake is
  // still to come.
  void accept(io::Stream* stream, Listening side, bool handshake = false);
  bool has_room() const { return clients_.in_use() < clients_.capacity(); }
  void end_handshake() { --handshakes_; }
  tls::HandshakeGate& handshake_gate() { return handshake_gate_; }
  // Copies what the pools and the memory hold into the counters; called about once a second.
  void update_gauges();

  // Names that must be resolved, and what became of them.
  std::vector<std::string> hosts() const;
  void set_addresses(const std::string& host, const std::vector<io::Address>& addresses);

  // No keep-alive from now on. May be called again with a stronger reason.
  void begin_drain(Drain why);
  // Ends every client and attempt; `idle` becomes true some turns later.
  void terminate_all();
  bool idle() const;
  bool draining() const { return drain_ != Drain::none; }
  bool ending() const { return drain_ == Drain::ending; }
  size_t client_count() const { return clients_.in_use(); }
  size_t exchange_count() const { return exchanges_.in_use(); }

  // For clients, exchanges and attempts ---------------------------------------------------------
  io::Runtime& runtime() { return runtime_; }
  Counters& counters() { return counters_; }
  const std::shared_ptr<const Snapshot>& snapshot() const { return snapshot_; }
  json::Scanner& scanner() { return *scanner_; }
  Router& router() { return router_; }
  DecisionRing& decisions() { return decisions_; }
  MemoryBudget& bodies() { return bodies_; }
  Pages* pages() { return pages_; }
  // Memory for the moment: empty, and valid until its next use. Small texts always fit.
  ByteBuffer& scratch() {
    scratch_.clear();
    return scratch_;
  }
  // Gives back what a large text took.
  void drop_scratch() {
    if (scratch_.capacity() > Block::capacity()) scratch_.release();
  }
  Exchange* create_exchange(Client& client);
  void release(Exchange* exchange);
  Attempt* create_attempt(Exchange& exchange);
  void release(Attempt* attempt) { attempts_.destroy(attempt); }
  void release(Client* client);
  // Memory is nearly gone: new requests get 503; beyond that, new connections are not even
  // accepted.
  bool refuses_new_requests() const {
    return memory_used_beyond(snapshot_->config->settings.memory.refuse_at_percent);
  }
  bool stops_accepting() const {
    return memory_used_beyond(snapshot_->config->settings.memory.stop_accept_at_percent);
  }
  void close_idle_clients();
  void log(const Record& record);
  void next_request_id(char* out);

 private:
  bool memory_used_beyond(uint64_t percent) const;

  io::Runtime& runtime_;
  Counters& counters_;
  RequestLog* log_;
  Pages* pages_;
  MemoryBudget bodies_;
  BlockPool scratch_blocks_{1, 1};
  ByteBuffer scratch_{scratch_blocks_, bodies_};
  tls::HandshakeGate handshake_gate_;
  std::unique_ptr<json::Scanner> scanner_;
  Router router_;
  DecisionRing decisions_;
  std::shared_ptr<const Snapshot> snapshot_;
  std::vector<std::shared_ptr<upstream::Pool>> retired_pools_;
  Discovery discovery_{runtime_, bodies_};
  Slab<Client> clients_;
  Slab<Exchange> exchanges_;
  Slab<Attempt> attempts_;
  IntrusiveList<Client, ClientTag> open_clients_;
  IntrusiveList<Exchange, ExchangeTag> open_exchanges_;
  uint32_t handshakes_ = 0;  // of clients, half-open
  Drain drain_ = Drain::none;
};

}  // namespace hyperion::gateway
