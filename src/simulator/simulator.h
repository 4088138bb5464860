// Simulated providers on one reactor: a listener, its connections, and what they share.
//
// `hyperion simulate`, the demo, tests and benches run it. One Simulator belongs to one reactor and
// its thread; several, each on a thread of its own, may listen at one address and share a Ledger.
// `open` can fail, with a sentence for people; afterwards everything is answered, by an error of
// the dialect where there is nothing better. It needs no keys, reaches nobody, and is bounded in
// connections, memory and recorded requests. Besides the dialects' routes it answers
// GET /_simulator/bill, GET /_simulator/requests, POST /_simulator/reset, and GET, POST and DELETE
// /_simulator/outages.
#pragma once

#include <memory>
#include <string>

#include "base/byte_buffer.h"
#include "base/slab.h"
#include "config/config.h"
#include "io/listener.h"
#include "io/reactor.h"
#include "json/body_scan.h"
#include "simulator/connection.h"
#include "simulator/ledger.h"
#include "simulator/models.h"
#include "simulator/outages.h"

namespace hyperion::simulator {

class Simulator final : private io::Acceptor {
 public:
  // `instance` tells several apart, for their random numbers. `ledger` and `outages` must outlive
  // this.
  Simulator(io::Reactor& reactor, std::shared_ptr<const config::Config> config, Ledger& ledger,
            Outages& outages, uint64_t instance = 0);
  ~Simulator();

  // Binds, listens and accepts; empty on success. Port 0 takes a free one: see `address`.
  std::string open(const io::Address& address);
  io::Address address() const { return listener_.address(); }
  // Ends the listener and every connection. Turn the reactor until `closed`.
  void close();
  bool closed() const { return listener_.closed() && connections_.in_use() == 0; }

 private:
  friend class Connection;

  void on_accept(io::Stream* stream) override;
  void on_accept_overflow(int) override {}
  void release(Connection* connection);
  // `ms`, changed by the conf's jitter.
  uint64_t with_jitter(uint64_t ms);
  const config::SimulatorSettings& settings() const { return config_->settings.simulator; }
  const http::Limits& limits() const { return config_->settings.http; }

  io::Reactor& reactor_;
  std::shared_ptr<const config::Config> config_;
  Ledger& ledger_;
  Outages& outages_;
  Models models_;
  Random random_;
  json::Scanner scanner_;
  MemoryBudget bodies_;
  io::Listener listener_;
  Slab<Connection> connections_;
  IntrusiveList<Connection, ConnectionTag> open_;
  // Reused for every answer.
  Call call_;
  JsonTree tree_;
  Answer answer_;
  std::string head_;
  std::string event_;
};

}  // namespace hyperion::simulator
