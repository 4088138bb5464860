// The outage that `hyperion demo --outage` rehearses: providers that fail and recover by a
// schedule.
//
// One table (demo_outage.cpp) holds the phases: what fails, when, and a request with fallbacks that
// shows how the gateway answers all the same. `begin` puts them into the simulator's schedule, then
// a thread prints each phase as it begins, with a curl line to try and what that very request got
// just then. Times are shares of the whole, so that it can be rehearsed quicker. The thread sleeps
// between phases and ends with the rehearsal, or at once when this object goes. Nothing here stops
// the demo: a request that went otherwise than it should is said so and counted.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

#include "io/address.h"
#include "simulator/outages.h"

namespace hyperion::server {

inline constexpr unsigned rehearsal_default_s = 60;
inline constexpr unsigned rehearsal_min_s = 6;  // a phase needs the time to be seen
inline constexpr unsigned rehearsal_max_s = 3600;

// The simulator's part of the conf: a brown-out needs something to be slower than.
inline constexpr const char* rehearsal_conf =
    "[simulator]\nfirst_token_ms = 30\ntoken_gap_ms = 5\n";

class Rehearsal {
 public:
  // `outages` are those of the simulator behind `gateway`, and must outlive this.
  Rehearsal(simulator::Outages& outages, const io::Address& gateway, std::string gateway_url,
            std::string simulator_url, unsigned length_s);
  Rehearsal(const Rehearsal&) = delete;
  Rehearsal& operator=(const Rehearsal&) = delete;
  ~Rehearsal();

  void begin();
  // Waits for its end; returns how many requests went otherwise than they should.
  int wait();

 private:
  struct Moment;

  void narrate();
  // False: it is to end now.
  bool wait_until_ms(uint64_t ms);
  uint64_t scaled_ms(unsigned s_of_sixty) const;
  void show(const Moment& moment);

  simulator::Outages& outages_;
  const io::Address gateway_;
  const std::string url_;
  const std::string simulator_url_;
  const unsigned length_s_;
  Instant began_;
  int failures_ = 0;
  std::mutex mutex_;
  std::condition_variable ending_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace hyperion::server
