// What the simulated OpenAI dialect answers when nothing goes wrong.
#include <cstring>

#include <doctest/doctest.h>

#include "served.h"
#include "support/base64.h"

namespace hyperion::test {
namespace {

constexpr std::string_view tool_body =
    R"({"model":"gpt-4o","messages":[{"role":"user","content":"Weather?"}],)"
    R"("tool_choice":"required","tools":[{"type":"function","function":)"
    R"({"name":"get_weather","parameters":{"type":"object","properties":)"
    R"({"city":{"type":"string"},"days":{"type":"integer"},)"
    R"("unit":{"type":"string","enum":["celsius"]}}}}}])";

size_t words(const std::string& text) {
  size_t count = text.empty() ? 0 : 1;
  for (char c : text) count += c == ' ';
  return count;
}

TEST_CASE("a plain answer has OpenAI's shape and names the model that ran") {
  Served served;
  const Reply reply = served.post(
      chat_target, R"({"model":"gpt-4o","messages":[{"role":"user","content":"Say hello."}]})");
  CHECK(reply.status == 200);
  CHECK(reply.complete);
  CHECK(reply.header("content-type") == "application/json");
  CHECK(reply.header("x-request-id").starts_with("req_"));
  CHECK(reply.header("x-ratelimit-reset-requests") == "6ms");
  const Json json = reply.json();
  CHECK(json["object"].text == "chat.completion");
  CHECK(json["id"].text.starts_with("chatcmpl-"));
  CHECK(json["system_fingerprint"].text.starts_with("fp_"));
  CHECK(json["model"].text == "gpt-4o-2024-11-20");
  const Json& choice = json["choices"].elements.at(0);
  CHECK(choice["finish_reason"].text == "stop");
  CHECK(choice["message"]["content"].text.find("gpt-4o-2024-11-20") != std::string::npos);
  CHECK(choice["message"]["refusal"].is(Json::Kind::null));
}

TEST_CASE("the same request gets the same bytes, another one others") {
  Served served;
  const Reply first = served.post(chat_target, hello);
  CHECK(first.body == served.post(chat_target, hello).body);
  const Reply other = served.post(
      chat_target, R"({"model":"gpt-4o","messages":[{"role":"user","content":"Say goodbye."}]})");
  CHECK(first.json()["choices"] != other.json()["choices"]);
}

TEST_CASE("usage follows the stated rule: a token each four bytes, four a message, one a word") {
  Served served("[simulator]\nanswer_tokens = 20\n");
  const Json json = served.post(chat_target, hello).json();
  CHECK(json["usage"]["prompt_tokens"].integer() == 4 + 3);  // "Say hello." has 10 bytes
  CHECK(json["usage"]["completion_tokens"].integer() == 20);
  CHECK(json["usage"]["total_tokens"].integer() == 27);
}

TEST_CASE("either limit of tokens ends an answer with the reason length") {
  Served served;
  for (const char* limit : {"max_tokens", "max_completion_tokens"}) {
    const std::string body = std::string(R"({"model":"gpt-4o","messages":[{"role":"user",)") +
                             R"("content":"x"}],")" + limit + "\":3}";
    const Json json = served.post(chat_target, body).json();
    const Json& choice = json["choices"].elements.at(0);
    CHECK(choice["finish_reason"].text == "length");
    CHECK(words(choice["message"]["content"].text) == 3);
    CHECK(json["usage"]["completion_tokens"].integer() == 3);
  }
}

TEST_CASE("n choices are answered, differ, and are all counted") {
  Served served("[simulator]\nanswer_tokens = 12\n");
  const Json json =
      served
          .post(chat_target,
                R"({"model":"gpt-4o","n":3,"messages":[{"role":"user","content":""}]})")
          .json();
  REQUIRE(json["choices"].elements.size() == 3);
  CHECK(json["choices"].elements[2]["index"].integer() == 2);
  CHECK(json["choices"].elements[0]["message"] != json["choices"].elements[1]["message"]);
  CHECK(json["usage"]["completion_tokens"].integer() == 36);
}

TEST_CASE("a stream carries the words of the plain answer, an event each, and ends in [DONE]") {
  Served served;
  const Reply reply = served.post(chat_target, hello_stream);
  CHECK(reply.header("content-type") == "text/event-stream; charset=utf-8");
  CHECK(reply.complete);
  const auto events = events_of(reply.body);
  REQUIRE(events.size() == 1 + 32 + 1 + 1);
  CHECK(events.back() == "[DONE]");
  std::string text;
  for (size_t i = 0; i + 1 < events.size(); ++i) {
    const auto event = read_json(events[i]);
    REQUIRE(event.has_value());
    CHECK(event->find("usage") == nullptr);
    const Json& choice = (*event)["choices"].elements.at(0);
    if (i == 0) CHECK(choice["delta"]["role"].text == "assistant");
    text += choice["delta"]["content"].text;
    if (i + 2 == events.size()) CHECK(choice["finish_reason"].text == "stop");
  }
  CHECK(text ==
        served.post(chat_target, hello).json()["choices"].elements[0]["message"]["content"].text);
}

TEST_CASE("a stream that asks for usage gets null in each event and the numbers in the last") {
  Served served;
  const std::string body =
      R"({"model":"gpt-4o","stream":true,"n":2,"stream_options":{"include_usage":true},)"
      R"("messages":[{"role":"user","content":"Say hello."}]})";
  const auto events = events_of(served.post(chat_target, body).body);
  REQUIRE(events.size() == 2 * (1 + 32 + 1) + 2);
  const Json first = read_json(events[0]).value();
  CHECK(first.find("usage") != nullptr);
  CHECK(first["usage"].is(Json::Kind::null));
  const Json last = read_json(events[events.size() - 2]).value();
  CHECK(last["choices"].elements.empty());
  CHECK(last["usage"]["completion_tokens"].integer() == 64);
  CHECK(last["usage"]["prompt_tokens"].integer() == 7);
}

TEST_CASE("a required tool is called with arguments that suit its schema, plain and streamed") {
  Served served;
  const Json json = served.post(chat_target, std::string(tool_body) + "}").json();
  const Json& choice = json["choices"].elements.at(0);
  CHECK(choice["finish_reason"].text == "tool_calls");
  CHECK(choice["message"]["content"].is(Json::Kind::null));
  const Json& call = choice["message"]["tool_calls"].elements.at(0);
  CHECK(call["function"]["name"].text == "get_weather");
  const std::string arguments = call["function"]["arguments"].text;
  const Json parsed = read_json(arguments).value();
  CHECK(parsed["city"].text == "simulated");
  CHECK(parsed["days"].integer() == 1);
  CHECK(parsed["unit"].text == "celsius");

  std::string streamed;
  const auto events =
      events_of(served.post(chat_target, std::string(tool_body) + ",\"stream\":true}").body);
  for (size_t i = 0; i + 1 < events.size(); ++i) {
    const Json event = read_json(events[i]).value();
    const Json& delta = event["choices"].elements.at(0)["delta"];
    if (delta.find("tool_calls") == nullptr) continue;
    streamed += delta["tool_calls"].elements.at(0)["function"]["arguments"].text;
  }
  CHECK(streamed == arguments);
}

TEST_CASE("tools that are only offered are not called") {
  Served served;
  std::string body(tool_body);
  body.replace(body.find("required"), 8, "auto");
  const Json json = served.post(chat_target, body + "}").json();
  CHECK(json["choices"].elements.at(0)["finish_reason"].text == "stop");
}

TEST_CASE("completions are answered, plain and streamed") {
  Served served;
  const std::string body = R"({"model":"gpt-3.5-turbo-instruct","max_tokens":9,"prompt":"Once")";
  const Json json = served.post("/v1/completions", body + "}").json();
  CHECK(json["object"].text == "text_completion");
  const std::string text = json["choices"].elements.at(0)["text"].text;
  CHECK(words(text) == 9);
  std::string streamed;
  const auto events = events_of(served.post("/v1/completions", body + ",\"stream\":true}").body);
  CHECK(events.back() == "[DONE]");
  for (size_t i = 0; i + 1 < events.size(); ++i) {
    const Json event = read_json(events[i]).value();
    streamed += event["choices"].elements.at(0)["text"].text;
  }
  CHECK(streamed == text);
}

TEST_CASE("embeddings are of length one, the same for the same input, as numbers and as base64") {
  Served served;
  const std::string model = R"({"model":"text-embedding-3-small",)";
  const Json json =
      served.post("/v1/embeddings", model + R"("input":["one","two"],"dimensions":8})").json();
  REQUIRE(json["data"].elements.size() == 2);
  const Json& vector = json["data"].elements[0]["embedding"];
  REQUIRE(vector.elements.size() == 8);
  double square_sum = 0;
  for (const Json& number : vector.elements) square_sum += number.number() * number.number();
  CHECK(square_sum == doctest::Approx(1).epsilon(0.0001));
  CHECK(vector != json["data"].elements[1]["embedding"]);

  const Json coded =
      served
          .post("/v1/embeddings",
                model + R"("input":"one","dimensions":8,"encoding_format":"base64"})")
          .json();
  const auto bytes = decode_base64(coded["data"].elements.at(0)["embedding"].text);
  REQUIRE(bytes.has_value());
  REQUIRE(bytes->size() == 32);
  for (size_t i = 0; i < 8; ++i) {
    float number;
    std::memcpy(&number, bytes->data() + 4 * i, 4);
    CHECK(number == doctest::Approx(vector.elements[i].number()));
  }
  const Json whole = served.post("/v1/embeddings", model + R"("input":[1,2,3]})").json();
  REQUIRE(whole["data"].elements.size() == 1);
  CHECK(whole["data"].elements[0]["embedding"].elements.size() == 1536);
  CHECK(whole["usage"]["prompt_tokens"].integer() == 3);
}

TEST_CASE("moderations and models are answered") {
  Served served;
  const Json verdict =
      served.post("/v1/moderations", R"({"model":"omni-moderation-latest","input":"hello"})")
          .json();
  CHECK(verdict["results"].elements.at(0)["flagged"].is(Json::Kind::boolean));
  CHECK(verdict["results"].elements.at(0)["category_scores"]["violence"].number() < 0.01);

  const Json list = served.get("/v1/models").json();
  CHECK(list["object"].text == "list");
  bool found = false;
  for (const Json& model : list["data"].elements) found |= model["id"].text == "gpt-4o-2024-11-20";
  CHECK(found);
  CHECK(served.get("/v1/models/gpt-4o-2024-11-20").json()["owned_by"].text == "openai");
  CHECK(served.get("/v1/models/gpt-9").status == 404);
}

TEST_CASE("a connection serves one request after another, also those sent ahead") {
  Served served;
  TestClient client(served.address());
  std::string requests;
  for (int i = 0; i < 3; ++i) requests += request_text("POST", chat_target, hello);
  client.send_bytes(requests + request_text("POST", chat_target, hello_stream));
  for (int i = 0; i < 3; ++i) CHECK(client.read_reply().status == 200);
  CHECK(events_of(client.read_reply().body).back() == "[DONE]");
}

TEST_CASE("connection: close is honoured") {
  Served served;
  TestClient client(served.address());
  client.send_bytes(request_text("POST", chat_target, hello, "connection: close\r\n"));
  CHECK(client.read_reply().header("connection") == "close");
  client.read_to_end();
  CHECK(client.ended());
}

TEST_CASE("a body arrives whole after 100-continue, byte by byte") {
  Served served;
  TestClient client(served.address());
  const std::string request = request_text("POST", chat_target, hello, "expect: 100-continue\r\n");
  const size_t head_size = request.size() - hello.size();
  client.send_bytes(request.substr(0, head_size));
  REQUIRE(client.read_until("100 Continue"));
  for (size_t i = head_size; i < request.size(); ++i) client.send_bytes(request.substr(i, 1));
  CHECK(client.read_reply().status == 200);
}

}  // namespace
}  // namespace hyperion::test
