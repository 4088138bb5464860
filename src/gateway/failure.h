// Answers of Hyperion's own that are not a success.
//
// One Failure holds all that an error answer needs: status, type, code, param and a sentence that
// says what was expected and what was given. Made by the functions below, written in the client's
// dialect by dialect/error_body. Texts hold field names, limits and model names, never a value of
// the prompt, never a secret. Pure; no allocation.
#pragma once

#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "dialect/error_body.h"
#include "dialect/notes.h"
#include "dialect/provider_error.h"
#include "http/request_parser.h"
#include "json/body_scan.h"

namespace hyperion::gateway {

struct Failure {
  uint16_t status = 0;  // 0: no failure
  const char* type = nullptr;
  const char* code = nullptr;
  char said_code[64] = {};       // a provider's own, which goes before `code`
  int64_t retry_after_ms = -1;   // -1: no such header
  bool should_retry_no = false;  // x-should-retry: false
  char param[96] = {};
  char message[640] = {};
  bool message_is_raw = false;  // a provider's: the inside of a JSON string

  explicit operator bool() const { return status != 0; }
};

Failure make_failure(uint16_t status, const char* code, std::string_view param, const char* format,
                     ...) __attribute__((format(printf, 4, 5)));

// What the HTTP layer, the JSON layer or an upstream had to say, as an answer.
Failure failure_of(const http::Rejection& rejection);
Failure failure_of(const json::ScanError& error);
Failure failure_of_upstream(Error error, std::string_view provider);

// What an error without words of the provider's stands for.
dialect::ErrorKind kind_of(Error error);
// Whether it is a bound of this program that was hit, not the provider's doing.
bool is_own_bound(Error error);

Failure failure_of(const dialect::RequestProblem& problem);
// What a provider refused or broke, as an answer of ours: in the provider's words where they are
// the client's to know.
Failure failure_of(const dialect::ProviderError& said, std::string_view provider);

// As the dialects write it. Views into the failure.
dialect::ErrorAnswer answer_of(const Failure& failure, std::string_view request_id);

}  // namespace hyperion::gateway
