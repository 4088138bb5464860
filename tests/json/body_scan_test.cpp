#include "json/body_scan.h"

#include <string>

#include <doctest/doctest.h>

#include "json/scanned.h"

using namespace hyperion;
using json::Key;
using json::Kind;
using test::Scanned;

TEST_CASE("fields are spans of the body, with their neighbours") {
  const std::string body = R"({ "model" : "gpt-4o" , "n": 12 ,"messages":[ {"a":1} ] })";
  const Scanned scanned(body);
  REQUIRE(scanned.ok);
  CHECK(scanned.model == "gpt-4o");
  CHECK(scanned.value(Key::model) == R"("gpt-4o")");
  CHECK(scanned.value(Key::n) == "12");
  CHECK(scanned.value(Key::messages) == R"([ {"a":1} ])");

  const json::Field& n = scanned.scan[Key::n];
  CHECK(n.kind == Kind::number);
  CHECK(n.key_begin == body.find("\"n\""));
  CHECK(n.comma_before == body.find(", \"n"));
  CHECK(body[n.comma_before] == ',');
  CHECK(n.next_key == body.find("\"messages\""));
  CHECK(scanned.scan[Key::model].comma_before == 0);
  CHECK(scanned.scan[Key::messages].next_key == 0);
  CHECK_FALSE(scanned.scan[Key::user].present());
}

TEST_CASE("every key of the list is found by its name") {
  for (size_t i = 0; i < static_cast<size_t>(Key::count); ++i) {
    const auto key = static_cast<Key>(i);
    std::string value = "1";
    if (key == Key::model) value = "\"m\"";
    if (key == Key::stream || key == Key::smart_routing || key == Key::smart_routing_camel) {
      value = "true";
    }
    if (key == Key::fallbacks || key == Key::models) value = "[]";
    if (key == Key::stream_options || key == Key::hyperion || key == Key::extra_body ||
        key == Key::extra_body_camel) {
      value = "{}";
    }
    CAPTURE(name_of(key));
    const Scanned scanned("{\"" + std::string(name_of(key)) + "\":" + value + "}");
    REQUIRE_MESSAGE(scanned.ok, scanned.message());
    CHECK(scanned.scan[key].present());
    CHECK(scanned.scan.options.any == is_own(key));
    size_t found = 0;
    for (const json::Field& field : scanned.scan.fields) found += field.present();
    CHECK(found == 1);
  }
}

TEST_CASE("a key that only resembles one of the list is not taken for it") {
  for (const char* key : {"Model", "mode1", "modell", "", "x", "streaM", "usex", "MODEL", "tool_",
                          "extra_bodY", "smart-routing", "promptx", "models "}) {
    const Scanned scanned("{\"" + std::string(key) + "\":1}");
    CAPTURE(key);
    REQUIRE(scanned.ok);
    for (const json::Field& field : scanned.scan.fields) CHECK_FALSE(field.present());
  }
}

TEST_CASE("the model's name is given unescaped") {
  CHECK(Scanned(R"({"model":"a\u002Fb"})").model == "a/b");
  CHECK(Scanned(R"({"model":"\ud83d\ude00 \"x\" \\ \n"})").model == "\xF0\x9F\x98\x80 \"x\" \\ \n");
  CHECK(Scanned(R"({"model":""})").model == "");
  CHECK(Scanned(R"({"user":"x"})").model == "");
}

TEST_CASE("a result does not keep anything of the body before") {
  json::Scanner scanner(1024);
  json::Scan scan;
  json::ScanError error;
  const test::PaddedText first(R"({"model":"a","stream":true,"smart_routing":true})");
  const test::PaddedText second("{}");
  REQUIRE(scanner.scan(first.view(), {}, scan, error));
  REQUIRE(scanner.scan(second.view(), {}, scan, error));
  CHECK_FALSE(scan[Key::model].present());
  CHECK_FALSE(scan.stream);
  CHECK_FALSE(scan.options.any);
  CHECK(scan.model.empty());
}

TEST_CASE("stream and include_usage are read, and null reads as absent") {
  const Scanned both(R"({"stream":true,"stream_options":{"x":[1],"include_usage":true}})");
  CHECK(both.ok);
  CHECK(both.scan.stream);
  CHECK(both.scan.include_usage);
  const Scanned nulls(R"({"stream":null,"stream_options":null})");
  CHECK(nulls.ok);
  CHECK_FALSE(nulls.scan.stream);
  CHECK(nulls.scan[Key::stream].kind == Kind::null);
  CHECK(Scanned(R"({"stream_options":{"include_usage":null}})").ok);
}

TEST_CASE("a wrong type names the field, what was expected and what was given") {
  CHECK(Scanned(R"({"model":5})").message() == "model: a string, got a number");
  CHECK(Scanned(R"({"model":null})").message() == "model: a string, got null");
  CHECK(Scanned(R"({"model":["a"]})").message() == "model: a string, got an array");
  CHECK(Scanned(R"({"stream":"yes"})").message() == "stream: true or false, got a string");
  CHECK(Scanned(R"({"stream_options":true})").message() ==
        "stream_options: an object, got a boolean");
  CHECK(Scanned(R"({"stream_options":{"include_usage":1}})").message() ==
        "stream_options.include_usage: true or false, got a number");
  CHECK(Scanned(R"({"a":1,"model":5})").error.position == 15);
  CHECK(Scanned(R"({"model":5})").error.code == ErrorCode::wrong_type);
}

TEST_CASE("a body that is valid JSON but no object is a wrong type") {
  struct Case {
    const char* body;
    const char* given;
  };
  for (const Case& c :
       {Case{"[]", "an array"}, Case{" [1,{}] ", "an array"}, Case{"\"x\"", "a string"},
        Case{"12", "a number"}, Case{"true", "a boolean"}, Case{" null ", "null"}}) {
    for (const char padding : {'"', '}', '1', '\0', ' ', ']'}) {
      const Scanned scanned(c.body, {}, padding);
      CAPTURE(std::string(c.body));
      CHECK_FALSE(scanned.ok);
      CHECK(scanned.error.code == ErrorCode::wrong_type);
      CHECK(scanned.message() == std::string("body: an object, got ") + c.given);
    }
  }
}

TEST_CASE("malformed bodies are refused with the place and what was expected") {
  struct Case {
    const char* body;
    uint32_t position;
    const char* expected;
  };
  for (const Case& c : {
           Case{"", 0, "a JSON object, got nothing"},
           Case{"  ", 0, "a JSON object, got nothing"},
           Case{"{", 1, "a closing brace"},
           Case{"{\"a\":1", 6, "a closing brace"},
           Case{"{\"a\" 1}", 5, "a colon after the key"},
           Case{"{\"a\":1 \"b\":2}", 7, "a comma or a closing brace"},
           Case{"{\"a\":1,}", 7, "a key in quotes"},
           Case{"{a:1}", 1, "a key in quotes"},
           Case{"{\"a\":}", 5, "a value"},
           Case{"{\"a\":tru}", 5, "a number, true, false or null"},
           Case{"{\"a\":01}", 5, "a number, true, false or null"},
           Case{"{\"a\":[1 2]}", 8, "a comma or a closing bracket"},
           Case{"{\"a\":\"b}", 5, "a closing quote of the string that begins here"},
           Case{"{\"a\":\"\\q\"}", 6, "an escape that JSON knows, a backslash escaped"},
           Case{"{\"a\":\"\\ud800\"}", 6, "an escape that JSON knows, a backslash escaped"},
           Case{"{\"a\":\"x\ny\"}", 7, "control bytes in strings to be escaped"},
           Case{"{\"a\":\"\\n\xC3(\"}", 8, "valid UTF-8"},
           Case{"{\"a\":\"b\"c}", 8, "a comma or a closing brace"},
           Case{"{\"a\":{\"b\":[]", 12, "a closing brace"},
           Case{"{\"a\":[[]", 8, "a closing bracket"},
           Case{"{\"a\":[]", 7, "a closing brace"},
           Case{"{} {}", 3, "nothing behind the value"},
           Case{"{}x", 2, "nothing behind the value"},
       }) {
    for (const char padding : {'"', '}', '1', '\0', ' '}) {
      const Scanned scanned(c.body, {}, padding);
      CAPTURE(std::string(c.body));
      CHECK_FALSE(scanned.ok);
      CHECK(scanned.error.code == ErrorCode::malformed_json);
      CHECK(scanned.field() == "body");
      CHECK(scanned.expected() == std::string_view(c.expected));
      CHECK(scanned.error.position == c.position);
    }
  }
}

// Some of simdjson's kernels make no token of such a quote, others do.
TEST_CASE("a quote right behind a number or a word is refused") {
  for (const char* body : {R"({"a":1"b"})", R"({"a":[null"b"]})", R"({"a":[-"b"]})",
                           R"({"a":1"b":2})", R"({"a":true"})", R"({"a":12345678""})"}) {
    CAPTURE(std::string(body));
    CHECK(Scanned(body).error.code == ErrorCode::malformed_json);
  }
}

TEST_CASE("NUL is refused inside and outside of strings") {
  for (const std::string& body :
       {std::string("{\"a\":\"x\0y\"}", 11), std::string("{\"a\":1\0}", 8), std::string("{}\0", 3),
        std::string("\0{}", 3), std::string("{\0}", 3)}) {
    const Scanned scanned(body);
    CHECK_FALSE(scanned.ok);
    CHECK(scanned.error.code == ErrorCode::malformed_json);
  }
}

TEST_CASE("known keys are refused when repeated") {
  for (const char* member : {"\"model\":\"a\"", "\"stream\":true", "\"messages\":[]", "\"n\":1",
                             "\"hyperion\":{}", "\"smart_routing\":true", "\"fallbacks\":[]"}) {
    const std::string name = std::string(member).substr(1, std::string(member).find('"', 1) - 1);
    const Scanned scanned("{" + std::string(member) + ",\"x\":1," + member + "}");
    CHECK_FALSE(scanned.ok);
    CHECK(scanned.error.code == ErrorCode::duplicate_key);
    CHECK(scanned.message() == name + ": it once, got it twice");
  }
  CHECK(Scanned(R"({"stream_options":{"include_usage":true,"include_usage":false}})").message() ==
        "stream_options.include_usage: it once, got it twice");
}

TEST_CASE("known keys are refused when spelled with escapes") {
  CHECK(Scanned(R"({"mod\u0065l":"a"})").message() == "model: this key spelled without escapes");
  CHECK(Scanned(R"({"\u006d\u006f\u0064\u0065\u006c":"a"})").error.code ==
        ErrorCode::duplicate_key);
  CHECK(Scanned(R"({"hyp\u0065rion":{}})").field() == "hyperion");
  CHECK(Scanned(R"({"max_completion_token\u0073":1})").field() == "max_completion_tokens");
  CHECK(Scanned(R"({"extra_body":{"str\u0065am":true}})").field() == "extra_body.stream");
  CHECK(Scanned(R"({"stream_options":{"include\u005fusage":true}})").message() ==
        "stream_options.include_usage: this key spelled without escapes");
}

TEST_CASE("other keys may be repeated and escaped") {
  CHECK(Scanned(R"({"m\u0065tadata":1,"metadata":2,"metadata":3,"mod\u0065":1,"\n":1})").ok);
  CHECK(Scanned(R"({"messages":[{"role":"a","role":"b","mod\u0065l":1}]})").ok);
  CHECK(Scanned(R"({"a longer key with an escape\u002c longer than any name":1})").ok);
}

TEST_CASE("the keys of a literal extra_body read as if they stood at the top") {
  for (const char* name : {"extra_body", "extraBody"}) {
    const Scanned scanned("{\"" + std::string(name) +
                          R"(":{"model":"m","smart_routing":true,"top_k":1,
                             "hyperion":{"explain":true},"fallbacks":["x"]},"n":1})");
    REQUIRE_MESSAGE(scanned.ok, scanned.message());
    CHECK(scanned.model == "m");
    CHECK(scanned.scan.options.smart_routing);
    CHECK(scanned.scan.options.explain);
    CHECK(scanned.value(scanned.scan.options.fallbacks) == "[\"x\"]");
    CHECK(scanned.scan.extra_body_keys_foreign == 2);
  }
}

TEST_CASE("what stands in extra_body and at the top is refused, known or not") {
  CHECK(Scanned(R"({"extra_body":{"model":"a"},"model":"b"})").message() ==
        "model: one of extra_body.model and model");
  CHECK(Scanned(R"({"hyperion":{},"extraBody":{"hyperion":{}}})").message() ==
        "extraBody.hyperion: one of hyperion and extraBody.hyperion");
  CHECK(Scanned(R"({"smart_routing":true,"extra_body":{"smartRouting":true}})").message() ==
        "extra_body.smartRouting: one of smart_routing and extra_body.smartRouting");
  const Scanned foreign(R"({"extra_body":{"t\u006fp_k":1,"x":1},"top\u005fk":2})");
  CHECK(foreign.error.code == ErrorCode::duplicate_key);
  CHECK(foreign.message() ==
        "extra_body.t\\u006fp_k: one place, got it at the top of the body too");
  CHECK(foreign.error.position == 15);
  CHECK(Scanned(R"({"extra_body":{},"extraBody":{}})").message() ==
        "extraBody: one of extra_body and extraBody");
  CHECK(Scanned(R"({"extra_body":{"extra_body":{}}})").error.code == ErrorCode::duplicate_key);
  CHECK(Scanned(R"({"extra_body":[]})").message() == "extra_body: an object, got an array");
}

TEST_CASE("keys with surrogate pairs and other escapes are compared by meaning") {
  CHECK_FALSE(Scanned(R"({"extra_body":{"\ud83d\ude00":1},"😀":2})").ok);
  CHECK_FALSE(Scanned(R"({"extra_body":{"\u00e9\/\n":1},"é\u002f\u000a":2})").ok);
  CHECK(Scanned(R"({"extra_body":{"\ud83d\ude00":1},"\ud83d\ude01":2,"é":1,"":2})").ok);
}
