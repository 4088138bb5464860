// What a shard counts, for /metrics.
//
// Written by one shard with plain relaxed stores, read by whoever renders the metrics: no lock, no
// read-modify-write, one counter costs a nanosecond. Labels are fixed at compile time or come from
// the configuration; nothing a client sends becomes a label. Owned by the shard, it outlives the
// gateway.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/histogram.h"
#include "resilience/admission.h"

namespace hyperion::gateway {

class Counter {
 public:
  void add(uint64_t n = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  void subtract(uint64_t n = 1) {
    value_.store(value_.load(std::memory_order_relaxed) - n, std::memory_order_relaxed);
  }
  void set(uint64_t n) { value_.store(n, std::memory_order_relaxed); }
  uint64_t get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

// How an exchange ended (design: exactly one of these).
enum class Outcome : uint8_t { answered, refused, failed, abandoned };
inline constexpr size_t outcome_count = 4;

// Why a request was refused before its body was read.
enum class ShedReason : uint8_t { requests, memory, loop_lag, descriptors, key_concurrency };
inline constexpr size_t shed_reason_count = 5;

// Of one provider in one shard. Lives as long as the shard, whatever reloads do.
struct ProviderCounters {
  Counter attempts;
  Counter failures;
  std::array<Counter, 6> status_class;  // by the first digit of the provider's status; 0: no answer
  Counter prompt_tokens;
  Counter completion_tokens;
  Counter connections;
  Counter idle_connections;
  Counter breakers_open;
  Counter lists_taken;  // of its models, by discovery
  Counter lists_failed;
};

// The providers' counters of one shard by name. The lock is for reloads and the metrics page only.
class ProviderRegistry {
 public:
  ProviderCounters* get(const std::string& name) {
    std::lock_guard lock(mutex_);
    std::unique_ptr<ProviderCounters>& counters = by_name_[name];
    if (counters == nullptr) counters = std::make_unique<ProviderCounters>();
    return counters.get();
  }
  template <class Visitor>
  void for_each(Visitor&& visit) const {
    std::lock_guard lock(mutex_);
    for (const auto& [name, counters] : by_name_) visit(name, *counters);
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::unique_ptr<ProviderCounters>> by_name_;
};

struct Counters {
  ProviderRegistry providers;
  std::array<Counter, outcome_count> outcomes;
  std::array<Counter, 6> status_class;
  Counter connections_accepted;
  Counter connections_refused;  // at the limit
  Counter connections_open;
  Counter requests_in_flight;
  Counter requests_refused_overloaded;
  Counter requests_admitted;  // in flight now
  // Refused at their head, by reason and by the priority of their key.
  std::array<std::array<Counter, resilience::priority_count>, shed_reason_count> requests_shed;
  Counter admission_level;  // resilience::Level
  Counter loop_lag_us;
  Counter loop_turn_longest_us;  // of the last second
  Counter bytes_received;
  Counter bytes_sent;
  Counter streams_cut;
  Counter retries;
  Counter fallbacks;
  Counter hedges;
  Counter possibly_billed;  // attempts whose outcome is unknown
  Counter breakers_opened;
  Counter breakers_closed;
  Counter keys_refused;
  Counter log_lines_dropped;
  Counter blocks_in_use;
  Counter body_bytes_in_use;
  Counter holds_open;  // of money, for attempts
  Counter completion_overflows;
  Counter receive_starved;
  Histogram request_duration_us;
  Histogram overhead_us;
  Histogram first_token_us;
};

}  // namespace hyperion::gateway
