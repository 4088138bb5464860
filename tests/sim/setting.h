// The configurations of the simulated worlds: providers, models and chains.
//
// Two providers of each dialect, one of them with two keys; models with windows and prices of their
// own, served in one place or in several, with fallbacks or without. Three configurations share all
// of that and differ in what they do about failures; a world's seed draws one. The gateway serves
// by it, and what judges the answers reads facts from it. That one cannot be loaded would be a
// fault of the test: it is printed, and nothing goes on from there.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "config/config.h"

namespace hyperion::sim {

enum class Variant : uint8_t {
  plain,
  hedging,   // late streams get a second attempt
  cautious,  // breakers may shut everything, after few failures and for longer
  count,
};
const char* name_of(Variant variant);

// Loaded once, shared by all seeds: they are immutable.
const std::shared_ptr<const config::Config>& shared_config(Variant variant);

// One address for each provider, by catalog::Provider::index.
constexpr uint16_t port_of_first_provider = 7001;

// The times of every provider, in milliseconds.
constexpr uint64_t first_byte_ms = 2'000;
constexpr uint64_t idle_ms = 1'500;
constexpr uint64_t total_ms = 20'000;

// What clients ask for.
inline constexpr const char* model_names[] = {"alpha", "beta", "gamma", "delta", "epsilon"};
// The dearest: ten thousand times the cheapest.
inline constexpr const char* dear_model = "beta";

using Deployments = std::vector<const catalog::Deployment*>;

const catalog::Deployment& deployment_of(const config::Config& config, const std::string& name);
// Where a model is served; all of them have the same windows and prices.
Deployments places_of(const config::Config& config, const std::string& name);
// What the conf says follows it, each in all its places.
Deployments fallbacks_of(const config::Config& config, const std::string& name);

}  // namespace hyperion::sim
