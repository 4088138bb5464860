// Can this model do what the request needs? Never broken for money.
//
// One function over the request's wants and the catalogue's facts, called for every candidate of a
// smart or automatic decision (the model that the client named is the client's own business). What
// the catalogue does not know counts as missing: a capability is never lost by a guess. The answer
// is the first wall that was hit, for the explanation. Pure; some 10 ns.
#pragma once

#include <cstdint>
#include <string_view>

#include "catalog/model.h"
#include "routing/prompt.h"

namespace hyperion::routing {

// Why a model was not considered, or not chosen. Names in the order of this list.
enum class Exclusion : uint8_t {
  none,
  // Permissions and state
  not_allowed,        // the key may not use it
  provider_narrowed,  // hyperion.providers leaves it out
  other_environment,
  provider_unusable,  // without its key
  unhealthy,
  // Facts
  endpoint,  // the route cannot reach it
  retired,
  quality_unknown,
  unpriced,
  context,
  output_limit,
  tools,
  tool_choice,
  vision,
  audio,
  files,
  json_schema,
  reasoning,
  sampling,
  provider_feature,  // what only the same provider can do: its own tools, log probabilities
  // The choice
  other_family,
  not_good_enough,
  not_cheaper,
  over_max_cost,
  slower,
  count,
};

std::string_view name_of(Exclusion exclusion);

// How a request reaches a model; worked out by the gateway for its routes.
enum class Way : uint8_t { none, translated, passthrough };

// What of a request bears on capabilities.
struct Demands {
  Wants wants;
  bool images = false;
  bool audio = false;
  bool files = false;
  int64_t input_tokens_max = 0;       // no tokenizer makes more: what a request may cost at most
  int64_t input_tokens_expected = 0;  // the estimate; 0: only the bound is known
  // What a context window must hold: twice the estimate, because the bound of a token for each byte
  // would shut a window of a million tokens to a megabyte of plain text.
  int64_t room_tokens() const {
    constexpr int64_t margin = 1024;
    if (input_tokens_expected == 0) return input_tokens_max;
    const int64_t twice = 2 * input_tokens_expected + margin;
    return twice < input_tokens_max ? twice : input_tokens_max;
  }
  // Nothing is asked for but text for text; then only the room counts.
  bool is_plain() const;
  bool operator==(const Demands&) const = default;
};
Demands demands_of(const Conversation& conversation, int64_t input_tokens_max,
                   int64_t input_tokens_expected = 0);

// Room for the answer where nobody says how much: what most answers need.
inline constexpr int64_t output_tokens_assumed = 1024;

// `none`: it can. `plain` is demands.is_plain(), asked once for all models.
Exclusion missing_capability(const catalog::Model& model, Way way, const Demands& demands,
                             bool plain);
inline Exclusion missing_capability(const catalog::Model& model, Way way, const Demands& demands) {
  return missing_capability(model, way, demands, demands.is_plain());
}

}  // namespace hyperion::routing
