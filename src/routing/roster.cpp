#include "routing/roster.h"

#include <algorithm>

#include "routing/expected_tokens.h"

namespace hyperion::routing {

RosterRow row_of(const catalog::Deployment& deployment) {
  const catalog::Model& model = *deployment.model;
  RosterRow row;
  std::copy(model.quality.logits.begin(), model.quality.logits.end(), row.logits.begin());
  row.quality_known = model.quality.known;
  row.deployment = &deployment;
  row.index = deployment.index;
  row.provider = deployment.provider->index;
  row.usable = deployment.provider->usable;
  row.retired = model.status == catalog::Status::retired;
  row.max_completion_tokens_only = model.max_completion_tokens_only;
  row.context_tokens = model.context_tokens;
  row.input_tokens_max = model.input_tokens_max != 0 ? model.input_tokens_max : UINT32_MAX;
  row.output_tokens_max = model.output_tokens_max;
  row.thinking_tokens = static_cast<uint16_t>(thinking_tokens(model, Wants{}));
  const catalog::Prices& prices = model.prices;
  const int64_t cached = prices.cached_input < 0 ? prices.input : prices.cached_input;
  const auto small = [](int64_t price) { return price >= 0 && price < RosterRow::price_small; };
  row.plain_price =
      model.price_tiers.empty() && small(prices.input) && small(cached) && small(prices.output);
  if (!row.plain_price) return row;
  row.price_input = static_cast<uint32_t>(prices.input);
  row.price_cached = static_cast<uint32_t>(cached);
  row.price_output = static_cast<uint32_t>(prices.output);
  return row;
}

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
    if (why_not(deployment, previews) == Exclusion::none) candidates_.push_back(row_of(deployment));
  }
}

}  // namespace hyperion::routing
