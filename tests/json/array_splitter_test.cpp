#include "json/array_splitter.h"

#include <random>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "support/json_reader.h"
#include "support/shared_data.h"

using namespace hyperion;
using json::ArraySplitter;

namespace {

struct Split {
  std::vector<std::string> pieces;
  std::vector<std::string> elements;
  std::string rest;
  bool finished = false;
  bool malformed = false;
};

// Feeds `text` in pieces of sizes given by `next_size`.
template <class NextSize>
Split split(const std::string& text, NextSize next_size) {
  Split result;
  ArraySplitter splitter;
  std::string buffer;
  size_t at = 0;
  while (at < text.size()) {
    const size_t size = std::min(next_size(), text.size() - at);
    buffer += text.substr(at, size);
    at += size;
    while (size_t length = splitter.find_piece_end(buffer)) {
      result.pieces.push_back(buffer.substr(0, length));
      REQUIRE(splitter.element_begin() <= length);
      const std::string element = result.pieces.back().substr(splitter.element_begin());
      if (!element.empty()) result.elements.push_back(element);
      buffer.erase(0, length);
    }
  }
  result.rest = buffer;
  result.finished = splitter.finished();
  result.malformed = splitter.malformed();
  return result;
}

Split split_whole(const std::string& text) {
  return split(text, [&text] { return text.size(); });
}

std::string joined(const Split& result) {
  std::string all;
  for (const std::string& piece : result.pieces) all += piece;
  return all + result.rest;
}

}  // namespace

TEST_CASE("a streamed array is cut after each element, wherever its bytes are cut") {
  const std::string text = "[{\n  \"a\": \"]},[\\\"\\\\\"\n}\n,\r\n{\"b\":[1,{\"c\":[]}]}\r\n]\r\n";
  const std::vector<std::string> pieces = {"[{\n  \"a\": \"]},[\\\"\\\\\"\n}",
                                           "\n,\r\n{\"b\":[1,{\"c\":[]}]}", "\r\n]", "\r\n"};
  for (size_t size = 1; size <= text.size(); ++size) {
    CAPTURE(size);
    const Split result = split(text, [size] { return size; });
    REQUIRE(result.pieces.size() >= pieces.size());
    for (size_t i = 0; i < 3; ++i) CHECK(result.pieces[i] == pieces[i]);
    REQUIRE(result.elements.size() == 2);
    CHECK(result.elements[0] == pieces[0].substr(1));
    CHECK(result.elements[1] == "{\"b\":[1,{\"c\":[]}]}");
    CHECK(joined(result) == text);
    CHECK(result.finished);
    CHECK(!result.malformed);
  }
}

TEST_CASE("every kind of element is found whole") {
  const Split result = split_whole(" [1,-2.5e3 , null,\"x\\\"y\",[],{} ]");
  CHECK(result.elements ==
        std::vector<std::string>{"1", "-2.5e3", "null", "\"x\\\"y\"", "[]", "{}"});
  CHECK(result.finished);
  const Split bytes = split(" [1,-2.5e3 , null,\"x\\\"y\",[],{} ]", [] { return size_t{1}; });
  CHECK(bytes.elements == result.elements);
}

TEST_CASE("an empty array is its end alone") {
  const Split result = split_whole("[ \n]");
  CHECK(result.pieces == std::vector<std::string>{"[ \n]"});
  CHECK(result.elements.empty());
  CHECK(result.finished);
}

TEST_CASE("an array that breaks off is not finished") {
  const std::string text = "[{\"a\":1},{\"b\":[2,\"}\"]}]";
  for (size_t size = 0; size < text.size(); ++size) {
    CAPTURE(size);
    const Split result = split_whole(text.substr(0, size));
    CHECK(!result.finished);
    CHECK(!result.malformed);
    CHECK(result.elements.size() == (size >= 8 ? 1 : 0) + (size >= text.size() - 1 ? 1 : 0));
  }
}

TEST_CASE("what is no array is malformed, and nothing is found from then on") {
  for (const char* text :
       {"{\"error\":{}}", "x", "]", "[,", "[}", "[:", "[{]", "[[}", "[1 2", "[{}{", "[{}}", "[1\"",
        "[1{", "[] x", "[]]", "[\"a\"\"b\"", "\"a\"", "1"}) {
    CAPTURE(text);
    Split result = split_whole(std::string(text) + ",{}]");
    CHECK(result.malformed);
    CHECK(!result.finished);
    ArraySplitter splitter;
    while (splitter.find_piece_end(text) != 0 && !splitter.malformed()) text = "x";
    CHECK(splitter.find_piece_end("[{}]") == 0);
  }
}

TEST_CASE("nesting is bounded") {
  const auto nested = [](size_t depth) {
    return "[" + std::string(depth, '[') + std::string(depth, ']') + "]";
  };
  CHECK(split_whole(nested(ArraySplitter::depth_max)).finished);
  CHECK(split_whole(nested(ArraySplitter::depth_max + 1)).malformed);
}

TEST_CASE("recorded arrays come out in their elements, at random cuts") {
  const auto directory = test::shared_data("recorded/gemini/generateContent");
  if (!directory) return;
  std::mt19937 random(7);
  size_t arrays = 0;
  for (const auto& file : std::filesystem::directory_iterator(*directory)) {
    const auto recording = test::read_json(test::read_file(file.path()));
    if (!recording) continue;
    for (const test::Json& exchange : (*recording)["exchanges"].elements) {
      const std::string& body = exchange["response"]["body"].text;
      if (!body.starts_with("[")) continue;
      ++arrays;
      const auto whole = test::read_json(body);
      REQUIRE(whole);
      for (int round = 0; round < 20; ++round) {
        const size_t size_max = round == 0 ? 1 : 400;
        const Split result = split(body, [&] { return 1 + random() % size_max; });
        REQUIRE(result.elements.size() == whole->elements.size());
        for (size_t i = 0; i < result.elements.size(); ++i) {
          CHECK(test::read_json(result.elements[i]) == whole->elements[i]);
        }
        CHECK(joined(result) == body);
        CHECK(result.finished);
      }
    }
  }
  CHECK(arrays >= 10);
}

TEST_CASE("any bytes leave the splitter standing, and none is lost") {
  std::mt19937 random(11);
  const std::string letters = "[]{}\",:\\ 1an\n";
  for (int round = 0; round < 20000; ++round) {
    std::string text = "[";
    const size_t size = random() % 40;
    for (size_t i = 0; i < size; ++i) text += letters[random() % letters.size()];
    const Split whole = split_whole(text);
    const Split bytes = split(text, [] { return size_t{1}; });
    CHECK(joined(bytes) == text);
    CHECK(bytes.elements == whole.elements);
    CHECK(bytes.malformed == whole.malformed);
    CHECK(bytes.finished == whole.finished);
  }
}
