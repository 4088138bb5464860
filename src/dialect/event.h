// What happens in an answer, free of any provider's wire format.
//
// A decoder reads a provider's stream (or its whole plain answer, as if it came at once) and calls
// `on_event` for everything that happens; an encoder takes the events and writes the client's
// dialect. Texts are the insides of JSON strings with their escapes (see request.h, Raw), valid
// only during the call. Order, for each choice: start, then text, refusal, thinking and tools as
// they come, then one finish; once for all: usage (any number of times, the last one holds) and
// end, or error. A tool's arguments come between its tool_start and tool_end as fragments of a JSON
// text, escaped; a tool without arguments gets the fragment `{}` from the decoder.
#pragma once

#include <cstdint>
#include <string_view>

#include "dialect/observation.h"
#include "dialect/provider_error.h"
#include "dialect/wire.h"

namespace hyperion::dialect {

enum class EventKind : uint8_t {
  start,              // once: id, model, created_s, usage as far as the provider gave them
  text,               // text: a piece of the answer
  refusal,            // text: a piece of the model's refusal
  thinking,           // text: a piece of its reasoning
  thinking_end,       // a block of reasoning is over: signature (may be empty)
  redacted_thinking,  // text: an opaque block
  tool_start,         // tool (0, 1, ... within the choice), id, name, signature
  tool_arguments,     // tool, text
  tool_end,           // tool
  citation,           // text: a URL, name: its title
  usage,              // usage
  finish,             // finish; text: the stop sequence, or why
  error,              // error: the answer is broken; nothing follows
  end,                // the proper end
};

// Why a choice ended.
enum class Finish : uint8_t {
  stop,
  stop_sequence,
  length,
  tool_calls,
  content_filter,  // the provider's filter
  refusal,         // the model's own
  pause,           // Anthropic's pause_turn: to be sent again
  malformed_call,  // Gemini's MALFORMED_FUNCTION_CALL and the like: nothing usable came out
};

struct Event {
  EventKind kind = EventKind::text;
  uint32_t choice = 0;
  uint32_t tool = 0;
  std::string_view text;
  std::string_view id;
  std::string_view name;
  std::string_view model;
  int64_t created_s = 0;  // 0: not given
  std::string_view signature;
  Maker signature_of = Maker::unknown;
  Finish finish = Finish::stop;
  const Usage* usage = nullptr;
  const ProviderError* error = nullptr;
};

class EventReceiver {
 public:
  virtual void on_event(const Event& event) = 0;

 protected:
  ~EventReceiver() = default;
};

}  // namespace hyperion::dialect
