// The simulated OpenAI dialect beyond plain chat: Responses, several calls, refusals, structured
// answers, and what reasoning models do not take.
#include <doctest/doctest.h>

#include "served.h"

namespace hyperion::test {
namespace {

constexpr std::string_view target = "/v1/responses";
constexpr std::string_view weather =
    R"("tools":[{"type":"function","name":"get_weather","parameters":{"type":"object",)"
    R"("properties":{"city":{"type":"string"}}}}])";

std::string request(std::string_view more = {}, std::string_view model = "gpt-4o") {
  return "{\"model\":\"" + std::string(model) + "\",\"input\":\"Say hello.\"" +
         (more.empty() ? "" : "," + std::string(more)) + "}";
}

struct SentEvent {
  std::string name;
  Json data;
};

std::vector<SentEvent> stream_of(const Reply& reply) {
  std::vector<SentEvent> events;
  for (const std::string& text : events_of(reply.body)) {
    const size_t line = text.find("\ndata: ");
    if (!text.starts_with("event: ") || line == std::string::npos) continue;
    events.push_back({text.substr(7, line - 7), read_json(text.substr(line + 7)).value_or(Json{})});
  }
  return events;
}

std::string deltas(const std::vector<SentEvent>& events) {
  std::string text;
  for (const SentEvent& event : events) text += event.data["delta"].text;
  return text;
}

std::string refusal(Served& served, std::string_view where, const std::string& body) {
  const Reply reply = served.post(where, body);
  return reply.status == 400 ? reply.json()["error"]["message"].text : std::string();
}

// What gzip blocks hold that were stored as they are (RFC 1951 3.2.4); empty: it is not well
// formed.
std::string unpack_stored(std::string_view bytes) {
  auto number = [&](size_t at, int size) {
    uint32_t value = 0;
    for (int i = 0; i < size; ++i) {
      value |= uint32_t{static_cast<unsigned char>(bytes[at + static_cast<size_t>(i)])} << (8 * i);
    }
    return value;
  };
  std::string out;
  size_t at = 10;
  while (at + 5 <= bytes.size()) {
    const bool last = bytes[at] == 1;
    const uint32_t size = number(at + 1, 2);
    if (number(at + 3, 2) != (~size & 0xffff)) return {};
    out += bytes.substr(at + 5, size);
    at += 5 + size;
    if (!last) continue;
    const bool whole = at + 8 == bytes.size() && number(at + 4, 4) == out.size();
    uint32_t crc = 0xffffffff;
    for (char c : out) {
      crc ^= static_cast<unsigned char>(c);
      for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xEDB88320u : 0u);
    }
    return whole && number(at, 4) == ~crc ? out : std::string();
  }
  return {};
}

TEST_CASE("a response has its shape, and the stream its events, each with its number") {
  Served served("[simulator]\nanswer_tokens = 12\n");
  const Json plain = served.post(target, request()).json();
  CHECK(plain["object"].text == "response");
  CHECK(plain["status"].text == "completed");
  CHECK(plain["usage"]["input_tokens"].integer() == 7);
  CHECK(plain["usage"]["output_tokens"].integer() == 12);
  const auto events = stream_of(served.post(target, request(R"("stream":true)")));
  REQUIRE(events.size() == 4 + 12 + 4);
  const std::string_view names[] = {"response.created", "response.in_progress",
                                    "response.output_item.added", "response.content_part.added"};
  const std::string_view last_names[] = {"response.output_text.done", "response.content_part.done",
                                         "response.output_item.done", "response.completed"};
  for (size_t i = 0; i < 4; ++i) {
    CHECK(events[i].name == names[i]);
    CHECK(events[16 + i].name == last_names[i]);
  }
  for (size_t i = 0; i < events.size(); ++i) {
    CHECK(events[i].data["type"].text == events[i].name);
    CHECK(events[i].data["sequence_number"].integer() == static_cast<int64_t>(i));
  }
  const Json& item = plain["output"].elements.at(0);
  CHECK(deltas(events) == item["content"].elements.at(0)["text"].text);
  CHECK(events.back().data["response"]["output"] == plain["output"]);
  CHECK(served.ledger().bill().output_tokens == 24);
}

TEST_CASE("functions are called in a response, several at once on demand") {
  Served served;
  const std::string forced = std::string(weather) + R"(,"tool_choice":"required")";
  const auto events = stream_of(served.post(target, request(forced + R"(,"stream":true)")));
  CHECK(events.at(2).data["item"]["type"].text == "function_call");
  CHECK(events.at(3).name == "response.function_call_arguments.delta");
  const Json& done = events.at(events.size() - 3).data;
  CHECK(done["type"].text == "response.function_call_arguments.done");
  CHECK(deltas(events) == done["arguments"].text);
  const Json several =
      served.post(target, request(weather), "x-hyperion-fault: calls:3\r\n").json();
  REQUIRE(several["output"].elements.size() == 3);
  CHECK(several["output"].elements[0]["call_id"] != several["output"].elements[2]["call_id"]);
  const Json thought =
      served.post(target, request("\"reasoning\":{\"effort\":\"low\"}", "gpt-5.5")).json();
  CHECK(thought["output"].elements.at(0)["type"].text == "reasoning");
  CHECK(thought["usage"]["output_tokens_details"]["reasoning_tokens"].integer() == 12);
}

TEST_CASE("limits, schemas and refusals of a response") {
  Served served("[simulator]\nanswer_tokens = 40\n");
  const Json cut = served.post(target, request(R"("max_output_tokens":16)")).json();
  CHECK(cut["status"].text == "incomplete");
  CHECK(cut["incomplete_details"]["reason"].text == "max_output_tokens");
  const Json shaped =
      served
          .post(target, request(R"("text":{"format":{"type":"json_schema","name":"s","schema":)"
                                R"({"type":"object","properties":{"n":{"type":"integer"}}}}})"))
          .json();
  const Json& text = shaped["output"].elements.at(0)["content"].elements.at(0)["text"];
  CHECK(read_json(text.text).value()["n"].integer() == 1);
  const Json refused = served.post(target, request(), "x-hyperion-fault: refusal\r\n").json();
  CHECK(refused["output"].elements.at(0)["content"].elements.at(0)["type"].text == "refusal");
}

TEST_CASE("what Responses refuse is refused in the provider's words") {
  Served served;
  const struct {
    std::string body;
    std::string_view message;
  } rows[] = {
      {request(R"("messages":[])"), "Unknown parameter: 'messages'."},
      {request(R"("max_output_tokens":5)"),
       "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16, but got "
       "5 "
       "instead."},
      {request(R"("temperature":0.5)", "o3"),
       "Unsupported parameter: 'temperature' is not supported with this model."},
      {request(R"("tools":[{"type":"function","function":{"name":"f"}}])"),
       "Unknown parameter: 'tools[0].function'."},
      {R"({"model":"gpt-4o","input":[{"type":"function_call_output","call_id":"c","output":"1"}]})",
       "No tool call found for function call output with call_id c."},
      {R"({"model":"gpt-4o","input":[{"type":"function_call","call_id":"c","name":"f",)"
       R"("arguments":"{}"}]})",
       "No tool output found for function call c."},
      {R"({"model":"gpt-4o","input":[{"role":"user","content":[{"type":"text","text":"x"}]}]})",
       "Invalid value: 'text'. Supported values are: 'input_text', 'input_image', 'input_file', "
       "and "
       "'input_audio'."},
  };
  for (const auto& row : rows) CHECK(refusal(served, target, row.body) == row.message);
}

TEST_CASE("a response that breaks off says so by an error and a failed response") {
  Served served;
  const Reply reply =
      served.post(target, request(R"("stream":true)"), "x-hyperion-fault: streamerror:6\r\n");
  const auto events = stream_of(reply);
  REQUIRE(events.size() == 8);
  CHECK(events[6].name == "error");
  CHECK(events[6].data["error"]["code"].text == "server_error");
  CHECK(events[7].name == "response.failed");
}

TEST_CASE("chat completions call several tools, refuse, and fit a schema") {
  Served served;
  const std::string chat = R"({"model":"gpt-4o","messages":[{"role":"user","content":"x"}])";
  const std::string tools =
      R"(,"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object",)"
      R"("properties":{"a":{"type":"integer"}}}}}])";
  auto ask_chat = [&](const std::string& more, std::string_view fault) {
    return served.post(chat_target, chat + more + "}",
                       fault.empty() ? "" : "x-hyperion-fault: " + std::string(fault) + "\r\n");
  };
  const Json plain = ask_chat(tools, "calls:2").json()["choices"].elements.at(0);
  CHECK(plain["finish_reason"].text == "tool_calls");
  REQUIRE(plain["message"]["tool_calls"].elements.size() == 2);
  std::string arguments[2];
  const auto events = events_of(ask_chat(tools + R"(,"stream":true)", "calls:2").body);
  CHECK(events.back() == "[DONE]");
  for (size_t i = 0; i + 1 < events.size(); ++i) {
    const Json event = read_json(events[i]).value();
    for (const Json& call : event["choices"].elements.at(0)["delta"]["tool_calls"].elements) {
      arguments[call["index"].integer()] += call["function"]["arguments"].text;
    }
  }
  CHECK(arguments[0] == R"({"a":1})");
  CHECK(arguments[1] == plain["message"]["tool_calls"].elements[1]["function"]["arguments"].text);
  const Json refused = ask_chat("", "refusal").json()["choices"].elements.at(0);
  CHECK(refused["finish_reason"].text == "stop");
  CHECK(!refused["message"]["refusal"].text.empty());
  CHECK(refused["message"]["content"].is(Json::Kind::null));
  const Json shaped =
      ask_chat(R"(,"response_format":{"type":"json_schema","json_schema":{"name":"s","schema":)"
               R"({"type":"object","properties":{"ok":{"type":"boolean"}}}}})",
               "")
          .json();
  const Json& content = shaped["choices"].elements.at(0)["message"]["content"];
  CHECK(read_json(content.text).value()["ok"].boolean);
}

TEST_CASE("reasoning models take no max_tokens, no temperature, and only their efforts") {
  Served served;
  auto ask_o3 = [&](std::string_view more) {
    return refusal(
        served, chat_target,
        R"({"model":"o3","messages":[{"role":"user","content":"x"}],)" + std::string(more) + "}");
  };
  CHECK(ask_o3(R"("max_tokens":5)") ==
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use "
        "'max_completion_tokens' instead.");
  CHECK(
      ask_o3(R"("temperature":0.5)") ==
      "Unsupported value: 'temperature' does not support 0.5 with this model. Only the default (1) "
      "value is supported.");
  CHECK(ask_o3(R"("temperature":1)").empty());
  CHECK(ask_o3(R"("reasoning_effort":"low")").empty());
  CHECK(ask_o3(R"("reasoning_effort":"max")").starts_with("Unsupported value"));
}

TEST_CASE("quota, wrong types, a page of its own status, gzip, and errors within a chat stream") {
  Served served;
  auto fail = [&](std::string_view fault, std::string_view body = hello) {
    return served.post(chat_target, body, "x-hyperion-fault: " + std::string(fault) + "\r\n");
  };
  CHECK(fail("quota").status == 429);
  CHECK(fail("quota").json()["error"]["code"].text == "insufficient_quota");
  CHECK(fail("html:502").status == 502);
  const Json spoiled = fail("wrongtypes").json();
  CHECK(spoiled["usage"]["prompt_tokens"].is(Json::Kind::string));
  CHECK(spoiled["choices"].elements.at(0)["message"]["content"].is(Json::Kind::number));
  const Reply broken = fail("streamerror:3", hello_stream);
  const auto events = events_of(broken.body);
  REQUIRE(events.size() == 4);
  CHECK(read_json(events[3]).value()["error"]["type"].text == "server_error");
  CHECK(broken.body.find("[DONE]") == std::string::npos);
  for (std::string_view body : {hello, hello_stream}) {
    const Reply packed = fail("gzipped", body);
    CHECK(packed.header("content-encoding") == "gzip");
    const std::string& bytes = packed.body;
    REQUIRE(bytes.size() > 18);
    CHECK(bytes.starts_with("\x1f\x8b\x08"));
    CHECK(unpack_stored(bytes) == served.post(chat_target, body).body);
  }
}

}  // namespace

TEST_CASE("reasoning is shown to who asks for a summary of it, plain and streamed") {
  Served served;
  const std::string asked = R"("reasoning":{"effort":"low","summary":"auto"})";
  const Json plain = served.post(target, request(asked, "gpt-5.5")).json();
  const Json& item = plain["output"].elements.at(0);
  REQUIRE(item["summary"].elements.size() == 1);
  const std::string text = item["summary"].elements[0]["text"].text;
  CHECK_FALSE(text.empty());
  const uint64_t billed = served.ledger().bill().output_tokens;

  std::string streamed;
  const std::string body = request(asked + R"(,"stream":true)", "gpt-5.5");
  const auto events = stream_of(served.post(target, body));
  for (const auto& event : events) {
    if (event.name != "response.reasoning_summary_text.delta") continue;
    CHECK(event.data["summary_index"].integer() == 0);
    streamed += event.data["delta"].text;
  }
  CHECK(streamed == text);
  CHECK(events.back().data["response"]["output"] == plain["output"]);
  CHECK(served.ledger().bill().output_tokens == 2 * billed);
}

}  // namespace hyperion::test
