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

const char* words_of(Resource scarcest) {
  switch (scarcest) {
    case Resource::requests: return "requests in flight";
    case Resource::blocks:
    case Resource::bodies: return "memory";
    case Resource::loop_lag: return "CPU time";
    case Resource::descriptors: return "open sockets";
  }
  return "memory";
}

}  // namespace

// What is refused here has cost its head and a short answer. Health, metrics and the admin side
// have no key and are always let in.
bool Exchange::admit() {
  if (key_ == nullptr) return true;
  const resilience::Admission& admission = gateway_.look_at_load();
  if (!admission.admits(key_->priority)) return refuse_overloaded(admission);
  const bool limited = endpoint_->work == Work::proxy && key_->concurrent_requests_max != 0;
  if (limited && !place_.take(*snapshot_->key_slots[key_->index], key_->concurrent_requests_max))
    return refuse_at_key_limit(admission);
  place_.enter(gateway_.requests_admitted());
  return true;
}

bool Exchange::refuse_overloaded(const resilience::Admission& admission) {
  const Resource scarcest = admission.scarcest();
  const int64_t after_ms = admission.retry_after_ms(gateway_.runtime().random);
  const auto after_s = static_cast<unsigned long long>(after_ms / 1000);
  Failure failure;
  if (admission.level() == resilience::Level::busy) {
    failure = make_failure(429, "overloaded", {},
                           "Hyperion runs out of %s, and requests of %s priority are refused "
                           "first. Try again in %llu s.",
                           words_of(scarcest), resilience::name_of(key_->priority).data(), after_s);
  } else {
    failure =
        make_failure(503, "overloaded", {}, "Hyperion is at its limit of %s. Try again in %llu s.",
                     words_of(scarcest), after_s);
  }
  failure.retry_after_ms = after_ms;
  gateway_.counters().requests_refused_overloaded.add();
  count_shed(reason_of(scarcest));
  record_.error = ErrorCode::overloaded;
  refuse(failure, Side::gateway, Phase::head);
  return false;
}

bool Exchange::refuse_at_key_limit(const resilience::Admission& admission) {
  const int64_t after_ms = admission.retry_after_ms(gateway_.runtime().random);
  Failure failure =
      make_failure(429, "rate_limit_exceeded", {},
                   "The key `%s` has as many requests in flight as it may "
                   "(concurrent_requests_max = %u). Wait for one to end, or try again in %llu s.",
                   key_->id.c_str(), key_->concurrent_requests_max,
                   static_cast<unsigned long long>(after_ms / 1000));
  failure.retry_after_ms = after_ms;
  count_shed(ShedReason::key_concurrency);
  record_.error = ErrorCode::too_many;
  refuse(failure, Side::client, Phase::head);
  return false;
}

void Exchange::count_shed(ShedReason reason) {
  gateway_.counters()
      .requests_shed[static_cast<size_t>(reason)][static_cast<size_t>(key_->priority)]
      .add();
}

}  // namespace hyperion::gateway
