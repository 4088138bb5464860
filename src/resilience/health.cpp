#include "resilience/health.h"

#include <algorithm>
#include <map>

#include "base/planted.h"

namespace hyperion::resilience {
namespace {

using dialect::ErrorKind;
using Why = Breaker::Why;

// The slowest of several places keeps so much of its weight, so that it is seen to recover.
constexpr uint64_t weight_parts = 1000;
constexpr uint64_t weight_parts_min = 50;

Skip skip_of(Why why) {
  switch (why) {
    case Why::rate_limited: return Skip::rate_limited;
    case Why::key_refused: return Skip::key_refused;
    default: return Skip::circuit_open;
  }
}

Why why_of(ErrorKind kind) {
  const dialect::ErrorTraits& traits = dialect::traits_of(kind);
  if (kind == ErrorKind::rate_limit) return Why::rate_limited;
  if (traits.key_fault) return Why::key_refused;
  return Why::failures;
}

// What says something of the target: not the client's own errors, nor a model that is not there,
// which is one answer like another.
bool counts(ErrorKind kind) {
  if (HYPERION_PLANTED(client_faults_counted)) return true;
  switch (kind) {
    case ErrorKind::rate_limit:
    case ErrorKind::overload:
    case ErrorKind::server:
    case ErrorKind::timeout:
    case ErrorKind::bad_key:
    case ErrorKind::money:
    case ErrorKind::forbidden: return true;
    default: return false;
  }
}

}  // namespace

Health::Health(const catalog::Catalog& catalog, const BreakerSettings& settings,
               const Health* before)
    : settings_(settings) {
  std::map<const catalog::Model*, uint32_t> models;
  for (const catalog::Deployment& deployment : catalog.deployments()) {
    deployments_.push_back(&deployment);
    first_target_.push_back(static_cast<uint32_t>(breakers_.size()));
    // An open deployment stands for many models: each is alone.
    const auto alone = static_cast<uint32_t>(deployments_.size() + 0x10000);
    const uint32_t model =
        deployment.model == nullptr
            ? alone
            : models.emplace(deployment.model, static_cast<uint32_t>(models.size())).first->second;
    for (size_t key = 0; key < deployment.provider->key_count(); ++key) {
      names_.push_back(deployment.id + " " + deployment.provider->name + " " +
                       std::string(deployment.provider->key_name(key)));
      deployment_of_.push_back(deployment.index);
      key_of_.push_back(static_cast<uint32_t>(deployment.provider->index * Chain::keys_max + key));
      model_of_.push_back(model);
      breakers_.emplace_back();
    }
  }
  pace_.resize(deployments_.size());
  first_token_us_.resize(deployments_.size());
  unhealthy_.resize(deployments_.size());
  if (before == nullptr) return;
  std::map<std::string_view, uint32_t> known;
  for (size_t i = 0; i < before->names_.size(); ++i)
    known.emplace(before->names_[i], static_cast<uint32_t>(i));
  for (size_t i = 0; i < names_.size(); ++i) {
    const auto found = known.find(names_[i]);
    if (found == known.end()) continue;
    breakers_[i] = before->breakers_[found->second];
    // The probe that may run reports to the old one.
    breakers_[i].drop_probe();
    const uint16_t deployment = deployment_of_[i];
    const uint16_t old = before->deployment_of_[found->second];
    pace_[deployment] = before->pace_[old];
    first_token_us_[deployment] = before->first_token_us_[old];
    unhealthy_[deployment] = before->unhealthy_[old];
  }
}

Health::Pick Health::pick(const catalog::Deployment& deployment, uint16_t avoid, bool has_other,
                          bool forced, Instant now, Random& random) {
  const catalog::Provider& provider = *deployment.provider;
  const size_t keys = std::min(provider.key_count(), Chain::keys_max);
  const uint32_t first = first_target_[deployment.index];
  const auto avoided = [&](size_t key) { return (avoid >> key & 1) != 0; };
  uint64_t weights = 0;
  size_t only = 0;
  size_t open_soonest = keys;
  size_t half_open = keys;
  for (size_t key = 0; key < keys; ++key) {
    if (avoided(key)) continue;
    const Breaker& breaker = breakers_[first + key];
    const Breaker::State state = breaker.state(now);
    if (state == Breaker::State::closed) {
      weights += provider.key_weight(key);
      only = key;
      continue;
    }
    if (state == Breaker::State::half_open && !breaker.probing() && half_open == keys)
      half_open = key;
    if (open_soonest == keys ||
        breaker.open_until() < breakers_[first + open_soonest].open_until()) {
      open_soonest = key;
    }
  }
  Pick pick;
  // The first request that could go elsewhere finds out, even where another key does well.
  if (half_open != keys && (has_other || weights == 0)) {
    breakers_[first + half_open].begin_probe();
    pick.key = static_cast<uint8_t>(half_open);
    pick.probe = true;
    return pick;
  }
  if (weights > 0) {
    pick.key = static_cast<uint8_t>(only);
    if (weights == provider.key_weight(only)) return pick;
    uint64_t at = random.below(weights);
    for (size_t key = 0; key < keys; ++key) {
      if (avoided(key) || breakers_[first + key].state(now) != Breaker::State::closed) continue;
      pick.key = static_cast<uint8_t>(key);
      if (at < provider.key_weight(key)) break;
      at -= provider.key_weight(key);
    }
    return pick;
  }
  if (open_soonest == keys) {
    // Every key was refused to this request already: the first will say so again.
    pick.skip = forced ? Skip::none : Skip::key_refused;
    return pick;
  }
  const Breaker& breaker = breakers_[first + open_soonest];
  pick.key = static_cast<uint8_t>(open_soonest);
  if (forced) return pick;
  pick.skip = skip_of(breaker.why());
  pick.until = breaker.open_until();
  return pick;
}

bool Health::saw_first_token(const catalog::Deployment& deployment, uint64_t us) {
  const uint64_t usual = first_token_us_[deployment.index];
  Pace& pace = pace_[deployment.index];
  pace.saw_first_token(us);
  first_token_us_[deployment.index] = pace.first_token_us();
  return usual != 0 && us >= uint64_t{settings_.slow_first_token_min_ms} * 1000 &&
         us * 100 >= usual * settings_.slow_first_token_percent;
}

uint64_t Health::shut_ms(const Verdict& verdict, Why why) const {
  const uint64_t asked =
      verdict.retry_after_ms < 0 ? 0 : static_cast<uint64_t>(verdict.retry_after_ms);
  if (why == Why::key_refused) return std::max<uint64_t>(asked, settings_.key_refused_ms);
  const uint64_t least =
      why == Why::rate_limited && verdict.retry_after_ms < 0 ? settings_.rate_limited_ms : asked;
  return std::min<uint64_t>(least, settings_.rate_limited_max_ms);
}

// Failures never shut more than a part of the ways to one model; a single way may be shut, since
// it is tried all the same when there is no other.
bool Health::may_shut(uint32_t target, Instant now) const {
  uint32_t ways = 0;
  uint32_t shut = 1;
  for (uint32_t i = 0; i < model_of_.size(); ++i) {
    if (model_of_[i] != model_of_[target]) continue;
    ++ways;
    shut += i != target && breakers_[i].state(now) == Breaker::State::open;
  }
  return ways == 1 || shut * 100 <= ways * settings_.ejected_max_percent;
}

bool Health::on_attempt_ended(uint32_t target, bool probe, const Verdict& verdict, Instant now,
                              Notice& notice) {
  Breaker& breaker = breakers_[target];
  const bool success = verdict.kind == Verdict::Kind::success;
  if (success) pace_[deployment_of_[target]].saw_output(verdict.output_tokens, verdict.output_us);
  bool told = false;
  notice = {};
  // A key that is refused is refused for all models; 403 may be about this one.
  const bool of_key = verdict.error == ErrorKind::bad_key || verdict.error == ErrorKind::money;
  const bool failed = verdict.kind == Verdict::Kind::failure && counts(verdict.error);
  if (success) {
    const bool key_was_refused = breaker.why() == Why::key_refused;
    told = breaker.on_success(now, settings_);
    if (told) notice = {target, Why::none, key_was_refused, {}};
  } else if (failed) {
    const Why why = why_of(verdict.error);
    const bool had_enough = breaker.on_failure(now, settings_);
    const bool at_once = why != Why::failures || verdict.retry_after_ms > 0;
    const bool longer = at_once && now + shut_ms(verdict, why) * ns_per_ms > breaker.open_until();
    if (had_enough && why == Why::failures && !may_shut(target, now)) {
      breaker.forgive();
      if (probe) breaker.drop_probe();
    } else if (had_enough || longer) {
      breaker.open(why, now, shut_ms(verdict, why), settings_);
      notice = {target, why, why == Why::key_refused && of_key, breaker.open_until()};
      told = true;
    }
  } else if (probe && !HYPERION_PLANTED(probe_kept)) {
    breaker.drop_probe();
  }
  if (told) spread(notice, now);
  return told;
}

// To the target, and to all that share its key where that is what it is about.
void Health::spread(const Notice& notice, Instant now) {
  for (uint32_t i = 0; i < breakers_.size(); ++i) {
    const bool shares = notice.whole_key && key_of_[i] == key_of_[notice.target];
    if (i != notice.target && !shares) continue;
    Breaker& breaker = breakers_[i];
    if (notice.why == Why::none) {
      // What else is wrong with another target stays.
      if (i == notice.target || breaker.why() == Why::key_refused) breaker.close();
    } else if (notice.until > breaker.open_until()) {
      breaker.open_until(notice.why, notice.until);
    }
    mark(i, now);
  }
}

void Health::on_notice(const Notice& notice, Instant now) {
  if (notice.target < breakers_.size()) spread(notice, now);
}

void Health::mark(uint32_t target, Instant now) {
  const uint16_t deployment = deployment_of_[target];
  bool any = false;
  for (uint32_t i = first_target_[deployment];
       i < deployment_of_.size() && deployment_of_[i] == deployment; ++i) {
    any |= breakers_[i].state(now) != Breaker::State::open;
  }
  unhealthy_[deployment] = any ? 0 : 1;
}

void Health::refresh(Instant now) {
  for (uint32_t i = 0; i < breakers_.size(); ++i) {
    if (unhealthy_[deployment_of_[i]] != 0) mark(i, now);
  }
}

uint32_t Health::weight_of(const catalog::Deployment& deployment, uint32_t conf_weight,
                           std::span<const catalog::Deployment* const> others) const {
  const Pace& own = pace_[deployment.index];
  uint64_t parts = weight_parts;
  if (own.comparable()) {
    uint64_t fastest_us = own.first_token_us();
    uint64_t best_rate = own.tokens_per_1000_s();
    for (const catalog::Deployment* other : others) {
      const Pace& pace = pace_[other->index];
      if (!pace.comparable()) continue;
      fastest_us = std::min<uint64_t>(fastest_us, pace.first_token_us());
      best_rate = std::max<uint64_t>(best_rate, pace.tokens_per_1000_s());
    }
    parts = parts * fastest_us / own.first_token_us();
    if (own.tokens_per_1000_s() != 0) parts = parts * own.tokens_per_1000_s() / best_rate;
  }
  parts = std::max(parts, weight_parts_min);
  return static_cast<uint32_t>(
      std::max<uint64_t>(1, std::min<uint64_t>(conf_weight * parts, UINT32_MAX)));
}

Health::Way Health::way_of(uint32_t target) const {
  if (target >= deployment_of_.size()) return {};
  const uint16_t deployment = deployment_of_[target];
  return {deployments_[deployment], static_cast<uint8_t>(target - first_target_[deployment])};
}

uint32_t Health::open_count(const catalog::Provider& provider, Instant now) const {
  uint32_t count = 0;
  for (uint32_t i = 0; i < breakers_.size(); ++i) {
    count += deployments_[deployment_of_[i]]->provider == &provider &&
             breakers_[i].state(now) == Breaker::State::open;
  }
  return count;
}

}  // namespace hyperion::resilience
