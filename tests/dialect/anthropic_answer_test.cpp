#include <string>

#include <doctest/doctest.h>

#include "dialect/anthropic.h"
#include "dialect/harness.h"

using namespace hyperion;
using namespace hyperion::dialect;
using test::Answer;

namespace {

std::string event(const std::string& name, const std::string& members) {
  return "event: " + name + "\ndata: {\"type\":\"" + name + "\"" + (members.empty() ? "" : ",") +
         members + "    }\n\n";
}

const std::string start = event(
    "message_start",
    R"("message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-x",)"
    R"("content":[],"stop_reason":null,"usage":{"input_tokens":10,"cache_read_input_tokens":5,)"
    R"("cache_creation_input_tokens":7,"output_tokens":88}})");
const std::string ping = event("ping", "");
const std::string stop = event("message_stop", "");

std::string block(int index, const std::string& members) {
  return event("content_block_start",
               "\"index\":" + std::to_string(index) + ",\"content_block\":{" + members + "}");
}
std::string delta(int index, const std::string& members) {
  return event("content_block_delta",
               "\"index\":" + std::to_string(index) + ",\"delta\":{" + members + "}");
}
std::string end_of(int index) {
  return event("content_block_stop", "\"index\":" + std::to_string(index));
}
std::string text(int index, const std::string& words) {
  return block(index, R"("type":"text","text":"")") +
         delta(index, R"("type":"text_delta","text":")" + words + "\"") + end_of(index);
}
std::string tool(int index, const std::string& id, const std::string& fragments) {
  return block(index, R"("type":"tool_use","id":")" + id + R"(","name":"f","input":{})") +
         fragments + end_of(index);
}
std::string arguments(int index, const std::string& fragment) {
  return delta(index, R"("type":"input_json_delta","partial_json":")" + fragment + "\"");
}
std::string finish(const std::string& reason, const std::string& more = {}) {
  return event("message_delta", R"("delta":{"stop_reason":")" + reason + "\"" + more +
                                    R"(},"usage":{"output_tokens":12})");
}

Answer read(const std::string& bytes) { return test::read_stream(anthropic::language(), bytes); }
Answer read_plain(const std::string& body) { return test::read_plain(anthropic::language(), body); }

}  // namespace

TEST_CASE("a stream of text gives its start, its text, its finish, its usage and its end") {
  const Answer answer =
      read(start + ping + text(0, "a\\n") + text(1, "b") + finish("end_turn") + stop);
  CHECK(answer.ended);
  CHECK(answer.id == "msg_1");
  CHECK(answer.model == "claude-x");
  CHECK(answer.choice().text == "a\nb");
  CHECK(answer.choice().finish == Finish::stop);
  CHECK(answer.usage.prompt_tokens == 22);
  CHECK(answer.usage.cached_tokens == 5);
  CHECK(answer.usage.cache_write_tokens == 7);
  CHECK(answer.usage.completion_tokens == 12);
  CHECK(answer.usage.reasoning_tokens == -1);
}

TEST_CASE("the text in a block's start is text") {
  CHECK(read(start + block(0, R"("type":"text","text":"early")") + end_of(0) + finish("end_turn") +
             stop)
            .choice()
            .text == "early");
}

TEST_CASE("what stands in the message's start is content, and its reason holds without another") {
  const std::string begun =
      event("message_start",
            R"("message":{"id":"m","model":"x","content":[{"type":"code_execution_tool_result",)"
            R"("tool_use_id":"s","content":{}},{"type":"tool_use","id":"t","name":"f",)"
            R"("input":{"a":"b"}},{"type":"text","text":"x"}],"stop_reason":"tool_use"})");
  for (const std::string& behind : {std::string(), text(3, "y") + finish("end_turn")}) {
    const Answer answer = read(begun + behind + stop);
    CHECK(answer.ended);
    REQUIRE(answer.choice().calls.size() == 1);
    CHECK(answer.choice().calls[0].id == "t");
    CHECK(answer.choice().calls[0].arguments == R"({"a":"b"})");
    CHECK(answer.choice().text == (behind.empty() ? "x" : "xy"));
    CHECK(answer.choice().finish == (behind.empty() ? Finish::tool_calls : Finish::stop));
  }
}

TEST_CASE("tools are numbered by themselves, not by their blocks") {
  const Answer answer =
      read(start + text(0, "x") +
           tool(1, "t1", arguments(1, "") + arguments(1, "{\\\"a\\\"") + arguments(1, ": 1}")) +
           tool(2, "t2", arguments(2, "{}")) + finish("tool_use") + stop);
  REQUIRE(answer.choice().calls.size() == 2);
  CHECK(answer.choice().calls[0].id == "t1");
  CHECK(answer.choice().calls[0].name == "f");
  CHECK(answer.choice().calls[0].arguments == "{\"a\": 1}");
  CHECK(answer.choice().calls[1].id == "t2");
  CHECK(answer.choice().calls[1].arguments == "{}");
  CHECK(answer.choice().finish == Finish::tool_calls);
}

TEST_CASE("a tool without any fragment has empty arguments, once") {
  const Answer none = read(start + tool(0, "t", "") + finish("tool_use") + stop);
  CHECK(none.choice().calls[0].arguments == "{}");
  const Answer empty = read(start + tool(0, "t", arguments(0, "")) + finish("tool_use") + stop);
  CHECK(empty.choice().calls[0].arguments == "{}");
}

TEST_CASE("an input that stands whole in the block's start is the arguments, once") {
  const Answer answer =
      read(start + block(0, R"("type":"tool_use","id":"t","name":"f","input":{"a":"\""})") +
           arguments(0, "{\\\"a\\\":1}") + end_of(0) + finish("tool_use") + stop);
  CHECK(answer.choice().calls[0].arguments == R"({"a":"\""})");
}

TEST_CASE("arguments cut by max_tokens stay as they are, and the reason says why") {
  const Answer answer =
      read(start + block(0, R"("type":"tool_use","id":"t","name":"f","input":{})") +
           arguments(0, "{\\\"a\\\": [1,") + finish("max_tokens") + stop);
  CHECK(answer.ended);
  CHECK(answer.choice().calls[0].arguments == "{\"a\": [1,");
  CHECK(answer.choice().finish == Finish::length);
}

TEST_CASE("thinking comes with its signature, which only its maker gets back") {
  const Answer answer =
      read(start + block(0, R"("type":"thinking","thinking":"","signature":"")") +
           delta(0, R"("type":"thinking_delta","thinking":"h")") +
           delta(0, R"("type":"thinking_delta","thinking":"m")") +
           delta(0, R"("type":"signature_delta","signature":"sig==")") + end_of(0) +
           block(1, R"("type":"redacted_thinking","data":"opaque")") + end_of(1) +
           block(2, R"("type":"thinking","thinking":"","signature":"")") +
           delta(2, R"("type":"signature_delta","signature":"hidden")") + end_of(2) +
           text(3, "so") + finish("end_turn") + stop);
  REQUIRE(answer.choice().blocks.size() == 3);
  CHECK(answer.choice().blocks[0].text == "hm");
  CHECK(answer.choice().blocks[0].signature == "sig==");
  CHECK(answer.choice().blocks[0].signature_of == Maker::anthropic);
  CHECK(answer.choice().blocks[1].redacted);
  CHECK(answer.choice().blocks[1].text == "opaque");
  CHECK(answer.choice().blocks[1].signature_of == Maker::anthropic);
  CHECK(answer.choice().blocks[2].text.empty());
  CHECK(answer.choice().blocks[2].signature == "hidden");
  CHECK(answer.choice().text == "so");
}

TEST_CASE("the provider's own tools and unknown blocks are swallowed with all their deltas") {
  const Answer answer = read(
      start + block(0, R"("type":"server_tool_use","id":"s","name":"web_search","input":{})") +
      arguments(0, "{\\\"query\\\":\\\"x\\\"}") + end_of(0) +
      block(1, R"("type":"web_search_tool_result","tool_use_id":"s","content":[])") + end_of(1) +
      block(2, R"("type":"compaction","content":null)") +
      delta(2, R"("type":"compaction_delta","content":"y")") + end_of(2) +
      block(3, R"("type":"tomorrows","text":"z")") + delta(3, R"("type":"text_delta","text":"z")") +
      end_of(3) + event("tomorrow", "\"news\":[]") + text(4, "a") + finish("end_turn") + stop);
  CHECK(answer.ended);
  CHECK(answer.choice().text == "a");
  CHECK(answer.choice().calls.empty());
}

TEST_CASE("citations of the web have a URL, others say nothing") {
  const Answer answer =
      read(start + block(0, R"("type":"text","text":"","citations":[])") +
           delta(0, R"("type":"citations_delta","citation":{"type":"web_search_result_location",)"
                    R"("url":"https://x","title":"X"})") +
           delta(0, R"("type":"citations_delta","citation":{"type":"char_location"})") +
           delta(0, R"("type":"text_delta","text":"a")") + end_of(0) + finish("end_turn") + stop);
  REQUIRE(answer.choice().citations.size() == 1);
  CHECK(answer.choice().citations[0].first == "https://x");
  CHECK(answer.choice().citations[0].second == "X");
}

TEST_CASE("each reason to stop has its meaning") {
  struct Case {
    const char* reason;
    Finish finish;
  };
  const Case cases[] = {
      {"end_turn", Finish::stop},
      {"stop_sequence", Finish::stop_sequence},
      {"pause_turn", Finish::pause},
      {"max_tokens", Finish::length},
      {"model_context_window_exceeded", Finish::length},
      {"tool_use", Finish::tool_calls},
      {"refusal", Finish::refusal},
      {"tomorrows", Finish::stop},
  };
  for (const Case& item : cases) {
    CAPTURE(item.reason);
    const Answer answer = read(start + finish(item.reason) + stop);
    CHECK(answer.choice().finishes == 1);
    CHECK(answer.choice().finish == item.finish);
    CHECK(answer.choice().finish_text.empty());
  }
}

TEST_CASE("the stop sequence and the explanation of a refusal come with the finish") {
  CHECK(read(start + finish("stop_sequence", R"(,"stop_sequence":"EN\nD")") + stop)
            .choice()
            .finish_text == "EN\nD");
  const Answer refused =
      read(start +
           finish("refusal", R"(,"stop_details":{"type":"refusal","category":"cyber",)"
                             R"("explanation":"Not this."})") +
           stop);
  CHECK(refused.choice().finish_text == "Not this.");
}

TEST_CASE("a second message_start goes on with the answer that has begun") {
  const Answer answer =
      read(start + text(0, "a") + start + text(0, "b") + finish("end_turn") + stop);
  CHECK(answer.ended);
  CHECK(answer.choice().text == "ab");
}

TEST_CASE("usage is overwritten field by field, never added") {
  const std::string twice =
      event("message_delta", R"("delta":{},"usage":{"output_tokens":4,"input_tokens":11})") +
      event("message_delta", R"("delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":9,)"
                             R"("cache_read_input_tokens":null,)"
                             R"("output_tokens_details":{"thinking_tokens":3}})");
  const Answer answer = read(start + twice + stop);
  CHECK(answer.usage.prompt_tokens == 23);
  CHECK(answer.usage.cached_tokens == 5);
  CHECK(answer.usage.completion_tokens == 9);
  CHECK(answer.usage.reasoning_tokens == 3);
}

TEST_CASE("what is written to the cache is told apart by its lifetime") {
  const Answer answer = read_plain(
      R"({"type":"message","content":[],"stop_reason":"end_turn","usage":{"input_tokens":1,)"
      R"("output_tokens":2,"cache_creation":{"ephemeral_5m_input_tokens":10,)"
      R"("ephemeral_1h_input_tokens":20}}})");
  CHECK(answer.usage.prompt_tokens == 31);
  CHECK(answer.usage.cache_write_tokens == 30);
  CHECK(answer.usage.cache_write_1h_tokens == 20);
  CHECK(answer.usage.cached_tokens == 0);
}

TEST_CASE("an answer without usage has none") {
  const Answer answer =
      read(event("message_start", R"("message":{"id":"m"})") + text(0, "a") +
           event("message_delta", R"("delta":{"stop_reason":"end_turn"})") + stop);
  CHECK(answer.ended);
  CHECK(answer.usages == 0);
  CHECK_FALSE(answer.usage.known());
}

TEST_CASE("an error in the stream ends it as what it stands for") {
  const Answer answer = read(start + text(0, "a") +
                             "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":"
                             "\"overloaded_error\",\"message\":\"Over\\nloaded\"}}\n\n" +
                             text(1, "never") + stop);
  CHECK(answer.failed);
  CHECK(answer.error == ErrorKind::overload);
  CHECK(answer.error_message == "Over\nloaded");
  CHECK(answer.choice().text == "a");
}

TEST_CASE("a stream that ends without message_stop is an error, wherever it ends") {
  const std::string all =
      start + ping + text(0, "a") + tool(1, "t", arguments(1, "{}")) + finish("tool_use") + stop;
  for (size_t size = 0; size < all.size(); ++size) {
    CAPTURE(size);
    const Answer answer = read(all.substr(0, size));
    CHECK(answer.failed);
    CHECK(answer.error == ErrorKind::server);
    CHECK_FALSE(answer.error_message.empty());
  }
  CHECK(read(all).ended);
}

TEST_CASE("what is no event of this dialect is an error, not silence") {
  const char* events[] = {
      "data: {\n\n",
      "data: not JSON\n\n",
      "data: []\n\n",
      "data: {\"type\":\"ping\"} x\n\n",
      "data: {\"type\":\"content_block_delta\",\"delta\":{\"text\":\"\\q\"}}\n\n",
      "data: {\"type\":\"content_block_delta\",\"delta\":{\"text\":\"\xff\"}}\n\n",
      "event: message_stop\ndata: {\"type\":\"message_stop\n\n",
  };
  for (const char* bytes : events) {
    CAPTURE(bytes);
    const Answer answer = read(start + bytes + finish("end_turn") + stop);
    CHECK(answer.failed);
    CHECK(answer.error == ErrorKind::server);
  }
  CHECK(read(stop).failed);
  CHECK(read(finish("end_turn") + stop).failed);
}

TEST_CASE("a fragment for another block than the open one breaks the answer") {
  CHECK(read(start + block(0, R"("type":"tool_use","id":"a","name":"f","input":{})") +
             arguments(3, "{}") + stop)
            .failed);
  // Of text it is passed over.
  CHECK(read(start + block(0, R"("type":"text","text":"")") +
             delta(3, R"("type":"text_delta","text":"x")") + finish("end_turn") + stop)
            .choice()
            .text.empty());
}

TEST_CASE("an event in several data lines is read as one") {
  CHECK(read(start + block(0, R"("type":"text","text":"")") +
             "data: {\"type\":\"content_block_delta\",\"index\":0,\ndata: "
             "\"delta\":{\"type\":\"text_delta\",\"text\":\"a\"}}\n\n" +
             finish("end_turn") + stop)
            .choice()
            .text == "a");
}

TEST_CASE("members may stand in any order, and their types may be wrong") {
  const Answer answer = read(
      "data: {\"message\":{\"model\":\"m\",\"id\":7},\"type\":\"message_start\"}\n\n"
      "data: {\"content_block\":{\"text\":\"\",\"type\":\"text\"},\"index\":0,"
      "\"type\":\"content_block_start\"}\n\n"
      "data: {\"delta\":{\"text\":\"a\",\"type\":\"text_delta\"},\"index\":\"0\","
      "\"type\":\"content_block_delta\"}\n\n"
      "data: {\"delta\":[],\"usage\":\"none\",\"type\":\"message_delta\"}\n\n"
      "data: {\"type\":\"message_stop\"}\n\n");
  CHECK(answer.ended);
  CHECK(answer.id.empty());
  CHECK(answer.model == "m");
  CHECK(answer.choice().text == "a");
}

TEST_CASE("a whole answer gives the same as its stream") {
  const Answer answer = read_plain(
      R"({"model":"claude-x","id":"msg_1","type":"message","role":"assistant","content":[)"
      R"({"type":"thinking","thinking":"hm","signature":"sig"},{"type":"text","text":"a",)"
      R"("citations":[{"type":"web_search_result_location","url":"https://x","title":null}]},)"
      R"({"type":"server_tool_use","id":"s","name":"n","input":{"q":1}},)"
      R"({"type":"tool_use","id":"t1","name":"f","input":{"x": "\"\n"}},)"
      R"({"type":"tool_use","id":"t2","name":"g","input":{}},{"type":"tool_use","id":"t3",)"
      R"("name":"h"}],"stop_reason":"tool_use","stop_sequence":null,)"
      R"("usage":{"input_tokens":3,"output_tokens":4,"service_tier":"standard"}})");
  CHECK(answer.ended);
  CHECK(answer.id == "msg_1");
  CHECK(answer.choice().text == "a");
  CHECK(answer.choice().blocks[0].signature == "sig");
  REQUIRE(answer.choice().citations.size() == 1);
  REQUIRE(answer.choice().calls.size() == 3);
  CHECK(answer.choice().calls[0].arguments == R"({"x": "\"\n"})");
  CHECK(answer.choice().calls[1].arguments == "{}");
  CHECK(answer.choice().calls[2].arguments == "{}");
  CHECK(answer.choice().finish == Finish::tool_calls);
  CHECK(answer.usage.prompt_tokens == 3);
  CHECK(answer.usage.completion_tokens == 4);
}

TEST_CASE("a whole answer that is none is an error") {
  for (const char* body : {"", "{", "null", "[]", "{}", R"({"content":"text"})", "<html>",
                           R"({"type":"message","content":[{"type":"text","text":"a"})"}) {
    CAPTURE(body);
    const Answer answer = read_plain(body);
    CHECK(answer.failed);
    CHECK(answer.error == ErrorKind::server);
  }
  const Answer error =
      read_plain(R"({"type":"error","error":{"type":"rate_limit_error","message":"slow"}})");
  CHECK(error.failed);
  CHECK(error.error == ErrorKind::rate_limit);
}

TEST_CASE("an answer that begins in its middle, and a call without a name, are errors") {
  CHECK(read(text(0, "hello") + finish("end_turn") + stop).failed);
  CHECK(read(start + block(0, R"("type":"tool_use","id":"toolu_1","name":"","input":{})") +
             end_of(0) + finish("tool_use") + stop)
            .failed);
  CHECK(read(start + block(0, R"("type":"tool_use","id":"toolu_1","input":{})") + end_of(0) +
             finish("tool_use") + stop)
            .failed);
}
