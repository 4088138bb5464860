// A translation with too little memory: noticed, never a shorter answer.
#include <memory>
#include <string>

#include <doctest/doctest.h>

#include "gateway/answer_translator.h"
#include "http/sse_splitter.h"
#include "sim/words.h"

using namespace hyperion;
using dialect::Wire;
using gateway::AnswerTranslator;

namespace {

struct Room {
  size_t blocks = 1000;
  uint64_t budget_bytes = 16 << 20;
  size_t arena_bytes = 256 * 1024;
};

struct Outcome {
  bool begun = false;
  bool finished = false;
  bool failed = false;  // out of memory, or an error
  std::string text;
};

Outcome translate(Wire provider, Wire client, bool stream, const std::string& answer,
                  const Room& room) {
  BlockPool blocks(room.blocks);
  MemoryBudget budget{room.budget_bytes, 0};
  Arena arena(blocks, room.arena_bytes);
  AnswerTranslator translator(blocks, budget);
  dialect::AnswerContext context;
  context.request_id = "1";
  context.model = "upstream-model";
  context.stream = stream;
  Outcome outcome;
  outcome.begun = translator.begin(provider, client, context, arena);
  if (!outcome.begun) return outcome;
  const auto take = [&](const dialect::Observation& seen) {
    outcome.failed |= seen.error || translator.out_of_memory();
    outcome.finished |= seen.finished;
    // Of a plain answer without room for the whole nothing is written.
    outcome.failed |= seen.finished && !stream && translator.output().empty();
    outcome.text += translator.output();
    translator.clear_output();
  };
  std::string_view rest = answer;
  http::SseSplitter splitter;
  size_t size = stream ? splitter.find_event_end(rest) : 0;
  for (; size > 0 && !outcome.failed; size = splitter.find_event_end(rest)) {
    take(translator.on_stream_event(http::parse_event(rest.substr(0, size))));
    rest.remove_prefix(size);
  }
  if (!outcome.failed) take(stream ? translator.on_stream_end() : translator.on_answer(answer));
  return outcome;
}

std::string stream_of(Wire wire) {
  sim::Speaker speaker(wire, false, "chatcmpl-1");
  std::string all = speaker.opening();
  for (int i = 0; i < 30; ++i) all += speaker.text(std::string(1500, 'b'));
  return all + speaker.tool_call() + speaker.closing();
}

}  // namespace

TEST_CASE("with less memory an answer is the same, or it fails") {
  size_t failed = 0;
  size_t whole = 0;
  for (Wire provider : {Wire::openai_chat, Wire::anthropic, Wire::gemini}) {
    for (Wire client : {Wire::openai_chat, Wire::openai_responses, Wire::anthropic, Wire::gemini}) {
      if (client == provider) continue;
      for (bool stream : {false, true}) {
        CAPTURE(dialect::name_of(provider));
        CAPTURE(dialect::name_of(client));
        CAPTURE(stream);
        const std::string answer = stream ? stream_of(provider)
                                          : sim::Speaker(provider, false, "chatcmpl-1")
                                                .whole_answer(std::string(50'000, 'b'));
        const Outcome plenty = translate(provider, client, stream, answer, Room());
        REQUIRE(plenty.finished);
        REQUIRE_FALSE(plenty.failed);
        REQUIRE(plenty.text.size() > 45'000);
        const auto check = [&](const Room& room) {
          const Outcome little = translate(provider, client, stream, answer, room);
          failed += little.failed || !little.begun ? 1 : 0;
          if (!little.begun || little.failed) return;
          ++whole;
          CHECK(little.finished);
          const bool same = little.text == plenty.text;
          CHECK(same);
        };
        for (size_t blocks = 1; blocks < 12; ++blocks) {
          check({.blocks = blocks});
          check({.blocks = blocks, .budget_bytes = 0});
        }
        for (uint64_t bytes = 0; bytes < 250'000; bytes += 10'000) check({.budget_bytes = bytes});
        for (size_t bytes = 0; bytes < 12'000; bytes += 100) check({.arena_bytes = bytes});
      }
    }
  }
  CHECK(failed > 100);
  CHECK(whole > 100);
}
