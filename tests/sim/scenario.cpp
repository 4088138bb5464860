#include "sim/scenario.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "gateway/gateway.h"
#include "sim/chain_judge.h"
#include "sim/client.h"
#include "sim/provider.h"
#include "sim/setting.h"
#include "sim/violation.h"
#include "sim/world.h"

namespace hyperion::sim {
namespace {

// More would mean that the world never comes to rest.
constexpr uint64_t steps_max = 400'000;

// Keeps what records say: each exchange writes exactly one, under a request id of its own.
class Recorder final : public gateway::RequestLog {
 public:
  explicit Recorder(Book& book) : book_(book) {}

  bool append(const gateway::Record& record) override {
    ++records;
    Told told;
    gateway::write_end_code(record.side, record.phase, told.end_code);
    ++ends[told.end_code];
    bool went_well = record.outcome == gateway::Outcome::answered;
    if (went_well != (told.end_code[0] == '-'))
      note_violation("outcome and end code %s disagree", told.end_code);
    told.attempts = record.attempts;
    told.hedged = record.hedged;
    told.failures =
        static_cast<uint32_t>(std::count(record.tried.begin(), record.tried.end(), '('));
    told.gave_up = record.gave_up;
    told.tried = record.tried;
    told.skipped = record.skipped;
    told.lasted_ns = elapsed_ns(record.begin, record.end);
    fallbacks += went_well && record.fallback_index > 0;
    if (!told.gave_up.empty() && went_well)
      note_violation("given up (%s) and answered", told.gave_up.c_str());
    if (!told.gave_up.empty()) ++gave_up[told.gave_up];
    const std::string id(record.request_id, gateway::request_id_size);
    if (!book_.told.emplace(id, told).second) note_violation("two records of one exchange");
    if (record.status == 0 && record.outcome == gateway::Outcome::answered)
      note_violation("answered without a status");
    return true;
  }

  uint64_t records = 0;
  uint64_t fallbacks = 0;
  std::map<std::string, uint64_t> ends;
  std::map<std::string, uint64_t> gave_up;

 private:
  Book& book_;
};

class Scenario {
 public:
  explicit Scenario(uint64_t seed)
      : world_(std::make_unique<World>(seed)),
        gateway_(std::make_unique<gateway::Gateway>(world_->runtime(), counters_, &recorder_,
                                                    nullptr, key_slots_, 8)) {
    Random& random = world_->random();
    climate_ = Climate::draw(random);
    variant_ = static_cast<Variant>(random.below(static_cast<uint64_t>(Variant::count)));
    config_ = shared_config(variant_);
    world_->on_connect = [this](SimStream& stream, uint16_t port) { return connect(stream, port); };
    std::string problem = gateway_->apply(config_);
    if (!problem.empty()) note_violation("%s", problem.c_str());
    court_ = std::make_unique<Court>(Court{book_, *config_, climate_});
    around_ = std::make_unique<Surroundings>(
        Surroundings{*world_, book_, climate_, *config_, gateway_->snapshot()->health.get()});
    if (climate_.starves) starve();
    if (random.chance(2, 3)) remember_speed();
    add_clients();
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
      for (const auto& [number, tries] : book_.tries) {
        for (const Served& one : tries) {
          const std::string at = std::string(" at ") + std::string(dialect::name_of(one.wire));
          coverage.ends[name_of(one) + at][code] += 1;
        }
      }
      for (Manner manner : manners_)
        coverage.ends[std::string("client ") + name_of(manner)][code] += 1;
    }
    for (const Asked& asked : asked_) add_request(asked, coverage);
    for (const auto& [why, count] : recorder_.gave_up) coverage.chain["gave up: " + why] += count;
    const auto add = [&](const char* cell, uint64_t count) {
      if (count > 0) coverage.chain[cell] += count;
    };
    add("breaker opened", counters_.breakers_opened.get());
    add("breaker closed", counters_.breakers_closed.get());
    add("hedge", counters_.hedges.get());
    add("answered by a fallback", recorder_.fallbacks);
    add("blameless, nothing opened", climate_.blameless);
  }

  void tell() const {
    std::printf("%s%s%s%s%s\n", name_of(variant_), climate_.blameless ? ", blameless" : "",
                climate_.starves ? ", starves" : "", climate_.refuses ? ", refuses" : "",
                climate_.troubled ? ", troubled" : "");
    for (const auto& [number, tries] : book_.tries) {
      for (const Served& one : tries) {
        std::printf("%s at %llu us: %s with key %u: %s, breaker %d, %s%s%s%s at %llu us\n",
                    number.c_str(), static_cast<unsigned long long>(one.begun_ns / ns_per_us),
                    one.deployment->id.c_str(), one.key, name_of(one),
                    static_cast<int>(one.breaker), one.finished ? "finished" : "unfinished",
                    one.over ? ", over" : "", one.lost ? ", lost" : "",
                    one.answer_seen ? ", seen" : "",
                    static_cast<unsigned long long>(one.finished_ns / ns_per_us));
      }
    }
    for (const auto& [id, told] : book_.told) {
      std::printf("%s: %s, %u attempts%s, tried: %s, left out: %s, gave up: %s\n", id.c_str(),
                  told.end_code, told.attempts, told.hedged ? " with a hedge" : "",
                  told.tried.c_str(), told.skipped.c_str(), told.gave_up.c_str());
    }
  }

  // After a violation the world is in no state to be taken down.
  void abandon() {
    static_cast<void>(world_.release());
    static_cast<void>(gateway_.release());
    for (auto& client : clients_) static_cast<void>(client.release());
  }

 private:
  std::unique_ptr<SimPeer> connect(SimStream& stream, uint16_t port) {
    const size_t index = port - port_of_first_provider;
    if (port < port_of_first_provider || index >= provider_count) {
      note_violation("a connection to port %u", port);
      return nullptr;
    }
    const Outage* outage = climate_.outage_at(index, any_key, world_->clock().now().ns);
    const bool out = outage != nullptr && outage->kind == Outage::Kind::refuses;
    const bool refused =
        climate_.refuses && !climate_.steady[index] && world_->random().chance(1, 2);
    if (!out && !refused) return std::make_unique<Provider>(*around_, stream, index);
    ++book_.losses;
    return nullptr;
  }

  // As if many answers had begun fast before, so that a late one shows.
  void remember_speed() {
    resilience::Health& health = *gateway_->snapshot()->health;
    for (const catalog::Deployment& deployment : config_->catalog.deployments()) {
      for (uint32_t i = 0; i < resilience::Pace::samples_min + 5; ++i)
        (void)health.saw_first_token(deployment, 3'000);
    }
  }

  void add_clients() {
    Random& random = world_->random();
    size_t count = 1 + random.below(4);
    for (uint32_t i = 0; i < count; ++i) {
      auto manner = random.chance(1, 2)
                        ? Manner::good
                        : static_cast<Manner>(random.below(static_cast<uint64_t>(Manner::count)));
      clients_.push_back(std::make_unique<SimClient>(*world_, *court_, i, manner));
      manners_.push_back(manner);
      SimClient* client = clients_.back().get();
      world_->after(random.below(30 * ns_per_ms), [this, client] {
        io::Stream* stream = world_->accept(client);
        client->connect_to(*world_->stream_of(stream));
        gateway_->accept(stream, gateway::Listening::public_side);
        client->start();
      });
    }
  }

  void add_request(const Asked& asked, Coverage& coverage) const {
    const auto found = book_.tries.find(asked.number);
    if (found == book_.tries.end()) return;
    const std::vector<Served>& tries = found->second;
    const auto id = book_.request_ids.find(asked.number);
    const auto told =
        id == book_.request_ids.end() ? book_.told.end() : book_.told.find(id->second);
    // Of one whose client left, or got nothing, there is no end to tell.
    if (told == book_.told.end()) return;
    const bool answered = told->second.end_code[0] == '-';
    for (size_t i = 0; i < tries.size(); ++i) {
      ++coverage.moves[name_of(tries[i])][move_after(tries, i, answered)];
      ++coverage.ends[name_of(way_of(asked, tries[i]))][told->second.end_code];
      if (tries[i].breaker == resilience::Breaker::State::open) ++coverage.chain["forced"];
      if (tries[i].breaker == resilience::Breaker::State::half_open)
        ++coverage.chain["breaker half open"];
    }
    if (answered && told->second.hedged) ++coverage.chain["hedge answered"];
    const bool again = tries.size() > 1 && tries.back().deployment == tries[0].deployment;
    if (answered && again) ++coverage.chain["answered after a wait"];
  }

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
    for (const auto& client : clients_) {
      client->judge_end();
      asked_.insert(asked_.end(), client->requests().begin(), client->requests().end());
    }
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
    judge_health();
    if (!first_violation().empty()) return;
    gateway_.reset();
    clients_.clear();
    if (world_->timers().armed_count() != 0)
      note_violation("%zu timers left armed", world_->timers().armed_count());
    if (world_->blocks().in_use() != 0)
      note_violation("%zu blocks leaked", world_->blocks().in_use());
  }

  // At rest nobody is trying again or finding out, and what clients do has shut nothing.
  void judge_health() {
    const resilience::Health& health = *gateway_->snapshot()->health;
    for (uint32_t i = 0; i < health.target_count(); ++i) {
      if (health.breaker(i).probing()) note_violation("a probe was not given back");
    }
    if (gateway_->retrying() != 0) note_violation("%u still retrying", gateway_->retrying());
    if (gateway_->hedging() != 0) note_violation("%u still hedging", gateway_->hedging());
    if (climate_.blameless && counters_.breakers_opened.get() != 0)
      note_violation("a breaker was opened by what clients do");
  }

  gateway::Counters counters_;
  resilience::KeySlotsRegistry key_slots_;
  Book book_;
  Recorder recorder_{book_};
  Climate climate_;
  Variant variant_ = Variant::plain;
  std::shared_ptr<const config::Config> config_;
  std::unique_ptr<Court> court_;
  std::unique_ptr<Surroundings> around_;
  uint64_t taken_bytes_ = 0;  // by starve
  std::unique_ptr<World> world_;
  std::vector<std::unique_ptr<SimClient>> clients_;
  std::vector<Manner> manners_;
  std::vector<Asked> asked_;  // of all clients, at the end
  std::unique_ptr<gateway::Gateway> gateway_;
};

}  // namespace

std::string run_seed(uint64_t seed, Coverage& coverage, bool tells) {
  clear_violation();
  auto scenario = std::make_unique<Scenario>(seed);
  bool good = scenario->run();
  scenario->add_to(coverage);
  if (tells) scenario->tell();
  if (good) return {};
  scenario->abandon();
  static_cast<void>(scenario.release());
  return first_violation();
}

}  // namespace hyperion::sim
