// What becomes of a request once its body is there: which model, at which provider, in which way.
#include <cstdio>
#include <cstring>
#include <utility>

#include "base/planted.h"
#include "dialect/anthropic.h"
#include "gateway/client.h"
#include "gateway/discovery.h"
#include "gateway/exchange.h"
#include "gateway/gateway.h"

namespace hyperion::gateway {
namespace {

// Bodies up to this size leave the scanner's memory as it is.
constexpr size_t scanner_kept_bytes = 1024 * 1024;

}  // namespace

void Exchange::scan_and_decide() {
  json::ScanError error;
  const json::Limits& limits = snapshot_->config->settings.json;
  const bool good = gateway_.scanner_for(this).scan(body_.view(), limits, scan_, error);
  if (!good) refuse(failure_of(error), Side::client, Phase::decide);
  const bool decided = good && decide();
  // Its index is several times the body: what grew for a huge one goes back.
  if (body_.size() > scanner_kept_bytes) gateway_.scanner().shrink();
  if (!decided) return;
  if (endpoint_->work == Work::explain) {
    answer_explanation();
  } else {
    begin_chain();
  }
}

// Everything that needs the scanner's index. False: the request is refused.
bool Exchange::decide() {
  if (!read_model(scan_)) return false;
  wants_stream_ = scan_.stream || endpoint_->stream;
  wants_array_ = endpoint_->stream && !query_has(head_->query, "alt=sse");
  record_.stream = wants_stream_;
  if (scan_.options.any) read_options(scan_.options);
  return choose_model(scan_) && make_chain();
}

// What a candidate is reached with that takes no bytes of the client's: read once for all attempts.
// False: `failure` says why not.
bool Exchange::read_for(const Crossing& crossing, Failure& failure) {
  if (crossing.kind == Crossing::Kind::passthrough || canonical_ != nullptr) return true;
  own_body_ = json::plan_upstream_body(body_.view(), scan_, {});
  return crossing.kind == Crossing::Kind::embeddings || decode_request(failure);
}

// From the body, or from the path where the dialect has it there.
bool Exchange::read_model(const json::Scan& scan) {
  // The scanner's text lives until its next use; the name is wanted until the log line.
  record_.requested_model =
      endpoint_->prefix ? decoded_name(name_in_path(*endpoint_, head_->path), client_->arena())
                        : client_->arena().copy(scan.model);
  const bool given = endpoint_->prefix || scan[json::Key::model].present();
  if (given && !record_.requested_model.empty()) return true;
  refuse(make_failure(
             400, "invalid_request", "model",
             "`model`: expected the name of a model, a string of at most 16 KB that is not empty."),
         Side::client, Phase::decide);
  return false;
}

// The client's bytes, but for a new name of the model and the keys of our own.
json::SplicePlan Exchange::plan_passthrough(const catalog::Resolution& resolution) {
  std::string_view name = resolution.upstream_model;
  if (HYPERION_PLANTED(primary_body_kept)) name = resolution_.upstream_model;
  std::string_view replacement;
  if (name != record_.requested_model) {
    replacement = resolution.upstream_model_json;
    if (HYPERION_PLANTED(primary_body_kept)) replacement = resolution_.upstream_model_json;
    if (replacement.empty()) {
      // An open deployment: the name is plain enough to stand between quotes as it is.
      replacement = client_->arena().copy("\"");
      Arena& arena = client_->arena();
      if (!arena.append(replacement, name) || !arena.append(replacement, "\"")) replacement = {};
    }
  }
  return json::plan_upstream_body(body_.view(), scan_, replacement,
                                  resolution.deployment->provider->native_models_list);
}

std::string_view Exchange::client_body() const {
  return own_body_.count == 1 ? own_body_.pieces[0] : joined_body_.view();
}

// Once for all attempts. What cannot be read is the client's fault, in the client's words.
bool Exchange::decode_request(Failure& failure) {
  dialect::RequestProblem problem;
  bool room = true;
  joined_body_.clear();
  for (size_t i = 0; own_body_.count > 1 && i < own_body_.count; ++i)
    room = room && joined_body_.append(own_body_.pieces[i]);
  canonical_ = room ? dialect::make<dialect::Request>(canonical_arena_) : nullptr;
  const dialect::Language& language = dialect::language_of(endpoint_->wire);
  const bool counts = endpoint_->wire == dialect::Wire::anthropic &&
                      endpoint_->operation == Operation::count_tokens;
  auto* decode = counts ? dialect::anthropic::decode_count_request : language.decode_request;
  bool good = canonical_ != nullptr &&
              decode(client_body(), {canonical_arena_, gateway_.scratch()}, *canonical_, problem);
  gateway_.drop_scratch();
  if (good) {
    canonical_->stream = wants_stream_;
    return true;
  }
  if (!problem) dialect::refuse_for_memory(problem);
  // What the conf does not allow for one request is never granted, however often it is tried.
  const size_t most = snapshot_->config->settings.limits.translated_request_max_bytes;
  if (problem.status == 503 && canonical_arena_.used_bytes() + Block::capacity() > most) {
    failure = make_failure(413, "request_too_large", {},
                           "The request has more messages, parts and tools than can be "
                           "translated: they take more than %llu bytes.",
                           static_cast<unsigned long long>(most));
    return false;
  }
  failure = failure_of(problem);
  canonical_ = nullptr;
  return false;
}

// What this version does with Hyperion's own options: deadlines hold, the rest is named as dropped,
// never silently ignored.
void Exchange::read_options(const json::Options& options) {
  timeouts_ = {options.connect_ms, options.first_token_ms, options.idle_ms, options.total_ms};
  explains_ = options.explain;
  const bool routed =
      Router::route_of(options, record_.requested_model) != routing::Route::passthrough;
  const bool chat = endpoint_->operation == Operation::chat;
  if (chat) max_cost_nano_usd_ = Router::nano_usd(options.max_cost_usd);
  const std::pair<bool, std::string_view> given[] = {
      {options.max_cost_usd >= 0 && !chat, "max_cost"},
      {options.providers.present() && record_.requested_model != automatic_model, "providers"},
      {options.bypass_cache, "bypass_cache"},
      {options.cache_ttl_s != 0, "cache_ttl"},
      {options.tags.present() && !routed, "tags"}};
  for (const auto& [present, name] : given) {
    if (!present) continue;
    if (!dropped_options_.empty() && !client_->arena().append(dropped_options_, ", ")) return;
    if (!client_->arena().append(dropped_options_, name)) return;
  }
}

bool Exchange::resolve_model() { return resolve_name() && accept_deployment(); }

// What the name stands for, in this environment.
bool Exchange::resolve_name() {
  const catalog::Catalog& catalog = snapshot_->config->catalog;
  std::string_view name = record_.requested_model;
  resolution_ = catalog.resolve(name);
  if (may_be_discovered(resolution_)) {
    const catalog::Resolution discovered = find_discovered(*snapshot_, name);
    if (discovered.found()) resolution_ = discovered;
  }
  int size = static_cast<int>(name.size() < 100 ? name.size() : 100);
  using Found = catalog::Resolution::Outcome;
  if (resolution_.outcome == Found::retired) {
    const std::string& successor = resolution_.model->successor;
    refuse(make_failure(404, "model_not_found", "model", "The model `%.*s` is retired%s%s.", size,
                        name.data(), successor.empty() ? "" : "; its successor is ",
                        successor.c_str()),
           Side::client, Phase::decide);
    return false;
  }
  if (resolution_.outcome == Found::unserved) {
    refuse(make_failure(404, "model_not_found", "model",
                        "The model `%.*s` is known, but no provider of this gateway serves it. See "
                        "GET /v1/models.",
                        size, name.data()),
           Side::client, Phase::decide);
    return false;
  }
  if (!resolution_.found()) {
    catalog::NearestNames near = catalog.nearest_names(name, key_->allowed);
    Failure failure = make_failure(404, "model_not_found", "model",
                                   "The model `%.*s` is not known.", size, name.data());
    size_t at = std::strlen(failure.message);
    const char* separator = " Did you mean: ";
    for (std::string_view candidate : near) {
      if (candidate.empty() || candidate.size() + 20 > sizeof(failure.message) - at) continue;
      at += static_cast<size_t>(
          std::snprintf(failure.message + at, sizeof(failure.message) - at, "%s%.*s", separator,
                        static_cast<int>(candidate.size()), candidate.data()));
      separator = ", ";
    }
    refuse(failure, Side::client, Phase::decide);
    return false;
  }
  return true;
}

// Whether this key may use the deployment, and how the request gets there.
bool Exchange::accept_deployment() {
  const std::string_view name = record_.requested_model;
  const int size = static_cast<int>(name.size() < 100 ? name.size() : 100);
  const catalog::Deployment& deployment = *resolution_.deployment;
  if (!key_->allowed.allows(deployment)) {
    refuse(make_failure(403, "model_not_allowed", "model", "This key may not use the model `%.*s`.",
                        size, name.data()),
           Side::client, Phase::decide);
    return false;
  }
  bool proxied = endpoint_->work == Work::proxy;
  if (proxied) crossing_ = crossing_to(*endpoint_, deployment);
  if (proxied && crossing_.kind == Crossing::Kind::impossible) {
    refuse(make_failure(400, "unsupported_parameter", "model",
                        "The model `%.*s` is not served on %.*s by provider %s.", size, name.data(),
                        static_cast<int>(endpoint_->path.size()), endpoint_->path.data(),
                        deployment.provider->name.c_str()),
           Side::client, Phase::decide);
    return false;
  }
  record_.provider = deployment.provider->name;
  record_.model = resolution_.upstream_model;
  return true;
}

}  // namespace hyperion::gateway
