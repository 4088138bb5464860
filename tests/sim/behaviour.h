// What can go wrong on the provider's side of one exchange, and what it refuses requests with.
//
// The names are rows of the coverage table. A Refusal is a whole answer with a status of its own;
// its words say nothing, so that the status (or what is named) decides what it means.
#pragma once

#include <cstdint>
#include <span>

#include "dialect/provider_error.h"

namespace hyperion::sim {

enum class Behaviour : uint8_t {
  plain,
  plain_chunked,
  plain_until_close,
  plain_large,
  error_status,
  stream,
  stream_large,
  informational,  // a 102 before the answer
  early_answer,   // answers before the body was read
  cut_head,
  cut_plain,
  cut_event,
  cut_between_events,
  no_end_marker,
  reset_before,
  reset_within,
  reset_on_reuse,
  stall_head,
  stall_tokens,
  comments_only,
  garbage,
  two_lengths,
  short_body,
  surplus,
  huge_head,
  huge_event,
  error_event,
  error_first,  // before the first token
  slow_token,   // the first one takes long
  close_after,  // a good answer, then the connection ends without having said so
  count,
};
const char* name_of(Behaviour behaviour);
// The provider kept to the protocol and finished: the client must get the whole answer.
bool is_good(Behaviour behaviour);
// It answers no more, and the gateway's patience ends it.
bool stalls(Behaviour behaviour);

struct Refusal {
  const char* name;
  uint16_t status;
  dialect::ErrorKind kind;
  const char* headers = "";
  int8_t should_retry = 0;
  int64_t retry_after_ms = -1;  // as the headers have it
};
std::span<const Refusal> refusals();
// Says nothing of the target: the request was wrong, or too long, or for a model that is not there.
bool is_blameless(const Refusal& refusal);

}  // namespace hyperion::sim
