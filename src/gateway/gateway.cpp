#include "gateway/gateway.h"

#include <algorithm>
#include <cstring>
#include <map>

#include "base/log.h"

namespace hyperion::gateway {
namespace {

// What never changes in the head of a request to this provider, without its key.
std::string head_of(const catalog::Provider& provider) {
  std::string head = "host: " + provider.base_url.host_header + "\r\n";
  head += "user-agent: hyperion/" HYPERION_VERSION "\r\n";
  head += "accept: application/json, text/event-stream\r\n";
  // Answers are read on their way: no compression, please.
  head += "accept-encoding: identity\r\n";
  head += "content-type: application/json\r\n";
  for (const auto& [name, value] : provider.headers) head += name + ": " + value + "\r\n";
  return head;
}

// Of a provider whose name is gone the gauges would stand still for ever.
void zero_gauges_unless_named(const ProviderState& old, const Snapshot& next) {
  bool named =
      std::any_of(next.providers.begin(), next.providers.end(),
                  [&](const ProviderState& other) { return other.counters == old.counters; });
  if (named) return;
  old.counters->connections.set(0);
  old.counters->idle_connections.set(0);
  old.counters->breakers_open.set(0);
}

}  // namespace

Gateway::Gateway(io::Runtime& runtime, Counters& counters, RequestLog* log, Pages* pages,
                 resilience::KeySlotsRegistry& key_slots, size_t connections_max)
    : runtime_(runtime),
      counters_(counters),
      log_(log),
      pages_(pages),
      handshake_gate_(runtime.clock, runtime.timers),
      router_(runtime.clock),
      key_slots_(key_slots),
      clients_(connections_max + admin_connections_kept),
      // An exchange may outlive its client for a turn or two while an attempt joins.
      exchanges_(clients_.capacity() * 2),
      attempts_(clients_.capacity() * 3) {
  constexpr size_t refusals_told_max = 16;  // between two ticks
  refusals_.reserve(refusals_told_max);
}

Gateway::~Gateway() {
  for (auto& pool : retired_pools_) pool.reset();
}

std::string Gateway::apply(std::shared_ptr<const config::Config> config) {
  auto next = std::make_shared<Snapshot>();
  next->config = config;
  std::map<std::string, std::shared_ptr<tls::ClientContext>> contexts;
  for (const catalog::Provider& provider : config->catalog.providers()) {
    ProviderState state;
    std::string ca_file =
        provider.ca_file.empty() ? config->settings.tls.ca_file : provider.ca_file;
    if (snapshot_ != nullptr) {
      for (const ProviderState& old : snapshot_->providers) {
        bool taken =
            std::any_of(next->providers.begin(), next->providers.end(),
                        [&](const ProviderState& other) { return other.pool == old.pool; });
        if (!taken && old.pool->serves(provider, ca_file)) state.pool = old.pool;
      }
    }
    if (state.pool == nullptr) {
      std::shared_ptr<tls::ClientContext> context;
      if (provider.base_url.tls) {
        std::shared_ptr<tls::ClientContext>& known = contexts[ca_file];
        std::string problem;
        if (known == nullptr)
          known = tls::ClientContext::create({ca_file}, handshake_gate_, &problem);
        if (known == nullptr) return "provider " + provider.name + ": " + problem;
        context = known;
      }
      state.pool = std::make_shared<upstream::Pool>(runtime_, provider, config->settings.http,
                                                    context, ca_file);
    }
    state.counters = counters_.providers.get(provider.name);
    if (provider.discovery && provider.usable)
      state.discovered = discovered_models(snapshot_.get(), provider, state.pool);
    state.head = head_of(provider);
    state.answer_head = "x-hyperion-provider: " + provider.name + "\r\n";
    next->providers.push_back(std::move(state));
  }
  for (size_t wire = 0; wire < dialect::wires_count; ++wire)
    next->ways[wire] = ways_from(chat_endpoint(static_cast<dialect::Wire>(wire)), config->catalog);
  find_key_slots(*next);
  decisions_.resize(config->settings.routing.decisions_kept);
  next->health = std::make_unique<resilience::Health>(
      config->catalog, config->settings.resilience.breaker,
      snapshot_ != nullptr ? snapshot_->health.get() : nullptr);
  for (const catalog::Provider& provider : config->catalog.providers()) {
    next->providers[provider.index].pool->update(provider, config->settings.http);
  }
  if (snapshot_ != nullptr) retire_pools(*next);
  bodies_.limit_bytes = config->settings.memory.bodies_per_shard_max_bytes;
  uint64_t body_max = config->settings.http.body_size_max_bytes;
  bool changed =
      snapshot_ == nullptr || snapshot_->config->settings.http.body_size_max_bytes != body_max;
  if (changed) {
    scanner_ = std::make_unique<json::Scanner>(body_max);
    scanned_for_ = nullptr;
  }
  refusals_.clear();
  snapshot_ = std::move(next);
  configure_admission();
  discovery_.follow(snapshot_);
  for (const ProviderState& state : snapshot_->providers) state.pool->warm_up();
  return {};
}

// Of providers that the next configuration has not, or at another address.
void Gateway::retire_pools(const Snapshot& next) {
  for (const ProviderState& old : snapshot_->providers) {
    zero_gauges_unless_named(old, next);
    bool kept = std::any_of(next.providers.begin(), next.providers.end(),
                            [&](const ProviderState& other) { return other.pool == old.pool; });
    if (kept) continue;
    old.pool->drain();
    retired_pools_.push_back(old.pool);
  }
}

void Gateway::accept(io::Stream* stream, Listening side, bool handshake) {
  uint32_t handshakes_max = snapshot_->config->settings.limits.tls_handshakes_per_shard_max;
  bool too_many = handshake && handshakes_ >= handshakes_max;
  Client* client = too_many ? nullptr : clients_.create(*this, stream, side, handshake);
  if (client == nullptr) {
    counters_.connections_refused.add();
    stream->set_handler(nullptr);
    stream->terminate();
    return;
  }
  counters_.connections_accepted.add();
  counters_.connections_open.add();
  open_clients_.push_back(client);
  if (handshake) ++handshakes_;
  client->start();
}

void Gateway::release(Client* client) {
  client->ListNode<ClientTag>::unlink();
  counters_.connections_open.subtract();
  clients_.destroy(client);
}

Exchange* Gateway::create_exchange(Client& client) {
  Exchange* exchange = exchanges_.create(*this, client);
  if (exchange == nullptr) return nullptr;
  open_exchanges_.push_back(exchange);
  counters_.requests_in_flight.add();
  return exchange;
}

void Gateway::release(Exchange* exchange) {
  exchange->unlink();
  counters_.requests_in_flight.subtract();
  exchanges_.destroy(exchange);
}

Attempt* Gateway::create_attempt(Exchange& exchange, const Leg& leg, ledger::Hold hold) {
  return attempts_.create(exchange, leg, std::move(hold));
}

void Gateway::tell_health(const Snapshot& snapshot, uint32_t target, bool probe,
                          const resilience::Verdict& verdict) {
  using Why = resilience::Breaker::Why;
  resilience::Notice notice;
  const Instant now = runtime_.clock.now();
  if (!snapshot.health->on_attempt_ended(target, probe, verdict, now, notice)) return;
  if (notice.why == Why::none) {
    counters_.breakers_closed.add();
  } else {
    counters_.breakers_opened.add();
    if (notice.why == Why::key_refused) {
      counters_.keys_refused.add();
      if (&snapshot == snapshot_.get() && refusals_.size() < refusals_.capacity())
        refusals_.push_back(notice);
    }
  }
  if (peers_ != nullptr) peers_->tell(snapshot.config, notice);
}

void Gateway::on_notice(const std::shared_ptr<const config::Config>& config,
                        const resilience::Notice& notice) {
  if (snapshot_->config == config) snapshot_->health->on_notice(notice, runtime_.clock.now());
}

bool Gateway::may_retry(const Snapshot& snapshot) const {
  const resilience::RetrySettings& retries = snapshot.config->settings.resilience.retries;
  return retrying_ < retries.active_min ||
         retrying_ * 100 < exchanges_.in_use() * retries.active_percent;
}

bool Gateway::may_hedge(const Snapshot& snapshot) const {
  const resilience::HedgingSettings& hedging = snapshot.config->settings.resilience.hedging;
  return hedging_ * 100 < std::max<size_t>(exchanges_.in_use(), 20) * hedging.active_percent;
}

std::vector<std::string> Gateway::hosts() const {
  std::vector<std::string> hosts;
  for (const ProviderState& state : snapshot_->providers) {
    bool known = std::find(hosts.begin(), hosts.end(), state.pool->host()) != hosts.end();
    if (state.pool->needs_resolution() && !known) hosts.push_back(state.pool->host());
  }
  return hosts;
}

void Gateway::set_addresses(const std::string& host, const std::vector<io::Address>& addresses) {
  for (const ProviderState& state : snapshot_->providers) {
    if (state.pool->host() == host) state.pool->set_addresses(addresses);
  }
}

// Those of a key that was known before are the same.
void Gateway::find_key_slots(Snapshot& next) {
  const config::VirtualKeys& keys = next.config->keys;
  next.key_slots.resize(keys.all().size());
  for (const config::VirtualKey& key : keys.all()) {
    if (key.concurrent_requests_max != 0) next.key_slots[key.index] = key_slots_.get(key.id);
  }
  key_slots_.forget_unused();
}

void Gateway::configure_admission() {
  const resilience::AdmissionSettings& settings = snapshot_->config->settings.admission;
  admission_.configure(
      settings, {settings.requests_per_shard_max, runtime_.blocks.blocks_max(), bodies_.limit_bytes,
                 settings.loop_lag_max_ms, loop_load_.descriptors_max});
}

bool Gateway::relieve(const LoopLoad& load) {
  const bool limit_is_new = load.descriptors_max != loop_load_.descriptors_max;
  loop_load_ = load;
  if (limit_is_new) configure_admission();
  const resilience::Admission& admission = look_at_load();
  counters_.admission_level.set(static_cast<uint64_t>(admission.level()));
  counters_.requests_admitted.set(requests_admitted_);
  const resilience::AdmissionSettings& settings = snapshot_->config->settings.admission;
  if (admission.stops_accepting()) {
    close_idle_clients(SIZE_MAX);
    return true;
  }
  // Connections that do nothing must not keep others out, nor all be sent away for one.
  const size_t connections_max = clients_.capacity() - admin_connections_kept;
  const size_t kept = (connections_max * settings.stop_accept_at_percent - 1) / 100;
  if (clients_.in_use() > kept) close_idle_clients(clients_.in_use() - kept);
  return false;
}

// The oldest first.
void Gateway::close_idle_clients(size_t count_max) {
  for (Client* client = open_clients_.front(); client != nullptr && count_max != 0;) {
    Client* next = open_clients_.next(client);
    if (client->is_kept_alive()) {
      client->terminate();
      --count_max;
    }
    client = next;
  }
}

void Gateway::begin_drain(Drain why) {
  drain_ = why;
  discovery_.stop();
  if (why != Drain::ending) return;
  for (Client* client = open_clients_.front(); client != nullptr;) {
    Client* next = open_clients_.next(client);
    client->begin_drain();
    client = next;
  }
}

void Gateway::terminate_all() {
  drain_ = Drain::ending;
  discovery_.stop();
  for (Client* client = open_clients_.front(); client != nullptr;) {
    Client* next = open_clients_.next(client);
    client->terminate();
    client = next;
  }
  if (snapshot_ != nullptr) {
    for (const ProviderState& state : snapshot_->providers) state.pool->close_all();
  }
  for (auto& pool : retired_pools_) pool->close_all();
}

bool Gateway::idle() const {
  if (clients_.in_use() != 0 || exchanges_.in_use() != 0 || !discovery_.idle()) return false;
  auto empty = [](const upstream::Pool& pool) { return pool.connection_count() == 0; };
  if (snapshot_ != nullptr) {
    for (const ProviderState& state : snapshot_->providers) {
      if (!empty(*state.pool)) return false;
    }
  }
  return std::all_of(retired_pools_.begin(), retired_pools_.end(),
                     [&](const auto& pool) { return empty(*pool); });
}

void Gateway::next_request_id(char* out) {
  constexpr char digits[] = "0123456789abcdef";
  std::memcpy(out, "req_", 4);
  uint64_t words[2] = {runtime_.random.next(), runtime_.random.next()};
  for (size_t i = 4; i < request_id_size; ++i) {
    uint64_t& word = words[i % 2];
    out[i] = digits[word & 15];
    word >>= 4;
  }
}

void Gateway::update_gauges() {
  counters_.blocks_in_use.set(runtime_.blocks.in_use());
  counters_.body_bytes_in_use.set(bodies_.used_bytes);
  counters_.holds_open.set(holds_.open_count());
  for (const ProviderState& state : snapshot_->providers) {
    state.counters->connections.set(state.pool->connection_count());
    state.counters->idle_connections.set(state.pool->idle_count());
  }
  const Instant now = runtime_.clock.now();
  snapshot_->health->refresh(now);
  for (const catalog::Provider& provider : snapshot_->config->catalog.providers()) {
    snapshot_->providers[provider.index].counters->breakers_open.set(
        snapshot_->health->open_count(provider, now));
  }
  tell_operators();
  std::erase_if(retired_pools_, [](const std::shared_ptr<upstream::Pool>& pool) {
    return pool.use_count() == 1 && pool->connection_count() == 0;
  });
}

// Not from within a request: writing to the log may wait for whoever reads it.
void Gateway::tell_operators() {
  for (const resilience::Notice& notice : refusals_) {
    const resilience::Health::Way way = snapshot_->health->way_of(notice.target);
    if (way.deployment == nullptr) continue;
    const catalog::Provider& provider = *way.deployment->provider;
    log_warning("provider " + provider.name + " refused its key " +
                std::string(provider.key_name(way.key)) + ", or its account has no credit" +
                (notice.whole_key ? "" : " for " + way.deployment->id) +
                ": it is left alone for a while. Check the key and the account.");
  }
  refusals_.clear();
}

void Gateway::log(const Record& record) {
  counters_.outcomes[static_cast<size_t>(record.outcome)].add();
  counters_.status_class[record.status / 100 <= 5 ? record.status / 100 : 0].add();
  counters_.bytes_sent.add(record.response_bytes);
  counters_.request_duration_us.record(elapsed_ns(record.begin, record.end) / ns_per_us);
  counters_.overhead_us.record(record.overhead_ns(record.end) / ns_per_us);
  if (record.stream && record.first_token) {
    counters_.first_token_us.record(elapsed_ns(record.begin, record.first_token) / ns_per_us);
  }
  if (log_ != nullptr && !log_->append(record)) counters_.log_lines_dropped.add();
}

}  // namespace hyperion::gateway
