// The process: shards, signals, reload, drain.
//
// `run` starts one shard for each core, waits for signals and returns the exit code. SIGHUP loads
// the conf file again: a bad one changes nothing and is reported; a good one replaces the snapshot
// of every shard. SIGTERM (or SIGINT) drains: listeners close, what runs is answered, at the hard
// stop the rest is cut; a second signal stops at once. Everything blocking happens here, on the
// main thread, or on the resolver's; never on a shard.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "config/config.h"
#include "gateway/pages.h"
#include "server/shard.h"
#include "upstream/resolver.h"

namespace hyperion::server {

// Exit codes of `serve`.
inline constexpr int exit_drained = 0;
inline constexpr int exit_refused = 1;  // could not start; the reason is on stderr
inline constexpr int exit_cut_off = 3;  // the hard stop of the drain ended requests

class Server final : private gateway::Pages {
 public:
  // `conf_path` is read again on SIGHUP; empty: reload keeps what runs.
  Server(std::shared_ptr<const config::Config> config, std::string conf_path);
  ~Server();

  // Blocks the signals that `wait` takes; call before any thread is started.
  static void block_signals();

  // Binds the listeners and starts the shards. Empty refusal: it serves.
  io::Refusal start();
  // Takes signals until the end; returns an exit code.
  int wait();
  // Ends it from another thread, as SIGTERM would.
  void drain_and_stop();

  // Where it really listens (port 0 replaced), for the start-up message and tests.
  const std::vector<std::string>& addresses() const { return address_texts_; }

 private:
  std::string metrics() override;
  const char* not_ready() override { return nullptr; }

  std::string bind_all();
  std::string bind_one(io::Address address, gateway::Listening side, bool tls);
  static std::string check_tls_files(const config::Config& config);
  void reload();
  void watch_names();
  int drain();
  bool all_finished() const;
  void stop_shards();

  std::shared_ptr<const config::Config> config_;
  std::string conf_path_;
  std::vector<std::unique_ptr<LogRing>> log_rings_;
  std::unique_ptr<LogWriter> log_writer_;
  std::vector<int> cores_;
  std::vector<std::vector<ListeningSocket>> sockets_;  // by shard
  std::vector<std::string> address_texts_;
  std::vector<std::string> socket_paths_;  // of unix listeners, removed at the end
  std::atomic<uint64_t> reloads_{0};
  std::atomic<uint64_t> reloads_refused_{0};
  std::vector<std::unique_ptr<Shard>> shards_;
  std::unique_ptr<upstream::Resolver> resolver_;
};

}  // namespace hyperion::server
