#include "dialect/provider_error.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "dialect/retry_delay.h"

using namespace hyperion;
using namespace hyperion::dialect;

namespace {

ProviderError read(uint16_t status, std::string_view body, std::vector<http::Header> headers = {}) {
  return read_error(Wire::openai_chat, status, {headers.data(), headers.size()}, body);
}

struct Case {
  uint16_t status;
  std::string body;
  ErrorKind kind;
};

std::string quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

std::string openai(std::string_view type, std::string_view code, std::string_view message = "m") {
  return R"({"error":{"message":)" + quoted(message) + R"(,"type":)" + quoted(type) +
         R"(,"param":null,"code":)" + (code.empty() ? "null" : quoted(code)) + "}}";
}

std::string anthropic(std::string_view type, std::string_view message = "m",
                      std::string_view error_code = {}) {
  const std::string details =
      error_code.empty() ? "" : R"(,"details":{"error_code":)" + quoted(error_code) + "}";
  return R"({"type":"error","error":{"type":)" + quoted(type) + R"(,"message":)" + quoted(message) +
         details + "}}";
}

std::string google(int code, std::string_view status, std::string_view message = "m",
                   std::string_view details = {}) {
  return R"({"error":{"code":)" + std::to_string(code) + R"(,"message":)" + quoted(message) +
         R"(,"status":)" + quoted(status) + R"(,"details":[)" + std::string(details) + "]}}";
}

std::string quota(std::string_view id) {
  return R"({"violations":[{"quotaId":)" + quoted(id) + "}]}";
}

void check(const std::vector<Case>& cases) {
  for (const Case& item : cases) {
    CAPTURE(item.status);
    CAPTURE(item.body);
    CHECK(name_of(read(item.status, item.body).kind) == name_of(item.kind));
  }
}

}  // namespace

TEST_CASE("OpenAI's errors are told apart by code, then by type, then by status") {
  check({
      {400, openai("invalid_request_error", "unsupported_value"), ErrorKind::invalid_request},
      {400, openai("invalid_request_error", "context_length_exceeded"),
       ErrorKind::context_too_long},
      {401, openai("invalid_request_error", "invalid_api_key"), ErrorKind::bad_key},
      {429, openai("insufficient_quota", "insufficient_quota"), ErrorKind::money},
      {429, openai("requests", "project_spend_limit_exceeded"), ErrorKind::money},
      {429, openai("requests", "rate_limit_exceeded"), ErrorKind::rate_limit},
      {429, openai("rate_limit_error", "slow_down"), ErrorKind::rate_limit},
      {404, openai("invalid_request_error", "model_not_found"), ErrorKind::no_model},
      {404, openai("invalid_request_error", ""), ErrorKind::no_model},
      {500, openai("server_error", ""), ErrorKind::server},
      // What every failure is called says less than the status.
      {503, openai("server_error", ""), ErrorKind::overload},
      {504, openai("server_error", ""), ErrorKind::timeout},
      // A server's failure is never the client's fault, whatever it calls it.
      {500, openai("invalid_request_error", ""), ErrorKind::server},
      {500, openai("invalid_request_error", "context_length_exceeded"), ErrorKind::server},
  });
}

TEST_CASE("Anthropic's errors are told apart by type, details and, where they share one, text") {
  check({
      {529, anthropic("overloaded_error"), ErrorKind::overload},
      {400, anthropic("invalid_request_error", "prompt is too long: 210000 tokens > 200000"),
       ErrorKind::context_too_long},
      {400, anthropic("invalid_request_error", "Your credit balance is too low to access it"),
       ErrorKind::money},
      {402, anthropic("billing_error"), ErrorKind::money},
      {429, anthropic("rate_limit_error", "m", "enforced_spend_limit_reached"), ErrorKind::money},
      {429, anthropic("rate_limit_error"), ErrorKind::rate_limit},
      {413, anthropic("request_too_large"), ErrorKind::too_large},
      {404, anthropic("not_found_error", "model: x"), ErrorKind::no_model},
      {403, anthropic("permission_error"), ErrorKind::forbidden},
  });
}

TEST_CASE("Google's errors are told apart by reason, status and quota") {
  const std::string reason = R"({"@type":"x.ErrorInfo","reason":"API_KEY_INVALID"})";
  check({
      {400, "[" + google(400, "INVALID_ARGUMENT", "API key not valid.", reason) + "]",
       ErrorKind::bad_key},
      {400, google(400, "INVALID_ARGUMENT", "The count (9) exceeds the maximum number of tokens"),
       ErrorKind::context_too_long},
      {429, google(429, "RESOURCE_EXHAUSTED", "m", quota("RequestsPerMinutePerProject")),
       ErrorKind::rate_limit},
      {429, google(429, "RESOURCE_EXHAUSTED", "m", quota("RequestsPerDayPerProject-FreeTier")),
       ErrorKind::money},
      {503, google(503, "UNAVAILABLE"), ErrorKind::overload},
      {499, google(499, "CANCELLED"), ErrorKind::cancelled},
  });
}

TEST_CASE("of shapes that are nobody's the status speaks") {
  check({
      {400, R"({"code":"Client specified an invalid argument","error":"Incorrect API key"})",
       ErrorKind::invalid_request},
      {401, R"({"detail":"Invalid API Key"})", ErrorKind::bad_key},
      {422, R"({"object":"error","message":"m","type":"invalid_request_error","code":null})",
       ErrorKind::invalid_request},
      {502, "<html><body>502 Bad Gateway</body></html>", ErrorKind::server},
      {400, "", ErrorKind::invalid_request},
  });
}

TEST_CASE("texts and words are found in every provider's shape") {
  ProviderError error =
      read(400, R"({"error":{"message":"Bad \"n\"","type":"t","param":"n","code":"x"}})");
  CHECK(error.message == R"(Bad \"n\")");
  CHECK(error.param == "n");
  CHECK(error.code == "x");
  CHECK(read(401, R"({"detail":"Invalid API Key"})").message == "Invalid API Key");
  CHECK(read(400, R"({"code":"c","error":"text"})").message == "text");
  CHECK(read(400, R"({"object":"error","message":"m","code":1234})").message == "m");
  CHECK(read(422, R"({"detail":[{"loc":["body"],"msg":"Field required"},{"msg":"b"}]})").message ==
        "Field required");
  CHECK(read(422, R"({"object":"error","message":{"detail":[{"msg":"deep"}]}})").message == "deep");
  CHECK(read(422, R"({"detail":[[[[["too deep"]]]]]})").message.empty());
  CHECK(read(502, "<html>").message.empty());
}

TEST_CASE("a secret is found however JSON spells it") {
  CHECK(holds_secret("Incorrect key sk-a/b=c.", "sk-a/b=c"));
  CHECK(holds_secret(R"(sk-sk-a\/b\u003dc)", "sk-a/b=c"));
  CHECK(holds_secret(R"(\u0073k-a/b\u003D\u0063)", "sk-a/b=c"));
  CHECK_FALSE(holds_secret(R"(sk-a\/b\u003d)", "sk-a/b=c"));
  CHECK_FALSE(holds_secret(R"(sk-a\u00)", "sk-a/b=c"));
  CHECK_FALSE(holds_secret("sk-***c", "sk-a/b=c"));
  CHECK_FALSE(holds_secret("", "sk"));
  CHECK_FALSE(holds_secret("anything", ""));
}

TEST_CASE("a delay is read where waiting is meant, from whichever place it stands in") {
  CHECK(read(429, "{}", {{"retry-after", "7"}}).retry_after_ms == 7000);
  CHECK(read(429, "{}", {{"retry-after-ms", "250"}, {"retry-after", "7"}}).retry_after_ms == 250);
  CHECK(read(429, "{}", {{"retry-after-ms", "0"}, {"retry-after", "1"}}).retry_after_ms == 1000);
  CHECK(read(429, "{}", {{"retry-after", "0"}}).retry_after_ms == -1);
  CHECK(read(529, "{}", {{"retry-after", "1.5"}}).retry_after_ms == 1500);
  CHECK(read(500, "{}", {{"retry-after", "7"}}).retry_after_ms == -1);
  CHECK(read(429, "{}",
             {{"date", "Sun, 06 Nov 1994 08:49:37 GMT"},
              {"retry-after", "Sun, 06 Nov 1994 08:50:07 GMT"}})
            .retry_after_ms == 30'000);
  CHECK(read(429, "{}", {{"retry-after", "soon"}}).retry_after_ms == -1);
  // OpenAI's and Anthropic's limits, where nothing plainer is said: the one that is used up.
  CHECK(read(429, "{}",
             {{"x-ratelimit-remaining-requests", "12"},
              {"x-ratelimit-reset-requests", "20m52s"},
              {"x-ratelimit-remaining-tokens", "0"},
              {"x-ratelimit-reset-tokens", "1m6.779s"}})
            .retry_after_ms == 66'779);
  CHECK(read(429, "{}",
             {{"date", "Thu, 01 Jan 2026 00:00:00 GMT"},
              {"anthropic-ratelimit-input-tokens-remaining", "0"},
              {"anthropic-ratelimit-input-tokens-reset", "2026-01-01T00:00:13Z"}})
            .retry_after_ms == 13'000);
  CHECK(read(429, "{}",
             {{"x-ratelimit-remaining-requests", "3"}, {"x-ratelimit-reset-requests", "9s"}})
            .retry_after_ms == -1);
  CHECK(read(503, "{}",
             {{"x-ratelimit-remaining-requests", "0"}, {"x-ratelimit-reset-requests", "9s"}})
            .retry_after_ms == -1);
  for (const auto& [text, ms] :
       std::initializer_list<std::pair<const char*, int64_t>>{{"4ms", 4},
                                                              {"0s", 0},
                                                              {"2h0m5s", 7'205'000},
                                                              {"17.563999999s", 17'563},
                                                              {"120", 120'000},
                                                              {"", -1},
                                                              {"s", -1},
                                                              {"5x", -1},
                                                              {"1m6", -1},
                                                              {"-5s", -1},
                                                              {"1e12s", -1},
                                                              {"nan", -1}}) {
    CAPTURE(text);
    CHECK(milliseconds_of_duration(text) == ms);
  }
  const std::string retry = R"({"@type":"x.RetryInfo","retryDelay":"48s"})";
  CHECK(read(429, google(429, "RESOURCE_EXHAUSTED", "m", retry)).retry_after_ms == 48'000);
  CHECK(read(400, "{}", {{"x-should-retry", "false"}}).should_retry == -1);
  CHECK(read(500, "{}", {{"x-should-retry", "true"}}).should_retry == 1);
}

TEST_CASE("an error within a stream stands for a status") {
  ProviderError error = read_stream_error(Wire::anthropic, anthropic("overloaded_error"));
  CHECK(error.kind == ErrorKind::overload);
  CHECK(error.status == 503);
  error = read_stream_error(Wire::gemini,
                            R"({"error":{"code":503,"message":"m","status":"UNAVAILABLE"}})");
  CHECK(error.kind == ErrorKind::overload);
  error = read_stream_error(Wire::openai_chat, R"({"error":{"message":"m","code":502}})");
  CHECK(error.kind == ErrorKind::server);
  error = read_stream_error(Wire::openai_chat, R"({"error":{"message":"m"}})");
  CHECK(error.kind == ErrorKind::server);
  CHECK(error.status == 500);
  CHECK(read_stream_error(Wire::openai_chat, "garbage").kind == ErrorKind::server);
}

TEST_CASE("a message that is no JSON string is not passed on, what else was said still counts") {
  for (const char* message : {R"(a\q)", R"(\ud8)", R"(\ud83d)", "a\x01", "a\n", "\xFF", "\xC3"}) {
    CAPTURE(message);
    const ProviderError error = read(500, openai("overloaded_error", "", message));
    CHECK(error.message.empty());
  }
  const ProviderError error = read(429, openai("rate_limit_error", "", "a\xFF"));
  CHECK(error.kind == ErrorKind::rate_limit);
  CHECK(read(500, openai("x", "", R"(\ud83d\ude00 \n \" \\)")).message ==
        R"(\ud83d\ude00 \n \" \\)");
  // Cut after the message: it was whole.
  CHECK(read(500, R"({"error":{"message":"m","type":"se)").message == "m");
}

TEST_CASE("any bytes are taken for an error body") {
  std::string body =
      R"([{"error":{"code":400,"message":"API","status":"X","details":[{"reason":"Y"}]}}])";
  for (size_t i = 0; i <= body.size(); ++i) {
    read(400, std::string_view(body).substr(0, i));
    std::string changed = body;
    if (i < body.size()) changed[i] = '{';
    read(500, changed);
  }
  CHECK(read(429, std::string(100'000, '[')).kind == ErrorKind::rate_limit);
}
