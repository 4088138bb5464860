// What the simulated OpenAI dialect refuses, and in which words.
#include <doctest/doctest.h>

#include "served.h"

namespace hyperion::test {
namespace {

struct Refused {
  const char* what;
  const char* target;
  const char* body;
  int status;
  const char* code;
};

constexpr Refused refused[] = {
    {"an unknown model", "/v1/chat/completions",
     R"({"model":"gpt-9","messages":[{"role":"user","content":""}]})", 404, "model_not_found"},
    {"a shorthand that only the gateway knows", "/v1/chat/completions",
     R"({"model":"gpt-mini","messages":[{"role":"user","content":""}]})", 404, "model_not_found"},
    {"a body that is no JSON", "/v1/chat/completions", R"({"model":"gpt-4o",)", 400,
     "invalid_json"},
    {"an empty body", "/v1/chat/completions", "", 400, "invalid_json"},
    {"no messages", "/v1/chat/completions", R"({"model":"gpt-4o"})", 400,
     "missing_required_parameter"},
    {"an empty list of messages", "/v1/chat/completions", R"({"model":"gpt-4o","messages":[]})",
     400, "empty_array"},
    {"no model", "/v1/chat/completions", R"({"messages":[{"role":"user","content":""}]})", 400,
     "missing_required_parameter"},
    {"a limit of no tokens", "/v1/chat/completions",
     R"({"model":"gpt-4o","max_tokens":0,"messages":[{"role":"user","content":""}]})", 400,
     "invalid_value"},
    {"a limit that is a text", "/v1/chat/completions",
     R"({"model":"gpt-4o","max_tokens":"9","messages":[{"role":"user","content":""}]})", 400,
     "invalid_type"},
    {"a key of Hyperion's own", "/v1/chat/completions",
     R"({"model":"gpt-4o","hyperion":{"explain":true},"messages":[{"role":"user","content":""}]})",
     400, "unknown_parameter"},
    {"a path that does not exist", "/v1/chat", "{}", 404, "unknown_url"},
    {"no input to embed", "/v1/embeddings", R"({"model":"text-embedding-3-small","input":[]})", 400,
     "invalid_value"},
};

TEST_CASE("what a provider refuses is refused in OpenAI's shape") {
  Served served;
  for (const Refused& row : refused) {
    CAPTURE(row.what);
    const Reply reply = served.post(row.target, row.body);
    CHECK(reply.status == row.status);
    const Json error = reply.json()["error"];
    CHECK(error["code"].text == row.code);
    CHECK(error["type"].text == "invalid_request_error");
    CHECK(error["message"].text.size() > 10);
    CHECK(error.find("param") != nullptr);
  }
  CHECK(served.ledger().bill().requests == 0);
}

TEST_CASE("a request without a key is refused") {
  Served served;
  const Reply reply = served.ask("GET /v1/models HTTP/1.1\r\nhost: simulator\r\n\r\n");
  CHECK(reply.status == 401);
  CHECK(reply.json()["error"]["code"].text == "invalid_api_key");
  CHECK(reply.header("x-should-retry") == "false");
}

TEST_CASE("an embedding model does not chat") {
  Served served;
  const Reply reply = served.post(
      chat_target,
      R"({"model":"text-embedding-3-small","messages":[{"role":"user","content":""}]})");
  CHECK(reply.status == 404);
}

TEST_CASE("a prompt beyond the model's context is refused by its code") {
  Served served;
  const std::string body = R"({"model":"gpt-3.5-turbo","messages":[{"role":"user","content":")" +
                           std::string(16385 * 4, 'x') + "\"}]}";
  const Reply reply = served.post(chat_target, body);
  CHECK(reply.status == 400);
  CHECK(reply.json()["error"]["code"].text == "context_length_exceeded");
}

TEST_CASE("what is not HTTP is refused, counted and closed") {
  Served served;
  TestClient client(served.address());
  client.send_bytes("NONSENSE\r\n\r\n");
  CHECK(client.read_reply().status == 400);
  client.read_to_end();
  CHECK(client.ended());
  CHECK(served.ledger().bill().malformed == 1);
}

TEST_CASE("a misspelt fault is an error, not a success") {
  Served served;
  const Reply reply = served.post(chat_target, hello, "x-hyperion-fault: gpt-4o=cutt:3\r\n");
  CHECK(reply.status == 400);
  CHECK(reply.json()["error"]["code"].text == "unknown_fault");
}

}  // namespace
}  // namespace hyperion::test
