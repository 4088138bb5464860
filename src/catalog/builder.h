// How a Draft becomes a Catalog; used by Catalog::build alone.
//
// builder.cpp takes models and providers, makes the deployments and checks the conf's own;
// naming.cpp decides what each name means, by the order in which names go into the table (the first
// wins). Problems are collected with their places, none stops the building, so that a user sees
// them all at once. Runs when a configuration is loaded and allocates freely; no I/O, no clock.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/catalog.h"

namespace hyperion::catalog {

// For each model the deployment that its bare name stands for, within one provider, one family or
// all.
using Scope = std::vector<uint16_t>;

enum class Step { dated_ids, moving_names, plain_ids, aliases, series };

using DeploymentsByName = std::map<std::string, uint16_t, std::less<>>;

std::string quoted(std::string_view text);

// What no model, deployment or alias may be called.
inline constexpr std::string_view reserved_name = "auto";
inline constexpr std::string_view reserved_because =
    "auto is the gateway's own name for a choice of model";

class Builder {
 public:
  Builder(Draft& draft, std::vector<Problem>& problems) : draft_(draft), problems_(problems) {}

  Catalog finish() {
    take_models();
    take_providers();
    make_deployments();
    name_catalogue(catalogue_names_);
    for (auto& placed : draft_.deployments) take_deployment(placed);
    check_environments();
    name_everything();
    connect_deployments();
    return std::move(catalog_);
  }

 private:
  // One environment as names see it: its deployments, then its aliases, then those of the conf.
  struct Aliases {
    const EnvironmentDraft* environment = nullptr;
    const DeploymentsByName* deployments = nullptr;
  };

  void problem(Origin origin, std::string key, std::string message) {
    problems_.push_back({origin, std::move(key), std::move(message)});
  }

  void take_models();
  void check_reserved(const Model& model, Origin origin);
  void take_providers();
  uint16_t add_deployment(std::string id, uint16_t model, uint16_t provider,
                          std::string upstream_model);
  void make_deployments();
  void take_deployment(Placed<DeploymentDraft>& placed);
  void check_environments();
  Scope scope_of_all() const;
  Scope scope_of_provider(uint16_t provider) const;
  Scope scope_of_family(std::string_view family) const;
  void name_step(const Scope& scope, Step step, Match match, std::string_view prefix,
                 NameTable& table) const;
  void name_scope(const Scope& scope, std::string_view prefix, NameTable& table) const;
  void name_platform(const Provider& provider, NameTable& table) const;
  void name_catalogue(NameTable& table) const;
  void name_successors(NameTable& table) const;
  void name_unavailable(NameTable& table) const;
  void name_everything();
  const AliasDraft* find_alias(const Aliases& aliases, std::string_view name) const;
  uint16_t resolve_alias(const Aliases& aliases, const Placed<AliasDraft>& alias,
                         const std::string& key);
  uint16_t find_target(const Aliases& aliases, std::string_view name);
  uint16_t open_target(std::string_view name);
  void name_aliases(const Aliases& aliases, const std::vector<Placed<AliasDraft>>& list,
                    const std::string& key, Match match, NameTable* table);
  std::string did_you_mean(std::string_view name) const;
  void connect_deployments();

  Draft& draft_;
  std::vector<Problem>& problems_;
  Catalog catalog_;
  // Of each deployment, as numbers: pointers are set when the vectors have stopped growing.
  std::vector<uint16_t> model_of_;
  std::vector<uint16_t> provider_of_;
  NameTable catalogue_names_;
  // Deployments by name, for each environment that has any ("" has those of all environments).
  std::map<std::string, DeploymentsByName> by_environment_;
};

}  // namespace hyperion::catalog
