// One measured run: connections, a warm-up, a window in which everything counts, and a drain.
//
// A closed run keeps every connection busy: each sends again as soon as its answer is verified, so
// it finds what a proxy can do and what each request costs. An open run starts requests at times
// drawn beforehand (a Poisson process of the given rate and seed), whether or not earlier ones have
// been answered, and measures each from the time it was meant to start: a proxy that stalls pays
// for every request it delayed. Requests that begin in the window are followed to their end. A
// failed connection is not reopened, and any failure makes the run not ok. While a run lasts the
// thread spins by default, so that the proxy under test never pays for waking the load tool.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "load/client.h"
#include "load/histogram.h"
#include "load/upstream.h"

namespace hyperion::bench {

struct RunPlan {
  uint16_t port = 0;
  uint32_t connections = 1;
  int64_t warmup_ns = 0;
  int64_t window_ns = 0;
  // Closed runs only: end after this many answers instead of by time. 0 = by time.
  uint64_t requests_max = 0;
  // Closed runs only: how far apart the connections make their first request. Streams whose events
  // all fell due at once would measure a queue of our own making.
  int64_t stagger_ns = 0;
  // Open runs only: requests per second. 0 = a closed run.
  double rate = 0;
  uint64_t seed = 1;
  bool spin = true;
  // Processes whose CPU time in the window is reported.
  std::vector<pid_t> watched;
};

struct RunResult {
  bool ok = false;
  double seconds = 0;
  uint64_t answers = 0;
  uint64_t events = 0;
  // Connections that the proxy closed between requests, and that were opened again.
  uint64_t idle_closes = 0;
  std::array<uint64_t, failure_kinds> failures{};
  std::string first_failure;
  int64_t watched_cpu_ns = 0;
  // Share of the window that the load tool itself spent on work; near 1 it is the bottleneck.
  double load_busy = 0;
  Histogram latency;
  // Streams: from the upstream's send of an event to the client's receipt of it.
  Histogram first_event_delay;
  Histogram later_event_delay;
  // Streams: by how much the gap between two events differs between receipt and send.
  Histogram gap_change;
  // Streams: from the start of the request to the first event.
  Histogram first_event;
};

class Run final : public AnswerSink {
 public:
  Run(Loop& loop, Upstream& upstream, const Conversation& conversation, RunPlan plan);

  RunResult take();

  void on_answer(ClientConnection& connection, int64_t now) override;
  void on_event(ClientConnection& connection, uint32_t index, int64_t sent_ns,
                int64_t now) override;
  void on_failure(ClientConnection& connection, Failure failure, std::string_view detail) override;
  void on_idle_close(ClientConnection& connection) override;

 private:
  enum class Phase { warm_up, window, drain };

  bool open_connections();
  void advance(int64_t now);
  bool finished(int64_t now);
  void open_window(int64_t now);
  void close_window(int64_t now);
  // Starts the requests whose time has come; whether there were any.
  bool start_due(int64_t now);
  void draw_next_start();
  int64_t turn_wait_ns(int64_t now) const;
  bool is_open_loop() const { return plan_.rate > 0; }
  // Whether a request that was meant to start then counts.
  bool counts(int64_t started_ns) const;

  Loop& loop_;
  Upstream& upstream_;
  const Conversation& conversation_;
  const RunPlan plan_;
  RunResult result_;
  std::vector<std::unique_ptr<ClientConnection>> connections_;

  Phase phase_ = Phase::warm_up;
  int64_t window_begin_ns_ = 0;
  int64_t window_end_ns_ = 0;
  int64_t cpu_before_ns_ = 0;
  int64_t busy_ns_ = 0;
  uint64_t waiting_ = 0;

  // Idle connections, first in first out so that all are used; intended starts that have found no
  // idle connection yet; how many connections of a closed run have been told to begin.
  std::deque<ClientConnection*> idle_;
  std::deque<int64_t> overdue_;
  std::mt19937_64 random_;
  double next_start_ns_ = 0;
  uint32_t first_starts_ = 0;
};

}  // namespace hyperion::bench
