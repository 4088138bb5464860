// Gemini's words, as both its readers and its writers need them.
//
// Pure; no memory but the arena's. Field names come in camelCase or snake_case, as protobuf's JSON
// allows; finish reasons and usage are mapped by the tables of gemini_text.cpp. Used only by the
// files of this dialect.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/arena.h"
#include "dialect/event.h"
#include "dialect/observation.h"
#include "dialect/request.h"
#include "json/cursor.h"
#include "json/output.h"

namespace hyperion::dialect::gemini {

// Is `key` the field `camel` ("maxOutputTokens"), in either spelling ("max_output_tokens")?
bool is_named(std::string_view key, std::string_view camel);

// What a finishReason means; `saw_call`: the candidate made a call. Unknown ones are an ordinary
// stop, as OTHER is.
Finish finish_of(std::string_view reason, bool saw_call);
// The finishReason for a client.
std::string_view reason_of(Finish finish);

// Reads a usageMetadata. Numbers that are missing in it are 0; without any count of tokens (Vertex
// sends such before the last chunk) `usage` is left as it was.
void read_usage(json::Cursor& cursor, Usage& usage);
void write_usage(const Usage& usage, json::Output& out);

// A signature of another maker on its way through a thoughtSignature, which Google's clients want
// to be base64: the base64 of "hyperion.<maker>.<signature>". Within an open string.
void add_foreign_signature(json::Output& out, std::string_view signature, Maker maker,
                           bool redacted);

struct Signature {
  Raw text;
  Maker maker = Maker::unknown;
  bool redacted = false;  // an opaque block of reasoning, not a signature of one
};
// Of a client's thoughtSignature (the inside of a JSON string). Without our prefix it is Gemini's;
// a prefix with anything unexpected behind it, or no room: maker unknown, and no text.
Signature read_signature(Arena& arena, std::string_view inside);

// Base64 in either alphabet, no line breaks; `url_safe` says which. '\/' counts as '/'.
bool is_any_base64(std::string_view inside, bool& url_safe);

// Base64 of `bytes` with padding, to `out`, which has room for four letters for every three bytes.
size_t encode_base64(std::string_view bytes, char* out);

// Seconds since 1970 of "2026-08-19T14:36:04.560385Z"; 0 when it is none.
int64_t seconds_of(std::string_view time);

// Appends the JSON text `json` without the blanks between its tokens: as it is, so that it takes
// one line, or escaped to stand inside a JSON string.
void add_compact(json::Output& out, std::string_view json, bool escaped);

}  // namespace hyperion::dialect::gemini
