#include "upstream/pool.h"

#include <algorithm>

#include "tls/tls_stream.h"

namespace hyperion::upstream {
namespace {

// Of the slab, whatever a reload allows: the conf's own bound is looked at before each new
// connection.
constexpr size_t connections_ceiling = 1 << 20;
// Between attempts to keep a provider warm that refuses: doubled up to the second.
constexpr uint64_t warm_retry_first_ms = 500;
constexpr uint64_t warm_retry_last_ms = 30'000;

bool same_addresses(const std::vector<io::Address>& a, const std::vector<io::Address>& b) {
  return std::equal(
      a.begin(), a.end(), b.begin(), b.end(),
      [](const io::Address& x, const io::Address& y) { return x.text() == y.text(); });
}

}  // namespace

Pool::Pool(io::Runtime& runtime, const catalog::Provider& provider, const http::Limits& limits,
           std::shared_ptr<tls::ClientContext> context, std::string ca_file)
    : runtime_(runtime),
      limits_(limits),
      context_(std::move(context)),
      host_(provider.base_url.host),
      port_(provider.base_url.port),
      server_name_(provider.tls_server_name.empty() ? host_ : provider.tls_server_name),
      ca_file_(std::move(ca_file)),
      given_addresses_(provider.addresses),
      needs_resolution_(provider.addresses.empty() && !provider.base_url.host_is_ip),
      timeouts_(provider.timeouts),
      bounds_(provider.connections),
      addresses_(provider.addresses),
      connections_(connections_ceiling, 16) {
  if (addresses_.empty() && provider.base_url.host_is_ip) {
    auto address = io::Address::from_ip(host_, port_);
    if (address) addresses_.push_back(*address);
  }
  resolved_ = !addresses_.empty();
}

Pool::~Pool() {
  runtime_.timers.cancel(warm_timer_);
  runtime_.timers.cancel(unresolved_timer_);
}

bool Pool::serves(const catalog::Provider& provider, const std::string& ca_file) const {
  const std::string& name =
      provider.tls_server_name.empty() ? provider.base_url.host : provider.tls_server_name;
  return !draining_ && host_ == provider.base_url.host && port_ == provider.base_url.port &&
         (context_ != nullptr) == provider.base_url.tls && server_name_ == name &&
         ca_file_ == ca_file && same_addresses(given_addresses_, provider.addresses);
}

void Pool::update(const catalog::Provider& provider, const http::Limits& limits) {
  limits_ = limits;
  timeouts_ = provider.timeouts;
  bounds_ = provider.connections;
  start_for_waiters();
}

io::Stream* Pool::open_stream(const io::Address& address, io::StreamHandler* handler) {
  io::Stream* stream = runtime_.transport.connect(address, handler);
  if (stream == nullptr || context_ == nullptr) return stream;
  Result<io::Stream*> wrapped =
      tls::open_client(runtime_, *context_, stream, server_name_, handler);
  if (wrapped) return *wrapped;
  stream->set_handler(nullptr);
  stream->terminate();
  return nullptr;
}

Connection* Pool::borrow(Borrower& borrower, bool fresh) {
  if (!fresh) {
    if (Connection* connection = idle_.front()) {
      forget_idle(connection);
      ++statistics_.reuses;
      return connection;
    }
  }
  borrower.wants_fresh = fresh;
  waiting_.push_back(&borrower);
  ++waiting_count_;
  start_for_waiters();
  make_room();
  // The failure comes after this call, not inside it.
  if (addresses_.empty() && resolved_) {
    runtime_.timers.arm(unresolved_timer_, runtime_.clock.now());
  }
  return nullptr;
}

void Pool::cancel(Borrower& borrower) {
  if (!borrower.linked()) return;
  borrower.unlink();
  --waiting_count_;
}

void Pool::start_for_waiters() {
  if (addresses_.empty()) return;
  while (connecting_count_ < waiting_count_ &&
         connections_.in_use() < bounds_.connections_per_shard_max) {
    if (!start_connection(next_address_, 1)) return;
  }
}

bool Pool::start_connection(uint32_t address_number, uint32_t tries) {
  Connection* connection = connections_.create(*this);
  if (connection == nullptr) return false;
  const io::Address& address = addresses_[address_number % addresses_.size()];
  if (!connection->connect(address, address_number, tries)) {
    connections_.destroy(connection);
    return false;
  }
  owned_.push_back(connection);
  ++connecting_count_;
  return true;
}

void Pool::on_connection_open(Connection* connection) {
  --connecting_count_;
  ++statistics_.opened;
  next_address_ = connection->address_number();
  warm_backoff_ms_ = 0;
  give_back(connection, true);
}

void Pool::give_back(Connection* connection, bool reusable) {
  bool worn = connection->requests() >= bounds_.connection_requests_max;
  if (!reusable || worn) {
    connection->close();
    return;
  }
  if (Borrower* borrower = waiter_for(*connection)) {
    lend(connection, borrower);
    return;
  }
  if (draining_) {
    connection->close();
    return;
  }
  connection->note_idle();
  idle_.push_front(connection);
  ++idle_count_;
  connection->arm_idle_timer(bounds_.connection_idle_ms);
  make_room();
}

// Who waits although connections are idle wants a fresh one: at the cap the oldest gives its place.
void Pool::make_room() {
  if (waiting_count_ > connecting_count_ && at_capacity() && !idle_.empty()) idle_.back()->close();
}

// The first in the queue that takes this connection.
Borrower* Pool::waiter_for(const Connection& connection) {
  for (Borrower* borrower = waiting_.front(); borrower != nullptr;
       borrower = waiting_.next(borrower)) {
    if (!borrower->wants_fresh || (connection.requests() == 0 && !connection.reused()))
      return borrower;
  }
  return nullptr;
}

void Pool::lend(Connection* connection, Borrower* borrower) {
  borrower->unlink();
  --waiting_count_;
  borrower->on_borrowed(connection);
}

void Pool::forget_idle(Connection* connection) {
  connection->ListNode<IdleTag>::unlink();
  --idle_count_;
}

void Pool::on_connect_failed(Connection* connection, Error error) {
  --connecting_count_;
  ++statistics_.open_failures;
  uint32_t tries = connection->tries();
  next_address_ = connection->address_number() + 1;
  // Another address of the same name may answer.
  if (tries < addresses_.size() && waiting_count_ > 0) {
    if (start_connection(connection->address_number() + 1, tries + 1)) return;
  }
  if (Borrower* borrower = waiting_.front()) {
    borrower->unlink();
    --waiting_count_;
    error.phase = Phase::connect;
    error.retry_safe = 1;
    borrower->on_borrow_failed(error);
    return;
  }
  warm_backoff_ms_ = std::clamp(warm_backoff_ms_ * 2, warm_retry_first_ms, warm_retry_last_ms);
  if (!draining_) {
    runtime_.timers.arm(warm_timer_, runtime_.clock.now() + warm_backoff_ms_ * ns_per_ms);
  }
}

void Pool::on_connection_closed(Connection* connection) {
  connection->ListNode<OwnedTag>::unlink();
  connections_.destroy(connection);
  start_for_waiters();
  make_room();
  if (draining_) return;
  if (connections_.in_use() < bounds_.connections_warm && !warm_timer_.armed()) {
    runtime_.timers.arm(warm_timer_, runtime_.clock.now() + warm_retry_first_ms * ns_per_ms);
  }
}

void Pool::on_warm_timer() { warm_up(); }

void Pool::warm_up() {
  if (draining_ || addresses_.empty()) return;
  while (connections_.in_use() < bounds_.connections_warm) {
    if (!start_connection(next_address_, 1)) return;
  }
}

void Pool::set_addresses(const std::vector<io::Address>& addresses) {
  if (!needs_resolution_) return;
  resolved_ = true;
  if (!addresses.empty()) {
    addresses_ = addresses;
    for (io::Address& address : addresses_) address.set_port(port_);
    start_for_waiters();
    warm_up();
    return;
  }
  fail_unresolved();
}

void Pool::fail_unresolved() {
  if (!addresses_.empty()) return;  // the last good ones stay
  while (Borrower* borrower = waiting_.pop_front()) {
    --waiting_count_;
    Error error = make_error(ErrorCode::name_not_resolved, Side::upstream);
    error.phase = Phase::connect;
    error.retry_safe = 1;
    borrower->on_borrow_failed(error);
  }
}

void Pool::drain() {
  draining_ = true;
  runtime_.timers.cancel(warm_timer_);
  while (Connection* connection = idle_.front()) connection->close();
}

void Pool::close_all() {
  drain();
  connecting_count_ = 0;
  for (Connection* c = owned_.front(); c != nullptr; c = owned_.next(c)) c->close();
}

}  // namespace hyperion::upstream
