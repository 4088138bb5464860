#include "gateway/exchange.h"

#include <algorithm>

#include "base/planted.h"
#include "gateway/attempt.h"
#include "gateway/authentication.h"
#include "gateway/client.h"
#include "gateway/gateway.h"

namespace hyperion::gateway {
namespace {

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
      joined_body_(gateway.runtime().blocks, gateway.bodies()),
      explanation_(gateway.runtime().blocks, gateway.bodies()) {
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
  if (!check_method() || !authenticate() || !admit()) return;
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
  if (shed_) return;
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
  if (endpoint_->work == Work::decisions) return authenticate_admin();
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

bool Exchange::on_body(std::string_view bytes) {
  if (finished_ || shed_) return true;
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
  if (shed_) return answer_shed();
  record_.phase = Phase::decide;
  switch (endpoint_->work) {
    case Work::proxy:
    case Work::explain: scan_and_decide(); return;
    case Work::feedback: take_feedback(); return;
    case Work::decisions: answer_decisions(); return;
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

void Exchange::on_attempt_answered(Attempt& attempt) {
  attempt_ = nullptr;
  if (finished_) return;
  take(attempt);
  if (!relay_.end()) {
    finish(Outcome::failed, true);
    return;
  }
  finish(Outcome::answered, false);
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
    take(*attempt);
    record_.error = error.code;
    attempt_ = nullptr;
    attempt->cancel();
  }
  drop_other(hedge_);
  finish(Outcome::abandoned, true);
}

void Exchange::on_attempt_joined(Attempt* attempt) {
  HYPERION_ASSERT(attempts_alive_ > 0);
  if (attempt_ == attempt) attempt_ = nullptr;
  if (hedge_ == attempt) hedge_ = nullptr;
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
  // A second attempt whose request is refused for the first one's sake, or the other way round.
  if (!HYPERION_PLANTED(upstream_not_closed)) drop_other(attempt_);
  if (!HYPERION_PLANTED(hedge_not_cancelled)) drop_other(hedge_);
  finished_ = true;
  if (!HYPERION_PLANTED(wait_outlives_client)) gateway_.runtime().timers.cancel(wait_);
  gateway_.runtime().timers.cancel(late_);
  if (retrying_ && !HYPERION_PLANTED(retry_count_leaked)) gateway_.end_retrying();
  if (hedging_ && !HYPERION_PLANTED(hedge_count_leaked)) gateway_.end_hedging();
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
  // One that was given up counts until its attempts have let go of the provider.
  if (outcome != Outcome::abandoned) place_.release();
  release_if_joined();
}

void Exchange::release_if_joined() {
  if (joined() && !HYPERION_PLANTED(body_leak)) gateway_.release(this);
}

}  // namespace hyperion::gateway
