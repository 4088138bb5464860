// Who takes over when a candidate fails before anything was said: the model that smart routing was
// asked for, the next of auto, then the request's own fallbacks.
//
// A candidate that lacks what the request needs is left out, and named; what moves the chain is the
// kind of the error, by the table of dialect/provider_error. Nothing here runs after the commit
// point.
#include <cstdio>
#include <cstring>

#include "gateway/client.h"
#include "gateway/exchange.h"
#include "gateway/gateway.h"
#include "json/string_list.h"

namespace hyperion::gateway {
namespace {

using dialect::ErrorKind;

constexpr size_t fallbacks_max = 8;
constexpr size_t name_max_bytes = 512;  // a longer one is no model's

// What an error without words of the provider's stands for.
ErrorKind kind_of(Error error) {
  switch (error.code) {
    case ErrorCode::timed_out: return ErrorKind::timeout;
    case ErrorCode::unauthorised: return ErrorKind::bad_key;
    case ErrorCode::too_many:
      return error.phase == Phase::connect ? ErrorKind::overload : ErrorKind::server;
    case ErrorCode::overloaded:
    case ErrorCode::cancelled: return ErrorKind::none;  // our own doing
    default: return ErrorKind::server;
  }
}

}  // namespace

bool Exchange::add_candidate(const catalog::Deployment& deployment) {
  for (size_t i = 0; i < chain_.count; ++i) {
    if (chain_.candidates[i] == &deployment) return true;
  }
  if (chain_.count == Chain::candidates_max) return false;
  chain_.candidates[chain_.count++] = &deployment;
  return true;
}

// The chain of this request; of most, one candidate. False: a fallback is refused.
bool Exchange::make_chain() {
  chain_ = {};
  if (resolution_.deployment->is_open()) {
    // Its name is the client's: there is nothing to come back to.
    chain_.candidates[chain_.count++] = resolution_.deployment;
  } else {
    add_candidate(*resolution_.deployment);
  }
  if (record_.routed != routing::Route::passthrough) {
    const routing::Decision& decision = gateway_.router().decision();
    for (uint32_t i = 0; i < decision.next_count; ++i) add_candidate(*decision.next[i]);
  }
  const bool native =
      scan_.options.fallbacks_from_models && resolution_.deployment->provider->native_models_list;
  return !scan_.options.fallbacks.present() || native || add_fallbacks();
}

bool Exchange::add_fallbacks() {
  // What each must be able to do; a routed request was judged before.
  const bool chat = endpoint_->operation == Operation::chat;
  if (chat && record_.routed == routing::Route::passthrough && !explains_ && !route(scan_))
    return false;
  char scratch[name_max_bytes];
  json::StringList names(body_.view(), scan_.options.fallbacks, scratch, sizeof(scratch));
  size_t number = 0;
  for (std::string_view name; names.next(name); ++number) {
    if (number == fallbacks_max) {
      refuse(make_failure(400, "invalid_request", "hyperion.fallbacks",
                          "`hyperion.fallbacks`: expected at most %zu models.", fallbacks_max),
             Side::client, Phase::decide);
      return false;
    }
    if (!add_fallback(name, number, chat)) return false;
  }
  return true;
}

bool Exchange::add_fallback(std::string_view name, size_t number, bool judged) {
  char param[64];
  std::snprintf(param, sizeof(param), "hyperion.fallbacks[%zu]", number);
  const int size = static_cast<int>(std::min<size_t>(name.size(), 100));
  const catalog::Resolution found = snapshot_->config->catalog.resolve(name);
  if (!found.found() || found.deployment->is_open()) {
    refuse(make_failure(404, "model_not_found", param,
                        "`%s`: the model `%.*s` is not known, retired, or served by no provider "
                        "of this gateway.",
                        param, size, name.data()),
           Side::client, Phase::decide);
    return false;
  }
  const catalog::Deployment& deployment = *found.deployment;
  if (!key_->allowed.allows(deployment)) {
    refuse(make_failure(403, "model_not_allowed", param,
                        "`%s`: this key may not use the model `%.*s`.", param, size, name.data()),
           Side::client, Phase::decide);
    return false;
  }
  const Crossing crossing = crossing_to(*endpoint_, deployment);
  bool able = crossing.kind != Crossing::Kind::impossible && deployment.provider->usable;
  if (able && judged && deployment.model != nullptr) {
    const routing::Way way = crossing.kind == Crossing::Kind::passthrough
                                 ? routing::Way::passthrough
                                 : routing::Way::translated;
    able =
        routing::missing_capability(*deployment.model, way, gateway_.router().question().demands) ==
        routing::Exclusion::none;
  }
  if (able) {
    add_candidate(deployment);
    return true;
  }
  // Named, never silently forgotten.
  Arena& arena = client_->arena();
  return (dropped_options_.empty() || arena.append(dropped_options_, ", ")) &&
         arena.append(dropped_options_, arena.copy(param));
}

bool Exchange::may_move_on(ErrorKind kind) const {
  const catalog::Deployment* next = chain_.next();
  if (next == nullptr) return false;
  if (kind == ErrorKind::context_too_long) {
    // Only to a larger window.
    const catalog::Model* now = resolution_.model;
    return now != nullptr && next->model != nullptr &&
           next->model->context_tokens > now->context_tokens;
  }
  return dialect::traits_of(kind).moves_on;
}

// True: the next candidate's attempt has begun, or the exchange has ended.
bool Exchange::try_next(Error error, const dialect::ProviderError* said) {
  ErrorKind kind = said != nullptr ? said->kind : kind_of(error);
  const bool ours = said == nullptr && error.side == Side::gateway && kind != ErrorKind::bad_key;
  if (chain_.count > 1) {
    Arena& arena = client_->arena();
    const std::string_view name = dialect::name_of(kind);
    (void)((tried_.empty() || arena.append(tried_, "; ")) &&
           arena.append(tried_, resolution_.deployment->id) && arena.append(tried_, " (") &&
           arena.append(tried_, name) && arena.append(tried_, ")"));
  }
  while (!ours && may_move_on(kind)) {
    ++chain_.at;
    record_.fallback_index = static_cast<uint32_t>(chain_.at);
    record_.fallback_reason = dialect::name_of(kind).data();
    record_.side = Side::none;
    record_.error = ErrorCode::none;
    record_.error_kind = ErrorKind::none;
    retried_ = false;
    resolution_ = snapshot_->config->catalog.resolution_of(*chain_.candidates[chain_.at],
                                                           catalog::Match::routed);
    crossing_ = crossing_to(*endpoint_, *resolution_.deployment);
    if (crossing_.kind == Crossing::Kind::estimate ||
        crossing_.kind == Crossing::Kind::impossible || !resolution_.deployment->provider->usable)
      continue;
    record_.provider = resolution_.deployment->provider->name;
    record_.model = resolution_.upstream_model;
    gateway_.counters().fallbacks.add();
    if (prepare_candidate()) start_attempt(false);
    return true;
  }
  return false;
}

Failure Exchange::failure_of_all(const Failure& last) const {
  Failure failure = make_failure(
      502, "all_upstreams_failed", {}, "All of %zu candidates failed: %.*s. Try again later.",
      chain_.at + 1, static_cast<int>(std::min<size_t>(tried_.size(), 500)), tried_.data());
  failure.retry_after_ms = last.retry_after_ms;
  return failure;
}

}  // namespace hyperion::gateway
