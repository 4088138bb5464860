// The connections of one shard to one provider.
//
// Owned by the shard's snapshot; survives a reload if the provider's address did not change. Lends
// connections newest first, opens new ones up to a cap, queues borrowers beyond it, keeps some
// warm, closes old idle ones. Addresses come from the resolver thread by `set_addresses`; a name
// that is not known yet makes borrowers wait, one that cannot be resolved fails them. All on one
// shard, no locks. The borrower brings its own deadline.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/intrusive_list.h"
#include "base/slab.h"
#include "catalog/model.h"
#include "io/runtime.h"
#include "tls/context.h"
#include "upstream/connection.h"

namespace hyperion::upstream {

struct BorrowerTag {};

class Borrower : public ListNode<BorrowerTag> {
 public:
  // The connection is the borrower's until the exchange on it ends: call `begin` at once.
  virtual void on_borrowed(Connection* connection) = 0;
  virtual void on_borrow_failed(Error error) = 0;
  // Wants a connection that has not been idle before. Set by Pool::borrow.
  bool wants_fresh = false;

 protected:
  ~Borrower() = default;
};

struct PoolStatistics {
  uint64_t opened = 0;
  uint64_t open_failures = 0;
  uint64_t reuses = 0;
  uint64_t not_reusable = 0;  // surplus or missing bytes, or closed by the provider while idle
};

class Pool {
 public:
  // `context` is nullptr for plain http. `provider` and `limits` are copied where needed.
  Pool(io::Runtime& runtime, const catalog::Provider& provider, const http::Limits& limits,
       std::shared_ptr<tls::ClientContext> context, std::string ca_file);
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // A connection at once, or nullptr: then `on_borrowed` or `on_borrow_failed` follows, not inside
  // this call. `fresh`: not one that has served a request before.
  Connection* borrow(Borrower& borrower, bool fresh);
  void cancel(Borrower& borrower);

  // From the resolver; empty: the name cannot be resolved now (the last good addresses stay).
  void set_addresses(const std::vector<io::Address>& addresses);
  void warm_up();
  // No new connections are kept: idle ones close now, others when they come back.
  void drain();
  // At the end of the process: closes every connection; borrowed ones must have been abandoned
  // before.
  void close_all();
  // True if a provider of a newer configuration can go on with this pool.
  bool serves(const catalog::Provider& provider, const std::string& ca_file) const;
  // A newer configuration's limits and timeouts.
  void update(const catalog::Provider& provider, const http::Limits& limits);

  bool at_capacity() const { return connections_.in_use() >= bounds_.connections_per_shard_max; }
  // So many borrowers would get a connection now, an idle or a new one.
  size_t free_count() const {
    const size_t used = connections_.in_use() - idle_count_;
    return bounds_.connections_per_shard_max > used ? bounds_.connections_per_shard_max - used : 0;
  }
  size_t connection_count() const { return connections_.in_use(); }
  size_t idle_count() const { return idle_count_; }
  size_t waiting_count() const { return waiting_count_; }
  const PoolStatistics& statistics() const { return statistics_; }
  const std::string& host() const { return host_; }
  bool needs_resolution() const { return needs_resolution_; }

 private:
  friend class Connection;

  io::Stream* open_stream(const io::Address& address, io::StreamHandler* handler);
  bool start_connection(uint32_t address_number, uint32_t tries);
  void start_for_waiters();
  Borrower* waiter_for(const Connection& connection);
  void lend(Connection* connection, Borrower* borrower);
  void make_room();
  void forget_idle(Connection* connection);

  // Connections report here.
  void on_connection_open(Connection* connection);
  void on_connect_failed(Connection* connection, Error error);
  // The response is complete; keeps the connection or closes it.
  void give_back(Connection* connection, bool reusable);
  void on_connection_closed(Connection* connection);
  void on_warm_timer();
  // Nobody waits for a name that has no address.
  void fail_unresolved();

  io::Runtime& runtime_;
  http::Limits limits_;
  std::shared_ptr<tls::ClientContext> context_;
  std::string host_;
  uint16_t port_;
  std::string server_name_;
  std::string ca_file_;                       // that the context was made from
  std::vector<io::Address> given_addresses_;  // by the conf instead of a resolver
  bool needs_resolution_;
  catalog::UpstreamTimeouts timeouts_;
  catalog::ConnectionLimits bounds_;
  std::vector<io::Address> addresses_;
  bool resolved_ = false;  // the resolver has spoken
  bool draining_ = false;
  uint32_t next_address_ = 0;
  uint32_t connecting_count_ = 0;
  size_t idle_count_ = 0;
  size_t waiting_count_ = 0;
  uint64_t warm_backoff_ms_ = 0;
  Slab<Connection> connections_;
  IntrusiveList<Connection, OwnedTag> owned_;
  IntrusiveList<Connection, IdleTag> idle_;
  IntrusiveList<Borrower, BorrowerTag> waiting_;
  io::MemberTimer<Pool, &Pool::on_warm_timer> warm_timer_{this};
  io::MemberTimer<Pool, &Pool::fail_unresolved> unresolved_timer_{this};
  PoolStatistics statistics_;
};

}  // namespace hyperion::upstream
