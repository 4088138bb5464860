#include <string>

#include <doctest/doctest.h>

#include "dialect/harness.h"
#include "dialect/language.h"
#include "dialect/request.h"

using namespace hyperion;
using namespace hyperion::dialect;

namespace {

int64_t estimate_of(const std::string& rest) {
  const test::Decoding decoded(language_of(Wire::anthropic),
                               R"({"model":"m","max_tokens":9,"messages":[)" + rest + "}");
  REQUIRE(decoded.accepted);
  return estimate_tokens(decoded.request);
}

std::string user(const std::string& content) {
  return R"({"role":"user","content":)" + content + "}";
}

}  // namespace

TEST_CASE("four bytes of text are a token, and a message has its frame") {
  CHECK(estimate_tokens(Request()) == 0);
  CHECK(estimate_of(user("\"\x61\"") + "]") == 5);
  CHECK(estimate_of(user("\"abcd\"") + "]") == 5);
  CHECK(estimate_of(user("\"abcde\"") + "]") == 6);
  CHECK(estimate_of(user("\"" + std::string(4000, 'x') + "\"") + "]") == 1004);
  CHECK(estimate_of(user("\"abcd\"") + "," + R"({"role":"assistant","content":"abcd"})" + "]") ==
        10);
}

TEST_CASE("an image costs what an ordinary one costs, not what its bytes are") {
  const std::string image =
      R"({"type":"image","source":{"type":"base64","media_type":"image/png","data":")";
  const int64_t small = estimate_of(user("[" + image + R"(QUJD"}}])") + "]");
  const int64_t large =
      estimate_of(user("[" + image + std::string(400'000, 'A') + R"("}}])") + "]");
  CHECK(small == 1604);
  CHECK(large == small);
  CHECK(estimate_of(user(R"([{"type":"image","source":{"type":"url","url":"https://x/y.png"}}])") +
                    "]") == 1604);
}

TEST_CASE("tools, calls, their results and what these contain count") {
  const std::string question = user("\"abcd\"");
  const int64_t plain = estimate_of(question + "]");
  const std::string tool = R"(],"tools":[{"name":"look_up","description":")" +
                           std::string(400, 'd') + R"(","input_schema":{"type":"object"}}])";
  CHECK(estimate_of(question + tool) > plain + 100);
  const std::string call =
      R"(,{"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"look_up",)"
      R"("input":{"city":")" +
      std::string(400, 'c') + R"("}}]},)";
  const std::string image =
      R"({"type":"image","source":{"type":"base64","media_type":"image/png","data":"QUJD"}})";
  const auto result = [&](const std::string& content) {
    return estimate_of(
        question + call +
        user(R"([{"type":"tool_result","tool_use_id":"t1","content":[)" + content + "]}]") + tool);
  };
  const std::string text = R"({"type":"text","text":")" + std::string(400, 't') + "\"}";
  CHECK(result(text) >= result(R"({"type":"text","text":""})") + 100);
  CHECK(result(image) >= 1600 + result(R"({"type":"text","text":""})"));
}

TEST_CASE("longer requests never count less") {
  int64_t last = 0;
  for (size_t size = 0; size < 200; ++size) {
    const int64_t now = estimate_of(user("\"a" + std::string(size, 'x') + "\"") + "]");
    CHECK(now >= last);
    last = now;
  }
}
