#include "simulator/outages.h"

#include <algorithm>

#include "config/outage_values.h"
#include "simulator/answer_text.h"

namespace hyperion::simulator {
namespace {

using config::FaultKind;
using config::FaultPlan;
using config::Outage;
using config::OutageKind;

// Of "eu.example.com:9090" and "[::1]:9090".
std::string_view without_port(std::string_view host) {
  const size_t colon = host.rfind(':');
  if (colon == std::string_view::npos || host.ends_with(']')) return host;
  return host.substr(0, colon);
}

bool fits_model(std::string_view pattern, std::string_view model) {
  if (pattern.ends_with('*')) return model.starts_with(pattern.substr(0, pattern.size() - 1));
  return config::is_release_of(model, pattern);
}

// What of `more` the plan does not say itself.
void merge(const FaultPlan& more, FaultPlan& plan) {
  const auto take = [](uint32_t theirs, uint32_t& ours) {
    if (ours == FaultPlan::not_given) ours = theirs;
  };
  take(more.slow_ms, plan.slow_ms);
  take(more.gap_ms, plan.gap_ms);
  // Of two faults the first counts, with what it says of coming back.
  if (!plan.is(FaultKind::none)) return;
  plan.kind = more.kind;
  plan.argument = more.argument;
  if (plan.retry == FaultPlan::not_given) plan.retry_form = more.retry_form;
  take(more.retry, plan.retry);
  take(more.rate_limit_s, plan.rate_limit_s);
  take(more.should_retry, plan.should_retry);
}

}  // namespace

std::string_view api_key_of(const http::RequestHead& head) {
  for (std::string_view name : {"x-api-key", "x-goog-api-key", "api-key"}) {
    const std::string_view key = head.headers.find(name);
    if (!key.empty()) return key;
  }
  std::string_view query = head.query;
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    if (pair.starts_with("key=")) return pair.substr(4);
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
  }
  constexpr std::string_view scheme = "Bearer ";
  const std::string_view value = head.headers.find("authorization");
  const bool bearer = value.size() > scheme.size() &&
                      http::equal_ignoring_case(value.substr(0, scheme.size()), scheme);
  return bearer ? value.substr(scheme.size()) : std::string_view();
}

bool concerns(const Outage& outage, const Asker& asker) {
  if (!outage.provider.empty() && outage.provider != asker.provider) return false;
  if (!outage.api_key.empty() && outage.api_key != asker.api_key) return false;
  if (!asker.path.starts_with(outage.path)) return false;
  if (!outage.host.empty() && !http::equal_ignoring_case(outage.host, without_port(asker.host))) {
    return false;
  }
  return outage.model.empty() || (asker.model_is_known && fits_model(outage.model, asker.model));
}

std::string_view name_of(OutageState state) {
  switch (state) {
    case OutageState::waiting: return "waiting";
    case OutageState::failing: return "failing";
    case OutageState::up: return "up";
    case OutageState::recovering: return "recovering";
    case OutageState::over: return "over";
  }
  return "";
}

OutageMoment moment_of(const Outage& outage, uint64_t now_ms) {
  if (now_ms < outage.start_ms) return {OutageState::waiting};
  uint64_t at_ms = now_ms - outage.start_ms;
  if (outage.period_ms != 0) at_ms %= outage.period_ms;
  if (outage.length_ms == 0 || at_ms < outage.length_ms) {
    const bool up = outage.is(OutageKind::flapping) &&
                    at_ms % (outage.down_ms + outage.up_ms) >= outage.down_ms;
    return {up ? OutageState::up : OutageState::failing};
  }
  const uint64_t end_ms = outage.length_ms + outage.recovery_ms;
  if (at_ms < end_ms) return {OutageState::recovering, end_ms - at_ms};
  return {outage.period_ms != 0 ? OutageState::waiting : OutageState::over};
}

bool strikes(uint32_t percent, uint64_t number, uint64_t seed) {
  return mix(seed, number) % 100 < percent;
}

Delays slowed(const Outage& outage, const OutageMoment& moment, Delays usual) {
  if (moment.state == OutageState::recovering && outage.slow_ms > usual.first_token_ms) {
    usual.first_token_ms +=
        (outage.slow_ms - usual.first_token_ms) * moment.recovery_left_ms / outage.recovery_ms;
  } else if (moment.state == OutageState::failing && outage.is(OutageKind::brown_out)) {
    usual.first_token_ms = std::max<uint64_t>(usual.first_token_ms, 1) * outage.slower_factor;
    usual.token_gap_ms = std::max<uint64_t>(usual.token_gap_ms, 1) * outage.slower_factor;
  }
  return usual;
}

Outages::Outages(const std::vector<Outage>& schedule, uint64_t seed, Instant begin)
    : seed_(seed), begin_(begin) {
  for (const Outage& outage : schedule) add_entry(outage);
}

void Outages::add_entry(Outage outage) {
  Entry entry;
  if (config::row_of(static_cast<OutageKind>(outage.kind)).has_fault) {
    std::string_view unknown;
    config::read_faults(outage.fault, {}, true, entry.plan, unknown);
  }
  entry.strikes_head = entry.plan.is(FaultKind::early) || entry.plan.is(FaultKind::interim);
  entry.seed = mix(seed_, ++added_);
  entry.outage = std::move(outage);
  entries_.push_back(std::move(entry));
  any_.store(true, std::memory_order_relaxed);
}

void Outages::apply(const Asker& asker, bool head_only, Instant now, FaultPlan& plan,
                    Delays& delays) {
  const uint64_t now_ms = ms_at(now);
  const Delays usual = delays;
  const std::lock_guard lock(mutex_);
  for (Entry& entry : entries_) {
    const Outage& outage = entry.outage;
    if (entry.strikes_head != head_only || !concerns(outage, asker)) continue;
    const OutageMoment moment = moment_of(outage, now_ms);
    const Delays slow = slowed(outage, moment, usual);
    delays.first_token_ms = std::max(delays.first_token_ms, slow.first_token_ms);
    delays.token_gap_ms = std::max(delays.token_gap_ms, slow.token_gap_ms);
    if (moment.state != OutageState::failing) continue;
    const uint64_t number = entry.requests++;
    if (outage.is(OutageKind::partial) && !strikes(outage.percent, number, entry.seed)) continue;
    ++entry.struck;
    merge(entry.plan, plan);
  }
}

bool Outages::add(Outage outage, Instant now) {
  outage.start_ms += ms_at(now);
  const std::lock_guard lock(mutex_);
  if (entries_.size() >= config::outages_max) return false;
  add_entry(std::move(outage));
  return true;
}

void Outages::clear() {
  const std::lock_guard lock(mutex_);
  entries_.clear();
  any_.store(false, std::memory_order_relaxed);
}

}  // namespace hyperion::simulator
