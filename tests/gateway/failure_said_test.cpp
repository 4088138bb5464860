// What a provider said went wrong, as an answer of ours.
#include <string>

#include <doctest/doctest.h>

#include "gateway/failure.h"
#include "support/json_reader.h"

using namespace hyperion;
using namespace hyperion::gateway;
using dialect::ErrorKind;
using dialect::Wire;

namespace {

dialect::ProviderError said(ErrorKind kind, std::string_view message) {
  dialect::ProviderError error;
  error.kind = kind;
  error.message = message;
  return error;
}

std::string body_of(const Failure& failure, Wire wire) {
  BlockPool blocks(4);
  MemoryBudget budget{1 << 20, 0};
  ByteBuffer buffer(blocks, budget);
  json::Output out(buffer);
  dialect::write_error(wire, answer_of(failure, "req_1"), out);
  CHECK_FALSE(out.failed());
  return std::string(out.text());
}

}  // namespace

TEST_CASE("each kind has its status, type and code, whatever the provider's words") {
  struct Row {
    ErrorKind kind;
    uint16_t status;
    const char* type;
    const char* code;
  };
  const Row rows[] = {
      {ErrorKind::context_too_long, 400, "invalid_request_error", "context_length_exceeded"},
      {ErrorKind::too_large, 413, "invalid_request_error", "request_too_large"},
      {ErrorKind::content_policy, 400, "invalid_request_error", "content_filter"},
      {ErrorKind::bad_key, 502, "server_error", "upstream_credentials"},
      {ErrorKind::money, 429, "insufficient_quota", "insufficient_quota"},
      {ErrorKind::forbidden, 502, "server_error", "upstream_credentials"},
      {ErrorKind::no_model, 404, "not_found_error", "model_not_found"},
      {ErrorKind::conflict, 409, "invalid_request_error", "conflict"},
      {ErrorKind::rate_limit, 429, "rate_limit_error", "rate_limit_exceeded"},
      {ErrorKind::overload, 503, "server_error", "upstream_overloaded"},
      {ErrorKind::server, 502, "server_error", "upstream_error"},
      {ErrorKind::timeout, 504, "server_error", "upstream_timeout"},
  };
  for (const Row& row : rows) {
    for (const char* message : {"", "in its words"}) {
      CAPTURE(dialect::name_of(row.kind));
      const Failure failure = failure_of(said(row.kind, message), "acme");
      CHECK(failure.status == row.status);
      CHECK(std::string(failure.type) == row.type);
      CHECK(std::string(failure.code) == row.code);
      CHECK(std::string(failure.param).empty());
    }
  }
  // The client's own mistake keeps the code null.
  CHECK(failure_of(said(ErrorKind::invalid_request, "x"), "acme").code == nullptr);
}

TEST_CASE("the provider's words reach the client, but not those on the gateway's own account") {
  const ErrorKind secret[] = {ErrorKind::bad_key, ErrorKind::forbidden, ErrorKind::money};
  for (ErrorKind kind : secret) {
    const Failure failure = failure_of(said(kind, "key sk-123 of org-9"), "acme");
    const std::string message = failure.message;
    CAPTURE(message);
    CHECK(message.find("sk-123") == std::string::npos);
    CHECK(message.find("acme") != std::string::npos);
    CHECK_FALSE(failure.message_is_raw);
  }
  const Failure failure = failure_of(said(ErrorKind::overload, R"(say \"please\")"), "acme");
  CHECK(std::string(failure.message) == R"(say \"please\")");
  CHECK(failure.message_is_raw);
}

TEST_CASE("money or a key does not come by waiting: the client is told not to try again") {
  for (ErrorKind kind : {ErrorKind::money, ErrorKind::bad_key, ErrorKind::forbidden})
    CHECK(failure_of(said(kind, "m"), "acme").should_retry_no);
  for (ErrorKind kind : {ErrorKind::rate_limit, ErrorKind::overload, ErrorKind::server})
    CHECK_FALSE(failure_of(said(kind, "m"), "acme").should_retry_no);
}

TEST_CASE("a provider that says nothing is named, with what it looked like") {
  const std::string message = failure_of(said(ErrorKind::overload, ""), "acme").message;
  CHECK(message.find("acme") != std::string::npos);
  CHECK(message.find("overload") != std::string::npos);
}

TEST_CASE("the delay that a provider asks for is passed on") {
  dialect::ProviderError error = said(ErrorKind::rate_limit, "m");
  CHECK(failure_of(error, "acme").retry_after_ms == -1);
  error.retry_after_ms = 2500;
  CHECK(failure_of(error, "acme").retry_after_ms == 2500);
  CHECK(answer_of(failure_of(error, "acme"), "r").retry_after_ms == 2500);
}

TEST_CASE("a provider's message is one JSON string in every dialect, however long and escaped") {
  for (const char* piece :
       {"x", "%s%n", R"(\")", R"(\\)", R"(\u0000)", R"(\ud83d\ude00)", "\xE2\x82\xAC"}) {
    std::string message;
    for (size_t size : {size_t{1}, size_t{638}, size_t{639}, size_t{640}, size_t{5000}}) {
      while (message.size() < size) message += piece;
      CAPTURE(message);
      const Failure failure = failure_of(said(ErrorKind::server, message), "acme");
      for (Wire wire : {Wire::openai_chat, Wire::openai_responses, Wire::anthropic, Wire::gemini}) {
        const auto body = test::read_json(body_of(failure, wire));
        REQUIRE(body);
        const auto whole = test::read_json("\"" + message + "\"");
        REQUIRE(whole);
        const std::string text = (*body)["error"]["message"].text;
        CHECK_FALSE(text.empty());
        CHECK(whole->text.starts_with(text));
        if (message.size() < sizeof(Failure::message)) CHECK(text == whole->text);
      }
    }
  }
}

TEST_CASE("an answer holds what the failure holds") {
  Failure failure = make_failure(400, "invalid_request", "messages[0].role", "expected %s", "user");
  dialect::ErrorAnswer answer = answer_of(failure, "req_1");
  CHECK(answer.status == 400);
  CHECK(answer.type == "invalid_request_error");
  CHECK(answer.code == "invalid_request");
  CHECK(answer.param == "messages[0].role");
  CHECK(answer.message == "expected user");
  CHECK_FALSE(answer.message_is_raw);
  CHECK(answer.request_id == "req_1");
  CHECK(answer.retry_after_ms == -1);
  failure.code = nullptr;
  failure.type = nullptr;
  failure.message_is_raw = true;
  answer = answer_of(failure, "");
  CHECK(answer.code.empty());
  CHECK(answer.type.empty());
  CHECK(answer.message_is_raw);
}

TEST_CASE("a problem of translation names the client's field, and memory comes back in a second") {
  dialect::RequestProblem problem;
  dialect::refuse(problem, "unsupported_parameter", "logit_bias", "not at %s", "acme");
  Failure failure = failure_of(problem);
  CHECK(failure.status == 400);
  CHECK(std::string(failure.type) == "invalid_request_error");
  CHECK(std::string(failure.param) == "logit_bias");
  CHECK(std::string(failure.message) == "not at acme");
  CHECK(failure.retry_after_ms == -1);
  problem = {};
  dialect::refuse_for_memory(problem);
  failure = failure_of(problem);
  CHECK(failure.status == 503);
  CHECK(failure.retry_after_ms == 1000);
}
