// The simulated Gemini dialect: what it answers, and what it refuses as the provider does.
#include <doctest/doctest.h>

#include "served.h"

namespace hyperion::test {
namespace {

constexpr std::string_view key = "x-goog-api-key: k\r\n";
constexpr std::string_view hello_contents =
    R"("contents":[{"role":"user","parts":[{"text":"Say hello."}]}])";
constexpr std::string_view weather =
    R"("tools":[{"functionDeclarations":[{"name":"get_weather","parameters":{"type":"OBJECT",)"
    R"("properties":{"city":{"type":"STRING"}}}},{"name":"now"}]}])";
constexpr std::string_view any = R"("toolConfig":{"functionCallingConfig":{"mode":"ANY",)"
                                 R"("allowedFunctionNames":["get_weather"]}})";

std::string body(std::string_view more = {}) {
  return "{" + std::string(hello_contents) + (more.empty() ? "" : "," + std::string(more)) + "}";
}

Reply post(Served& served, std::string_view model, std::string_view method,
           const std::string& request, std::string_view headers = {}) {
  return served.ask(request_text("POST",
                                 "/v1beta/models/" + std::string(model) + ":" + std::string(method),
                                 request, std::string(key) + std::string(headers)));
}

Reply ask(Served& served, const std::string& request, std::string_view model = "gemini-2.5-flash") {
  return post(served, model, "generateContent", request);
}

std::vector<Json> chunks_of(const Reply& reply) {
  std::vector<Json> chunks;
  std::string_view left = reply.body;
  while (left.starts_with("data: ")) {
    const size_t end = left.find("\r\n\r\n");
    chunks.push_back(read_json(left.substr(6, end - 6)).value_or(Json{}));
    if (end == std::string_view::npos) break;
    left.remove_prefix(end + 4);
  }
  CHECK(left.empty());
  return chunks;
}

const Json& part_of(const Json& answer, size_t index = 0) {
  static const Json nothing;
  const auto& candidates = answer["candidates"].elements;
  if (candidates.empty()) return nothing;
  const auto& parts = candidates[0]["content"]["parts"].elements;
  return index < parts.size() ? parts[index] : nothing;
}

std::string text_of(const std::vector<Json>& chunks) {
  std::string text;
  for (const Json& chunk : chunks) text += part_of(chunk)["text"].text;
  return text;
}

std::string refusal(Served& served, const std::string& request,
                    std::string_view model = "gemini-2.5-flash") {
  const Reply reply = ask(served, request, model);
  if (reply.status != 400) return {};
  CHECK(reply.json()["error"]["status"].text == "INVALID_ARGUMENT");
  return reply.json()["error"]["message"].text;
}

TEST_CASE("an answer has Gemini's shape, is printed prettily, and counts thoughts apart") {
  Served served("[simulator]\nanswer_tokens = 20\n");
  const Reply reply = ask(served, body());
  CHECK(reply.status == 200);
  CHECK(reply.header("content-type") == "application/json; charset=UTF-8");
  CHECK(reply.body.starts_with("{\n  \"candidates\": [\n    {\n      \"content\": {\n"));
  const Json json = reply.json();
  CHECK(json["candidates"].elements.at(0)["finishReason"].text == "STOP");
  CHECK(json["modelVersion"].text == "gemini-2.5-flash");
  const Json& usage = json["usageMetadata"];
  CHECK(usage["promptTokenCount"].integer() == 7);
  CHECK(usage["candidatesTokenCount"].integer() == 20);
  CHECK(usage["thoughtsTokenCount"].integer() == 12);
  CHECK(usage["totalTokenCount"].integer() == 39);
  CHECK(served.ledger().bill().nano_usd == 7 * 300 + 32 * 2500);
  const Json plain =
      ask(served, body(R"("generationConfig":{"thinkingConfig":{"thinkingBudget":0}})")).json();
  CHECK(plain["usageMetadata"].find("thoughtsTokenCount") == nullptr);
}

TEST_CASE("a stream has CR LF with alt=sse, and is one JSON array without") {
  Served served;
  const Reply events = post(served, "gemini-2.5-flash", "streamGenerateContent?alt=sse", body());
  CHECK(events.header("content-type") == "text/event-stream");
  CHECK(events.body.starts_with("data: {\"candidates\": [{\"content\": {\"parts\": "));
  const auto chunks = chunks_of(events);
  REQUIRE(chunks.size() == 32);
  const std::string text = part_of(ask(served, body()).json())["text"].text;
  CHECK(text_of(chunks) == text);
  CHECK(chunks[0]["usageMetadata"]["candidatesTokenCount"].integer() == 1);
  CHECK(chunks[0]["usageMetadata"]["thoughtsTokenCount"].integer() == 12);
  CHECK(chunks[30]["candidates"].elements.at(0).find("finishReason") == nullptr);
  CHECK(chunks[31]["candidates"].elements.at(0)["finishReason"].text == "STOP");
  CHECK(chunks[31]["usageMetadata"]["candidatesTokenCount"].integer() == 32);
  const Reply array = post(served, "gemini-2.5-flash", "streamGenerateContent", body());
  CHECK(array.header("content-type") == "application/json; charset=UTF-8");
  CHECK(array.body.starts_with("[{\n  \"candidates\""));
  const Json list = array.json();
  CHECK(list.elements == chunks);
}

TEST_CASE("a stream whose limit is reached within the thinking says so in a last chunk") {
  Served served;
  const std::string request =
      body(R"("generationConfig":{"maxOutputTokens":2,"thinkingConfig":{"includeThoughts":true}})");
  const auto chunks =
      chunks_of(post(served, "gemini-2.5-flash", "streamGenerateContent?alt=sse", request));
  REQUIRE(chunks.size() == 3);
  CHECK(part_of(chunks[1])["thought"].boolean);
  CHECK(part_of(chunks[2])["text"].text.empty());
  CHECK(chunks[2]["candidates"].elements.at(0)["finishReason"].text == "MAX_TOKENS");
  CHECK(chunks[2]["usageMetadata"]["thoughtsTokenCount"].integer() == 2);
}

TEST_CASE("a forced function is called whole; newer models finish in a later chunk") {
  Served served;
  const std::string request = body(std::string(weather) + "," + std::string(any));
  const auto older =
      chunks_of(post(served, "gemini-2.5-flash", "streamGenerateContent?alt=sse", request));
  REQUIRE(older.size() == 1);
  CHECK(part_of(older[0])["functionCall"]["args"]["city"].text == "simulated");
  CHECK(older[0]["candidates"].elements.at(0)["finishReason"].text == "STOP");
  const auto newer =
      chunks_of(post(served, "gemini-3.5-flash", "streamGenerateContent?alt=sse", request));
  REQUIRE(newer.size() == 2);
  CHECK(part_of(newer[0])["functionCall"]["name"].text == "get_weather");
  CHECK(!part_of(newer[0])["thoughtSignature"].text.empty());
  CHECK(newer[0]["candidates"].elements.at(0).find("finishReason") == nullptr);
  CHECK(newer[1]["candidates"].elements.at(0)["finishReason"].text == "STOP");
  const Json several = post(served, "gemini-3.5-flash", "generateContent", body(weather),
                            "x-hyperion-fault: calls:3\r\n")
                           .json();
  CHECK(part_of(several, 1)["functionCall"]["name"].text == "now");
  CHECK(part_of(several, 2).find("functionCall") != nullptr);
  CHECK(part_of(several, 1).find("thoughtSignature") == nullptr);
}

TEST_CASE("a model that thinks in levels wants the signature of its call back in the same turn") {
  Served served;
  const std::string request = body(std::string(weather) + "," + std::string(any));
  const std::string signature =
      part_of(ask(served, request, "gemini-3.5-flash").json())["thoughtSignature"].text;
  auto second = [&](const std::string& signed_with, std::string_view later = {}) {
    return R"({"contents":[{"role":"user","parts":[{"text":"x"}]},{"role":"model","parts":[)"
           R"({"functionCall":{"name":"get_weather","args":{}})" +
           (signed_with.empty() ? "" : R"(,"thoughtSignature":")" + signed_with + '"') +
           R"(}]},{"role":"user","parts":[{"functionResponse":{"name":"get_weather",)"
           R"("response":{"ok":1}}}]})" +
           std::string(later) + "]," + std::string(weather) + "}";
  };
  CHECK(ask(served, second(signature), "gemini-3.5-flash").status == 200);
  CHECK(ask(served, second("skip_thought_signature_validator"), "gemini-3.5-flash").status == 200);
  CHECK(refusal(served, second(""), "gemini-3.5-flash")
            .starts_with("Function call is missing a thought_signature"));
  CHECK(refusal(served, second("EqSi00"), "gemini-3.5-flash") == "Thought signature is not valid.");
  CHECK(ask(served, second("")).status == 200);  // 2.5 does not care
  const std::string_view later =
      R"(,{"role":"model","parts":[{"text":"y"}]},{"role":"user","parts":[{"text":"z"}]})";
  CHECK(ask(served, second("", later), "gemini-3.5-flash").status == 200);  // an earlier turn
}

TEST_CASE("thoughts are shown when asked for, schemas are met, limits and refusals have reasons") {
  Served served;
  const Json thought =
      ask(served, body(R"("generationConfig":{"thinkingConfig":{"includeThoughts":true}})")).json();
  CHECK(part_of(thought)["thought"].boolean);
  CHECK(part_of(thought, 1).find("thought") == nullptr);
  const Json shaped =
      ask(served,
          body(R"("generation_config":{"response_mime_type":"application/json",)"
               R"("responseSchema":{"type":"OBJECT","properties":{"n":{"type":"INTEGER"}}}})"))
          .json();
  CHECK(read_json(part_of(shaped)["text"].text).value()["n"].integer() == 1);
  const Json cut = ask(served, body(R"("generationConfig":{"maxOutputTokens":14})")).json();
  CHECK(cut["candidates"].elements.at(0)["finishReason"].text == "MAX_TOKENS");
  CHECK(cut["usageMetadata"]["candidatesTokenCount"].integer() == 2);
  const Json refused =
      post(served, "gemini-2.5-flash", "generateContent", body(), "x-hyperion-fault: refusal\r\n")
          .json();
  CHECK(refused["candidates"].elements.at(0)["finishReason"].text == "SAFETY");
  CHECK(refused["candidates"].elements.at(0).find("content") == nullptr);
  const Json blocked =
      post(served, "gemini-2.5-flash", "generateContent", body(), "x-hyperion-fault: blocked\r\n")
          .json();
  CHECK(blocked.find("candidates") == nullptr);
  CHECK(blocked["promptFeedback"]["blockReason"].text == "SAFETY");
}

TEST_CASE("what the provider refuses of a request to Gemini is refused in its words") {
  Served served;
  auto config = [](std::string_view members) {
    return body("\"generationConfig\":{" + std::string(members) + "}");
  };
  const struct {
    std::string request;
    std::string_view message;
  } rows[] = {
      {body(R"("messages":[])"),
       "Invalid JSON payload received. Unknown name \"messages\": Cannot find field."},
      {config(R"("max_tokens":5)"),
       "Invalid JSON payload received. Unknown name \"max_tokens\" at 'generation_config': Cannot "
       "find field."},
      {config(R"("temperature":"hot")"),
       "Invalid value at 'generation_config.temperature' (TYPE_FLOAT), \"hot\""},
      {config(R"("thinkingConfig":{"thinkingBudget":5,"thinkingLevel":"low"})"),
       "You can only set only one of thinking budget and thinking level."},
      {config(R"("thinkingConfig":{"thinkingBudget":99999})"),
       "The thinking budget 99999 is invalid. Please choose a value between 0 and 24576."},
      {config(R"("presencePenalty":1)"), "Penalty is not enabled for this model"},
      {R"({"contents":[]})", "* GenerateContentRequest.contents: contents is not specified"},
      {R"({"contents":[{"role":"user","parts":[]}]})",
       "* GenerateContentRequest.contents[0].parts: contents.parts must not be empty."},
      {R"({"contents":[{"role":"user","parts":[{}]}]})",
       "* GenerateContentRequest.contents[0].parts[0].data: required oneof field 'data' must have "
       "one initialized field"},
      {R"({"contents":[{"role":"assistant","parts":[{"text":"x"}]}]})",
       "Please use a valid role: user, model."},
      {R"({"contents":[{"role":"model","parts":[{"text":"x"}]},)"
       R"({"role":"user","parts":[{"text":"x"}]}]})",
       "Please ensure that multiturn requests begin with a user turn."},
      {R"({"contents":[{"role":"user","parts":[{"text":"x"}]},{"role":"model","parts":[)"
       R"({"functionCall":{"name":"f"}},{"functionCall":{"name":"f"}}]},{"role":"user","parts":[)"
       R"({"functionResponse":{"name":"f","response":{}}}]}]})",
       "Please ensure that the number of function response parts is equal to the number of "
       "function call parts of the function call turn."},
      {R"({"contents":[{"role":"user","parts":[{"inlineData":{"mimeType":"image/png",)"
       R"("data":"AA\nAA"}}]}]})",
       "Invalid value at 'contents[0].parts[0].inline_data.data' (TYPE_BYTES), Base64 decoding "
       "failed for \"AA\\nAA\""},
      {body(R"("tools":[{"functionDeclarations":[{"name":"f","parameters":{"type":"object",)"
            R"("additionalProperties":false}}]}])"),
       "Invalid JSON payload received. Unknown name \"additionalProperties\" at "
       "'tools[0].function_declarations[0].parameters': Cannot find field."},
      {body(std::string(weather) +
            R"(,"generationConfig":{"responseMimeType":"application/json"})"),
       "Function calling with a response mime type: 'application/json' is unsupported"},
  };
  for (const auto& row : rows) CHECK(refusal(served, row.request) == row.message);
  CHECK(refusal(served, config(R"("thinkingConfig":{"thinkingLevel":"MINIMAL"})"),
                "gemini-3.1-pro-preview")
            .starts_with("Thinking level MINIMAL is not supported"));
  const Reply streamed =
      post(served, "gemini-2.5-flash", "streamGenerateContent", R"({"contents":[]})");
  CHECK(streamed.json().elements.at(0)["error"]["code"].integer() == 400);
}

TEST_CASE("Gemini's keys, models and paths of Vertex AI") {
  Served served;
  const std::string path = "/v1beta/models/gemini-2.5-flash:generateContent";
  auto without_key = [&](const std::string& target, std::string_view headers = {}) {
    return served.ask("POST " + target + " HTTP/1.1\r\nhost: x\r\n" + std::string(headers) +
                      "content-length: " + std::to_string(body().size()) + "\r\n\r\n" + body());
  };
  const Reply refused = without_key(path);
  CHECK(refused.status == 400);
  CHECK(refused.json()["error"]["details"].elements.at(0)["reason"].text == "API_KEY_INVALID");
  CHECK(without_key(path + "?key=k").status == 200);
  CHECK(without_key(path, "x-goog-api-key: invalid\r\n").status == 400);
  CHECK(post(served, "gemini-9", "generateContent", body()).json()["error"]["status"].text ==
        "NOT_FOUND");
  const std::string vertex =
      "/v1/projects/p/locations/global/publishers/google/models/gemini-2.5-flash:";
  CHECK(without_key(vertex + "generateContent").status == 401);
  const Json json = served.post(vertex + "generateContent", body()).json();
  CHECK(json["usageMetadata"]["trafficType"].text == "ON_DEMAND");
  CHECK(json["createTime"].text.ends_with("Z"));
  const auto chunks = chunks_of(served.post(vertex + "streamGenerateContent?alt=sse", body()));
  CHECK(chunks.at(0)["usageMetadata"].find("promptTokenCount") == nullptr);
  CHECK(chunks.back()["usageMetadata"]["promptTokenCount"].integer() == 7);
}

TEST_CASE("Gemini counts tokens, embeds and lists models") {
  Served served;
  CHECK(post(served, "gemini-2.5-flash", "countTokens", body()).json()["totalTokens"].integer() ==
        7);
  const std::string content = R"("content":{"parts":[{"text":"Hi"}]},"outputDimensionality":8)";
  const Json one = post(served, "gemini-embedding-2", "embedContent", "{" + content + "}").json();
  REQUIRE(one["embedding"]["values"].elements.size() == 8);
  const std::string request = R"({"model":"models/gemini-embedding-2",)" + content + "}";
  const Json batch = post(served, "gemini-embedding-2", "batchEmbedContents",
                          R"({"requests":[)" + request + "," + request + "]}")
                         .json();
  REQUIRE(batch["embeddings"].elements.size() == 2);
  CHECK(batch["embeddings"].elements[1]["values"] == one["embedding"]["values"]);
  CHECK(batch["usageMetadata"]["promptTokenCount"].integer() == 2);
  // Newer clients use v1, where OpenAI has a list of its own.
  CHECK(served.post("/v1/models/gemini-2.5-flash:countTokens", body(), key)
            .json()["totalTokens"]
            .integer() == 7);
  CHECK(served.ask(request_text("GET", "/v1/models", {}, key)).json().find("models") != nullptr);
  const Json list = served.get("/v1beta/models?pageSize=2").json();
  CHECK(list["models"].elements.size() == 2);
  CHECK(!list["nextPageToken"].text.empty());
  CHECK(served.get("/v1beta/models/gemini-2.5-flash").json()["inputTokenLimit"].integer() ==
        1048576);
}

TEST_CASE("Gemini's errors of every kind, and within streams of either form") {
  Served served;
  auto fail = [&](std::string_view method, const std::string& fault) {
    return post(served, "gemini-2.5-flash", method, body(), "x-hyperion-fault: " + fault + "\r\n");
  };
  const Reply limited = fail("generateContent", "429");
  CHECK(limited.status == 429);
  CHECK(limited.header("retry-after").empty());
  CHECK(limited.json()["error"]["status"].text == "RESOURCE_EXHAUSTED");
  CHECK(limited.json()["error"]["details"].elements.at(1)["retryDelay"].text == "1s");
  CHECK(fail("generateContent", "503").json()["error"]["status"].text == "UNAVAILABLE");
  CHECK(fail("generateContent", "quota").status == 429);
  const Reply broken = fail("streamGenerateContent?alt=sse", "streamerror:3");
  const auto chunks = chunks_of(broken);
  REQUIRE(chunks.size() == 4);
  CHECK(chunks[3]["error"]["code"].integer() == 503);
  const Json array = fail("streamGenerateContent", "streamerror:3").json();
  REQUIRE(array.elements.size() == 4);
  CHECK(array.elements[3]["error"]["status"].text == "UNAVAILABLE");
  CHECK(fail("streamGenerateContent?alt=sse", "nousage").body.find("usage") == std::string::npos);
  const Reply spoiled = fail("generateContent", "wrongtypes");
  CHECK(spoiled.json()["usageMetadata"]["promptTokenCount"].is(Json::Kind::string));
  CHECK(part_of(spoiled.json())["text"].is(Json::Kind::number));
}

}  // namespace
}  // namespace hyperion::test
