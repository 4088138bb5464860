#include "dialect/error_body.h"

#include <cstdio>
#include <iterator>

#include "dialect/text.h"

namespace hyperion::dialect {
namespace {

struct StatusRow {
  uint16_t status;
  const char* openai;
  const char* anthropic;
  const char* google;
};

// The words of the three for an HTTP status; the last two rows stand for all other 4xx and 5xx.
constexpr StatusRow rows[] = {
    {401, "authentication_error", "authentication_error", "UNAUTHENTICATED"},
    {402, "insufficient_quota", "billing_error", "RESOURCE_EXHAUSTED"},
    {403, "permission_error", "permission_error", "PERMISSION_DENIED"},
    {404, "not_found_error", "not_found_error", "NOT_FOUND"},
    {408, "invalid_request_error", "timeout_error", "DEADLINE_EXCEEDED"},
    {409, "invalid_request_error", "conflict_error", "ABORTED"},
    {413, "invalid_request_error", "request_too_large", "INVALID_ARGUMENT"},
    {429, "rate_limit_error", "rate_limit_error", "RESOURCE_EXHAUSTED"},
    {503, "server_error", "overloaded_error", "UNAVAILABLE"},
    {504, "server_error", "timeout_error", "DEADLINE_EXCEEDED"},
    {529, "server_error", "overloaded_error", "UNAVAILABLE"},
    {400, "invalid_request_error", "invalid_request_error", "INVALID_ARGUMENT"},
    {500, "server_error", "api_error", "INTERNAL"},
};

const StatusRow& row_of(uint16_t status) {
  for (const StatusRow& row : rows) {
    if (row.status == status) return row;
  }
  return rows[std::size(rows) - (status >= 500 ? 1 : 2)];
}

void write_message(const ErrorAnswer& answer, json::Output& out) {
  out.key("message");
  if (answer.message_is_raw) {
    out.raw_string(answer.message);
  } else {
    out.string(answer.message);
  }
}

void write_or_null(json::Output& out, std::string_view name, std::string_view text) {
  out.key(name);
  if (text.empty()) {
    out.null();
  } else {
    out.string(text);
  }
}

void write_openai(const ErrorAnswer& answer, json::Output& out) {
  out.begin_object();
  out.key("error");
  out.begin_object();
  write_message(answer, out);
  out.member("type", answer.type.empty() ? row_of(answer.status).openai : answer.type);
  write_or_null(out, "param", answer.param);
  write_or_null(out, "code", answer.code);
  out.end_object();
  out.end_object();
}

// The event of a Responses stream has the error at its top; the official clients raise where there
// is an `error` as well.
void write_responses_event(const ErrorAnswer& answer, json::Output& out) {
  out.begin_object();
  out.member("type", "error");
  write_or_null(out, "code", answer.code);
  write_message(answer, out);
  write_or_null(out, "param", answer.param);
  out.member("sequence_number", int64_t{0});
  out.key("error");
  out.begin_object();
  out.member("type", answer.type.empty() ? row_of(answer.status).openai : answer.type);
  write_or_null(out, "code", answer.code);
  write_message(answer, out);
  write_or_null(out, "param", answer.param);
  out.end_object();
  out.end_object();
}

void write_anthropic(const ErrorAnswer& answer, json::Output& out) {
  out.begin_object();
  out.member("type", "error");
  out.key("error");
  out.begin_object();
  out.member("type", row_of(answer.status).anthropic);
  write_message(answer, out);
  if (!answer.code.empty()) {
    out.key("details");
    out.begin_object();
    out.member("error_code", answer.code);
    if (!answer.param.empty()) out.member("param", answer.param);
    out.end_object();
  }
  out.end_object();
  write_or_null(out, "request_id", answer.request_id);
  out.end_object();
}

void write_google(const ErrorAnswer& answer, json::Output& out) {
  out.begin_object();
  out.key("error");
  out.begin_object();
  out.member("code", int64_t{answer.status});
  write_message(answer, out);
  out.member("status", row_of(answer.status).google);
  out.key("details");
  out.begin_array();
  if (!answer.code.empty()) {
    out.begin_object();
    out.member("@type", "type.googleapis.com/google.rpc.ErrorInfo");
    out.member("reason", answer.code);
    out.member("domain", "hyperion");
    if (!answer.param.empty()) {
      out.key("metadata");
      out.begin_object();
      out.member("param", answer.param);
      out.end_object();
    }
    out.end_object();
  }
  if (answer.retry_after_ms >= 0) {
    out.begin_object();
    out.member("@type", "type.googleapis.com/google.rpc.RetryInfo");
    out.key("retryDelay");
    out.open_string();
    char text[32];
    const int64_t seconds = (answer.retry_after_ms + 999) / 1000;
    out.add_plain({text, static_cast<size_t>(std::snprintf(text, sizeof(text), "%llds",
                                                           static_cast<long long>(seconds)))});
    out.close_string();
    out.end_object();
  }
  out.end_array();
  out.end_object();
  out.end_object();
}

}  // namespace

void write_error(Wire wire, const ErrorAnswer& answer, json::Output& out) {
  switch (wire) {
    case Wire::anthropic: write_anthropic(answer, out); return;
    case Wire::gemini: write_google(answer, out); return;
    default: write_openai(answer, out);
  }
}

void write_error_event(Wire wire, const ErrorAnswer& answer, StreamForm form, json::Output& out) {
  if (form != StreamForm::events) {
    out.bytes(form == StreamForm::array_begun ? ",\r\n" : "[");
    write_error(wire, answer, out);
    out.bytes("\r\n]");
    return;
  }
  const bool named = wire == Wire::anthropic || wire == Wire::openai_responses;
  begin_event(out, named ? "error" : "");
  if (wire == Wire::openai_responses) {
    write_responses_event(answer, out);
  } else {
    write_error(wire, answer, out);
  }
  if (wire == Wire::gemini) {
    out.bytes("\r\n\r\n");
  } else {
    end_event(out);
  }
}

}  // namespace hyperion::dialect
