// [[chains]]: where else a model is served, and who follows when it fails.
#include <algorithm>

#include "config/loader.h"
#include "resilience/chain.h"

namespace hyperion::config {

void Loader::read_chain(const Value& table) {
  resilience::DefaultChain chain;
  const Given given = read_table(table, conf_file, "chains", chain_keys(), chain);
  if (!require(given, "model", conf_file, table.line, "chains")) return;
  if (chain.place_names.empty() && !given.contains("fallbacks")) {
    problem(conf_file, table.line, "chains.model",
            "expected places, fallbacks or both beside it, given neither");
    return;
  }
  const size_t size = std::max<size_t>(chain.place_names.size(), 1) + chain.fallback_names.size();
  if (size > resilience::Chain::candidates_max) {
    problem(conf_file, table.line, "chains.fallbacks",
            "expected at most " + std::to_string(resilience::Chain::candidates_max) +
                " places and fallbacks together, given " + std::to_string(size));
    return;
  }
  chains_.push_back({std::move(chain), {conf_file, table.line}});
}

// What the names stand for; each must be a model that a provider of the conf serves.
void Loader::finish_chains() {
  std::vector<resilience::DefaultChain> chains;
  std::vector<uint32_t> lines;
  const auto resolve = [&](const std::string& name, const char* key, uint32_t line) {
    const catalog::Resolution found = config_->catalog.resolve(name);
    if (found.found() && !found.deployment->is_open()) return found.deployment;
    problem(conf_file, line, key,
            "\"" + name + "\" is no model that a provider of this conf serves");
    return static_cast<const catalog::Deployment*>(nullptr);
  };
  for (auto& [chain, origin] : chains_) {
    const uint32_t line = origin.line;
    const catalog::Deployment* primary = resolve(chain.model, "chains.model", line);
    if (primary == nullptr) continue;
    for (const auto& [name, weight] : chain.place_names) {
      const catalog::Deployment* place = resolve(name, "chains.places", line);
      if (place == nullptr) continue;
      if (place->model != primary->model) {
        problem(conf_file, line, "chains.places",
                "\"" + name + "\" is another model than \"" + chain.model +
                    "\": name it under fallbacks");
        continue;
      }
      chain.places.push_back({place, weight});
    }
    for (const std::string& name : chain.fallback_names) {
      const catalog::Deployment* fallback = resolve(name, "chains.fallbacks", line);
      if (fallback != nullptr) chain.fallbacks.push_back(fallback);
    }
    chains.push_back(std::move(chain));
    lines.push_back(line);
  }
  resilience::DefaultChains all(std::move(chains), config_->catalog.deployments().size());
  for (size_t i = 0; i < all.all().size(); ++i) {
    const resilience::DefaultChain& chain = all.all()[i];
    bool single = all.assign(*config_->catalog.resolve(chain.model).deployment, i);
    for (const resilience::ModelPlace& place : chain.places)
      single =
          (all.find(*place.deployment) == &chain || all.assign(*place.deployment, i)) && single;
    if (!single) {
      problem(conf_file, lines[i], "chains.model",
              "another entry is for \"" + chain.model + "\" or one of its places");
    }
  }
  config_->chains = std::move(all);
}

}  // namespace hyperion::config
