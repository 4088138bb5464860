#include "json/validate.h"

#include <string>

#include <doctest/doctest.h>

using namespace hyperion;

TEST_CASE("one whole value, and nothing else") {
  for (const char* good : {"{}", " [ ] ", "0", "-0.5e+10", "1e400", "\"a\\u00e9\\n\"", "true",
                           "null", "{\"a\":[1,{\"b\":\"}\"}],\"c\":false}", "[\"\",{}]"}) {
    CAPTURE(std::string(good));
    CHECK(json::is_valid(good));
  }
  for (const char* bad :
       {"",     " ",     "{",    "}",     "{\"a\"}", "{\"a\":}", "{\"a\":1,}",  "{,}",
        "[1,]", "[1 2]", "[,1]", "01",    "-",       "1.",       ".5",          "1e",
        "+1",   "tru",   "nul",  "NaN",   "\"",      "\"\\x\"",  "\"\\u12g4\"", "\"\n\"",
        "{}{}", "{} x",  "'a'",  "{a:1}", "[}",      "\"\\",     "\"\\u12"}) {
    CAPTURE(std::string(bad));
    CHECK(!json::is_valid(bad));
  }
  CHECK(json::is_valid(std::string(64, '[') + std::string(64, ']')));
  CHECK(!json::is_valid(std::string(65, '[') + std::string(65, ']')));
  CHECK(!json::is_valid(std::string(1'000'000, '[')));
}

TEST_CASE("strings hold UTF-8, wherever the bytes stand that are none") {
  for (size_t before = 0; before < 40; ++before) {
    const std::string plain(before, 'a');
    for (const char* good : {"\xC3\xA9", "\xE2\x80\x93", "\xF0\x9F\x98\x80", "\x7F", "\\n\\\""}) {
      for (const char* after : {"", "and a text of more than sixteen bytes"}) {
        CAPTURE(before);
        CHECK(json::is_valid('"' + plain + good + after + '"'));
      }
    }
    for (const char* bad :
         {"\xC3", "\xA9", "\xC0\xAF", "\xED\xA0\x80", "\xF5\x80\x80\x80", "\x1F", "\\"}) {
      CAPTURE(before);
      CHECK(!json::is_valid('"' + plain + bad + '"'));
      CHECK(!json::is_valid('"' + plain + bad));
    }
  }
  CHECK(!json::is_valid("\xC3\xA9"));
  CHECK(!json::is_valid("{\"\xFF\":1}"));
}
