#include "dialect/anthropic.h"

#include <string>

#include <doctest/doctest.h>

#include "dialect/harness.h"

using namespace hyperion;
using dialect::Observation;
using dialect::Usage;
namespace anthropic = dialect::anthropic;

namespace {

Observation seen_in(const std::string& name, const std::string& data, Usage& usage,
                    bool committed = false) {
  const std::string raw = (name.empty() ? "" : "event: " + name + "\n") + "data: " + data + "\n\n";
  return anthropic::observe_event(http::parse_event(raw), committed, usage);
}

Observation seen_in(const std::string& name, const std::string& data, bool committed = false) {
  Usage usage;
  return seen_in(name, data, usage, committed);
}

bool is_nothing(const Observation& seen) {
  return !seen.semantic && !seen.error && !seen.finished && !seen.malformed;
}

Observation delta(const std::string& members) {
  return seen_in("content_block_delta",
                 R"({"type":"content_block_delta","index":0,"delta":{)" + members + "}}");
}

Observation block(const std::string& members) {
  return seen_in("content_block_start",
                 R"({"type":"content_block_start","index":0,"content_block":{)" + members + "}}");
}

}  // namespace

TEST_CASE("what gives the client something is semantic, what only announces is not") {
  CHECK(delta(R"("type":"text_delta","text":"a")").semantic);
  CHECK(delta(R"("type":"thinking_delta","thinking":"hm")").semantic);
  CHECK(delta(R"("type":"signature_delta","signature":"s")").semantic);
  CHECK(delta(R"("type":"input_json_delta","partial_json":"{")").semantic);
  CHECK(block(R"("type":"tool_use","id":"t","name":"f","input":{})").semantic);
  CHECK(block(R"("type":"server_tool_use","id":"t","name":"f","input":{})").semantic);
  CHECK(block(R"("type":"redacted_thinking","data":"x")").semantic);
  CHECK(block(R"("type":"text","text":"early")").semantic);
  CHECK(is_nothing(delta(R"("type":"text_delta","text":"")")));
  CHECK(is_nothing(delta(R"("type":"input_json_delta","partial_json":"")")));
  CHECK(is_nothing(block(R"("type":"text","text":"")")));
  CHECK(is_nothing(block(R"("type":"thinking","thinking":"","signature":"")")));
  CHECK(is_nothing(seen_in("ping", R"({"type": "ping"})")));
  CHECK(is_nothing(seen_in("content_block_stop", R"({"type":"content_block_stop","index":0 })")));
  CHECK(is_nothing(seen_in("message_start", R"({"type":"message_start","message":{"id":"m"}})")));
  CHECK(is_nothing(seen_in("tomorrow", R"({"type":"tomorrow","news":{}})")));
}

TEST_CASE("the reason to stop is semantic, message_stop is the end") {
  CHECK(seen_in("message_delta", R"({"type":"message_delta","delta":{"stop_reason":"end_turn"}})")
            .semantic);
  CHECK(is_nothing(
      seen_in("message_delta", R"({"type":"message_delta","delta":{"stop_reason":null}})")));
  for (bool committed : {false, true}) {
    CHECK(seen_in("message_stop", R"({"type":"message_stop" })", committed).finished);
    CHECK(seen_in("", R"({"type":"message_stop"})", committed).finished);
    CHECK_FALSE(seen_in("message_stop", R"({"type":"message_sto)", committed).finished);
  }
}

TEST_CASE("errors are seen before and after the first token") {
  const std::string data =
      R"({"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}})";
  for (bool committed : {false, true}) {
    CHECK(seen_in("error", data, committed).error);
    CHECK(seen_in("", data, committed).error);
    CHECK(seen_in("error", "not JSON", committed).malformed);
  }
}

TEST_CASE("usage is cumulative: what is named replaces, null and absence leave it") {
  Usage usage;
  seen_in("message_start",
          R"({"type":"message_start","message":{"usage":{"input_tokens":10,"output_tokens":88,)"
          R"("cache_read_input_tokens":5,"cache_creation_input_tokens":7,)"
          R"("cache_creation":{"ephemeral_5m_input_tokens":3,"ephemeral_1h_input_tokens":4}}}})",
          usage);
  CHECK(usage.prompt_tokens == 22);
  CHECK(usage.cached_tokens == 5);
  CHECK(usage.cache_write_tokens == 7);
  CHECK(usage.cache_write_1h_tokens == 4);
  // The output of a start means nothing.
  CHECK(usage.completion_tokens == -1);
  seen_in("message_delta",
          R"({"type":"message_delta","delta":{},"usage":{"output_tokens":40,"input_tokens":null}})",
          usage, true);
  CHECK(usage.prompt_tokens == 22);
  CHECK(usage.completion_tokens == 40);
  seen_in("message_delta",
          R"({"type":"message_delta","delta":{},"usage":{"output_tokens":50,"input_tokens":11,)"
          R"("output_tokens_details":{"thinking_tokens":20}}})",
          usage, true);
  CHECK(usage.prompt_tokens == 23);
  CHECK(usage.cached_tokens == 5);
  CHECK(usage.completion_tokens == 50);
  CHECK(usage.reasoning_tokens == 20);
}

TEST_CASE("a message_delta that names only the output leaves the prompt unknown") {
  Usage usage;
  seen_in("message_delta", R"({"type":"message_delta","usage":{"output_tokens":3}})", usage);
  CHECK(usage.prompt_tokens == -1);
  CHECK(usage.completion_tokens == 3);
}

TEST_CASE("after the first token blocks are not read, and what is no JSON is malformed before") {
  CHECK(is_nothing(seen_in("content_block_delta", "neither read nor judged", true)));
  for (const char* data : {"{", "null", "[]", "{\"type\":\"ping\"", "{} {}"})
    CHECK(seen_in("content_block_delta", data).malformed);
}

TEST_CASE("the usage of a whole answer is read, and nothing of one that has none") {
  Usage usage;
  anthropic::observe_answer(
      R"({"content":[{"text":"\"usage\":{\"input_tokens\":9}"}],"usage":{"input_tokens":3,)"
      R"("output_tokens":4,"cache_read_input_tokens":1}})",
      usage);
  CHECK(usage.prompt_tokens == 4);
  CHECK(usage.completion_tokens == 4);
  for (const char* body : {"", "{}", "[]", R"({"usage":null})", R"({"usage":7})", "<html>"}) {
    Usage none;
    anthropic::observe_answer(body, none);
    CHECK_FALSE(none.known());
  }
}

TEST_CASE("Anthropic is asked at one path, streamed or not") {
  char path[16];
  const auto& language = anthropic::language();
  for (bool stream : {false, true}) {
    CHECK(std::string_view(path, language.write_path("m", stream, path, sizeof(path))) ==
          "/messages");
  }
  CHECK(language.write_path("m", false, path, 4) == 0);
}
