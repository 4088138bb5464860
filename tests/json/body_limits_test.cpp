// Bodies made to hurt: deep, wide, huge. Each must end in a clear error or a result, in bounded
// time.

#include <ctime>
#include <string>

#include <doctest/doctest.h>

#include "json/body_scan.h"
#include "json/scanned.h"

using namespace hyperion;
using test::Scanned;

namespace {

std::string repeated(std::string_view text, size_t count) {
  std::string out;
  out.reserve(text.size() * count);
  for (size_t i = 0; i < count; ++i) out += text;
  return out;
}

// An object with `count` different keys.
std::string wide(size_t count, const std::string& prefix = "k") {
  std::string out = "{";
  for (size_t i = 0; i < count; ++i) {
    out += (i != 0 ? ",\"" : "\"") + prefix + std::to_string(i) + "\":0";
  }
  return out + "}";
}

// Of our own processor time. Generous for a sanitizer, far below anything that is not linear.
constexpr double bounded_s = 5;

template <class Function>
void check_bounded(Function function) {
  const std::clock_t start = std::clock();
  function();
  CHECK(static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC < bounded_s);
}

}  // namespace

TEST_CASE("nesting is allowed up to the limit and not beyond") {
  json::Limits limits;
  limits.depth_max = 5;
  CHECK(Scanned(R"({"a":[[[[1]]]]})", limits).ok);
  const Scanned deeper(R"({"a":[[[[[1]]]]]})", limits);
  CHECK(deeper.error.code == ErrorCode::too_deep);
  CHECK(deeper.message() == "body: at most 5 levels of nesting");
  CHECK(deeper.error.position == 9);
  CHECK(Scanned(R"({"a":{"a":{"a":{"a":{}}}}})", limits).ok);
  CHECK(Scanned(R"({"a":{"a":{"a":{"a":{"a":{}}}}}})", limits).error.code == ErrorCode::too_deep);
  // What is left is not counted: siblings may be deep one after the other.
  CHECK(Scanned(R"({"a":[[[[1]]]],"b":[[[[1]]]],"c":{"d":[[[]]]}})", limits).ok);
  // Objects that are stepped into count as well.
  limits.depth_max = 2;
  CHECK(Scanned(R"({"hyperion":{"tags":{}}})", limits).error.code == ErrorCode::too_deep);
  CHECK(Scanned(R"({"hyperion":{},"stream_options":{},"extra_body":{}})", limits).ok);
}

TEST_CASE("a depth limit beyond what is supported is lowered, not obeyed") {
  json::Limits limits;
  limits.depth_max = 1'000'000;
  const std::string deep = "{\"a\":" + repeated("[", 1023) + repeated("]", 1023) + "}";
  CHECK(Scanned(deep, limits).ok);
  const std::string deeper = "{\"a\":" + repeated("[", 1024) + repeated("]", 1024) + "}";
  CHECK(Scanned(deeper, limits).error.code == ErrorCode::too_deep);
}

TEST_CASE("ten thousand and a million open brackets are too deep, whatever follows") {
  check_bounded([] {
    for (const size_t count : {size_t{10'000}, size_t{1'000'000}}) {
      CHECK(Scanned(repeated("[", count)).error.code == ErrorCode::too_deep);
      CHECK(Scanned(repeated("{\"a\":", count)).error.code == ErrorCode::too_deep);
      CHECK(Scanned("{\"a\":" + repeated("[", count) + repeated("]", count) + "}").error.code ==
            ErrorCode::too_deep);
    }
  });
}

TEST_CASE("keys of one object are allowed up to the limit and not beyond, at every level") {
  json::Limits limits;
  limits.keys_per_object_max = 3;
  CHECK(Scanned(wide(3), limits).ok);
  const Scanned four(wide(4), limits);
  CHECK(four.error.code == ErrorCode::too_many);
  CHECK(four.message() == "body: at most 3 keys in one object");
  CHECK(Scanned("{\"a\":[" + wide(3) + "," + wide(3) + "]}", limits).ok);
  CHECK(Scanned("{\"a\":[" + wide(4) + "]}", limits).error.code == ErrorCode::too_many);
  // Keys of extra_body count where they go.
  CHECK(Scanned(R"({"a":1,"extra_body":{"b":2}})", limits).ok);
  CHECK(Scanned(R"({"a":1,"extra_body":{"b":2,"c":3}})", limits).error.code == ErrorCode::too_many);
}

TEST_CASE("a hundred thousand keys are refused soon and, where allowed, read in linear time") {
  check_bounded([] {
    CHECK(Scanned(wide(100'000)).error.code == ErrorCode::too_many);
    json::Limits limits;
    limits.keys_per_object_max = 1'000'000;
    CHECK(Scanned(wide(100'000), limits).ok);
    const Scanned hoisted("{\"extra_body\":" + wide(100'000, "e") + "," + wide(100'000).substr(1),
                          limits);
    CHECK(hoisted.ok);
    CHECK(hoisted.scan.extra_body_keys_foreign == 100'000);
  });
}

TEST_CASE("a body of ten megabytes is read, and its memory given back on demand") {
  const std::string text = repeated("naughty \\n \xC3\xA9 text ", 600'000);
  check_bounded([&] {
    const Scanned scanned("{\"messages\":[{\"content\":\"" + text + "\"}],\"model\":\"m\"}");
    REQUIRE_MESSAGE(scanned.ok, scanned.message());
    CHECK(scanned.model == "m");
    CHECK(scanned.value(json::Key::messages).size() == text.size() + 16);
  });
  Scanned::scanner().shrink();
  CHECK(Scanned(R"({"model":"m"})").ok);
}

TEST_CASE("ten megabytes of one kind of byte end in an error, not in trouble") {
  check_bounded([] {
    for (const char* piece : {"\"", "\\", "{", "[", "1", ",", ":", " ", "\xFF", "a", "\n", "-"}) {
      CAPTURE(piece);
      CHECK_FALSE(Scanned(repeated(piece, 10'000'000)).ok);
    }
    CHECK_FALSE(Scanned("{\"a\":\"" + repeated("\\", 5'000'001) + "\"}").ok);
    CHECK(Scanned("{\"a\":\"" + repeated("\\", 5'000'000) + "\"}").ok);
    CHECK(Scanned("{\"a\":" + repeated("1", 5'000'000) + "}").ok);
  });
}

TEST_CASE("a body beyond the scanner's limit is refused by size") {
  json::Scanner scanner(20);
  json::Scan scan;
  json::ScanError error;
  const test::PaddedText fits(R"({"a":"0123456789ab"})");
  REQUIRE(fits.view().size() == 20);
  CHECK(scanner.scan(fits.view(), {}, scan, error));
  const test::PaddedText larger(R"({"a":"0123456789abc"})");
  CHECK_FALSE(scanner.scan(larger.view(), {}, scan, error));
  CHECK(error.code == ErrorCode::too_large);
  CHECK(std::string_view(error.expected) == "at most 20 bytes");
}

TEST_CASE("every prefix of a body is refused, and every byte of it matters little to memory") {
  const std::string body =
      R"({"model":"a\u00e9\n","hyperion":{"tags":{"a":"b"},"timeouts":{"total_ms":10}},)"
      R"("messages":[{"role":"user","content":"\ud83d\ude00 x"},{"n":[1,-2.5e3,true,null]}]})";
  REQUIRE(Scanned(body).ok);
  for (const char padding : {'"', '}', ']', '1', '\\', '\0'}) {
    for (size_t size = 0; size < body.size(); ++size) {
      CAPTURE(size);
      CHECK_FALSE(Scanned(body.substr(0, size), {}, padding).ok);
    }
  }
  // Any byte anywhere: no crash; what is accepted is JSON to nobody's surprise (see the fuzzer).
  for (size_t i = 0; i < body.size(); ++i) {
    for (int byte = 0; byte < 256; ++byte) {
      std::string changed = body;
      changed[i] = static_cast<char>(byte);
      const Scanned scanned(changed);
      CHECK((scanned.ok || scanned.error.code != ErrorCode::none));
    }
  }
}
