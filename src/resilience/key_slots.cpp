#include "resilience/key_slots.h"

#include "base/assert.h"

namespace hyperion::resilience {

void Place::enter(uint64_t& shard_requests) {
  HYPERION_ASSERT(shard_requests_ == nullptr);
  ++shard_requests;
  shard_requests_ = &shard_requests;
}

bool Place::take(KeySlots& slots, uint32_t limit) {
  HYPERION_ASSERT(slots_ == nullptr);
  if (!slots.take(limit)) return false;
  slots_ = &slots;
  return true;
}

std::shared_ptr<KeySlots> KeySlotsRegistry::get(const std::string& id) {
  std::lock_guard lock(mutex_);
  std::weak_ptr<KeySlots>& known = by_id_[id];
  std::shared_ptr<KeySlots> slots = known.lock();
  if (slots == nullptr) known = slots = std::make_shared<KeySlots>();
  return slots;
}

void KeySlotsRegistry::forget_unused() {
  std::lock_guard lock(mutex_);
  std::erase_if(by_id_, [](const auto& entry) { return entry.second.expired(); });
}

uint64_t KeySlotsRegistry::in_flight() const {
  std::lock_guard lock(mutex_);
  uint64_t total = 0;
  for (const auto& [id, known] : by_id_) {
    if (const std::shared_ptr<KeySlots> slots = known.lock()) total += slots->in_flight();
  }
  return total;
}

size_t KeySlotsRegistry::size() const {
  std::lock_guard lock(mutex_);
  return by_id_.size();
}

}  // namespace hyperion::resilience
