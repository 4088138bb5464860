// What the conf says of a model: where else it is served, and who follows when it fails.
//
// Filled by `config` from [[chains]] and looked up by deployment for each candidate of a request;
// immutable, shared by all shards as part of the configuration. A request's own list of fallbacks
// takes the place of `fallbacks` here, an empty one too; `places` are the same model and stay.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "catalog/catalog.h"

namespace hyperion::resilience {

using Weights = std::vector<std::pair<std::string, uint32_t>>;

struct ModelPlace {
  const catalog::Deployment* deployment = nullptr;
  uint32_t weight = 1;  // share of the requests that begin there
};

struct DefaultChain {
  // As the conf writes them.
  std::string model;
  Weights place_names;
  std::vector<std::string> fallback_names;
  // What the names stand for.
  std::vector<ModelPlace> places;  // empty: only where the name leads
  std::vector<const catalog::Deployment*> fallbacks;
};

// By deployment: at most one chain for each.
class DefaultChains {
 public:
  DefaultChains() = default;
  DefaultChains(std::vector<DefaultChain> chains, size_t deployment_count)
      : chains_(std::move(chains)), chain_of_(deployment_count, none) {}

  // False: the deployment has one already.
  bool assign(const catalog::Deployment& deployment, size_t chain) {
    if (chain_of_[deployment.index] != none) return false;
    chain_of_[deployment.index] = static_cast<uint16_t>(chain);
    return true;
  }
  const DefaultChain* find(const catalog::Deployment& deployment) const {
    if (deployment.index >= chain_of_.size() || chain_of_[deployment.index] == none) return nullptr;
    return &chains_[chain_of_[deployment.index]];
  }
  const std::vector<DefaultChain>& all() const { return chains_; }

 private:
  static constexpr uint16_t none = UINT16_MAX;
  std::vector<DefaultChain> chains_;
  std::vector<uint16_t> chain_of_;  // by Deployment::index
};

}  // namespace hyperion::resilience
