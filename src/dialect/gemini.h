// Gemini's generateContent, both ways.
//
// The files of this dialect: gemini_request.cpp, gemini_config.cpp and gemini_contents.cpp read a
// Google client's request (gemini_reader.h), gemini_request_writer.cpp and
// gemini_contents_writer.cpp write one for Gemini (gemini_writer.h), gemini_answer.cpp reads
// Gemini's answers and streams, gemini_answer_writer.cpp writes them for Google's clients,
// gemini_observe.cpp looks on in passthrough, gemini_schema.cpp turns OpenAPI's schemas into JSON
// Schema. Vertex AI is the same but for its base URL. Embeddings are in gemini_embedding.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "dialect/language.h"

namespace hyperion::dialect::gemini {

const Language& language();

// Passthrough. The event is one of a stream: of SSE, or an element of the array that comes without
// `alt=sse` (json::ArraySplitter), given as its `data`. A finishReason is the end of a stream, as
// no marker follows it. Usage is cumulative: the last report holds. About 1 ns a byte.
Observation observe_event(const http::SseEvent& event, bool committed, Usage& usage);
// A whole plain answer, or a whole array.
void observe_answer(std::string_view body, Usage& usage);

// "/models/M:generateContent", or ":streamGenerateContent?alt=sse"; 0 when it does not fit.
size_t write_path(std::string_view model, bool stream, char* out, size_t capacity);
// The same for any other method: `action` is ":countTokens", ":batchEmbedContents".
size_t write_action_path(std::string_view model, std::string_view action, char* out,
                         size_t capacity);
// "models/M", as bodies name a model, within an open string.
void add_model_name(json::Output& out, std::string_view model);

// Counting tokens: the body of `:countTokens` for a request, and the number in its answer (-1 when
// there is none).
bool encode_count_tokens(const Request& request, const Target& target, Workspace workspace,
                         json::Output& out, Notes& notes);
int64_t read_total_tokens(std::string_view body);

bool decode_request(std::string_view body, Workspace workspace, Request& request,
                    RequestProblem& problem);
bool encode_request(const Request& request, const Target& target, Workspace workspace,
                    json::Output& out, Notes& notes);
AnswerDecoder* make_decoder(Arena& arena, ByteBuffer& scratch);
AnswerEncoder* make_encoder(const AnswerContext& context, Arena& arena, ByteBuffer& scratch,
                            json::Output& out);

}  // namespace hyperion::dialect::gemini
