// A thread with a reactor and a Simulator on it: what `simulate`, the demo and the tests start.
//
// Lives on the thread that made it; the reactor on its own. `start` waits until it listens and
// returns the two lines for people where it cannot. `stop` (or the end of the object) closes every
// connection and joins. Nothing else crosses the threads but the shared Ledger and Outages.
#pragma once

#include <future>
#include <memory>
#include <string>
#include <thread>

#include "config/config.h"
#include "io/mailbox.h"
#include "simulator/ledger.h"
#include "simulator/outages.h"

namespace hyperion::simulator {

class SimulatorThread {
 public:
  SimulatorThread(std::shared_ptr<const config::Config> config, Ledger& ledger, Outages& outages,
                  uint64_t instance = 0)
      : config_(std::move(config)), ledger_(ledger), outages_(outages), instance_(instance) {}
  SimulatorThread(const SimulatorThread&) = delete;
  SimulatorThread& operator=(const SimulatorThread&) = delete;
  ~SimulatorThread() { stop(); }

  // Empty refusal: it serves.
  io::Refusal start(const io::Address& address);
  void stop();
  // Where it listens, port 0 replaced.
  const io::Address& address() const { return bound_; }

 private:
  void run(const io::Address& address, std::promise<io::Refusal>& started);

  std::shared_ptr<const config::Config> config_;
  Ledger& ledger_;
  Outages& outages_;
  uint64_t instance_;
  io::Address bound_;
  io::Mailbox mailbox_;
  bool stopping_ = false;  // on the reactor's thread
  std::thread thread_;
};

}  // namespace hyperion::simulator
