// Which lines `hyperion replay` and `hyperion feedback` understand, and what they make of them.
#include "server/log_lines.h"

#include <doctest/doctest.h>

using hyperion::server::LogLine;
using hyperion::server::read_log_line;

namespace {

const std::string id = "req_0123456789abcdef01234567";

const std::string decision =
    R"({"route":"auto","asked":null,"chosen":"openai/m","tier":1,"tokens":9,"tokens_most":12,)"
    R"("turns":[[1024,0,0,0,0,0,0,-700,8,0,0]],"wants":{},"traits":[1,-2],)"
    R"("stamps":["c","d","e"],"ns":1900})";

const std::string answered =
    R"({"time":"2026-11-25T08:00:00.000000Z","id":")" + id +
    R"(","end":"--","route":"/v1/messages","key":"te\u0061m","requested_model":"auto",)"
    R"("model":"m","provider":"openai","stream":false,"prompt_tokens":12,"completion_tokens":34,)"
    R"("cached_tokens":5,"fallback_index":2,"fallback_reason":"x","decision":)";

LogLine read(const std::string& text) {
  LogLine line;
  INFO(text);
  CHECK(read_log_line(text, line));
  return line;
}

bool refused(const std::string& text) {
  LogLine line;
  return !read_log_line(text, line);
}

}  // namespace

TEST_CASE("a line of the log gives its decision and what it cost") {
  const LogLine line = read(answered + decision + ",\"total_us\":12}");
  CHECK(line.decided);
  CHECK_FALSE(line.unreadable);
  CHECK_FALSE(line.labels());
  CHECK(line.id == id);
  CHECK(line.key == "team");
  CHECK(line.route == "/v1/messages");
  CHECK(line.requested == "auto");
  CHECK(line.prompt_tokens == 12);
  CHECK(line.completion_tokens == 34);
  CHECK(line.cached_tokens == 5);
  CHECK(line.provider == "openai");
  CHECK(line.label_model == "m");
  CHECK(line.fallback_index == 2);
  CHECK(line.decision.chosen == "openai/m");
  CHECK(line.decision.question.turns[0].scores.difficulty == -700);
}

TEST_CASE("a line says nothing of the one before it") {
  LogLine line = read(answered + decision + "}");
  CHECK(read_log_line("{}", line));
  CHECK_FALSE(line.decided);
  CHECK(line.id.empty());
  CHECK(line.prompt_tokens == -1);
}

TEST_CASE("a decision of another version is known as one that cannot be read") {
  const LogLine line = read(answered + R"({"route":"auto","turns":[[1,2]]}})");
  CHECK_FALSE(line.decided);
  CHECK(line.unreadable);
}

TEST_CASE("what the gateway was told of an answer is a label, with the key that said it") {
  const LogLine line =
      read(R"({"id":"req_ffff","route":"/v1/feedback","key":"a","feedback":{"request_id":")" + id +
           R"(","score_permille":250},"total_us":9})");
  CHECK(line.labels());
  CHECK(line.label_id == id);
  CHECK(line.label_score == 0.25);
  CHECK(line.key == "a");
}

TEST_CASE("labels may be written by hand, of a request or of a body") {
  const std::string of_request = "{\"request_id\":\"" + id + "\",";
  CHECK(read(of_request + "\"score\":0.8}").label_score == 0.8);
  CHECK(read(of_request + "\"score\": 1e-1 }").label_score == 0.1);
  CHECK(read(of_request + "\"good\":true}").label_score == 1);
  CHECK(read(of_request + "\"bad\": true}").label_score == 0);
  const LogLine body =
      read(R"({"body": {"model": "auto", "messages": [{"role": "user", "content": "}\"{"}]}, )"
           R"("model": "claude-haiku-4-5", "score": 1, "key": "search"})");
  CHECK(body.labels());
  CHECK(body.label_model == "claude-haiku-4-5");
  CHECK(body.key == "search");
  CHECK(body.label_body ==
        R"({"model": "auto", "messages": [{"role": "user", "content": "}\"{"}]})");
}

TEST_CASE("a label without a judgement, with one out of range, or of nothing is none") {
  const std::string of_request = "{\"request_id\":\"" + id + "\"";
  CHECK_FALSE(read(of_request + "}").labels());
  CHECK_FALSE(read(of_request + ",\"good\":false}").labels());
  CHECK_FALSE(read(of_request + ",\"score\":1.01}").labels());
  CHECK_FALSE(read(of_request + ",\"score\":-0.1}").labels());
  CHECK_FALSE(read("{\"score\":1}").labels());
  CHECK(refused(of_request + ",\"score\":\"high\"}"));
  CHECK(refused(of_request + ",\"score\":null}"));
}

TEST_CASE("torn lines and lines of others are no lines of the log") {
  const std::string whole = answered + decision + ",\"total_us\":12}";
  for (size_t size = 0; size < whole.size(); ++size) {
    INFO(size);
    CHECK(refused(whole.substr(0, size)));
  }
  for (const char* text : {"", "hello", "[1,2]", "null", "{} {}", "{\"id\":5}", "{\"key\":{}}",
                           "{\"prompt_tokens\":\"many\"}", "\xff\xfe", "{\"a\":1}x"})
    CHECK_MESSAGE(refused(text), text);
}
