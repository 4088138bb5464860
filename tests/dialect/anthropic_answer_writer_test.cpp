#include <string>

#include <doctest/doctest.h>

#include "dialect/anthropic.h"
#include "dialect/harness.h"

using namespace hyperion;
using namespace hyperion::dialect;
using test::Encoder;
using test::json_of;
using Tree = test::Json;

namespace {

Usage full_usage() {
  Usage usage;
  usage.prompt_tokens = 22;
  usage.cached_tokens = 5;
  usage.cache_write_tokens = 7;
  usage.cache_write_1h_tokens = 4;
  usage.completion_tokens = 12;
  usage.reasoning_tokens = 3;
  return usage;
}

Event start_event() {
  Event event;
  event.kind = EventKind::start;
  event.id = "chatcmpl-1";
  event.model = "gpt-x";
  return event;
}

Event thinking_end(std::string_view signature, Maker maker) {
  Event event;
  event.kind = EventKind::thinking_end;
  event.signature = signature;
  event.signature_of = maker;
  return event;
}

// A whole answer of everything.
void give_all(Encoder& encoder) {
  encoder(start_event());
  encoder(EventKind::thinking, "h\\n");
  encoder(EventKind::thinking, "m");
  encoder(thinking_end("sig", Maker::anthropic));
  encoder(EventKind::text, "a");
  encoder(EventKind::text, "b\\\"");
  encoder.tool(0, "call_1", "f", {"{\\\"x\\\"", ": 1}"});
  encoder.tool(1, "call_2", "g", {"{}"});
  encoder.finish(Finish::tool_calls);
  encoder.usage(full_usage());
  encoder(EventKind::end);
}

// The names and the data of the events, which must agree.
std::vector<Tree> events_of(const std::string& bytes) {
  std::vector<Tree> events;
  http::SseSplitter splitter;
  std::string_view left = bytes;
  while (true) {
    const size_t length = splitter.find_event_end(left);
    if (length == 0) break;
    const http::SseEvent event = http::parse_event(left.substr(0, length));
    events.push_back(json_of(event.data));
    CHECK(event.event == events.back()["type"].text);
    left.remove_prefix(length);
  }
  CHECK(left.empty());
  return events;
}

}  // namespace

TEST_CASE("a stream begins with the usage that its provider gives at once") {
  Encoder encoder(anthropic::language(), test::context_of(true));
  const Usage usage = full_usage();
  Event start;
  start.kind = EventKind::start;
  start.usage = &usage;
  encoder(start);
  const Tree told = events_of(encoder.text()).front()["message"]["usage"];
  CHECK(told["input_tokens"].text == "10");
  CHECK(told["cache_read_input_tokens"].text == "5");
}

TEST_CASE("a stream is message_start, blocks with rising indexes, message_delta, message_stop") {
  Encoder encoder(anthropic::language(), test::context_of(true));
  give_all(encoder);
  const char* expected[] = {
      R"({"type":"message_start","message":{"id":"chatcmpl-1","type":"message",)"
      R"("role":"assistant","model":"gpt-x","content":[],"stop_reason":null,)"
      R"("stop_sequence":null,"usage":{"input_tokens":0,"output_tokens":0}}})",
      R"({"type":"content_block_start","index":0,"content_block":{"type":"thinking",)"
      R"("thinking":"","signature":""}})",
      R"({"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta",)"
      R"("thinking":"h\n"}})",
      R"({"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta",)"
      R"("thinking":"m"}})",
      R"({"type":"content_block_delta","index":0,"delta":{"type":"signature_delta",)"
      R"("signature":"sig"}})",
      R"({"type":"content_block_stop","index":0})",
      R"({"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}})",
      R"({"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"a"}})",
      R"({"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"b\""}})",
      R"({"type":"content_block_stop","index":1})",
      R"({"type":"content_block_start","index":2,"content_block":{"type":"tool_use",)"
      R"("id":"call_1","name":"f","input":{}}})",
      R"({"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta",)"
      R"("partial_json":"{\"x\""}})",
      R"({"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta",)"
      R"("partial_json":": 1}"}})",
      R"({"type":"content_block_stop","index":2})",
      R"({"type":"content_block_start","index":3,"content_block":{"type":"tool_use",)"
      R"("id":"call_2","name":"g","input":{}}})",
      R"({"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta",)"
      R"("partial_json":"{}"}})",
      R"({"type":"content_block_stop","index":3})",
      R"({"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},)"
      R"("usage":{"input_tokens":10,"cache_creation_input_tokens":7,)"
      R"("cache_read_input_tokens":5,"output_tokens":12,)"
      R"("output_tokens_details":{"thinking_tokens":3}}})",
      R"({"type":"message_stop"})",
  };
  const std::vector<Tree> events = events_of(encoder.text());
  REQUIRE(events.size() == std::size(expected));
  for (size_t i = 0; i < events.size(); ++i) {
    CAPTURE(i);
    CHECK(events[i] == json_of(expected[i]));
  }
}

TEST_CASE("a whole answer is one message") {
  Encoder encoder(anthropic::language(), test::context_of(false));
  give_all(encoder);
  CHECK(json_of(encoder.text()) ==
        json_of(R"({"id":"chatcmpl-1","type":"message","role":"assistant","model":"gpt-x",)"
                R"("content":[{"type":"thinking","thinking":"h\nm","signature":"sig"},)"
                R"({"type":"text","text":"ab\""},)"
                R"({"type":"tool_use","id":"call_1","name":"f","input":{"x": 1}},)"
                R"({"type":"tool_use","id":"call_2","name":"g","input":{}}],)"
                R"("stop_reason":"tool_use","stop_sequence":null,"usage":{"input_tokens":10,)"
                R"("cache_creation_input_tokens":7,"cache_read_input_tokens":5,)"
                R"("cache_creation":{"ephemeral_5m_input_tokens":3,)"
                R"("ephemeral_1h_input_tokens":4},"output_tokens":12,)"
                R"("output_tokens_details":{"thinking_tokens":3}}})"));
}

TEST_CASE("each finish has Anthropic's reason") {
  struct Case {
    Finish finish;
    const char* reason;
  };
  const Case cases[] = {
      {Finish::stop, "end_turn"},          {Finish::stop_sequence, "stop_sequence"},
      {Finish::length, "max_tokens"},      {Finish::tool_calls, "tool_use"},
      {Finish::content_filter, "refusal"}, {Finish::refusal, "refusal"},
      {Finish::pause, "pause_turn"},       {Finish::malformed_call, "end_turn"},
  };
  for (const Case& item : cases) {
    CAPTURE(item.reason);
    for (bool stream : {false, true}) {
      Encoder encoder(anthropic::language(), test::context_of(stream));
      encoder(start_event());
      encoder.finish(item.finish, "X");
      encoder(EventKind::end);
      const Tree whole =
          stream ? events_of(encoder.text()).at(1)["delta"] : json_of(encoder.text());
      CHECK(whole["stop_reason"].text == item.reason);
      CHECK(whole["stop_sequence"].text == (item.finish == Finish::stop_sequence ? "X" : ""));
      if (item.finish == Finish::refusal) {
        CHECK(whole["stop_details"] ==
              json_of(R"({"type":"refusal","category":null,"explanation":"X"})"));
      }
    }
  }
}

TEST_CASE("a stop with calls to be made is tool_use, a refusal in words is a refusal") {
  Encoder tools(anthropic::language(), test::context_of(false));
  tools(start_event());
  tools.tool(0, "c", "f", {"{}"});
  tools.finish(Finish::stop);
  tools(EventKind::end);
  CHECK(json_of(tools.text())["stop_reason"].text == "tool_use");
  Encoder refusal(anthropic::language(), test::context_of(false));
  refusal(start_event());
  refusal(EventKind::refusal, "I will not");
  refusal.finish(Finish::stop);
  refusal(EventKind::end);
  CHECK(json_of(refusal.text())["stop_reason"].text == "refusal");
  CHECK(json_of(refusal.text())["content"].elements[0]["text"].text == "I will not");
}

TEST_CASE("usage that nobody reported is written only where a number must stand") {
  Encoder stream(anthropic::language(), test::context_of(true));
  stream(start_event());
  stream.finish(Finish::stop);
  stream(EventKind::end);
  CHECK(events_of(stream.text()).at(1)["usage"] == json_of(R"({"output_tokens":0})"));
  Encoder plain(anthropic::language(), test::context_of(false));
  plain(start_event());
  plain(EventKind::end);
  CHECK(json_of(plain.text())["usage"] == json_of(R"({"input_tokens":0,"output_tokens":0})"));
}

TEST_CASE("what the provider did not name is named by the gateway") {
  Encoder encoder(anthropic::language(), test::context_of(false));
  encoder(EventKind::text, "a");
  encoder(EventKind::end);
  const Tree message = json_of(encoder.text());
  CHECK(message["id"].text == "msg_req_1");
  CHECK(message["model"].text == "asked-for");
  CHECK(message["content"].elements[0]["text"].text == "a");
  CHECK(message["stop_reason"].text == "end_turn");
}

TEST_CASE("another vendor's signatures carry its name") {
  for (bool stream : {false, true}) {
    Encoder encoder(anthropic::language(), test::context_of(stream));
    encoder(start_event());
    encoder(EventKind::thinking, "hm");
    encoder(thinking_end("sig", Maker::gemini));
    encoder(thinking_end("bare", Maker::openai));
    Event redacted;
    redacted.kind = EventKind::redacted_thinking;
    redacted.text = "enc";
    redacted.signature_of = Maker::openai;
    encoder(redacted);
    encoder(EventKind::end);
    CHECK(encoder.text().find("\"signature\":\"hyperion.gemini.sig\"") != std::string::npos);
    CHECK(encoder.text().find("\"signature\":\"hyperion.openai.bare\"") != std::string::npos);
    CHECK(encoder.text().find("\"data\":\"hyperion.openai.enc\"") != std::string::npos);
  }
}

TEST_CASE("a call's own signature comes back with the call") {
  for (bool stream : {false, true}) {
    Encoder encoder(anthropic::language(), test::context_of(stream));
    encoder(start_event());
    Event event;
    event.kind = EventKind::tool_start;
    event.id = "c";
    event.name = "f";
    event.signature = "sig";
    event.signature_of = Maker::gemini;
    encoder(event);
    event = {};
    event.kind = EventKind::tool_end;
    encoder(event);
    encoder.finish(Finish::tool_calls);
    encoder(EventKind::end);
    Tree content;
    if (stream) {
      const auto events = events_of(encoder.text());
      CHECK(events.at(1)["content_block"] ==
            json_of(R"({"type":"redacted_thinking","data":"hyperion.gemini.sig"})"));
      CHECK(events.at(3)["content_block"]["type"].text == "tool_use");
      CHECK(events.at(3)["index"].integer() == 1);
      continue;
    }
    // The client gives the turn back as it came.
    const std::string text = encoder.text();
    const size_t begin = text.find("\"content\":") + 10;
    const std::string blocks = text.substr(begin, text.find(",\"stop_reason\"") - begin);
    test::Decoding decoded(
        anthropic::language(),
        R"({"max_tokens":1,"messages":[{"role":"user","content":"x"},{"role":"assistant",)"
        R"("content":)" +
            blocks +
            R"(},{"role":"user","content":[{"type":"tool_result",)"
            R"("tool_use_id":"c"}]}]})");
    REQUIRE(decoded.accepted);
    const Part& call = *decoded.request.messages.first->next->parts.first;
    CHECK(call.kind == PartKind::tool_call);
    CHECK(call.signature.bytes == "sig");
    CHECK(call.signature_of == Maker::gemini);
  }
}

TEST_CASE("thinking that is not to be shown leaves its signature only") {
  AnswerContext context = test::context_of(false);
  context.shows_thinking = false;
  Encoder encoder(anthropic::language(), context);
  encoder(start_event());
  encoder(EventKind::thinking, "secret");
  encoder(thinking_end("sig", Maker::anthropic));
  encoder(EventKind::thinking, "unsigned");
  encoder(thinking_end("", Maker::unknown));
  encoder(EventKind::text, "a");
  encoder(EventKind::end);
  CHECK(json_of(encoder.text())["content"] ==
        json_of(R"([{"type":"thinking","thinking":"","signature":"sig"},)"
                R"({"type":"text","text":"a"}])"));
}

TEST_CASE("who asked for no thinking gets its signature before a call only") {
  for (bool calls : {false, true}) {
    AnswerContext context = test::context_of(false);
    context.shows_thinking = context.thinking_asked = false;
    Encoder encoder(anthropic::language(), context);
    encoder(start_event());
    encoder(EventKind::thinking, "secret");
    encoder(thinking_end("first", Maker::openai));
    encoder(thinking_end("second", Maker::openai));
    if (!calls) encoder(EventKind::text, "a");
    encoder(thinking_end("last", Maker::anthropic));
    if (calls) encoder.tool(0, "c", "f", {"{}"});
    encoder(EventKind::end);
    const std::string call = R"({"type":"tool_use","id":"c","name":"f","input":{}})";
    const std::string wanted =
        calls ? R"([{"type":"thinking","thinking":"","signature":"hyperion.openai.first"},)"
                R"({"type":"thinking","thinking":"","signature":"hyperion.openai.second"},)"
                R"({"type":"thinking","thinking":"","signature":"last"},)" +
                    call + "]"
              : R"([{"type":"text","text":"a"}])";
    CHECK(json_of(encoder.text())["content"] == json_of(wanted));
  }
}

TEST_CASE("arguments that make no object become an empty one in a whole answer") {
  for (const char* arguments : {"", "{\\\"a\\\":", "[1]", "\\\"text\\\"", "{} {}"}) {
    CAPTURE(arguments);
    Encoder encoder(anthropic::language(), test::context_of(false));
    encoder(start_event());
    encoder.tool(0, "c", "f", {arguments});
    encoder(EventKind::text, "after");
    encoder(EventKind::end);
    const Tree message = json_of(encoder.text());
    CHECK(message["content"].elements[0]["input"] == json_of("{}"));
    CHECK(message["content"].elements[1]["text"].text == "after");
  }
}

TEST_CASE("calls that are open at once keep their blocks apart") {
  Encoder encoder(anthropic::language(), test::context_of(true));
  encoder(start_event());
  Event event;
  for (uint32_t tool : {0U, 1U}) {
    event = {};
    event.kind = EventKind::tool_start;
    event.tool = tool;
    event.id = tool == 0 ? "a" : "b";
    encoder(event);
  }
  for (uint32_t tool : {1U, 0U}) {
    event = {};
    event.kind = EventKind::tool_arguments;
    event.tool = tool;
    event.text = "{}";
    encoder(event);
  }
  encoder.finish(Finish::tool_calls);
  encoder(EventKind::end);
  const auto events = events_of(encoder.text());
  REQUIRE(events.size() == 9);
  CHECK(events[3]["index"].integer() == 1);
  CHECK(events[4]["index"].integer() == 0);
  CHECK(events[5]["type"].text == "content_block_stop");
  CHECK(events[6]["type"].text == "content_block_stop");
}

TEST_CASE("an error ends a stream with an error event and leaves nothing of a whole answer") {
  ProviderError error;
  error.kind = ErrorKind::overload;
  error.message = "Over\\nloaded";
  Event event;
  event.kind = EventKind::error;
  event.error = &error;
  for (bool stream : {false, true}) {
    Encoder encoder(anthropic::language(), test::context_of(stream));
    encoder(start_event());
    encoder(EventKind::text, "a");
    encoder(event);
    encoder(EventKind::text, "never");
    encoder(EventKind::end);
    if (!stream) {
      CHECK(encoder.text().empty());
      continue;
    }
    const auto events = events_of(encoder.text());
    CHECK(events.back()["type"].text == "error");
    CHECK(events.back()["error"]["type"].text == "overloaded_error");
    CHECK(events.back()["error"]["message"].text == "Over\nloaded");
    CHECK(encoder.text().find("message_stop") == std::string::npos);
  }
}

TEST_CASE("what a provider says of the gateway's key stays with the gateway") {
  ProviderError error;
  error.kind = ErrorKind::bad_key;
  error.message = "invalid x-api-key sk-secret";
  Event event;
  event.kind = EventKind::error;
  event.error = &error;
  Encoder encoder(anthropic::language(), test::context_of(true));
  encoder(event);
  CHECK(encoder.text().find("secret") == std::string::npos);
  CHECK(events_of(encoder.text()).back()["type"].text == "error");
}

TEST_CASE("any order of events gives valid JSON") {
  const EventKind kinds[] = {
      EventKind::start,      EventKind::text,           EventKind::refusal,
      EventKind::thinking,   EventKind::thinking_end,   EventKind::redacted_thinking,
      EventKind::tool_start, EventKind::tool_arguments, EventKind::tool_end,
      EventKind::citation,   EventKind::usage,          EventKind::finish};
  uint64_t seed = 1;
  auto next = [&seed](uint64_t limit) {
    seed = seed * 6364136223846793005 + 1442695040888963407;
    return (seed >> 33) % limit;
  };
  for (int round = 0; round < 2000; ++round) {
    CAPTURE(round);
    for (bool stream : {false, true}) {
      Encoder encoder(anthropic::language(), test::context_of(stream));
      const uint64_t count = next(12);
      for (uint64_t i = 0; i < count; ++i) {
        Event event;
        event.kind = kinds[next(std::size(kinds))];
        event.text = next(3) == 0 ? "" : "{\\\"a\\\":1}";
        event.tool = static_cast<uint32_t>(next(3));
        event.signature = next(2) == 0 ? "" : "s";
        event.choice = static_cast<uint32_t>(next(4) == 0);
        encoder(event);
      }
      encoder(EventKind::end);
      if (stream) {
        const auto events = events_of(encoder.text());
        CHECK(events.front()["type"].text == "message_start");
        CHECK(events.back()["type"].text == "message_stop");
        int64_t open = 0;
        for (const Tree& event : events) {
          open += event["type"].text == "content_block_start";
          open -= event["type"].text == "content_block_stop";
        }
        CHECK(open == 0);
      } else {
        CHECK(json_of(encoder.text())["content"].is(Tree::Kind::array));
      }
    }
  }
}
