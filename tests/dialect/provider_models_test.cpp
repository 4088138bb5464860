#include "dialect/provider_models.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace hyperion;
using catalog::Dialect;
using dialect::ProviderModels;

namespace {

struct Read {
  ProviderModels outcome;
  std::vector<std::string> names;
};

Read read(Dialect dialect, std::string_view body, size_t models_max = 10) {
  // Memory of its very size, so that a sanitizer sees every byte too many.
  const std::vector<char> exact(body.begin(), body.end());
  catalog::NameSet set;
  Read result;
  result.outcome =
      dialect::read_provider_models(dialect, {exact.data(), exact.size()}, models_max, set);
  for (size_t i = 0; i < set.size(); ++i) result.names.emplace_back(set[i]);
  return result;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("the names of each dialect's list") {
  const Read openai = read(Dialect::openai, R"({"object": "list", "data": [
        {"id": "gpt-b", "object": "model", "created": 1, "owned_by": "x"},
        {"object": "model", "id": "gpt-a", "more": {"id": "inner", "data": [{"id": "inner"}]}}]})");
  CHECK(openai.outcome == ProviderModels::read);
  CHECK(openai.names == Names{"gpt-a", "gpt-b"});
  CHECK(read(Dialect::openai, R"([{"id":"bare"}])").names == Names{"bare"});

  const Read anthropic = read(Dialect::anthropic,
                              R"({"data":[{"type":"model","id":"claude-x","display_name":"X"}],
          "has_more":true,"last_id":"claude-x"})");
  CHECK(anthropic.outcome == ProviderModels::read);
  CHECK(anthropic.names == Names{"claude-x"});

  const Read gemini = read(Dialect::gemini, R"({"models":[
      {"name":"models/gemini-x","baseModelId":"y"},{"name":"tunedModels/z"}],
      "nextPageToken":"p"})");
  CHECK(gemini.outcome == ProviderModels::read);
  CHECK(gemini.names == Names{"gemini-x", "tunedModels/z"});
}

TEST_CASE("one dialect's list is none in another") {
  const char* const data = R"({"data":[{"id":"a"}]})";
  CHECK(read(Dialect::gemini, data).outcome == ProviderModels::malformed);
  CHECK(read(Dialect::openai, R"({"models":[{"name":"models/a"}]})").outcome ==
        ProviderModels::malformed);
  CHECK(read(Dialect::anthropic, R"([{"id":"a"}])").outcome == ProviderModels::malformed);
}

TEST_CASE("an empty list is a list") {
  CHECK(read(Dialect::openai, R"({"data":[]})").outcome == ProviderModels::read);
  CHECK(read(Dialect::openai, R"({"data":[]})").names.empty());
}

TEST_CASE("a name that is none, or that is there twice, is passed over") {
  const std::string long_name(257, 'n');
  const std::string longest(256, 'n');
  const Read one = read(Dialect::openai,
                        R"({"data":[{"id":"a"},{"id":""},{"id":7},{"id":null},{"name":"b"},"c",4,
                        {"id":"sp ace"},{"id":"qu\"ote"},{"id":"back\\slash"},{"id":"tab\t"},
                        {"id":"\u0000"},{"id":"\ud800"},{"id":"\x"},{"id":"ümlaut"},{"id":"a"},
                        {"id":"vendor\/model"},{"id":"\u0061b"},{"id":")" +
                            long_name + R"("},{"id":")" + longest + R"("},{"id":["d"]}]})");
  CHECK(one.outcome == ProviderModels::read);
  CHECK(one.names == Names{"a", "ab", longest, "vendor/model"});
}

TEST_CASE("a document that is not whole, or no list, is none") {
  const std::string whole = R"({"data":[{"id":"a","o":[1,"]"]},{"id":"b"}],"more":{"x":[]}} )";
  REQUIRE(read(Dialect::openai, whole).outcome == ProviderModels::read);
  for (size_t size = 0; size + 1 < whole.size(); ++size) {
    CAPTURE(size);
    CHECK(read(Dialect::openai, whole.substr(0, size)).outcome == ProviderModels::malformed);
  }
  for (const char* other :
       {"<html>busy</html>", "null", "\"data\"", "{}", R"({"data":{}})", R"({"data":null})",
        R"({"data":"x"})", R"({"error":{"message":"no"}})", R"({"data":[{"id":"a"}]}x)",
        R"({"data":[{"id":"a"}]}{"data":[]})", R"({"data":[{"id":"a"}{"id":"b"}]})", "[", "[}",
        R"({"data":[{"id" "a"}]})", "]"}) {
    CAPTURE(other);
    CHECK(read(Dialect::openai, other).outcome == ProviderModels::malformed);
  }
  std::string deep = R"({"data":[{"id":"a","x":)";
  deep += std::string(100'000, '[');
  CHECK(read(Dialect::openai, deep).outcome == ProviderModels::malformed);
}

TEST_CASE("a list of more names than allowed is not taken") {
  std::string list = R"({"data":[{"id":"m0"})";
  for (int i = 1; i < 10; ++i) list += R"(,{"id":"m)" + std::to_string(i) + "\"}";
  CHECK(read(Dialect::openai, list + "]}").outcome == ProviderModels::read);
  CHECK(read(Dialect::openai, list + "]}").names.size() == 10);
  CHECK(read(Dialect::openai, list + R"(,{"id":"m10"}]})").outcome == ProviderModels::too_many);
}
