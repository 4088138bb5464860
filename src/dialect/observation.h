// What a dialect's decoder says about the bytes of a provider that pass by.
//
// In passthrough the decoder only observes: it finds the commit point (first semantic token), the
// usage, errors hidden in a 200 and the proper end of a stream. It never changes a byte. Read by
// gateway's attempt and, later, by the ledger.
#pragma once

#include <cstdint>

namespace hyperion::dialect {

// Token counts as the provider reported them; -1: not reported, which is never zero. In OpenAI's
// sense, whatever the provider's: `prompt` includes `cached` and what was written to the cache,
// `completion` includes `reasoning`.
struct Usage {
  int64_t prompt_tokens = -1;
  int64_t completion_tokens = -1;
  int64_t cached_tokens = -1;          // read from the cache
  int64_t cache_write_tokens = -1;     // written to it, both lifetimes
  int64_t cache_write_1h_tokens = -1;  // of these, for an hour: another price
  int64_t reasoning_tokens = -1;
  int64_t audio_prompt_tokens = -1;
  int64_t audio_completion_tokens = -1;

  bool known() const { return prompt_tokens >= 0 || completion_tokens >= 0; }
};

// One event of a stream.
struct Observation {
  bool semantic =
      false;  // text, refusal, tool start, reasoning, or a finish: the client gets something
  bool error = false;      // an error object inside a 200
  bool finished = false;   // the end marker of the stream
  bool malformed = false;  // not what the dialect allows
};

}  // namespace hyperion::dialect
