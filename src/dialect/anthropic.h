// Anthropic's Messages API: passing by, and translated.
//
// `language` is the dialect with its four translators (anthropic_parts.h). In passthrough nothing
// is translated: `observe_event` looks at one SSE event of a streamed answer, `observe_answer` at a
// whole plain one; both only read, and take any bytes. A stream ends properly with `message_stop`;
// its absence is a cut. Usage is cumulative and comes in pieces: what is named replaces what was
// known, nothing is added. Costs: after the first token an event of text is known by its name and
// not read; otherwise about 1 ns a byte.
#pragma once

#include <string_view>

#include "dialect/language.h"
#include "dialect/observation.h"
#include "http/sse_splitter.h"

namespace hyperion::dialect::anthropic {

const Language& language();

// Of /v1/messages/count_tokens: as language().decode_request, but max_tokens may be missing.
bool decode_count_request(std::string_view body, Workspace workspace, Request& request,
                          RequestProblem& problem);

// `committed`: the first semantic token was seen already, so only usage, errors and the end matter.
Observation observe_event(const http::SseEvent& event, bool committed, Usage& usage);

// Reads the usage of a whole answer. What is missing stays as it was.
void observe_answer(std::string_view body, Usage& usage);

}  // namespace hyperion::dialect::anthropic
