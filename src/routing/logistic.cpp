#include "routing/logistic.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "routing/scores.h"

namespace hyperion::routing {
namespace {

static_assert(logit_one == 256);

// exp(-1/256) with 60 bits behind the point, by its series; each term is one integer division.
consteval uint64_t step_down() {
  constexpr uint64_t one = uint64_t{1} << 60;
  uint64_t sum = one;
  uint64_t term = one;
  for (uint64_t n = 1; n < 12; ++n) {
    term = term / (n * static_cast<uint64_t>(logit_one));
    sum = n % 2 == 1 ? sum - term : sum + term;
  }
  return sum;
}

consteval auto make_table() {
  std::array<uint16_t, logit_max + 1> table{};
  constexpr uint64_t one = uint64_t{1} << 60;
  constexpr uint64_t step = step_down();
  uint64_t power = one;  // exp(-i/256)
  for (size_t i = 0; i < table.size(); ++i) {
    // chance_one / (1 + power), rounded; the shift keeps the sum within 64 bits.
    const uint64_t sum = (one + power) >> 14;
    const uint64_t scaled = (static_cast<uint64_t>(chance_one) << 46);
    table[i] = static_cast<uint16_t>(std::min<uint64_t>((scaled + sum / 2) / sum, chance_one - 1));
    power = static_cast<uint64_t>(static_cast<unsigned __int128>(power) * step >> 60);
  }
  return table;
}

}  // namespace

constexpr std::array<uint16_t, logit_max + 1> chance_table = make_table();

uint16_t score_of(int32_t difficulty) {
  constexpr int32_t per_score = chance_one / score_one;
  return static_cast<uint16_t>((chance_of(difficulty) + per_score / 2) / per_score);
}

int16_t difficulty_of(uint16_t score) {
  int32_t low = -logit_max;
  int32_t high = logit_max;
  while (low < high) {
    const int32_t middle = low + (high - low) / 2;
    if (score_of(middle) < score) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return static_cast<int16_t>(low);
}

}  // namespace hyperion::routing
