// The plan of a request: whom its chain holds, in which order, and who of them is fit for it.
//
// First the model that was asked for or chosen, at each of its places, then what routing ranks
// next, then the request's own fallbacks or, where it names none, those of the conf. Names are
// looked up at once; whether a fallback can do what the request needs is judged when its turn
// comes, so that requests that need none pay nothing.
#include <algorithm>
#include <cstdio>

#include "base/planted.h"
#include "catalog/cost.h"
#include "gateway/client.h"
#include "gateway/exchange.h"
#include "gateway/gateway.h"
#include "json/string_list.h"

namespace hyperion::gateway {
namespace {

using resilience::Candidate;
using resilience::Chain;
using resilience::DefaultChain;
using resilience::ModelPlace;

constexpr size_t name_max_bytes = 512;  // a longer one is no model's

// What a request may cost at most there.
int64_t worst_nano_usd(const catalog::Deployment& deployment, const routing::Demands& demands) {
  const catalog::Model* model = deployment.model;
  if (model == nullptr || model->prices.input < 0 || model->prices.output < 0)
    return catalog::cost_unknown;
  constexpr int64_t choices_max = 1024;
  const int64_t given = demands.wants.output_tokens_max;
  const int64_t most = given > 0 ? given : static_cast<int64_t>(model->output_tokens_max);
  const int64_t choices = std::clamp<int64_t>(demands.wants.choices, 1, choices_max);
  return catalog::cost_nano_usd(*model, {demands.input_tokens_max, 0, most * choices});
}

}  // namespace

bool Exchange::add_candidate(const catalog::Deployment& deployment, uint32_t place) {
  if (is_candidate(deployment)) return true;
  Candidate candidate;
  candidate.keys =
      static_cast<uint8_t>(std::min<size_t>(deployment.provider->key_count(), Chain::keys_max));
  candidate.context_tokens = deployment.model != nullptr ? deployment.model->context_tokens : 0;
  candidate.place = place;
  if (max_cost_nano_usd_ >= 0 && demands_) {
    candidate.worst_nano_usd = worst_nano_usd(deployment, *demands_);
    // Of an unknown price nothing can be promised.
    if (candidate.worst_nano_usd < 0) candidate.worst_nano_usd = INT64_MAX;
  }
  candidates_[chain_.count()] = &deployment;
  return chain_.add(candidate);
}

// A model at each of its places, first one drawn by weight, then the others likewise.
bool Exchange::add_model(const catalog::Deployment& deployment, uint32_t place) {
  const DefaultChain* chain = snapshot_->config->chains.find(deployment);
  const bool pinned = place == 0 && resolution_.match == catalog::Match::provider_model;
  if (chain == nullptr || chain->places.empty() || pinned || deployment.is_open())
    return add_candidate(deployment, place);
  std::array<const catalog::Deployment*, Chain::candidates_max> others{};
  std::array<uint64_t, Chain::candidates_max> weights{};
  size_t count = 0;
  for (const ModelPlace& each : chain->places) {
    if (key_->allowed.allows(*each.deployment)) others[count++] = each.deployment;
  }
  // None of them is this key's, but where the name leads is.
  if (count == 0) return add_candidate(deployment, place);
  uint64_t sum = 0;
  for (size_t i = 0; i < count; ++i) {
    for (const ModelPlace& each : chain->places) {
      if (each.deployment == others[i])
        weights[i] = snapshot_->health->weight_of(*others[i], each.weight, {others.data(), count});
    }
    sum += weights[i];
  }
  bool room = true;
  while (sum > 0) {
    uint64_t at = gateway_.runtime().random.below(sum);
    size_t drawn = 0;
    while (at >= weights[drawn]) at -= weights[drawn++];
    room = add_candidate(*others[drawn], place) && room;
    sum -= weights[drawn];
    weights[drawn] = 0;
  }
  return room;
}

// The chain of this request; of most, one candidate. False: the request is refused.
bool Exchange::make_chain() {
  const config::Settings& settings = snapshot_->config->settings;
  const resilience::RetrySettings& retries = settings.resilience.retries;
  const bool chat = endpoint_->operation == Operation::chat;
  const Instant now = gateway_.runtime().clock.now();
  const catalog::Provider& provider = *resolution_.deployment->provider;
  uint64_t total_ms = provider.timeouts.total_ms;
  if (timeouts_.total_ms != 0) total_ms = std::min<uint64_t>(total_ms, timeouts_.total_ms);
  deadline_ = now + total_ms * ns_per_ms;
  const bool routed = record_.routed != routing::Route::passthrough;
  if (chat && (max_cost_nano_usd_ >= 0 || routed || explains_) && !judge()) return false;
  chain_.reset({.attempts_max = retries.attempts_max,
                .wait_max_ms = retries.wait_max_ms,
                .backoff_base_ms = retries.backoff_base_ms,
                .backoff_max_ms = retries.backoff_max_ms,
                .deadline = deadline_,
                .max_cost_nano_usd = max_cost_nano_usd_});
  add_model(*resolution_.deployment, 0);
  uint32_t place = 0;
  if (routed) {
    const routing::Decision& decision = gateway_.router().decision();
    for (uint32_t i = 0; i < decision.next_count; ++i) add_model(*decision.next[i], ++place);
  }
  const bool native = scan_.options.fallbacks_from_models && provider.native_models_list;
  if (scan_.options.fallbacks.present() && !native && !HYPERION_PLANTED(conf_chain_always))
    return add_fallbacks(place);
  const DefaultChain* conf = snapshot_->config->chains.find(*resolution_.deployment);
  if (conf == nullptr) return true;
  for (const catalog::Deployment* fallback : conf->fallbacks) {
    // Of the operator's list what this key may not use is nothing to complain about.
    if (key_->allowed.allows(*fallback)) add_model(*fallback, ++place);
  }
  return true;
}

bool Exchange::add_fallbacks(uint32_t place) {
  fallbacks_behind_ = place;
  const uint32_t most = snapshot_->config->settings.resilience.retries.fallbacks_max;
  char scratch[name_max_bytes];
  json::StringList names(body_.view(), scan_.options.fallbacks, scratch, sizeof(scratch));
  size_t number = 0;
  for (std::string_view name; names.next(name); ++number) {
    if (number == most) {
      refuse(make_failure(400, "invalid_request", "hyperion.fallbacks",
                          "`hyperion.fallbacks`: expected at most %u models.", most),
             Side::client, Phase::decide);
      return false;
    }
    add_fallback(name, number, ++place);
  }
  return true;
}

// One that nobody can be found for, that this key may not use or that stands there already is left
// out, and named by its place: the others may serve.
void Exchange::add_fallback(std::string_view name, size_t number, uint32_t place) {
  const catalog::Resolution found = snapshot_->config->catalog.resolve(name);
  const bool known = found.found() && !found.deployment->is_open();
  std::string_view reason;
  if (!known) {
    reason = found.outcome == catalog::Resolution::Outcome::retired ? "retired" : "unknown";
  } else if (!key_->allowed.allows(*found.deployment)) {
    reason = "not_allowed";
  } else if (is_candidate(*found.deployment)) {
    reason = "duplicate";
  } else {
    add_model(*found.deployment, place);
    return;
  }
  char param[64];
  std::snprintf(param, sizeof(param), "hyperion.fallbacks[%zu]", number);
  note(record_.skipped, client_->arena().copy(param), reason);
  name_dropped(param);
}

bool Exchange::is_candidate(const catalog::Deployment& deployment) const {
  return std::find(candidates_.begin(), candidates_.begin() + chain_.count(), &deployment) !=
         candidates_.begin() + chain_.count();
}

// What the request needs of whoever answers it. Scans the body again where the scanner has served
// others since: when a fallback's turn comes after a failure. False: the request is refused.
bool Exchange::judge() {
  if (demands_) return true;
  if (record_.routed != routing::Route::passthrough || explains_) {
    demands_ = gateway_.router().question().demands;
    return true;
  }
  if (!gateway_.scanner_is_of(this)) {
    json::Scan scan;
    json::ScanError error;
    if (!gateway_.scanner_for(this).scan(body_.view(), snapshot_->config->settings.json, scan,
                                         error)) {
      refuse(failure_of(error), Side::client, Phase::decide);
      return false;
    }
  }
  demands_ = gateway_.router().demands(route_request(scan_));
  return true;
}

// Why a fallback is not fit for the request; empty if it is. What the client or the operator named
// first is their own business.
std::string_view Exchange::unfit(const catalog::Deployment& deployment, const Crossing& crossing) {
  if (crossing.kind == Crossing::Kind::impossible || crossing.kind == Crossing::Kind::estimate)
    return "endpoint";
  if (endpoint_->operation != Operation::chat || deployment.model == nullptr) return {};
  if (!judge()) return "refused";
  const routing::Way way = crossing.kind == Crossing::Kind::passthrough ? routing::Way::passthrough
                                                                        : routing::Way::translated;
  const routing::Exclusion missing = routing::missing_capability(*deployment.model, way, *demands_);
  return missing == routing::Exclusion::none ? std::string_view() : routing::name_of(missing);
}

}  // namespace hyperion::gateway
