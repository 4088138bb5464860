#include "gateway/exchange.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <utility>

#include "base/planted.h"
#include "dialect/anthropic.h"
#include "gateway/attempt.h"
#include "gateway/authentication.h"
#include "gateway/client.h"
#include "gateway/gateway.h"

namespace hyperion::gateway {
namespace {

// Bodies up to this size leave the scanner's memory as it is.
constexpr size_t scanner_kept_bytes = 1024 * 1024;
// Room for a body before its first byte has come.
constexpr size_t body_reserved_bytes = 256 * 1024;

}  // namespace

Exchange::Exchange(Gateway& gateway, Client& client)
    : gateway_(gateway),
      client_(&client),
      snapshot_(gateway.snapshot()),
      body_(gateway.runtime().blocks, gateway.bodies()),
      canonical_arena_(gateway.runtime().blocks,
                       snapshot_->config->settings.limits.translated_request_max_bytes),
      joined_body_(gateway.runtime().blocks, gateway.bodies()) {
  gateway.next_request_id(record_.request_id);
  record_.begin = gateway.runtime().clock.now();
  record_.phase = Phase::head;
  relay_.prepare(&client.stream(), false, 1);
}

void Exchange::on_head(const http::RequestHead& head) {
  head_ = &head;
  record_.head_done = gateway_.runtime().clock.now();
  record_.method = name_of(head.method);
  record_.phase = Phase::decide;
  relay_.prepare(&client_->stream(), head.method == http::Method::head, head.minor_version);
  endpoint_ = find_endpoint(head.path);
  if (head.path == "*") {
    answer_options();
    return;
  }
  if (endpoint_ != nullptr) {
    bool on_admin = client_->side() == Listening::admin_side;
    const config::AdminSettings& admin = snapshot_->config->settings.admin;
    bool here = on_admin ? endpoint_->admin_side : endpoint_->public_side;
    if (!on_admin && endpoint_->work == Work::metrics) here = admin.public_metrics;
    if (!on_admin && (endpoint_->work == Work::live || endpoint_->work == Work::ready))
      here = admin.public_health;
    if (!here) endpoint_ = nullptr;
  }
  if (endpoint_ == nullptr) {
    refuse(make_failure(404, "not_found", {},
                        "There is no such route. See GET /v1/models, POST /v1/chat/completions."),
           Side::client, Phase::head);
    return;
  }
  record_.route = endpoint_->path;
  if (!check_method() || !authenticate() || !check_memory()) return;
  uint64_t limit = body_limit();
  if (head.content_length > limit) {
    refuse(make_failure(413, "request_too_large", {},
                        "The body has %llu bytes; this key may send %llu.",
                        static_cast<unsigned long long>(head.content_length),
                        static_cast<unsigned long long>(limit)),
           Side::client, Phase::head);
    return;
  }
  record_.phase = Phase::body;
  // Not the whole at once: a client that promises much and sends nothing must not hold the memory
  // of others.
  size_t expected = std::min<uint64_t>(head.content_length, body_reserved_bytes);
  if (head.framing == http::Framing::content_length && !body_.reserve(expected)) {
    refuse(make_failure(503, "overloaded", {},
                        "No memory is free for a body of %llu bytes. Try again.",
                        static_cast<unsigned long long>(head.content_length)),
           Side::gateway, Phase::body);
  }
}

bool Exchange::check_method() {
  http::Method method = head_->method;
  if (method == endpoint_->method) return true;
  if (method == http::Method::head && endpoint_->method == http::Method::get) return true;
  if (method == http::Method::options) {
    answer_options();
    return false;
  }
  std::string_view allowed = allowed_methods(*endpoint_);
  refuse(make_failure(405, "method_not_allowed", {}, "This route takes %.*s, not %.*s.",
                      static_cast<int>(allowed.size()), allowed.data(),
                      static_cast<int>(record_.method.size()), record_.method.data()),
         Side::client, Phase::head);
  return false;
}

bool Exchange::authenticate() {
  if (!endpoint_->needs_key || client_->side() == Listening::admin_side) return true;
  key_ = gateway::authenticate(*head_, snapshot_->config->keys);
  if (key_ != nullptr) {
    record_.key_id = key_->id;
    if (snapshot_->config->test_faults && key_->test) {
      forwarded_fault_ = head_->headers.find("x-hyperion-fault");
    }
    return true;
  }
  refuse(
      make_failure(
          401, "invalid_api_key", {},
          "The API key is missing or not valid. Send it as `Authorization: Bearer sk_live_...`."),
      Side::client, Phase::head);
  return false;
}

bool Exchange::check_memory() {
  if (endpoint_->work != Work::proxy || !gateway_.refuses_new_requests()) return true;
  gateway_.counters().requests_refused_overloaded.add();
  Failure failure = make_failure(503, "overloaded", {},
                                 "Hyperion is at its memory limit. Try again in a second.");
  failure.retry_after_ms = 1000;
  refuse(failure, Side::gateway, Phase::head);
  return false;
}

bool Exchange::on_body(std::string_view bytes) {
  if (finished_) return true;
  beyond_limit_ = body_.size() + bytes.size() > body_limit();
  return !beyond_limit_ && body_.append(bytes);
}

// The key's own limit; that of the conf is the parser's matter.
uint64_t Exchange::body_limit() const {
  return key_ != nullptr && key_->body_size_max_bytes != 0 ? key_->body_size_max_bytes : UINT64_MAX;
}

void Exchange::on_complete() {
  if (finished_) return;
  record_.body_done = gateway_.runtime().clock.now();
  record_.request_bytes = body_.size();
  record_.phase = Phase::decide;
  switch (endpoint_->work) {
    case Work::proxy: scan_and_decide(); return;
    case Work::models: answer_models(); return;
    case Work::model: answer_model(); return;
    default: answer_page();
  }
}

void Exchange::on_rejected(const http::Rejection& rejection) {
  Phase phase = head_ == nullptr ? Phase::head : Phase::body;
  if (beyond_limit_) {
    refuse(make_failure(413, "request_too_large", {},
                        "The body is larger than the %llu bytes this key may send.",
                        static_cast<unsigned long long>(body_limit())),
           Side::client, phase);
    return;
  }
  refuse(failure_of(rejection), rejection.status == 503 ? Side::gateway : Side::client, phase);
}

void Exchange::on_request_timeout(bool in_body) {
  refuse(make_failure(408, "request_timeout", {}, "The request's %s did not arrive in time.",
                      in_body ? "body" : "head"),
         Side::client, in_body ? Phase::body : Phase::head);
}

void Exchange::scan_and_decide() {
  json::Scan scan;
  json::ScanError error;
  bool good = gateway_.scanner().scan(body_.view(), snapshot_->config->settings.json, scan, error);
  // Its index is several times the body: what grew for a huge one goes back.
  if (body_.size() > scanner_kept_bytes) gateway_.scanner().shrink();
  if (!good) {
    refuse(failure_of(error), Side::client, Phase::decide);
    return;
  }
  if (!read_model(scan)) return;
  wants_stream_ = scan.stream || endpoint_->stream;
  wants_array_ = endpoint_->stream && !query_has(head_->query, "alt=sse");
  record_.stream = wants_stream_;
  if (scan.options.any) read_options(scan.options);
  if (!resolve_model()) return;
  if (crossing_.kind == Crossing::Kind::passthrough) {
    plan_passthrough(scan);
  } else {
    plan_ = json::plan_upstream_body(body_.view(), scan, {});
    if (crossing_.kind != Crossing::Kind::embeddings && !decode_request()) return;
  }
  if (crossing_.kind == Crossing::Kind::estimate) {
    answer_token_estimate();
    return;
  }
  record_.translated = crossing_.translates();
  start_attempt(false);
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
void Exchange::plan_passthrough(const json::Scan& scan) {
  std::string_view name = resolution_.upstream_model;
  std::string_view replacement;
  if (name != record_.requested_model) {
    replacement = resolution_.upstream_model_json;
    if (replacement.empty()) {
      // An open deployment: the name is plain enough to stand between quotes as it is.
      replacement = client_->arena().copy("\"");
      Arena& arena = client_->arena();
      if (!arena.append(replacement, name) || !arena.append(replacement, "\"")) replacement = {};
    }
  }
  plan_ = json::plan_upstream_body(body_.view(), scan, replacement,
                                   resolution_.deployment->provider->native_models_list);
}

std::string_view Exchange::client_body() const {
  return plan_.count == 1 ? plan_.pieces[0] : joined_body_.view();
}

// Once for all attempts. What cannot be read is the client's fault, in the client's words.
bool Exchange::decode_request() {
  dialect::RequestProblem problem;
  bool room = true;
  for (size_t i = 0; plan_.count > 1 && i < plan_.count; ++i)
    room = room && joined_body_.append(plan_.pieces[i]);
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
    refuse(make_failure(413, "request_too_large", {},
                        "The request has more messages, parts and tools than can be translated: "
                        "they take more than %llu bytes.",
                        static_cast<unsigned long long>(most)),
           Side::client, Phase::decide);
    return false;
  }
  refuse(failure_of(problem), problem.status == 503 ? Side::gateway : Side::client, Phase::decide);
  return false;
}

// What this version does with Hyperion's own options: deadlines hold, the rest is named as dropped,
// never silently ignored.
void Exchange::read_options(const json::Options& options) {
  timeouts_ = {options.connect_ms, options.first_token_ms, options.idle_ms, options.total_ms};
  const std::pair<bool, std::string_view> given[] = {{options.smart_routing, "smart_routing"},
                                                     {options.fallbacks.present(), "fallbacks"},
                                                     {options.max_cost_usd >= 0, "max_cost"},
                                                     {options.providers.present(), "providers"},
                                                     {options.explain, "explain"},
                                                     {options.bypass_cache, "bypass_cache"},
                                                     {options.cache_ttl_s != 0, "cache_ttl"},
                                                     {options.tags.present(), "tags"}};
  for (const auto& [present, name] : given) {
    if (!present) continue;
    if (!dropped_options_.empty() && !client_->arena().append(dropped_options_, ", ")) return;
    if (!client_->arena().append(dropped_options_, name)) return;
  }
}

bool Exchange::resolve_model() {
  const catalog::Catalog& catalog = snapshot_->config->catalog;
  std::string_view name = record_.requested_model;
  resolution_ = catalog.resolve(name);
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
  if (proxied && !deployment.provider->usable) {
    refuse(make_failure(502, "upstream_credentials", {}, "Provider %s cannot be used: %s.",
                        deployment.provider->name.c_str(),
                        deployment.provider->unusable_because.c_str()),
           Side::gateway, Phase::decide);
    return false;
  }
  record_.provider = deployment.provider->name;
  record_.model = resolution_.upstream_model;
  return true;
}

void Exchange::start_attempt(bool fresh) {
  record_.phase = Phase::connect;
  attempt_ = gateway_.create_attempt(*this);
  if (attempt_ == nullptr) {
    gateway_.counters().requests_refused_overloaded.add();
    Failure failure = make_failure(503, "overloaded", {},
                                   "Too many requests are in flight. Try again in a second.");
    failure.retry_after_ms = 1000;
    refuse(failure, Side::gateway, Phase::connect);
    return;
  }
  ++attempts_alive_;
  dialect::RequestProblem problem;
  if (!attempt_->prepare(problem)) {
    Attempt* attempt = attempt_;
    attempt_ = nullptr;
    refuse(failure_of(problem), problem.status == 503 ? Side::gateway : Side::client,
           Phase::decide);
    on_attempt_joined(attempt);
    return;
  }
  ++record_.attempts;
  attempt_->start(fresh);
}

void Exchange::on_attempt_answered() {
  attempt_ = nullptr;
  if (finished_) return;
  if (!relay_.end()) {
    finish(Outcome::failed, true);
    return;
  }
  finish(Outcome::answered, false);
}

void Exchange::on_attempt_failed(Error error, bool committed, const dialect::ProviderError* said) {
  attempt_ = nullptr;
  if (finished_) return;
  record_.side = error.side;
  record_.phase = error.phase;
  record_.error = error.code;
  if (committed) {
    // What the client has cannot be taken back: it must see that it is not the whole.
    gateway_.counters().streams_cut.add();
    finish(Outcome::failed, true);
    return;
  }
  // A connection that had been idle may have died before it carried anything: one more try, on a
  // new one.
  if (error.retry_safe && error.reused && !retried_) {
    retried_ = true;
    record_.side = Side::none;
    record_.error = ErrorCode::none;
    gateway_.counters().retries.add();
    start_attempt(true);
    return;
  }
  Failure failure = said != nullptr ? failure_of(*said, record_.provider)
                                    : failure_of_upstream(error, record_.provider);
  failure.should_retry_no |= retried_;
  bool sent = answer_failure(failure);
  finish(Outcome::failed, !sent);
}

bool Exchange::waits_for_client() const {
  return attempt_ != nullptr && attempt_->waits_for_client();
}

void Exchange::on_client_progress() {
  if (attempt_ != nullptr) attempt_->on_client_progress();
}

void Exchange::on_client_gone(Error error) {
  if (finished_) return;
  client_ = nullptr;
  record_.side = error.side == Side::none ? Side::client : error.side;
  record_.error = error.code;
  if (attempt_ != nullptr && !HYPERION_PLANTED(upstream_not_closed)) {
    Attempt* attempt = attempt_;
    record_.phase = attempt->phase();
    attempt_ = nullptr;
    attempt->cancel();
  }
  finish(Outcome::abandoned, true);
}

void Exchange::on_attempt_joined(Attempt* attempt) {
  HYPERION_ASSERT(attempts_alive_ > 0);
  if (attempt_ == attempt) attempt_ = nullptr;
  --attempts_alive_;
  gateway_.release(attempt);
  release_if_joined();
}

size_t Exchange::client_backlog_bytes() const {
  return client_ != nullptr ? client_->stream().output().size_bytes() : 0;
}

void Exchange::flush_answer() {
  if (client_ != nullptr) client_->flush();
}

// The one end of every exchange: counters, the log line, and the client goes on.
void Exchange::finish(Outcome outcome, bool broken) {
  HYPERION_ASSERT(!finished_);
  finished_ = true;
  record_.outcome = outcome;
  record_.end = gateway_.runtime().clock.precise_now();
  if (outcome == Outcome::answered) record_.phase = Phase::done;
  gateway_.log(record_);
  Client* client = client_;
  client_ = nullptr;
  if (client != nullptr && broken && relay_.close_delimited()) {
    client->exchange_over();
    client->reset();
  } else if (client != nullptr) {
    client->flush();
    client->finish_exchange((broken && !HYPERION_PLANTED(keep_alive_after_cut)) ||
                            !relay_.keep_alive());
  }
  release_if_joined();
}

void Exchange::release_if_joined() {
  if (joined() && !HYPERION_PLANTED(body_leak)) gateway_.release(this);
}

}  // namespace hyperion::gateway
