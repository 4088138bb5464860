// Anthropic's dialect, simulated: messages, plain and streamed, the count of tokens, and models.
//
// As strict as the provider: it is what a translator is tried against, so a request that would be
// refused there is refused here, with an error that says the same. Facts of a model (efforts, kinds
// of thinking, sampling) are the catalogue's. Answers have the shapes of recorded ones: padded
// JSON, pings, cumulative usage, signatures on thinking that are checked when they come back.
// anthropic.cpp holds routes, errors and models, anthropic_check.cpp, anthropic_tools.cpp and
// anthropic_messages.cpp the refusals, anthropic_answer.cpp the words. No state between requests.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "simulator/dialect.h"
#include "simulator/turn.h"

namespace hyperion::simulator {

extern const Dialect anthropic_dialect;

namespace anthropic {

struct Request {
  JsonValue root;
  const catalog::Model* model = nullptr;
  bool newer_version = false;  // 2026-10-21: no sampling for any model
  bool counts_only = false;    // for count_tokens
  bool thinking_must_return = false;
  bool thinking_shown = true;
  TurnRequest turn;
  TokenCounts counts;
  unsigned cache_marks = 0;
  std::vector<std::string> tool_use_ids;  // of the last message of the assistant
};

void answer_messages(const Call& call, Answer& answer);
void answer_count(const Call& call, Answer& answer);
void answer_models(const Call& call, Answer& answer);
void answer_model(const Call& call, Answer& answer);

void write_error(const ErrorReply& error, Answer& answer);

// Writes a 400 with that message; always false.
bool refuse(Answer& answer, const std::string& message);

// The whole request, judged. False: refused.
bool read_request(const Call& call, Request& request, Answer& answer);

// Refuses members of `object` that are not `known`; `path` ends in a dot, or is empty.
bool only_known(JsonValue object, std::initializer_list<std::string_view> known,
                const std::string& path, Answer& answer);

// Refuses a schema that the grammar behind structured answers cannot hold.
bool check_schema(JsonValue schema, const std::string& path, int depth, Answer& answer);
bool check_tools(Request& request, Answer& answer);
bool read_system(Request& request, Answer& answer);
bool read_messages(Request& request, Answer& answer);

// Books the tokens of a text or block, by the cache_control that stands at it.
bool count_tokens(JsonValue block, uint64_t tokens, const std::string& path, Request& request,
                  Answer& answer);

// What proves that thinking is ours and unchanged.
std::string signature_of(uint64_t seed, std::string_view thinking);
bool is_signature_of(std::string_view signature, std::string_view thinking);

}  // namespace anthropic
}  // namespace hyperion::simulator
