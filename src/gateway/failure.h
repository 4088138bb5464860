// Answers of Hyperion's own that are not a success, in OpenAI's shape.
//
// One Failure holds all that an error answer needs: status, type, code, param and a sentence that
// says what was expected and what was given. Made by the functions below, written by `write_body`.
// Texts hold field names, limits and model names, never a value of the prompt, never a secret.
// Pure; no allocation.
#pragma once

#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "http/request_parser.h"
#include "json/body_scan.h"

namespace hyperion::gateway {

struct Failure {
  uint16_t status = 0;  // 0: no failure
  const char* type = nullptr;
  const char* code = nullptr;
  uint32_t retry_after_s = 0;    // 0: no such header
  bool should_retry_no = false;  // x-should-retry: false
  char param[96] = {};
  char message[400] = {};

  explicit operator bool() const { return status != 0; }
};

Failure make_failure(uint16_t status, const char* code, std::string_view param, const char* format,
                     ...) __attribute__((format(printf, 4, 5)));

// What the HTTP layer, the JSON layer or an upstream had to say, as an answer.
Failure failure_of(const http::Rejection& rejection);
Failure failure_of(const json::ScanError& error);
Failure failure_of_upstream(Error error, std::string_view provider);

// The JSON body; at most `capacity` bytes. Returns its length.
size_t write_body(const Failure& failure, char* out, size_t capacity);

}  // namespace hyperion::gateway
