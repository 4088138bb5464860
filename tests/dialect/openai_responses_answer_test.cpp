#include <random>
#include <string>
#include <vector>

#include "dialect/harness.h"
#include "dialect/openai_responses.h"
#include "support/shared_data.h"

using namespace hyperion;
using namespace hyperion::dialect;
using test::Answer;
using test::context_of;
using test::json_of;
using test::read_plain;
using test::read_stream;

namespace {

const Language& responses() { return openai_responses::language(); }

std::string event(std::string_view type, std::string_view members) {
  std::string text =
      "event: " + std::string(type) + "\ndata: {\"type\":\"" + std::string(type) + "\"";
  if (!members.empty()) text += "," + std::string(members);
  return text + "}\n\n";
}

constexpr std::string_view usage_members =
    R"("usage":{"input_tokens":10,"input_tokens_details":{"cached_tokens":4},"output_tokens":7,
"output_tokens_details":{"reasoning_tokens":3},"total_tokens":17})";

std::string one_line(std::string text) {
  std::erase(text, '\n');
  return text;
}

std::string created() {
  return event("response.created",
               R"("response":{"id":"resp_1","created_at":1700000000,"model":"gpt-x","output":[]})");
}

std::string last(std::string_view type, std::string_view members = {}) {
  std::string response =
      R"("response":{"id":"resp_1","model":"gpt-x",)" + one_line(std::string(usage_members));
  if (!members.empty()) response += "," + std::string(members);
  return event(type, response + "}");
}

std::string text_delta(std::string_view text) {
  return event("response.output_text.delta",
               R"("output_index":0,"content_index":0,"delta":")" + std::string(text) + "\"");
}

std::string call_added(int index, std::string_view id, std::string_view name) {
  return event("response.output_item.added",
               "\"output_index\":" + std::to_string(index) +
                   R"(,"item":{"type":"function_call","id":"fc","arguments":"","call_id":")" +
                   std::string(id) + R"(","name":")" + std::string(name) + "\"}");
}

std::string call_done(int index, std::string_view id, std::string_view name,
                      std::string_view arguments) {
  return event("response.output_item.done", "\"output_index\":" + std::to_string(index) +
                                                R"(,"item":{"type":"function_call","call_id":")" +
                                                std::string(id) + R"(","name":")" +
                                                std::string(name) + R"(","arguments":")" +
                                                std::string(arguments) + "\"}");
}

std::string arguments_delta(int index, std::string_view piece) {
  return event(
      "response.function_call_arguments.delta",
      "\"output_index\":" + std::to_string(index) + R"(,"delta":")" + std::string(piece) + "\"");
}

}  // namespace

TEST_CASE("a stream of text: start, pieces, usage, one finish, end") {
  const Answer answer =
      read_stream(responses(), created() + text_delta("Hel") + text_delta("lo \\u00e4\\n") +
                                   last("response.completed"));
  CHECK(answer.ended);
  CHECK(answer.id == "resp_1");
  CHECK(answer.model == "gpt-x");
  CHECK(answer.created_s == 1'700'000'000);
  CHECK(answer.choice().text == "Hello \u00e4\n");
  CHECK(answer.choice().finish == Finish::stop);
  CHECK(answer.usage.prompt_tokens == 10);
  CHECK(answer.usage.cached_tokens == 4);
  CHECK(answer.usage.completion_tokens == 7);
  CHECK(answer.usage.reasoning_tokens == 3);
  CHECK(answer.usage.cache_write_tokens == 0);
  CHECK(answer.usage.audio_prompt_tokens == -1);
}

TEST_CASE("usage that is not there stays unknown, numbers missing within it are 0") {
  const Answer none = read_stream(
      responses(), created() + event("response.completed", R"("response":{"usage":null})"));
  CHECK(none.ended);
  CHECK(none.usages == 0);
  const Answer some = read_stream(
      responses(), event("response.completed", R"("response":{"usage":{"output_tokens":3}})"));
  CHECK(some.usage.completion_tokens == 3);
  CHECK(some.usage.prompt_tokens == 0);
  CHECK(some.usage.cached_tokens == 0);
}

TEST_CASE("calls in parallel keep their ordinals, whatever their place in the output") {
  const Answer answer = read_stream(
      responses(),
      created() +
          event("response.output_item.added", R"("output_index":0,"item":{"type":"reasoning"})") +
          call_added(1, "c1", "f") + call_added(2, "c2", "g") + arguments_delta(2, "{\\\"b\\\"") +
          arguments_delta(1, "{}") + arguments_delta(2, ":1}") + call_done(1, "c1", "f", "{}") +
          call_done(2, "c2", "g", "{\\\"b\\\":1}") + last("response.completed"));
  REQUIRE(answer.choice().calls.size() == 2);
  CHECK(answer.choice().calls[0].id == "c1");
  CHECK(answer.choice().calls[0].arguments == "{}");
  CHECK(answer.choice().calls[1].name == "g");
  CHECK(answer.choice().calls[1].arguments == "{\"b\":1}");
  CHECK(answer.choice().finish == Finish::tool_calls);
}

TEST_CASE("a call without arguments gets an empty object, once (litellm#4537, #5063)") {
  const Answer answer =
      read_stream(responses(), created() + call_added(0, "c1", "f") + call_done(0, "c1", "f", "") +
                                   last("response.completed"));
  REQUIRE(answer.choice().calls.size() == 1);
  CHECK(answer.choice().calls[0].arguments == "{}");
}

TEST_CASE("whole items without pieces are read as well, and nothing is read twice") {
  const std::string message =
      event("response.output_item.done", R"("output_index":0,"item":{"type":"message",)"
                                         R"("content":[{"type":"output_text","text":"Hi"}]})");
  CHECK(read_stream(responses(), created() + message + last("response.completed")).choice().text ==
        "Hi");
  const std::string added =
      event("response.output_item.added", R"("output_index":0,"item":{"type":"message"})");
  CHECK(read_stream(responses(),
                    created() + added + text_delta("Hi") + message + last("response.completed"))
            .choice()
            .text == "Hi");
  const Answer call = read_stream(
      responses(), created() + call_done(0, "c", "f", "{}") + last("response.completed"));
  REQUIRE(call.choice().calls.size() == 1);
  CHECK(call.choice().calls[0].arguments == "{}");
  const Answer arguments_done = read_stream(
      responses(), created() + call_added(0, "c", "f") +
                       event("response.function_call_arguments.done",
                             R"("output_index":0,"arguments":"{\"a\":1}")") +
                       call_done(0, "c", "f", "{\\\"a\\\":1}") + last("response.completed"));
  CHECK(arguments_done.choice().calls[0].arguments == "{\"a\":1}");
  const Answer only_last = read_stream(
      responses(),
      last("response.completed",
           R"("output":[{"type":"message","content":[{"type":"output_text","text":"Hi"}]}])"));
  CHECK(only_last.choice().text == "Hi");
  const Answer bare = read_stream(
      responses(),
      created() + text_delta("Hi") +
          last("response.completed",
               R"("output":[{"type":"message","content":[{"type":"output_text","text":"Hi"}]}])"));
  CHECK(bare.choice().text == "Hi");
}

TEST_CASE("reasoning: the pieces of its summary, parts told apart, then what was signed") {
  const auto summary = [](int part, const char* text) {
    return event("response.reasoning_summary_text.delta", R"("output_index":0,"summary_index":)" +
                                                              std::to_string(part) +
                                                              R"(,"delta":")" + text + "\"");
  };
  const std::string added =
      event("response.output_item.added", R"("output_index":0,"item":{"type":"reasoning"})");
  const std::string done =
      event("response.output_item.done", R"("output_index":0,"item":{"type":"reasoning",)"
                                         R"("encrypted_content":"gAAA","summary":[]})");
  Answer answer = read_stream(responses(), created() + added + summary(0, "o") + summary(0, "ne") +
                                               summary(1, "two") + done + text_delta("x") +
                                               last("response.completed"));
  CHECK(answer.choice().thinking == "one\n\ntwo");
  REQUIRE(answer.choice().blocks.size() == 1);
  CHECK(answer.choice().blocks[0].signature == "gAAA");
  CHECK(answer.choice().blocks[0].signature_of == Maker::openai);
  answer = read_plain(responses(), R"({"status":"completed","output":[{"type":"reasoning",
    "encrypted_content":"gAAA","content":[],"summary":[{"text":"one"},{"text":"two"}]}]})");
  CHECK(answer.choice().thinking == "one\n\ntwo");
}

TEST_CASE("reasoning shown as it is goes before its summary") {
  const auto delta = [](const char* type, const char* text) {
    return event(type, std::string(R"("output_index":0,"delta":")") + text + "\"");
  };
  const std::string added =
      event("response.output_item.added", R"("output_index":0,"item":{"type":"reasoning"})");
  const Answer answer =
      read_stream(responses(), created() + added + delta("response.reasoning_text.delta", "all") +
                                   delta("response.reasoning_summary_text.delta", "short") +
                                   last("response.completed"));
  CHECK(answer.choice().thinking == "all");
}

TEST_CASE("a refusal is a refusal, not text") {
  const std::string refusal = event("response.refusal.delta", R"("output_index":0,"delta":"No.")");
  const Answer stream = read_stream(responses(), created() + refusal + last("response.completed"));
  CHECK(stream.choice().refusal == "No.");
  CHECK(stream.choice().finish == Finish::refusal);
  CHECK(stream.choice().text.empty());
  const Answer plain = read_plain(responses(), R"({"status":"completed","output":[
    {"type":"message","content":[{"type":"refusal","refusal":"No."}]}]})");
  CHECK(plain.choice().refusal == "No.");
  CHECK(plain.choice().finish == Finish::refusal);
}

TEST_CASE("why an answer is incomplete") {
  struct Case {
    const char* details;
    Finish finish;
  };
  for (const Case& item :
       {Case{R"({"reason":"max_output_tokens"})", Finish::length},
        Case{R"({"reason":"content_filter"})", Finish::content_filter},
        Case{R"({"reason":"something new"})", Finish::length}, Case{"null", Finish::length}}) {
    CAPTURE(item.details);
    const std::string members = std::string("\"incomplete_details\":") + item.details;
    const Answer stream = read_stream(
        responses(), created() + text_delta("a") + last("response.incomplete", members));
    CHECK(stream.ended);
    CHECK(stream.choice().finish == item.finish);
    const Answer plain =
        read_plain(responses(), R"({"status":"incomplete","output":[],)" + members + "}");
    CHECK(plain.choice().finish == item.finish);
  }
}

TEST_CASE("a call that was cut ends with the answer (litellm#19028)") {
  const Answer answer = read_stream(
      responses(),
      created() + call_added(0, "c", "f") + arguments_delta(0, "{\\\"a") +
          last("response.incomplete", R"("incomplete_details":{"reason":"max_output_tokens"})"));
  CHECK(answer.choice().finish == Finish::length);
  CHECK(answer.choice().calls[0].arguments == "{\"a");
  CHECK(answer.choice().calls[0].ended);
}

TEST_CASE("reasoning that was cut ends with the answer") {
  const Answer answer = read_stream(
      responses(),
      created() +
          event("response.output_item.added", R"("output_index":0,"item":{"type":"reasoning"})") +
          event("response.reasoning_text.delta", R"("output_index":0,"delta":"hm")") +
          last("response.incomplete"));
  REQUIRE(answer.choice().blocks.size() == 1);
  CHECK(answer.choice().blocks[0].text == "hm");
}

TEST_CASE("citations are given where they have a URL") {
  const std::string annotation =
      R"({"type":"url_citation","url":"https://a.b","title":"T","start_index":0,"end_index":1})";
  const Answer stream = read_stream(responses(), created() + text_delta("a") +
                                                     event("response.output_text.annotation.added",
                                                           "\"annotation\":" + annotation) +
                                                     last("response.completed"));
  REQUIRE(stream.choice().citations.size() == 1);
  CHECK(stream.choice().citations[0].first == "https://a.b");
  CHECK(stream.choice().citations[0].second == "T");
  const Answer plain = read_plain(
      responses(), R"({"status":"completed","output":[{"type":"message","content":[)"
                   R"({"type":"output_text","text":"a","annotations":[{"type":"file_citation"},)" +
                       annotation + "]}]}]}");
  CHECK(plain.choice().citations.size() == 1);
}

TEST_CASE("items of the provider's own tools, unknown items and unknown events are passed over") {
  const std::string search = R"("output_index":0,"item":{"type":"web_search_call"})";
  const Answer answer = read_stream(
      responses(),
      created() + event("response.output_item.added", search) +
          event("response.web_search_call.searching", R"("output_index":0)") +
          event("response.mcp_call_arguments.delta", R"("output_index":0,"delta":"{}")") +
          event("response.output_item.done", search) +
          event("response.something_new.delta", R"("output_index":0,"delta":"x")") +
          event("ping", "") + ": comment\n\n" + text_delta("Hi") + last("response.completed"));
  CHECK(answer.ended);
  CHECK(answer.choice().text == "Hi");
  CHECK(answer.choice().calls.empty());
  CHECK(answer.choice().finish == Finish::stop);
}

TEST_CASE("an error in the stream is an error, by its code, whatever its shape (litellm#6532)") {
  struct Case {
    std::string event;
    ErrorKind kind;
  };
  const Case cases[] = {
      {event("error", R"("code":"rate_limit_exceeded","message":"slow","param":null)"),
       ErrorKind::rate_limit},
      {event("error", R"("error":{"type":"insufficient_quota","code":"insufficient_quota",)"
                      R"("message":"slow","param":null})"),
       ErrorKind::money},
      {"data: {\"error\":{\"message\":\"slow\",\"type\":\"overloaded_error\"}}\n\n",
       ErrorKind::overload},
      {event("response.failed",
             R"("response":{"status":"failed","error":{"code":"server_error","message":"slow"}})"),
       ErrorKind::server},
      {event("response.failed", R"("response":{"status":"failed","error":null})"),
       ErrorKind::server},
  };
  for (const Case& item : cases) {
    CAPTURE(item.event);
    const Answer answer = read_stream(responses(), created() + text_delta("a") + item.event);
    CHECK(answer.failed);
    CHECK(answer.error == item.kind);
    if (item.event.find("slow") != std::string::npos) CHECK(answer.error_message == "slow");
  }
}

TEST_CASE("what follows the end or an error is ignored") {
  const Answer answer = read_stream(
      responses(), created() + last("response.completed") + text_delta("x") + "data: [DONE]\n\n" +
                       event("error", R"("code":"x","message":"y")") + last("response.completed"));
  CHECK(answer.ended);
  CHECK(answer.choice().text.empty());
}

TEST_CASE("a stream that ends early is an error, [DONE] is no end") {
  CHECK(read_stream(responses(), "").failed);
  CHECK(read_stream(responses(), created()).failed);
  CHECK(read_stream(responses(), created() + text_delta("a") + "data: [DONE]\n\n").failed);
}

TEST_CASE("nonsense of the provider is an error of the server") {
  const std::string cases[] = {
      "data: nonsense\n\n",
      "data: []\n\n",
      "data: {\"type\":\"response.output_text.delta\",\"delta\":\"a\n\n",
      "data: {}\ndata: {}\n\n",
      event("response.output_item.added", ""),
      event("response.output_item.added", R"("item":{"type":"message"})"),
      event("response.output_item.added", R"("output_index":0,"item":7)"),
      event("response.output_item.done", R"("output_index":0,"item":[])"),
      event("response.completed", R"("response":7)"),
      event("response.completed", ""),
      call_added(0, "c", ""),
      text_delta("\\x"),
      text_delta("\xFF"),
      text_delta("a\tb"),
  };
  for (const std::string& item : cases) {
    CAPTURE(item);
    const Answer answer = read_stream(responses(), created() + item + last("response.completed"));
    CHECK(answer.failed);
    CHECK(answer.error == ErrorKind::server);
  }
  std::string many = created();
  for (int i = 0; i < 100; ++i) many += call_added(i, "c", "f");
  CHECK(read_stream(responses(), many + last("response.completed")).failed);
}

TEST_CASE("half of a character in an escape is passed on: the other half may come next") {
  test::Encoder client(responses(), context_of(true));
  test::read_stream_into(
      responses(),
      created() + text_delta("\\ud83d") + text_delta("\\ude00") + last("response.completed"), 0,
      client.receiver());
  CHECK(client.text().find(R"("text":"\ud83d\ude00")") != std::string::npos);
}

TEST_CASE("wrong types where nothing hangs on them are passed over") {
  const Answer answer = read_stream(
      responses(),
      event("response.created", R"("response":{"id":7,"created_at":"x","model":null})") +
          event("response.output_text.delta", R"("output_index":"a","delta":7)") +
          event("response.output_text.delta", R"("output_index":{},"delta":"b")") +
          arguments_delta(5, "{}") +
          event("response.completed", R"("response":{"usage":{"input_tokens":"x"}})"));
  CHECK(answer.ended);
  CHECK(answer.choice().text == "b");
  CHECK(answer.usage.prompt_tokens == 0);
}

TEST_CASE("a plain answer: whole, failed, unfinished or none") {
  const Answer answer = read_plain(responses(), R"({"id":"resp_1","model":"m","created_at":5,
    "status":"completed","error":null,"output":[{"type":"reasoning","summary":[],
    "encrypted_content":"gA"},{"type":"web_search_call"},{"type":"message","content":[
    {"type":"output_text","text":"a"},{"type":"output_text","text":"b"}]},{"type":"function_call",
    "call_id":"c","name":"f","arguments":""}],"usage":{"input_tokens":1,"output_tokens":2}})");
  CHECK(answer.ended);
  CHECK(answer.choice().text == "ab");
  CHECK(answer.choice().blocks.size() == 1);
  CHECK(answer.choice().calls[0].arguments == "{}");
  CHECK(answer.choice().finish == Finish::tool_calls);
  CHECK(answer.usage.completion_tokens == 2);
  const char* broken[] = {
      "",
      "null",
      "[]",
      "{",
      "{}",
      R"({"status":"in_progress","output":[]})",
      R"({"status":"queued","output":[]})",
      R"({"status":"completed"})",
      R"({"status":"completed","output":{}})",
      R"({"status":"completed","output":[{]})",
      R"({"status":"completed","output":[]} x)",
      R"({"status":"failed","output":[]})",
      R"({"error":{"message":"no","code":"server_error"}})",
      R"({"status":"failed","output":[],"error":{"code":"server_error","message":"no"}})",
  };
  for (const char* body : broken) {
    CAPTURE(body);
    CHECK(read_plain(responses(), body).failed);
  }
}

TEST_CASE("passing by: the first token, the usage, errors and the end are seen") {
  struct Case {
    std::string event;
    bool semantic, error, finished, malformed;
  };
  const auto added = [](std::string_view type) {
    return event("response.output_item.added", R"("item":{"type":")" + std::string(type) + "\"}");
  };
  const Case cases[] = {
      {created(), false, false, false, false},
      {event("response.in_progress", R"("response":{})"), false, false, false, false},
      {added("message"), false, false, false, false},
      {added("reasoning"), false, false, false, false},
      {added("function_call"), true, false, false, false},
      {added("mcp_call"), true, false, false, false},
      {event("response.content_part.added", R"("part":{"text":""})"), false, false, false, false},
      {text_delta("a"), true, false, false, false},
      {event("response.reasoning_summary_text.delta", R"("delta":"a")"), true, false, false, false},
      {last("response.completed"), true, false, true, false},
      {last("response.incomplete"), true, false, true, false},
      {event("response.failed", R"("response":{"error":{}})"), false, true, true, false},
      {event("error", R"("message":"a")"), false, true, false, false},
      {"data: {\"error\":{\"message\":\"a\"}}\n\n", false, true, false, false},
      {"data: {\"type\":\"response.output_text.delta\",\"delta\":\"a\"}\n\n", true, false, false,
       false},
      {"data: {\n\n", false, false, false, true},
      {": comment\n\n", false, false, false, false},
      {"data: [DONE]\n\n", false, false, false, false},
  };
  for (const Case& item : cases) {
    CAPTURE(item.event);
    Usage usage;
    const Observation seen =
        openai_responses::observe_event(http::parse_event(item.event), false, usage);
    CHECK(seen.semantic == item.semantic);
    CHECK(seen.error == item.error);
    CHECK(seen.finished == item.finished);
    CHECK(seen.malformed == item.malformed);
    CHECK(usage.known() == (item.event.find("\"usage\"") != std::string::npos));
  }
}

TEST_CASE("passing by: the usage of the last event and of a plain answer") {
  Usage usage;
  const std::string text = last("response.completed");
  CHECK(openai_responses::observe_event(http::parse_event(text), true, usage).finished);
  CHECK(usage.completion_tokens == 7);
  CHECK(usage.cached_tokens == 4);
  Usage plain;
  openai_responses::observe_answer(
      one_line("{\"output\":[{\"usage\":1}]," + std::string(usage_members) + "}"), plain);
  CHECK(plain.prompt_tokens == 10);
}
