// How many requests each key has in flight, over all shards.
//
// A key's state belongs to its id, beside the configuration: every snapshot of every shard that
// knows the key holds the same state, so a reload changes the limit and loses no count. `take` and
// `give_back` are one relaxed atomic each and never wait; a place that was taken is given back
// exactly once, whatever the limit has become meanwhile. Requests of a key without a limit are not
// counted, so a limit that a reload brings counts those that begin after it. The registry's lock is
// for reloads alone. Nothing here allocates on the request path or fails.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace hyperion::resilience {

// Of one key. On a cache line of its own: all shards write it.
class alignas(64) KeySlots {
 public:
  // False where `limit` requests are in flight already. Two that come at once never make it more;
  // one that was refused may for a moment make another one be refused too.
  bool take(uint32_t limit) {
    if (in_flight_.fetch_add(1, std::memory_order_relaxed) < limit) return true;
    give_back();
    return false;
  }
  void give_back() { in_flight_.fetch_sub(1, std::memory_order_relaxed); }
  uint32_t in_flight() const { return in_flight_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint32_t> in_flight_{0};
};

// One request's place among those of its shard and, where its key has a limit, of its key: given
// back by `release` or at the end of its life. What it counts in outlives it.
class Place {
 public:
  Place() = default;
  ~Place() { release(); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  // Each at most once before `release`. The key's may be refused: it is at its limit.
  void enter(uint64_t& shard_requests);
  bool take(KeySlots& slots, uint32_t limit);
  void release() {
    if (shard_requests_ != nullptr) --*std::exchange(shard_requests_, nullptr);
    if (slots_ != nullptr) std::exchange(slots_, nullptr)->give_back();
  }

 private:
  uint64_t* shard_requests_ = nullptr;
  KeySlots* slots_ = nullptr;
};

// The states by the id of their key. A state lives as long as somebody holds it.
class KeySlotsRegistry {
 public:
  std::shared_ptr<KeySlots> get(const std::string& id);
  // Keys that nobody knows any more leave nothing behind.
  void forget_unused();
  // Requests that hold a place of any key, and the keys that are known.
  uint64_t in_flight() const;
  size_t size() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::weak_ptr<KeySlots>> by_id_;
};

}  // namespace hyperion::resilience
