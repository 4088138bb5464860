// Whether a request is taken on: the shard's room and the key's, asked at its head.
#include "gateway/exchange.h"
#include "gateway/gateway.h"

namespace hyperion::gateway {
namespace {

using resilience::Resource;

ShedReason reason_of(Resource scarcest) {
  switch (scarcest) {
    case Resource::requests: return ShedReason::requests;
    case Resource::blocks:
    case Resource::bodies: return ShedReason::memory;
    case Resource::loop_lag: return ShedReason::loop_lag;
    case Resource::descriptors: return ShedReason::descriptors;
  }
  return ShedReason::memory;
}

// What there is too little of, for people.
const char* words_of(ShedReason reason) {
  switch (reason) {
    case ShedReason::requests: return "requests in flight";
    case ShedReason::memory: return "memory";
    case ShedReason::loop_lag: return "CPU time";
    case ShedReason::descriptors: return "open sockets";
    case ShedReason::key_concurrency: break;
  }
  return "requests in flight of this key";
}

}  // namespace

// False: answered, the body is not read. Health, metrics and the admin side have no key and are
// always let in.
bool Exchange::admit() {
  if (key_ == nullptr) return true;
  const resilience::Admission& admission = gateway_.look_at_load();
  if (!admission.admits(key_->priority)) {
    gateway_.counters().requests_refused_overloaded.add();
    return shed(reason_of(admission.scarcest()), admission);
  }
  const bool limited = endpoint_->work == Work::proxy && key_->concurrent_requests_max != 0;
  if (limited && !place_.take(*snapshot_->key_slots[key_->index], key_->concurrent_requests_max))
    return shed(ShedReason::key_concurrency, admission);
  place_.enter(gateway_.requests_admitted());
  return true;
}

// A small body, which is on its way or here already, is dropped as it comes, so that the connection
// lives on: another one, with TLS, would cost more than the request. Whoever asks whether to send
// it is told at once.
bool Exchange::shed(ShedReason reason, const resilience::Admission& admission) {
  const bool key_limit = reason == ShedReason::key_concurrency;
  const bool busy = admission.level() == resilience::Level::busy;
  shed_.reason = reason;
  shed_.status = key_limit || busy ? 429 : 503;
  shed_.retry_after_s = admission.retry_after_s(gateway_.runtime().random);
  gateway_.counters()
      .requests_shed[static_cast<size_t>(reason)][static_cast<size_t>(key_->priority)]
      .add();
  const bool drops_body =
      head_->framing == http::Framing::content_length && !head_->expects_continue &&
      head_->content_length <= snapshot_->config->settings.limits.early_answer_drain_max_bytes;
  if (!drops_body) answer_shed();
  return drops_body;
}

void Exchange::answer_shed() {
  const bool key_limit = shed_.reason == ShedReason::key_concurrency;
  const char* words = words_of(shed_.reason);
  Failure failure;
  if (key_limit) {
    failure =
        make_failure(429, "rate_limit_exceeded", {},
                     "The key `%s` has as many requests in flight as it may "
                     "(concurrent_requests_max = %u). Wait for one to end, or try again in %u s.",
                     key_->id.c_str(), key_->concurrent_requests_max, shed_.retry_after_s);
  } else if (shed_.status == 429) {
    failure = make_failure(429, "overloaded", {},
                           "Hyperion runs out of %s, and requests of %s priority are refused "
                           "first. Try again in %u s.",
                           words, resilience::name_of(key_->priority).data(), shed_.retry_after_s);
  } else {
    failure =
        make_failure(503, "overloaded", {}, "Hyperion is at its limit of %s. Try again in %u s.",
                     words, shed_.retry_after_s);
  }
  failure.retry_after_ms = int64_t{shed_.retry_after_s} * 1000;
  record_.error = key_limit ? ErrorCode::too_many : ErrorCode::overloaded;
  refuse(failure, key_limit ? Side::client : Side::gateway, Phase::head);
}

}  // namespace hyperion::gateway
