// An error answer in the client's dialect.
//
// The gateway's own refusals and a provider's errors that were translated come out the same way:
// OpenAI's {"error": {message, type, param, code}}, Anthropic's {"type": "error", ...} and Google's
// {"error": {code, message, status, details}}. Types and statuses follow from the HTTP status by
// one table. Pure.
#pragma once

#include <cstdint>
#include <string_view>

#include "dialect/wire.h"
#include "json/output.h"

namespace hyperion::dialect {

struct ErrorAnswer {
  uint16_t status = 500;
  std::string_view type;  // OpenAI's word; empty: by the status
  std::string_view code;  // empty: null
  std::string_view param;
  std::string_view message;     // plain, or
  bool message_is_raw = false;  // the inside of a JSON string
  std::string_view request_id;  // of Anthropic's shape
  int64_t retry_after_ms = -1;  // Google has it in the body
};

// The body of an error answer.
void write_error(Wire wire, const ErrorAnswer& answer, json::Output& out);

// How a stream is written; the array is Gemini's without SSE.
enum class StreamForm : uint8_t {
  events,
  array_unbegun,  // nothing of it has been written
  array_begun,
};

// The same as an event of a stream that breaks off, which it ends.
void write_error_event(Wire wire, const ErrorAnswer& answer, StreamForm form, json::Output& out);

}  // namespace hyperion::dialect
