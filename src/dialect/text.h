// Small things that every dialect needs: unescaping names, data URLs, base64, signatures.
//
// Pure; memory only from the workspace, and a function that needs some says what becomes of it when
// there is none. Nothing here knows a dialect. Texts are the insides of JSON strings with their
// escapes wherever a parameter is called `inside`.
#pragma once

#include <string_view>

#include "base/arena.h"
#include "base/byte_buffer.h"
#include "dialect/request.h"
#include "dialect/wire.h"
#include "json/output.h"

namespace hyperion::dialect {

// What the inside of a JSON string stands for: the view itself without escapes, else a copy in the
// arena. False: no room.
bool unescape_into(Arena& arena, std::string_view inside, std::string_view& plain);

// Is `text` exactly one JSON object (blanks around it allowed), valid in every corner?
bool is_json_object(std::string_view text);
// The same of the text that stands escaped inside a JSON string; `scratch` is overwritten.
bool is_json_object_escaped(std::string_view inside, ByteBuffer& scratch);

// Is `text` the inside of a JSON string, valid in every corner? Asked of what was read from a text
// that may not be JSON. About 1 ns a byte.
bool is_inside(std::string_view text);

// Of "data:image/png;charset=x;base64,iVBO...": the media type, plain and lower case without its
// parameters, and the data. The inside of a JSON string, as `\/` may stand in both. False: not a
// data URL in base64.
bool split_data_url(Arena& arena, std::string_view inside, std::string_view& media_type,
                    std::string_view& data);
bool is_data_url(std::string_view inside);

// Base64 of the standard alphabet with padding as needed, no line breaks, at least one byte; `\/`
// counts as '/'. Costs about 1 ns a byte.
bool is_base64(std::string_view inside);

// The data of a part, within an open string: in the standard alphabet whichever it came in.
void add_data(json::Output& out, const Part& part);

// Signatures of one maker travel through another's dialect in its own field, behind a prefix that
// names the maker: "hyperion.gemini.<signature>".
void add_signature(json::Output& out, std::string_view signature, Maker maker, Maker home);
// Takes the prefix off again; without one the signature is `home`'s.
Maker maker_of(std::string_view& signature, Maker home);

// Whether a conversation in `wire` carries thinking that is marked as another vendor's than the
// dialect's own: it means nothing there, and the provider refuses it. `unmarked`: of OpenAI's chat,
// whose fields for it are no provider's own, any thinking counts. Looks at every byte, 16 at a
// time: about 60 ns a KB.
bool carries_foreign_thinking(Wire wire, std::string_view body, bool unmarked);

// The beginning of the inside of a JSON string: at most `size_max_bytes` of it, no escape and no
// character cut in two, so that it is one again.
std::string_view bounded_inside(std::string_view inside, size_t size_max_bytes);

// "event: NAME\ndata: " (no event line when `name` is empty), and the end of the event.
void begin_event(json::Output& out, std::string_view name);
void end_event(json::Output& out);

}  // namespace hyperion::dialect
