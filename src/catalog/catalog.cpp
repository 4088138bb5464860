#include "catalog/catalog.h"

#include <algorithm>

#include "catalog/nearest.h"

namespace hyperion::catalog {
namespace {

Resolution open_resolution(const Deployment& deployment, std::string_view upstream_model) {
  Resolution result;
  result.outcome = Resolution::Outcome::found;
  result.match = Match::open;
  result.deployment = &deployment;
  result.upstream_model = upstream_model;
  return result;
}

}  // namespace

void DeploymentSet::allow(const Deployment& deployment) {
  const size_t word = deployment.index / 64;
  if (word >= bits_.size()) bits_.resize(word + 1);
  bits_[word] |= uint64_t{1} << (deployment.index % 64);
}

Resolution Catalog::resolve(std::string_view name) const {
  Resolution result;
  const Name* row = table_.find(name);
  if (row != nullptr && row->deployment != Name::none_index) {
    return resolution_of(deployments_[row->deployment], row->match);
  }
  if (const Deployment* open = open_deployment_of(name)) {
    return open_resolution(*open, name.substr(open->provider->name.size() + 1));
  }
  if (row == nullptr) return result;
  result.match = row->match;
  result.model = &models_[row->model];
  result.outcome = result.model->status == Status::retired ? Resolution::Outcome::retired
                                                           : Resolution::Outcome::unserved;
  return result;
}

Resolution Catalog::resolution_of(const Deployment& deployment, Match match) const {
  Resolution result;
  result.outcome = Resolution::Outcome::found;
  result.match = match;
  result.deployment = &deployment;
  result.model = deployment.model;
  result.upstream_model = deployment.upstream_model;
  result.upstream_model_json = deployment.upstream_model_json;
  return result;
}

Resolution Catalog::resolve_discovered(const Provider& provider,
                                       std::string_view upstream_model) const {
  const Deployment* open = provider.discovery ? open_deployment_at(provider) : nullptr;
  if (open == nullptr || !is_model_name(upstream_model)) return {};
  return open_resolution(*open, upstream_model);
}

const Deployment* Catalog::open_deployment_at(const Provider& provider) const {
  for (uint16_t index : open_deployments_) {
    if (deployments_[index].provider == &provider) return &deployments_[index];
  }
  return nullptr;
}

const Deployment* Catalog::open_deployment_of(std::string_view name) const {
  const size_t slash = name.find('/');
  if (slash == std::string_view::npos || name.size() > name_size_max_bytes) return nullptr;
  const Provider* named = provider(name.substr(0, slash));
  if (named == nullptr || !named->passthrough_unknown_models) return nullptr;
  return is_model_name(name.substr(slash + 1)) ? open_deployment_at(*named) : nullptr;
}

NearestNames Catalog::nearest_names(std::string_view name, const DeploymentSet& allowed) const {
  NearestNames nearest;
  std::array<size_t, 3> distances{too_far, too_far, too_far};
  const bool qualified = name.find('/') != std::string_view::npos;
  size_t limit = misspelling_edits_max(name);
  for (const Name& row : table_.names()) {
    if (row.deployment == Name::none_index || !allowed.allows(deployments_[row.deployment])) {
      continue;
    }
    if (!qualified && row.match == Match::provider_model) continue;
    const size_t distance = edit_distance(name, text(row), limit);
    // Of equal distances the stronger match, which comes first in the table, stays in front.
    const auto place = std::upper_bound(distances.begin(), distances.end(), distance);
    if (distance == too_far || place == distances.end()) continue;
    const size_t index = static_cast<size_t>(place - distances.begin());
    for (size_t i = distances.size() - 1; i > index; --i) {
      distances[i] = distances[i - 1];
      nearest[i] = nearest[i - 1];
    }
    distances[index] = distance;
    nearest[index] = text(row);
    limit = std::min(limit, distances.back());
  }
  return nearest;
}

const Provider* Catalog::provider(std::string_view name) const {
  for (const Provider& provider : providers_) {
    if (provider.name == name) return &provider;
  }
  return nullptr;
}

void Catalog::allow_prefix(std::string_view prefix, DeploymentSet& set, bool& any) const {
  for (const Deployment& deployment : deployments_) {
    const Model* model = deployment.model;
    bool meant = deployment.id.starts_with(prefix);
    meant = meant || (model != nullptr && model->id.starts_with(prefix));
    if (prefix.ends_with('/')) {
      const std::string_view scope = prefix.substr(0, prefix.size() - 1);
      meant = meant || deployment.provider->name == scope;
      meant = meant || (model != nullptr && model->family == scope);
    }
    if (!meant) continue;
    set.allow(deployment);
    any = true;
  }
}

bool Catalog::allow(std::string_view pattern, DeploymentSet& set) const {
  if (pattern == "*") {
    set.allow_all();
    return true;
  }
  if (pattern.ends_with('*')) {
    bool any = false;
    allow_prefix(pattern.substr(0, pattern.size() - 1), set, any);
    return any;
  }
  const Name* row = table_.find(pattern);
  if (row == nullptr) return false;
  if (row->deployment == Name::none_index) return true;  // known, but nothing that could be used
  const Deployment& named = deployments_[row->deployment];
  set.allow(named);
  // A name of the conf means what the conf says it does; a name of the catalogue means the model at
  // every provider that serves it (`provider/name`: at that one), and a moving name all its
  // releases.
  if (row->match <= Match::alias || named.model == nullptr) return true;
  const bool qualified = row->match == Match::provider_model;
  const std::string_view name = qualified ? pattern.substr(pattern.find('/') + 1) : pattern;
  for (const Deployment& deployment : deployments_) {
    if (deployment.model == nullptr || (qualified && deployment.provider != named.provider))
      continue;
    if (deployment.model == named.model || deployment.model->moving_name == name) {
      set.allow(deployment);
    }
  }
  return true;
}

}  // namespace hyperion::catalog
