#include "load/idle.h"

#include <algorithm>

#include "load/clock.h"

namespace hyperion::bench {

namespace {

constexpr uint32_t batch_size = 128;
constexpr int64_t batch_pause_ns = 2 * nanoseconds_per_millisecond;
constexpr int64_t batch_max_ns = 10 * nanoseconds_per_second;

}  // namespace

bool IdlePool::hold(uint32_t count, uint32_t requests) {
  for (uint32_t begin = 0; begin < count; begin += batch_size) {
    const uint32_t end = std::min(begin + batch_size, count);
    for (uint32_t index = begin; index < end; index++) {
      connections_.push_back(std::make_unique<ClientConnection>(loop_, *this, conversation_));
      if (!connections_.back()->open(port_)) {
        first_failure_ = name_of(Failure::connect);
        return false;
      }
    }
    loop_.turn(batch_pause_ns);
    for (uint32_t round = 0; round < requests; round++) {
      for (uint32_t index = begin; index < end; index++) {
        waiting_++;
        connections_[index]->start(now_ns());
      }
      if (!wait_for_answers()) return false;
    }
  }
  return first_failure_.empty();
}

bool IdlePool::wait_for_answers() {
  const int64_t limit_ns = now_ns() + batch_max_ns;
  while (waiting_ > 0 && first_failure_.empty()) {
    const int64_t now = now_ns();
    if (now > limit_ns) first_failure_ = name_of(Failure::unanswered);
    loop_.turn(std::max<int64_t>(limit_ns - now, 0));
    upstream_.run_due(now_ns());
  }
  return first_failure_.empty();
}

uint64_t IdlePool::open_count() const {
  return static_cast<uint64_t>(
      std::count_if(connections_.begin(), connections_.end(),
                    [](const auto& connection) { return connection->is_open(); }));
}

void IdlePool::on_answer(ClientConnection&, int64_t) { waiting_--; }

void IdlePool::on_failure(ClientConnection&, Failure failure, std::string_view detail) {
  if (!first_failure_.empty()) return;
  first_failure_ = std::string(name_of(failure)) + ": " + std::string(detail.substr(0, 300));
}

}  // namespace hyperion::bench
