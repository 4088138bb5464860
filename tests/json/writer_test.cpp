#include "json/writer.h"

#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "json/scanned.h"
#include "json/utf8.h"
#include "support/json_reader.h"
#include "support/shared_data.h"

using namespace hyperion;

namespace {

std::string written(std::string_view text) {
  std::string out(text.size() * 6 + 2, '?');
  out.resize(json::write_string(out.data(), out.size(), text));
  return out;
}

bool is_utf8(std::string_view text) {
  for (const char *at = text.data(), *end = at + text.size(); at < end;) {
    const size_t length = json::utf8_sequence_length(at, end);
    if (length == 0) return false;
    at += length;
  }
  return true;
}

// Nothing that any reader takes for the end of a line, nothing that is not UTF-8.
void check_one_line(std::string_view text) {
  CHECK(is_utf8(text));
  for (const char c : text) CHECK(static_cast<unsigned char>(c) >= 0x20);
  CHECK(text.find("\xE2\x80\xA8") == std::string_view::npos);
  CHECK(text.find("\xE2\x80\xA9") == std::string_view::npos);
  CHECK(text.find("\xC2\x85") == std::string_view::npos);
}

}  // namespace

TEST_CASE("objects and arrays get their commas, whatever they hold") {
  char buffer[512];
  json::Writer writer(buffer, sizeof(buffer));
  writer.begin_object();
  writer.member("text", "a");
  writer.member("view", std::string_view("b"));
  writer.member("flag", true);
  writer.member("int", -5);
  writer.member("unsigned", 5u);
  writer.member("min", INT64_MIN);
  writer.member("max", UINT64_MAX);
  writer.key("null");
  writer.null();
  writer.key("raw");
  writer.raw("[1,2]");
  writer.key("list");
  writer.begin_array();
  writer.value(1);
  writer.begin_object();
  writer.end_object();
  writer.begin_array();
  writer.end_array();
  writer.value("x");
  writer.end_array();
  writer.key("inner");
  writer.begin_object();
  writer.member("a", 1);
  writer.end_object();
  writer.member("last", false);
  writer.end_object();
  CHECK(writer.complete());
  CHECK(writer.text() ==
        R"({"text":"a","view":"b","flag":true,"int":-5,"unsigned":5,"min":-9223372036854775808,)"
        R"("max":18446744073709551615,"null":null,"raw":[1,2],"list":[1,{},[],"x"],)"
        R"("inner":{"a":1},"last":false})");
}

TEST_CASE("fixed-point numbers have their decimals and at least one digit before them") {
  auto fixed = [](uint64_t number, unsigned decimals) {
    char buffer[64];
    json::Writer writer(buffer, sizeof(buffer));
    writer.fixed(number, decimals);
    return std::string(writer.text());
  };
  CHECK(fixed(12345, 3) == "12.345");
  CHECK(fixed(0, 0) == "0");
  CHECK(fixed(7, 0) == "7");
  CHECK(fixed(0, 2) == "0.00");
  CHECK(fixed(5, 9) == "0.000000005");
  CHECK(fixed(100, 2) == "1.00");
  CHECK(fixed(UINT64_MAX, 0) == "18446744073709551615");
  CHECK(fixed(UINT64_MAX, 19) == "1.8446744073709551615");
}

TEST_CASE("strings are escaped so that they stay one line of valid UTF-8") {
  CHECK(written("plain") == "\"plain\"");
  CHECK(written("") == "\"\"");
  CHECK(written("\"\\/") == R"("\"\\/")");
  CHECK(written("\b\t\n\v\f\r") == R"("\b\t\n\u000b\f\r")");
  CHECK(written(std::string_view("\0\x1F\x7F", 3)) == R"("\u0000\u001f\u007f")");
  CHECK(written("\xC3\xA9\xF0\x9F\x98\x80") == "\"\xC3\xA9\xF0\x9F\x98\x80\"");
  CHECK(written("\xC2\x85\xE2\x80\xA8\xE2\x80\xA9") == R"("\u0085\u2028\u2029")");
}

TEST_CASE("bytes that are not UTF-8 become U+FFFD, one for each") {
  CHECK(written("a\xFF"
                "b") == R"("a\ufffdb")");
  CHECK(written("\xC3") == R"("\ufffd")");
  CHECK(written("\xE2\x80") == R"("\ufffd\ufffd")");
  CHECK(written("\xED\xA0\x80") == R"("\ufffd\ufffd\ufffd")");
}

TEST_CASE("a string is written whole or not at all, at every capacity") {
  const std::string text = "ab\n\xC3\xA9\xE2\x80\xA8\xFF\"";
  const std::string whole = written(text);
  for (size_t capacity = 0; capacity <= whole.size(); ++capacity) {
    std::string out(whole.size() + 8, '#');
    const size_t size = json::write_string(out.data(), capacity, text);
    CHECK(size == (capacity == whole.size() ? whole.size() : 0));
    CHECK(out.substr(capacity) == std::string(out.size() - capacity, '#'));
  }
}

TEST_CASE("overflow is remembered and nothing is written beyond the end, at every capacity") {
  auto write = [](json::Writer& writer) {
    writer.begin_object();
    writer.member("key", "value\n");
    writer.member("number", 123456);
    writer.key("cost");
    writer.fixed(1234, 2);
    writer.end_object();
  };
  std::string whole(100, '#');
  json::Writer first(whole.data(), whole.size());
  write(first);
  REQUIRE(first.complete());
  const size_t size = first.text().size();
  for (size_t capacity = 0; capacity <= size; ++capacity) {
    std::string out(size + 8, '#');
    json::Writer writer(out.data(), capacity);
    write(writer);
    CHECK(writer.complete() == (capacity == size));
    CHECK(writer.text().size() <= capacity);
    CHECK(out.substr(capacity) == std::string(out.size() - capacity, '#'));
  }
}

TEST_CASE("every naughty string comes out as valid JSON, one line, with its meaning") {
  const auto path = test::shared_data("suites/naughty-strings/strings.json");
  if (!path) return;
  const auto suite = test::read_json(test::read_file(*path));
  REQUIRE(suite);
  std::vector<std::string> strings;
  for (const test::Json& element : suite->elements) strings.push_back(element.text);
  for (const auto& [name, group] : suite->members) {
    for (const test::Json& element : group.elements) strings.push_back(element.text);
  }
  REQUIRE(strings.size() > 300);
  for (const std::string& text : strings) {
    const std::string out = written(text);
    check_one_line(out);
    const auto read = test::read_json(out);
    CAPTURE(out);
    REQUIRE(read);
    CHECK(read->text == text);
    // As a model, through the scanner and back.
    const test::Scanned scanned("{\"model\":" + out + ",\"hyperion\":{\"fallbacks\":[" + out +
                                "]}}");
    REQUIRE_MESSAGE(scanned.ok, scanned.message());
    CHECK(scanned.model == text);
    // As a key nobody knows: refused, and the name in the error is fit to be shown.
    const test::Scanned unknown("{\"hyperion\":{" + out + ":1}}");
    CHECK_FALSE(unknown.ok);
    check_one_line(written(unknown.error.field));
    for (const char c : unknown.field()) CHECK(static_cast<unsigned char>(c) >= 0x20);
    // Every prefix, cut through characters too.
    for (size_t size = 0; size < text.size() && size < 80; ++size) {
      const std::string prefix = written(std::string_view(text).substr(0, size));
      check_one_line(prefix);
      CHECK(test::read_json(prefix));
    }
  }
}
