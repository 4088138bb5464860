// OpenAI's Chat Completions (and Completions, Embeddings): passing by, and translated.
//
// `language` is the dialect with its four translators (openai_chat_parts.h). In passthrough nothing
// is translated: `observe_event` looks at one SSE event of a streamed answer, `observe_answer` at a
// whole plain one. Both only read. A stream ends properly with `data: [DONE]`; its absence is a
// cut, but at hosts that have no such marker: there `tells_finish` finds the end. Usage replaces,
// never adds: the last report is the true one. Costs: a substring search for an event after the
// first token, about 1 ns a byte before it.
#pragma once

#include <string_view>

#include "dialect/language.h"
#include "dialect/observation.h"
#include "http/sse_splitter.h"

namespace hyperion::dialect::openai_chat {

const Language& language();

// `committed`: the first semantic token was seen already, so only usage, errors and the end matter.
Observation observe_event(const http::SseEvent& event, bool committed, Usage& usage);

void observe_answer(std::string_view body, Usage& usage);

// Whether a chunk says why a choice has ended.
bool tells_finish(std::string_view data);

}  // namespace hyperion::dialect::openai_chat
