#include "json/own_options.h"

#include <string>

#include <doctest/doctest.h>

#include "json/scanned.h"
#include "json/string_list.h"

using namespace hyperion;
using json::Kind;
using test::Scanned;

namespace {

Scanned with_hyperion(const std::string& object) {
  return Scanned(R"({"model":"m","hyperion":)" + object + "}");
}

}  // namespace

TEST_CASE("all options are read, in snake and in camel case") {
  const char* snake = R"({"fallbacks":["a","b"],"max_cost":0.02,"providers":["openai"],
      "timeouts":{"connect_ms":1000,"first_token_ms":8000,"idle_ms":20000,"total_ms":120000},
      "explain":true,"bypass_cache":true,"cache_ttl":300,"tags":{"team":"search"}})";
  const char* camel = R"({"fallbacks":["a","b"],"maxCost":2e-2,"providers":["openai"],
      "timeouts":{"connectMs":1000.0,"firstTokenMs":8000,"idleMs":2e4,"totalMs":120000},
      "explain":true,"bypassCache":true,"cacheTtl":300,"tags":{"team":"search"}})";
  for (const char* object : {snake, camel}) {
    const Scanned scanned = with_hyperion(object);
    REQUIRE_MESSAGE(scanned.ok, scanned.message());
    const json::Options& options = scanned.scan.options;
    CHECK(options.any);
    CHECK(options.fallbacks_given);
    CHECK_FALSE(options.fallbacks_from_models);
    CHECK(scanned.value(options.fallbacks) == R"(["a","b"])");
    CHECK(options.max_cost_usd == doctest::Approx(0.02));
    CHECK(scanned.value(options.providers) == R"(["openai"])");
    CHECK(options.connect_ms == 1000);
    CHECK(options.first_token_ms == 8000);
    CHECK(options.idle_ms == 20000);
    CHECK(options.total_ms == 120000);
    CHECK(options.explain);
    CHECK(options.bypass_cache);
    CHECK(options.cache_ttl_s == 300);
    CHECK(scanned.value(options.tags) == R"({"team":"search"})");
    CHECK_FALSE(options.smart_routing_given);
  }
}

TEST_CASE("an option that is not given keeps its default") {
  const Scanned scanned = with_hyperion("{}");
  REQUIRE(scanned.ok);
  CHECK(scanned.scan.options.max_cost_usd < 0);
  CHECK(scanned.scan.options.total_ms == 0);
  CHECK_FALSE(scanned.scan.options.fallbacks_given);
  CHECK_FALSE(scanned.scan.options.providers.present());
}

TEST_CASE("an unknown key inside hyperion is refused by name, with those that are known") {
  const Scanned scanned = with_hyperion(R"({"xyz":1})");
  CHECK(scanned.error.code == ErrorCode::unknown_key);
  CHECK(scanned.message() ==
        "hyperion.xyz: fallbacks, max_cost, providers, timeouts, explain, bypass_cache, cache_ttl "
        "or tags");
  CHECK(with_hyperion(R"({"timeouts":{"total":1}})").message() ==
        "hyperion.timeouts.total: connect_ms, first_token_ms, idle_ms or total_ms");
  CHECK(with_hyperion(R"({"smart_routing":true})").message() ==
        "hyperion.smart_routing: smart_routing at the top of the body");
  CHECK(Scanned(R"({"extra_body":{"hyperion":{"timeouts":{"x":1}}}})").field() ==
        "extra_body.hyperion.timeouts.x");
}

TEST_CASE("the name in an error is cut between characters and holds no control byte") {
  std::string key;
  for (int i = 0; i < 60; ++i) key += "é";
  const Scanned cut = with_hyperion("{\"" + key + "\":1}");
  CHECK(cut.field().size() == 95);
  CHECK(cut.field() == "hyperion." + key.substr(0, 86));
  CHECK(with_hyperion("{\"a\x7F"
                      "b\":1}")
            .field() == "hyperion.a?b");
}

TEST_CASE("inside hyperion a repeated, escaped or doubly spelled key is refused") {
  CHECK(with_hyperion(R"({"explain":true,"explain":true})").message() ==
        "hyperion.explain: it once, got explain and explain");
  CHECK(with_hyperion(R"({"max_cost":1,"maxCost":1})").message() ==
        "hyperion.maxCost: it once, got max_cost and maxCost");
  CHECK(with_hyperion(R"({"timeouts":{"totalMs":1,"total_ms":1}})").message() ==
        "hyperion.timeouts.total_ms: it once, got totalMs and total_ms");
  const Scanned escaped = with_hyperion(R"({"expl\u0061in":true})");
  CHECK(escaped.error.code == ErrorCode::duplicate_key);
  CHECK(escaped.expected() == "a key spelled without escapes");
  CHECK(with_hyperion(R"({"timeouts":{"idle\u005fms":1}})").error.code == ErrorCode::duplicate_key);
}

TEST_CASE("smart_routing is true or false, at the top, in one spelling") {
  CHECK(Scanned(R"({"smart_routing":true})").scan.options.smart_routing);
  CHECK(Scanned(R"({"smartRouting":true})").scan.options.smart_routing);
  const Scanned off(R"({"smart_routing":false})");
  CHECK(off.ok);
  CHECK(off.scan.options.smart_routing_given);
  CHECK_FALSE(off.scan.options.smart_routing);
  CHECK(Scanned(R"({"smart_routing":null})").message() == "smart_routing: true or false, got null");
  CHECK(Scanned(R"({"smart_routing":true,"smartRouting":true})").message() ==
        "smartRouting: one of smart_routing and smartRouting");
}

TEST_CASE("fallbacks may stand in one place only, and the error names both") {
  CHECK(Scanned(R"({"fallbacks":["a"]})").scan.options.fallbacks_given);
  const Scanned models(R"({"models":["a"]})");
  CHECK(models.scan.options.fallbacks_given);
  CHECK(models.scan.options.fallbacks_from_models);
  CHECK(models.value(models.scan.options.fallbacks) == "[\"a\"]");
  CHECK(Scanned(R"({"fallbacks":[],"hyperion":{"fallbacks":[]}})").message() ==
        "fallbacks: one of hyperion.fallbacks and fallbacks");
  CHECK(Scanned(R"({"fallbacks":[],"models":[]})").message() ==
        "models: one of fallbacks and models");
  CHECK(Scanned(R"({"models":[],"extra_body":{"hyperion":{"fallbacks":[]}}})").message() ==
        "models: one of extra_body.hyperion.fallbacks and models");
  CHECK(Scanned(R"({"extra_body":{"models":[]},"fallbacks":[]})").message() ==
        "extra_body.models: one of fallbacks and extra_body.models");
}

TEST_CASE("wrong types of options name the field and what was expected") {
  CHECK(Scanned(R"({"hyperion":null})").message() == "hyperion: an object, got null");
  CHECK(with_hyperion(R"({"explain":"true"})").message() ==
        "hyperion.explain: true or false, got a string");
  CHECK(with_hyperion(R"({"fallbacks":"a"})").message() ==
        "hyperion.fallbacks: an array of strings, got a string");
  CHECK(with_hyperion(R"({"fallbacks":["a",1]})").message() ==
        "hyperion.fallbacks: an array of strings, got another value in it");
  CHECK(Scanned(R"({"fallbacks":[["a"]]})").message() ==
        "fallbacks: an array of strings, got another value in it");
  CHECK(with_hyperion(R"({"timeouts":5})").message() ==
        "hyperion.timeouts: an object, got a number");
  CHECK(with_hyperion(R"({"tags":{"a":1}})").message() ==
        "hyperion.tags: an object of strings, got a number");
  CHECK(with_hyperion(R"({"max_cost":"1"})").message() ==
        "hyperion.max_cost: a number of USD, 0 or more, got a string");
}

TEST_CASE("numbers out of range are refused with the range") {
  for (const char* number : {"0", "-1", "1.5", "86400001", "1e30"}) {
    const Scanned scanned =
        with_hyperion("{\"timeouts\":{\"total_ms\":" + std::string(number) + "}}");
    CAPTURE(number);
    CHECK(scanned.error.code == ErrorCode::wrong_type);
    CHECK(scanned.message() ==
          "hyperion.timeouts.total_ms: an integer from 1 to 86400000, got another number");
  }
  CHECK(with_hyperion(R"({"timeouts":{"total_ms":1e400}})").expected() ==
        "an integer from 1 to 86400000, got a number out of range");
  CHECK(with_hyperion(R"({"timeouts":{"total_ms":86400000}})").ok);
  CHECK(with_hyperion(R"({"cache_ttl":31536001})").error.code == ErrorCode::wrong_type);
  CHECK(with_hyperion(R"({"max_cost":-0.01})").error.code == ErrorCode::wrong_type);
  CHECK(with_hyperion(R"({"max_cost":1e999})").error.code == ErrorCode::wrong_type);
  CHECK(with_hyperion(R"({"max_cost":0})").scan.options.max_cost_usd == 0);
}

TEST_CASE("tags are bounded, and repeated ones are found under any spelling") {
  std::string tags;
  for (uint32_t i = 0; i < json::tags_max_count; ++i) {
    tags += (i != 0 ? ",\"" : "\"") + std::to_string(i) + "\":\"v\"";
  }
  CHECK(with_hyperion("{\"tags\":{" + tags + "}}").ok);
  CHECK(with_hyperion("{\"tags\":{" + tags + ",\"x\":\"v\"}}").error.code == ErrorCode::too_many);
  const std::string long_key(json::tag_key_size_max_bytes, 'k');
  CHECK(with_hyperion("{\"tags\":{\"" + long_key + "\":\"v\"}}").ok);
  CHECK(with_hyperion("{\"tags\":{\"k" + long_key + "\":\"v\"}}").error.code ==
        ErrorCode::too_large);
  CHECK(with_hyperion(R"({"tags":{"\u00e9quipe":"v"}})").ok);
  CHECK(with_hyperion(R"({"tags":{"\u00e9":"v","é":"w"}})").error.code == ErrorCode::duplicate_key);
}

TEST_CASE("lists and tags are read text by text, unescaped") {
  const Scanned scanned = with_hyperion(
      R"({"fallbacks":[ "a" , "b\u002fc" ,""],"tags":{ "t\u0065am" : "s\"x" ,"k":"v"}})");
  REQUIRE(scanned.ok);
  char scratch[32];
  std::string_view text;
  json::StringList list(scanned.text.view(), scanned.scan.options.fallbacks, scratch, 32);
  REQUIRE(list.next(text));
  CHECK(text == "a");
  REQUIRE(list.next(text));
  CHECK(text == "b/c");
  REQUIRE(list.next(text));
  CHECK(text == "");
  CHECK_FALSE(list.next(text));
  CHECK_FALSE(list.truncated());

  std::string_view key;
  json::StringList tags(scanned.text.view(), scanned.scan.options.tags, scratch, 32);
  REQUIRE(tags.next(key, text));
  CHECK(key == "team");
  CHECK(text == "s\"x");
  REQUIRE(tags.next(key, text));
  CHECK(key == "k");
  CHECK(text == "v");
  CHECK_FALSE(tags.next(key, text));
}

TEST_CASE("a text too long for the scratch memory is cut and said to be") {
  const Scanned scanned(R"({"fallbacks":["\u0061bcdef"]})");
  char scratch[3];
  std::string_view text;
  json::StringList list(scanned.text.view(), scanned.scan.options.fallbacks, scratch, 3);
  REQUIRE(list.next(text));
  CHECK(text == "abc");
  CHECK(list.truncated());
}
