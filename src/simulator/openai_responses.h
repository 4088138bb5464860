// OpenAI's Responses, simulated: plain and streamed, with the provider's sequence of events.
//
// Judged more strictly than chat completions: unknown fields and items, outputs of calls that were
// never made, limits and sampling that the model does not take. Nothing is stored: a request that
// builds on `previous_response_id` is refused. openai_responses_check.cpp holds the refusals,
// openai_responses.cpp the words. Routes and errors are those of openai.h. No state.
#pragma once

#include <string>

#include "simulator/openai.h"
#include "simulator/turn.h"

namespace hyperion::simulator::openai {

struct ResponseRequest {
  JsonValue root;
  const catalog::Model* model = nullptr;
  TurnRequest turn;
  uint64_t tokens = 0;
};

void answer_response(const Call& call, Answer& answer);

// False: refused.
bool read_response_request(const Call& call, ResponseRequest& request, Answer& answer);

}  // namespace hyperion::simulator::openai
