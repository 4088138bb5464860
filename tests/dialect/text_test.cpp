#include "dialect/text.h"

#include <string>

#include <doctest/doctest.h>

using namespace hyperion;
using namespace hyperion::dialect;

namespace {

struct Memory {
  BlockPool blocks{64};
  MemoryBudget budget{1 << 20, 0};
  Arena arena{blocks, 1 << 20};
  ByteBuffer buffer{blocks, budget};
  json::Output out{buffer};
};

}  // namespace

TEST_CASE("a data URL is split at the last marker before its first comma") {
  struct Case {
    const char* url;
    const char* type;
    const char* data;
  };
  const Case cases[] = {
      {"data:image/png;base64,iVBO", "image/png", "iVBO"},
      {"DATA:IMAGE/PNG;BASE64,iVBO", "image/png", "iVBO"},
      {"data:image\\/png;charset=x;base64,a\\/b=", "image/png", "a\\/b="},
      {"data:application/pdf;name=a;base64;base64,JVBE", "application/pdf", "JVBE"},
      {"data:;base64,QQ==", "", "QQ=="},
      {"data:text/plain;base64,QQ==,QQ", "text/plain", "QQ==,QQ"},
  };
  for (const Case& item : cases) {
    CAPTURE(item.url);
    Memory memory;
    std::string_view type, data;
    REQUIRE(split_data_url(memory.arena, item.url, type, data));
    CHECK(type == item.type);
    CHECK(data == item.data);
  }
  for (const char* url : {"data:text/plain,hello", "data:,", "data:image/png;base64", "http://x",
                          "data:base64,QQ", "dat", ""}) {
    CAPTURE(url);
    Memory memory;
    std::string_view type, data;
    CHECK(!split_data_url(memory.arena, url, type, data));
  }
}

TEST_CASE("base64 has no line breaks, no foreign letters and a possible length") {
  for (const char* good : {"QQ==", "QUI=", "QUJD", "QUJDRA", "a\\/b=", "a+/b"}) {
    CAPTURE(good);
    CHECK(is_base64(good));
  }
  for (const char* bad : {"", "Q", "QUJDR", "QQ=", "QQ===", "QU JD", "QU\\nJD", "QU\nJD", "QU-_",
                          "=", "QQ==QQ==", "QUJD\\"}) {
    CAPTURE(bad);
    CHECK(!is_base64(bad));
  }
}

TEST_CASE("data is written in the standard alphabet, whichever it came in") {
  Memory memory;
  Part part;
  part.data.bytes = "a-_b+/==";
  memory.out.open_string();
  add_data(memory.out, part);
  part.data_url_safe = true;
  const std::string long_data = std::string(1000, '-') + "_";
  part.data.bytes = long_data;
  add_data(memory.out, part);
  memory.out.close_string();
  CHECK(memory.out.text() == "\"a-_b+/==" + std::string(1000, '+') + "/\"");
}

TEST_CASE("arguments are exactly one JSON object") {
  Memory memory;
  for (const char* good : {"{}", " {\"a\":[1,{}]} ", "{\"a\":\"}\"}"}) {
    CAPTURE(good);
    CHECK(is_json_object(good));
  }
  for (const char* bad : {"", "[]", "1", "{", "{}{}", "{\"a\"}", "{\"a\":1,}", "null"}) {
    CAPTURE(bad);
    CHECK(!is_json_object(bad));
  }
  CHECK(is_json_object_escaped(R"({\"a\":\"x\\\"y\"})", memory.buffer));
  CHECK(!is_json_object_escaped(R"({\"a\":\"x)", memory.buffer));
  CHECK(!is_json_object_escaped(R"(\"{}\")", memory.buffer));
}

TEST_CASE("a foreign signature carries its maker and comes home without") {
  for (Maker maker : {Maker::openai, Maker::anthropic, Maker::gemini}) {
    for (Maker home : {Maker::openai, Maker::anthropic, Maker::gemini}) {
      Memory memory;
      add_signature(memory.out, "Abc+/=", maker, home);
      const std::string text(memory.out.text());
      CHECK((text == "Abc+/=") == (maker == home));
      std::string_view signature = text;
      CHECK(maker_of(signature, home) == maker);
      CHECK(signature == "Abc+/=");
    }
  }
}

TEST_CASE("names are unescaped, and copied only then") {
  Memory memory;
  std::string_view plain;
  const std::string_view simple = "get_weather";
  REQUIRE(unescape_into(memory.arena, simple, plain));
  CHECK(plain.data() == simple.data());
  REQUIRE(unescape_into(memory.arena, "a\\u00e9\\\"", plain));
  CHECK(plain == "a\xC3\xA9\"");
}

TEST_CASE("another vendor's thinking is found wherever it stands, and nothing else is") {
  const auto at = [](size_t before, std::string_view word, size_t after) {
    return std::string(before, 'h') + std::string(word) + std::string(after, 'y');
  };
  for (size_t before = 0; before < 40; ++before) {
    for (size_t after : {0, 1, 15, 16, 40}) {
      CHECK(
          carries_foreign_thinking(Wire::anthropic, at(before, "hyperion.gemini.", after), false));
      CHECK(carries_foreign_thinking(Wire::gemini, at(before, "aHlwZXJpb24u", after), false));
      const std::string own = at(before, "hyperion.anthropic.", after);
      CHECK_FALSE(carries_foreign_thinking(Wire::anthropic, own, true));
      CHECK(carries_foreign_thinking(Wire::openai_responses, own, false));
      CHECK_FALSE(carries_foreign_thinking(Wire::gemini, own, true));
      const std::string blocks = at(before, "\"thinking_blocks\": [", after);
      CHECK(carries_foreign_thinking(Wire::openai_chat, blocks, true));
      CHECK_FALSE(carries_foreign_thinking(Wire::openai_chat, blocks, false));
    }
  }
  for (std::string_view text : {"", "h", "hy", "hyperion.gemini", "hyperion", "thinking_blocks"}) {
    for (Wire wire : {Wire::openai_chat, Wire::openai_responses, Wire::anthropic, Wire::gemini})
      CHECK_FALSE(carries_foreign_thinking(wire, text, true));
  }
}
