#include "routing/roster.h"

namespace hyperion::routing {

Exclusion Roster::why_not(const catalog::Deployment& deployment, bool previews) {
  const catalog::Model* model = deployment.model;
  if (!deployment.in_environment) return Exclusion::other_environment;
  if (model == nullptr || !model->quality.known) return Exclusion::quality_unknown;
  if (model->prices.input < 0 || model->prices.output < 0) return Exclusion::unpriced;
  if (model->status == catalog::Status::retired) return Exclusion::retired;
  if (model->status != catalog::Status::active && !previews) return Exclusion::retired;
  const bool talks =
      model->serves(catalog::Endpoint::chat) ||
      (model->serves(catalog::Endpoint::responses) && deployment.provider->speaks_responses);
  return talks ? Exclusion::none : Exclusion::endpoint;
}

Roster::Roster(const catalog::Catalog& catalog, bool previews) {
  for (const catalog::Deployment& deployment : catalog.deployments()) {
    if (candidates_.size() == size_max) return;
    if (why_not(deployment, previews) == Exclusion::none) candidates_.push_back(&deployment);
  }
}

}  // namespace hyperion::routing
