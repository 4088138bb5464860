// When to come back, said as each provider says it.
#include "simulator/retry.h"

#include <doctest/doctest.h>

#include "served.h"

namespace hyperion::test {
namespace {

constexpr uint64_t a_second = 784'111'777;  // the example of RFC 9110, 1994

std::string written(void (*append)(std::string&, uint64_t), uint64_t number) {
  std::string text;
  append(text, number);
  return text;
}

struct Request {
  std::string_view target;
  std::string_view body;
  std::string_view headers;
};
constexpr Request openai = {chat_target, hello, ""};
constexpr Request anthropic = {"/v1/messages",
                               R"({"model":"claude-haiku-4-5","max_tokens":9,)"
                               R"("messages":[{"role":"user","content":"Say hello."}]})",
                               "anthropic-version: 2023-06-01\r\n"};
constexpr Request gemini = {"/v1beta/models/gemini-2.5-flash:generateContent",
                            R"({"contents":[{"parts":[{"text":"Say hello."}]}]})", ""};

Reply ask(Served& served, const Request& request, std::string_view fault) {
  const std::string headers =
      std::string(request.headers) + "x-hyperion-fault: " + std::string(fault) + "\r\n";
  return served.post(request.target, request.body, headers);
}

std::string retry_info(const Reply& reply) {
  const Json json = reply.json();
  for (const Json& detail : json["error"]["details"].elements) {
    if (detail["@type"].text == "type.googleapis.com/google.rpc.RetryInfo")
      return detail["retryDelay"].text;
  }
  return "";
}

TEST_CASE("times are spelled as their standards have them") {
  CHECK(written(simulator::append_http_date, a_second) == "Sun, 06 Nov 1994 08:49:37 GMT");
  CHECK(written(simulator::append_http_date, 0) == "Thu, 01 Jan 1970 00:00:00 GMT");
  CHECK(written(simulator::append_http_date, UINT64_MAX) == "Fri, 31 Dec 9999 23:59:59 GMT");
  CHECK(written(simulator::append_rfc3339, a_second) == "1994-11-06T08:49:37Z");
  CHECK(written(simulator::append_go_duration, 0) == "0s");
  CHECK(written(simulator::append_go_duration, 90) == "1m30s");
  CHECK(written(simulator::append_go_duration, 3605) == "1h0m5s");
  CHECK(written(simulator::append_seconds, 13'000) == "13s");
  CHECK(written(simulator::append_seconds, 34'400) == "34.4s");
  CHECK(written(simulator::append_seconds, 1) == "0.001s");
}

TEST_CASE("retryafter: seconds in the header, of Gemini in the body alone") {
  Served served;
  for (const Request& request : {openai, anthropic}) {
    const Reply reply = ask(served, request, "retryafter:30");
    CHECK(reply.status == 429);
    CHECK(reply.header("retry-after") == "30");
    CHECK(ask(served, request, "503, retryafter:0").header("retry-after") == "0");
  }
  const Reply reply = ask(served, gemini, "503, retryafter:13");
  CHECK(reply.status == 503);
  CHECK(reply.header("retry-after").empty());
  CHECK(retry_info(reply) == "13s");
  CHECK(retry_info(ask(served, gemini, "429")) == "1s");
  CHECK(retry_info(ask(served, gemini, "503")) == "");
}

TEST_CASE("retrydate: a date, and that of the answer to count from") {
  Served served;
  for (const Request& request : {openai, anthropic, gemini}) {
    const Reply reply = ask(served, request, "529, retrydate:86400");
    CHECK(reply.status == 529);
    const std::string date = reply.header("date");
    const std::string until = reply.header("retry-after");
    CHECK(date.ends_with(" GMT"));
    CHECK(until.size() == date.size());
    CHECK(until != date);
    CHECK(until.substr(17) == date.substr(17));  // a day later, to the second
  }
}

TEST_CASE("retryms: milliseconds, and whole seconds beside them") {
  Served served;
  const Reply reply = ask(served, openai, "retryms:1500");
  CHECK(reply.status == 429);
  CHECK(reply.header("retry-after-ms") == "1500");
  CHECK(reply.header("retry-after") == "2");
  const Reply zero = ask(served, openai, "retryms:0");
  CHECK(zero.header("retry-after-ms") == "0");
  CHECK(zero.header("retry-after") == "1");
  CHECK(retry_info(ask(served, gemini, "retryms:34400")) == "34.4s");
}

TEST_CASE("ratelimit: in the place of the usual lines, those of a limit that is used up") {
  Served served;
  const Reply first = ask(served, openai, "ratelimit:90");
  CHECK(first.status == 429);
  CHECK(first.header("x-ratelimit-remaining-requests") == "0");
  CHECK(first.header("x-ratelimit-reset-requests") == "1m30s");
  CHECK(first.header("retry-after").empty());
  CHECK(first.head.find("x-ratelimit-reset-requests: 6ms") == std::string::npos);
  const Reply second = ask(served, anthropic, "ratelimit:90");
  CHECK(second.status == 429);
  CHECK(second.header("anthropic-ratelimit-requests-remaining") == "0");
  const std::string reset = second.header("anthropic-ratelimit-requests-reset");
  CHECK(reset.size() == std::string_view("2026-08-19T14:34:11Z").size());
  CHECK(reset > second.header("anthropic-ratelimit-tokens-reset"));
  CHECK(second.header("retry-after") == "90");
  CHECK(retry_info(ask(served, gemini, "ratelimit:13")) == "13s");
  // Both may be asked for, and the delay that is named goes before.
  const Reply both = ask(served, anthropic, "ratelimit:90, retryafter:5");
  CHECK(both.header("retry-after") == "5");
  CHECK(both.header("anthropic-ratelimit-requests-remaining") == "0");
}

TEST_CASE("shouldretry overrules what the dialect says by itself") {
  Served served;
  for (const Request& request : {openai, anthropic}) {
    CHECK(ask(served, request, "400").header("x-should-retry") == "false");
    CHECK(ask(served, request, "400, shouldretry:1").header("x-should-retry") == "true");
    CHECK(ask(served, request, "503, shouldretry:0").header("x-should-retry") == "false");
    CHECK(ask(served, request, "503").header("x-should-retry").empty());
  }
}

}  // namespace
}  // namespace hyperion::test
