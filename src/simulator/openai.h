// OpenAI's dialect, simulated: chat completions, completions, embeddings, moderations, models.
//
// The shapes are those of recorded answers (field order, null members, obfuscation, head lines),
// the contents our own. Refuses what the provider refuses: no key, unknown model, bad JSON, fields
// of Hyperion's own, limits below one, prompts beyond the model's context.
// openai.cpp holds the routes and errors, openai_chat.cpp, openai_turn.cpp and openai_other.cpp the
// answers, openai_tools.cpp what a called tool is given; openai_responses.h is the newer endpoint.
#pragma once

#include "simulator/dialect.h"

namespace hyperion::simulator {

extern const Dialect openai_dialect;

namespace openai {

void answer_chat(const Call& call, Answer& answer);
void answer_completion(const Call& call, Answer& answer);
void answer_embeddings(const Call& call, Answer& answer);
void answer_moderation(const Call& call, Answer& answer);
void answer_models(const Call& call, Answer& answer);
void answer_model(const Call& call, Answer& answer);

void write_error(const ErrorReply& error, Answer& answer);

// The model that is asked for and serves `endpoints` (bits of catalog::Endpoint); otherwise
// nullptr, and the refusal is written.
const catalog::Model* find_model(const Call& call, unsigned endpoints, Answer& answer);

// An integer field: `otherwise` where it is absent or null. False: it is below 1, above `max`, or
// no integer, and the refusal is written.
bool read_count(const Call& call, json::Key key, uint32_t max, uint32_t otherwise, uint32_t& count,
                Answer& answer);

// Tokens of each choice, and whether the request's limit ends it. False: refused.
bool read_limit(const Call& call, Generation& generation, Answer& answer);

// False: `tokens` do not fit the model's context, refused.
bool check_context(const catalog::Model& model, uint64_t tokens, Answer& answer);

// "usage":{...} of what was generated. `details`: the objects that chat has.
void append_usage(const Generation& generation, bool details, std::string& out);

uint32_t completion_tokens(const Generation& generation);

// Does the request want a tool to be called? Fills name and arguments.
bool read_tool_call(const Call& call, Generation& generation);

// The members that name an answer, and those that name the system behind it; without a comma.
void append_ids(std::string& out, const Generation& generation, std::string_view prefix,
                std::string_view object);
void append_fingerprint(std::string& out, const Generation& generation);

// Is the answer more than words or one call? Then it is worked out as a turn.
bool wants_turn(const Call& call);
void answer_turn(const Call& call, Generation& generation, Answer& answer);

// False: the model takes no such limit, sampling or effort, and the refusal is written.
bool check_reasoning(const Call& call, const catalog::Model& model, Answer& answer);

// The value of a top-level key that the scan does not list; empty where there is none.
std::string_view find_value(std::string_view object, std::string_view key);

}  // namespace openai
}  // namespace hyperion::simulator
