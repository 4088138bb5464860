// How the providers of one world behave, beyond single answers.
//
// Drawn once by the seed: which of them do well by themselves, and who is out of order from when to
// when, wholly or with one key. A world may also be blameless: no provider ever does anything but
// answer, or refuse what was the client's own fault, so that no breaker may open.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "base/random.h"
#include "sim/behaviour.h"

namespace hyperion::sim {

constexpr size_t provider_count = 6;
constexpr int any_key = -1;

struct Outage {
  enum class Kind : uint8_t {
    refuses,
    resets,
    overloaded,
    rate_limited,
    key_refused,
    stalls,
    count
  };
  Kind kind = Kind::overloaded;
  size_t provider = 0;
  int key = any_key;
  uint64_t from_ns = 0;
  uint64_t until_ns = 0;
};

struct Climate {
  bool only_good = false;
  bool blameless = false;
  bool refuses = false;   // half of the connections, of providers that are not steady
  bool starves = false;   // the shard has hardly any memory for a while
  bool troubled = false;  // most answers go wrong, not only many
  std::array<bool, provider_count> steady{};
  std::vector<Outage> outages;

  static Climate draw(Random& random);
  // Does well with everything that is asked for from then on.
  bool is_healthy(size_t provider, uint64_t from_ns) const;
  const Outage* outage_at(size_t provider, int key, uint64_t now_ns) const;
};

}  // namespace hyperion::sim
