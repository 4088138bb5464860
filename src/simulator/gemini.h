// Gemini's dialect, simulated: generateContent and its stream, countTokens, embeddings, models; at
// the Gemini API's paths and at those of Vertex AI.
//
// As strict as the provider, which reads a request into typed messages: unknown fields, wrong types
// and roles out of order are refused in its words. Names may come in camel or snake case, as there.
// Streams are server-sent events with CR LF, or one JSON array where alt=sse is not asked for.
// Calls of models that think in levels carry a signature and must bring it back.
// gemini.cpp holds routes and errors, gemini_check, gemini_tools and gemini_contents the refusals,
// gemini_answer.cpp the words, gemini_other.cpp everything that is not generated. No state.
#pragma once

#include <string>
#include <string_view>

#include "simulator/dialect.h"
#include "simulator/turn.h"

namespace hyperion::simulator {

extern const Dialect gemini_dialect;

namespace gemini {

struct Request {
  JsonValue root;
  const catalog::Model* model = nullptr;
  bool vertex = false;
  bool counts_only = false;
  bool thoughts_shown = false;
  bool has_functions = false;
  TurnRequest turn;
  uint64_t tokens = 0;
};

// By the method that the path names after the colon.
void answer_method(const Call& call, Answer& answer);
void generate(const Call& call, bool stream, Answer& answer);
void count(const Call& call, Answer& answer);
void embed(const Call& call, bool batch, Answer& answer);
void answer_models(const Call& call, Answer& answer);
void answer_model(const Call& call, Answer& answer);

void write_error(const ErrorReply& error, Answer& answer);
// Writes a 400 INVALID_ARGUMENT with that message; always false.
bool refuse(Answer& answer, const std::string& message);
// The model of the path, or nullptr with a 404 written.
const catalog::Model* find_model(const Call& call, std::string_view method, Answer& answer);
bool is_vertex(const Call& call);

// A member by its name in camel case, however it is spelled.
JsonValue member(JsonValue object, std::string_view camel_name);
// Refuses what is no object, and members that are not `known`. `path` as the provider writes it:
// "generation_config", or empty.
bool check_members(JsonValue object, std::initializer_list<std::string_view> known,
                   const std::string& path, Answer& answer);
bool read_request(const Call& call, JsonValue root, Request& request, Answer& answer);
// The subset of OpenAPI that `parameters` and `responseSchema` are.
bool check_schema(JsonValue schema, const std::string& path, int depth, Answer& answer);
bool check_tools(Request& request, Answer& answer);
bool check_tool_config(Request& request, Answer& answer);
bool read_contents(Request& request, Answer& answer);
// One content of an embedding or of the system's instruction: its texts only.
bool count_texts(JsonValue content, const std::string& path, uint64_t& tokens, Answer& answer);

// What a call carries, bound to the name of its function.
std::string signature_of(uint64_t seed, std::string_view function);

// `json`, compact, as the provider prints it: indented by two, or with a space after each colon.
void append_pretty(std::string& out, std::string_view json);
void append_spaced(std::string& out, std::string_view json);

}  // namespace gemini
}  // namespace hyperion::simulator
