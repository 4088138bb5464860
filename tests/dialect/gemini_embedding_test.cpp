#include "dialect/gemini_embedding.h"

#include <cstring>
#include <string>

#include <doctest/doctest.h>

#include "dialect/gemini.h"
#include "dialect/harness.h"
#include "support/base64.h"
#include "support/shared_data.h"

using namespace hyperion;
using namespace hyperion::dialect;
using test::json_of;

namespace {

struct Batch {
  bool accepted = false;
  std::string body, dropped;
  gemini::EmbeddingForm form;
  RequestProblem problem;
};

Batch batch_of(const std::string& body, bool vertex = false) {
  test::Memory memory;
  TranslationSettings settings;
  Notes notes(settings, "gemini");
  catalog::Provider provider;
  provider.vertex = vertex;
  Batch batch;
  batch.accepted = gemini::encode_embeddings(
      body, {provider, nullptr, "gemini-embedding-2", settings}, memory.out, batch.form, notes);
  batch.body = memory.out.text();
  batch.dropped = notes.dropped();
  batch.problem = notes.problem;
  CHECK(batch.accepted == !batch.problem);
  return batch;
}

struct Listed {
  bool good = false;
  std::string body;
  Usage usage;
};

Listed list_of(const std::string& answer, uint32_t inputs, bool base64) {
  test::Memory memory;
  Listed listed;
  listed.good =
      gemini::write_embeddings(answer, {base64, inputs}, "model", memory.out, listed.usage);
  listed.body = memory.out.text();
  return listed;
}

}  // namespace

TEST_CASE("gemini embeddings: one text or many become a batch") {
  const Batch one = batch_of(R"({"model":"x","input":"a\"b"})");
  CHECK(json_of(one.body) ==
        json_of(R"({"requests":[{"model":"models/gemini-embedding-2","content":{"parts":[{)"
                R"("text":"a\"b"}]}}]})"));
  CHECK(one.form.inputs == 1);
  CHECK(!one.form.base64);
  const Batch many =
      batch_of(R"({"input":["a","b"],"dimensions":768,"encoding_format":"base64","user":"u",)"
               R"("hyperion":{},"odd":1,
          "extra_body":{"smart_routing":false}})");
  CHECK(json_of(many.body) == json_of(R"({"requests":[
      {"model":"models/gemini-embedding-2","content":{"parts":[{"text":"a"}]},)"
                                      R"("outputDimensionality":768},
      {"model":"models/gemini-embedding-2","content":{"parts":[{"text":"b"}]},)"
                                      R"("outputDimensionality":768}]})"));
  CHECK(many.form.inputs == 2);
  CHECK(many.form.base64);
  CHECK(many.dropped == "user, odd");
}

TEST_CASE("gemini embeddings: what cannot be embedded is refused by name") {
  std::string many = "\"x\"";
  for (int i = 0; i < 100; ++i) many += ",\"x\"";
  struct Row {
    std::string members;
    const char* param;
  };
  for (const Row& row :
       {Row{R"("input":[1,2,3])", "input"}, Row{R"("input":[[1],[2]])", "input"},
        Row{R"("input":[])", "input"}, Row{R"("input":"")", "input"},
        Row{R"("input":["a",""])", "input"}, Row{R"("input":{})", "input"},
        Row{R"("input":null)", "input"}, Row{"", "input"}, Row{"\"input\":[" + many + "]", "input"},
        Row{R"("input":"a","dimensions":0)", "dimensions"},
        Row{R"("input":"a","dimensions":"7")", "dimensions"},
        Row{R"("input":"a","encoding_format":"int8")", "encoding_format"},
        Row{R"("input":"a","encoding_format":1)", "encoding_format"}}) {
    CAPTURE(row.members.substr(0, 60));
    const Batch batch = batch_of("{" + row.members + "}");
    CHECK(!batch.accepted);
    CHECK(std::string(batch.problem.param) == row.param);
  }
  CHECK(!batch_of(R"({"input":"a"})", true).accepted);
}

TEST_CASE("gemini embeddings: the list, as numbers and as little-endian floats in base64") {
  const std::string answer =
      R"({ "embeddings": [ { "values": [ -0.5, 1e-05, 2 ] }, {"values":[0.25]} ],
      "usageMetadata": {"promptTokenCount": 4, "promptTokenDetails": [{"tokenCount":4}]} })";
  const Listed numbers = list_of(answer, 2, false);
  REQUIRE(numbers.good);
  CHECK(json_of(numbers.body) == json_of(R"({"object":"list","data":[
      {"object":"embedding","index":0,"embedding":[-0.5,1e-05,2]},
      {"object":"embedding","index":1,"embedding":[0.25]}],
      "model":"model","usage":{"prompt_tokens":4,"total_tokens":4}})"));
  CHECK(numbers.usage.prompt_tokens == 4);
  const Listed base64 = list_of(answer, 2, true);
  const test::Json data = json_of(base64.body)["data"];
  const float expected[] = {-0.5f, 1e-05f, 2.0f};
  CHECK(test::decode_base64(data.elements[0]["embedding"].text) ==
        std::string(reinterpret_cast<const char*>(expected), sizeof(expected)));
  CHECK(data.elements[1]["embedding"].text == "AACAPg==");
}

TEST_CASE("gemini embeddings: usage that was not reported is zero for the client, unknown for us") {
  const Listed listed = list_of(R"({"embeddings":[{"values":[1]}]})", 1, false);
  REQUIRE(listed.good);
  CHECK(json_of(listed.body)["usage"] == json_of(R"({"prompt_tokens":0,"total_tokens":0})"));
  CHECK(!listed.usage.known());
}

TEST_CASE("gemini embeddings: an answer that is none gives nothing") {
  for (const char* bad :
       {"", "x", "[]", "{}", R"({"embeddings":{}})", R"({"embeddings":[]})",
        R"({"embeddings":[{}]})", R"({"embeddings":[{"values":1}]})",
        R"({"embeddings":[{"values":["a"]}]})", R"({"embeddings":[{"values":[1e400]}]})",
        R"({"embeddings":[{"values":[1]},{"values":[1]}]})", R"({"embeddings":[{"values":[1])",
        R"({"embeddings":[{"values":[1],"values":[1]}]})",
        R"({"embeddings":[{"values":[null]}]})"}) {
    for (bool base64 : {false, true}) {
      CAPTURE(std::string(bad));
      const Listed listed = list_of(bad, 1, base64);
      CHECK(!listed.good);
      CHECK(listed.body == "");
      CHECK(!listed.usage.known());
    }
  }
}

TEST_CASE("gemini embeddings: recorded answers in both encodings") {
  const auto directory = test::shared_data("recorded/gemini/embedContent");
  if (!directory) return;
  size_t answers = 0;
  for (const auto& file : std::filesystem::directory_iterator(*directory)) {
    const test::Json recording = json_of(test::read_file(file.path()));
    for (const test::Json& exchange : recording["exchanges"].elements) {
      if (exchange["response"]["status"].text != "200") continue;
      const std::string& body = exchange["response"]["body"].text;
      const test::Json expected = json_of(body)["embeddings"];
      if (expected.elements.empty()) continue;
      ++answers;
      const auto inputs = static_cast<uint32_t>(expected.elements.size());
      const Listed numbers = list_of(body, inputs, false);
      const Listed base64 = list_of(body, inputs, true);
      REQUIRE(numbers.good);
      REQUIRE(base64.good);
      const test::Json data = json_of(numbers.body)["data"];
      const test::Json encoded = json_of(base64.body)["data"];
      REQUIRE(data.elements.size() == inputs);
      for (uint32_t i = 0; i < inputs; ++i) {
        CHECK(data.elements[i]["embedding"] == expected.elements[i]["values"]);
        std::string bytes;
        for (const test::Json& value : expected.elements[i]["values"].elements) {
          const auto number = std::strtof(value.text.c_str(), nullptr);
          bytes.append(reinterpret_cast<const char*>(&number), sizeof(number));
        }
        CHECK(test::decode_base64(encoded.elements[i]["embedding"].text) == bytes);
      }
    }
  }
  CHECK(answers >= 5);
}
