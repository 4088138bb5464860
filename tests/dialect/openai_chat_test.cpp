#include "dialect/openai_chat.h"

#include <algorithm>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "support/json_reader.h"
#include "support/shared_data.h"

using namespace hyperion;
using dialect::Observation;
using dialect::Usage;
namespace openai_chat = dialect::openai_chat;

namespace {

Observation seen_in(std::string_view data, Usage& usage, bool committed = false,
                    std::string_view name = {}) {
  std::string raw;
  if (!name.empty()) raw = "event: " + std::string(name) + "\n";
  raw += "data: " + std::string(data) + "\n\n";
  return openai_chat::observe_event(http::parse_event(raw), committed, usage);
}

Observation seen_in(std::string_view data, bool committed = false) {
  Usage usage;
  return seen_in(data, usage, committed);
}

std::string chunk(const std::string& delta, const std::string& finish_reason = "null") {
  return R"({"id":"c","object":"chat.completion.chunk","choices":[{"index":0,"delta":)" + delta +
         R"(,"logprobs":null,"finish_reason":)" + finish_reason + R"(}],"usage":null})";
}

bool is_nothing(const Observation& seen) {
  return !seen.semantic && !seen.error && !seen.finished && !seen.malformed;
}

// The chunk files hold one event's JSON a line.
std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t at = 0; at < text.size();) {
    size_t end = std::min(text.find('\n', at), text.size());
    if (end > at) lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

// What a chunk says by the tree of its JSON, found in another way than by the code under test.
bool gives_output(const test::Json& value) {
  for (const test::Json& choice : value["choices"].elements) {
    if (choice["finish_reason"].is(test::Json::Kind::string)) return true;
    if (!choice["text"].text.empty()) return true;
    for (const auto& [key, member] : choice["delta"].members) {
      if (key == "role") continue;
      if (!member.text.empty() || !member.elements.empty() || !member.members.empty()) return true;
    }
  }
  return false;
}

}  // namespace

TEST_CASE("a chunk that only names the role gives the client nothing yet") {
  CHECK(is_nothing(seen_in(chunk(R"({"role":"assistant"})"))));
  CHECK(is_nothing(seen_in(chunk(R"({"role":"assistant","content":""})"))));
  CHECK(is_nothing(seen_in(chunk(R"({"role":"assistant","content":"","refusal":null})"))));
  CHECK(is_nothing(seen_in(chunk(R"({"content":null,"tool_calls":[]})"))));
  CHECK(is_nothing(seen_in(chunk("{}"))));
  CHECK(is_nothing(seen_in(chunk("null"))));
  CHECK(is_nothing(seen_in(R"({"choices":[],"prompt_filter_results":[{"prompt_index":0}]})")));
  CHECK(is_nothing(seen_in(R"({"choices":null})")));
}

TEST_CASE("a finish is told by a word only, in any choice") {
  using openai_chat::tells_finish;
  CHECK(tells_finish(R"({"choices":[{"delta":{"content":"a"},"finish_reason":"stop"}]})"));
  CHECK(tells_finish(R"({"choices":[{"finish_reason":null},{"finish_reason":"length"}],"x":1})"));
  for (const char* data :
       {R"({"choices":[{"delta":{"content":"a"},"finish_reason":null}]})",
        R"({"choices":[{"delta":{"finish_reason":"stop"}}]})", R"({"finish_reason":"stop"})",
        R"({"choices":[]})", R"({"choices":[{"finish_reason":"stop")", "[DONE]", ""}) {
    CAPTURE(data);
    CHECK_FALSE(tells_finish(data));
  }
}

TEST_CASE("content, refusal, tool calls, reasoning, legacy text and a finish are semantic") {
  const std::string chunks[] = {
      chunk(R"({"content":"a"})"),
      chunk(R"({"content":" "})"),
      chunk(R"({"role":"assistant","content":"a"})"),
      chunk(R"({"refusal":"no"})"),
      chunk(R"({"tool_calls":[{"index":0,"id":"x","function":{"name":"f","arguments":""}}]})"),
      chunk(R"({"function_call":{"name":"f"}})"),
      chunk(R"({"content":null,"reasoning_content":"hm"})"),
      chunk(R"({"reasoning":"hm"})"),
      chunk("{}", R"("stop")"),
      R"({"object":"text_completion","choices":[{"text":"a","index":0,"finish_reason":null}]})",
      R"({"choices":[{"index":0,"delta":{}},{"index":1,"delta":{"content":"b"}}]})",
      // The order of members is the provider's.
      R"({"choices":[{"finish_reason":null,"delta":{"content":"a","role":"assistant"}}],"id":"c"})",
  };
  for (const std::string& text : chunks) {
    CAPTURE(text);
    Observation seen = seen_in(text);
    CHECK(seen.semantic);
    CHECK_FALSE(seen.error);
    CHECK_FALSE(seen.finished);
    CHECK_FALSE(seen.malformed);
  }
  CHECK(is_nothing(seen_in(R"({"choices":[{"text":"","index":0,"finish_reason":null}]})")));
}

TEST_CASE("usage replaces and never adds; null and absence leave what was reported") {
  Usage usage;
  CHECK_FALSE(usage.known());
  seen_in(R"({"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":1,)"
          R"("prompt_tokens_details":{"audio_tokens":9,"cached_tokens":4},)"
          R"("completion_tokens_details":{"reasoning_tokens":1,"audio_tokens":9}}})",
          usage);
  CHECK(usage.prompt_tokens == 7);
  CHECK(usage.completion_tokens == 1);
  CHECK(usage.cached_tokens == 4);
  CHECK(usage.reasoning_tokens == 1);
  seen_in(R"({"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":25}})", usage);
  CHECK(usage.prompt_tokens == 7);
  CHECK(usage.completion_tokens == 25);
  CHECK(usage.cached_tokens == 4);
  seen_in(chunk("{}"), usage);
  CHECK(usage.completion_tokens == 25);
  CHECK(is_nothing(seen_in(R"({"usage":"many","choices":[]})", usage)));
  CHECK(is_nothing(seen_in(R"({"usage":{"prompt_tokens_details":null},"choices":[]})", usage)));
  CHECK(usage.completion_tokens == 25);
}

TEST_CASE("every count of a provider's usage is seen passing by") {
  Usage usage;
  seen_in(R"({"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":8,)"
          R"("prompt_tokens_details":{"audio_tokens":1,"cached_tokens":2,"cache_write_tokens":3},)"
          R"("completion_tokens_details":{"audio_tokens":4}}})",
          usage);
  CHECK(usage.audio_prompt_tokens == 1);
  CHECK(usage.cached_tokens == 2);
  CHECK(usage.cache_write_tokens == 3);
  CHECK(usage.audio_completion_tokens == 4);
  CHECK(usage.reasoning_tokens == -1);
}

TEST_CASE("usage is found in DeepSeek's and Groq's words, xAI's reasoning is added") {
  Usage deepseek;
  seen_in(R"({"choices":[],"usage":{"prompt_tokens":9,"prompt_cache_hit_tokens":5}})", deepseek);
  CHECK(deepseek.cached_tokens == 5);
  Usage groq;
  seen_in(R"({"choices":[],"x_groq":{"id":"r","usage":{"prompt_tokens":3,"completion_tokens":4}}})",
          groq, true);
  CHECK(groq.prompt_tokens == 3);
  CHECK(groq.completion_tokens == 4);
  seen_in(R"({"choices":[],"usage":null,"x_groq":{"usage":{"prompt_tokens":5}}})", groq, true);
  CHECK(groq.prompt_tokens == 5);
  Usage xai;
  openai_chat::observe_answer(
      R"({"usage":{"prompt_tokens":12,"completion_tokens":1,"total_tokens":303,)"
      R"("completion_tokens_details":{"reasoning_tokens":290}}})",
      xai);
  CHECK(xai.completion_tokens == 291);
}

TEST_CASE("an error object inside a stream is seen, an error of null is none") {
  CHECK(seen_in(R"({"error":{"message":"overloaded","code":null}})").error);
  CHECK(seen_in(R"({"error":"overloaded"})").error);
  CHECK(is_nothing(seen_in(R"({"choices":[],"error":null})")));
  Usage usage;
  CHECK(seen_in(R"({"message":"overloaded"})", usage, false, "error").error);
  // A word of the answer is not an error of the provider.
  CHECK_FALSE(seen_in(chunk(R"({"content":"\"error\""})"), true).error);
}

TEST_CASE("an event named error is seen after the first token as well") {
  Usage usage;
  CHECK(seen_in(R"({"message":"overloaded"})", usage, true, "error").error);
  CHECK(seen_in(R"({"message":"overloaded"})", usage, false, "error").error);
}

TEST_CASE("the end marker ends the stream whatever was before it") {
  for (bool committed : {false, true}) {
    Observation seen = seen_in("[DONE]", committed);
    CHECK(seen.finished);
    CHECK_FALSE(seen.semantic);
    CHECK_FALSE(seen.malformed);
  }
  CHECK_FALSE(seen_in(chunk(R"({"content":"[DONE]"})")).finished);
}

TEST_CASE("what is not one object of JSON is malformed") {
  for (const char* data : {"", "{", "null", "[]", "\"text\"", "{\"choices\":[}", "{} {}",
                           "{\"choices\":[{\"delta\":{\"content\":\"a", "not JSON at all",
                           "{\"choices\":[{\"delta\":{\"content\":\"a\"}}]} trailing"}) {
    CAPTURE(data);
    CHECK(seen_in(data).malformed);
  }
}

TEST_CASE("every prefix of a chunk is malformed and none is finished") {
  const std::string whole = chunk(R"({"content":"a\"b\\","tool_calls":[{"index":0}]})");
  for (size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    // A buffer of its own: the sanitizers see a byte read beyond it.
    std::vector<char> prefix(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size));
    http::SseEvent event;
    event.has_data = true;
    event.data = {prefix.data(), prefix.size()};
    Usage usage;
    Observation seen = openai_chat::observe_event(event, false, usage);
    CHECK(seen.malformed);
    CHECK_FALSE(seen.finished);
  }
  CHECK_FALSE(seen_in(whole).malformed);
}

TEST_CASE("comments and events without data say nothing") {
  for (const char* raw : {": keep-alive\n\n", "\n", "id: 3\n\n", "event: ping\n\n"}) {
    Usage usage;
    CHECK(is_nothing(openai_chat::observe_event(http::parse_event(raw), false, usage)));
  }
}

TEST_CASE("several data lines in one event are passed on as output") {
  Usage usage;
  http::SseEvent event = http::parse_event("data: {\ndata: }\n\n");
  REQUIRE(event.multiple_data);
  CHECK(openai_chat::observe_event(event, false, usage).semantic);
}

TEST_CASE("after the first token usage, errors and the end are still seen, the rest is not read") {
  Usage usage;
  CHECK_FALSE(seen_in(chunk(R"({"content":"more"})"), usage, true).malformed);
  seen_in(R"({"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4}})", usage, true);
  CHECK(usage.prompt_tokens == 3);
  CHECK(usage.completion_tokens == 4);
  CHECK(seen_in(R"({"error":{"message":"gone"}})", usage, true).error);
  CHECK(seen_in("[DONE]", usage, true).finished);
  CHECK(is_nothing(seen_in("neither read nor judged", usage, true)));
}

TEST_CASE("the usage of a plain answer is found wherever it stands") {
  const char* answers[] = {
      R"({"usage":{"prompt_tokens":3,"completion_tokens":4},"choices":[{"message":{}}]})",
      R"({"choices":[{"message":{"content":"\"usage\":{\"prompt_tokens\":9}"}}],)"
      R"("usage":{"total_tokens":7,"completion_tokens":4,"prompt_tokens":3}})",
      " {\n \"usage\" : { \"prompt_tokens\" : 3 , \"completion_tokens\" : 4 } }\n",
  };
  for (const char* answer : answers) {
    Usage usage;
    openai_chat::observe_answer(answer, usage);
    CHECK(usage.prompt_tokens == 3);
    CHECK(usage.completion_tokens == 4);
    CHECK(usage.cached_tokens == -1);
  }
}

TEST_CASE("a plain answer without usage, or none at all, reports nothing") {
  for (const char* answer :
       {"", "{}", "[]", "null", R"({"usage":null})", R"({"usage":[1,2]})",
        R"({"choices":[{"usage":{"prompt_tokens":3}}]})", "<html>502</html>"}) {
    CAPTURE(answer);
    Usage usage;
    openai_chat::observe_answer(answer, usage);
    CHECK_FALSE(usage.known());
  }
}

TEST_CASE("recorded streams commit at the first chunk that gives output and report their usage") {
  const auto folder = test::shared_data("recorded/openai");
  if (!folder) return;
  struct Recorded {
    const char* file;
    int64_t prompt_tokens;
    int64_t completion_tokens;
  };
  const Recorded recordings[] = {
      {"chat.completions/vercel__openai-text.chunks.txt", 16, 300},
      {"chat.completions/vercel__azure-model-router.1.chunks.txt", 15, 78},
      {"completions/vercel__openai-completion-text.chunks.txt", 14, 16},
  };
  for (const Recorded& recorded : recordings) {
    CAPTURE(recorded.file);
    const auto lines = lines_of(test::read_file(*folder / recorded.file));
    REQUIRE(lines.size() > 5);
    Usage usage;
    bool committed = false;
    for (const std::string& line : lines) {
      CAPTURE(line);
      const auto value = test::read_json(line);
      REQUIRE(value);
      const bool was_committed = committed;
      Observation seen = seen_in(line, usage, committed);
      CHECK_FALSE(seen.malformed);
      CHECK_FALSE(seen.error);
      if (!was_committed) CHECK(seen.semantic == gives_output(*value));
      committed |= seen.semantic;
      // The judgement on each chunk by itself, as if it were the first.
      CHECK(seen_in(line).semantic == gives_output(*value));
    }
    CHECK(committed);
    CHECK(usage.prompt_tokens == recorded.prompt_tokens);
    CHECK(usage.completion_tokens == recorded.completion_tokens);
  }
}
