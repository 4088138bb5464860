// What is remembered of one exchange, for its log line and the counters.
//
// Filled as the exchange goes on; `write_line` turns it into one line of JSON without allocating.
// Allow-list by construction: there is no field in which a prompt, an answer or a secret could
// travel. The two-letter end code says who ended it (C client, U upstream, G gateway, - nobody: it
// went well) and in which phase (H head, B body, D decide, C connect, S send, A await head, T await
// token, R relay, - done).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "dialect/observation.h"
#include "dialect/provider_error.h"
#include "gateway/counters.h"
#include "routing/settings.h"

namespace hyperion::gateway {

// What the log keeps of a decision; a longer one (very many slow deployments) is left out.
inline constexpr size_t decision_logged_max_bytes = 6144;

inline constexpr size_t request_id_size = 28;  // "req_" and 24 hex digits

// What one attempt saw. The record has that of the attempt whose answer the client got, or of the
// last one.
struct Trace {
  std::string_view provider;
  std::string_view model;   // its name there
  bool translated = false;  // the provider speaks another dialect than the client
  ErrorCode error = ErrorCode::none;
  dialect::ErrorKind error_kind = dialect::ErrorKind::none;  // of the provider's error
  dialect::Usage usage;
  Instant connected;  // the connection was ours
  Instant sent;       // the request was queued
  Instant upstream_head;
  Instant upstream_last;  // the newest byte of the provider's answer
  Instant first_token;    // or the first byte of a plain answer
};

struct Record : Trace {
  char request_id[request_id_size] = {};
  Outcome outcome = Outcome::answered;
  Side side = Side::none;
  Phase phase = Phase::done;
  uint16_t status = 0;
  std::string_view method;
  std::string_view route;  // the row's path, never what the client sent
  std::string_view key_id;
  std::string_view requested_model;  // escaped when written; bounded
  routing::Route routed = routing::Route::passthrough;
  std::string_view intent;           // of a smart or automatic decision
  std::string_view decision_line;    // for its header
  std::string_view decision;         // as JSON, numbers only
  uint32_t fallback_index = 0;       // in the chain; 0 is the one asked for or chosen
  std::string_view fallback_reason;  // why the first did not answer
  std::string_view tried;            // "openai/gpt-4o (overload)", … of those that failed
  std::string_view skipped;          // likewise, of those that were left out
  std::string_view gave_up;          // why nothing more was tried
  uint32_t possibly_billed = 0;      // attempts whose outcome is unknown
  bool hedged = false;
  std::string_view feedback_id;  // of the request that a POST /v1/feedback is about
  int32_t feedback_score = -1;   // of 1000
  bool stream = false;
  uint32_t attempts = 0;
  uint64_t request_bytes = 0;   // body
  uint64_t response_bytes = 0;  // body
  Instant begin;                // first byte of the request
  Instant head_done;
  Instant body_done;
  Instant end;

  // Wall time minus the wait for the upstream.
  uint64_t overhead_ns(Instant until) const;
};

// One line without its line feed; returns its length, 0 if it did not fit `capacity` (2 KiB and
// decision_logged_max_bytes are enough).
size_t write_line(const Record& record, uint64_t wall_ns, char* out, size_t capacity);

// The two letters, zero-terminated in `out`.
void write_end_code(Side side, Phase phase, char out[3]);

}  // namespace hyperion::gateway
