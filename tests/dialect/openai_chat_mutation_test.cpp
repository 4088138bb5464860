#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "dialect/harness.h"
#include "dialect/openai_chat.h"
#include "support/shared_data.h"

using namespace hyperion;
using test::Json;
namespace openai_chat = dialect::openai_chat;

namespace {

void write(const Json& value, std::string& out);

void write_string(const std::string& text, std::string& out) {
  out += '"';
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) >= 0x20) {
      out += c;
      continue;
    }
    char escape[8];
    std::snprintf(escape, sizeof(escape), "\\u%04x", static_cast<unsigned>(c));
    out += escape;
  }
  out += '"';
}

void write(const Json& value, std::string& out) {
  switch (value.kind) {
    case Json::Kind::null: out += "null"; return;
    case Json::Kind::boolean: out += value.boolean ? "true" : "false"; return;
    case Json::Kind::number: out += value.text; return;
    case Json::Kind::string: write_string(value.text, out); return;
    case Json::Kind::array:
      out += '[';
      for (const Json& element : value.elements) {
        if (&element != &value.elements.front()) out += ',';
        write(element, out);
      }
      out += ']';
      return;
    case Json::Kind::object:
      out += '{';
      for (const auto& member : value.members) {
        if (&member != &value.members.front()) out += ',';
        write_string(member.key, out);
        out += ':';
        write(member.value, out);
      }
      out += '}';
      return;
  }
}

void collect(Json& value, std::vector<Json*>& all) {
  all.push_back(&value);
  for (Json& element : value.elements) collect(element, all);
  for (auto& member : value.members) collect(member.value, all);
}

// Requests that use what the dialect has, beside the recorded ones.
constexpr const char* rich_request = R"({"model":"m","messages":[
    {"role":"developer","content":[{"type":"text","text":"s",
      "cache_control":{"type":"ephemeral"}}]},
    {"role":"user","name":"n","content":[{"type":"text","text":"t"},
      {"type":"image_url","image_url":{"url":"data:image/png;base64,iVBO","detail":"low"}},
      {"type":"input_audio","input_audio":{"data":"UklG","format":"wav"}},
      {"type":"file","file":{"filename":"a","file_data":"data:application/pdf;base64,JVBE"}}]},
    {"role":"assistant","content":null,"reasoning_content":"h","refusal":null,
      "thinking_blocks":[{"type":"thinking","thinking":"h","signature":"s"}],
      "tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\":1}"},
        "extra_content":{"google":{"thought_signature":"g"}}},
        {"id":"b","type":"custom","custom":{"name":"c","input":"i"}}]},
    {"role":"tool","tool_call_id":"a","content":"r"},
    {"role":"tool","tool_call_id":"b","content":[{"type":"text","text":"r"}]},
    {"role":"assistant","function_call":{"name":"f","arguments":""}},
    {"role":"function","name":"f","content":"r"}],
  "tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"},"strict":true}},
    {"type":"custom","custom":{"name":"c","format":{"type":"text"}}}],
  "tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"auto",
    "tools":[{"type":"function","function":{"name":"f"}}]}},
  "response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{},"strict":true}},
  "reasoning":{"effort":"low","max_tokens":5},"thinking":{"type":"enabled","budget_tokens":5},
  "stop":["a"],"n":2,"logit_bias":{"1":2},"metadata":{},"stream_options":{"include_usage":true},
  "modalities":["text"],"extra_body":{"top_k":3,"new":[1]},"max_tokens":5})";

std::vector<std::string> request_bodies() {
  std::vector<std::string> bodies = {rich_request};
  const auto directory = test::shared_data("recorded/openai/chat.completions");
  if (!directory) return {};
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(*directory)) {
    if (entry.path().extension() == ".json") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  for (const auto& path : paths) {
    const Json file = test::json_of(test::read_file(path));
    for (const Json& exchange : file["exchanges"].elements) {
      if (exchange["response"]["status"].integer() == 200) {
        bodies.push_back(exchange["request"]["body"].text);
      }
    }
  }
  CHECK(bodies.size() > 15);
  return bodies;
}

// Reads it, and writes it again if it was accepted. A body of ours is JSON.
bool translate(const std::string& body) {
  const test::Decoding decoded(openai_chat::language(), body);
  if (!decoded.accepted) {
    CHECK(decoded.message().size() > 5);
    return false;
  }
  dialect::TranslationSettings settings;
  settings.unsupported = dialect::Unsupported::drop;
  const catalog::Provider provider;
  const test::Encoding encoding =
      test::encode(openai_chat::language(), decoded.request, provider, nullptr, "m", settings);
  if (encoding.accepted) test::json_of(encoding.body);
  return true;
}

}  // namespace

TEST_CASE("recorded requests are read, and mean the same when they are written") {
  for (const std::string& body : request_bodies()) {
    CAPTURE(body);
    const test::Decoding decoded(openai_chat::language(), body);
    CHECK(decoded.accepted);
    if (!decoded.accepted || body == rich_request) continue;
    const catalog::Provider provider;
    const test::Encoding encoding =
        test::encode(openai_chat::language(), decoded.request, provider, nullptr);
    REQUIRE(encoding.accepted);
    const Json given = test::json_of(body);
    const Json sent = encoding.json();
    CHECK(sent["messages"].elements.size() == given["messages"].elements.size());
    for (size_t i = 0; i < sent["messages"].elements.size(); ++i) {
      const Json& one = given["messages"].elements[i];
      const Json& other = sent["messages"].elements[i];
      // A model that nobody knows is told in the older role.
      CHECK(other["role"].text == (one["role"].text == "developer" ? "system" : one["role"].text));
      const auto& calls = one["tool_calls"].elements;
      REQUIRE(other["tool_calls"].elements.size() == calls.size());
      for (size_t j = 0; j < calls.size(); ++j) {
        const Json& call = other["tool_calls"].elements[j];
        CHECK(call["id"] == calls[j]["id"]);
        CHECK(call["function"]["name"] == calls[j]["function"]["name"]);
        CHECK(call["function"]["arguments"] == calls[j]["function"]["arguments"]);
      }
      CHECK(other["tool_call_id"] == one["tool_call_id"]);
      if (one["content"].is(Json::Kind::string)) CHECK(other["content"] == one["content"]);
    }
    CHECK(sent["tools"].elements.size() == given["tools"].elements.size());
  }
}

TEST_CASE("requests whose values are not what they should be never crash") {
  const auto bodies = request_bodies();
  if (bodies.empty()) return;
  std::mt19937 random(20261125);
  const std::vector<Json> strange = {test::json_of("null"),
                                     test::json_of("true"),
                                     test::json_of("-1"),
                                     test::json_of("1e9"),
                                     test::json_of("\"\""),
                                     test::json_of("\"tool\""),
                                     test::json_of("[]"),
                                     test::json_of("{}"),
                                     test::json_of("[[1],{}]"),
                                     test::json_of("[5]"),
                                     test::json_of("\"a\\u0000\\\"\""),
                                     test::json_of("{\"type\":\"text\"}")};
  int accepted = 0;
  for (int round = 0; round < 5000; ++round) {
    CAPTURE(round);
    // The one that has everything half of the time.
    Json tree = test::json_of(random() % 2 == 0 ? bodies[0] : bodies[random() % bodies.size()]);
    for (size_t changes = 1 + random() % 3; changes > 0; --changes) {
      std::vector<Json*> all;
      collect(tree, all);
      Json& victim = *all[random() % all.size()];
      if (&victim == &tree) continue;
      const Json other = *all[random() % all.size()];
      victim = random() % 3 == 0 ? other : strange[random() % strange.size()];
    }
    std::string body;
    write(tree, body);
    if (translate(body)) ++accepted;
  }
  CHECK(accepted > 100);
}

TEST_CASE("requests that are no JSON at all never crash either") {
  std::mt19937 random(20261125);
  for (int round = 0; round < 3000; ++round) {
    std::string body = rich_request;
    for (size_t flips = 1 + random() % 3; flips > 0; --flips) {
      body[random() % body.size()] = "{}[]\",:\\ 0nt"[random() % 12];
    }
    if (random() % 4 == 0) body.resize(random() % body.size());
    CAPTURE(round);
    const test::Decoding decoded(openai_chat::language(), body);
  }
}
