// What a model takes and costs, as facts that translators and routing read.
//
// Wire formats differ by model more than by vendor: which efforts exist, how thinking is asked for
// and switched off, whether a temperature may be sent. Each of these is a value here and a key of a
// [[models]] entry (conf/models.toml says what each means), filled by `config`, so that no
// translator knows a model by its name. A fact nobody has stated is `unknown` or the value that
// asks nothing special. Plain values: no allocation, nothing can fail.
#pragma once

#include <cstdint>
#include <string_view>

namespace hyperion::catalog {

// A fact that may be unknown.
enum class Answer : uint8_t { unknown, no, yes };

struct Capabilities {
  Answer vision = Answer::unknown;
  Answer pdf = Answer::unknown;
  Answer audio_in = Answer::unknown;
  Answer audio_out = Answer::unknown;
  Answer tools = Answer::unknown;
  Answer json_schema = Answer::unknown;
  Answer reasoning = Answer::unknown;
  bool operator==(const Capabilities&) const = default;
};

// How hard a model is to think, in OpenAI's words, from the least to the most.
enum class Effort : uint8_t { none, minimal, low, medium, high, xhigh, max, count };

// The efforts that a model accepts: bit n stands for the Effort of value n.
struct Efforts {
  uint8_t bits = 0;

  bool has(Effort effort) const { return (bits >> static_cast<uint8_t>(effort) & 1) != 0; }
  bool any() const { return bits != 0; }
  // What to send for `wanted`: the same where it is accepted, else the nearest lower, else the
  // nearest higher. Of an empty set `wanted` itself: there is nothing to choose from.
  Effort nearest(Effort wanted) const;
  bool operator==(const Efforts&) const = default;
};

// Whether temperature and top_p may be sent.
enum class Sampling : uint8_t {
  yes,
  no,           // refused with 400
  effort_none,  // only together with reasoning effort none
};

// How thinking is asked for where it is not by effort alone (as OpenAI's models have it: none).
enum class Thinking : uint8_t {
  none,
  adaptive,  // Claude: thinking.type adaptive, with output_config.effort
  budget,    // Claude and Gemini 2.5: a number of tokens
  level,     // Gemini 3 and later: thinkingLevel
};

// How "effort none" is said.
enum class ThinkingOff : uint8_t {
  omit,           // thinks only when asked
  disabled,       // Claude: thinking.type disabled
  between_tools,  // Claude Sonnet 5.5: thinking.type between_tools
  zero_budget,    // Gemini 2.5: thinkingBudget 0
  cannot,         // thinks always: the lowest effort is the nearest
};

// The budgets of tokens that may be asked for; 0: unknown, or none.
struct ThinkingBudget {
  int32_t min_tokens = 0;
  int32_t max_tokens = 0;
  bool operator==(const ThinkingBudget&) const = default;
};

inline constexpr int64_t price_unknown = -1;

// Pico-dollars per token: 1 USD per million tokens is 1,000,000. Unknown is never zero.
struct Prices {
  int64_t input = price_unknown;
  int64_t output = price_unknown;
  int64_t cached_input = price_unknown;    // read from the provider's cache
  int64_t cache_write = price_unknown;     // written to it, for its ordinary lifetime
  int64_t cache_write_1h = price_unknown;  // written to it for an hour
  int64_t audio_input = price_unknown;
  int64_t audio_output = price_unknown;
  bool operator==(const Prices&) const = default;
};

// The prices of a whole request (input and output) whose input exceeds `above_tokens`.
struct PriceTier {
  uint32_t above_tokens = 0;
  Prices prices;
  bool operator==(const PriceTier&) const = default;
};

std::string_view name_of(Effort effort);  // "xhigh"

}  // namespace hyperion::catalog
