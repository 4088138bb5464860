// The request log: lines from every shard to one thread that writes them.
//
// A LogRing is a ring of bytes between one shard, which appends whole lines, and the LogWriter's
// thread, which takes them to a file, stdout or stderr. Appending is a copy: it never blocks and
// never allocates; when the ring is full the line is dropped and counted, the request goes on. The
// writer looks every 20 ms while lines come, every 200 ms when none do, and at once when a ring is
// half full. Where the target fails (disk full, reader gone) it keeps what it has, tries again at
// its next look, counts the failure and says so on the process's log, at most once a minute; the
// rings fill and drop meanwhile. Lines are never torn or mixed, whatever fails. Every write ends
// with a line as long as the target takes it whole, so two processes can share a file, or a pipe
// while lines are below PIPE_BUF. `stop` writes all that is left and gives up when the target fails
// or takes nothing for `flush_ms`. Only `open` can fail, with a sentence for people.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/clock.h"

namespace hyperion {

class LogRing {
 public:
  static constexpr size_t default_size_bytes = 1024 * 1024;

  // `size_bytes` is rounded up to a power of two. The only allocation.
  explicit LogRing(size_t size_bytes = default_size_bytes);
  LogRing(const LogRing&) = delete;
  LogRing& operator=(const LogRing&) = delete;

  // By the owning shard only: queues `line` and a line feed. False when it was dropped. The line
  // must not contain line feeds.
  bool append(std::string_view line);

  // From any thread.
  uint64_t lines() const { return lines_.load(std::memory_order_relaxed); }
  uint64_t dropped_lines() const { return dropped_.load(std::memory_order_relaxed); }

 private:
  friend class LogWriter;
  // For the writer: the next bytes that lie in one piece, those that follow them at the ring's
  // beginning, and how many are done with.
  std::string_view readable() const;
  std::string_view readable_behind(std::string_view first) const;
  void consume(size_t size);
  void copy_in(size_t at, std::string_view bytes);

  size_t size_;
  std::unique_ptr<char[]> bytes_;
  int wake_descriptor_ = -1;                    // the writer's; set before the shard appends
  alignas(64) std::atomic<size_t> written_{0};  // by the shard; both count bytes for ever
  std::atomic<uint64_t> lines_{0};
  std::atomic<uint64_t> dropped_{0};
  alignas(64) std::atomic<size_t> read_{0};  // by the writer
};

class LogWriter {
 public:
  LogWriter();
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;
  ~LogWriter();

  // `target` is "stdout", "stderr" or the path of a file, which is created (0640) or appended to.
  // Empty on success, else a sentence.
  std::string open(std::string_view target);
  // Before `start`; the ring must outlive `stop`.
  void add(LogRing& ring);
  void start();
  // The file was moved away: opens its path again before the next line. From any thread and from a
  // signal handler. When that fails the old file stays in use, which is said on the process's log.
  void reopen();
  // Writes what is left and joins the thread. Nothing may be appended any more.
  void stop();

  // From any thread.
  uint64_t write_failures() const { return failures_.load(std::memory_order_relaxed); }
  uint64_t written_bytes() const { return written_bytes_.load(std::memory_order_relaxed); }
  // Rest of lines whose beginning went to a file that was reopened, and what `stop` gave up.
  uint64_t lost_bytes() const { return lost_bytes_.load(std::memory_order_relaxed); }

  static constexpr int busy_ms = 20;
  static constexpr int idle_ms = 200;
  static constexpr int flush_ms = 2000;
  static constexpr uint64_t say_again_s = 60;

 private:
  enum class Outcome : uint8_t { idle, progress, blocked, failed };

  void run();
  Outcome drain();
  Outcome drain_ring(LogRing& ring);
  Outcome write_some(std::string_view first, std::string_view behind, size_t& written);
  void flush_all();
  void reopen_now();
  void drop_torn_line();
  void adopt(int descriptor);
  void report(int error);
  void sleep(int timeout_ms);

  std::string target_;
  std::vector<LogRing*> rings_;
  std::thread thread_;
  int descriptor_ = -1;
  int wake_descriptor_;
  bool regular_file_ = false;
  Instant said_at_;                // when a failure was last reported
  LogRing* unfinished_ = nullptr;  // its line is half written: it goes first
  std::atomic<bool> stopping_{false};
  std::atomic<bool> reopen_wanted_{false};
  std::atomic<uint64_t> failures_{0};
  std::atomic<uint64_t> written_bytes_{0};
  std::atomic<uint64_t> lost_bytes_{0};
};

}  // namespace hyperion
