#include "server/shard.h"

#include <pthread.h>
#include <sched.h>
#include <sys/socket.h>

#include <algorithm>
#include <optional>

#include "base/log.h"
#include "tls/tls_stream.h"

namespace hyperion::server {
namespace {

// How often load is looked at, where there is any, and the gauges are refreshed.
constexpr uint64_t busy_tick_ms = 100;
constexpr uint64_t idle_tick_ms = 1000;
// The turns that a shard without work makes between two ticks: this tick's own, and some slack.
constexpr uint64_t idle_turns_max = 3;

// To a client beyond the limit of connections, for whom there is no Client object.
const std::string& overflow_answer() {
  static const std::string answer = [] {
    std::string body =
        "{\"error\":{\"message\":\"Hyperion is at its limit of connections. Try again.\","
        "\"type\":\"server_error\",\"param\":null,\"code\":\"overloaded\"}}";
    return "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\nretry-after: "
           "1\r\n"
           "connection: close\r\ncontent-length: " +
           std::to_string(body.size()) + "\r\n\r\n" + body;
  }();
  return answer;
}

io::ReactorSettings reactor_settings(const config::Settings& settings, size_t connections_max) {
  io::ReactorSettings reactor;
  reactor.ring_entries = settings.server.ring_entries;
  reactor.receive_buffer_count = settings.server.receive_buffers;
  reactor.receive_buffer_size_bytes = settings.server.receive_buffer_size_bytes;
  reactor.busy_poll_us = settings.server.busy_poll_us;
  reactor.optimistic_send = settings.server.optimistic_send;
  // Clients, as many connections to providers, and as many again that are kept idle or still end.
  reactor.streams_max = connections_max * 3 + 1024;
  reactor.blocks_max = settings.memory.blocks_per_shard_max;
  reactor.blocks_kept = settings.memory.blocks_per_shard_kept;
  return reactor;
}

}  // namespace

class Shard::Acceptor final : public io::Acceptor {
 public:
  Acceptor(Shard& shard, const ListeningSocket& socket) : shard_(shard), socket_(socket) {}

  void on_accept(io::Stream* stream) override {
    gateway::Gateway& gateway = *shard_.gateway_;
    if (!socket_.tls) {
      gateway.accept(stream, socket_.side);
      return;
    }
    auto secure =
        tls::accept_server(shard_.reactor_->runtime(), *shard_.server_context_, stream, nullptr);
    if (secure) {
      gateway.accept(*secure, socket_.side, true);
    } else {
      stream->set_handler(nullptr);
      stream->terminate();
    }
  }

  bool has_room() override { return shard_.gateway_->has_room(socket_.side); }

  void on_accept_overflow(int fd) override {
    shard_.counters_.connections_refused.add();
    if (socket_.tls) return;
    const std::string& answer = overflow_answer();
    ssize_t sent = send(fd, answer.data(), answer.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    static_cast<void>(sent);  // best effort: the connection is closed either way
  }

 private:
  Shard& shard_;
  ListeningSocket socket_;
};

Shard::Shard(ShardSettings settings) : settings_(std::move(settings)) {}

Shard::~Shard() { join(); }

void Shard::join() {
  if (thread_.joinable()) thread_.join();
}

io::Refusal Shard::start() {
  std::promise<io::Refusal> started;
  std::future<io::Refusal> verdict = started.get_future();
  thread_ = std::thread([this, &started] { run(started); });
  return verdict.get();
}

void Shard::run(std::promise<io::Refusal>& started) {
  pthread_setname_np(pthread_self(), ("shard-" + std::to_string(settings_.number)).c_str());
  if (settings_.core >= 0) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<size_t>(settings_.core), &set);
    pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
  }
  const config::Settings& settings = settings_.config->settings;
  SystemClock clock;
  uint64_t seed = clock.wall_ns() ^ (uint64_t{settings_.number} << 56);
  auto reactor =
      std::make_unique<io::Reactor>(reactor_settings(settings, settings_.connections_max), seed);
  io::Refusal refusal = reactor->open();
  if (refusal) {
    finished_.store(true, std::memory_order_release);
    started.set_value(refusal);
    return;
  }
  std::optional<gateway::RingLog> log;
  if (settings_.log != nullptr) log.emplace(*settings_.log, reactor->clock());
  auto gateway = std::make_unique<gateway::Gateway>(
      reactor->runtime(), counters_, log ? &*log : nullptr, settings_.pages, *settings_.key_slots,
      settings_.connections_max);
  reactor_ = reactor.get();
  gateway_ = gateway.get();
  if (!others_.empty()) gateway->set_peers(this);
  std::string problem = gateway->apply(settings_.config);
  bool secure = false;
  for (const ListeningSocket& socket : settings_.sockets) secure |= socket.tls;
  if (problem.empty() && secure) {
    tls::ServerSettings server{settings.tls.certificate_file, settings.tls.key_file};
    server_context_ = tls::ServerContext::create(server, gateway->handshake_gate(), &problem);
  }
  if (!problem.empty()) {
    finished_.store(true, std::memory_order_release);
    gateway->terminate_all();
    while (!gateway->idle()) reactor->turn();
    started.set_value({problem, "Correct the conf file, then check it with `hyperion check`."});
    return;
  }
  settings_.config.reset();  // the gateway holds the current one; an old one must not live for ever
  mailbox_.start(*reactor);
  open_listeners(*reactor);
  started.set_value({});
  serve(*reactor);
  gateway.reset();
  server_context_.reset();
  finished_.store(true, std::memory_order_release);
}

void Shard::open_listeners(io::Reactor& reactor) {
  for (const ListeningSocket& socket : settings_.sockets) {
    acceptors_.push_back(std::make_unique<Acceptor>(*this, socket));
    auto listener = std::make_unique<io::Listener>(reactor, *acceptors_.back());
    listener->adopt(socket.fd);
    listeners_.push_back(std::move(listener));
  }
}

void Shard::serve(io::Reactor& reactor) {
  on_tick();
  auto drained = [&] {
    return draining_ && listeners_closed() && gateway_->exchange_count() == 0 &&
           gateway_->client_count() == 0;
  };
  while (!stopping_ && !drained()) reactor.turn();
  reactor.runtime().timers.cancel(tick_);
  close_listeners();
  gateway_->terminate_all();
  mailbox_.stop();
  auto closed = [&] {
    return listeners_closed() && gateway_->idle() && mailbox_.stopped() &&
           reactor.streams_in_use() == 0;
  };
  while (!closed()) reactor.turn();
  listeners_.clear();
}

void Shard::close_listeners() {
  for (auto& listener : listeners_) listener->close();
}

bool Shard::listeners_closed() const {
  return std::all_of(listeners_.begin(), listeners_.end(),
                     [](const auto& listener) { return listener->closed(); });
}

void Shard::on_tick() {
  const Instant now = reactor_->clock().now();
  relieve();
  if (now >= gauges_due_) {
    gauges_due_ = now + idle_tick_ms * ns_per_ms;
    update_gauges();
  }
  const uint64_t turns = reactor_->statistics().turns;
  const bool idle = turns - turns_seen_ <= idle_turns_max && !accepting_paused_;
  turns_seen_ = turns;
  reactor_->runtime().timers.arm(tick_, now + (idle ? idle_tick_ms : busy_tick_ms) * ns_per_ms);
}

// Nearly full: no new connections of clients. Who asks for health and metrics is still let in.
void Shard::relieve() {
  gateway::LoopLoad load;
  load.lag_ms = reactor_->lag().median_ns() / ns_per_ms;
  load.descriptors = reactor_->streams_in_use();
  load.descriptors_max = std::min<uint64_t>(settings_.descriptors_max, reactor_->streams_max());
  const bool full = gateway_->relieve(load);
  if (full == accepting_paused_) return;
  accepting_paused_ = full;
  steer_listeners();
}

void Shard::steer_listeners() {
  if (!accepting_ || draining_) return;
  for (size_t i = 0; i < listeners_.size(); ++i) {
    const bool admin = settings_.sockets[i].side == gateway::Listening::admin_side;
    accepting_paused_ && !admin ? listeners_[i]->pause() : listeners_[i]->start();
  }
}

void Shard::update_gauges() {
  const io::ReactorStatistics& statistics = reactor_->statistics();
  counters_.completion_overflows.set(statistics.completion_overflows);
  counters_.receive_starved.set(statistics.starved);
  counters_.loop_lag_us.set(reactor_->lag().median_ns() / ns_per_us);
  counters_.loop_turn_longest_us.set(reactor_->lag().longest_ns() / ns_per_us);
  gateway_->update_gauges();
}

void Shard::apply(std::shared_ptr<const config::Config> config) {
  mailbox_.post([this, config = std::move(config)] {
    std::string problem = gateway_->apply(config);
    if (!problem.empty())
      log_warning("reload refused by shard " + std::to_string(settings_.number) + ": " + problem);
  });
}

// On this shard's thread; runs on theirs, within a turn.
void Shard::tell(const std::shared_ptr<const config::Config>& config,
                 const resilience::Notice& notice) {
  for (Shard* other : others_) {
    other->mailbox_.post([other, config, notice] { other->gateway_->on_notice(config, notice); });
  }
}

void Shard::set_addresses(std::string host, std::vector<io::Address> addresses) {
  mailbox_.post([this, host = std::move(host), addresses = std::move(addresses)] {
    gateway_->set_addresses(host, addresses);
  });
}

void Shard::accept() {
  mailbox_.post([this] {
    accepting_ = true;
    steer_listeners();
  });
}

void Shard::drain(gateway::Drain why) {
  mailbox_.post([this, why] {
    if (!draining_) {
      for (auto& listener : listeners_) listener->finish();
    }
    draining_ = true;
    gateway_->begin_drain(why);
  });
}

void Shard::stop() {
  mailbox_.post([this] { stopping_ = true; });
}

}  // namespace hyperion::server
