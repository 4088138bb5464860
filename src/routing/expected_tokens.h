// How many tokens a model thinks and answers: guesses for expected costs.
//
// Read by the roster, for requests that do not speak of thinking, and by the selection. They only
// weigh models against each other. Pure; cannot fail.
#pragma once

#include <cstdint>

#include "catalog/model.h"
#include "routing/kinds.h"
#include "routing/prompt.h"

namespace hyperion::routing {

// Before it answers; at most 16,000.
int64_t thinking_tokens(const catalog::Model& model, const Wants& wants);

// Of answers to requests of a kind, by what they allow.
int64_t expected_output_tokens(Kind kind, const Wants& wants);

}  // namespace hyperion::routing
