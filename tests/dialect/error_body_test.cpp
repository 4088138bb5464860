#include "dialect/error_body.h"

#include <string>

#include <doctest/doctest.h>

using namespace hyperion;
using namespace hyperion::dialect;

namespace {

struct Written {
  BlockPool blocks{64};
  MemoryBudget budget{1 << 20, 0};
  ByteBuffer buffer{blocks, budget};
  json::Output out{buffer};
  std::string text() const { return std::string(out.text()); }
};

std::string body_of(Wire wire, const ErrorAnswer& answer) {
  Written written;
  write_error(wire, answer, written.out);
  return written.text();
}

}  // namespace

TEST_CASE("the same failure is said in each client's words") {
  ErrorAnswer answer;
  answer.status = 404;
  answer.code = "model_not_found";
  answer.param = "model";
  answer.message = "No \"x\".";
  answer.request_id = "req_1";
  const std::string openai =
      R"({"error":{"message":"No \"x\".","type":"not_found_error","param":"model",)"
      R"("code":"model_not_found"}})";
  CHECK(body_of(Wire::openai_chat, answer) == openai);
  CHECK(body_of(Wire::openai_responses, answer) == openai);
  CHECK(body_of(Wire::anthropic, answer) ==
        R"({"type":"error","error":{"type":"not_found_error","message":"No \"x\".",)"
        R"("details":{"error_code":"model_not_found","param":"model"}},"request_id":"req_1"})");
  CHECK(body_of(Wire::gemini, answer) ==
        R"({"error":{"code":404,"message":"No \"x\".","status":"NOT_FOUND","details":[)"
        R"({"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"model_not_found",)"
        R"("domain":"hyperion","metadata":{"param":"model"}}]}})");
}

TEST_CASE("all four keys of OpenAI's error are there, null where there is nothing") {
  ErrorAnswer answer;
  answer.status = 500;
  answer.message = R"(a \"b\")";
  answer.message_is_raw = true;
  CHECK(body_of(Wire::openai_chat, answer) ==
        R"({"error":{"message":"a \"b\"","type":"server_error","param":null,"code":null}})");
}

TEST_CASE("a delay stands in Google's body, rounded up") {
  ErrorAnswer answer;
  answer.status = 429;
  answer.message = "m";
  answer.retry_after_ms = 1500;
  CHECK(body_of(Wire::gemini, answer).find(R"("retryDelay":"2s")") != std::string::npos);
}

TEST_CASE("an error event has the dialect's name and framing") {
  ErrorAnswer answer;
  answer.status = 503;
  answer.message = "m";
  auto event_of = [&](Wire wire, StreamForm form = StreamForm::events) {
    Written written;
    write_error_event(wire, answer, form, written.out);
    return written.text();
  };
  CHECK(event_of(Wire::openai_chat).starts_with("data: {\"error\":{"));
  CHECK(event_of(Wire::openai_chat).ends_with("}\n\n"));
  CHECK(event_of(Wire::anthropic).starts_with("event: error\ndata: {\"type\":\"error\""));
  CHECK(event_of(Wire::openai_responses).find("\"error\":{\"type\"") != std::string::npos);
  CHECK(event_of(Wire::openai_responses).starts_with("event: error\ndata: {\"type\":\"error\","));
  CHECK(event_of(Wire::gemini).ends_with("}\r\n\r\n"));
  CHECK(event_of(Wire::gemini, StreamForm::array_begun).starts_with(",\r\n{\"error\""));
  CHECK(event_of(Wire::gemini, StreamForm::array_begun).ends_with("]"));
  CHECK(event_of(Wire::gemini, StreamForm::array_unbegun).starts_with("[{\"error\""));
  CHECK(event_of(Wire::gemini, StreamForm::array_unbegun).ends_with("]"));
}
