// What operators may set about retries, breakers and hedges.
//
// Filled by `config` from the sections [retries], [breaker] and [hedging], whose documented copy is
// conf/hyperion.toml; immutable afterwards. Names carry their unit last; where a default is
// somebody's measured practice the source stands beside it. Plain data.
#pragma once

#include <cstdint>

namespace hyperion::resilience {

// [retries]
struct RetrySettings {
  // Of one request, over all its candidates; a longer chain may try each of them once.
  uint32_t attempts_max = 3;
  uint32_t fallbacks_max = 8;  // that a request may name
  // The longest that a client is kept waiting for one more attempt. A provider that wants more time
  // gets it from the client, who is told.
  uint32_t wait_max_ms = 2'000;
  // Full jitter: a random part of base * 2^n, of at most max.
  uint32_t backoff_base_ms = 100;
  uint32_t backoff_max_ms = 2'000;
  // Requests of a shard that may be trying the same candidate again at once (Envoy's retry budget:
  // 20 %, at least 3). Moving on to another candidate is not bounded by it: there the request is
  // one more like any other.
  uint32_t active_percent = 20;
  uint32_t active_min = 3;
};

// [breaker]
struct BreakerSettings {
  uint32_t consecutive_failures = 5;  // Envoy's outlier detection
  uint32_t error_percent = 50;        // of a window with at least requests_min
  uint32_t requests_min = 20;
  uint32_t window_ms = 10'000;
  uint32_t open_ms = 5'000;  // the first time; twice as long each time after, if a probe fails
  uint32_t open_max_ms = 120'000;
  // Of the ways to one model (its deployments and their keys) that failures may shut at once.
  uint32_t ejected_max_percent = 50;
  uint32_t rate_limited_ms = 1'000;  // a 429 that names no time
  uint32_t rate_limited_max_ms = 60'000;
  uint32_t key_refused_ms = 60'000;  // a key that was refused, an account without credit
  // A first token counts as a failure if it took so much of what is usual there, and so long.
  uint32_t slow_first_token_percent = 500;
  uint32_t slow_first_token_min_ms = 5'000;
};

// [hedging]
struct HedgingSettings {
  bool enabled = false;
  uint32_t active_percent = 5;       // of a shard's requests that may have a second attempt at once
  uint32_t after_min_ms = 200;       // never earlier, however fast answers usually begin
  uint32_t body_max_bytes = 32'768;  // larger requests cost too much to be sent twice
};

struct Settings {
  RetrySettings retries;
  BreakerSettings breaker;
  HedgingSettings hedging;
};

}  // namespace hyperion::resilience
