// How many tokens a request is, without a tokenizer.
//
// Fitted to o200k on natural documents of many kinds; the errors are those of the test beside it.
// Texts are counted by their features (words, digits, punctuation, scripts), long ones from their
// beginning, middle and end; everything else by its bytes. Used for context limits and expected
// costs; what a budget holds is bounded by bytes elsewhere. Pure, no allocation.
#pragma once

#include <cstdint>
#include <string_view>

#include "routing/prompt.h"
#include "routing/window.h"

namespace hyperion::routing {

struct TokenEstimate {
  uint32_t expected = 0;
  uint32_t most = 0;  // no byte-level tokenizer makes more of it, images and files aside
};

// Of one text, the raw inside of a JSON string.
uint32_t estimate_text_tokens(std::string_view raw);

// Of the whole request. `window`: of its last turn.
TokenEstimate estimate_tokens(const Conversation& conversation, const Window& window);
TokenEstimate estimate_tokens(const Conversation& conversation);

}  // namespace hyperion::routing
