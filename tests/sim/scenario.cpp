#include "sim/scenario.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "gateway/gateway.h"
#include "sim/client.h"
#include "sim/provider.h"
#include "sim/setting.h"
#include "sim/violation.h"
#include "sim/world.h"

namespace hyperion::sim {
namespace {

// More would mean that the world never comes to rest.
constexpr uint64_t steps_max = 400'000;

// Counts records: each exchange writes exactly one, under a request id of its own.
class Recorder final : public gateway::RequestLog {
 public:
  bool append(const gateway::Record& record) override {
    ++records;
    char code[3];
    gateway::write_end_code(record.side, record.phase, code);
    ++ends[code];
    bool went_well = record.outcome == gateway::Outcome::answered;
    if (went_well != (code[0] == '-')) note_violation("outcome and end code %s disagree", code);
    if (!ids.emplace(std::string(record.request_id, gateway::request_id_size), 1).second) {
      note_violation("two records of one exchange");
    }
    if (record.status == 0 && record.outcome == gateway::Outcome::answered)
      note_violation("answered without a status");
    return true;
  }

  uint64_t records = 0;
  std::map<std::string, uint64_t> ends;
  std::map<std::string, int> ids;
};

class Scenario {
 public:
  explicit Scenario(uint64_t seed)
      : world_(std::make_unique<World>(seed)),
        gateway_(std::make_unique<gateway::Gateway>(world_->runtime(), counters_, &recorder_,
                                                    nullptr, key_slots_, 8)) {
    Random& random = world_->random();
    only_good_ = random.chance(1, 10);
    refuses_ = random.chance(1, 20);
    starves_ = random.chance(1, 12);
    world_->on_connect = [this](SimStream& stream) -> std::unique_ptr<SimPeer> {
      if (refuses_ && world_->random().chance(1, 2)) return nullptr;
      return std::make_unique<Provider>(*world_, stream, book_, only_good_);
    };
    std::string problem = gateway_->apply(shared_config());
    if (!problem.empty()) note_violation("%s", problem.c_str());
    if (starves_) starve();
    size_t count = 1 + random.below(4);
    for (uint32_t i = 0; i < count; ++i) {
      auto manner = random.chance(1, 2)
                        ? Manner::good
                        : static_cast<Manner>(random.below(static_cast<uint64_t>(Manner::count)));
      clients_.push_back(std::make_unique<SimClient>(*world_, book_, i, manner));
      manners_.push_back(manner);
      for (const Asked& asked : clients_.back()->requests()) ways_.push_back(asked.way);
      SimClient* client = clients_.back().get();
      if (starves_) client->expect_starvation();
      world_->after(random.below(30 * ns_per_ms), [this, client] {
        io::Stream* stream = world_->accept(client);
        client->connect_to(*world_->stream_of(stream));
        gateway_->accept(stream, gateway::Listening::public_side);
        client->start();
      });
    }
  }

  bool run() {
    while (first_violation().empty() && !rested()) {
      if (!world_->step() || world_->steps() > steps_max) {
        note_violation(
            "the world does not come to rest: %zu clients, %zu exchanges after %llu steps",
            gateway_->client_count(), gateway_->exchange_count(),
            static_cast<unsigned long long>(world_->steps()));
      }
    }
    if (first_violation().empty()) close_down();
    return first_violation().empty();
  }

  void add_to(Coverage& coverage) const {
    coverage.steps += world_->steps();
    coverage.requests += recorder_.records;
    for (const auto& [code, count] : recorder_.ends) {
      if (code == "--") coverage.answered += count;
      for (const auto& [number, served] : book_) {
        for (const Served& one : served) coverage.ends[name_of(one.behaviour)][code] += 1;
      }
      for (Manner manner : manners_)
        coverage.ends[std::string("client ") + name_of(manner)][code] += 1;
      for (const Way& way : ways_) coverage.ends[name_of(way)][code] += 1;
    }
  }

  // After a violation the world is in no state to be taken down.
  void abandon() {
    static_cast<void>(world_.release());
    static_cast<void>(gateway_.release());
    for (auto& client : clients_) static_cast<void>(client.release());
  }

 private:
  // For a while others take nearly all the memory for bodies.
  void starve() {
    Random& random = world_->random();
    const uint64_t begin_ns = random.below(60 * ns_per_ms);
    world_->after(begin_ns, [this, left = random.below(100'000)] {
      MemoryBudget& bodies = gateway_->bodies();
      const uint64_t free_bytes = bodies.limit_bytes - bodies.used_bytes;
      taken_bytes_ = free_bytes - std::min(free_bytes, left);
      bodies.take(taken_bytes_);
    });
    world_->after(begin_ns + random.below(200 * ns_per_ms), [this] {
      gateway_->bodies().give_back(taken_bytes_);
      taken_bytes_ = 0;
    });
  }

  // All clients have come and gone (keep-alive and all timers run out by themselves).
  bool rested() const {
    return world_->steps() > 0 && started() && gateway_->client_count() == 0 &&
           gateway_->exchange_count() == 0;
  }
  bool started() const { return counters_.connections_accepted.get() == clients_.size(); }

  void close_down() {
    for (const auto& client : clients_) client->judge_end();
    gateway_->terminate_all();
    for (int i = 0; i < 10'000 && !(gateway_->idle() && world_->streams_alive() == 0); ++i) {
      if (!world_->step()) break;
    }
    if (!gateway_->idle()) note_violation("the gateway does not become idle");
    if (world_->streams_alive() != 0) note_violation("%zu streams leaked", world_->streams_alive());
    if (gateway_->bodies().used_bytes != taken_bytes_) note_violation("body memory leaked");
    if (gateway_->holds().open_count() != 0) note_violation("a hold of money leaked");
    uint64_t ended = 0;
    for (const gateway::Counter& outcome : counters_.outcomes) ended += outcome.get();
    if (ended != recorder_.records)
      note_violation("%llu exchanges ended, %llu records", static_cast<unsigned long long>(ended),
                     static_cast<unsigned long long>(recorder_.records));
    if (counters_.requests_in_flight.get() != 0)
      note_violation("the gauge of requests in flight is not zero");
    if (gateway_->requests_admitted() != 0 || key_slots_.in_flight() != 0)
      note_violation("a place was not given back");
    if (!first_violation().empty()) return;
    gateway_.reset();
    clients_.clear();
    if (world_->timers().armed_count() != 0)
      note_violation("%zu timers left armed", world_->timers().armed_count());
    if (world_->blocks().in_use() != 0)
      note_violation("%zu blocks leaked", world_->blocks().in_use());
  }

  gateway::Counters counters_;
  resilience::KeySlotsRegistry key_slots_;
  Recorder recorder_;
  Book book_;
  bool only_good_ = false;
  bool refuses_ = false;
  bool starves_ = false;
  uint64_t taken_bytes_ = 0;  // by starve
  std::unique_ptr<World> world_;
  std::vector<std::unique_ptr<SimClient>> clients_;
  std::vector<Manner> manners_;
  std::vector<Way> ways_;
  std::unique_ptr<gateway::Gateway> gateway_;
};

}  // namespace

std::string run_seed(uint64_t seed, Coverage& coverage) {
  clear_violation();
  auto scenario = std::make_unique<Scenario>(seed);
  bool good = scenario->run();
  scenario->add_to(coverage);
  if (good) return {};
  scenario->abandon();
  static_cast<void>(scenario.release());
  return first_violation();
}

}  // namespace hyperion::sim
