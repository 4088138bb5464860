#include "catalog/version.h"

#include <doctest/doctest.h>

using namespace hyperion::catalog;

TEST_CASE("versions compare as numbers, never as text") {
  const char* ascending[][2] = {
      {"gpt-4.1", "gpt-5"},
      {"gpt-5-mini", "gpt-5.4-mini"},
      {"gpt-5.9", "gpt-5.10"},
      {"claude-3-haiku-20240307", "claude-haiku-4-5-20251001"},
      {"claude-opus-4-8", "claude-opus-5"},
      {"claude-haiku-4-5-20251001", "claude-haiku-5-5"},
      {"gemini-2.5-flash", "gemini-3.5-flash"},
      {"gpt-4o-2024-05-13", "gpt-4o-2024-11-20"},
      {"gpt-4o-2024-11-20", "gpt-4.1-2025-04-14"},
      {"gpt-3.5-turbo-0125", "gpt-3.5-turbo-1106"},
      {"mistral-small-2506", "mistral-small-2603"},
      {"o1-2024-12-17", "o1-2025-01-01"},
  };
  for (const auto& pair : ascending) {
    CAPTURE(pair[0]);
    CAPTURE(pair[1]);
    CHECK(version_of(pair[0]) < version_of(pair[1]));
    CHECK_FALSE(version_of(pair[1]) < version_of(pair[0]));
  }
}

TEST_CASE("sizes and letters in an id are no version") {
  CHECK(version_of("llama-3.3-70b-versatile") == version_of("llama-3.3-8b-instant"));
  CHECK(version_of("text-embedding-ada") == Version{});
  CHECK(version_of("") == Version{});
  CHECK(version_of("-") == Version{});
  CHECK(version_of("a-1.") == Version{});
  CHECK(version_of("a-99999999999999999999") == Version{});
}

TEST_CASE("a date at the end of an id leaves its moving name") {
  CHECK(moving_name_of("gpt-4o-2024-11-20") == "gpt-4o");
  CHECK(moving_name_of("claude-haiku-4-5-20251001") == "claude-haiku-4-5");
  CHECK(moving_name_of("gpt-4o").empty());
  CHECK(moving_name_of("gpt-4-0613").empty());
  CHECK(moving_name_of("x-2024-11-20-preview").empty());
  CHECK(moving_name_of("x-2024-13-20").empty());
  CHECK(moving_name_of("x-20241340").empty());
  CHECK(moving_name_of("x-12345678").empty());
  CHECK(moving_name_of("2024-11-20").empty());
}

TEST_CASE("dates are read strictly") {
  CHECK(parse_date("2024-11-20") == 20241120);
  for (const char* wrong : {"", "2024-11", "2024-00-10", "2024-13-01", "2024-01-32", "1999-01-01",
                            "2024-1-01", "2024/11/20", "2024-11-20 ", "abcd-ef-gh"}) {
    CAPTURE(wrong);
    CHECK(parse_date(wrong) == 0);
  }
}
