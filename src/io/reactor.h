// The loop of one shard: one ring, one timer wheel, one queue of completions.
//
// One turn: submit what was prepared and wait (at most until the next timer); copy completions to
// the ready queue; run a bounded number of callbacks; expire timers; run deferred work (sends are
// prepared, streams closed and freed there; when there are many callbacks, also after the first,
// and its sends are submitted). So callbacks never recurse and never free their caller. A Reactor
// is created, used and destroyed on one thread; only `Mailbox` crosses threads. `open` can fail (a
// Refusal for people); afterwards only a broken invariant stops it.
//
// Optimistic sends (engine research, measured on 6.18): with MSG_DONTWAIT and "no completion on
// success", silence after the submitting call means that all bytes were taken. The reactor then
// completes the operation itself, which saves one wake-up for each send. A self-test at start
// proves that the kernel keeps that rule, otherwise ordinary sends are used.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include <liburing.h>

#include "base/block_pool.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/slab.h"
#include "io/capabilities.h"
#include "io/deferred.h"
#include "io/loop_lag.h"
#include "io/operation.h"
#include "io/receive_buffers.h"
#include "io/runtime.h"
#include "io/timer_wheel.h"

namespace hyperion::io {

class TcpStream;

struct ReactorSettings {
  unsigned ring_entries = 1024;         // submission queue; the completion queue is 8 times as long
  unsigned receive_buffer_count = 256;  // a power of two
  unsigned receive_buffer_size_bytes = 16 * 1024;
  unsigned callbacks_per_turn_max = 1024;
  size_t streams_max = 65'536;  // clients and upstream connections together
  size_t blocks_max = 16'384;   // 16 KiB each: 256 MiB of heads and write queues at most
  size_t blocks_kept = 64;      // of them, kept for reuse when a burst is over
  unsigned busy_poll_us = 0;    // spin that long before sleeping; for dedicated cores
  bool optimistic_send = true;  // still subject to the self-test
};

struct ReactorStatistics {
  uint64_t turns = 0;
  uint64_t completions = 0;
  uint64_t sends = 0;
  uint64_t sends_silent = 0;  // optimistic ones that took everything
  uint64_t starved = 0;       // receives that found no buffer
  uint64_t completion_overflows =
      0;  // times the queue was too short: nothing is lost, make it longer
};

class Reactor final : public Transport {
 public:
  Reactor(const ReactorSettings& settings, uint64_t seed);
  ~Reactor() override;
  Reactor(const Reactor&) = delete;
  Reactor& operator=(const Reactor&) = delete;

  // Sets up the ring on this thread. Empty refusal: it can run.
  Refusal open();

  // Runs turns until `stop`. `turn` runs one; with `may_wait` false it only looks.
  void run();
  void turn(bool may_wait = true);
  void stop() { stopped_ = true; }

  Runtime& runtime() { return runtime_; }
  SystemClock& clock() { return clock_; }
  DeferredQueue& deferred() { return deferred_; }
  const ReactorStatistics& statistics() const { return statistics_; }
  const LoopLag& lag() const { return lag_; }
  size_t streams_in_use() const;
  size_t streams_max() const { return settings_.streams_max; }

  // Transport: outgoing TCP.
  Stream* connect(const Address& address, StreamHandler* handler) override;
  // A stream over an accepted socket, nullptr at the limit (the caller closes `fd`).
  TcpStream* adopt(int fd);

  // For operations within io ----------------------------------------------------------------

  // A submission entry bound to `operation`, which becomes armed.
  io_uring_sqe* prepare(Operation& operation);
  // Asks the kernel to end `operation` early; its own last completion still comes.
  void cancel(Operation& operation);
  // As prepare, for a send of `size` bytes (below 2 GiB) whose silent success is filled in by the
  // reactor. Falls back to an ordinary send where the self-test failed. `msg_flags` gets what the
  // send must carry.
  io_uring_sqe* prepare_optimistic(Operation& operation, size_t size, unsigned& msg_flags);
  // A stream found no receive buffer: its deferred work runs when one has come back. Those that got
  // nothing since they were last armed (`served` false) go first, so that a flooding peer cannot
  // take every buffer for ever.
  void add_starved(Deferred* stream, bool served) {
    ++statistics_.starved;
    (served ? starved_ : starved_first_).add(stream);
  }
  ReceiveBuffers& receive_buffers() { return receive_buffers_; }
  void release(TcpStream* stream);

 private:
  struct Completion {
    Operation* operation;
    int32_t result;
    uint32_t flags;
  };

  bool may_sleep() const;
  Instant enter(bool may_wait);
  void collect();
  void accept_completion(const io_uring_cqe& cqe);
  void settle_optimistic();
  void run_ready();
  void complete(const Completion& completion);
  void run_starved();

  ReactorSettings settings_;
  SystemClock clock_;
  TimerWheel timers_;
  DeferredQueue deferred_;
  DeferredQueue starved_first_;
  DeferredQueue starved_;
  BlockPool blocks_;
  Random random_;
  Runtime runtime_;
  io_uring ring_{};
  bool ring_open_ = false;
  bool optimistic_ = false;
  bool stopped_ = false;
  ReceiveBuffers receive_buffers_;
  std::vector<Completion> ready_;  // run from ready_next_ on
  size_t ready_next_ = 0;
  size_t callbacks_run_ = 0;                  // of them, in the last turn
  std::vector<Operation*> optimistic_sends_;  // submitted, not settled
  std::vector<Operation*> ready_sends_;
  uint8_t next_generation_ = 0;
  std::unique_ptr<Slab<TcpStream>> streams_;
  ReactorStatistics statistics_;
  LoopLag lag_;
};

}  // namespace hyperion::io
