#include <string>

#include <doctest/doctest.h>

#include "gateway/endpoints.h"

using namespace hyperion;
using namespace hyperion::gateway;

namespace {

std::string name_of_path(const char* path) {
  const Endpoint* endpoint = find_endpoint(path);
  REQUIRE(endpoint != nullptr);
  return std::string(name_in_path(*endpoint, path));
}

std::string decoded(std::string_view encoded) {
  BlockPool blocks(4);
  Arena arena(blocks, 64 * 1024);
  return std::string(decoded_name(encoded, arena));
}

}  // namespace

TEST_CASE("the name in a path stands between the row's beginning and its end") {
  CHECK(name_of_path("/v1/models/gpt-4o") == "gpt-4o");
  CHECK(name_of_path("/v1/models/vendor/name") == "vendor/name");
  CHECK(name_of_path("/v1beta/models/gemini-3-flash:generateContent") == "gemini-3-flash");
  CHECK(name_of_path("/v1beta/models/gemini-3-flash:streamGenerateContent") == "gemini-3-flash");
  CHECK(name_of_path("/v1beta/models/a:countTokens") == "a");
  // A name may hold what looks like an action.
  CHECK(name_of_path("/v1beta/models/a:generateContent:generateContent") == "a:generateContent");
  CHECK(name_of_path("/v1beta/models/openai%2Fgpt-4o:generateContent") == "openai%2Fgpt-4o");
}

TEST_CASE("Google's routes say by their path what is wanted, and that it comes as a stream") {
  struct Known {
    const char* path;
    Operation operation;
    bool stream;
  };
  const Known known[] = {
      {"/v1beta/models/x:generateContent", Operation::chat, false},
      {"/v1beta/models/x:streamGenerateContent", Operation::chat, true},
      {"/v1beta/models/x:countTokens", Operation::count_tokens, false},
  };
  for (const Known& one : known) {
    CAPTURE(one.path);
    const Endpoint* endpoint = find_endpoint(one.path);
    REQUIRE(endpoint != nullptr);
    CHECK(endpoint->wire == dialect::Wire::gemini);
    CHECK(endpoint->operation == one.operation);
    CHECK(endpoint->stream == one.stream);
  }
  for (const char* path :
       {"/v1beta/models/:generateContent", "/v1beta/models/x", "/v1beta/models/x:other",
        "/v1beta/models/x:generatecontent", "/v1beta/x:generateContent", "/v1beta/models/"}) {
    CAPTURE(path);
    CHECK(find_endpoint(path) == nullptr);
  }
}

TEST_CASE("each route is of the dialect whose clients call it") {
  const std::pair<const char*, dialect::Wire> routes[] = {
      {"/v1/chat/completions", dialect::Wire::openai_chat},
      {"/v1/responses", dialect::Wire::openai_responses},
      {"/v1/messages", dialect::Wire::anthropic},
      {"/v1/messages/count_tokens", dialect::Wire::anthropic},
      {"/v1/embeddings", dialect::Wire::openai_chat},
  };
  for (const auto& [path, wire] : routes) {
    CAPTURE(path);
    REQUIRE(find_endpoint(path) != nullptr);
    CHECK(find_endpoint(path)->wire == wire);
  }
}

TEST_CASE("a name is percent-decoded; what is no escape stays as it is") {
  const std::pair<const char*, const char*> cases[] = {
      {"gpt-4o", "gpt-4o"}, {"openai%2Fgpt-4o", "openai/gpt-4o"},
      {"%2f%2F", "//"},     {"%41", "A"},
      {"a%20b", "a b"},     {"a+b", "a+b"},
      {"%", "%"},           {"%4", "%4"},
      {"x%zz", "x%zz"},     {"%4g", "%4g"},
      {"%g4", "%g4"},       {"%%41", "%A"},
      {"%2541", "%41"},     {"%C3%A9", "\xC3\xA9"},
      {"a%", "a%"},         {"%-1", "%-1"},
      {"%0x41", "%0x41"},   {"% 4", "% 4"},
  };
  for (const auto& [encoded, plain] : cases) {
    CAPTURE(encoded);
    CHECK(decoded(encoded) == plain);
  }
  CHECK(decoded("a%00b") == std::string("a\0b", 3));
}

TEST_CASE("a name without an escape is not copied, one for which there is no room is empty") {
  BlockPool blocks(1);
  Arena arena(blocks, 64);
  const std::string plain = "gpt-4o";
  CHECK(decoded_name(plain, arena).data() == plain.data());
  std::string long_name = "%41";
  long_name.append(100'000, 'x');
  CHECK(decoded_name(long_name, arena).empty());
}

TEST_CASE("a query has a parameter only where it stands whole") {
  CHECK(query_has("alt=sse", "alt=sse"));
  CHECK(query_has("key=1&alt=sse", "alt=sse"));
  CHECK(query_has("alt=sse&key=1", "alt=sse"));
  CHECK(query_has("&&alt=sse&", "alt=sse"));
  CHECK(query_has("a=1&alt=sse&b=2", "alt=sse"));
  for (const char* query : {"", "&", "alt", "alt=", "alt=ss", "alt=sse2", "xalt=sse", "alt=json",
                            "alt=SSE", "alt=sse#", "x=alt=sse", "alt%3Dsse"}) {
    CAPTURE(query);
    CHECK_FALSE(query_has(query, "alt=sse"));
  }
}
