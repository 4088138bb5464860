// The four translators of Responses, as openai_responses.cpp puts them into the Language.
//
// Requests are read in openai_responses_request.cpp, _tools.cpp, _items.cpp and _content.cpp, and
// written in openai_responses_request_writer.cpp and _item_writer.cpp; answers are read in
// openai_responses_answer.cpp and _answer_items.cpp and written in
// openai_responses_answer_writer.cpp, _object_writer.cpp and _echo_writer.cpp. What they promise
// stands in language.h. Used by nobody else.
//
// Reasoning that another vendor signed travels in `encrypted_content` of a reasoning item, behind
// the prefix of text.h. Two things have no place of their own there and are marked after the
// prefix: an opaque block (Anthropic's redacted_thinking) and the signature that belongs to the
// function call which follows (Gemini's). A signature is base64, so that the dot tells the marks
// apart.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "dialect/language.h"
#include "json/cursor.h"

namespace hyperion::dialect::openai_responses {

inline constexpr std::string_view redacted_mark = "redacted.";
inline constexpr std::string_view call_mark = "call.";

bool decode_request(std::string_view body, Workspace workspace, Request& request,
                    RequestProblem& problem);

bool encode_request(const Request& request, const Target& target, Workspace workspace,
                    json::Output& out, Notes& notes);

AnswerDecoder* make_decoder(Arena& arena, ByteBuffer& scratch);

AnswerEncoder* make_encoder(const AnswerContext& context, Arena& arena, ByteBuffer& scratch,
                            json::Output& out);

// Reads the usage object that comes next: numbers that it leaves out are 0. Anything but an object
// is passed over and gives false.
bool read_usage(json::Cursor& cursor, Usage& usage);

// A member that is looked for in an object: `raw` becomes its value as it stands, or stays empty
// where it is absent or null. Of repeated keys the last counts.
struct Member {
  std::string_view name;
  std::string_view raw;
};
// False: what comes next is no object (and still comes next), or is broken.
bool gather(json::Cursor& cursor, Member* members, size_t count);
// The same of a text that is one object.
template <size_t count>
bool gather(std::string_view object, Member (&members)[count]) {
  json::Cursor cursor(object);
  return gather(cursor, members, count) && cursor.at_end();
}

// The inside of a JSON string; empty if `raw` is no string.
std::string_view inside_of(std::string_view raw);

}  // namespace hyperion::dialect::openai_responses
