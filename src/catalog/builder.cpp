#include "catalog/builder.h"

#include <algorithm>
#include <set>

#include "catalog/nearest.h"

namespace hyperion::catalog {

std::string quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

void Builder::take_models() {
  std::set<std::pair<std::string, std::string>> seen;
  for (auto& [model, origin] : draft_.models) {
    if (!seen.insert({model.family, model.id}).second) {
      problem(origin, "models", quoted(model.id) + " of " + model.family + " is there twice");
      continue;
    }
    if (catalog_.models_.size() >= Name::none_index) {
      problem(origin, "models", "expected at most 65534 models");
      return;
    }
    check_reserved(model, origin);
    model.version = version_of(model.id);
    model.moving_name = moving_name_of(model.id);
    if (model.version.date == 0) model.version.date = model.released;
    catalog_.models_.push_back(std::move(model));
  }
}

// "auto" never reaches the table of names, so a model of that name could not be asked for.
void Builder::check_reserved(const Model& model, Origin origin) {
  const auto contains = [](const std::vector<std::string>& names) {
    return std::find(names.begin(), names.end(), reserved_name) != names.end();
  };
  if (model.id == reserved_name || moving_name_of(model.id) == reserved_name) {
    problem(origin, "models.id", std::string(reserved_because));
  }
  if (contains(model.aliases)) problem(origin, "models.aliases", std::string(reserved_because));
  if (contains(model.series)) problem(origin, "models.series", std::string(reserved_because));
}

void Builder::take_providers() {
  std::set<std::string> seen;
  for (auto& [provider, origin] : draft_.providers) {
    if (!seen.insert(provider.name).second) {
      problem(origin, "providers.name", quoted(provider.name) + " is there twice");
      continue;
    }
    provider.index = static_cast<uint16_t>(catalog_.providers_.size());
    catalog_.providers_.push_back(std::move(provider));
  }
}

uint16_t Builder::add_deployment(std::string id, uint16_t model, uint16_t provider,
                                 std::string upstream_model) {
  const size_t index = catalog_.deployments_.size();
  if (index >= Name::none_index) {
    if (index == Name::none_index) problem({}, "models", "expected at most 65534 deployments");
    return Name::none_index;
  }
  Deployment deployment;
  deployment.id = std::move(id);
  deployment.index = static_cast<uint16_t>(index);
  deployment.upstream_model = std::move(upstream_model);
  if (!deployment.is_open()) deployment.upstream_model_json = quoted(deployment.upstream_model);
  catalog_.deployments_.push_back(std::move(deployment));
  model_of_.push_back(model);
  provider_of_.push_back(provider);
  return static_cast<uint16_t>(index);
}

void Builder::make_deployments() {
  for (const Provider& provider : catalog_.providers_) {
    for (size_t i = 0; i < catalog_.models_.size(); ++i) {
      const Model& model = catalog_.models_[i];
      const bool served = std::find(provider.serves.begin(), provider.serves.end(), model.family) !=
                          provider.serves.end();
      if (!served || model.status == Status::retired) continue;
      const auto id_there = model.platform_ids.find(provider.platform);
      if (!provider.platform.empty() && id_there == model.platform_ids.end()) continue;
      add_deployment(provider.name + "/" + model.id, static_cast<uint16_t>(i), provider.index,
                     provider.platform.empty() ? model.id : id_there->second);
    }
    if (provider.passthrough_unknown_models || provider.discovery) {
      const uint16_t index =
          add_deployment(provider.name + "/*", Name::none_index, provider.index, "");
      if (index != Name::none_index) catalog_.open_deployments_.push_back(index);
    }
  }
}

void Builder::take_deployment(Placed<DeploymentDraft>& placed) {
  auto& [deployment, origin] = placed;
  if (deployment.name == reserved_name) {
    problem(origin, "deployments.name", std::string(reserved_because));
  }
  const Provider* provider = catalog_.provider(deployment.provider);
  if (provider == nullptr) {
    problem(origin, "deployments.provider",
            "no [[providers]] has the name " + quoted(deployment.provider));
  }
  const Name* row = catalogue_names_.find(deployment.model);
  if (row == nullptr) {
    problem(origin, "deployments.model",
            "the catalogue has no model " + quoted(deployment.model) +
                did_you_mean(deployment.model) + " (a [[models]] entry adds one)");
  }
  if (provider == nullptr || row == nullptr) return;
  const std::string upstream = deployment.upstream_model.empty() ? catalog_.models_[row->model].id
                                                                 : deployment.upstream_model;
  const uint16_t index = add_deployment(deployment.name, row->model, provider->index, upstream);
  std::vector<std::string> environments = deployment.environments;
  if (environments.empty()) environments.push_back("");
  catalog_.deployments_[index].in_environment =
      deployment.environments.empty() ||
      std::find(environments.begin(), environments.end(), draft_.environment) != environments.end();
  for (const std::string& environment : environments) {
    const bool added = by_environment_[environment].try_emplace(deployment.name, index).second;
    const bool everywhere = by_environment_[""].contains(deployment.name) && !environment.empty();
    if (!added || everywhere) {
      problem(origin, "deployments.name",
              quoted(deployment.name) + " is there twice for the same environment");
    }
  }
}

void Builder::check_environments() {
  // Deployments of all environments belong to each one.
  const auto everywhere = by_environment_[""];
  std::set<std::string> known = {"production"};
  for (auto& [name, deployments] : by_environment_) {
    if (!name.empty()) known.insert(name);
    deployments.insert(everywhere.begin(), everywhere.end());
  }
  for (const auto& placed : draft_.environments) known.insert(placed.value.name);
  if (known.contains(draft_.environment)) return;
  std::string list;
  for (const std::string& name : known) list += (list.empty() ? "" : ", ") + name;
  problem(draft_.environment_origin, "environment",
          quoted(draft_.environment) + " is not defined: expected one of " + list +
              ", or an [environments." + draft_.environment + "] section");
}

std::string Builder::did_you_mean(std::string_view name) const {
  std::string_view best;
  size_t limit = misspelling_edits_max(name);
  for (const Name& row : catalogue_names_.names()) {
    const size_t distance = edit_distance(name, catalogue_names_.text(row), limit);
    if (distance == too_far || (!best.empty() && distance == limit)) continue;
    best = catalogue_names_.text(row);
    limit = distance;
  }
  return best.empty() ? "" : ": did you mean " + quoted(best) + "?";
}

void Builder::connect_deployments() {
  for (size_t i = 0; i < catalog_.deployments_.size(); ++i) {
    Deployment& deployment = catalog_.deployments_[i];
    deployment.provider = &catalog_.providers_[provider_of_[i]];
    if (model_of_[i] != Name::none_index) deployment.model = &catalog_.models_[model_of_[i]];
  }
}

Catalog Catalog::build(Draft draft, std::vector<Problem>& problems) {
  return Builder(draft, problems).finish();
}

}  // namespace hyperion::catalog
