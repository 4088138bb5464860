// The four translators of Chat Completions, as openai_chat.cpp puts them into the Language.
//
// Each has a file of its own: requests are read in openai_chat_request.cpp and written in
// openai_chat_request_writer.cpp, answers are read in openai_chat_answer.cpp and written in
// openai_chat_answer_writer.cpp. What they promise stands in language.h. Used by nobody else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "catalog/facts.h"
#include "dialect/language.h"
#include "json/cursor.h"

namespace hyperion::dialect::openai_chat {

bool decode_request(std::string_view body, Workspace workspace, Request& request,
                    RequestProblem& problem);

bool encode_request(const Request& request, const Target& target, Workspace workspace,
                    json::Output& out, Notes& notes);

AnswerDecoder* make_decoder(Arena& arena, ByteBuffer& scratch);

AnswerEncoder* make_encoder(const AnswerContext& context, Arena& arena, ByteBuffer& scratch,
                            json::Output& out);

// Reads the usage object that comes next, of whichever OpenAI-shaped provider. What it does not
// name stays as it was; anything but an object is passed over and gives false.
bool read_usage(json::Cursor& cursor, Usage& usage);

}  // namespace hyperion::dialect::openai_chat
