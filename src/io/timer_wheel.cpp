#include "io/timer_wheel.h"

#include <algorithm>
#include <bit>

#include "base/assert.h"

namespace hyperion::io {
namespace {

// Rounded up, so that a timer never fires early.
constexpr uint64_t tick_of_deadline(Instant deadline, int shift) {
  return (deadline.ns + (uint64_t{1} << shift) - 1) >> shift;
}

}  // namespace

TimerWheel::TimerWheel(Instant start) : current_tick_((start.ns >> tick_shift) + 1) {}

void TimerWheel::arm(Timer& timer, Instant deadline) {
  HYPERION_ASSERT(deadline.ns != 0);
  uint64_t tick = tick_of_deadline(deadline, tick_shift);
  if (!timer.armed()) ++armed_count_;
  timer.deadline_ = deadline;
  if (timer.linked()) {
    if (tick >= timer.slot_tick_) return;  // its slot comes up first and moves it on
    timer.unlink();
  }
  insert(timer, std::max(tick, arm_from_tick_));
}

void TimerWheel::cancel(Timer& timer) {
  stand_by(timer);
  timer.unlink();
}

void TimerWheel::stand_by(Timer& timer) {
  if (!timer.armed()) return;
  timer.deadline_ = {};
  --armed_count_;
}

void TimerWheel::insert(Timer& timer, uint64_t tick) {
  if (tick < current_tick_) tick = current_tick_;
  uint64_t distance = tick - current_tick_;
  int level = 0;
  while (level < levels - 1 && distance >= (uint64_t{1} << (slot_bits * (level + 1)))) ++level;
  uint64_t reach = uint64_t{slots - 1} << (slot_bits * level);
  if (distance > reach && level == levels - 1) tick = current_tick_ + reach;
  int slot = static_cast<int>((tick >> (slot_bits * level)) & (slots - 1));
  timer.slot_tick_ = tick;
  lists_[level][slot].push_back(&timer);
  occupied_[level] |= uint64_t{1} << slot;
}

void TimerWheel::run_slot(int level, int slot, Instant now) {
  List due;
  due.splice_back(lists_[level][slot]);
  occupied_[level] &= ~(uint64_t{1} << slot);
  while (Timer* timer = due.pop_front()) {
    if (!timer->armed()) continue;  // it stood by
    // Moved later since, or on its way down from a higher level.
    if (timer->deadline_ > now || timer->slot_tick_ > now.ns >> tick_shift) {
      insert(*timer, std::max(tick_of_deadline(timer->deadline_, tick_shift), timer->slot_tick_));
      continue;
    }
    timer->deadline_ = {};
    --armed_count_;
    timer->on_timer();
  }
}

void TimerWheel::expire(Instant now) {
  uint64_t target = now.ns >> tick_shift;
  // What a callback arms for the past waits for the next call: it could keep this one for ever.
  arm_from_tick_ = target + 1;
  while (current_tick_ <= target) {
    uint64_t tick = current_tick_;
    // At a boundary the slots of the higher levels that begin here move down first.
    for (int level = 1; level < levels; ++level) {
      uint64_t below = (uint64_t{1} << (slot_bits * level)) - 1;
      if ((tick & below) != 0) break;
      int slot = static_cast<int>((tick >> (slot_bits * level)) & (slots - 1));
      if ((occupied_[level] >> slot) & 1) run_slot(level, slot, {tick << tick_shift});
    }
    if (occupied_[0] == 0) {
      // Nothing before the next boundary.
      uint64_t boundary = (tick | (slots - 1)) + 1;
      current_tick_ = boundary <= target ? boundary : target + 1;
      continue;
    }
    ++current_tick_;
    int slot = static_cast<int>(tick & (slots - 1));
    if ((occupied_[0] >> slot) & 1) run_slot(0, slot, now);
  }
  arm_from_tick_ = 0;
}

Instant TimerWheel::next_deadline() const {
  if (armed_count_ == 0) return {};
  uint64_t earliest = UINT64_MAX;
  for (int level = 0; level < levels; ++level) {
    if (occupied_[level] == 0) continue;
    uint64_t base = current_tick_ >> (slot_bits * level);
    bool inside = level > 0 && (current_tick_ & ((uint64_t{1} << (slot_bits * level)) - 1)) != 0;
    // Within a slot of a higher level that slot has moved down already: look from the next one on.
    uint64_t from = base + (inside ? 1 : 0);
    uint64_t turned = std::rotr(occupied_[level], static_cast<int>(from & (slots - 1)));
    uint64_t tick = (from + static_cast<uint64_t>(std::countr_zero(turned))) << (slot_bits * level);
    if (tick < earliest) earliest = tick;
  }
  return {earliest << tick_shift};
}

}  // namespace hyperion::io
