#include "server/server.h"

#include <fcntl.h>
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
#include "server/manager.h"

namespace hyperion::server {
namespace {

sigset_t handled_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (int signal : {SIGHUP, SIGTERM, SIGINT, SIGUSR2}) sigaddset(&set, signal);
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

// As far as this process may; returns the limit.
size_t raise_descriptor_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_max;
}

// Of clients, each with one to a provider: beyond it a client is told so at once, while one that is
// accepted finds a descriptor for its provider too.
size_t connections_that_fit(size_t descriptors_max, size_t shard_count) {
  // A ring, a wake-up, and a client in excess with his provider.
  constexpr size_t of_shard = 4;
  // Files and names at a reload, the ends of a hand-over's channel, a client that is refused, those
  // of the admin side.
  constexpr size_t of_process = 16;
  int lowest_free = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
  if (lowest_free < 0) return 0;
  close(lowest_free);
  size_t taken = static_cast<size_t>(lowest_free) + of_process + of_shard * shard_count;
  return descriptors_max > taken ? (descriptors_max - taken) / 2 : 0;
}

// How many connections the system allows the process to have.
uint64_t connections_allowed() {
  // Rings, listeners, logs, files that a reload reads.
  constexpr uint64_t other_descriptors = 64;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return UINT32_MAX;
  return limit.rlim_cur > 2 * other_descriptors ? limit.rlim_cur - other_descriptors
                                                : limit.rlim_cur;
}

// No core file and no look into our memory by others of the same user: keys are in it.
void keep_secrets_in_memory() {
  rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  prctl(PR_SET_DUMPABLE, 0);
}

bool stop_is_wanted() {
  sigset_t pending;
  sigpending(&pending);
  return sigismember(&pending, SIGTERM) == 1 || sigismember(&pending, SIGINT) == 1;
}

}  // namespace

Server::Server(std::shared_ptr<const config::Config> config, std::string conf_path, Launch launch,
               Predecessor* predecessor)
    : config_(std::move(config)),
      conf_path_(std::move(conf_path)),
      launch_(std::move(launch)),
      predecessor_(predecessor),
      sockets_(predecessor != nullptr ? predecessor->take_sockets() : std::vector<HeldAddress>{}) {}

Server::~Server() {
  stop_shards();
  if (resolver_ != nullptr) resolver_->stop();
  shards_.clear();
  if (log_writer_ != nullptr) log_writer_->stop();
}

void Server::block_signals() {
  sigset_t set = handled_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signal(SIGPIPE, SIG_IGN);
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
  size_t descriptors_max = raise_descriptor_limit();
  keep_secrets_in_memory();
  const config::ServerSettings& settings = config_->settings.server;
  cores_ = available_cores();
  if (!settings.cores.empty()) cores_.assign(settings.cores.begin(), settings.cores.end());
  size_t count = settings.shards != 0 ? settings.shards : cores_.size();
  std::string problem = check_tls_files(*config_);
  if (problem.empty()) problem = sockets_.open(config_->settings, count);
  if (!problem.empty()) return {problem, "Nothing was started."};
  if (config_->settings.log.target != "off") {
    log_writer_ = std::make_unique<LogWriter>();
    problem = log_writer_->open(config_->settings.log.target);
    if (!problem.empty())
      return {problem, "Set [log] target to a file that can be written, to stdout, stderr or off."};
  }
  io::Refusal refusal = fit_connections(descriptors_max, count);
  if (!refusal) refusal = start_shards(count);
  if (refusal) return refusal;
  resolver_ = std::make_unique<upstream::Resolver>(
      [this](const std::string& host, const std::vector<io::Address>& addresses) {
        for (auto& shard : shards_) shard->set_addresses(host, addresses);
      });
  watch_names();
  return begin_accepting();
}

io::Refusal Server::fit_connections(size_t descriptors_max, size_t shard_count) {
  size_t wanted = config_->settings.server.connections_max;
  connections_max_ = std::min(wanted, connections_that_fit(descriptors_max, shard_count));
  std::string limit = "the limit of open files (RLIMIT_NOFILE) is " +
                      std::to_string(descriptors_max) + ": room for ";
  std::string remedy = "Raise it with `ulimit -Hn` or LimitNOFILE= in the unit.";
  if (connections_max_ == 0) return {limit + "no connection of a client.", remedy};
  if (connections_max_ < wanted) {
    log_warning(limit + std::to_string(connections_max_) +
                " connections of clients, each with one to a provider, and not for the " +
                std::to_string(wanted) + " of [server] connections_max. " + remedy);
  }
  return {};
}

io::Refusal Server::start_shards(size_t count) {
  const config::ServerSettings& settings = config_->settings.server;
  bool pinned = settings.pin || !settings.cores.empty();
  for (size_t i = 0; i < count; ++i) {
    ShardSettings shard;
    shard.number = static_cast<unsigned>(i);
    shard.core = pinned ? cores_[i % cores_.size()] : -1;
    shard.config = config_;
    shard.connections_max = connections_max_ / count + 1;
    shard.sockets = sockets_.of_shard(i);
    shard.pages = this;
    shard.key_slots = &key_slots_;
    shard.descriptors_max = std::max<uint64_t>(connections_allowed() / count, 1);
    if (log_writer_ != nullptr) {
      log_rings_.push_back(std::make_unique<LogRing>(config_->settings.log.buffer_size_bytes));
      log_writer_->add(*log_rings_.back());
      shard.log = log_rings_.back().get();
    }
    shards_.push_back(std::make_unique<Shard>(std::move(shard)));
  }
  for (auto& shard : shards_) {
    std::vector<Shard*> others;
    for (auto& other : shards_) {
      if (other != shard) others.push_back(other.get());
    }
    shard->set_others(std::move(others));
  }
  if (log_writer_ != nullptr) log_writer_->start();
  for (auto& shard : shards_) {
    io::Refusal refusal = shard->start();
    if (refusal) return refusal;
  }
  return {};
}

// Nothing can fail any more but the listening itself.
io::Refusal Server::begin_accepting() {
  bool given = predecessor_ != nullptr && predecessor_->await_state(sockets_.taken());
  std::string problem = sockets_.listen(static_cast<int>(config_->settings.server.backlog));
  if (!problem.empty()) return {problem, "Nothing was started."};
  for (auto& shard : shards_) shard->accept();
  if (given) {
    predecessor_->say_serving();
  } else {
    if (predecessor_ != nullptr)
      log_warning("the process before this one ended during the hand-over: serving without it");
    tell_manager("READY=1");
  }
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
    } else if (signal == SIGUSR2) {
      if (hand_over()) return drain(gateway::Drain::handed_over);
    } else {
      tell_manager("STOPPING=1");
      return drain(gateway::Drain::ending);
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
           " (addresses, cores, memory, the log and our own certificate change at a hand-over "
           "(SIGUSR2) or restart only)");
}

// True when another process serves.
bool Server::hand_over() {
  HandOver outcome;
  if (launch_.path.empty()) {
    outcome.problem = "nothing says how this process was started.";
  } else if (getpid() == 1) {
    outcome.problem = "this is process 1, whose end is the end of its container: replace that.";
  } else {
    log_info("handing over to " + launch_.path);
    outcome = server::hand_over(launch_, sockets_.held(),
                                config_->settings.server.successor_ready_s, stop_is_wanted);
  }
  if (!outcome.problem.empty()) {
    hand_overs_failed_.fetch_add(1, std::memory_order_relaxed);
    log_error("hand-over failed: " + outcome.problem +
              " This process goes on serving. Put that right and send SIGUSR2 again.");
    return false;
  }
  sockets_.leave(outcome.taken);
  std::string successor = std::to_string(outcome.successor);
  tell_manager("MAINPID=" + successor + "\nREADY=1");
  log_info("handed over: process " + successor + " serves");
  return true;
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

void Server::drain_shards(gateway::Drain why) {
  log_info(
      why == gateway::Drain::ending
          ? "draining: no new connections, waiting for requests in flight"
          : "draining: waiting for requests in flight, and for open connections to be used up");
  for (auto& shard : shards_) shard->drain(why);
}

int Server::drain(gateway::Drain why) {
  drain_shards(why);
  SystemClock clock;
  Instant hard_stop = clock.precise_now() + config_->settings.server.drain_s * ns_per_s;
  sigset_t set = handled_signals();
  bool cut_off = false;
  while (!all_finished() && !cut_off) {
    timespec pause{0, 20'000'000};
    int signal = sigtimedwait(&set, nullptr, &pause);
    if (signal == SIGTERM || signal == SIGINT) {
      cut_off = why == gateway::Drain::ending;
      if (!cut_off) drain_shards(why = gateway::Drain::ending);
    } else if (signal == SIGUSR2) {
      log_warning("SIGUSR2 ignored: this process is draining");
    } else if (signal == SIGHUP && log_writer_ != nullptr) {
      log_writer_->reopen();
    }
    cut_off = cut_off || clock.precise_now() >= hard_stop;
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
                                          reloads_refused_.load(std::memory_order_relaxed),
                                          hand_overs_failed_.load(std::memory_order_relaxed)});
}

}  // namespace hyperion::server
