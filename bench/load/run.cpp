#include "load/run.h"

#include <algorithm>
#include <cstdlib>
#include <limits>

#include "load/clock.h"

namespace hyperion::bench {

namespace {

// How long answers may take after the window before they count as unanswered.
constexpr int64_t drain_max_ns = 5 * nanoseconds_per_second;
constexpr double wait_max_ns = 1e9;
constexpr size_t failure_detail_max_bytes = 300;

}  // namespace

Run::Run(Loop& loop, Upstream& upstream, const Conversation& conversation, RunPlan plan)
    : loop_(loop),
      upstream_(upstream),
      conversation_(conversation),
      plan_(std::move(plan)),
      random_(plan_.seed) {}

RunResult Run::take() {
  const bool opened = open_connections();
  upstream_.clear_counts();
  int64_t now = now_ns();
  window_begin_ns_ = now + plan_.warmup_ns;
  window_end_ns_ = plan_.requests_max > 0 ? std::numeric_limits<int64_t>::max()
                                          : window_begin_ns_ + plan_.window_ns;
  if (plan_.warmup_ns == 0) open_window(now);
  for (const auto& connection : connections_) idle_.push_back(connection.get());
  next_start_ns_ = static_cast<double>(now);
  if (is_open_loop()) draw_next_start();
  while (opened && !finished(now)) {
    const bool started = start_due(now);
    if (upstream_.run_due(now) || started) busy_ns_ += now_ns() - now;
    busy_ns_ += loop_.turn(plan_.spin ? 0 : turn_wait_ns(now));
    now = now_ns();
    advance(now);
  }
  result_.failures[static_cast<size_t>(Failure::unanswered)] += waiting_ + overdue_.size();
  uint64_t failures = 0;
  for (const uint64_t count : result_.failures) failures += count;
  result_.ok = failures == 0 && result_.answers > 0;
  return std::move(result_);
}

bool Run::open_connections() {
  for (uint32_t index = 0; index < plan_.connections; index++) {
    connections_.push_back(std::make_unique<ClientConnection>(loop_, *this, conversation_));
    if (!connections_.back()->open(plan_.port)) {
      result_.failures[static_cast<size_t>(Failure::connect)]++;
      return false;
    }
    // Lets the upstream accept while direct connections to it are opened.
    loop_.turn(0);
  }
  return true;
}

void Run::advance(int64_t now) {
  if (phase_ == Phase::warm_up && now >= window_begin_ns_) open_window(now);
  if (phase_ == Phase::window && now >= window_end_ns_) close_window(now);
}

bool Run::finished(int64_t now) {
  const bool none_open = std::none_of(connections_.begin(), connections_.end(),
                                      [](const auto& connection) { return connection->is_open(); });
  if (none_open) {
    if (phase_ == Phase::warm_up) open_window(now);
    if (phase_ == Phase::window) close_window(now);
    return true;
  }
  if (phase_ != Phase::drain) return false;
  return (waiting_ == 0 && overdue_.empty()) || now > window_end_ns_ + drain_max_ns;
}

void Run::open_window(int64_t now) {
  phase_ = Phase::window;
  window_begin_ns_ = now;
  busy_ns_ = 0;
  result_.answers = result_.events = 0;
  upstream_.clear_counts();
  cpu_before_ns_ = cpu_time_ns(plan_.watched);
}

void Run::close_window(int64_t now) {
  phase_ = Phase::drain;
  window_end_ns_ = now;
  result_.watched_cpu_ns = cpu_time_ns(plan_.watched) - cpu_before_ns_;
  const auto window_ns = static_cast<double>(now - window_begin_ns_);
  result_.seconds = window_ns / static_cast<double>(nanoseconds_per_second);
  result_.load_busy = window_ns > 0 ? static_cast<double>(busy_ns_) / window_ns : 0;
}

// A closed run starts each connection once here, and from then on when an answer is there.
void Run::draw_next_start() {
  if (!is_open_loop()) {
    next_start_ns_ += static_cast<double>(plan_.stagger_ns);
    if (++first_starts_ == plan_.connections) {
      next_start_ns_ = std::numeric_limits<double>::infinity();
    }
    return;
  }
  std::exponential_distribution<double> gap(plan_.rate /
                                            static_cast<double>(nanoseconds_per_second));
  next_start_ns_ += gap(random_);
}

bool Run::start_due(int64_t now) {
  bool any = false;
  while (phase_ != Phase::drain && next_start_ns_ <= static_cast<double>(now)) {
    overdue_.push_back(is_open_loop() ? static_cast<int64_t>(next_start_ns_) : now);
    draw_next_start();
  }
  while (!overdue_.empty() && !idle_.empty()) {
    ClientConnection* connection = idle_.front();
    idle_.pop_front();
    if (!connection->is_open()) continue;
    const int64_t started_ns = overdue_.front();
    overdue_.pop_front();
    waiting_++;
    connection->start(started_ns);
    any = true;
  }
  return any;
}

int64_t Run::turn_wait_ns(int64_t now) const {
  int64_t until = phase_ == Phase::warm_up ? window_begin_ns_ : window_end_ns_;
  if (phase_ == Phase::drain) until += drain_max_ns;
  double wait = static_cast<double>(until - now);
  if (phase_ != Phase::drain) wait = std::min(wait, next_start_ns_ - static_cast<double>(now));
  const auto wait_ns = static_cast<int64_t>(std::clamp(wait, 0.0, wait_max_ns));
  const int64_t upstream_wait_ns = upstream_.wait_ns(now);
  return upstream_wait_ns < 0 ? wait_ns : std::min(wait_ns, upstream_wait_ns);
}

bool Run::counts(int64_t started_ns) const {
  return phase_ != Phase::warm_up && started_ns >= window_begin_ns_ && started_ns < window_end_ns_;
}

void Run::on_answer(ClientConnection& connection, int64_t now) {
  waiting_--;
  if (phase_ == Phase::window) result_.answers++;
  if (counts(connection.started_ns())) result_.latency.record(now - connection.started_ns());
  if (is_open_loop()) {
    idle_.push_back(&connection);
    return;
  }
  if (plan_.requests_max > 0 && phase_ == Phase::window && result_.answers >= plan_.requests_max) {
    close_window(now);
  }
  if (phase_ == Phase::drain || !connection.is_open()) return;
  waiting_++;
  connection.start(now_ns());
}

void Run::on_event(ClientConnection& connection, uint32_t index, int64_t sent_ns, int64_t now) {
  const int64_t delay_ns = now - sent_ns;
  if (phase_ == Phase::window) {
    result_.events++;
    if (index == 0) {
      result_.first_event_delay.record(delay_ns);
      result_.first_event.record(now - connection.started_ns());
    } else {
      result_.later_event_delay.record(delay_ns);
      result_.gap_change.record(std::abs(delay_ns - connection.last_delay_ns));
    }
  }
  connection.last_delay_ns = delay_ns;
}

void Run::on_failure(ClientConnection& connection, Failure failure, std::string_view detail) {
  if (connection.waiting()) waiting_--;
  result_.failures[static_cast<size_t>(failure)]++;
  if (result_.first_failure.empty()) {
    result_.first_failure = name_of(failure);
    if (!detail.empty()) result_.first_failure += ": ";
    result_.first_failure += detail.substr(0, failure_detail_max_bytes);
  }
}

void Run::on_idle_close(ClientConnection& connection) {
  result_.idle_closes++;
  if (phase_ == Phase::drain || connection.open(plan_.port)) return;
  result_.failures[static_cast<size_t>(Failure::connect)]++;
}

}  // namespace hyperion::bench
