// The simulated Anthropic dialect: what it answers, and what it refuses as the provider does.
#include <doctest/doctest.h>

#include "served.h"

namespace hyperion::test {
namespace {

constexpr std::string_view target = "/v1/messages";
constexpr std::string_view version = "anthropic-version: 2023-06-01\r\n";

// A request with `more` members, all of them given.
std::string message(std::string_view more, std::string_view model = "claude-haiku-4-5") {
  return "{\"model\":\"" + std::string(model) + "\"," + std::string(more) + "}";
}

constexpr std::string_view hello_members =
    R"("max_tokens":4096,"messages":[{"role":"user","content":"Say hello."}])";
constexpr std::string_view weather =
    R"("tools":[{"name":"get_weather","input_schema":{"type":"object","properties":)"
    R"({"city":{"type":"string"}}}},{"name":"now","input_schema":{"type":"object"}}])";

std::string with(std::string_view more) {
  return std::string(hello_members) + "," + std::string(more);
}

Reply post(Served& served, const std::string& body, std::string_view headers = {}) {
  return served.post(target, body, std::string(version) + std::string(headers));
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

std::string deltas(const std::vector<SentEvent>& events, std::string_view key) {
  std::string text;
  for (const SentEvent& event : events) text += event.data["delta"][key].text;
  return text;
}

// The message of the refusal; empty: it was not refused with a 400.
std::string refusal(Served& served, const std::string& body, std::string_view headers = {}) {
  const Reply reply = post(served, body, headers);
  if (reply.status != 400) return {};
  CHECK(reply.json()["type"].text == "error");
  CHECK(reply.json()["error"]["type"].text == "invalid_request_error");
  CHECK("req_" + reply.header("request-id").substr(4) == reply.json()["request_id"].text);
  return reply.json()["error"]["message"].text;
}

TEST_CASE("a message has Anthropic's shape, heads and usage") {
  Served served("[simulator]\nanswer_tokens = 12\n");
  const Reply reply = post(served, message(hello_members));
  CHECK(reply.status == 200);
  CHECK(reply.header("request-id").starts_with("req_"));
  CHECK(reply.header("x-request-id").empty());
  CHECK(reply.header("retry-after") == "27");
  const Json json = reply.json();
  CHECK(json["type"].text == "message");
  CHECK(json["id"].text.starts_with("msg_01"));
  CHECK(json["model"].text == "claude-haiku-4-5-20251001");
  CHECK(json["content"].elements.at(0)["type"].text == "text");
  CHECK(json["stop_reason"].text == "end_turn");
  CHECK(json["usage"]["input_tokens"].integer() == 4 + 3);
  CHECK(json["usage"]["output_tokens"].integer() == 12);
  CHECK(served.ledger().bill().nano_usd == 7 * 1000 + 12 * 5000);
}

TEST_CASE("a stream has the events in order, a ping, padding, and the words of the plain answer") {
  Served served;
  const Reply reply = post(served, message(with(R"("stream":true)")));
  CHECK(reply.header("content-type") == "text/event-stream; charset=utf-8");
  const auto events = stream_of(reply);
  REQUIRE(events.size() == 3 + 32 + 3);
  CHECK(events[0].name == "message_start");
  CHECK(events[1].name == "content_block_start");
  CHECK(events[2].name == "ping");
  CHECK(events[3].data["delta"]["type"].text == "text_delta");
  CHECK(events[35].name == "content_block_stop");
  CHECK(events[36].name == "message_delta");
  CHECK(events[36].data["usage"]["output_tokens"].integer() == 32);
  CHECK(events[37].name == "message_stop");
  CHECK(reply.body.find(" }\n\n") != std::string::npos);
  const Json plain = post(served, message(hello_members)).json();
  CHECK(deltas(events, "text") == plain["content"].elements.at(0)["text"].text);
  for (const SentEvent& event : events) CHECK(event.data["type"].text == event.name);
}

TEST_CASE("a forced tool is called, its input comes in fragments; without arguments none comes") {
  Served served;
  const std::string forced =
      with(weather) + R"(,"tool_choice":{"type":"tool","name":"get_weather"})";
  const Json plain = post(served, message(forced)).json();
  CHECK(plain["stop_reason"].text == "tool_use");
  const Json& call = plain["content"].elements.at(0);
  CHECK(call["id"].text.starts_with("toolu_01"));
  CHECK(call["input"]["city"].text == "simulated");
  const auto events = stream_of(post(served, message(forced + R"(,"stream":true)")));
  CHECK(events[1].data["content_block"]["input"].members.empty());
  CHECK(read_json(deltas(events, "partial_json")).value() == call["input"]);
  const auto empty = stream_of(post(
      served,
      message(with(weather) + R"(,"stream":true,"tool_choice":{"type":"tool","name":"now"})")));
  CHECK(deltas(empty, "partial_json").empty());
  CHECK(empty.back().name == "message_stop");
}

TEST_CASE("the fault calls has several tools called at once, unless the request forbids it") {
  Served served;
  const Json json = post(served, message(with(weather)), "x-hyperion-fault: calls:3\r\n").json();
  CHECK(json["content"].elements.size() == 3);
  CHECK(json["content"].elements.at(1)["name"].text == "now");
  CHECK(json["content"].elements.at(0)["id"] != json["content"].elements.at(2)["id"]);
  const std::string one =
      with(weather) + R"(,"tool_choice":{"type":"auto","disable_parallel_tool_use":true})";
  CHECK(
      post(served, message(one), "x-hyperion-fault: calls\r\n").json()["content"].elements.size() ==
      1);
}

TEST_CASE("thinking comes with a signature that must come back unchanged") {
  Served served;
  const std::string thinking = R"("thinking":{"type":"enabled","budget_tokens":1024})";
  const Json json = post(served, message(with(thinking))).json();
  const Json& block = json["content"].elements.at(0);
  CHECK(block["type"].text == "thinking");
  CHECK(json["usage"]["output_tokens"].integer() == 12 + 32);
  const auto events = stream_of(post(served, message(with(thinking + R"(,"stream":true)"))));
  CHECK(deltas(events, "thinking") == block["thinking"].text);
  CHECK(deltas(events, "signature") == block["signature"].text);

  auto second = [&](const std::string& text) {
    return message(R"("max_tokens":2000,"messages":[{"role":"user","content":"x"},)"
                   R"({"role":"assistant","content":[{"type":"thinking","thinking":")" +
                   text + R"(","signature":")" + block["signature"].text +
                   R"("},{"type":"text","text":"y"}]},{"role":"user","content":"z"}])");
  };
  CHECK(post(served, second(block["thinking"].text)).status == 200);
  CHECK(refusal(served, second("other words")) ==
        "messages.1.content.0: Invalid `signature` in `thinking` block");
}

TEST_CASE("limits, stop sequences, schemas and refusals end an answer with their reason") {
  Served served;
  const std::string_view messages = R"("messages":[{"role":"user","content":"x"}])";
  const Json cut = post(served, message(R"("max_tokens":3,)" + std::string(messages))).json();
  CHECK(cut["stop_reason"].text == "max_tokens");
  CHECK(cut["usage"]["output_tokens"].integer() == 3);
  const Json stopped = post(served, message(with(R"("stop_sequences":[" simulated"])"))).json();
  CHECK(stopped["stop_reason"].text == "stop_sequence");
  CHECK(stopped["stop_sequence"].text == " simulated");
  CHECK(stopped["content"].elements.at(0)["text"].text == "This is a");
  const Json shaped =
      post(served, message(with(R"("output_config":{"format":{"type":"json_schema","schema":)"
                                R"({"type":"object","additionalProperties":false,"properties":)"
                                R"({"n":{"type":"integer"},"list":{"type":"array","items":)"
                                R"({"type":"string","enum":["a","b"]}}}}}})")))
          .json();
  const Json value = read_json(shaped["content"].elements.at(0)["text"].text).value();
  CHECK(value["n"].integer() == 1);
  CHECK(value["list"].elements.at(0).text == "a");
  const Json refused = post(served, message(hello_members), "x-hyperion-fault: refusal\r\n").json();
  CHECK(refused["stop_reason"].text == "refusal");
  CHECK(refused["stop_details"]["type"].text == "refusal");
  CHECK(refused["content"].elements.empty());
}

TEST_CASE("what is marked for the cache is counted apart, by its lifetime") {
  Served served;
  const std::string body =
      message(R"("max_tokens":100,"system":[{"type":"text","text":"12345678","cache_control":)"
              R"({"type":"ephemeral"}},{"type":"text","text":"1234","cache_control":)"
              R"({"type":"ephemeral","ttl":"1h"}}],"messages":[{"role":"user","content":"1234"}])");
  const Json usage = post(served, body).json()["usage"];
  CHECK(usage["input_tokens"].integer() == 4 + 1);
  CHECK(usage["cache_read_input_tokens"].integer() == 2);
  CHECK(usage["cache_creation_input_tokens"].integer() == 1);
  CHECK(usage["cache_creation"]["ephemeral_1h_input_tokens"].integer() == 1);
  const simulator::Bill bill = served.ledger().bill();
  CHECK(bill.input_tokens == 8);
  CHECK(bill.nano_usd == 5 * 1000 + 2 * 100 + 1 * 2000 + 32 * 5000);
}

TEST_CASE("an image is accepted and described") {
  Served served;
  auto body = [](std::string_view media, std::string_view data) {
    return message(R"("max_tokens":100,"messages":[{"role":"user","content":[{"type":"image",)"
                   R"("source":{"type":"base64","media_type":")" +
                   std::string(media) + R"(","data":")" + std::string(data) + R"("}}]}])");
  };
  const Json json = post(served, body("image/png", "AAAABBBB")).json();
  CHECK(json["content"].elements.at(0)["text"].text.ends_with("It saw image/png of 6 bytes."));
  CHECK(refusal(served, body("image/png", R"(AAAA\nBBBB)")).find("Invalid base64 data") !=
        std::string::npos);
  CHECK(refusal(served, body("image/tiff", "AAAA")).find("media_type") != std::string::npos);
}

TEST_CASE("what the provider refuses is refused in its words") {
  Served served;
  const std::string_view user = R"("messages":[{"role":"user","content":"x"}])";
  const struct {
    std::string body;
    std::string_view message;
  } rows[] = {
      {message(user), "max_tokens: Field required"},
      {message(with(R"("response_format":{})")), "response_format: Extra inputs are not permitted"},
      {message(with(R"("temperature":1.5)")),
       "temperature: Input should be less than or equal to 1"},
      {message(with(R"("temperature":1,"top_p":0.9)")),
       "`temperature` and `top_p` cannot both be specified for this model. Please use only one."},
      {message(with(R"("temperature":0.5)"), "claude-opus-5-5"),
       "`temperature`, `top_p` and `top_k` may not be set to other than default values for this "
       "model."},
      {message(with(R"("thinking":{"type":"enabled","budget_tokens":512})")),
       "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024"},
      {message(with(R"("thinking":{"type":"enabled","budget_tokens":4096})")),
       "`max_tokens` must be greater than `thinking.budget_tokens`."},
      {message(with(R"("thinking":{"type":"adaptive"})")),
       "adaptive thinking is not supported on this model"},
      {message(with(R"("output_config":{"effort":"low"})")),
       "This model does not support the effort parameter."},
      {message(with(R"("output_config":{"effort":"xhigh"})"), "claude-opus-4-6"),
       "This model does not support effort level 'xhigh'. Supported levels: high, low, max, "
       "medium."},
      {message(with(weather) + R"(,"tool_choice":{"type":"any"},)"
                               R"("thinking":{"type":"enabled","budget_tokens":1024})"),
       "Thinking may not be enabled when tool_choice forces tool use."},
      {message(with(R"("tool_choice":{"type":"auto"})")),
       "tool_choice: may only be specified while providing tools"},
      {message(with(R"("tools":[{"name":"f"}])")), "tools.0.custom.input_schema: Field required"},
      {message(with(R"("stop_sequences":[" "])")),
       "stop_sequences: each stop sequence must contain non-whitespace"},
      {message(R"("max_tokens":9,"messages":[])"), "messages: at least one message is required"},
      {message(
           R"("max_tokens":9,"messages":[{"role":"user","content":[{"type":"text","text":""}]}])"),
       "messages: text content blocks must be non-empty"},
      {message(R"("max_tokens":9,"messages":[{"role":"user","content":"x"},)"
               R"({"role":"system","content":"x"}])"),
       "messages: Unexpected role \"system\". The Messages API accepts a top-level `system` "
       "parameter, not \"system\" as an input message role."},
      {message(R"("max_tokens":99999,)" + std::string(user)),
       "max_tokens: 99999 > 64000, which is the maximum allowed number of output tokens for "
       "claude-haiku-4-5-20251001"},
      {message(R"("max_tokens":9,"messages":[{"role":"user","content":"x"},)"
               R"({"role":"assistant","content":"y"}])",
               "claude-opus-4-8"),
       "This model does not support assistant message prefill. The conversation must end with a "
       "user message."},
  };
  for (const auto& row : rows) CHECK(refusal(served, row.body) == row.message);
  CHECK(refusal(served, message(with(R"("temperature":1)")),
                "anthropic-version: 2026-10-21\r\n") == "");  // the first header counts
}

TEST_CASE("calls of tools and their results must stand next to each other, all of them") {
  Served served;
  auto body = [](std::string_view rest) {
    return message(with(weather)).substr(0, message(with(weather)).find("\"messages\"")) +
           R"("messages":[{"role":"user","content":"x"},{"role":"assistant","content":[)"
           R"({"type":"tool_use","id":"a","name":"now","input":{}},)"
           R"({"type":"tool_use","id":"b","name":"now","input":{}}]},)" +
           std::string(rest) + "]," + std::string(weather) + "}";
  };
  const std::string a = R"({"type":"tool_result","tool_use_id":"a","content":"1"})";
  const std::string b = R"({"type":"tool_result","tool_use_id":"b","content":[]})";
  const std::string user = R"({"role":"user","content":[)";
  CHECK(post(served, body(user + a + "," + b + R"(,{"type":"text","text":"and?"}]})")).status ==
        200);
  const std::string missing =
      "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: ";
  CHECK(refusal(served, body(user + a + "]}," + user + b + "]}")).starts_with(missing + "b."));
  CHECK(refusal(served, body(user + a + R"(,{"type":"text","text":"x"},)" + b + "]}"))
            .starts_with(missing + "b."));
  CHECK(refusal(served, body(R"({"role":"user","content":"no"})")).starts_with(missing + "a, b."));
  CHECK(refusal(served, body(user + a + "," + b + "," +
                             R"({"type":"tool_result","tool_use_id":"c"})" + "]}"))
            .starts_with("messages.2.content.2: unexpected `tool_use_id`"));
  std::string bad_id = body(user + a + "," + b + "]}");
  bad_id.replace(bad_id.find(R"("id":"a")"), 8, R"("id":"a.b")");
  CHECK(refusal(served, bad_id) ==
        "messages.1.content.0.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'");
}

TEST_CASE("blank text is refused of the user, not of the assistant") {
  Served served;
  auto conversation = [](std::string_view first, std::string_view second) {
    return message(R"("max_tokens":9,"messages":[{"role":"user","content":[{"type":"text",)"
                   R"("text":")" +
                   std::string(first) +
                   R"("}]},{"role":"assistant","content":[{"type":"text","text":")" +
                   std::string(second) + R"("}]},{"role":"user","content":"z"}])");
  };
  CHECK(post(served, conversation("x", " ")).status == 200);
  CHECK(refusal(served, conversation(R"( \n)", "y")) ==
        "messages: text content blocks must contain non-whitespace text");
}

TEST_CASE("keys, versions and models are judged") {
  Served served;
  auto ask = [&](std::string_view headers) {
    const std::string body = message(hello_members);
    return served.ask("POST /v1/messages HTTP/1.1\r\nhost: x\r\n" + std::string(headers) +
                      "content-length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  };
  CHECK(ask("anthropic-version: 2023-06-01\r\n").status == 401);
  CHECK(ask("anthropic-version: 2023-06-01\r\nx-api-key: invalid\r\n")
            .json()["error"]["message"]
            .text == "invalid x-api-key");
  CHECK(ask("x-api-key: k\r\n").status == 400);
  CHECK(ask("x-api-key: k\r\nanthropic-version: 2023-06-01\r\n").status == 200);
  const Reply unknown = post(served, message(hello_members, "gpt-4o"));
  CHECK(unknown.status == 404);
  CHECK(unknown.json()["error"]["message"].text == "model: gpt-4o");
  const Reply sampled =
      served.post(target, message(with(R"("temperature":1)")), "anthropic-version: 2026-10-21\r\n");
  CHECK(sampled.json()["error"]["message"].text == "temperature: Extra inputs are not permitted");
}

TEST_CASE("tokens are counted, models listed in Anthropic's shape only for its version header") {
  Served served;
  const std::string body = message(R"("messages":[{"role":"user","content":"Say hello."}])");
  CHECK(served.post("/v1/messages/count_tokens", body, version).json()["input_tokens"].integer() ==
        7);
  const Json list = served.ask(request_text("GET", "/v1/models?limit=2", {}, version)).json();
  CHECK(list["data"].elements.size() == 2);
  CHECK(list["has_more"].boolean);
  CHECK(list["data"].elements[1]["id"] == list["last_id"]);
  CHECK(list["data"].elements[0]["type"].text == "model");
  CHECK(served.get("/v1/models").json()["object"].text == "list");
}

TEST_CASE("errors of every status, of an empty account and within a stream have its shape") {
  Served served;
  const struct {
    int status;
    std::string_view type;
  } rows[] = {{400, "invalid_request_error"},
              {401, "authentication_error"},
              {403, "permission_error"},
              {404, "not_found_error"},
              {413, "request_too_large"},
              {429, "rate_limit_error"},
              {500, "api_error"},
              {504, "timeout_error"},
              {529, "overloaded_error"}};
  auto fail = [&](const std::string& fault, std::string_view more = {}) {
    const std::string body = message(std::string(hello_members) + std::string(more));
    return post(served, body, "x-hyperion-fault: " + fault + "\r\n");
  };
  for (const auto& row : rows) {
    const Reply reply = fail(std::to_string(row.status));
    CHECK(reply.status == row.status);
    CHECK(reply.json()["error"]["type"].text == row.type);
    CHECK((reply.header("retry-after") == "1") == (row.status == 429));
  }
  CHECK(fail("quota").json()["error"]["message"].text.find("credit balance is too low") !=
        std::string::npos);
  const Reply broken = fail("streamerror:5", R"(,"stream":true)");
  const auto events = stream_of(broken);
  REQUIRE(events.size() == 6);
  CHECK(broken.complete);
  CHECK(events.back().name == "error");
  CHECK(events.back().data["error"]["type"].text == "overloaded_error");
  CHECK(served.ledger().bill().output_tokens == 2);
  CHECK(fail("nousage").json().find("usage") == nullptr);
  CHECK(fail("nousage", R"(,"stream":true)").body.find("usage") == std::string::npos);
}

}  // namespace
}  // namespace hyperion::test
