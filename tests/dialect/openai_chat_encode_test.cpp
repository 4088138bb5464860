#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "dialect/harness.h"
#include "dialect/openai_chat.h"
#include "dialect/openai_chat_shape.h"

using namespace hyperion;
using dialect::AnswerContext;
using dialect::ErrorKind;
using dialect::Event;
using dialect::EventKind;
using dialect::Finish;
using dialect::Maker;
using dialect::ProviderError;
using dialect::Usage;
using test::Encoder;
using test::Json;
namespace openai_chat = dialect::openai_chat;

namespace {

// An encoder whose output is checked against the shape of OpenAI's answers.
struct Written {
  explicit Written(const AnswerContext& context) : encoder(openai_chat::language(), context) {}

  // The chunks of a stream without its [DONE].
  std::vector<Json> chunks(bool properly_ended = true) {
    std::vector<std::string> data = test::data_of(encoder.text());
    if (properly_ended) {
      REQUIRE(!data.empty());
      CHECK(data.back() == "[DONE]");
      data.pop_back();
    }
    std::vector<Json> trees;
    for (const std::string& each : data) {
      trees.push_back(test::json_of(each));
      if (trees.back().find("error") == nullptr) {
        test::check_chunk_shape(trees.back());
      } else {
        test::check_error_shape(trees.back());
      }
    }
    return trees;
  }
  Json answer() {
    Json tree = test::json_of(encoder.text());
    test::check_completion_shape(tree);
    return tree;
  }

  Encoder encoder;
};

AnswerContext stream_context(bool include_usage = false) {
  AnswerContext context = test::context_of(true);
  context.include_usage = include_usage;
  return context;
}

Event start_event() {
  Event event;
  event.kind = EventKind::start;
  event.id = "msg_1";
  event.model = "claude";
  event.created_s = 17;
  return event;
}

const Json& delta_of(const Json& chunk) { return chunk["choices"].elements.at(0)["delta"]; }
const Json& message_of(const Json& answer) { return answer["choices"].elements.at(0)["message"]; }
std::string reason_of(const Json& tree) {
  return tree["choices"].elements.at(0)["finish_reason"].text;
}

Event signature_event(EventKind kind, std::string_view signature, Maker maker) {
  Event event;
  event.kind = kind;
  (kind == EventKind::redacted_thinking ? event.text : event.signature) = signature;
  event.signature_of = maker;
  return event;
}

void end(Encoder& encoder, Finish finish = Finish::stop) {
  encoder.finish(finish);
  encoder(EventKind::end);
}

}  // namespace

TEST_CASE("a stream is one role chunk, the texts, an empty delta with the reason, [DONE]") {
  Written written(stream_context());
  written.encoder(start_event());
  written.encoder(EventKind::text, "Hel\\\"");
  written.encoder(EventKind::text, "");
  written.encoder(EventKind::text, "lo");
  Usage usage;
  usage.prompt_tokens = 3;
  written.encoder.usage(usage);
  end(written.encoder);
  CHECK(
      written.encoder.text() ==
      R"(data: {"id":"msg_1","object":"chat.completion.chunk","created":17,"model":"claude",)"
      R"("choices":[{"index":0,"delta":{"role":"assistant","content":"",)"
      R"("refusal":null},"logprobs":null,"finish_reason":null}]})"
      "\n\n"
      R"(data: {"id":"msg_1","object":"chat.completion.chunk","created":17,"model":"claude",)"
      R"("choices":[{"index":0,"delta":{"content":"Hel\""},"logprobs":null,"finish_reason":null}]})"
      "\n\n"
      R"(data: {"id":"msg_1","object":"chat.completion.chunk","created":17,"model":"claude",)"
      R"("choices":[{"index":0,"delta":{"content":"lo"},"logprobs":null,"finish_reason":null}]})"
      "\n\n"
      R"(data: {"id":"msg_1","object":"chat.completion.chunk","created":17,"model":"claude",)"
      R"("choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}]})"
      "\n\ndata: [DONE]\n\n");
  written.chunks();
}

TEST_CASE("with include_usage every chunk has usage null and one more has the counts") {
  Written written(stream_context(true));
  written.encoder(start_event());
  written.encoder(EventKind::text, "a");
  Usage usage;
  usage.prompt_tokens = 10;
  usage.completion_tokens = 4;
  usage.cached_tokens = 6;
  usage.reasoning_tokens = 2;
  written.encoder.usage(usage);
  end(written.encoder);
  const auto chunks = written.chunks();
  REQUIRE(chunks.size() == 4);
  for (size_t i = 0; i < 3; ++i) {
    REQUIRE(chunks[i].find("usage") != nullptr);
    CHECK(chunks[i]["usage"].is(Json::Kind::null));
  }
  CHECK(chunks[3]["choices"].elements.empty());
  CHECK(chunks[3]["usage"]["total_tokens"].integer() == 14);
  CHECK(chunks[3]["usage"]["prompt_tokens_details"]["cached_tokens"].integer() == 6);
  CHECK(chunks[3]["usage"]["prompt_tokens_details"].find("cache_write_tokens") == nullptr);
  CHECK(chunks[3]["usage"]["completion_tokens_details"]["reasoning_tokens"].integer() == 2);
}

TEST_CASE("usage that nobody reported is not invented") {
  Written written(stream_context(true));
  written.encoder(start_event());
  end(written.encoder);
  for (const Json& chunk : written.chunks()) CHECK(chunk["usage"].is(Json::Kind::null));
  Written plain(test::context_of(false));
  plain.encoder(start_event());
  end(plain.encoder);
  CHECK(plain.answer().find("usage") == nullptr);
}

TEST_CASE("an answer that begins with a call shares the role's chunk, content null") {
  Written written(stream_context());
  written.encoder(start_event());
  written.encoder.tool(0, "toolu_1", "f", {"{\\\"a\\\"", ":1}"});
  written.encoder.tool(1, "", "g", {"{}"});
  end(written.encoder, Finish::tool_calls);
  const auto chunks = written.chunks();
  REQUIRE(chunks.size() == 6);
  CHECK(delta_of(chunks[0])["role"].text == "assistant");
  CHECK(delta_of(chunks[0]).find("content")->is(Json::Kind::null));
  const Json& first = delta_of(chunks[0])["tool_calls"].elements.at(0);
  CHECK(first["index"].integer() == 0);
  CHECK(first["id"].text == "toolu_1");
  CHECK(first["function"]["name"].text == "f");
  CHECK(first["function"]["arguments"].text == "");
  const Json& more = delta_of(chunks[1])["tool_calls"].elements.at(0);
  CHECK(more == test::json_of(R"({"index":0,"function":{"arguments":"{\"a\""}})"));
  const Json& second = delta_of(chunks[3])["tool_calls"].elements.at(0);
  CHECK(delta_of(chunks[3]).find("role") == nullptr);
  CHECK(second["index"].integer() == 1);
  CHECK(second["id"].text.starts_with("call_"));
  CHECK(reason_of(chunks[5]) == "tool_calls");
}

TEST_CASE("calls without an id get different ones") {
  Written written(test::context_of(false));
  written.encoder(start_event());
  written.encoder.tool(0, "", "f", {"{}"});
  written.encoder.tool(1, "", "f", {"{}"});
  written.encoder.tool(0, "", "f", {"{}"}, 1);
  written.encoder.finish(Finish::tool_calls, {}, 1);
  end(written.encoder, Finish::tool_calls);
  const Json answer = written.answer();
  const auto& calls = message_of(answer)["tool_calls"].elements;
  REQUIRE(calls.size() == 2);
  CHECK(calls[0]["id"].text != calls[1]["id"].text);
  const Json& other = answer["choices"].elements.at(1)["message"]["tool_calls"].elements.at(0);
  CHECK(other["id"].text != calls[0]["id"].text);
}

TEST_CASE("a plain answer has the members of OpenAI's") {
  Written written(test::context_of(false));
  written.encoder(start_event());
  written.encoder(EventKind::text, "Hel");
  written.encoder(EventKind::text, "lo");
  Usage usage;
  usage.prompt_tokens = 10;
  usage.completion_tokens = 4;
  usage.cache_write_tokens = 3;
  written.encoder.usage(usage);
  end(written.encoder, Finish::length);
  CHECK(written.encoder.text() ==
        R"({"id":"msg_1","object":"chat.completion","created":17,"model":"claude","choices":[)"
        R"({"index":0,"message":{"role":"assistant","content":"Hello","refusal":null},)"
        R"("logprobs":null,)"
        R"("finish_reason":"length"}],"usage":{"prompt_tokens":10,"completion_tokens":4,)"
        R"("total_tokens":14,)"
        R"("prompt_tokens_details":{"cache_write_tokens":3}}})");
  written.answer();
}

TEST_CASE("content is null if there are only calls, and empty if there is nothing") {
  Written calls(test::context_of(false));
  calls.encoder(start_event());
  calls.encoder.tool(0, "a", "f", {"{\\\"a\\\":", "1}"});
  calls.encoder.tool(1, "b", "g", {});
  end(calls.encoder, Finish::tool_calls);
  const Json answer = calls.answer();
  CHECK(message_of(answer)["content"].is(Json::Kind::null));
  const auto& list = message_of(answer)["tool_calls"].elements;
  REQUIRE(list.size() == 2);
  CHECK(list[0]["function"]["arguments"].text == R"({"a":1})");
  CHECK(list[1]["function"]["arguments"].text == "{}");
  CHECK(reason_of(answer) == "tool_calls");

  Written nothing(test::context_of(false));
  nothing.encoder(start_event());
  end(nothing.encoder, Finish::content_filter);
  CHECK(message_of(nothing.answer())["content"].is(Json::Kind::string));
  CHECK(reason_of(nothing.answer()) == "content_filter");
}

TEST_CASE("text and calls that alternate are joined and kept in order") {
  Written written(test::context_of(false));
  written.encoder(start_event());
  written.encoder(EventKind::text, "a");
  written.encoder.tool(0, "1", "f", {"{}"});
  written.encoder(EventKind::text, "b");
  written.encoder.tool(1, "2", "g", {"{}"});
  end(written.encoder, Finish::tool_calls);
  const Json answer = written.answer();
  CHECK(message_of(answer)["content"].text == "ab");
  CHECK(message_of(answer)["tool_calls"].elements.size() == 2);
}

TEST_CASE("only OpenAI's five finish reasons leave") {
  struct Case {
    Finish finish;
    const char* word;
  };
  for (const Case& item :
       {Case{Finish::stop, "stop"}, Case{Finish::stop_sequence, "stop"},
        Case{Finish::length, "length"}, Case{Finish::tool_calls, "tool_calls"},
        Case{Finish::content_filter, "content_filter"}, Case{Finish::refusal, "content_filter"},
        Case{Finish::pause, "stop"}, Case{Finish::malformed_call, "stop"}}) {
    Written stream(stream_context());
    stream.encoder(start_event());
    end(stream.encoder, item.finish);
    CHECK(reason_of(stream.chunks().back()) == item.word);
    Written plain(test::context_of(false));
    plain.encoder(start_event());
    end(plain.encoder, item.finish);
    CHECK(reason_of(plain.answer()) == item.word);
  }
}

TEST_CASE("why a model refused is the refusal; OpenAI's own refusal stops") {
  for (bool stream : {true, false}) {
    Written why(test::context_of(stream));
    why.encoder(start_event());
    why.encoder.finish(Finish::refusal, "not allowed");
    why.encoder(EventKind::end);
    Written own(test::context_of(stream));
    own.encoder(start_event());
    own.encoder(EventKind::refusal, "I cannot");
    end(own.encoder, Finish::refusal);
    if (stream) {
      CHECK(delta_of(why.chunks().at(1))["refusal"].text == "not allowed");
      CHECK(reason_of(why.chunks().back()) == "content_filter");
      CHECK(delta_of(own.chunks().at(1))["refusal"].text == "I cannot");
      CHECK(reason_of(own.chunks().back()) == "stop");
      continue;
    }
    CHECK(message_of(why.answer())["refusal"].text == "not allowed");
    CHECK(message_of(why.answer())["content"].is(Json::Kind::null));
    CHECK(reason_of(why.answer()) == "content_filter");
    CHECK(message_of(own.answer())["refusal"].text == "I cannot");
    CHECK(reason_of(own.answer()) == "stop");
  }
}

TEST_CASE("reasoning goes out as reasoning_content, its signature as a block, if it is shown") {
  for (bool shown : {true, false}) {
    for (bool stream : {true, false}) {
      AnswerContext context = test::context_of(stream);
      context.shows_thinking = shown;
      Written written(context);
      written.encoder(start_event());
      written.encoder(EventKind::thinking, "h\\n");
      written.encoder(EventKind::thinking, "m");
      written.encoder(signature_event(EventKind::thinking_end, "Sig", Maker::anthropic));
      written.encoder(signature_event(EventKind::redacted_thinking, "Red", Maker::anthropic));
      written.encoder(signature_event(EventKind::thinking_end, "Enc", Maker::openai));
      written.encoder(EventKind::thinking, "unsigned");
      written.encoder(EventKind::thinking_end);
      written.encoder(EventKind::text, "a");
      end(written.encoder);
      std::string reasoning;
      std::vector<Json> blocks;
      auto take = [&](const Json& said) {
        reasoning += said["reasoning_content"].text;
        for (const Json& block : said["thinking_blocks"].elements) blocks.push_back(block);
      };
      if (stream) {
        for (const Json& chunk : written.chunks()) take(delta_of(chunk));
      } else {
        take(message_of(written.answer()));
      }
      CHECK(reasoning == (shown ? "h\nmunsigned" : ""));
      REQUIRE(blocks.size() == (shown ? 3 : 0));
      if (!shown) continue;
      CHECK(blocks[0] ==
            test::json_of(R"({"type":"thinking","thinking":"h\nm","signature":"Sig"})"));
      CHECK(blocks[1] == test::json_of(R"({"type":"redacted_thinking","data":"Red"})"));
      CHECK(
          blocks[2] ==
          test::json_of(R"({"type":"thinking","thinking":"","signature":"hyperion.openai.Enc"})"));
    }
  }
}

TEST_CASE("Gemini's signature of a call goes where Google's own layer has it") {
  for (bool stream : {true, false}) {
    Written written(test::context_of(stream));
    written.encoder(start_event());
    Event call;
    call.kind = EventKind::tool_start;
    call.id = "c";
    call.name = "f";
    call.signature = "Sig=";
    call.signature_of = Maker::gemini;
    written.encoder(call);
    end(written.encoder, Finish::tool_calls);
    const std::vector<Json> all = stream ? written.chunks() : std::vector<Json>{written.answer()};
    const Json& said = stream ? delta_of(all[0]) : message_of(all[0]);
    const Json& written_call = said["tool_calls"].elements.at(0);
    CHECK(written_call["extra_content"]["google"]["thought_signature"].text == "Sig=");
  }
}

TEST_CASE("who asked with functions is answered with function_call") {
  for (bool stream : {true, false}) {
    AnswerContext context = test::context_of(stream);
    context.legacy_functions = true;
    Written written(context);
    written.encoder(start_event());
    written.encoder.tool(0, "c", "f", {"{\\\"a\\\":", "1}"});
    written.encoder.tool(1, "d", "g", {"{}"});
    end(written.encoder, Finish::tool_calls);
    std::string name, arguments;
    const std::vector<Json> all = stream ? written.chunks() : std::vector<Json>{written.answer()};
    for (const Json& each : all) {
      const Json& said = stream ? delta_of(each) : message_of(each);
      CHECK(said.find("tool_calls") == nullptr);
      name += said["function_call"]["name"].text;
      arguments += said["function_call"]["arguments"].text;
    }
    CHECK(name == "f");
    CHECK(arguments == R"({"a":1})");
    CHECK(reason_of(all.back()) == "function_call");
  }
}

TEST_CASE("citations are annotations") {
  Event citation;
  citation.kind = EventKind::citation;
  citation.text = "https://a";
  citation.name = "A";
  for (bool stream : {true, false}) {
    Written written(test::context_of(stream));
    written.encoder(start_event());
    written.encoder(EventKind::text, "a");
    written.encoder(citation);
    end(written.encoder);
    const std::vector<Json> all = stream ? written.chunks() : std::vector<Json>{written.answer()};
    const Json& said = stream ? delta_of(all.at(2)) : message_of(all[0]);
    CHECK(said["annotations"].elements.at(0)["url_citation"]["url"].text == "https://a");
    CHECK(said["annotations"].elements.at(0)["url_citation"]["title"].text == "A");
  }
}

TEST_CASE("several choices have their own role and finish, usage comes once") {
  for (bool stream : {true, false}) {
    AnswerContext context = test::context_of(stream);
    context.include_usage = true;
    Written written(context);
    written.encoder(start_event());
    written.encoder(EventKind::text, "a", 0);
    written.encoder(EventKind::text, "b", 1);
    written.encoder(EventKind::text, "A", 0);
    Usage usage;
    usage.prompt_tokens = 1;
    usage.completion_tokens = 2;
    written.encoder.usage(usage);
    written.encoder.finish(Finish::stop, {}, 0);
    written.encoder.finish(Finish::length, {}, 1);
    written.encoder(EventKind::end);
    if (!stream) {
      const Json answer = written.answer();
      REQUIRE(answer["choices"].elements.size() == 2);
      CHECK(answer["choices"].elements[0]["message"]["content"].text == "aA");
      CHECK(answer["choices"].elements[1]["message"]["content"].text == "b");
      CHECK(answer["choices"].elements[1]["finish_reason"].text == "length");
      continue;
    }
    int roles[2] = {}, finishes[2] = {}, usages = 0;
    for (const Json& chunk : written.chunks()) {
      if (!chunk["usage"].is(Json::Kind::null)) ++usages;
      for (const Json& choice : chunk["choices"].elements) {
        const auto index = static_cast<size_t>(choice["index"].integer());
        REQUIRE(index < 2);
        if (choice["delta"].find("role") != nullptr) ++roles[index];
        if (!choice["finish_reason"].text.empty()) ++finishes[index];
      }
    }
    for (size_t i = 0; i < 2; ++i) {
      CHECK(roles[i] == 1);
      CHECK(finishes[i] == 1);
    }
    CHECK(usages == 1);
  }
}

TEST_CASE("id, model and time are the gateway's where the provider gave none") {
  for (bool stream : {true, false}) {
    Written written(test::context_of(stream));
    Event start;
    start.kind = EventKind::start;
    written.encoder(start);
    end(written.encoder);
    const Json tree = stream ? written.chunks().at(0) : written.answer();
    CHECK(tree["id"].text == "chatcmpl-req_1");
    CHECK(tree["model"].text == "asked-for");
    CHECK(tree["created"].integer() == 1'700'000'000);
  }
}

TEST_CASE("an error in a stream is OpenAI's error without [DONE], and nothing follows") {
  Written written(stream_context());
  written.encoder(start_event());
  written.encoder(EventKind::text, "a");
  ProviderError error;
  error.kind = ErrorKind::overload;
  error.message = "Over\\\"loaded";
  Event event;
  event.kind = EventKind::error;
  event.error = &error;
  written.encoder(event);
  written.encoder(EventKind::text, "b");
  written.encoder(EventKind::end);
  const auto chunks = written.chunks(false);
  REQUIRE(chunks.size() == 3);
  CHECK(chunks[2]["error"]["message"].text == "Over\"loaded");
  CHECK(chunks[2]["error"]["type"].text == "server_error");
  CHECK(written.encoder.text().find("[DONE]") == std::string::npos);
}

TEST_CASE("what a provider says of the gateway's key does not reach the client") {
  Written written(stream_context());
  ProviderError error;
  error.kind = ErrorKind::bad_key;
  error.message = "Incorrect API key sk-secret";
  Event event;
  event.kind = EventKind::error;
  event.error = &error;
  written.encoder(event);
  written.chunks(false);
  CHECK(written.encoder.text().find("sk-secret") == std::string::npos);
}

TEST_CASE("an error of a plain answer writes nothing") {
  Written written(test::context_of(false));
  written.encoder(start_event());
  written.encoder(EventKind::text, "a");
  written.encoder(EventKind::error);
  written.encoder(EventKind::end);
  CHECK(written.encoder.text().empty());
}

TEST_CASE("events in any order give JSON, and never crash") {
  const EventKind kinds[] = {
      EventKind::start,      EventKind::text,           EventKind::refusal,
      EventKind::thinking,   EventKind::thinking_end,   EventKind::redacted_thinking,
      EventKind::tool_start, EventKind::tool_arguments, EventKind::tool_end,
      EventKind::citation,   EventKind::usage,          EventKind::finish,
      EventKind::end,        EventKind::error};
  uint32_t state = 12345;
  auto random = [&state](uint32_t below) {
    state = state * 1664525 + 1013904223;
    return (state >> 8) % below;
  };
  for (int round = 0; round < 3000; ++round) {
    AnswerContext context = test::context_of(random(2) == 0);
    context.include_usage = random(2) == 0;
    context.legacy_functions = random(4) == 0;
    context.shows_thinking = random(3) != 0;
    Written written(context);
    const uint32_t count = random(12);
    for (uint32_t i = 0; i < count; ++i) {
      Event event;
      event.kind = kinds[random(i + 1 == count ? 14 : 12)];
      event.choice = random(8) == 0 ? random(200) : random(2);
      event.tool = random(3);
      event.text = random(2) == 0 ? "x\\u00e9" : "";
      event.id = random(2) == 0 ? "id" : "";
      event.name = "n";
      event.signature = random(2) == 0 ? "s" : "";
      event.finish = static_cast<Finish>(random(8));
      written.encoder(event);
    }
    if (!context.stream) {
      written.encoder(EventKind::end);
      if (!written.encoder.text().empty()) written.answer();
    } else {
      const std::string text = written.encoder.text();
      written.chunks(text.ends_with("data: [DONE]\n\n"));
    }
  }
}
