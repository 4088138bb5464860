#include <set>
#include <string>
#include <vector>

#include "dialect/harness.h"
#include "dialect/openai_responses.h"

using namespace hyperion;
using namespace hyperion::dialect;
using test::Answer;
using test::context_of;
using test::data_of;
using test::Encoder;
using test::json_of;

namespace {

const Language& responses() { return openai_responses::language(); }

Event start_event() {
  Event event;
  event.kind = EventKind::start;
  event.id = "msg_01AbC";
  event.model = "claude-x";
  event.created_s = 1'700'000'001;
  return event;
}

Event signed_event(EventKind kind, std::string_view signature, Maker maker) {
  Event event;
  event.kind = kind;
  event.signature = signature;
  event.signature_of = maker;
  return event;
}

Usage some_usage() {
  Usage usage;
  usage.prompt_tokens = 10;
  usage.completion_tokens = 5;
  usage.cached_tokens = 4;
  usage.reasoning_tokens = 2;
  return usage;
}

std::vector<test::Json> events_of(const std::string& stream) {
  std::vector<test::Json> all;
  for (const std::string& data : data_of(stream)) all.push_back(json_of(data));
  return all;
}

std::string types_of(const std::vector<test::Json>& events) {
  std::string types;
  for (const test::Json& event : events) {
    std::string type = event["type"].text;
    if (type.starts_with("response.")) type.erase(0, 9);
    types += type + "\n";
  }
  return types;
}

// What a client that follows the stream event by event ends up with, and whether the order is one
// that clients can follow.
test::Json followed(const std::vector<test::Json>& events) {
  std::vector<test::Json> items;
  std::set<size_t> done;
  int64_t expected = 0;
  for (const test::Json& event : events) {
    CHECK(event["sequence_number"].integer() == expected++);
    const std::string type = event["type"].text;
    if (!event.find("output_index")) continue;
    const auto index = static_cast<size_t>(event["output_index"].integer());
    if (type == "response.output_item.added") {
      CHECK(index == items.size());
      items.push_back(event["item"]);
      continue;
    }
    REQUIRE(index < items.size());
    CHECK(done.count(index) == 0);
    if (event.find("item_id")) CHECK(event["item_id"] == items[index]["id"]);
    if (type == "response.output_item.done") {
      CHECK(event["item"]["id"] == items[index]["id"]);
      items[index] = event["item"];
      done.insert(index);
    }
  }
  const test::Json& response = events.back()["response"];
  CHECK(done.size() == items.size());
  CHECK(response["output"].elements == items);
  return response;
}

}  // namespace

TEST_CASE("a stream of text goes through every event that clients wait for") {
  Encoder encoder(responses(), context_of(true));
  encoder(start_event());
  encoder(EventKind::text, "Hel");
  encoder(EventKind::text, "lo \\u00e4");
  encoder.usage(some_usage());
  encoder.finish(Finish::stop);
  encoder(EventKind::end);
  const auto events = events_of(encoder.text());
  CHECK(types_of(events) ==
        "created\nin_progress\noutput_item.added\ncontent_part.added\noutput_text.delta\n"
        "output_text.delta\noutput_text.done\ncontent_part.done\noutput_item.done\ncompleted\n");
  const test::Json response = followed(events);
  CHECK(response["id"].text == "resp_msg_01AbC");
  CHECK(response["model"].text == "claude-x");
  CHECK(response["created_at"].integer() == 1'700'000'001);
  CHECK(response["status"].text == "completed");
  CHECK(response["output"] == json_of(R"([{"id":"msg_msg_01AbC_0","type":"message",
    "status":"completed","content":[{"type":"output_text","annotations":[],"logprobs":[],
    "text":"Hello ä"}],"role":"assistant"}])"));
  CHECK(response["usage"] == json_of(R"({"input_tokens":10,"input_tokens_details":{
    "cached_tokens":4,"cache_write_tokens":0},"output_tokens":5,"output_tokens_details":{
    "reasoning_tokens":2},"total_tokens":15})"));
  CHECK(events[0]["response"]["status"].text == "in_progress");
  CHECK(events[4] == json_of(R"({"type":"response.output_text.delta","item_id":"msg_msg_01AbC_0",
    "output_index":0,"content_index":0,"delta":"Hel","logprobs":[],"sequence_number":4})"));
}

TEST_CASE("every event of a stream is named as its data says") {
  Encoder encoder(responses(), context_of(true));
  encoder(start_event());
  encoder(EventKind::text, "a");
  encoder.finish(Finish::stop);
  encoder(EventKind::end);
  const std::string stream = encoder.text();
  std::string_view rest = stream;
  http::SseSplitter splitter;
  while (const size_t size = splitter.find_event_end(rest)) {
    const http::SseEvent event = http::parse_event(rest.substr(0, size));
    CHECK(json_of(event.data)["type"].text == event.event);
    rest.remove_prefix(size);
  }
}

TEST_CASE("a response has every member that clients read without asking") {
  Encoder encoder(responses(), context_of(false));
  encoder(EventKind::text, "a");
  encoder.finish(Finish::stop);
  encoder(EventKind::end);
  const test::Json response = json_of(encoder.text());
  for (const char* name : {"id",
                           "object",
                           "created_at",
                           "status",
                           "background",
                           "error",
                           "incomplete_details",
                           "instructions",
                           "model",
                           "output",
                           "max_output_tokens",
                           "parallel_tool_calls",
                           "previous_response_id",
                           "reasoning",
                           "service_tier",
                           "store",
                           "temperature",
                           "text",
                           "tool_choice",
                           "tools",
                           "top_logprobs",
                           "top_p",
                           "truncation",
                           "usage",
                           "user",
                           "metadata"}) {
    CAPTURE(name);
    CHECK(response.find(name) != nullptr);
  }
  CHECK(response["object"].text == "response");
  CHECK(response["id"].text == "resp_req_1");
  CHECK(response["model"].text == "asked-for");
  CHECK(response["created_at"].integer() == 1'700'000'000);
  CHECK_MESSAGE(response["usage"].is(test::Json::Kind::null), "usage is never invented");
  CHECK(response["tool_choice"].text == "auto");
  CHECK(response["parallel_tool_calls"].boolean);
  CHECK(response["tools"].elements.empty());
  CHECK(response["text"] == json_of(R"({"format":{"type":"text"}})"));
}

TEST_CASE("a response repeats what the client asked") {
  const test::Decoding asked(responses(), R"({"input":"a","temperature":0.5,"top_p":1,"user":"u",
    "max_output_tokens":50,"metadata":{"k":"v"},"parallel_tool_calls":false,
    "reasoning":{"effort":"low","summary":"auto"},"tools":[{"type":"function","name":"f",
    "description":"d","parameters":{"z":1}},{"type":"custom","name":"c"}],
    "tool_choice":{"type":"function","name":"f"},"text":{"verbosity":"low",
    "format":{"type":"json_schema","name":"n","schema":{"a":1},"strict":true}}})");
  REQUIRE(asked.accepted);
  AnswerContext context = context_of(false);
  context.request = &asked.request;
  Encoder encoder(responses(), context);
  encoder.finish(Finish::stop);
  encoder(EventKind::end);
  const test::Json response = json_of(encoder.text());
  CHECK(response["temperature"].text == "0.5");
  CHECK(response["top_p"].text == "1");
  CHECK(response["user"].text == "u");
  CHECK(response["max_output_tokens"].integer() == 50);
  CHECK(response["metadata"] == json_of(R"({"k":"v"})"));
  CHECK(!response["parallel_tool_calls"].boolean);
  CHECK(response["reasoning"] == json_of(R"({"effort":"low","summary":"auto"})"));
  CHECK(response["tools"] == json_of(R"([{"type":"function","description":"d","name":"f",
    "parameters":{"z":1},"strict":false},{"type":"custom","name":"c"}])"));
  CHECK(response["tool_choice"] == json_of(R"({"type":"function","name":"f"})"));
  CHECK(response["text"] == json_of(R"({"format":{"type":"json_schema","name":"n","schema":{"a":1},
    "strict":true},"verbosity":"low"})"));
}

TEST_CASE("calls are items of their own, after the words before them") {
  Encoder encoder(responses(), context_of(true));
  encoder(start_event());
  encoder(EventKind::text, "let me see");
  encoder.tool(0, "call_1", "f", {"{\\\"a\\\"", ":1}"});
  encoder.tool(1, "call_2", "g", {"{}"});
  encoder(EventKind::text, "so");
  encoder.finish(Finish::tool_calls);
  encoder(EventKind::end);
  const auto events = events_of(encoder.text());
  CHECK(types_of(events) ==
        "created\nin_progress\noutput_item.added\ncontent_part.added\noutput_text.delta\n"
        "output_text.done\ncontent_part.done\noutput_item.done\n"
        "output_item.added\nfunction_call_arguments.delta\nfunction_call_arguments.delta\n"
        "function_call_arguments.done\noutput_item.done\n"
        "output_item.added\nfunction_call_arguments.delta\nfunction_call_arguments.done\n"
        "output_item.done\n"
        "output_item.added\ncontent_part.added\noutput_text.delta\noutput_text.done\n"
        "content_part.done\noutput_item.done\ncompleted\n");
  const test::Json response = followed(events);
  CHECK(response["status"].text == "completed");
  CHECK(response["output"].elements[1] == json_of(R"({"id":"fc_msg_01AbC_1","type":"function_call",
    "status":"completed","arguments":"{\"a\":1}","call_id":"call_1","name":"f"})"));
  CHECK(events[11]["arguments"].text == "{\"a\":1}");
}

TEST_CASE("a call without arguments is given an empty object, unless the answer was cut") {
  for (Finish finish : {Finish::tool_calls, Finish::length}) {
    Encoder encoder(responses(), context_of(true));
    Event call;
    call.kind = EventKind::tool_start;
    call.id = "c";
    call.name = "f";
    encoder(call);
    encoder.finish(finish);
    encoder(EventKind::end);
    const test::Json response = followed(events_of(encoder.text()));
    CHECK(response["output"].elements[0]["arguments"].text ==
          (finish == Finish::length ? "" : "{}"));
  }
}

TEST_CASE("pieces of calls that alternate come to whole arguments") {
  for (bool stream : {true, false}) {
    Encoder encoder(responses(), context_of(stream));
    Event call;
    call.kind = EventKind::tool_start;
    for (uint32_t tool : {0U, 1U}) {
      call.tool = tool;
      call.id = tool == 0 ? "a" : "b";
      call.name = "f";
      encoder(call);
    }
    call = Event();
    call.kind = EventKind::tool_arguments;
    for (const char* piece : {"{", "\\\"x\\\":", "1", "}"}) {
      for (uint32_t tool : {0U, 1U}) {
        call.tool = tool;
        call.text = piece;
        encoder(call);
      }
    }
    call = Event();
    call.kind = EventKind::tool_end;
    for (uint32_t tool : {0U, 1U}) {
      call.tool = tool;
      encoder(call);
    }
    encoder.finish(Finish::tool_calls);
    encoder(EventKind::end);
    const test::Json response =
        stream ? followed(events_of(encoder.text())) : json_of(encoder.text());
    REQUIRE(response["output"].elements.size() == 2);
    for (const test::Json& item : response["output"].elements) {
      CHECK(item["arguments"].text == "{\"x\":1}");
    }
  }
}

TEST_CASE("reasoning is the summary of an item, signed by its maker") {
  Encoder encoder(responses(), context_of(true));
  encoder(start_event());
  encoder(EventKind::thinking, "hm");
  encoder(EventKind::thinking, "m");
  encoder(signed_event(EventKind::thinking_end, "Sig+\\/", Maker::anthropic));
  Event redacted;
  redacted.kind = EventKind::redacted_thinking;
  redacted.text = "Opaque";
  redacted.signature_of = Maker::anthropic;
  encoder(redacted);
  encoder(EventKind::text, "a");
  encoder.finish(Finish::stop);
  encoder(EventKind::end);
  const auto events = events_of(encoder.text());
  CHECK(types_of(events).starts_with(
      "created\nin_progress\noutput_item.added\nreasoning_summary_part.added\n"
      "reasoning_summary_text.delta\nreasoning_summary_text.delta\nreasoning_summary_text.done\n"
      "reasoning_summary_part.done\noutput_item.done\noutput_item.added\noutput_item.done\n"));
  const test::Json response = followed(events);
  CHECK(response["output"].elements[0] == json_of(R"({"id":"rs_msg_01AbC_0","type":"reasoning",
    "summary":[{"type":"summary_text","text":"hmm"}],
    "encrypted_content":"hyperion.anthropic.Sig+/"})"));
  CHECK(response["output"].elements[1]["encrypted_content"].text ==
        "hyperion.anthropic.redacted.Opaque");
}

TEST_CASE("reasoning that is not shown keeps its signature") {
  AnswerContext context = context_of(false);
  context.shows_thinking = false;
  Encoder encoder(responses(), context);
  encoder(EventKind::thinking, "secret");
  encoder(signed_event(EventKind::thinking_end, "S", Maker::anthropic));
  encoder(EventKind::text, "a");
  encoder.finish(Finish::stop);
  encoder(EventKind::end);
  const test::Json response = json_of(encoder.text());
  CHECK(encoder.text().find("secret") == std::string::npos);
  CHECK(response["output"].elements[0]["summary"].elements.empty());
  CHECK(response["output"].elements[0]["encrypted_content"].text == "hyperion.anthropic.S");
}

TEST_CASE("the signature of a call comes back with the call (ai-gateway#2365, litellm#18374)") {
  Encoder encoder(responses(), context_of(true));
  encoder(start_event());
  Event call = signed_event(EventKind::tool_start, "Thought", Maker::gemini);
  call.id = "call_1";
  call.name = "f";
  encoder(call);
  call = Event();
  call.kind = EventKind::tool_arguments;
  call.text = "{}";
  encoder(call);
  call.kind = EventKind::tool_end;
  encoder(call);
  encoder.finish(Finish::tool_calls);
  encoder(EventKind::end);
  const test::Json response = followed(events_of(encoder.text()));
  REQUIRE(response["output"].elements.size() == 2);
  CHECK(response["output"].elements[0]["encrypted_content"].text == "hyperion.gemini.call.Thought");
  // As a client sends it back: the output, and the result.
  std::string stream = encoder.text();
  const size_t at = stream.rfind("\"output\":[") + 9;
  const size_t end = stream.find(",\"max_output_tokens\"", at);
  std::string items = stream.substr(at, end - at);
  items.pop_back();
  const test::Decoding back(
      responses(), R"({"input":)" + items +
                       R"(,{"type":"function_call_output","call_id":"call_1","output":"x"}]})");
  REQUIRE_MESSAGE(back.accepted, back.message());
  const Part* part = back.request.messages.first->parts.first;
  CHECK(part->kind == PartKind::tool_call);
  CHECK(part->signature.bytes == "Thought");
  CHECK(part->signature_of == Maker::gemini);
}

TEST_CASE("why an answer ended, as status and details") {
  struct Case {
    Finish finish;
    const char* status;
    const char* details;
    const char* last;
  };
  const Case cases[] = {
      {Finish::stop, "completed", "null", "response.completed"},
      {Finish::stop_sequence, "completed", "null", "response.completed"},
      {Finish::tool_calls, "completed", "null", "response.completed"},
      {Finish::pause, "completed", "null", "response.completed"},
      {Finish::length, "incomplete", R"({"reason":"max_output_tokens"})", "response.incomplete"},
      {Finish::content_filter, "incomplete", R"({"reason":"content_filter"})",
       "response.incomplete"},
      {Finish::refusal, "incomplete", R"({"reason":"content_filter"})", "response.incomplete"},
      {Finish::malformed_call, "failed", "null", "response.failed"},
  };
  for (const Case& item : cases) {
    for (bool stream : {true, false}) {
      CAPTURE(item.status);
      Encoder encoder(responses(), context_of(stream));
      encoder(EventKind::text, "a");
      encoder.finish(item.finish, "why");
      encoder(EventKind::end);
      if (stream) CHECK(events_of(encoder.text()).back()["type"].text == item.last);
      const test::Json response =
          stream ? followed(events_of(encoder.text())) : json_of(encoder.text());
      CHECK(response["status"].text == item.status);
      CHECK(response["incomplete_details"] == json_of(item.details));
      const bool failed = item.finish == Finish::malformed_call;
      CHECK(response["error"].is(test::Json::Kind::object) == failed);
      if (failed) CHECK(response["error"]["message"].text == "why");
      CHECK(response["output"].elements[0]["status"].text ==
            (std::string(item.status) == "incomplete" ? "incomplete" : "completed"));
    }
  }
}

TEST_CASE("a refusal is a part of its own; its explanation is given where nothing else was said") {
  Encoder encoder(responses(), context_of(true));
  encoder(EventKind::text, "a");
  encoder(EventKind::refusal, "No");
  encoder(EventKind::refusal, ".");
  encoder.finish(Finish::stop);
  encoder(EventKind::end);
  const test::Json response = followed(events_of(encoder.text()));
  CHECK(response["status"].text == "completed");
  CHECK(response["output"].elements[0]["content"].elements[1] ==
        json_of(R"({"type":"refusal","refusal":"No."})"));
  // Said by the model, it is an answer; by the provider alone, it is none.
  Encoder said(responses(), context_of(false));
  said(EventKind::refusal, "No.");
  said.finish(Finish::refusal);
  said(EventKind::end);
  CHECK(json_of(said.text())["status"].text == "completed");
  Encoder silent(responses(), context_of(false));
  silent.finish(Finish::refusal, "Not this.");
  silent(EventKind::end);
  CHECK(json_of(silent.text())["output"].elements[0]["content"].elements[0]["refusal"].text ==
        "Not this.");
}

TEST_CASE("citations are annotations of the text they came with") {
  for (bool stream : {true, false}) {
    Encoder encoder(responses(), context_of(stream));
    Event citation;
    citation.kind = EventKind::citation;
    citation.text = "https://a.b";
    citation.name = "T";
    encoder(citation);
    encoder(EventKind::text, "a");
    encoder(citation);
    encoder(EventKind::text, "b");
    encoder.finish(Finish::stop);
    encoder(EventKind::end);
    const test::Json response =
        stream ? followed(events_of(encoder.text())) : json_of(encoder.text());
    const test::Json& part = response["output"].elements[0]["content"].elements[0];
    CHECK(part["text"].text == "ab");
    CHECK(part["annotations"] == json_of(R"([{"type":"url_citation","url":"https://a.b",
      "title":"T","start_index":0,"end_index":0}])"));
  }
}

TEST_CASE("an error ends a stream in `error` and response.failed; a plain answer stays unwritten") {
  ProviderError error;
  error.kind = ErrorKind::overload;
  error.message = "Over\\nloaded";
  Event event;
  event.kind = EventKind::error;
  event.error = &error;
  Encoder encoder(responses(), context_of(true));
  encoder(start_event());
  encoder(EventKind::text, "a");
  encoder(event);
  encoder(EventKind::text, "b");
  encoder(EventKind::end);
  const auto events = events_of(encoder.text());
  CHECK(types_of(events).ends_with("output_text.delta\nerror\nfailed\n"));
  const test::Json& told = events[events.size() - 2];
  CHECK(told["code"].text == "upstream_overloaded");
  CHECK(told["message"].text == "Over\nloaded");
  CHECK_MESSAGE(told["error"]["message"].text == "Over\nloaded",
                "the official clients raise on it");
  CHECK(events.back()["response"]["error"]["code"].text == "server_error");
  CHECK(events.back()["response"]["status"].text == "failed");
  CHECK_MESSAGE(events.back()["response"]["output"].elements.empty(), "what was cut has no end");
  Encoder plain(responses(), context_of(false));
  plain(EventKind::text, "a");
  plain(event);
  plain(EventKind::end);
  CHECK(plain.text().empty());
}

TEST_CASE("events of other choices have no place") {
  Encoder encoder(responses(), context_of(false));
  encoder(EventKind::text, "a", 0);
  encoder(EventKind::text, "b", 1);
  encoder.finish(Finish::stop);
  encoder(EventKind::end);
  CHECK(json_of(encoder.text())["output"].elements[0]["content"].elements[0]["text"].text == "a");
}

TEST_CASE("what is written is read again with the same meaning") {
  for (bool stream : {true, false}) {
    Encoder encoder(responses(), context_of(stream));
    encoder(start_event());
    encoder(EventKind::thinking, "hm");
    encoder(signed_event(EventKind::thinking_end, "gAAA", Maker::openai));
    encoder(EventKind::text, "a\\n\\u2028\\\"");
    encoder.tool(0, "call_1", "f", {"{\\\"a\\\":", "\\\"\\\\n\\\"}"});
    encoder.usage(some_usage());
    encoder.finish(Finish::tool_calls);
    encoder(EventKind::end);
    const Answer answer = stream ? test::read_stream(responses(), encoder.text())
                                 : test::read_plain(responses(), encoder.text());
    CHECK(answer.ended);
    CHECK(answer.model == "claude-x");
    CHECK(answer.choice().thinking == "hm");
    REQUIRE(answer.choice().blocks.size() == 1);
    CHECK(answer.choice().blocks[0].signature == "gAAA");
    CHECK(answer.choice().text == "a\n\u2028\"");
    REQUIRE(answer.choice().calls.size() == 1);
    CHECK(answer.choice().calls[0].arguments == "{\"a\":\"\\n\"}");
    CHECK(answer.choice().finish == Finish::tool_calls);
    CHECK(answer.usage.prompt_tokens == 10);
    CHECK(answer.usage.cached_tokens == 4);
  }
}

TEST_CASE("any order of events is taken, and what is written stays JSON") {
  uint32_t state = 7;
  const auto next = [&state](uint32_t below) {
    state = state * 1664525U + 1013904223U;
    return (state >> 16) % below;
  };
  const ProviderError error;
  const Usage usage;
  for (int round = 0; round < 500; ++round) {
    Encoder encoder(responses(), context_of(true));
    for (uint32_t i = next(30); i > 0; --i) {
      Event event;
      event.kind = static_cast<EventKind>(next(14));
      event.tool = next(3);
      event.text = next(3) == 0 ? "" : "x";
      event.signature = next(3) == 0 ? "s" : "";
      event.name = "n";
      event.finish = static_cast<Finish>(next(8));
      if (next(2) == 0) event.usage = &usage;
      if (next(2) == 0) event.error = &error;
      encoder(event);
    }
    encoder(EventKind::end);
    if (encoder.text().empty()) continue;
    const auto events = events_of(encoder.text());
    int64_t number = 0;
    for (const test::Json& event : events) CHECK(event["sequence_number"].integer() == number++);
  }
}

TEST_CASE("where no memory is left the output says so, and nothing more is written") {
  BlockPool blocks(8);
  BlockPool none(1);
  MemoryBudget budget{1 << 20, 0};
  MemoryBudget nothing;
  Arena arena(blocks, 1 << 16);
  ByteBuffer scratch(none, nothing);
  ByteBuffer buffer(blocks, budget);
  json::Output out(buffer);
  AnswerEncoder* encoder = responses().make_encoder(context_of(true), arena, scratch, out);
  REQUIRE(encoder != nullptr);
  const std::string piece(1000, 'x');
  Event event;
  event.kind = EventKind::text;
  event.text = piece;
  for (int i = 0; i < 20 && !out.failed(); ++i) encoder->on_event(event);
  CHECK(out.failed());
  const size_t written = out.text().size();
  event.kind = EventKind::end;
  encoder->on_event(event);
  CHECK(out.text().size() == written);
  encoder->~AnswerEncoder();
}
