#include "json/output.h"

#include <string>

#include <doctest/doctest.h>

#include "support/json_reader.h"

using namespace hyperion;

namespace {

struct Fixture {
  BlockPool blocks{64};
  MemoryBudget budget{1 << 20, 0};
  ByteBuffer buffer{blocks, budget};
  json::Output out{buffer};
  std::string text() const { return std::string(out.text()); }
};

}  // namespace

TEST_CASE("commas stand between members and elements, and nowhere else") {
  Fixture f;
  f.out.begin_object();
  f.out.member("a", "x");
  f.out.member("n", int64_t{-9223372036854775807});
  f.out.key("list");
  f.out.begin_array();
  f.out.boolean(true);
  f.out.null();
  f.out.begin_object();
  f.out.end_object();
  f.out.end_array();
  f.out.member_json("j", R"({"k":[1,2]})");
  f.out.end_object();
  CHECK(f.text() == R"({"a":"x","n":-9223372036854775807,"list":[true,null,{}],"j":{"k":[1,2]}})");
}

TEST_CASE("plain text is escaped, raw text is copied") {
  Fixture f;
  f.out.begin_array();
  f.out.string("a\"b\\c\nd\x01\xE2\x80\xA8\xFF");
  f.out.raw_string("a\\\"b\\u00e9");
  f.out.end_array();
  CHECK(f.text() == R"(["a\"b\\c\nd\u0001\u2028\ufffd","a\"b\u00e9"])");
}

TEST_CASE("a string can be written in pieces") {
  Fixture f;
  f.out.begin_array();
  f.out.open_string();
  f.out.add_plain("\"");
  f.out.add_raw("\\n");
  f.out.close_string();
  f.out.number(1);
  f.out.end_array();
  CHECK(f.text() == "[\"\\\"\\n\",1]");
}

TEST_CASE("quoting a JSON text and unquoting it gives the text again") {
  const std::string texts[] = {R"({})", R"({"a":"x\"y\\z\n\u00e9","n":1e400})",
                               "{\n \"a\" : [1, 2,\t3]}", R"({"é":"日本"})"};
  for (const std::string& text : texts) {
    CAPTURE(text);
    Fixture f;
    f.out.quoted(text);
    std::string quoted = f.text();
    REQUIRE(quoted.size() >= 2);
    Fixture g;
    g.out.begin_array();
    g.out.unquoted(std::string_view(quoted).substr(1, quoted.size() - 2));
    g.out.number(1);
    g.out.end_array();
    CHECK(g.text() == "[" + text + ",1]");
  }
}

TEST_CASE("bytes between two texts start the commas anew") {
  Fixture f;
  f.out.begin_object();
  f.out.end_object();
  f.out.bytes("\n\n");
  f.out.begin_object();
  f.out.end_object();
  CHECK(f.text() == "{}\n\n{}");
}

TEST_CASE("without memory the output says that it failed and keeps its bounds") {
  BlockPool blocks(1);
  MemoryBudget budget{1024, 0};
  ByteBuffer buffer(blocks, budget);
  json::Output out(buffer);
  const std::string half(10'000, 'x');
  out.string(half);
  CHECK(!out.failed());
  out.string(half);
  CHECK(out.failed());
  out.unquoted(half);
  CHECK(out.failed());
  CHECK(out.text().size() <= Block::capacity());
}
