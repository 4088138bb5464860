#include "resilience/key_slots.h"

#include "base/assert.h"

namespace hyperion::resilience {

bool KeyPlace::take(KeySlots& slots, uint32_t limit) {
  HYPERION_ASSERT(!held());
  if (!slots.take(limit)) return false;
  slots_ = &slots;
  return true;
}

std::shared_ptr<KeySlots> KeySlotsRegistry::get(const std::string& id) {
  std::lock_guard lock(mutex_);
  // Keys that nobody knows any more leave nothing behind.
  std::erase_if(by_id_, [&](const auto& entry) { return entry.second.expired(); });
  std::weak_ptr<KeySlots>& known = by_id_[id];
  std::shared_ptr<KeySlots> slots = known.lock();
  if (slots == nullptr) known = slots = std::make_shared<KeySlots>();
  return slots;
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
