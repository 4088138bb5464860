#include "sim/climate.h"

#include "base/clock.h"

namespace hyperion::sim {

Climate Climate::draw(Random& random) {
  Climate climate;
  climate.only_good = random.chance(1, 12);
  climate.blameless = random.chance(1, 10);
  climate.refuses = random.chance(1, 20) && !climate.blameless;
  climate.starves = random.chance(1, 12);
  climate.troubled = random.chance(1, 3);
  for (bool& steady : climate.steady) steady = random.chance(1, 3);
  if (climate.only_good || climate.blameless) return climate;
  for (uint64_t i = random.below(6); i > 0; --i) {
    Outage outage;
    outage.kind =
        static_cast<Outage::Kind>(random.below(static_cast<uint64_t>(Outage::Kind::count)));
    outage.provider = random.below(provider_count);
    // The first provider of each dialect has two keys.
    if (outage.provider % 2 == 0 && outage.kind >= Outage::Kind::overloaded && random.chance(1, 2))
      outage.key = static_cast<int>(random.below(2));
    // The clock of a world begins at a second.
    outage.from_ns = ns_per_s + random.below(500 * ns_per_ms);
    outage.until_ns =
        outage.from_ns + random.below(random.chance(1, 2) ? 300 * ns_per_ms : 2 * ns_per_s);
    climate.outages.push_back(outage);
  }
  return climate;
}

bool Climate::is_healthy(size_t provider, uint64_t from_ns) const {
  bool healthy = steady[provider];
  for (const Outage& outage : outages)
    healthy = healthy && (outage.provider != provider || outage.until_ns <= from_ns);
  return healthy;
}

const Outage* Climate::outage_at(size_t provider, int key, uint64_t now_ns) const {
  for (const Outage& outage : outages) {
    if (outage.provider == provider && (outage.key == any_key || outage.key == key) &&
        now_ns >= outage.from_ns && now_ns < outage.until_ns) {
      return &outage;
    }
  }
  return nullptr;
}

}  // namespace hyperion::sim
