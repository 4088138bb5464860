#include "http/head_writer.h"

#include <string>

#include "vectors.h"

namespace hyperion::test {
namespace {

using http::HeadWriter;

struct Written {
  std::string text;
  bool complete = false;
  unsigned skipped = 0;
};

template <class Write>
Written written(Write write, size_t capacity = 512) {
  std::string buffer(capacity, '#');
  HeadWriter writer(buffer.data(), capacity);
  write(writer);
  CHECK(writer.size() <= capacity);
  return {buffer.substr(0, writer.size()), writer.complete(), writer.skipped()};
}

TEST_CASE("a response head is written line by line") {
  const Written head = written([](HeadWriter& writer) {
    writer.status_line(200);
    writer.header("Content-Type", "text/event-stream");
    writer.header("Content-Length", 18446744073709551615u);
    writer.header("X-Empty", "");
    writer.raw("Server: hyperion\r\n");
    writer.end();
  });
  CHECK(head.complete);
  CHECK(head.text ==
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
        "Content-Length: 18446744073709551615\r\nX-Empty: \r\nServer: hyperion\r\n\r\n");
}

TEST_CASE("every status has a phrase, and an unknown one too") {
  for (uint16_t status = 100; status < 600; ++status) {
    CHECK(std::string(http::reason_phrase(status)).size() >= 2);
    const Written head = written([&](HeadWriter& writer) { writer.status_line(status); });
    CHECK(head.text.substr(0, 13) == "HTTP/1.1 " + std::to_string(status) + " ");
  }
  CHECK(std::string(http::reason_phrase(429)) == "Too Many Requests");
  CHECK(std::string(http::reason_phrase(499)) == "Client Closed Request");
}

TEST_CASE("a method or target that would break the request line makes the head unusable") {
  const Written good =
      written([](HeadWriter& writer) { writer.request_line("POST", "/v1/chat/completions?a=b"); });
  CHECK(good.complete);
  CHECK(good.text == "POST /v1/chat/completions?a=b HTTP/1.1\r\n");
  for (const char* target : {"", "/a b", "/a\r\nX: y", "/\xc3\xa9", "/\x01"}) {
    INFO(shown(target));
    CHECK_FALSE(written([&](HeadWriter& w) { w.request_line("GET", target); }).complete);
  }
  CHECK_FALSE(written([&](HeadWriter& w) { w.request_line("GE T", "/"); }).complete);
  CHECK_FALSE(written([&](HeadWriter& w) { w.request_line("", "/"); }).complete);
}

TEST_CASE("a header with control bytes in its value or no token for a name is left out") {
  for (const char* value : {"a\rb", "a\nb", "a\r\nX: y", "\x01", "\x7f", "a\x1b[0m"}) {
    INFO(shown(value));
    const Written head = written([&](HeadWriter& writer) {
      writer.header("A", value);
      writer.header("B", "c");
    });
    CHECK(head.text == "B: c\r\n");
    CHECK(head.skipped == 1);
    CHECK(head.complete);
    CHECK_FALSE(http::is_field_value(value));
  }
  CHECK(written([](HeadWriter& w) { w.header("A", std::string_view("a\0b", 3)); }).skipped == 1);
  for (const char* name : {"", "A:", "A B", "A\r\nB", "\xc3\xa9", "A\t"}) {
    INFO(shown(name));
    CHECK(written([&](HeadWriter& writer) { writer.header(name, "v"); }).skipped == 1);
  }
  CHECK(http::is_field_value("visible, \t and \xc3\xa9"));
  CHECK(http::is_field_value(""));
}

TEST_CASE("every byte of a value is judged, wherever it stands") {
  for (size_t size = 1; size <= 25; ++size) {
    for (size_t at = 0; at < size; ++at) {
      for (int byte = 0; byte < 256; ++byte) {
        std::string value(size, 'x');
        value[at] = static_cast<char>(byte);
        const bool good = byte == '\t' || (byte >= 0x20 && byte != 0x7f);
        REQUIRE(http::is_field_value(value) == good);
      }
    }
  }
}

TEST_CASE("names are equal if they differ in nothing but the case of ASCII letters") {
  auto lower = [](int c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; };
  for (size_t size : {1, 7, 8, 9, 15, 16, 17, 24}) {
    for (size_t at = 0; at < size; ++at) {
      for (int left = 0; left < 256; ++left) {
        for (int right = 0; right < 256; ++right) {
          std::string a(size, 'k');
          std::string b(size, 'K');
          a[at] = static_cast<char>(left);
          b[at] = static_cast<char>(right);
          if (http::equal_ignoring_case(a, b) != (lower(left) == lower(right))) {
            FAIL("size ", size, ", at ", at, ": ", left, " and ", right);
          }
        }
      }
    }
  }
}

TEST_CASE("a head that does not fit says so for every size that is too small") {
  auto write = [](HeadWriter& writer) {
    writer.status_line(404);
    writer.header("A", "b");
    writer.header("N", 12345);
    writer.end();
  };
  const size_t size = written(write).text.size();
  for (size_t capacity = 0; capacity < size; ++capacity) {
    CHECK_FALSE(written(write, capacity).complete);
  }
  CHECK(written(write, size).complete);
}

TEST_CASE("naughty strings as values never break out of their line") {
  const auto path = shared_data("suites/naughty-strings/strings.json");
  if (!path) return;
  const std::optional<Json> strings = read_json(read_file(*path));
  REQUIRE(strings.has_value());
  size_t count = 0;
  std::vector<std::string> values;
  for (const Json& entry : strings->elements) {
    if (entry.is(Json::Kind::string)) values.push_back(entry.text);
  }
  for (const auto& [section, entries] : strings->members) {
    for (const Json& entry : entries.elements) values.push_back(entry.text);
  }
  REQUIRE(values.size() > 100);
  for (const std::string& value : values) {
    INFO(shown(value));
    for (const std::string& tried : {value, value + "\r\nX-Injected: 1", "a\n" + value}) {
      const Written head = written(
          [&](HeadWriter& writer) {
            writer.status_line(200);
            writer.header("X-Value", tried);
            writer.header(tried, "v");
            writer.end();
          },
          16 * 1024);
      CHECK(head.complete);
      CHECK(head.text.find('\0') == std::string::npos);
      // The whole head can be read, and has no line that was not written.
      const SeenConnection seen = run_responses(head.text, {}, true);
      REQUIRE_FALSE(seen.rejected());
      REQUIRE(seen.messages.size() == 1);
      CHECK(seen.messages[0].headers.size() == 2 - head.skipped);
      for (const auto& [name, text] : seen.messages[0].headers) {
        CHECK((name == "X-Value" || name == tried));
        CHECK(name != "X-Injected");
      }
      ++count;
    }
  }
  CHECK(count == values.size() * 3);
}

TEST_CASE("chunk heads and decimals are written in the fewest digits") {
  char out[20];
  auto chunk = [&](size_t size) { return std::string(out, http::write_chunk_head(out, size)); };
  CHECK(chunk(1) == "1\r\n");
  CHECK(chunk(16) == "10\r\n");
  CHECK(chunk(0x1a2b) == "1a2b\r\n");
  CHECK(chunk(SIZE_MAX) == "ffffffffffffffff\r\n");
  auto decimal = [&](uint64_t value) { return std::string(out, http::write_decimal(out, value)); };
  CHECK(decimal(0) == "0");
  CHECK(decimal(1234567890) == "1234567890");
  CHECK(decimal(UINT64_MAX) == "18446744073709551615");
}

}  // namespace
}  // namespace hyperion::test
