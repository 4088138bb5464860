// The process: shards, signals, reload, drain, hand-over.
//
// `run` starts one shard for each core, waits for signals and returns the exit code. SIGHUP loads
// the conf file again: a bad one changes nothing and is reported; a good one replaces the snapshot
// of every shard. SIGTERM (or SIGINT) drains: listeners close, what runs is answered, at the hard
// stop the rest is cut; a second signal stops at once. SIGUSR2 starts the binary anew and hands the
// listening sockets to it (server/hand_over), then drains; if that fails nothing has changed.
// Everything blocking happens here, on the main thread, or on the resolver's; never on a shard.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "config/config.h"
#include "gateway/pages.h"
#include "resilience/key_slots.h"
#include "server/hand_over.h"
#include "server/listening.h"
#include "server/shard.h"
#include "upstream/resolver.h"

namespace hyperion::server {

// Exit codes of `serve`.
inline constexpr int exit_drained = 0;
inline constexpr int exit_refused = 1;  // could not start; the reason is on stderr
inline constexpr int exit_cut_off = 3;  // the hard stop of the drain ended requests

class Server final : private gateway::Pages {
 public:
  // `conf_path` is read again on SIGHUP; empty: reload keeps what runs. `launch` is started on
  // SIGUSR2. `predecessor`, if there is one, has been found, and outlives `start`.
  Server(std::shared_ptr<const config::Config> config, std::string conf_path, Launch launch = {},
         Predecessor* predecessor = nullptr);
  ~Server();

  // Blocks the signals that `wait` takes; call before any thread is started.
  static void block_signals();

  // Opens the listeners and starts the shards. Empty refusal: it serves.
  io::Refusal start();
  // Takes signals until the end; returns an exit code.
  int wait();
  // Ends it from another thread, as SIGTERM would.
  void drain_and_stop();

  // Where it really listens (port 0 replaced), for the start-up message and tests.
  const std::vector<std::string>& addresses() const { return sockets_.texts(); }

 private:
  std::string metrics() override;
  const char* not_ready() override { return nullptr; }

  io::Refusal fit_connections(size_t descriptors_max, size_t shard_count);
  io::Refusal start_shards(size_t shard_count);
  io::Refusal begin_accepting();
  static std::string check_tls_files(const config::Config& config);
  void reload();
  void watch_names();
  bool hand_over();
  int drain(gateway::Drain why);
  void drain_shards(gateway::Drain why);
  bool all_finished() const;
  void stop_shards();

  std::shared_ptr<const config::Config> config_;
  std::string conf_path_;
  Launch launch_;
  Predecessor* predecessor_;
  std::vector<std::unique_ptr<LogRing>> log_rings_;
  std::unique_ptr<LogWriter> log_writer_;
  std::vector<int> cores_;
  size_t connections_max_ = 0;
  ListeningSockets sockets_;
  resilience::KeySlotsRegistry key_slots_;
  std::atomic<uint64_t> reloads_{0};
  std::atomic<uint64_t> reloads_refused_{0};
  std::atomic<uint64_t> hand_overs_failed_{0};
  std::vector<std::unique_ptr<Shard>> shards_;
  std::unique_ptr<upstream::Resolver> resolver_;
};

}  // namespace hyperion::server
