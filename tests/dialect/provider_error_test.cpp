#include "dialect/provider_error.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace hyperion;
using namespace hyperion::dialect;

namespace {

ProviderError read(uint16_t status, std::string_view body, std::vector<http::Header> headers = {}) {
  return read_error(Wire::openai_chat, status, {headers.data(), headers.size()}, body);
}

}  // namespace

TEST_CASE("what an error is follows from its words, and from the status where they are vague") {
  struct Case {
    uint16_t status;
    const char* body;
    ErrorKind kind;
  };
  const Case cases[] = {
      // OpenAI
      {400,
       R"({"error":{"message":"m","type":"invalid_request_error","param":"n","code":"unsupported_value"}})",
       ErrorKind::invalid_request},
      {400,
       R"({"error":{"message":"Your input exceeds the context window","type":"invalid_request_error","code":"context_length_exceeded"}})",
       ErrorKind::context_too_long},
      {401, R"({"error":{"message":"m","type":"invalid_request_error","code":"invalid_api_key"}})",
       ErrorKind::bad_key},
      {429,
       R"({"error":{"message":"m","type":"insufficient_quota","param":null,"code":"insufficient_quota"}})",
       ErrorKind::money},
      {429, R"({"error":{"message":"m","type":"requests","code":"project_spend_limit_exceeded"}})",
       ErrorKind::money},
      {429, R"({"error":{"message":"m","type":"requests","code":"rate_limit_exceeded"}})",
       ErrorKind::rate_limit},
      {429, R"({"error":{"message":"m","type":"rate_limit_error","code":"slow_down"}})",
       ErrorKind::rate_limit},
      {404, R"({"error":{"message":"m","type":"invalid_request_error","code":"model_not_found"}})",
       ErrorKind::no_model},
      {404, R"({"error":{"message":"m","type":"invalid_request_error","code":null}})",
       ErrorKind::no_model},
      {500, R"({"error":{"message":"m","type":"server_error"}})", ErrorKind::server},
      {503, R"({"error":{"message":"m","type":"server_error"}})", ErrorKind::server},
      // Anthropic
      {529, R"({"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}})",
       ErrorKind::overload},
      {400,
       R"({"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 210000 tokens > 200000 maximum"}})",
       ErrorKind::context_too_long},
      {400,
       R"({"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low to access the API"}})",
       ErrorKind::money},
      {402, R"({"type":"error","error":{"type":"billing_error","message":"m"}})", ErrorKind::money},
      {429,
       R"({"type":"error","error":{"type":"rate_limit_error","message":"m","details":{"error_code":"enforced_spend_limit_reached"}}})",
       ErrorKind::money},
      {413, R"({"type":"error","error":{"type":"request_too_large","message":"m"}})",
       ErrorKind::too_large},
      {404, R"({"type":"error","error":{"type":"not_found_error","message":"model: x"}})",
       ErrorKind::no_model},
      {403, R"({"type":"error","error":{"type":"permission_error","message":"m"}})",
       ErrorKind::forbidden},
      // Google
      {400,
       R"([{"error":{"code":400,"message":"API key not valid.","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID"}]}}])",
       ErrorKind::bad_key},
      {400,
       R"({"error":{"code":400,"message":"The input token count (9) exceeds the maximum number of tokens allowed (8).","status":"INVALID_ARGUMENT"}})",
       ErrorKind::context_too_long},
      {429,
       R"({"error":{"code":429,"message":"m","status":"RESOURCE_EXHAUSTED","details":[{"violations":[{"quotaId":"GenerateRequestsPerMinutePerProjectPerModel"}]}]}})",
       ErrorKind::rate_limit},
      {429,
       R"({"error":{"code":429,"message":"m","status":"RESOURCE_EXHAUSTED","details":[{"violations":[{"quotaId":"GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]}]}})",
       ErrorKind::money},
      {503, R"({"error":{"code":503,"message":"m","status":"UNAVAILABLE"}})", ErrorKind::overload},
      {499, R"({"error":{"code":499,"message":"m","status":"CANCELLED"}})", ErrorKind::cancelled},
      // Others
      {400,
       R"({"code":"Client specified an invalid argument","error":"Incorrect API key provided"})",
       ErrorKind::invalid_request},
      {401, R"({"detail":"Invalid API Key"})", ErrorKind::bad_key},
      {422, R"({"object":"error","message":"m","type":"invalid_request_error","code":null})",
       ErrorKind::invalid_request},
      {502, "<html><body>502 Bad Gateway</body></html>", ErrorKind::server},
      {400, "", ErrorKind::invalid_request},
      // A server's failure is never the client's fault, whatever it calls it.
      {500, R"({"error":{"message":"m","type":"invalid_request_error"}})", ErrorKind::server},
      {500, R"({"error":{"message":"m","code":"context_length_exceeded"}})", ErrorKind::server},
  };
  for (const Case& item : cases) {
    CAPTURE(item.status);
    CAPTURE(item.body);
    CHECK(name_of(read(item.status, item.body).kind) == name_of(item.kind));
  }
}

TEST_CASE("texts and words are found in every provider's shape") {
  ProviderError error = read(
      400,
      R"({"error":{"message":"Bad \"n\"","type":"invalid_request_error","param":"n","code":"x"}})");
  CHECK(error.message == R"(Bad \"n\")");
  CHECK(error.param == "n");
  CHECK(error.code == "x");
  CHECK(read(401, R"({"detail":"Invalid API Key"})").message == "Invalid API Key");
  CHECK(read(400, R"({"code":"c","error":"text"})").message == "text");
  CHECK(read(400, R"({"object":"error","message":"m","code":1234})").message == "m");
  CHECK(read(502, "<html>").message.empty());
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
  const char* google =
      R"({"error":{"code":429,"message":"m","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"48s"}]}})";
  CHECK(read(429, google).retry_after_ms == 48'000);
  CHECK(read(400, "{}", {{"x-should-retry", "false"}}).should_retry == -1);
  CHECK(read(500, "{}", {{"x-should-retry", "true"}}).should_retry == 1);
}

TEST_CASE("an error within a stream stands for a status") {
  ProviderError error = read_stream_error(
      Wire::anthropic,
      R"({"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}})");
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
