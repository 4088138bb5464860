// What each name means. The order of insertion is the order of precedence.
#include <algorithm>
#include <map>
#include <set>

#include "catalog/builder.h"

namespace hyperion::catalog {
namespace {

constexpr struct {
  Step step;
  Match match;
} catalogue_steps[] = {
    {Step::dated_ids, Match::dated_id}, {Step::moving_names, Match::moving_name},
    {Step::plain_ids, Match::plain_id}, {Step::aliases, Match::catalog_alias},
    {Step::series, Match::series},
};

// Active before preview before deprecated, then the newer.
bool better(const Model& left, const Model& right) {
  if (left.status != right.status) return left.status < right.status;
  if (left.version != right.version) return left.version > right.version;
  return left.released > right.released;
}

// The names that `step` gives to `model`.
std::vector<std::string_view> names_of(const Model& model, Step step) {
  switch (step) {
    case Step::dated_ids:
      if (!model.moving_name.empty()) return {model.id};
      return {};
    case Step::moving_names:
      if (!model.moving_name.empty()) return {model.moving_name};
      return {};
    case Step::plain_ids:
      if (model.moving_name.empty()) return {model.id};
      return {};
    case Step::aliases: return {model.aliases.begin(), model.aliases.end()};
    case Step::series: return {model.series.begin(), model.series.end()};
  }
  return {};
}

}  // namespace

Scope Builder::scope_of_all() const {
  Scope scope(catalog_.models_.size(), Name::none_index);
  for (size_t i = 0; i < model_of_.size(); ++i) {
    if (model_of_[i] == Name::none_index) continue;
    uint16_t& chosen = scope[model_of_[i]];
    // The conf's order of providers, but one without its key only where there is no other.
    const bool usable = catalog_.providers_[provider_of_[i]].usable;
    if (chosen == Name::none_index ||
        (usable && !catalog_.providers_[provider_of_[chosen]].usable)) {
      chosen = static_cast<uint16_t>(i);
    }
  }
  return scope;
}

Scope Builder::scope_of_provider(uint16_t provider) const {
  Scope scope(catalog_.models_.size(), Name::none_index);
  for (size_t i = 0; i < model_of_.size(); ++i) {
    if (model_of_[i] != Name::none_index && provider_of_[i] == provider) {
      scope[model_of_[i]] = static_cast<uint16_t>(i);
    }
  }
  return scope;
}

Scope Builder::scope_of_family(std::string_view family) const {
  Scope scope = scope_of_all();
  for (size_t i = 0; i < scope.size(); ++i) {
    if (catalog_.models_[i].family != family) scope[i] = Name::none_index;
  }
  return scope;
}

void Builder::name_step(const Scope& scope, Step step, Match match, std::string_view prefix,
                        NameTable& table) const {
  std::map<std::string_view, uint16_t> best;
  for (size_t i = 0; i < scope.size(); ++i) {
    if (scope[i] == Name::none_index) continue;
    for (std::string_view name : names_of(catalog_.models_[i], step)) {
      const auto [place, added] = best.try_emplace(name, static_cast<uint16_t>(i));
      if (!added && better(catalog_.models_[i], catalog_.models_[place->second])) {
        place->second = static_cast<uint16_t>(i);
      }
    }
  }
  for (const auto& [name, model] : best) {
    table.insert(std::string(prefix) + std::string(name), match, scope[model], model);
  }
}

// A platform's own names ("openrouter/anthropic/claude-opus-5") are known too.
void Builder::name_platform(const Provider& provider, NameTable& table) const {
  if (provider.platform.empty()) return;
  for (size_t i = 0; i < model_of_.size(); ++i) {
    const Deployment& deployment = catalog_.deployments_[i];
    if (provider_of_[i] != provider.index || deployment.is_open()) continue;
    table.insert(provider.name + "/" + deployment.upstream_model, Match::provider_model,
                 static_cast<uint16_t>(i), model_of_[i]);
  }
}

void Builder::name_scope(const Scope& scope, std::string_view prefix, NameTable& table) const {
  for (const auto& [step, match] : catalogue_steps) {
    name_step(scope, step, Match::provider_model, prefix, table);
  }
}

// All names that come from the catalogue rather than from the conf, strongest first.
void Builder::name_catalogue(NameTable& table) const {
  const Scope all = scope_of_all();
  for (const auto& [step, match] : catalogue_steps) {
    if (step != Step::series) name_step(all, step, match, "", table);
  }
  for (const Provider& provider : catalog_.providers_) {
    name_scope(scope_of_provider(provider.index), provider.name + "/", table);
    name_platform(provider, table);
  }
  std::set<std::string_view> families;
  for (const Model& model : catalog_.models_) families.insert(model.family);
  for (std::string_view family : families) {
    name_scope(scope_of_family(family), std::string(family) + "/", table);
  }
  name_step(all, Step::series, Match::series, "", table);
  if (draft_.use_successors) name_successors(table);
  name_unavailable(table);
}

void Builder::name_successors(NameTable& table) const {
  for (const Model& model : catalog_.models_) {
    if (model.status != Status::retired || model.successor.empty()) continue;
    const Name* target = table.find(model.successor);
    if (target == nullptr || target->deployment == Name::none_index) continue;
    const Name row = *target;
    const auto insert = [&](std::string_view name) {
      table.insert(name, Match::successor, row.deployment, row.model);
      table.insert(model.family + "/" + std::string(name), Match::successor, row.deployment,
                   row.model);
    };
    insert(model.id);
    if (!model.moving_name.empty()) insert(model.moving_name);
    for (const std::string& alias : model.aliases) insert(alias);
  }
}

// Names of models that are retired or that no provider serves: the 404 can say so.
void Builder::name_unavailable(NameTable& table) const {
  for (size_t i = 0; i < catalog_.models_.size(); ++i) {
    const Model& model = catalog_.models_[i];
    for (const auto& [step, match] : catalogue_steps) {
      for (std::string_view name : names_of(model, step)) {
        const uint16_t index = static_cast<uint16_t>(i);
        table.insert(name, match, Name::none_index, index);
        table.insert(model.family + "/" + std::string(name), Match::provider_model,
                     Name::none_index, index);
      }
    }
  }
}

const AliasDraft* Builder::find_alias(const Aliases& aliases, std::string_view name) const {
  const auto search = [&](const std::vector<Placed<AliasDraft>>& list) -> const AliasDraft* {
    for (const auto& placed : list) {
      if (placed.value.name == name) return &placed.value;
    }
    return nullptr;
  };
  const AliasDraft* found = nullptr;
  if (aliases.environment != nullptr) found = search(aliases.environment->aliases);
  return found != nullptr ? found : search(draft_.aliases);
}

// A target such as "local/any-name" at a provider that takes unknown models gets its own
// deployment.
uint16_t Builder::open_target(std::string_view name) {
  for (uint16_t index : catalog_.open_deployments_) {
    const Provider& provider = catalog_.providers_[provider_of_[index]];
    const std::string prefix = provider.name + "/";
    if (!provider.passthrough_unknown_models) continue;
    if (!name.starts_with(prefix) || !is_model_name(name.substr(prefix.size()))) continue;
    return add_deployment(std::string(name), Name::none_index, provider.index,
                          std::string(name.substr(prefix.size())));
  }
  return Name::none_index;
}

uint16_t Builder::find_target(const Aliases& aliases, std::string_view name) {
  const auto deployment = aliases.deployments->find(name);
  if (deployment != aliases.deployments->end()) return deployment->second;
  const Name* row = catalogue_names_.find(name);
  if (row != nullptr && row->deployment != Name::none_index) return row->deployment;
  return open_target(name);
}

uint16_t Builder::resolve_alias(const Aliases& aliases, const Placed<AliasDraft>& alias,
                                const std::string& key) {
  std::string path = alias.value.name;
  std::string_view target = alias.value.target;
  std::set<std::string_view> seen = {alias.value.name};
  while (!aliases.deployments->contains(target)) {
    const AliasDraft* next = find_alias(aliases, target);
    if (next == nullptr) break;
    path.append(" -> ").append(target);
    if (!seen.insert(target).second) {
      problem(alias.origin, key, "leads back to itself: " + path);
      return Name::none_index;
    }
    target = next->target;
  }
  const uint16_t index = find_target(aliases, target);
  if (index != Name::none_index) return index;
  const Name* row = catalogue_names_.find(target);
  if (row == nullptr) {
    problem(alias.origin, key, "there is no model " + quoted(target) + did_you_mean(target));
  } else if (catalog_.models_[row->model].status == Status::retired) {
    const std::string& successor = catalog_.models_[row->model].successor;
    problem(alias.origin, key,
            quoted(target) + " is retired" +
                (successor.empty() ? "" : ": its successor is " + quoted(successor)));
  } else {
    problem(alias.origin, key,
            "no provider of this file serves " + quoted(target) + " (family " +
                catalog_.models_[row->model].family + ")");
  }
  return Name::none_index;
}

void Builder::name_aliases(const Aliases& aliases, const std::vector<Placed<AliasDraft>>& list,
                           const std::string& key, Match match, NameTable* table) {
  for (const auto& alias : list) {
    const std::string& name = alias.value.name;
    std::string full_key = key;
    full_key.append(".").append(name);
    if (name == reserved_name) {
      problem(alias.origin, full_key, std::string(reserved_because));
      continue;
    }
    if (aliases.deployments->contains(name)) {
      problem(alias.origin, full_key, "is also the name of a deployment, which would win");
      continue;
    }
    const uint16_t index = resolve_alias(aliases, alias, full_key);
    if (table != nullptr && index != Name::none_index) {
      table->insert(name, match, index, model_of_[index]);
    }
  }
}

// The order of this function is the contract's order of resolution.
void Builder::name_everything() {
  const auto deployments_of = [&](const std::string& environment) {
    const auto found = by_environment_.find(environment);
    return found != by_environment_.end() ? &found->second : &by_environment_[""];
  };
  Aliases active;
  active.deployments = deployments_of(draft_.environment);
  NameTable& table = catalog_.table_;
  for (const auto& [name, index] : *active.deployments) {
    if (index == Name::none_index) continue;
    table.insert(name, Match::deployment, index, model_of_[index]);
  }
  for (const auto& placed : draft_.environments) {
    const EnvironmentDraft& environment = placed.value;
    const bool chosen = environment.name == draft_.environment;
    if (chosen) active.environment = &environment;
    const Aliases own{&environment, deployments_of(environment.name)};
    name_aliases(own, environment.aliases, "environments." + environment.name,
                 Match::environment_alias, chosen ? &table : nullptr);
  }
  name_aliases(active, draft_.aliases, "aliases", Match::alias, &table);
  for (const Name& row : catalogue_names_.names()) {
    table.insert(catalogue_names_.text(row), row.match, row.deployment, row.model);
  }
}

}  // namespace hyperion::catalog
