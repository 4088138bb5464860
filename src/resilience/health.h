// How every target of a shard does: its breaker, its pace, its weight among others of one model.
//
// A target is a deployment with one of its provider's keys. One Health belongs to one snapshot of
// the configuration in one shard and takes over what its predecessor knew of targets that are still
// there. Exchanges ask it which key to use and whether a target may be tried, and tell it how each
// attempt ended; it says what other shards should hear (a Notice), so that what one of them found
// out helps all. It bounds how many ways to one model failures may shut at once. Pure: time and
// randomness are arguments; it allocates when it is made only.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "catalog/catalog.h"
#include "dialect/provider_error.h"
#include "resilience/breaker.h"
#include "resilience/chain.h"
#include "resilience/pace.h"
#include "resilience/settings.h"

namespace hyperion::resilience {

// For the other shards, which hold the same configuration.
struct Notice {
  uint32_t target = 0;
  Breaker::Why why = Breaker::Why::none;  // none: it does well again
  bool whole_key = false;                 // so do all targets with its key
  Instant until;
};

struct Verdict {
  enum class Kind : uint8_t {
    success,  // it answered
    failure,  // by `error`
    neutral,  // the client's fault, or the client left: says nothing
  };
  Kind kind = Kind::neutral;
  dialect::ErrorKind error = dialect::ErrorKind::none;
  int64_t retry_after_ms = -1;
  uint64_t output_tokens = 0;  // of an answer that was counted
  uint64_t output_us = 0;
};

class Health {
 public:
  // `before`: what the last configuration's targets did; may be nullptr.
  Health(const catalog::Catalog& catalog, const BreakerSettings& settings, const Health* before);

  uint32_t target_of(const catalog::Deployment& deployment, uint8_t key) const {
    return first_target_[deployment.index] + key;
  }

  // A key for the deployment: by weight among those that are not shut and not in `avoid` (a bit for
  // each); if there is none, the one that opens first. `skip` is not `none` where its target is not
  // to be tried now, and `until` says for how long. `has_other`: the request could go elsewhere, so
  // that it may be the probe of a half open target. `forced`: whatever the breaker says.
  struct Pick {
    uint8_t key = 0;
    Skip skip = Skip::none;
    Instant until;
    bool probe = false;
  };
  Pick pick(const catalog::Deployment& deployment, uint16_t avoid, bool has_other, bool forced,
            Instant now, Random& random);

  // A stream's first token has come. True: so late that the attempt is to be told as a failure.
  bool saw_first_token(const catalog::Deployment& deployment, uint64_t us);

  // An attempt at the target is over. True: `notice` is for the other shards.
  bool on_attempt_ended(uint32_t target, bool probe, const Verdict& verdict, Instant now,
                        Notice& notice);
  void on_notice(const Notice& notice, Instant now);

  // Of several places for one model: conf weight times how fast it has been against the fastest.
  uint32_t weight_of(const catalog::Deployment& deployment, uint32_t conf_weight,
                     std::span<const catalog::Deployment* const> others) const;

  const Pace& pace(const catalog::Deployment& deployment) const { return pace_[deployment.index]; }
  // By Deployment::index, for routing.
  std::span<const uint32_t> first_token_us() const { return first_token_us_; }
  std::span<const uint8_t> unhealthy() const { return unhealthy_; }
  // Once a second: what has become half open may be chosen again.
  void refresh(Instant now);

  struct Way {
    const catalog::Deployment* deployment = nullptr;  // nullptr: there is no such target
    uint8_t key = 0;
  };
  Way way_of(uint32_t target) const;

  // For the metrics and the admin's page.
  size_t target_count() const { return breakers_.size(); }
  const Breaker& breaker(uint32_t target) const { return breakers_[target]; }
  uint32_t open_count(const catalog::Provider& provider, Instant now) const;

 private:
  void mark(uint32_t target, Instant now);
  void spread(const Notice& notice, Instant now);
  bool may_shut(uint32_t target, Instant now) const;
  uint64_t shut_ms(const Verdict& verdict, Breaker::Why why) const;

  BreakerSettings settings_;
  std::vector<uint32_t> first_target_;   // by Deployment::index
  std::vector<uint16_t> deployment_of_;  // by target
  std::vector<uint32_t> key_of_;         // by target: the same for those with one key
  std::vector<std::string> names_;  // by target: deployment and key, to be found after a reload
  std::vector<const catalog::Deployment*> deployments_;
  std::vector<Breaker> breakers_;         // by target
  std::vector<uint32_t> model_of_;        // by target: the same for the ways to one model
  std::vector<Pace> pace_;                // by Deployment::index
  std::vector<uint32_t> first_token_us_;  // likewise
  std::vector<uint8_t> unhealthy_;        // likewise: every key of it is shut
};

}  // namespace hyperion::resilience
