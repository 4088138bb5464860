#include "catalog/cost.h"

#include <limits>

namespace hyperion::catalog {
namespace {

constexpr uint64_t pico_per_nano = 1000;

// Below these the sum of three products fits 63 bits: two thousand million tokens, a thousand
// dollars a million.
constexpr int64_t tokens_small = int64_t{1} << 31;
constexpr int64_t price_small = int64_t{1} << 30;

bool is_small(const Prices& prices, const TokenCounts& tokens) {
  const auto within = [](int64_t value, int64_t bound) { return value >= 0 && value < bound; };
  return within(prices.input, price_small) && within(prices.output, price_small) &&
         within(tokens.input, tokens_small) && within(tokens.cached_input, tokens_small) &&
         within(tokens.output, tokens_small) && prices.cached_input < price_small;
}

}  // namespace

int64_t cost_nano_usd(const Model& model, const TokenCounts& tokens) {
  if (model.price_tiers.empty() && is_small(model.prices, tokens)) {
    const Prices& prices = model.prices;
    const int64_t cached = prices.cached_input < 0 ? prices.input : prices.cached_input;
    const int64_t pico =
        tokens.input * prices.input + tokens.cached_input * cached + tokens.output * prices.output;
    return static_cast<int64_t>((static_cast<uint64_t>(pico) + pico_per_nano - 1) / pico_per_nano);
  }
  const Prices* prices = &model.prices;
  const __int128 whole_input = static_cast<__int128>(tokens.input) + tokens.cached_input;
  for (const PriceTier& tier : model.price_tiers) {
    if (whole_input > tier.above_tokens) prices = &tier.prices;
  }
  // What nobody has said to be cheaper from the cache costs what it costs.
  const int64_t cached =
      prices->cached_input == price_unknown ? prices->input : prices->cached_input;
  const struct {
    int64_t count;
    int64_t price;
  } parts[] = {{tokens.input, prices->input},
               {tokens.cached_input, cached},
               {tokens.output, prices->output}};
  __int128 pico = 0;
  for (const auto& [count, price] : parts) {
    if (count <= 0) continue;
    if (price < 0) return cost_unknown;
    pico += static_cast<__int128>(count) * price;
  }
  const __int128 nano =
      (pico + static_cast<__int128>(pico_per_nano) - 1) / static_cast<__int128>(pico_per_nano);
  constexpr int64_t most = std::numeric_limits<int64_t>::max();
  return nano > most ? most : static_cast<int64_t>(nano);
}

}  // namespace hyperion::catalog
