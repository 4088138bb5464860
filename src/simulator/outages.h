// What an outage of the conf does to a request, now.
//
// The functions are pure: an Outage (config/outages.h), the request as an Asker, the milliseconds
// since the simulator's start and the seed are all they know, so that a test can walk through a
// schedule without waiting for it. The class Outages holds the schedule that is in force and what
// it has struck: one is shared by all Simulators of a process, each on its thread, behind a mutex
// that nobody takes while there is no outage. Nothing here can fail. The schedule is bounded
// (config::outages_max); the first outage that fails a request counts, delays are the longest.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "config/faults.h"
#include "config/outages.h"
#include "http/head.h"

namespace hyperion::simulator {

// A request, as far as outages tell requests apart.
struct Asker {
  std::string_view provider;
  std::string_view model;
  std::string_view api_key;
  std::string_view path;
  std::string_view host;       // with its port, if it came with one
  bool model_is_known = true;  // not before the body is read
};

// The key as any dialect presents one: x-api-key, x-goog-api-key, api-key, `?key=` or a bearer
// token. Empty: there is none.
std::string_view api_key_of(const http::RequestHead& head);

bool concerns(const config::Outage& outage, const Asker& asker);

enum class OutageState : uint8_t {
  waiting,     // its time has not come, or it is between two periods
  failing,     // it does what its kind says
  up,          // of flapping: between two failures
  recovering,  // of slow_start: after the end
  over,        // nothing will come any more
};
std::string_view name_of(OutageState state);

struct OutageMoment {
  OutageState state = OutageState::waiting;
  uint64_t recovery_left_ms = 0;
};
OutageMoment moment_of(const config::Outage& outage, uint64_t now_ms);

// Does the request with this number, of those that a partial outage concerns, get the fault?
bool strikes(uint32_t percent, uint64_t number, uint64_t seed);

// Before the first token, or a plain answer, and between tokens.
struct Delays {
  uint64_t first_token_ms = 0;
  uint64_t token_gap_ms = 0;
};

// The delays that a moment of the outage makes of the usual ones.
Delays slowed(const config::Outage& outage, const OutageMoment& moment, Delays usual);

class Outages {
 public:
  // `begin` is the simulator's start.
  Outages(const std::vector<config::Outage>& schedule, uint64_t seed, Instant begin);
  Outages(const Outages&) = delete;
  Outages& operator=(const Outages&) = delete;

  bool any() const { return any_.load(std::memory_order_relaxed); }
  // Adds to `plan` and `delays` what goes wrong with the request at `now`. Called once when its
  // head is there, for the faults that strike then, and once when it is whole, for all others.
  void apply(const Asker& asker, bool head_only, Instant now, config::FaultPlan& plan,
             Delays& delays);

  uint64_t ms_at(Instant now) const { return elapsed_ns(begin_, now) / ns_per_ms; }
  // Begins to count `start_ms` now. False: there are config::outages_max already.
  bool add(config::Outage outage, Instant now);
  void clear();
  // The schedule for people and tests: {"now_ms": …, "outages": [{…}]}.
  std::string json(Instant now) const;

 private:
  struct Entry {
    config::Outage outage;
    config::FaultPlan plan;     // what its fault means
    bool strikes_head = false;  // before the body is read
    uint64_t seed = 0;
    uint64_t requests = 0;  // that it concerned while failing
    uint64_t struck = 0;    // of those
  };

  void add_entry(config::Outage outage);

  const uint64_t seed_;
  const Instant begin_;
  std::atomic<bool> any_{false};
  mutable std::mutex mutex_;
  std::vector<Entry> entries_;
  uint64_t added_ = 0;  // of all that ever were
};

}  // namespace hyperion::simulator
