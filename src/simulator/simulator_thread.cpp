#include "simulator/simulator_thread.h"

#include <pthread.h>

#include "io/reactor.h"
#include "simulator/simulator.h"

namespace hyperion::simulator {

io::Refusal SimulatorThread::start(const io::Address& address) {
  std::promise<io::Refusal> started;
  std::future<io::Refusal> verdict = started.get_future();
  thread_ = std::thread([this, &address, &started] { run(address, started); });
  io::Refusal refusal = verdict.get();
  if (refusal) thread_.join();
  return refusal;
}

void SimulatorThread::stop() {
  if (!thread_.joinable()) return;
  mailbox_.post([this] { stopping_ = true; });
  thread_.join();
}

void SimulatorThread::run(const io::Address& address, std::promise<io::Refusal>& started) {
  pthread_setname_np(pthread_self(), "simulator");
  io::Reactor reactor(io::ReactorSettings{}, config_->settings.simulator.seed + instance_);
  io::Refusal refusal = reactor.open();
  if (refusal) {
    started.set_value(refusal);
    return;
  }
  Simulator simulator(reactor, config_, ledger_, outages_, instance_);
  std::string problem = simulator.open(address);
  if (!problem.empty()) {
    started.set_value({problem, "Nothing was started."});
    return;
  }
  bound_ = simulator.address();
  mailbox_.start(reactor);
  started.set_value({});
  while (!stopping_) reactor.turn();
  simulator.close();
  mailbox_.stop();
  while (!simulator.closed() || !mailbox_.stopped() || reactor.streams_in_use() != 0) {
    reactor.turn();
  }
}

}  // namespace hyperion::simulator
