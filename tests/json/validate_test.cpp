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
