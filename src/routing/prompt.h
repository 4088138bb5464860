// What a request asks of a model, as it stands in the body: texts as views, the rest as counts.
//
// Filled by the prompt reader (routing/prompt_reader.h) in one walk over a body that was found
// valid; read by features and by the capability filter. The texts of the last turn of the user
// stand apart from everything around them: instructions of the system and quoted history drown
// whatever can be read from words (ClawRouter's issue 50). Texts are the raw insides of JSON
// strings, escapes as they stand; they live as long as the body. Plain data, no allocation.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "catalog/facts.h"

namespace hyperion::routing {

// Counts of a request up to and with one turn of the user.
struct Shape {
  uint32_t turns = 0;            // messages of any role but the system's
  uint32_t user_turns = 0;       // that say something
  uint32_t assistant_turns = 0;  // of the model
  uint32_t tool_calls = 0;       // made by the model
  uint32_t tool_results = 0;
  uint32_t tool_results_after = 0;  // behind the last turn of the user: an agent at work
  uint32_t images = 0;
  uint32_t audio = 0;
  uint32_t files = 0;
  uint64_t system_bytes = 0;  // of raw text
  uint64_t user_bytes = 0;    // of the last turn of the user
  uint64_t other_bytes = 0;   // of all texts but these two
  uint64_t call_bytes = 0;    // of the model's calls, their arguments in them
};

// What is wanted of the model besides an answer to the text.
struct Wants {
  uint32_t tools = 0;         // functions offered
  uint64_t tools_bytes = 0;   // their definitions
  bool tools_forced = false;  // a call is required
  bool json_object = false;   // any JSON
  bool json_schema = false;   // JSON of one shape
  bool sampling = false;      // temperature or top_p is given
  bool reasoning = false;     // an effort above none, or a budget of thinking tokens
  bool effort_given = false;  // `effort` holds it
  bool audio_out = false;     // an answer in sound
  bool logprobs = false;
  // What one provider alone has: tools that it runs itself (web search), custom ones, a
  // conversation or a prefix that it keeps.
  bool foreign = false;
  bool prefill = false;  // the last message is the assistant's
  catalog::Effort effort = catalog::Effort::none;
  bool old_limit = false;          // it is given as max_tokens in OpenAI's dialect
  int64_t output_tokens_max = -1;  // -1: not given
  int64_t choices = 1;             // n
  bool operator==(const Wants&) const = default;
};

struct Prompt {
  // Parts of one turn; in a turn of more, those in the middle are counted and not kept.
  static constexpr size_t texts_max = 16;

  std::array<std::string_view, texts_max> texts;
  uint32_t text_count = 0;
  Shape shape;

  std::span<const std::string_view> text() const { return {texts.data(), text_count}; }
};

struct Conversation {
  // Earlier turns of the user that are looked at again: the first and the newest.
  static constexpr size_t earlier_max = 4;

  Prompt last;
  // In order, each with its own first and last text and the counts up to it.
  std::array<Prompt, earlier_max> earlier;
  uint32_t earlier_count = 0;
  Wants wants;
};

}  // namespace hyperion::routing
