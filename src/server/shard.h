// One core's worth of gateway: a thread with its reactor, listeners and gateway.
//
// Owned by the Server. Everything of a shard lives on its thread; the server talks to it by its
// mailbox only. The reactor must be made on the thread that uses it, so starting can fail there:
// `start` waits for the verdict and returns the two lines for people. Connections are taken after
// `accept` only, so that none comes to a process of which another shard cannot start. Stops in two
// ways: `drain` (finish what runs) and `stop` (now). Counters are readable from any thread as long
// as the shard lives.
#pragma once

#include <atomic>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/log_ring.h"
#include "config/config.h"
#include "gateway/counters.h"
#include "gateway/gateway.h"
#include "gateway/pages.h"
#include "gateway/peers.h"
#include "io/listener.h"
#include "io/mailbox.h"
#include "io/reactor.h"
#include "tls/context.h"

namespace hyperion::server {

// A socket that listens already, for one shard.
struct ListeningSocket {
  int fd = -1;
  gateway::Listening side = gateway::Listening::public_side;
  bool tls = false;
};

struct ShardSettings {
  unsigned number = 0;
  int core = -1;  // pinned to it; -1: not pinned
  std::shared_ptr<const config::Config> config;
  size_t connections_max = 0;
  std::vector<ListeningSocket> sockets;
  LogRing* log = nullptr;
  gateway::Pages* pages = nullptr;
  resilience::KeySlotsRegistry* key_slots = nullptr;  // of all shards
  uint64_t descriptors_max = 0;                       // this shard's part of what the system allows
};

class Shard final : private gateway::Peers {
 public:
  explicit Shard(ShardSettings settings);
  ~Shard();
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  // Before any of them starts: who is told what this one finds out.
  void set_others(std::vector<Shard*> others) { others_ = std::move(others); }

  // Starts the thread and waits until it can serve. Empty refusal: it can.
  io::Refusal start();

  // From any thread -------------------------------------------------------------------------
  void apply(std::shared_ptr<const config::Config> config);
  void set_addresses(std::string host, std::vector<io::Address> addresses);
  void accept();  // its sockets listen: takes connections
  // No new connections; `finished` once the last exchange is answered. A second call may only
  // strengthen the reason.
  void drain(gateway::Drain why);
  void stop();  // ends everything
  bool finished() const { return finished_.load(std::memory_order_acquire); }
  void join();
  const gateway::Counters& counters() const { return counters_; }

 private:
  class Acceptor;

  // gateway::Peers
  void tell(const std::shared_ptr<const config::Config>& config,
            const resilience::Notice& notice) override;

  void run(std::promise<io::Refusal>& started);
  void serve(io::Reactor& reactor);
  void open_listeners(io::Reactor& reactor);
  void on_tick();
  void relieve();
  void steer_listeners();
  void update_gauges();
  void close_listeners();
  bool listeners_closed() const;

  ShardSettings settings_;
  std::vector<Shard*> others_;
  gateway::Counters counters_;
  io::Mailbox mailbox_;
  std::thread thread_;
  std::atomic<bool> finished_{false};
  // On the shard's thread only.
  io::Reactor* reactor_ = nullptr;
  gateway::Gateway* gateway_ = nullptr;
  std::shared_ptr<tls::ServerContext> server_context_;
  std::vector<std::unique_ptr<Acceptor>> acceptors_;
  std::vector<std::unique_ptr<io::Listener>> listeners_;
  io::MemberTimer<Shard, &Shard::on_tick> tick_{this};
  uint64_t turns_seen_ = 0;  // by the last tick
  Instant gauges_due_;
  bool accepting_ = false;         // told to
  bool accepting_paused_ = false;  // for a while, of clients
  bool draining_ = false;
  bool stopping_ = false;
};

}  // namespace hyperion::server
