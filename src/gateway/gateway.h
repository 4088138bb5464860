// The gateway of one shard: its clients, exchanges and attempts, and what they share.
//
// Owned by the server's shard (or by the simulated world of tests/sim); lives on one thread. It
// accepts streams, hands them to Clients, keeps the current Snapshot, the pools of objects and
// memory, the counters and the log. Of overload it knows what is used up, `look_at_load`;
// resilience::Admission says what follows. It never blocks and never allocates per request in the
// steady state. `apply` changes the configuration, `begin_drain` and `terminate_all` end it.
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
#include "gateway/peers.h"
#include "gateway/request_log.h"
#include "gateway/router.h"
#include "gateway/snapshot.h"
#include "io/runtime.h"
#include "json/body_scan.h"
#include "ledger/holds.h"
#include "resilience/admission.h"
#include "resilience/key_slots.h"
#include "tls/context.h"

namespace hyperion::gateway {

// Why no connection is kept for another request.
enum class Drain : uint8_t {
  none,
  handed_over,  // another process accepts: open connections get one answer more
  ending,       // nobody does: idle ones are closed
};

// What the shard's loop knows of its load; told from outside now and then.
struct LoopLoad {
  uint64_t lag_ms = 0;
  uint64_t descriptors = 0;      // open sockets
  uint64_t descriptors_max = 0;  // 0: not known
};

class Gateway {
 public:
  // `log` may be nullptr (no request log). `counters`, `pages` and `key_slots`, which all shards
  // share, outlive the gateway.
  Gateway(io::Runtime& runtime, Counters& counters, RequestLog* log, Pages* pages,
          resilience::KeySlotsRegistry& key_slots, size_t connections_max);
  ~Gateway();
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  // Takes a configuration. An error is a sentence for people and leaves everything as it was.
  std::string apply(std::shared_ptr<const config::Config> config);

  // A new client. `stream` is open and its reading paused; with `handshake` its TLS handshake is
  // still to come.
  void accept(io::Stream* stream, Listening side, bool handshake = false);
  // Some connections are kept for the admin side: health must be told when all others are taken.
  bool has_room(Listening side) const {
    const size_t kept = side == Listening::admin_side ? 0 : admin_connections_kept;
    return clients_.in_use() + kept < clients_.capacity();
  }
  void end_handshake() { --handshakes_; }
  tls::HandshakeGate& handshake_gate() { return handshake_gate_; }
  // Copies what the pools and the memory hold into the counters; called about once a second.
  void update_gauges();
  // What is done about load beside refusing requests, several times a second while there is any:
  // looks, and makes room by closing idle clients. True: accept no connections for now.
  bool relieve(const LoopLoad& load);

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
  // For whatever: what it scanned before is gone.
  json::Scanner& scanner() { return scanner_for(nullptr); }
  // For the body of an exchange, of which it knows until somebody else's scan.
  json::Scanner& scanner_for(const Exchange* exchange) {
    scanned_for_ = exchange;
    return *scanner_;
  }
  bool scanner_is_of(const Exchange* exchange) const { return scanned_for_ == exchange; }
  const json::Scanner& last_scanner() const { return *scanner_; }
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
  Attempt* create_attempt(Exchange& exchange, const Leg& leg, ledger::Hold hold);
  ledger::Holds& holds() { return holds_; }
  void release(Attempt* attempt) { attempts_.destroy(attempt); }
  void release(Client* client);
  // Judges what is used up at this moment; a few nanoseconds.
  const resilience::Admission& look_at_load() {
    admission_.look({requests_admitted_, runtime_.blocks.in_use(), bodies_.used_bytes,
                     loop_load_.lag_ms, loop_load_.descriptors});
    return admission_;
  }
  // For the place of a request that was admitted.
  uint64_t& requests_admitted() { return requests_admitted_; }
  // An attempt at a target has told what it is worth; the other shards hear what they should.
  void tell_health(const Snapshot& snapshot, uint32_t target, bool probe,
                   const resilience::Verdict& verdict);
  // From another shard.
  void on_notice(const std::shared_ptr<const config::Config>& config,
                 const resilience::Notice& notice);
  void set_peers(Peers* peers) { peers_ = peers; }
  // The shard's budgets of attempts beyond one a request.
  bool may_retry(const Snapshot& snapshot) const;
  void begin_retrying() { ++retrying_; }
  void end_retrying() { --retrying_; }
  uint32_t retrying() const { return retrying_; }
  bool may_hedge(const Snapshot& snapshot) const;
  void begin_hedging() { ++hedging_; }
  void end_hedging() { --hedging_; }
  uint32_t hedging() const { return hedging_; }
  void log(const Record& record);
  void next_request_id(char* out);

 private:
  static constexpr size_t admin_connections_kept = 16;

  void find_key_slots(Snapshot& next);
  void configure_admission();
  void close_idle_clients(size_t count_max);
  void tell_operators();
  void retire_pools(const Snapshot& next);

  io::Runtime& runtime_;
  Counters& counters_;
  RequestLog* log_;
  Pages* pages_;
  MemoryBudget bodies_;
  BlockPool scratch_blocks_{1, 1};
  ByteBuffer scratch_{scratch_blocks_, bodies_};
  tls::HandshakeGate handshake_gate_;
  std::unique_ptr<json::Scanner> scanner_;
  const Exchange* scanned_for_ = nullptr;  // only compared: it may be gone
  Router router_;
  DecisionRing decisions_;
  std::shared_ptr<const Snapshot> snapshot_;
  std::vector<std::shared_ptr<upstream::Pool>> retired_pools_;
  Discovery discovery_{runtime_, bodies_};
  resilience::KeySlotsRegistry& key_slots_;
  resilience::Admission admission_;
  LoopLoad loop_load_;
  uint64_t requests_admitted_ = 0;
  ledger::Holds holds_;
  Slab<Client> clients_;
  Slab<Exchange> exchanges_;
  Slab<Attempt> attempts_;
  IntrusiveList<Client, ClientTag> open_clients_;
  IntrusiveList<Exchange, ExchangeTag> open_exchanges_;
  Peers* peers_ = nullptr;                    // the other shards; nullptr: there are none
  std::vector<resilience::Notice> refusals_;  // of keys, to be told to operators
  uint32_t handshakes_ = 0;                   // of clients, half-open
  uint32_t retrying_ = 0;                     // requests that try a candidate again
  uint32_t hedging_ = 0;                      // requests that have a second attempt
  Drain drain_ = Drain::none;
};

}  // namespace hyperion::gateway
