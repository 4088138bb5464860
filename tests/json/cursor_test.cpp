#include "json/cursor.h"

#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace hyperion;
using json::Cursor;

namespace {

// All keys of the object in `text` with their raw values.
std::vector<std::string> members(std::string_view text, bool& failed) {
  Cursor cursor(text);
  std::vector<std::string> out;
  std::string_view key;
  std::string_view value;
  failed = !cursor.enter_object();
  while (cursor.next_key(key) && cursor.read_raw(value)) {
    out.push_back(std::string(key) + "=" + std::string(value));
  }
  failed |= cursor.failed() || !cursor.at_end();
  return out;
}

}  // namespace

TEST_CASE("the members of an object are given in order, raw") {
  bool failed = false;
  CHECK(members(R"( { "a" : 1 , "b\"":"x\\" ,"c":[1,{"d":"]"}], "e" : { } ,"f":null } )", failed) ==
        std::vector<std::string>{"a=1", R"(b\"="x\\")", R"(c=[1,{"d":"]"}])", "e={ }", "f=null"});
  CHECK_FALSE(failed);
  CHECK(members("{}", failed).empty());
  CHECK_FALSE(failed);
}

TEST_CASE("a text that breaks off fails, wherever it does") {
  const std::string text = R"({"a":[1,"b\"c",{"d":true}],"e":"f"})";
  for (size_t size = 0; size < text.size(); ++size) {
    bool failed = false;
    CAPTURE(size);
    members(std::string_view(text).substr(0, size), failed);
    CHECK(failed);
  }
}

TEST_CASE("an object within an object is entered and left") {
  Cursor cursor(R"({"a":{"b":1,"c":{}},"d":2})");
  std::string_view key;
  int64_t number = 0;
  REQUIRE(cursor.enter_object());
  REQUIRE(cursor.next_key(key));
  REQUIRE(cursor.enter_object());
  REQUIRE(cursor.next_key(key));
  CHECK(cursor.read_integer(number));
  CHECK(number == 1);
  REQUIRE(cursor.next_key(key));
  REQUIRE(cursor.enter_object());
  CHECK_FALSE(cursor.next_key(key));
  CHECK_FALSE(cursor.next_key(key));
  REQUIRE(cursor.next_key(key));
  CHECK(key == "d");
  CHECK(cursor.read_integer(number));
  CHECK(number == 2);
  CHECK_FALSE(cursor.next_key(key));
  CHECK(cursor.at_end());
  CHECK_FALSE(cursor.failed());
}

TEST_CASE("arrays are walked element by element") {
  Cursor cursor(R"([ "a" , [] ,{"x":[1]}, -5 ])");
  std::string_view text;
  REQUIRE(cursor.enter_array());
  REQUIRE(cursor.next_element());
  CHECK(cursor.read_string(text));
  CHECK(text == "a");
  REQUIRE(cursor.next_element());
  CHECK(cursor.peek() == '[');
  CHECK(cursor.skip());
  REQUIRE(cursor.next_element());
  CHECK(cursor.skip());
  REQUIRE(cursor.next_element());
  int64_t number = 0;
  CHECK(cursor.read_integer(number));
  CHECK(number == -5);
  CHECK_FALSE(cursor.next_element());
  CHECK(cursor.at_end());
}

TEST_CASE("only integers that fit are integers; the rest is passed over") {
  for (const char* text : {"1.5", "1e3", "9999999999999999999", "\"1\"", "null", "-", "true"}) {
    Cursor cursor(text);
    int64_t number = 77;
    CAPTURE(text);
    CHECK_FALSE(cursor.read_integer(number));
    CHECK(number == 77);
    CHECK(cursor.at_end());
  }
  int64_t number = 0;
  CHECK(Cursor("-999999999999999999").read_integer(number));
  CHECK(number == -999999999999999999);
}

TEST_CASE("garbage and nesting beyond the limit fail, and stay failed") {
  for (const char* text :
       {"{\"a\" 1}", "{\"a\":1 \"b\":2}", "{,}", "{1:2}", "{\"a\":]", "{\"a\":,}"}) {
    bool failed = false;
    CAPTURE(text);
    members(text, failed);
    CHECK(failed);
  }
  const std::string deep(1000, '[');
  Cursor cursor(deep);
  CHECK_FALSE(cursor.skip());
  CHECK(cursor.failed());
  CHECK(cursor.peek() == '\0');
  CHECK_FALSE(cursor.skip());
}
