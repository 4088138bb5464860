// Features and weights to scores: what a prompt asks for, and how hard it is.
//
// Called once for each turn of the user that a decision looks at. Pure, no allocation, the same
// bits on every machine: integers, and floating point in one fixed order without contraction.
// Costs about half of what the features cost, 0.5 us for ordinary prompts.
#pragma once

#include "routing/features.h"
#include "routing/prompt.h"
#include "routing/scores.h"
#include "routing/weights.h"

namespace hyperion::routing {

// `traits`, if it is given, gets the structure that the scores were made from.
Scores score_prompt(const Prompt& prompt, const Wants& wants, const Weights& weights,
                    TraitRow* traits = nullptr);

// The same with the window of the prompt, where there is one already.
Scores score_prompt(const Prompt& prompt, const Window& window, const Wants& wants,
                    const Weights& weights, TraitRow* traits = nullptr);

// The second half of it.
Scores score_features(const Features& features, const Weights& weights, TraitRow* traits = nullptr);

}  // namespace hyperion::routing
