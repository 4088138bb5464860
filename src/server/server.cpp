#include "server/server.h"

#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "admin/metrics.h"
#include "base/log.h"

namespace hyperion::server {
namespace {

sigset_t handled_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (int signal : {SIGHUP, SIGTERM, SIGINT}) sigaddset(&set, signal);
  return set;
}

// The cores this process may run on.
std::vector<int> available_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  sched_getaffinity(0, sizeof(set), &set);
  std::vector<int> cores;
  for (int core = 0; core < CPU_SETSIZE; ++core) {
    if (CPU_ISSET(static_cast<size_t>(core), &set)) cores.push_back(core);
  }
  return cores;
}

void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

// No core file and no look into our memory by others of the same user: keys are in it.
void keep_secrets_in_memory() {
  rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  prctl(PR_SET_DUMPABLE, 0);
}

}  // namespace

Server::Server(std::shared_ptr<const config::Config> config, std::string conf_path)
    : config_(std::move(config)), conf_path_(std::move(conf_path)) {}

Server::~Server() {
  stop_shards();
  if (resolver_ != nullptr) resolver_->stop();
  shards_.clear();
  for (const std::string& path : socket_paths_) unlink(path.c_str());
  if (log_writer_ != nullptr) log_writer_->stop();
}

void Server::block_signals() {
  sigset_t set = handled_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signal(SIGPIPE, SIG_IGN);
  // The hand-over to a new binary is not built: the signal must not end what runs.
  signal(SIGUSR2, SIG_IGN);
}

// A socket with SO_REUSEPORT would quietly share the port with another Hyperion: one without it
// tells.
std::string Server::bind_one(io::Address address, gateway::Listening side, bool tls) {
  std::string problem;
  int probe = socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int on = 1;
  setsockopt(probe, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (address.storage.ss_family == AF_INET6)
    setsockopt(probe, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
  // A path that nobody listens on was left behind by a process that died.
  bool left_behind = address.storage.ss_family == AF_UNIX &&
                     connect(probe, address.get(), address.size) != 0 && errno == ECONNREFUSED;
  if (left_behind) unlink(address.text().c_str() + 5);
  bool busy =
      address.port() != 0 && bind(probe, address.get(), address.size) != 0 && errno == EADDRINUSE;
  close(probe);
  if (busy) {
    return "cannot listen on " + address.text() +
           ": Address already in use. Another program has this port: stop it, or set another "
           "address under "
           "[server] listen.";
  }
  size_t count = side == gateway::Listening::admin_side ? 1 : sockets_.size();
  int backlog = static_cast<int>(config_->settings.server.backlog);
  for (size_t i = 0; i < count; ++i) {
    // A path can be bound once: its shards share the socket.
    bool shared = address.storage.ss_family == AF_UNIX && i > 0;
    int fd =
        shared ? dup(sockets_[0].back().fd) : io::Listener::bind_socket(address, backlog, problem);
    if (fd < 0) return problem;
    if (address.storage.ss_family == AF_UNIX && i == 0)
      socket_paths_.push_back(address.text().substr(5));
    if (i == 0) {
      sockaddr_storage bound{};
      socklen_t size = sizeof(bound);
      getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size);
      address = io::Address::from_sockaddr(reinterpret_cast<sockaddr*>(&bound), size);
      const char* scheme = tls ? "https://" : "http://";
      const char* note = side == gateway::Listening::admin_side ? " (admin)" : "";
      address_texts_.push_back(scheme + address.text() + note);
    }
    sockets_[i].push_back({fd, side, tls});
  }
  return {};
}

std::string Server::bind_all() {
  const config::Settings& settings = config_->settings;
  for (const io::Address& address : settings.server.listen) {
    std::string problem = bind_one(address, gateway::Listening::public_side, false);
    if (!problem.empty()) return problem;
  }
  for (const io::Address& address : settings.tls.listen) {
    std::string problem = bind_one(address, gateway::Listening::public_side, true);
    if (!problem.empty()) return problem;
  }
  if (settings.admin.listen.size != 0)
    return bind_one(settings.admin.listen, gateway::Listening::admin_side, false);
  return {};
}

// Certificates are read by each shard; a file that cannot be used is found before any shard has
// begun, and at a reload before anything has changed.
std::string Server::check_tls_files(const config::Config& config) {
  SystemClock clock;
  io::TimerWheel timers(clock.now());
  tls::HandshakeGate gate(clock, timers);
  std::string problem;
  const config::TlsSettings& tls = config.settings.tls;
  if (!tls.listen.empty()) {
    tls::ServerSettings server{tls.certificate_file, tls.key_file};
    if (tls::ServerContext::create(server, gate, &problem) == nullptr) return "[tls]: " + problem;
  }
  std::set<std::string> checked;
  for (const catalog::Provider& provider : config.catalog.providers()) {
    std::string ca_file = provider.ca_file.empty() ? tls.ca_file : provider.ca_file;
    if (!provider.base_url.tls || !checked.insert(ca_file).second) continue;
    if (tls::ClientContext::create({ca_file}, gate, &problem) == nullptr)
      return "provider " + provider.name + ": " + problem;
  }
  return {};
}

io::Refusal Server::start() {
  raise_descriptor_limit();
  keep_secrets_in_memory();
  const config::ServerSettings& settings = config_->settings.server;
  std::vector<int> cores = available_cores();
  bool pinned = settings.pin || !settings.cores.empty();
  if (!settings.cores.empty()) cores.assign(settings.cores.begin(), settings.cores.end());
  size_t count = settings.shards != 0 ? settings.shards : cores.size();
  sockets_.resize(count);
  std::string problem = check_tls_files(*config_);
  if (problem.empty()) problem = bind_all();
  if (!problem.empty()) return {problem, "Nothing was started."};
  if (config_->settings.log.target != "off") {
    log_writer_ = std::make_unique<LogWriter>();
    problem = log_writer_->open(config_->settings.log.target);
    if (!problem.empty())
      return {problem, "Set [log] target to a file that can be written, to stdout, stderr or off."};
  }
  for (size_t i = 0; i < count; ++i) {
    ShardSettings shard;
    shard.number = static_cast<unsigned>(i);
    shard.core = pinned ? cores[i % cores.size()] : -1;
    shard.config = config_;
    shard.connections_max = settings.connections_max / count + 1;
    shard.sockets = sockets_[i];
    shard.pages = this;
    if (log_writer_ != nullptr) {
      log_rings_.push_back(std::make_unique<LogRing>(config_->settings.log.buffer_size_bytes));
      log_writer_->add(*log_rings_.back());
      shard.log = log_rings_.back().get();
    }
    shards_.push_back(std::make_unique<Shard>(std::move(shard)));
  }
  if (log_writer_ != nullptr) log_writer_->start();
  for (auto& shard : shards_) {
    io::Refusal refusal = shard->start();
    if (refusal) return refusal;
  }
  resolver_ = std::make_unique<upstream::Resolver>(
      [this](const std::string& host, const std::vector<io::Address>& addresses) {
        for (auto& shard : shards_) shard->set_addresses(host, addresses);
      });
  watch_names();
  return {};
}

void Server::watch_names() {
  std::vector<std::string> hosts;
  for (const catalog::Provider& provider : config_->catalog.providers()) {
    const std::string& host = provider.base_url.host;
    bool needed = !provider.base_url.host_is_ip && provider.addresses.empty();
    if (needed && std::find(hosts.begin(), hosts.end(), host) == hosts.end()) hosts.push_back(host);
  }
  resolver_->watch(std::move(hosts), config_->settings.upstream.dns_refresh_ms);
}

int Server::wait() {
  sigset_t set = handled_signals();
  while (true) {
    int signal = 0;
    if (sigwait(&set, &signal) != 0) continue;
    if (signal == SIGHUP) {
      if (log_writer_ != nullptr) log_writer_->reopen();
      reload();
    } else {
      return drain();
    }
  }
}

void Server::drain_and_stop() { kill(getpid(), SIGTERM); }

void Server::reload() {
  if (conf_path_.empty()) {
    log_warning("nothing to reload: Hyperion runs without a conf file");
    return;
  }
  config::LoadOutcome outcome = config::load_file(conf_path_);
  for (const std::string& warning : outcome.warnings) log_warning(warning);
  for (const std::string& error : outcome.errors) log_warning("reload refused: " + error);
  std::string problem = outcome.config != nullptr ? check_tls_files(*outcome.config) : "";
  if (!problem.empty()) log_warning("reload refused: " + problem);
  if (outcome.config == nullptr || !problem.empty()) {
    reloads_refused_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  reloads_.fetch_add(1, std::memory_order_relaxed);
  config_ = outcome.config;
  for (auto& shard : shards_) shard->apply(config_);
  watch_names();
  log_info("conf reloaded, stamp " + config_->stamp +
           " (addresses, cores, memory, the log and our own certificate change at a restart only)");
}

bool Server::all_finished() const {
  return std::all_of(shards_.begin(), shards_.end(),
                     [](const auto& shard) { return shard->finished(); });
}

void Server::stop_shards() {
  for (auto& shard : shards_) {
    if (!shard->finished()) shard->stop();
  }
  for (auto& shard : shards_) shard->join();
}

int Server::drain() {
  log_info("draining: no new connections, waiting for requests in flight");
  for (auto& shard : shards_) shard->drain();
  SystemClock clock;
  Instant hard_stop = clock.precise_now() + config_->settings.server.drain_s * ns_per_s;
  sigset_t set = handled_signals();
  bool cut_off = false;
  while (!all_finished()) {
    timespec pause{0, 20'000'000};
    int signal = sigtimedwait(&set, nullptr, &pause);
    if (signal == SIGTERM || signal == SIGINT || clock.precise_now() >= hard_stop) {
      cut_off = true;
      break;
    }
  }
  stop_shards();
  if (resolver_ != nullptr) resolver_->stop();
  if (log_writer_ != nullptr) log_writer_->stop();
  log_writer_.reset();
  return cut_off ? exit_cut_off : exit_drained;
}

std::string Server::metrics() {
  std::vector<const gateway::Counters*> counters;
  for (const auto& shard : shards_) counters.push_back(&shard->counters());
  return admin::render_metrics(counters, {reloads_.load(std::memory_order_relaxed),
                                          reloads_refused_.load(std::memory_order_relaxed)});
}

}  // namespace hyperion::server
