#include <random>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "dialect/gemini.h"
#include "dialect/harness.h"

using namespace hyperion;
using namespace hyperion::dialect;
using test::Encoder;
using test::json_of;

namespace {

enum class Form { plain, sse, array };

AnswerContext context_of(Form form) {
  AnswerContext context = test::context_of(form != Form::plain);
  context.json_array = form == Form::array;
  return context;
}

struct Written : Encoder {
  explicit Written(Form wanted) : Encoder(gemini::language(), context_of(wanted)), form(wanted) {}
  explicit Written(const AnswerContext& context)
      : Encoder(gemini::language(), context), form(context.stream ? Form::sse : Form::plain) {}

  void start(std::string_view id = "resp-1", std::string_view model = "claude-x") {
    Event event;
    event.kind = EventKind::start;
    event.id = id;
    event.model = model;
    (*this)(event);
  }
  void thinking_end(std::string_view signature, Maker maker) {
    Event event;
    event.kind = EventKind::thinking_end;
    event.signature = signature;
    event.signature_of = maker;
    (*this)(event);
  }
  void error() {
    ProviderError error;
    error.kind = ErrorKind::overload;
    error.message = "Too \\\"busy\\\"";
    Event event;
    event.kind = EventKind::error;
    event.error = &error;
    (*this)(event);
  }
  // The chunks of a stream, or the one answer.
  std::vector<test::Json> chunks() const {
    std::vector<test::Json> all;
    if (form == Form::plain) return {json_of(text())};
    if (form == Form::array) return json_of(text()).elements;
    for (const std::string& data : test::data_of(text())) all.push_back(json_of(data));
    return all;
  }
  // What a Google client makes of it: read back by our own decoder.
  test::Answer read() const {
    return form == Form::sse ? test::read_stream(gemini::language(), text())
                             : test::read_plain(gemini::language(), text());
  }
  Form form;
};

Usage usage_of(int64_t prompt, int64_t completion, int64_t reasoning = -1, int64_t cached = -1) {
  Usage usage;
  usage.prompt_tokens = prompt;
  usage.completion_tokens = completion;
  usage.reasoning_tokens = reasoning;
  usage.cached_tokens = cached;
  return usage;
}

}  // namespace

TEST_CASE("gemini client: a stream of texts, byte for byte") {
  Written sse(Form::sse);
  sse.start();
  sse(EventKind::text, "Hel");
  sse(EventKind::text, "lo\\n");
  sse.usage(usage_of(3, 4));
  sse.finish(Finish::stop);
  sse(EventKind::end);
  const std::string names = R"("modelVersion":"claude-x","responseId":"resp-1"})";
  const auto chunk = [&](const std::string& text) {
    return R"({"candidates":[{"content":{"parts":[{"text":")" + text +
           R"("}],"role":"model"},"index":0}],)" + names;
  };
  const std::string last =
      R"({"candidates":[{"content":{"parts":[{"text":""}],"role":"model"},)"
      R"("finishReason":"STOP","index":0}],)"
      R"("usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":4,"totalTokenCount":7},)" +
      names;
  CHECK(sse.text() == "data: " + chunk("Hel") + "\r\n\r\ndata: " + chunk("lo\\n") +
                          "\r\n\r\ndata: " + last + "\r\n\r\n");
  Written array(Form::array);
  array.start();
  array(EventKind::text, "Hel");
  array.usage(usage_of(3, 4));
  array.finish(Finish::stop);
  array(EventKind::end);
  CHECK(array.text() == "[" + chunk("Hel") + ",\r\n" + last + "\r\n]");
}

TEST_CASE("gemini client: a plain answer is one object") {
  Written plain(Form::plain);
  plain.start();
  plain(EventKind::thinking, "h");
  plain(EventKind::thinking, "m");
  plain.thinking_end("", Maker::unknown);
  plain(EventKind::text, "a");
  plain(EventKind::text, "b\\\"");
  plain(EventKind::refusal, "c");
  plain.tool(0, "call_1", "f", {"{\\\"x\\\":", " [1, 2]}"});
  plain.tool(1, "call_2", "g", {"{}"});
  plain.finish(Finish::tool_calls);
  plain.usage(usage_of(10, 9, 4, 2));
  plain(EventKind::end);
  CHECK(json_of(plain.text()) == json_of(R"({"candidates":[{"content":{"parts":[
      {"text":"hm","thought":true},{"text":"ab\"c"},
      {"functionCall":{"id":"call_1","name":"f","args":{"x":[1,2]}}},
      {"functionCall":{"id":"call_2","name":"g","args":{}}}],"role":"model"},
      "finishReason":"STOP","index":0}],
      "usageMetadata":{"promptTokenCount":10,"candidatesTokenCount":5,"totalTokenCount":19,
        "cachedContentTokenCount":2,"thoughtsTokenCount":4},
      "modelVersion":"claude-x","responseId":"resp-1"})"));
}

TEST_CASE("gemini client: a call comes whole, in one line, when its arguments are") {
  for (Form form : {Form::sse, Form::array}) {
    Written out(form);
    out.start();
    Event event;
    event.kind = EventKind::tool_start;
    event.id = "call_1";
    event.name = "f";
    out(event);
    const size_t before = out.text().size();
    event.kind = EventKind::tool_arguments;
    for (std::string_view fragment : {"{\\n  \\\"a\\\": ", "\\\"x\\\\n\\\"", "\\n}"}) {
      event.text = fragment;
      out(event);
    }
    CHECK(out.text().size() == before);
    event.kind = EventKind::tool_end;
    out(event);
    CHECK(out.text().find(R"("args":{"a":"x\n"})") != std::string::npos);
    out.finish(Finish::tool_calls);
    out(EventKind::end);
    REQUIRE(out.chunks().size() == 2);
    CHECK(out.chunks()[0]["candidates"].elements[0]["content"]["parts"].elements[0] ==
          json_of(R"({"functionCall":{"id":"call_1","name":"f","args":{"a":"x\n"}}})"));
    CHECK(out.chunks()[1]["candidates"].elements[0]["finishReason"].text == "STOP");
  }
}

TEST_CASE("gemini client: calls and choices that are open at once do not mix") {
  Written out(Form::sse);
  out.start();
  Event event;
  const auto send = [&](EventKind kind, uint32_t choice, uint32_t tool, std::string_view text) {
    event.kind = kind;
    event.choice = choice;
    event.tool = tool;
    event.name = kind == EventKind::tool_start ? text : "";
    event.text = kind == EventKind::tool_start ? "" : text;
    out(event);
  };
  send(EventKind::tool_start, 0, 0, "f");
  send(EventKind::tool_start, 1, 0, "g");
  send(EventKind::tool_start, 0, 1, "h");
  send(EventKind::tool_arguments, 1, 0, "{\\\"g\\\":");
  send(EventKind::tool_arguments, 0, 1, "{\\\"h\\\":2");
  send(EventKind::tool_arguments, 0, 0, "");
  send(EventKind::tool_arguments, 1, 0, "1}");
  send(EventKind::tool_arguments, 0, 1, "}");
  send(EventKind::tool_end, 1, 0, "");
  send(EventKind::tool_end, 0, 0, "");
  send(EventKind::tool_end, 0, 1, "");
  out.finish(Finish::tool_calls, {}, 0);
  out.finish(Finish::tool_calls, {}, 1);
  out(EventKind::end);
  const test::Answer answer = out.read();
  REQUIRE(answer.choice(0).calls.size() == 2);
  CHECK(answer.choice(0).calls[0].arguments == "{}");
  CHECK(answer.choice(0).calls[1].arguments == "{\"h\":2}");
  REQUIRE(answer.choice(1).calls.size() == 1);
  CHECK(answer.choice(1).calls[0].arguments == "{\"g\":1}");
}

TEST_CASE("gemini client: long arguments in many fragments, again and again") {
  Written out(Form::plain);
  out.start();
  std::string text = "{\"content\":\"";
  std::vector<std::string> fragments = {"{\\\"content\\\":\\\""};
  for (int i = 0; i < 3000; ++i) {
    fragments.push_back("line " + std::to_string(i) + "\\\\n");
    text += "line " + std::to_string(i) + "\\n";
  }
  fragments.push_back("\\\"}");
  text += "\"}";
  for (uint32_t tool = 0; tool < 20; ++tool) {
    Event event;
    event.tool = tool;
    event.kind = EventKind::tool_start;
    event.name = "write";
    out(event);
    event.kind = EventKind::tool_arguments;
    for (const std::string& fragment : fragments) {
      event.text = fragment;
      out(event);
    }
    event.kind = EventKind::tool_end;
    out(event);
  }
  out.finish(Finish::tool_calls);
  out(EventKind::end);
  const test::Answer answer = out.read();
  REQUIRE(answer.choice().calls.size() == 20);
  for (const test::ToolCall& call : answer.choice().calls) CHECK(call.arguments == text);
}

TEST_CASE("gemini client: arguments that are no object never reach it, and the reason says so") {
  for (std::string_view arguments : {"{\\\"a\\\":", "[1]", "x", "\\\"{}\\\"", "{} {}"}) {
    for (Form form : {Form::plain, Form::sse}) {
      CAPTURE(std::string(arguments));
      Written out(form);
      out.start();
      out.tool(0, "c", "f", {arguments});
      out.finish(Finish::tool_calls);
      out(EventKind::end);
      const test::Answer answer = out.read();
      CHECK(answer.ended);
      CHECK(answer.choice().calls.empty());
      CHECK(answer.choice().finish == Finish::malformed_call);
      CHECK(answer.choice().finish_text.find("arguments") != std::string::npos);
    }
  }
  Written cut(Form::plain);
  cut.start();
  cut.tool(0, "c", "f", {"{\\\"a\\\":"});
  cut.finish(Finish::length);
  cut(EventKind::end);
  CHECK(cut.read().choice().finish == Finish::length);
}

TEST_CASE("gemini client: every finish") {
  struct Row {
    Finish finish;
    const char* reason;
  };
  for (const Row& row :
       {Row{Finish::stop, "STOP"}, Row{Finish::stop_sequence, "STOP"},
        Row{Finish::length, "MAX_TOKENS"}, Row{Finish::tool_calls, "STOP"},
        Row{Finish::content_filter, "SAFETY"}, Row{Finish::refusal, "SAFETY"},
        Row{Finish::pause, "STOP"}, Row{Finish::malformed_call, "MALFORMED_FUNCTION_CALL"}}) {
    for (Form form : {Form::plain, Form::sse, Form::array}) {
      Written out(form);
      out.start();
      out.finish(row.finish, "why");
      out(EventKind::end);
      const test::Json candidate = out.chunks().back()["candidates"].elements.at(0);
      CHECK(candidate["finishReason"].text == row.reason);
      const bool explained = row.finish == Finish::content_filter ||
                             row.finish == Finish::refusal || row.finish == Finish::malformed_call;
      CHECK(candidate["finishMessage"].text == (explained ? "why" : ""));
    }
  }
}

TEST_CASE("gemini client: thoughts are shown only where they were asked for") {
  for (Form form : {Form::plain, Form::sse}) {
    for (bool shown : {true, false}) {
      AnswerContext context = context_of(form);
      context.shows_thinking = shown;
      Written out(context);
      out.start();
      out(EventKind::thinking, "hm");
      out.thinking_end("U2ln", Maker::gemini);
      out(EventKind::text, "a");
      out.finish(Finish::stop);
      out(EventKind::end);
      CHECK(out.read().choice().thinking == (shown ? "hm" : ""));
      CHECK((out.text().find("U2ln") != std::string::npos) == shown);
      CHECK(out.read().choice().text == "a");
    }
  }
}

TEST_CASE("gemini client: another maker's signature is base64, and comes home from there") {
  for (Form form : {Form::plain, Form::sse}) {
    for (const char* signature : {"A", "AB", "ABC", "Er+/x==", "AB-_.C"}) {
      Written out(form);
      out.start();
      out(EventKind::thinking, "Let me ");
      out(EventKind::thinking, "see");
      out.thinking_end(signature, Maker::anthropic);
      Event redacted;
      redacted.kind = EventKind::redacted_thinking;
      redacted.text = signature;
      redacted.signature_of = Maker::anthropic;
      out(redacted);
      out.tool(0, "toolu_1", "f", {"{}"});
      out.finish(Finish::tool_calls);
      out(EventKind::end);
      // The client sends back what it got, a stream chunk by chunk.
      std::string contents;
      for (const test::Json& chunk : out.chunks()) {
        for (const test::Json& part :
             chunk["candidates"].elements.at(0)["content"]["parts"].elements) {
          std::string json;
          if (part.find("functionCall") != nullptr) {
            json = R"({"functionCall":{"id":"toolu_1","name":"f","args":{}}})";
          } else if (part["thought"].boolean) {
            json = R"({"thought":true,"text":")" + part["text"].text + "\"";
            if (part.find("thoughtSignature") != nullptr) {
              const std::string& base64 = part["thoughtSignature"].text;
              CHECK(base64.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                             "0123456789+/=") == std::string::npos);
              CHECK(base64.size() % 4 == 0);
              json += R"(,"thoughtSignature":")" + base64 + "\"";
            }
            json += "}";
          } else {
            continue;
          }
          contents += R"({"role":"model","parts":[)" + json + "]},";
        }
      }
      contents.pop_back();
      const test::Decoding back(gemini::language(), "{\"contents\":[" + contents + "]}");
      REQUIRE_MESSAGE(back.accepted, back.message());
      const Part* thought = back.request.messages.first->parts.first;
      CHECK(thought->kind == PartKind::thinking);
      CHECK(thought->text.bytes == "Let me see");
      CHECK(thought->signature.bytes == signature);
      CHECK(thought->signature_of == Maker::anthropic);
      const Part* opaque =
          thought->next != nullptr ? thought->next : back.request.messages.first->next->parts.first;
      CHECK(opaque->kind == PartKind::redacted_thinking);
      CHECK(opaque->text.bytes == signature);
    }
  }
}

TEST_CASE("gemini client: usage that nobody knows is left out") {
  for (Form form : {Form::plain, Form::sse}) {
    Written out(form);
    out.start();
    out(EventKind::text, "a");
    out.usage(Usage());
    out.finish(Finish::stop);
    out(EventKind::end);
    CHECK(out.text().find("usageMetadata") == std::string::npos);
  }
  Written half(Form::plain);
  half.usage(usage_of(-1, 5, 9));
  half.finish(Finish::stop);
  half(EventKind::end);
  CHECK(json_of(half.text())["usageMetadata"] ==
        json_of(R"({"candidatesTokenCount":0,"totalTokenCount":5,"thoughtsTokenCount":5})"));
}

TEST_CASE("gemini client: names come from the gateway where the provider gave none") {
  Written out(Form::plain);
  out.start("", "");
  out(EventKind::text, "a");
  out.finish(Finish::stop);
  out(EventKind::end);
  CHECK(json_of(out.text())["responseId"].text == "req_1");
  CHECK(json_of(out.text())["modelVersion"].text == "asked-for");
}

TEST_CASE("gemini client: sources of an answer are its grounding") {
  for (Form form : {Form::plain, Form::sse}) {
    Written out(form);
    out.start();
    out(EventKind::text, "a");
    Event event;
    event.kind = EventKind::citation;
    event.text = "https://a";
    event.name = "A";
    out(event);
    out.finish(Finish::stop);
    out(EventKind::end);
    const test::Answer answer = out.read();
    REQUIRE(answer.choice().citations.size() == 1);
    CHECK(answer.choice().citations[0] == std::pair<std::string, std::string>("https://a", "A"));
  }
}

TEST_CASE("gemini client: an error in a stream is its last event, of a plain answer nothing") {
  Written sse(Form::sse);
  sse.start();
  sse(EventKind::text, "a");
  sse.error();
  sse(EventKind::text, "b");
  sse(EventKind::end);
  REQUIRE(sse.chunks().size() == 2);
  CHECK(sse.chunks()[1]["error"]["code"].text == "503");
  CHECK(sse.chunks()[1]["error"]["message"].text == "Too \"busy\"");
  CHECK(sse.chunks()[1]["error"]["status"].text == "UNAVAILABLE");
  for (bool begun : {true, false}) {
    Written array(Form::array);
    array.start();
    if (begun) array(EventKind::text, "a");
    array.error();
    REQUIRE(array.chunks().size() == (begun ? 2 : 1));
    CHECK(array.chunks().back()["error"]["code"].text == "503");
  }
  Written plain(Form::plain);
  plain.start();
  plain(EventKind::text, "a");
  plain.tool(0, "c", "f", {"{}"});
  plain.error();
  CHECK(plain.text() == "");
}

TEST_CASE("gemini client: a plain answer of several choices") {
  Written out(Form::plain);
  out.start();
  out(EventKind::text, "a", 0);
  out.finish(Finish::stop, {}, 0);
  out(EventKind::text, "b", 1);
  out.finish(Finish::length, {}, 1);
  out.finish(Finish::stop, {}, 2);
  out(EventKind::text, "x", 99);
  out(EventKind::end);
  const test::Answer answer = out.read();
  REQUIRE(answer.choices.size() == 3);
  CHECK(answer.choice(0).text == "a");
  CHECK(answer.choice(1).text == "b");
  CHECK(answer.choice(1).finish == Finish::length);
  CHECK(answer.choice(2).finishes == 1);
}

TEST_CASE("gemini client: any order of events is survived, and what is written stays JSON") {
  std::mt19937 random(5);
  const std::string_view texts[] = {"", "a", "{}", "{", "\\\"", "\\n", "{\\\"a\\\":1}", "U2ln"};
  for (int round = 0; round < 3000; ++round) {
    const Form form = static_cast<Form>(random() % 3);
    Written out(form);
    bool failed = false;
    const size_t events = random() % 30;
    for (size_t i = 0; i < events; ++i) {
      Event event;
      event.kind = static_cast<EventKind>(random() % (static_cast<size_t>(EventKind::finish) + 1));
      if (i == 20 && random() % 4 == 0) event.kind = EventKind::error;
      failed |= event.kind == EventKind::error;
      event.choice = random() % 10;
      event.tool = random() % 3;
      event.text = texts[random() % 8];
      event.id = texts[random() % 8];
      event.name = texts[random() % 8];
      event.signature = texts[random() % 8];
      event.signature_of = static_cast<Maker>(random() % 4);
      event.finish = static_cast<Finish>(random() % 8);
      const Usage usage = usage_of(static_cast<int64_t>(random() % 9) - 1, 2, 1);
      event.usage = random() % 2 == 0 ? &usage : nullptr;
      out(event);
    }
    out(EventKind::end);
    out(EventKind::text, "late");
    if (form == Form::plain && failed) {
      CHECK(out.text() == "");
      continue;
    }
    for (const test::Json& chunk : out.chunks()) CHECK(chunk.is(test::Json::Kind::object));
  }
}
