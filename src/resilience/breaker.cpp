#include "resilience/breaker.h"

#include <algorithm>

namespace hyperion::resilience {
namespace {

constexpr uint16_t count_max = UINT16_MAX;
constexpr uint8_t doublings_max = 16;

void add(uint16_t& count) {
  if (count != count_max) ++count;
}

}  // namespace

// Moves the halves of the window on.
void Breaker::roll(Instant now, const BreakerSettings& settings) {
  const uint64_t half_ns = uint64_t{settings.window_ms} * ns_per_ms / 2;
  const uint64_t age = elapsed_ns(window_begin_, now);
  if (age < half_ns) return;
  const bool far = age >= 2 * half_ns || !window_begin_;
  good_[1] = far ? uint16_t{0} : good_[0];
  bad_[1] = far ? uint16_t{0} : bad_[0];
  good_[0] = bad_[0] = 0;
  window_begin_ = now;
}

bool Breaker::on_success(Instant now, const BreakerSettings& settings) {
  roll(now, settings);
  add(good_[0]);
  in_a_row_ = 0;
  // Of a request that began before it opened: a success that says nothing about now.
  if (state(now) == State::open) return false;
  const bool was_shut = opened_because_ != Why::none;
  if (was_shut) close();
  return was_shut;
}

bool Breaker::on_failure(Instant now, const BreakerSettings& settings) {
  roll(now, settings);
  add(bad_[0]);
  add(in_a_row_);
  if (state(now) == State::open) return false;
  if (state(now) == State::half_open) return true;
  const uint32_t bad = uint32_t{bad_[0]} + bad_[1];
  const uint32_t all = bad + good_[0] + good_[1];
  return in_a_row_ >= settings.consecutive_failures ||
         (all >= settings.requests_min && bad * 100 >= all * settings.error_percent);
}

void Breaker::open(Why why, Instant now, uint64_t least_ms, const BreakerSettings& settings) {
  uint64_t ms = least_ms;
  if (why == Why::failures) {
    const uint8_t doublings = std::min(times_opened_, doublings_max);
    ms = std::max(
        ms, std::min<uint64_t>(uint64_t{settings.open_ms} << doublings, settings.open_max_ms));
    if (times_opened_ != UINT8_MAX) ++times_opened_;
  }
  open_until(why, now + ms * ns_per_ms);
}

void Breaker::open_until(Why why, Instant until) {
  opened_because_ = why;
  open_until_ = until;
  probing_ = false;
  forgive();
}

void Breaker::close() {
  opened_because_ = Why::none;
  open_until_ = {};
  probing_ = false;
  times_opened_ = 0;
  forgive();
}

void Breaker::forgive() {
  in_a_row_ = 0;
  good_[0] = good_[1] = bad_[0] = bad_[1] = 0;
}

}  // namespace hyperion::resilience
