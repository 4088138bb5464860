// OpenAI's Responses: passing by, and translated.
//
// `language` is the dialect with its four translators (openai_responses_parts.h), for the stateless
// subset: what would need a memory at our side (previous_response_id, conversation, background,
// stored prompts) is refused by name. In passthrough nothing is translated: `observe_event` looks
// at one SSE event of a streamed answer, `observe_answer` at a whole plain one. Both only read. A
// stream ends properly with response.completed, response.incomplete or response.failed; their
// absence is a cut. Costs: a look at the event's name after the first token, about 1 ns a byte
// before it.
#pragma once

#include <string_view>

#include "dialect/language.h"
#include "dialect/observation.h"
#include "http/sse_splitter.h"

namespace hyperion::dialect::openai_responses {

const Language& language();

// `committed`: the first semantic token was seen already, so only usage, errors and the end matter.
Observation observe_event(const http::SseEvent& event, bool committed, Usage& usage);

void observe_answer(std::string_view body, Usage& usage);

}  // namespace hyperion::dialect::openai_responses
