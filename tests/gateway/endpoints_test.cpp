#include "gateway/endpoints.h"

#include <string>

#include <doctest/doctest.h>

using namespace hyperion;
using gateway::find_endpoint;
using gateway::Work;

TEST_CASE("every route is found by its exact path only") {
  struct Known {
    const char* path;
    Work work;
    http::Method method;
    bool needs_key;
  };
  const Known known[] = {
      {"/v1/chat/completions", Work::proxy, http::Method::post, true},
      {"/v1/completions", Work::proxy, http::Method::post, true},
      {"/v1/embeddings", Work::proxy, http::Method::post, true},
      {"/v1/moderations", Work::proxy, http::Method::post, true},
      {"/v1/models", Work::models, http::Method::get, true},
      {"/v1/models/gpt-4o", Work::model, http::Method::get, true},
      {"/v1/models/vendor/name", Work::model, http::Method::get, true},
      {"/health/live", Work::live, http::Method::get, false},
      {"/health/ready", Work::ready, http::Method::get, false},
      {"/metrics", Work::metrics, http::Method::get, false},
  };
  for (const Known& one : known) {
    CAPTURE(one.path);
    const gateway::Endpoint* endpoint = find_endpoint(one.path);
    REQUIRE(endpoint != nullptr);
    CHECK(endpoint->work == one.work);
    CHECK(endpoint->method == one.method);
    CHECK(endpoint->needs_key == one.needs_key);
  }
}

TEST_CASE("a path that is spelled otherwise is another path") {
  const char* unknown[] = {
      "",
      "/",
      "/v1",
      "/v1/",
      "/v1/chat/completions/",
      "/V1/chat/completions",
      "/v1/chat/completion",
      "/v1/chat/completionsx",
      "/v1/chat//completions",
      "//v1/chat/completions",
      "/v1/./chat/completions",
      "/v1/x/../chat/completions",
      "/v1/chat%2Fcompletions",
      "/v1/chat/completions?x",
      "/v1/models/",
      "/metrics/",
      "/health",
      "/health/",
      "*",
      "v1/models",
  };
  for (const char* path : unknown) {
    CAPTURE(path);
    CHECK(find_endpoint(path) == nullptr);
  }
}

TEST_CASE("what goes to a provider needs a key, and is not on the admin side") {
  for (const char* path :
       {"/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/moderations",
        "/v1/messages", "/v1/messages/count_tokens", "/v1/responses",
        "/v1beta/models/gemini-2.5-flash:generateContent",
        "/v1beta/models/openai%2Fgpt-4o:streamGenerateContent", "/v1beta/models/x:countTokens"}) {
    const gateway::Endpoint* endpoint = find_endpoint(path);
    REQUIRE(endpoint != nullptr);
    CHECK(endpoint->needs_key);
    CHECK(endpoint->public_side);
    CHECK_FALSE(endpoint->admin_side);
  }
}

TEST_CASE("a path without a row is answered in the words of the clients that ask for such paths") {
  using gateway::wire_of_path;
  CHECK(wire_of_path("/v1beta/models") == dialect::Wire::gemini);
  CHECK(wire_of_path("/v1beta/models/gemini-2.5-flash:batchGenerateContent") ==
        dialect::Wire::gemini);
  CHECK(wire_of_path("/v1/messages/batches") == dialect::Wire::anthropic);
  CHECK(wire_of_path("/v1/assistants") == dialect::Wire::openai_chat);
  CHECK(wire_of_path("") == dialect::Wire::openai_chat);
}

TEST_CASE("the allowed methods of a row name its own, and HEAD where there is GET") {
  for (const char* path : {"/v1/chat/completions", "/v1/models", "/v1/models/x", "/metrics"}) {
    const gateway::Endpoint* endpoint = find_endpoint(path);
    REQUIRE(endpoint != nullptr);
    const std::string allowed(gateway::allowed_methods(*endpoint));
    CHECK(allowed.starts_with(gateway::name_of(endpoint->method)));
    CHECK((allowed.find("HEAD") != std::string::npos) == (endpoint->method == http::Method::get));
    CHECK(allowed.find("OPTIONS") != std::string::npos);
  }
}

TEST_CASE("a method that is not known is never named as the client spelled it") {
  CHECK(gateway::name_of(http::Method::delete_) == "DELETE");
  CHECK(gateway::name_of(http::Method::head) == "HEAD");
  CHECK(gateway::name_of(http::Method::other) == "other");
}
