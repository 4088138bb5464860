#include "json/escapes.h"

#include <random>
#include <string>

#include <doctest/doctest.h>

#include "json/utf8.h"

using namespace hyperion;

namespace {

std::string unescaped(std::string_view raw) {
  std::string out(raw.size(), '?');
  const size_t size = json::unescape(raw, out.data(), out.size());
  REQUIRE(size <= raw.size());
  out.resize(size);
  return out;
}

// The rule, byte by byte: where the first bad escape begins, npos if there is none.
size_t first_bad(std::string_view text) {
  auto hex4 = [&](size_t at, unsigned& code) {
    code = 0;
    for (size_t i = at; i < at + 4; ++i) {
      if (i >= text.size() || std::isxdigit(static_cast<unsigned char>(text[i])) == 0) return false;
      code = code * 16 + static_cast<unsigned>(std::stoul(std::string(1, text[i]), nullptr, 16));
    }
    return true;
  };
  for (size_t i = 0; i < text.size();) {
    if (text[i] != '\\') {
      ++i;
      continue;
    }
    if (i + 1 >= text.size()) return i;
    if (text[i + 1] != 'u') {
      if (std::string_view("\"\\/bfnrt").find(text[i + 1]) == std::string_view::npos) return i;
      i += 2;
      continue;
    }
    unsigned code = 0;
    unsigned low = 0;
    if (!hex4(i + 2, code) || (code >= 0xDC00 && code < 0xE000)) return i;
    const bool pair = code >= 0xD800 && code < 0xDC00;
    if (pair &&
        (text.substr(i + 6, 2) != "\\u" || !hex4(i + 8, low) || low < 0xDC00 || low >= 0xE000)) {
      return i;
    }
    i += pair ? 12 : 6;
  }
  return std::string_view::npos;
}

}  // namespace

TEST_CASE("each escape stands for its character") {
  CHECK(unescaped(R"(\"\\\/\b\f\n\r\t)") == "\"\\/\b\f\n\r\t");
  CHECK(unescaped(R"(\u0041\u00e9\u4F60\ud83d\uDE00)") == "A\xC3\xA9\xE4\xBD\xA0\xF0\x9F\x98\x80");
  CHECK(unescaped(R"(\u0000)") == std::string(1, '\0'));
  CHECK(unescaped("plain") == "plain");
  CHECK(unescaped("") == "");
  CHECK(unescaped(R"(a\\u0041)") == "a\\u0041");
}

TEST_CASE("a text that does not fit is cut, and its length told") {
  char out[4] = {'.', '.', '.', '.'};
  CHECK(json::unescape(R"(ab\u00e9cd)", out, 3) == 6);
  CHECK(std::string_view(out, 4) == "ab\xC3.");
  CHECK(json::unescape("abc", nullptr, 0) == 3);
}

TEST_CASE("a text may be unescaped in place") {
  std::string text = R"(x\n\u0041\ud83d\ude00 end)";
  text.resize(json::unescape(text, text.data(), text.size()));
  CHECK(text == "x\nA\xF0\x9F\x98\x80 end");
}

TEST_CASE("the check agrees with the rule for random texts across block boundaries") {
  static const char* const pieces[] = {
      "\\",
      "\\\\",
      "\\n",
      "\\\"",
      "\\u",
      "\\u00e9",
      "\\uD83D",
      "\\uDE00",
      "\\uD83d\\uDe00",
      "\\u12G4",
      "\\x",
      "u",
      "a",
      "0123456789",
      "some longer stretch without any of them, more than a block of 64 bytes, so that it skips"};
  std::mt19937_64 random(7);
  size_t well_formed = 0;
  for (int round = 0; round < 200'000; ++round) {
    std::string text(random() % 70, '.');
    const bool gentle = round % 2 == 0;  // mostly well formed
    for (uint64_t i = 0, count = random() % 12; i < count; ++i) {
      text += pieces[gentle ? (random() % 2 == 0 ? 1 + random() % 3 : 8 + 5 * (random() % 2))
                            : random() % std::size(pieces)];
    }
    const json::EscapeCheck check = json::check_escapes(text);
    const size_t bad = first_bad(text);
    CAPTURE(text);
    REQUIRE(check.well_formed == (bad == std::string_view::npos));
    REQUIRE(check.any == (text.find('\\') != std::string::npos));
    if (!check.well_formed) REQUIRE(check.position == bad);
    well_formed += check.well_formed;
  }
  CHECK(well_formed > 50'000);
}

TEST_CASE("UTF-8 sequences are measured by the table of the Unicode standard") {
  auto length = [](std::string_view text) {
    return json::utf8_sequence_length(text.data(), text.data() + text.size());
  };
  CHECK(length("a") == 1);
  CHECK(length("\xC3\xA9") == 2);
  CHECK(length("\xE4\xBD\xA0") == 3);
  CHECK(length("\xF0\x9F\x98\x80") == 4);
  CHECK(length("\xF4\x8F\xBF\xBF") == 4);
  for (const char* bad :
       {"\x80", "\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xF0\x8F\xBF\xBF",
        "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "\xC3", "\xE4\xBD", "\xC3(", "\xE4\xBD("}) {
    CHECK(length(bad) == 0);
  }
  CHECK(length("") == 0);
}
