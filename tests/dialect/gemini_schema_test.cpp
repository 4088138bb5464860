#include "dialect/gemini_schema.h"

#include <string>

#include <doctest/doctest.h>

#include "dialect/harness.h"

using namespace hyperion;
using namespace hyperion::dialect;

namespace {

std::string rewritten(const std::string& schema) {
  test::Memory memory;
  Json result;
  REQUIRE(gemini::to_json_schema(schema, {memory.arena, memory.scratch}, result) ==
          gemini::SchemaResult::done);
  return std::string(result.bytes);
}

struct Case {
  const char* openapi;
  const char* json_schema;
};

}  // namespace

TEST_CASE("OpenAPI's schemas become JSON Schema") {
  const Case cases[] = {
      {R"({"type":"STRING"})", R"({"type":"string"})"},
      {R"({"type":"OBJECT","properties":{"a":{"type":"INTEGER"},"type":{"type":"NUMBER"}},)"
       R"("required":["a"]})",
       R"({"type":"object","properties":{"a":{"type":"integer"},"type":{"type":"number"}},)"
       R"("required":["a"]})"},
      {R"({"type":"ARRAY","items":{"type":"BOOLEAN"},"minItems":"2","maxItems":3})",
       R"({"type":"array","items":{"type":"boolean"},"minItems":2,"maxItems":3})"},
      {R"({"type":"STRING","nullable":true})", R"({"type":["string","null"]})"},
      {R"({"nullable":true,"type":"STRING","enum":["a"]})",
       R"({"type":["string","null"],"enum":["a",null]})"},
      {R"({"type":"STRING","nullable":false})", R"({"type":"string"})"},
      {R"({"anyOf":[{"type":"STRING"},{"type":"NULL"}]})",
       R"({"anyOf":[{"type":"string"},{"type":"null"}]})"},
      {R"({"nullable":true,"any_of":[{"type":"STRING"}]})",
       R"({"anyOf":[{"type":"string"},{"type":"null"}]})"},
      {R"({"type":"STRING","nullable":true,"oneOf":[{"format":"date"}],"allOf":[{)"
       R"("minLength":"1"}]})",
       R"({"type":["string","null"],"oneOf":[{"format":"date"},{"type":"null"}],"allOf":[{)"
       R"("minLength":1}]})"},
      {R"({"type":"STRING","format":"enum","enum":["A","B"]})",
       R"({"type":"string","enum":["A","B"]})"},
      {R"({"type":"STRING","format":"date-time"})", R"({"type":"string","format":"date-time"})"},
      {R"({"type":"OBJECT","propertyOrdering":["b","a"],"example":{"type":"STRING"},)"
       R"("properties":{"example":{"type":"STRING"}}})",
       R"({"type":"object","properties":{"example":{"type":"string"}}})"},
      {R"({"type":"TYPE_UNSPECIFIED","title":"T"})", R"({"title":"T"})"},
      {R"({"type":"OBJECT","additionalProperties":{"type":"STRING"},"default":{"type":"STRING"}})",
       R"({"type":"object","additionalProperties":{"type":"string"},"default":{"type":"STRING"}})"},
      {R"({"type":["STRING","NULL"],"min_length":"1"})",
       R"({"type":["string","null"],"minLength":1})"},
      {R"({"description":"a \"STRING\"","type":"STRING","maximum":1e400})",
       R"({"description":"a \"STRING\"","type":"string","maximum":1e400})"},
  };
  for (const Case& item : cases) {
    CAPTURE(item.openapi);
    CHECK(rewritten(item.openapi) == item.json_schema);
  }
}

TEST_CASE("a schema that is JSON Schema already keeps its bytes") {
  for (const char* schema :
       {R"({ "type" : "object", "properties":{"nullable":{"type":"string"}}, "required":[ ] })",
        R"({"$ref":"#/$defs/a","$defs":{"a":{"const":1}},"x":{"type":"STRING"}})", "{}",
        R"({"type":"array","items":true,"minItems":"many"})"}) {
    CHECK(rewritten(schema) == schema);
  }
}

TEST_CASE("a schema larger than a block is refused only if it must change") {
  std::string large = R"({"description":")" + std::string(20'000, 'x') + "\"";
  CHECK(rewritten(large + R"(,"type":"string"})").size() > 20'000);
  test::Memory memory;
  Json result;
  CHECK(gemini::to_json_schema(large + R"(,"type":"STRING"})", {memory.arena, memory.scratch},
                               result) == gemini::SchemaResult::too_large);
}
