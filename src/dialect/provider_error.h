// What a provider's refusal or failure means, whatever its words for it.
//
// One table (provider_error.cpp) maps status, type, code and text of every dialect to a kind; the
// kind says whose fault it is and whether trying again can help, and everything later (answers to
// clients, fallback, circuit breakers) reads only the kind. Pure; no allocation; hostile bodies
// give `server` or `invalid_request` by the status alone. Messages are views into the body.
#pragma once

#include <cstdint>
#include <string_view>

#include "dialect/wire.h"
#include "http/head.h"

namespace hyperion::dialect {

enum class ErrorKind : uint8_t {
  none,
  invalid_request,   // the client's fault
  context_too_long,  // the client's, but a model with a larger window could do it
  too_large,
  content_policy,  // the provider's filter refused the prompt
  bad_key,         // the gateway's credentials were refused
  money,           // out of credit, a spend limit: waiting does not help
  forbidden,       // country, model access
  no_model,
  conflict,
  rate_limit,
  overload,
  server,
  timeout,
  cancelled,
};

// What follows from a kind.
struct ErrorTraits {
  uint16_t status;    // to the client
  const char* type;   // OpenAI's word for it
  const char* code;   // stable code to the client; nullptr: the provider's, or null
  bool client_fault;  // no other candidate could do better
  bool retryable;     // the same candidate may succeed later
  bool moves_on;      // another candidate may succeed now
  bool key_fault;     // another key may succeed
};
const ErrorTraits& traits_of(ErrorKind kind);
std::string_view name_of(ErrorKind kind);

struct ProviderError {
  ErrorKind kind = ErrorKind::none;
  uint16_t status = 0;       // as it came; of an error within a stream: what it stands for
  std::string_view message;  // inside of a JSON string, escapes as they are; may be empty
  std::string_view type;     // likewise: the provider's words
  std::string_view code;
  std::string_view param;
  int64_t retry_after_ms = -1;  // -1: not given
  // x-should-retry of OpenAI and Anthropic: overrules the kind. 0 not given, 1 yes, -1 no.
  int8_t should_retry = 0;
  // What came could not be read: the message is this program's own.
  bool unreadable = false;
};

// Whether `text`, a body or an event of a provider, holds `secret`, also where JSON spells it with
// escapes. An empty secret is nowhere. For errors, not for every answer: it looks at each byte.
bool holds_secret(std::string_view text, std::string_view secret);

// Of an answer whose status is not 2xx. `body` may be anything.
ProviderError read_error(Wire wire, uint16_t status, const http::HeaderList& headers,
                         std::string_view body);

// Of an error object that came in a stream after a 200 ({"error": {...}} or Anthropic's event).
ProviderError read_stream_error(Wire wire, std::string_view data);

}  // namespace hyperion::dialect
