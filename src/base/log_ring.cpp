#include "base/log_ring.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "base/assert.h"
#include "base/log.h"

namespace hyperion {
namespace {

// Async-signal-safe. Fails only when the counter is full: the thread is awake then.
void signal_event(int descriptor) {
  int saved = errno;
  uint64_t one = 1;
  ssize_t written = ::write(descriptor, &one, sizeof(one));
  static_cast<void>(written);
  errno = saved;
}

}  // namespace

LogRing::LogRing(size_t size_bytes)
    : size_(std::bit_ceil(size_bytes)), bytes_(std::make_unique<char[]>(size_)) {}

bool LogRing::append(std::string_view line) {
  size_t written = written_.load(std::memory_order_relaxed);
  size_t used = written - read_.load(std::memory_order_acquire);
  if (line.size() + 1 > size_ - used) {
    dropped_.store(dropped_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    return false;
  }
  copy_in(written, line);
  bytes_[(written + line.size()) & (size_ - 1)] = '\n';
  written_.store(written + line.size() + 1, std::memory_order_release);
  lines_.store(lines_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  // Crossing half: the writer may be in its long sleep.
  bool crossed = used < size_ / 2 && used + line.size() + 1 >= size_ / 2;
  if (crossed && wake_descriptor_ >= 0) signal_event(wake_descriptor_);
  return true;
}

void LogRing::copy_in(size_t at, std::string_view bytes) {
  if (bytes.empty()) return;
  size_t offset = at & (size_ - 1);
  size_t first = std::min(bytes.size(), size_ - offset);
  std::memcpy(bytes_.get() + offset, bytes.data(), first);
  if (first < bytes.size()) {
    std::memcpy(bytes_.get(), bytes.data() + first, bytes.size() - first);
  }
}

std::string_view LogRing::readable() const {
  size_t read = read_.load(std::memory_order_relaxed);
  size_t available = written_.load(std::memory_order_acquire) - read;
  size_t offset = read & (size_ - 1);
  return {bytes_.get() + offset, std::min(available, size_ - offset)};
}

std::string_view LogRing::readable_behind(std::string_view first) const {
  size_t after = read_.load(std::memory_order_relaxed) + first.size();
  if (first.empty() || (after & (size_ - 1)) != 0) return {};
  return {bytes_.get(), written_.load(std::memory_order_acquire) - after};
}

void LogRing::consume(size_t size) {
  read_.store(read_.load(std::memory_order_relaxed) + size, std::memory_order_release);
}

LogWriter::LogWriter() : wake_descriptor_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  HYPERION_ASSERT(wake_descriptor_ >= 0);
}

LogWriter::~LogWriter() {
  stop();
  if (descriptor_ > STDERR_FILENO) ::close(descriptor_);
  ::close(wake_descriptor_);
}

std::string LogWriter::open(std::string_view target) {
  HYPERION_ASSERT(!thread_.joinable());
  int descriptor = -1;
  if (target == "stdout" || target == "stderr") {
    descriptor = target == "stdout" ? STDOUT_FILENO : STDERR_FILENO;
  } else {
    descriptor =
        ::open(std::string(target).c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    if (descriptor < 0) {
      return "cannot write the request log to " + std::string(target) + ": " +
             std::strerror(errno) + ". Create its folder and let this user write there.";
    }
  }
  target_ = target;
  adopt(descriptor);
  return {};
}

void LogWriter::adopt(int descriptor) {
  if (descriptor_ > STDERR_FILENO) ::close(descriptor_);
  descriptor_ = descriptor;
  struct stat info {};
  regular_file_ = fstat(descriptor, &info) == 0 && S_ISREG(info.st_mode);
}

void LogWriter::add(LogRing& ring) {
  HYPERION_ASSERT(!thread_.joinable());
  ring.wake_descriptor_ = wake_descriptor_;
  rings_.push_back(&ring);
}

void LogWriter::start() {
  HYPERION_ASSERT(descriptor_ >= 0 && !thread_.joinable());
  stopping_.store(false, std::memory_order_relaxed);
  // Signals are for the main thread; a reader that went away is an error of write, not a signal.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { run(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void LogWriter::reopen() {
  reopen_wanted_.store(true, std::memory_order_release);
  signal_event(wake_descriptor_);
}

void LogWriter::stop() {
  if (!thread_.joinable()) return;
  stopping_.store(true, std::memory_order_release);
  signal_event(wake_descriptor_);
  thread_.join();
}

void LogWriter::run() {
  pthread_setname_np(pthread_self(), "hyperion-log");
  int timeout_ms = busy_ms;
  while (!stopping_.load(std::memory_order_acquire)) {
    if (reopen_wanted_.exchange(false, std::memory_order_acquire)) reopen_now();
    Outcome outcome = drain();
    if (outcome == Outcome::progress) timeout_ms = busy_ms;
    sleep(timeout_ms);
    timeout_ms = std::min(timeout_ms * 2, idle_ms);
  }
  flush_all();
}

// One pass over all rings.
LogWriter::Outcome LogWriter::drain() {
  Outcome result = Outcome::idle;
  if (unfinished_ != nullptr) result = drain_ring(*unfinished_);
  for (LogRing* ring : rings_) {
    if (result == Outcome::blocked || result == Outcome::failed) return result;
    Outcome outcome = drain_ring(*ring);
    if (outcome != Outcome::idle) result = outcome;
  }
  return result;
}

// What is in the ring now; a shard that goes on appending does not keep the others waiting.
LogWriter::Outcome LogWriter::drain_ring(LogRing& ring) {
  size_t until = ring.written_.load(std::memory_order_acquire);
  Outcome outcome = Outcome::idle;
  while (size_t left = until - ring.read_.load(std::memory_order_relaxed)) {
    std::string_view first = ring.readable().substr(0, left);
    std::string_view behind = ring.readable_behind(first).substr(0, left - first.size());
    size_t written = 0;
    outcome = write_some(first, behind, written);
    if (outcome != Outcome::progress) return outcome;
    char last = written <= first.size() ? first[written - 1] : behind[written - first.size() - 1];
    unfinished_ = last == '\n' ? nullptr : &ring;
    ring.consume(written);
    written_bytes_.fetch_add(written, std::memory_order_relaxed);
  }
  return outcome;
}

// Never blocks on a pipe or a terminal: poll says that PIPE_BUF bytes fit. What is offered ends
// with a line, unless not even one fits.
LogWriter::Outcome LogWriter::write_some(std::string_view first, std::string_view behind,
                                         size_t& written) {
  if (!regular_file_) {
    pollfd target{descriptor_, POLLOUT, 0};
    if (::poll(&target, 1, busy_ms) == 0) return Outcome::blocked;
    first = first.substr(0, PIPE_BUF);
    behind = behind.substr(0, PIPE_BUF - first.size());
    size_t end_behind = behind.rfind('\n') + 1;  // 0: it has none
    size_t end_first = first.rfind('\n') + 1;
    if (end_behind > 0 || end_first > 0) behind = behind.substr(0, end_behind);
    if (end_behind == 0 && end_first > 0) first = first.substr(0, end_first);
  }
  iovec parts[2] = {{const_cast<char*>(first.data()), first.size()},
                    {const_cast<char*>(behind.data()), behind.size()}};
  ssize_t result = ::writev(descriptor_, parts, 2);
  if (result > 0) {
    written = static_cast<size_t>(result);
    return Outcome::progress;
  }
  if (result == 0 || errno == EAGAIN || errno == EINTR) return Outcome::blocked;
  report(errno);
  return Outcome::failed;
}

void LogWriter::report(int error) {
  failures_.fetch_add(1, std::memory_order_relaxed);
  Instant now = SystemClock().now();
  if (said_at_ && elapsed_ns(said_at_, now) < say_again_s * ns_per_s) return;
  said_at_ = now;
  std::string text = "cannot write the request log to " + target_ + ": " + std::strerror(error) +
                     ". Lines are kept until the buffer is full, then dropped.";
  if (error == ENOSPC || error == EDQUOT) text += " Free space on that disk.";
  log_error(text);
}

void LogWriter::flush_all() {
  int waited_ms = 0;
  while (true) {
    if (reopen_wanted_.exchange(false, std::memory_order_acquire)) reopen_now();
    Outcome outcome = drain();
    if (outcome == Outcome::idle) return;
    waited_ms = outcome == Outcome::blocked ? waited_ms + busy_ms : 0;
    if (outcome == Outcome::failed || waited_ms >= flush_ms) break;
  }
  uint64_t left = 0;
  for (LogRing* ring : rings_) {
    left += ring->written_.load(std::memory_order_acquire) - ring->read_.load();
  }
  lost_bytes_.fetch_add(left, std::memory_order_relaxed);
  log_error("the request log lost its last " + std::to_string(left) + " bytes: " + target_ +
            " takes nothing.");
}

void LogWriter::reopen_now() {
  if (descriptor_ <= STDERR_FILENO) return;
  int fresh = ::open(target_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  if (fresh < 0) {
    report(errno);
    return;
  }
  drop_torn_line();
  adopt(fresh);
  said_at_ = {};
}

// Its beginning is in the old file: its rest would be nonsense in the new one.
void LogWriter::drop_torn_line() {
  while (unfinished_ != nullptr) {
    std::string_view bytes = unfinished_->readable();
    size_t end = bytes.find('\n');
    size_t size = end == std::string_view::npos ? bytes.size() : end + 1;
    unfinished_->consume(size);
    lost_bytes_.fetch_add(size, std::memory_order_relaxed);
    if (end != std::string_view::npos) unfinished_ = nullptr;
  }
}

// Until the timeout or a wake-up.
void LogWriter::sleep(int timeout_ms) {
  pollfd event{wake_descriptor_, POLLIN, 0};
  if (::poll(&event, 1, timeout_ms) <= 0) return;
  uint64_t counter = 0;
  ssize_t size = ::read(wake_descriptor_, &counter, sizeof(counter));
  static_cast<void>(size);
}

}  // namespace hyperion
