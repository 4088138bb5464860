#include "json/splice.h"

#include <algorithm>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "json/edit_tree.h"
#include "json/scanned.h"
#include "support/json_reader.h"

using namespace hyperion;
using test::edit_tree;
using test::Scanned;

namespace {

std::string edited(std::string_view body, std::string_view model_json = {},
                   bool keep_models = false) {
  const Scanned scanned(body);
  REQUIRE_MESSAGE(scanned.ok, scanned.message());
  const json::SplicePlan plan =
      json::plan_upstream_body(scanned.text.view(), scanned.scan, model_json, keep_models);
  const std::string out = test::joined(plan);
  CHECK(plan.size_bytes == out.size());
  return out;
}

// Random bodies: own and foreign keys in any order, blanks anywhere, values with brackets and
// quotes in them.
class BodyMaker {
 public:
  explicit BodyMaker(uint64_t seed) : random_(seed) {}

  std::string make() {
    std::vector<std::string> members = foreign_members("f");
    const char* smart[] = {"smart_routing", "smartRouting"};
    const char* extra[] = {"extra_body", "extraBody"};
    std::vector<std::string> inner = foreign_members("e");
    auto add = [&](const std::string& key, const std::string& value) {
      (chance(3) ? inner : members).push_back(member(key, value));
    };
    if (!chance(5)) add("model", "\"gpt-4o\"");
    if (chance(2)) add("stream", "true");
    if (chance(2)) add("messages", R"([{"role":"user","content":"{\"models\":[]}, \\"}])");
    if (chance(2)) add("hyperion", R"({"explain":true,"tags":{"a":"},"}})");
    if (chance(2)) add(smart[random_() % 2], "true");
    if (chance(3)) add(chance(2) ? "fallbacks" : "models", R"(["a,","]}"])");
    std::shuffle(inner.begin(), inner.end(), random_);
    if (chance(2)) {
      members.push_back(member(extra[random_() % 2], object(inner)));
    }
    std::shuffle(members.begin(), members.end(), random_);
    return blanks() + object(members) + blanks();
  }

 private:
  bool chance(uint64_t one_in) { return random_() % one_in == 0; }

  std::string blanks() {
    std::string out;
    while (chance(3)) out += " \t\r\n"[random_() % 4];
    return out;
  }
  std::string member(const std::string& key, const std::string& value) {
    return "\"" + key + "\"" + blanks() + ":" + blanks() + value;
  }
  std::string object(const std::vector<std::string>& members) {
    std::string out = "{" + blanks();
    for (size_t i = 0; i < members.size(); ++i) {
      if (i != 0) out += "," + blanks();
      out += members[i] + blanks();
    }
    return out + "}";
  }
  std::vector<std::string> foreign_members(const std::string& prefix) {
    static const char* const values[] = {"1",
                                         "-0.50e+3",
                                         "null",
                                         "[]",
                                         "{}",
                                         "\"\"",
                                         "\"a,\\\"}\"",
                                         R"([{"model":[1,2]},{}])",
                                         R"({"hyperion":{"x":1},"smart_routing":[true,false]})",
                                         "\"\\u00e9\\\\\""};
    std::vector<std::string> members;
    for (uint64_t i = 0, count = random_() % 4; i < count; ++i) {
      members.push_back(member(prefix + std::to_string(i), values[random_() % 10]));
    }
    return members;
  }

  std::mt19937_64 random_;
};

}  // namespace

TEST_CASE("with nothing to change the plan is the body itself, one piece") {
  const Scanned scanned(R"( {"model":"a", "messages":[ ]} )");
  const json::SplicePlan plan = json::plan_upstream_body(scanned.text.view(), scanned.scan, {});
  REQUIRE(plan.count == 1);
  CHECK(plan.pieces[0].data() == scanned.text.view().data());
  CHECK(plan.pieces[0] == scanned.text.view());
}

TEST_CASE("the model's value is replaced and nothing else moves") {
  CHECK(edited(R"({ "n":1, "model" : "a" , "m\u006fre":"model"})", "\"b\"") ==
        R"({ "n":1, "model" : "b" , "m\u006fre":"model"})");
  CHECK(edited(R"({"n":1})", "\"b\"") == R"({"n":1})");
  CHECK(edited(R"({"extra_body":{"model":"a"}})", "\"b\"") == R"({"model":"b"})");
}

TEST_CASE("own keys go with one comma, wherever they stand") {
  CHECK(edited(R"({"hyperion":{}, "a":1, "b":2})") == R"({"a":1, "b":2})");
  CHECK(edited(R"({"a":1, "hyperion":{} , "b":2})") == R"({"a":1, "b":2})");
  CHECK(edited(R"({"a":1 , "b":2 , "hyperion":{} })") == R"({"a":1 , "b":2  })");
  CHECK(edited(R"({"hyperion":{}})") == "{}");
  CHECK(edited(R"({ "hyperion" : {} })") == "{  }");
}

TEST_CASE("neighbours that go take the commas between them along") {
  CHECK(edited(R"({"hyperion":{},"smart_routing":true,"a":1})") == R"({"a":1})");
  CHECK(edited(R"({"a":1,"hyperion":{},"smart_routing":true})") == R"({"a":1})");
  CHECK(edited(R"({"a":1,"hyperion":{},"smart_routing":true,"b":2})") == R"({"a":1,"b":2})");
  CHECK(edited(R"({"hyperion":{},"a":1,"smart_routing":true,"b":2,"models":[]})") ==
        R"({"a":1,"b":2})");
  CHECK(edited(R"({"hyperion":{},"smart_routing":true,"fallbacks":[]})") == "{}");
}

TEST_CASE("foreign keys of extra_body go to the top, own ones go away, and so does an empty one") {
  CHECK(edited(R"({"a":1,"extra_body":{"b":2,"c":3},"d":4})") == R"({"a":1,"b":2,"c":3,"d":4})");
  CHECK(edited(R"({"extra_body":{"hyperion":{},"b":2,"models":[]}})") == R"({"b":2})");
  CHECK(edited(R"({"a":1,"extra_body":{"hyperion":{},"models":[]}})") == R"({"a":1})");
  CHECK(edited(R"({"extra_body":{},"a":1})") == R"({"a":1})");
  CHECK(edited(R"({"smart_routing":true,"extraBody":{"b":2}})") == R"({"b":2})");
}

TEST_CASE("root models stays where it is the provider's own") {
  CHECK(edited(R"({"models":["x"],"hyperion":{}})", {}, true) == R"({"models":["x"]})");
  CHECK(edited(R"({"extra_body":{"models":["x"],"hyperion":{}}})", {}, true) ==
        R"({"models":["x"]})");
  CHECK(edited(R"({"models":["x"],"hyperion":{}})", {}, false) == "{}");
}

TEST_CASE("every choice of own keys among five, with every model: the edit means what it should") {
  const char* own[] = {R"("hyperion":{})", R"("smart_routing":true)", R"("fallbacks":["x"])",
                       R"("extra_body":{"e":1})", R"("extra_body":{"smartRouting":true})"};
  const char* foreign[] = {R"("model":"a")", R"("b":[1])", R"("c":{})", R"("d":"}")", R"("f":0)"};
  for (unsigned choice = 0; choice < 32; ++choice) {
    if ((choice & 8) != 0 && (choice & 16) != 0) continue;  // extra_body twice
    if ((choice & 2) != 0 && (choice & 16) != 0) continue;  // smart_routing twice
    for (unsigned rotation = 0; rotation < 5; ++rotation) {
      for (const char* blank : {"", " ", "\n\t"}) {
        std::string body = "{";
        for (unsigned i = 0; i < 5; ++i) {
          const unsigned place = (i + rotation) % 5;
          body += std::string(i != 0 ? "," : "") + blank;
          body += (choice >> place & 1) != 0 ? own[place] : foreign[place];
          body += blank;
        }
        body += "}";
        CAPTURE(body);
        const auto tree = test::read_json(body);
        REQUIRE(tree);
        CHECK(test::read_json(edited(body, "\"b\"")) == edit_tree(*tree, "b", false));
      }
    }
  }
}

TEST_CASE("parse after edit equals edit after parse, for random bodies") {
  for (uint64_t seed = 1; seed <= 20'000; ++seed) {
    const std::string body = BodyMaker(seed).make();
    CAPTURE(seed);
    CAPTURE(body);
    const auto tree = test::read_json(body);
    REQUIRE(tree);
    const bool keep_models = seed % 3 == 0;
    const bool rename = seed % 2 == 0;
    const std::string out = edited(body, rename ? "\"b\"" : "", keep_models);
    const auto again = test::read_json(out);
    REQUIRE_MESSAGE(again, out);
    CHECK(*again == edit_tree(*tree, rename ? "b" : "", keep_models));
    // What goes upstream has nothing of ours left to find.
    const Scanned rescanned(out);
    REQUIRE_MESSAGE(rescanned.ok, rescanned.message());
    CHECK(rescanned.scan.options.any ==
          (keep_models && rescanned.scan[json::Key::models].present()));
  }
}
