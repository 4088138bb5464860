#include "gateway/answer_translator.h"

#include <memory>
#include <string>

#include <doctest/doctest.h>

#include "base/random.h"
#include "support/json_reader.h"

using namespace hyperion;
using dialect::Observation;
using dialect::Wire;
using gateway::AnswerTranslator;

namespace {

struct Translating {
  explicit Translating(Wire provider, Wire client, bool stream = true, bool shows_thinking = true,
                       uint64_t memory_bytes = 1 << 20)
      : budget{memory_bytes, 0} {
    context.request_id = "req_1";
    context.model = "the-model";
    context.now_s = 1;
    context.stream = stream;
    context.shows_thinking = shows_thinking;
    REQUIRE(translator.begin(provider, client, context, arena));
  }

  // One event of OpenAI's and Google's (no name), or of Anthropic's (named as its type).
  Observation event(const std::string& data, const std::string& name = {}) {
    const std::string raw =
        (name.empty() ? "" : "event: " + name + "\n") + "data: " + data + "\n\n";
    return translator.on_stream_event(http::parse_event(raw));
  }
  Observation delta(const std::string& inside) {
    return event(R"({"id":"c","model":"m","choices":[{"index":0,"delta":{)" + inside + "}}]}");
  }
  std::string take() {
    std::string text(translator.output());
    translator.clear_output();
    return text;
  }

  BlockPool blocks{256};
  MemoryBudget budget;
  Arena arena{blocks, 256 * 1024};
  dialect::AnswerContext context;
  AnswerTranslator translator{blocks, budget};
};

}  // namespace

TEST_CASE("it is inactive, and free, until it begins") {
  BlockPool blocks(4);
  MemoryBudget budget{1 << 20, 0};
  AnswerTranslator translator(blocks, budget);
  CHECK_FALSE(translator.active());
  CHECK_FALSE(translator.out_of_memory());
  CHECK(translator.output().empty());
  CHECK(blocks.in_use() == 0);
}

TEST_CASE("without room for its two halves it does not begin") {
  BlockPool blocks(4);
  MemoryBudget budget{1 << 20, 0};
  AnswerTranslator translator(blocks, budget);
  Arena arena(blocks, 16);
  dialect::AnswerContext context;
  CHECK_FALSE(translator.begin(Wire::anthropic, Wire::openai_chat, context, arena));
}

TEST_CASE("an event is semantic when the client gets something by it") {
  for (Wire client : {Wire::openai_responses, Wire::anthropic, Wire::gemini}) {
    CAPTURE(dialect::name_of(client));
    Translating one(Wire::openai_chat, client);
    CHECK_FALSE(one.delta(R"("role":"assistant","content":"")").semantic);
    CHECK(one.delta(R"("content":"x")").semantic);
    CHECK_FALSE(one.delta(R"("content":"")").semantic);
    CHECK(one.delta(R"("refusal":"no")").semantic);
    CHECK(one.delta(R"("tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":""}}])")
              .semantic);
    CHECK_FALSE(one.delta(R"("tool_calls":[{"index":0,"function":{"arguments":"{}"}}])").semantic);
    // OpenAI's usage comes behind the finish, which waits for it.
    Observation finish =
        one.event(R"({"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]})");
    CHECK_FALSE(finish.finished);
    finish = one.event("[DONE]");
    CHECK(finish.semantic);
    CHECK(finish.finished);
  }
}

TEST_CASE("thinking is semantic only for who is shown it") {
  for (bool shown : {false, true}) {
    Translating one(Wire::anthropic, Wire::openai_chat, true, shown);
    one.event(R"({"type":"message_start","message":{"id":"a","model":"m"}})", "message_start");
    one.event(R"({"type":"content_block_start","index":0,)"
              R"("content_block":{"type":"thinking","thinking":""}})",
              "content_block_start");
    CHECK(one.event(R"({"type":"content_block_delta","index":0,)"
                    R"("delta":{"type":"thinking_delta","thinking":"hm"}})",
                    "content_block_delta")
              .semantic == shown);
  }
}

TEST_CASE("usage is unknown until the provider gives it, and the last one holds") {
  Translating one(Wire::openai_chat, Wire::anthropic);
  one.delta(R"("content":"x")");
  CHECK_FALSE(one.translator.usage().known());
  one.event(R"({"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}})");
  one.event(R"({"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4}})");
  CHECK(one.translator.usage().prompt_tokens == 3);
  CHECK(one.translator.usage().completion_tokens == 4);
}

TEST_CASE("the end is told once, and nothing that follows is written") {
  Translating one(Wire::openai_chat, Wire::anthropic);
  one.delta(R"("content":"x")");
  one.event(R"({"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]})");
  const Observation end = one.event("[DONE]");
  CHECK(end.finished);
  CHECK_FALSE(end.error);
  CHECK(one.take().find("message_stop") != std::string::npos);
  const Observation after = one.delta(R"("content":"more")");
  CHECK_FALSE(after.semantic);
  CHECK_FALSE(after.finished);
  CHECK_FALSE(one.translator.on_stream_end().error);
  CHECK_FALSE(one.event(R"({"error":{"message":"late"}})").error);
  CHECK(one.take().empty());
}

TEST_CASE("a stream that is over without its end is an error") {
  for (Wire provider : {Wire::openai_chat, Wire::anthropic, Wire::gemini}) {
    CAPTURE(dialect::name_of(provider));
    Translating one(provider, provider == Wire::gemini ? Wire::anthropic : Wire::gemini);
    const Observation end = one.translator.on_stream_end();
    CHECK(end.error);
    CHECK_FALSE(end.finished);
    CHECK(one.translator.error().kind != dialect::ErrorKind::none);
  }
}

TEST_CASE("an error is kept, its event's bytes gone, and is not written") {
  Translating one(Wire::openai_chat, Wire::anthropic);
  one.delta(R"("content":"x")");
  one.take();
  {
    const std::string data =
        R"({"error":{"message":"the \"model\" is overloaded","type":"overloaded","code":"c"}})";
    CHECK(one.event(data).error);
  }
  CHECK(one.take().empty());
  CHECK(one.translator.error().message == R"(the \"model\" is overloaded)");
  // What else it said was of that event.
  CHECK(one.translator.error().type.empty());
  CHECK(one.translator.error().code.empty());
  CHECK(one.translator.error().param.empty());
  CHECK_FALSE(one.delta(R"("content":"more")").semantic);
  CHECK(one.take().empty());
}

TEST_CASE("an error's message is bounded, and stays the inside of a JSON string") {
  for (const char* piece :
       {"x", R"(\")", R"(\u00e9)", R"(\ud83d\ude00)", "\xC3\xA9", "\xF0\x9F\x98\x80"}) {
    CAPTURE(piece);
    std::string message = "y";
    while (message.size() < 3000) message += piece;
    Translating one(Wire::openai_chat, Wire::gemini);
    CHECK(one.event(R"({"error":{"message":")" + message + R"("}})").error);
    const std::string kept(one.translator.error().message);
    CHECK(kept.size() <= 512);
    CHECK(kept.size() > 500);
    CHECK(message.starts_with(kept));
    CHECK(test::read_json("\"" + kept + "\""));
  }
}

TEST_CASE("a plain answer is written whole, or not at all") {
  const std::string body =
      R"({"id":"c","model":"m","choices":[{"index":0,"message":{"role":"assistant",)"
      R"("content":"hello"},"finish_reason":"stop"}],)"
      R"("usage":{"prompt_tokens":5,"completion_tokens":6}})";
  Translating whole(Wire::openai_chat, Wire::anthropic, false);
  CHECK(whole.translator.on_answer(body).finished);
  CHECK(whole.translator.usage().completion_tokens == 6);
  const auto answer = test::read_json(whole.take());
  REQUIRE(answer);
  CHECK((*answer)["content"].elements.at(0)["text"].text == "hello");
  for (size_t size = 0; size < body.size(); ++size) {
    Translating cut(Wire::openai_chat, Wire::anthropic, false);
    const Observation seen = cut.translator.on_answer(std::string_view(body).substr(0, size));
    CHECK(seen.error);
    CHECK_FALSE(seen.finished);
    CHECK(cut.take().empty());
  }
}

TEST_CASE("a shard without memory is noticed, whatever comes next") {
  Translating one(Wire::openai_chat, Wire::anthropic, true, true, 20'000);
  const std::string text(4000, 'x');
  for (int i = 0; i < 100 && !one.translator.out_of_memory(); ++i)
    one.delta("\"content\":\"" + text + "\"");
  CHECK(one.translator.out_of_memory());
  one.delta(R"("content":"more")");
  one.translator.on_stream_end();
  CHECK(one.translator.out_of_memory());
}

TEST_CASE("its memory is its own again when it is gone") {
  BlockPool blocks(256);
  MemoryBudget budget{1 << 20, 0};
  {
    Arena arena(blocks, 256 * 1024);
    AnswerTranslator translator(blocks, budget);
    dialect::AnswerContext context;
    context.stream = true;
    REQUIRE(translator.begin(Wire::gemini, Wire::openai_responses, context, arena));
    const std::string raw = R"(data: {"candidates":[{"content":{"parts":[{"text":")" +
                            std::string(40'000, 'x') + R"("}]}}]})" + "\n\n";
    translator.on_stream_event(http::parse_event(raw));
    CHECK(translator.output().size() > 40'000);
    CHECK(budget.used_bytes > 0);
  }
  CHECK(budget.used_bytes == 0);
  CHECK(blocks.in_use() == 0);
}

TEST_CASE("events in any order leave one end at most, and nothing written after it") {
  const std::pair<const char*, const char*> events[] = {
      {"message_start", R"({"type":"message_start","message":{"id":"a","model":"m"}})"},
      {"content_block_start",
       R"({"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}})"},
      {"content_block_start",
       R"({"type":"content_block_start","index":1,)"
       R"("content_block":{"type":"tool_use","id":"t","name":"f","input":{}}})"},
      {"content_block_delta",
       R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"x"}})"},
      {"content_block_delta", R"({"type":"content_block_delta","index":1,)"
                              R"("delta":{"type":"input_json_delta","partial_json":"{}"}})"},
      {"content_block_stop", R"({"type":"content_block_stop","index":0})"},
      {"content_block_stop", R"({"type":"content_block_stop","index":1})"},
      {"message_delta",
       R"({"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{}})"},
      {"message_stop", R"({"type":"message_stop"})"},
      {"error", R"({"type":"error","error":{"type":"api_error","message":"m"}})"},
      {"ping", R"({"type":"ping"})"},
      {"", "nonsense"},
  };
  Random random(7);
  for (int round = 0; round < 3000; ++round) {
    const Wire clients[] = {Wire::openai_chat, Wire::openai_responses, Wire::gemini};
    Translating one(Wire::anthropic, clients[random.below(3)], random.chance(3, 4));
    int ends = 0;
    for (size_t i = random.below(20); i > 0; --i) {
      const auto& [name, data] = events[random.below(std::size(events))];
      const bool was_over = ends > 0;
      const Observation seen = one.event(data, name);
      ends += seen.finished || seen.error ? 1 : 0;
      const std::string written = one.take();
      if (was_over) CHECK(written.empty());
    }
    const Observation end = one.translator.on_stream_end();
    ends += end.finished || end.error ? 1 : 0;
    CHECK(ends == 1);
  }
}
