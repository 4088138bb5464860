#include "simulator/simulator.h"

namespace hyperion::simulator {
namespace {

constexpr size_t connections_max = 65'536;
constexpr uint64_t bodies_max_bytes = uint64_t{512} * 1024 * 1024;
constexpr int backlog = 4096;

}  // namespace

Simulator::Simulator(io::Reactor& reactor, std::shared_ptr<const config::Config> config,
                     Ledger& ledger, Outages& outages, uint64_t instance)
    : reactor_(reactor),
      config_(std::move(config)),
      ledger_(ledger),
      outages_(outages),
      models_(config_->catalog),
      random_(config_->settings.simulator.seed + instance),
      scanner_(config_->settings.http.body_size_max_bytes),
      bodies_{bodies_max_bytes, 0},
      listener_(reactor, *this),
      connections_(connections_max) {}

Simulator::~Simulator() = default;

std::string Simulator::open(const io::Address& address) {
  std::string problem = listener_.open(address, backlog);
  if (problem.empty()) listener_.start();
  return problem;
}

void Simulator::close() {
  listener_.close();
  for (Connection* connection = open_.front(); connection != nullptr;) {
    Connection* next = open_.next(connection);
    connection->terminate();
    connection = next;
  }
}

void Simulator::on_accept(io::Stream* stream) {
  Connection* connection = connections_.create(*this, stream);
  if (connection == nullptr) {
    stream->set_handler(nullptr);
    stream->terminate();
    return;
  }
  open_.push_back(connection);
  connection->start();
}

void Simulator::release(Connection* connection) {
  connection->ListNode<ConnectionTag>::unlink();
  connections_.destroy(connection);
}

uint64_t Simulator::with_jitter(uint64_t ms) {
  const uint64_t swing = ms * settings().jitter_percent / 100;
  return ms - swing + random_.below(2 * swing + 1);
}

}  // namespace hyperion::simulator
