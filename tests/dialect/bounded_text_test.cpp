#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "base/random.h"
#include "dialect/text.h"
#include "support/json_reader.h"

using namespace hyperion;
using dialect::bounded_inside;

TEST_CASE("what fits is the same view") {
  for (const std::string_view inside : {"", "a", R"(\n)", R"(\ud83d\ude00)"}) {
    for (size_t more : {0, 1, 100}) {
      const std::string_view bounded = bounded_inside(inside, inside.size() + more);
      CHECK(bounded.data() == inside.data());
      CHECK(bounded.size() == inside.size());
    }
  }
}

TEST_CASE("no escape, no pair of escapes and no character is cut in two") {
  struct Case {
    const char* inside;
    size_t limit;
    const char* bounded;
  };
  const Case cases[] = {
      {"abc", 2, "ab"},
      {"abc", 0, ""},
      {R"(a\n)", 2, "a"},
      {R"(a\\)", 2, "a"},
      {R"(a\\b)", 3, R"(a\\)"},
      {R"(\u00e9x)", 5, ""},
      {R"(\u00e9x)", 6, R"(\u00e9)"},
      {R"(\ud83d\ude00)", 11, ""},
      {R"(\uD83D\uDE00x)", 11, ""},
      {R"(\uD83D\uDE00x)", 12, R"(\uD83D\uDE00)"},
      {"a\xC3\xA9", 2, "a"},
      {"\xE2\x82\xACx", 2, ""},
      {"\xE2\x82\xACx", 3, "\xE2\x82\xAC"},
      {"\xF0\x9F\x98\x80x", 3, ""},
      {"\xF0\x9F\x98\x80x", 4, "\xF0\x9F\x98\x80"},
  };
  for (const Case& one : cases) {
    CAPTURE(one.inside);
    CAPTURE(one.limit);
    CHECK(bounded_inside(one.inside, one.limit) == one.bounded);
  }
}

TEST_CASE(
    "of any string, at any limit, the beginning is a string again and loses one piece at most") {
  const std::vector<std::string> pieces = {"a",
                                           " ",
                                           "/",
                                           R"(\")",
                                           R"(\\)",
                                           R"(\/)",
                                           R"(\n)",
                                           R"(\u0000)",
                                           R"(\u00E9)",
                                           R"(\ud83d\ude00)",
                                           R"(\uDBFF\uDFFF)",
                                           "\xC3\xA9",
                                           "\xE2\x82\xAC",
                                           "\xF0\x9F\x98\x80",
                                           "\x7F"};
  Random random(11);
  for (int round = 0; round < 2000; ++round) {
    std::string inside;
    for (size_t i = random.below(12); i > 0; --i) inside += pieces[random.below(pieces.size())];
    const auto whole = test::read_json("\"" + inside + "\"");
    REQUIRE(whole);
    size_t before = 0;
    for (size_t limit = 0; limit <= inside.size() + 2; ++limit) {
      CAPTURE(inside);
      CAPTURE(limit);
      const std::string_view bounded = bounded_inside(inside, limit);
      REQUIRE(bounded.data() == inside.data());
      REQUIRE(bounded.size() <= limit);
      REQUIRE(bounded.size() + 12 > std::min(limit, inside.size()));
      REQUIRE(bounded.size() >= before);
      before = bounded.size();
      const auto beginning = test::read_json("\"" + std::string(bounded) + "\"");
      REQUIRE(beginning);
      REQUIRE(whole->text.starts_with(beginning->text));
    }
    CHECK(before == inside.size());
  }
}

TEST_CASE(
    "an inside of a JSON string has whole escapes and characters, no quote, no control byte") {
  for (const char* good : {"", "a", R"(\n)", R"(\\)", R"(\")", R"(\u00e9)", R"(\ud83d\ude00)",
                           "\xC3\xA9", "\xF0\x9F\x98\x80", "\x7F"}) {
    CAPTURE(good);
    CHECK(dialect::is_inside(good));
  }
  for (const char* bad : {"\"", R"(\)", R"(\\\)", R"(\q)", R"(\u00e)", R"(\ud83d)", R"(\\")", "\n",
                          "\x01", "\x80", "\xC3", "\xED\xA0\x80"}) {
    CAPTURE(bad);
    CHECK_FALSE(dialect::is_inside(bad));
  }
}

TEST_CASE("of bytes that are no string at all, the limit still holds") {
  Random random(12);
  for (int round = 0; round < 5000; ++round) {
    std::string bytes;
    const char likely[] = {'\\', 'u', 'd', 'D', '8', '\xF0', '\xE2', '\xC3', '\x80', '"'};
    for (size_t i = random.below(20); i > 0; --i) bytes += likely[random.below(sizeof(likely))];
    for (size_t limit = 0; limit <= bytes.size(); ++limit) {
      const std::vector<char> exact(bytes.begin(), bytes.end());
      const std::string_view bounded = bounded_inside({exact.data(), exact.size()}, limit);
      REQUIRE(bounded.size() <= limit);
      REQUIRE(bounded.size() <= bytes.size());
    }
  }
}
