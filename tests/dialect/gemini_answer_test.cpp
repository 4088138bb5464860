#include <string>

#include <doctest/doctest.h>

#include "dialect/gemini.h"
#include "dialect/harness.h"

using namespace hyperion;
using namespace hyperion::dialect;
using test::Answer;

namespace {

// A chunk of a stream with these parts; more members of the candidate and of the chunk may follow.
std::string chunk(const std::string& parts, const std::string& candidate = "",
                  const std::string& members = "") {
  return R"({"candidates":[{"content":{"parts":[)" + parts + R"(],"role":"model"})" + candidate +
         R"(,"index":0}])" + members + R"(,"modelVersion":"gemini-x","responseId":"r1"})";
}

const std::string stop = R"(,"finishReason":"STOP")";

std::string text(const std::string& inside) { return R"({"text":")" + inside + "\"}"; }

// As Gemini's servers send them.
std::string sse(std::initializer_list<std::string> chunks) {
  std::string all;
  for (std::string json : chunks) {
    // One line, however it is set above.
    std::erase(json, '\n');
    all += "data: " + json + "\r\n\r\n";
  }
  return all;
}

Answer stream(std::initializer_list<std::string> chunks) {
  return test::read_stream(gemini::language(), sse(chunks));
}

Answer plain(const std::string& body) { return test::read_plain(gemini::language(), body); }

Observation seen_in(const std::string& data, bool committed = false) {
  Usage usage;
  return gemini::observe_event(http::parse_event("data: " + data + "\r\n\r\n"), committed, usage);
}

struct Reason {
  const char* reason;
  Finish without_call;
  Finish with_call;
};

const Reason reasons[] = {
    {"STOP", Finish::stop, Finish::tool_calls},
    {"OTHER", Finish::stop, Finish::tool_calls},
    {"FINISH_REASON_UNSPECIFIED", Finish::stop, Finish::tool_calls},
    {"NO_IMAGE", Finish::stop, Finish::tool_calls},
    {"NEVER_HEARD_OF", Finish::stop, Finish::tool_calls},
    {"MAX_TOKENS", Finish::length, Finish::length},
    {"CONTINUATION", Finish::length, Finish::length},
    {"SAFETY", Finish::content_filter, Finish::content_filter},
    {"RECITATION", Finish::content_filter, Finish::content_filter},
    {"BLOCKLIST", Finish::content_filter, Finish::content_filter},
    {"PROHIBITED_CONTENT", Finish::content_filter, Finish::content_filter},
    {"SPII", Finish::content_filter, Finish::content_filter},
    {"LANGUAGE", Finish::content_filter, Finish::content_filter},
    {"IMAGE_SAFETY", Finish::content_filter, Finish::content_filter},
    {"IMAGE_PROHIBITED_CONTENT", Finish::content_filter, Finish::content_filter},
    {"IMAGE_RECITATION", Finish::content_filter, Finish::content_filter},
    {"MODEL_ARMOR", Finish::content_filter, Finish::content_filter},
    {"MALFORMED_FUNCTION_CALL", Finish::malformed_call, Finish::malformed_call},
    {"UNEXPECTED_TOOL_CALL", Finish::malformed_call, Finish::malformed_call},
    {"TOO_MANY_TOOL_CALLS", Finish::malformed_call, Finish::malformed_call},
    {"MALFORMED_RESPONSE", Finish::malformed_call, Finish::malformed_call},
};

const std::string call = R"({"functionCall":{"name":"f","args":{"a":1}}})";

}  // namespace

TEST_CASE("gemini stream: texts are increments, the finish comes once, at the end") {
  const Answer answer =
      stream({chunk(text("Hel")), chunk(text("lo \\\"you\\\"")), chunk(text(""), stop)});
  CHECK(answer.ended);
  CHECK(answer.id == "r1");
  CHECK(answer.model == "gemini-x");
  CHECK(answer.choice().text == "Hello \"you\"");
  CHECK(answer.choice().finishes == 1);
  CHECK(answer.choice().finish == Finish::stop);
  CHECK(!answer.usage.known());
}

TEST_CASE("gemini stream: the call and the finish in one chunk or in two are calls all the same") {
  for (const Answer& answer :
       {stream({chunk(call, stop)}), stream({chunk(call), chunk(text(""), stop)}),
        stream({chunk(call, stop), chunk(text(""), stop)})}) {
    CHECK(answer.ended);
    REQUIRE(answer.choice().calls.size() == 1);
    CHECK(answer.choice().calls[0].name == "f");
    CHECK(answer.choice().calls[0].arguments == R"({"a":1})");
    CHECK(answer.choice().finish == Finish::tool_calls);
  }
}

TEST_CASE("gemini stream: several calls in one chunk and in several are counted through") {
  const std::string other = R"({"functionCall":{"name":"g"}})";
  const std::string third = R"({"functionCall":{"name":"h","args":null,"id":"given"}})";
  const Answer answer = stream({chunk(call + "," + other), chunk(third), chunk(text(""), stop)});
  const auto& calls = answer.choice().calls;
  REQUIRE(calls.size() == 3);
  CHECK(calls[1].arguments == "{}");
  CHECK(calls[2].arguments == "{}");
  CHECK(calls[2].id == "given");
  CHECK(calls[0].id != calls[1].id);
  CHECK(calls[0].id.starts_with("call_"));
  // OpenAI takes ids of up to 40 letters.
  CHECK(calls[0].id.size() <= 40);
  // Another answer has other ids.
  const Answer later = stream({chunk(call, stop, R"(,"x":1)")});
  CHECK(later.choice().calls[0].id != calls[0].id);
}

TEST_CASE("gemini stream: arguments lose their blanks, nothing else") {
  const Answer answer =
      stream({chunk(R"({"functionCall":{"name":"f","args":{ "a" : [ 1e400 , "x \" y\\" ] ,)"
                    R"( "é": 9007199254740993 } }})",
                    stop)});
  CHECK(answer.choice().calls[0].arguments ==
        "{\"a\":[1e400,\"x \\\" y\\\\\"],\"\xC3\xA9\":9007199254740993}");
}

TEST_CASE("gemini stream: every finish reason") {
  for (const Reason& item : reasons) {
    CAPTURE(item.reason);
    const std::string reason = R"(,"finishReason":")" + std::string(item.reason) + "\"";
    CHECK(stream({chunk(text("x")), chunk("", reason)}).choice().finish == item.without_call);
    CHECK(stream({chunk(call), chunk("", reason)}).choice().finish == item.with_call);
  }
}

TEST_CASE("gemini stream: a filter and a malformed call say why") {
  const Answer malformed = stream({chunk(
      "", R"(,"finishMessage":"Malformed \"call\"","finishReason":"MALFORMED_FUNCTION_CALL")")});
  CHECK(malformed.ended);
  CHECK(malformed.choice().text == "");
  CHECK(malformed.choice().finish_text == "Malformed \"call\"");
  CHECK(stream({chunk("", R"(,"finishReason":"SAFETY")")}).choice().finish_text == "SAFETY");
  CHECK(stream({chunk(call, stop + R"(,"finishMessage":"Model generated function call(s).")")})
            .choice()
            .finish_text == "");
  const std::string long_message(5000, 'x');
  CHECK(stream({chunk("", R"(,"finishReason":"SPII","finishMessage":")" + long_message + "\"")})
            .choice()
            .finish_text == "SPII");
}

TEST_CASE("gemini stream: thoughts, their signatures and those of calls") {
  const Answer answer =
      stream({chunk(R"({"text":"I ","thought":true})"), chunk(R"({"thought":true,"text":"think"})"),
              chunk(text("so")), chunk(R"({"text":"","thoughtSignature":"TGF0ZQ=="})", stop)});
  CHECK(answer.choice().thinking == "I think");
  CHECK(answer.choice().text == "so");
  REQUIRE(answer.choice().blocks.size() == 1);
  CHECK(answer.choice().blocks[0].signature == "");
  const Answer signed_text = stream({chunk(R"({"text":"hm","thought":true})"),
                                     chunk(R"({"text":"","thoughtSignature":"U2ln"})", stop)});
  REQUIRE(signed_text.choice().blocks.size() == 1);
  CHECK(signed_text.choice().blocks[0].signature == "U2ln");
  CHECK(signed_text.choice().blocks[0].signature_of == Maker::gemini);
  const Answer signed_call = stream({chunk(
      R"({"text":"hm","thought":true},{"functionCall":{"name":"f"},"thoughtSignature":"U2ln"})",
      stop)});
  CHECK(signed_call.choice().calls[0].signature == "U2ln");
  CHECK(signed_call.choice().calls[0].signature_of == Maker::gemini);
  CHECK(signed_call.choice().blocks[0].signature == "");
}

TEST_CASE("gemini stream: usage is cumulative, the last report holds") {
  const auto usage = [](const std::string& members) {
    return R"(,"usageMetadata":{)" + members + "}";
  };
  const Answer answer = stream(
      {chunk(text("a"), "", usage(R"("promptTokenCount":10,"totalTokenCount":10)")),
       chunk(text("b"), "", usage(R"("trafficType":"ON_DEMAND")")),
       chunk(text(""), stop,
             usage(R"("promptTokenCount":11,"toolUsePromptTokenCount":4,"candidatesTokenCount":5,
                      "thoughtsTokenCount":7,"cachedContentTokenCount":3,"totalTokenCount":27,
                      "promptTokensDetails":[{"modality":"TEXT","tokenCount":5},{)"
                   R"("modality":"AUDIO","tokenCount":6}])"))});
  CHECK(answer.usage.prompt_tokens == 15);
  CHECK(answer.usage.completion_tokens == 12);
  CHECK(answer.usage.reasoning_tokens == 7);
  CHECK(answer.usage.cached_tokens == 3);
  CHECK(answer.usage.audio_prompt_tokens == 6);
  CHECK(answer.usage.cache_write_tokens == -1);
  // What is missing in a usage that is there is nothing; a usage without counts is unknown.
  const Answer empty = stream({chunk("", stop, usage(R"("promptTokenCount":9)"))});
  CHECK(empty.usage.completion_tokens == 0);
  CHECK(empty.usage.cached_tokens == 0);
  CHECK(!stream({chunk("", stop, usage(R"("trafficType":"ON_DEMAND")"))}).usage.known());
  CHECK(!stream({chunk("", stop, usage(R"("totalTokenCount":9)"))}).usage.known());
}

TEST_CASE("gemini stream: usage is known as far as a broken stream came") {
  const Answer answer =
      stream({chunk(text("a"), "", R"(,"usageMetadata":{"promptTokenCount":10})")});
  CHECK(answer.failed);
  CHECK(answer.usage.prompt_tokens == 10);
}

TEST_CASE("gemini stream: several candidates, each with its own calls and finish") {
  const Answer answer =
      stream({R"({"candidates":[{"content":{"parts":[{"text":"a"}]}},{"content":{"parts":[{)"
              R"("text":"b"}]},"index":1}]})",
              R"({"candidates":[{"content":{"parts":[{"functionCall":{"name":"f"}}]},"index":1,)"
              R"("finishReason":"STOP"}]})",
              R"({"candidates":[{"index":0,"content":{"parts":[{"text":"c"}]},)"
              R"("finishReason":"MAX_TOKENS"}]})",
              R"({"candidates":[{"index":99,"content":{"parts":[{"text":"d"}]}},{"index":-1}]})"});
  CHECK(answer.ended);
  REQUIRE(answer.choices.size() == 2);
  CHECK(answer.choice(0).text == "ac");
  CHECK(answer.choice(0).finish == Finish::length);
  CHECK(answer.choice(1).text == "b");
  CHECK(answer.choice(1).finish == Finish::tool_calls);
  // One that was left unfinished makes the whole answer a broken one.
  CHECK(stream({R"({"candidates":[{"content":{"parts":[{"text":"a"}]}},{"index":1,)"
                R"("finishReason":"STOP"}]})"})
            .failed);
}

TEST_CASE("gemini: a blocked prompt is an empty answer that was filtered") {
  const std::string body =
      R"({"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"},"usageMetadata":{)"
      R"("promptTokenCount":4}})";
  for (const Answer& answer : {plain(body), stream({body})}) {
    CHECK(answer.ended);
    CHECK(answer.choice().finish == Finish::content_filter);
    CHECK(answer.choice().finish_text == "PROHIBITED_CONTENT");
    CHECK(answer.choice().text == "");
    CHECK(answer.usage.prompt_tokens == 4);
  }
  // Ratings alone block nothing.
  const Answer rated = plain(R"({"promptFeedback":{"safetyRatings":[]},"candidates":[{"content":{
      "parts":[{"text":"x"}]},"finishReason":"STOP"}]})");
  CHECK(rated.choice().finish == Finish::stop);
}

TEST_CASE("gemini stream: an error inside ends it, whatever came before") {
  const std::string error =
      R"({"error":{"code":503,"message":"The model is overloaded.","status":"UNAVAILABLE"}})";
  for (const std::string& json : {error, "[" + error + "]"}) {
    const Answer first = stream({json});
    CHECK(first.failed);
    CHECK(!first.started);
    CHECK(first.error == ErrorKind::overload);
    CHECK(first.error_message == "The model is overloaded.");
    const Answer later = stream({chunk(text("a"), stop), json, chunk(text("b"))});
    CHECK(later.failed);
    CHECK(later.choice().text == "a");
  }
  CHECK(plain(error).error == ErrorKind::overload);
}

TEST_CASE("gemini stream: without a finishReason its end is a cut") {
  for (const Answer& answer : {stream({}), stream({chunk(text("a"))}), stream({chunk(call)}),
                               stream({"{}"}), stream({R"({"candidates":[]})"})}) {
    CHECK(answer.failed);
    CHECK(answer.error == ErrorKind::server);
  }
}

TEST_CASE("gemini stream: what is no answer is an error, not a clean end") {
  for (const char* bad :
       {"", "x", "[DONE]", "1", "null", "{", R"({"candidates":[{"content":{"parts":[{"text":"a)",
        R"({"candidates":[]}})", R"({"a":"\q"})", "{\"a\":\"\x01\"}", "{\"a\":\"\xC3\"}", "[1]",
        "[[{}]]",
        R"({"candidates":[{"content":{"parts":[{"functionCall":{"args":{}}}]},)"
        R"("finishReason":"STOP"}]})",
        R"({"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":[1]}}]},)"
        R"("finishReason":"STOP"}]})",
        R"({"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":"{}"}}]},)"
        R"("finishReason":"STOP"}]})",
        R"({"candidates":[{"content":{"parts":[{"functionCall":{"name":"f",)"
        R"("willContinue":true}}]},"finishReason":"STOP"}]})",
        R"({"candidates":[{"content":{"parts":[{"functionCall":{"partialArgs":[{}]}}]},)"
        R"("finishReason":"STOP"}]})"}) {
    CAPTURE(bad);
    CHECK(stream({bad, chunk(text("a"), stop)}).failed);
    CHECK(plain(bad).failed);
  }
}

TEST_CASE("gemini stream: members of wrong types are passed over") {
  for (const char* odd :
       {R"({"candidates":{}})", R"({"candidates":[1,null,"x",[]]})",
        R"({"candidates":[{"content":[],"index":"a","finishReason":7}]})",
        R"({"candidates":[{"content":{"parts":{}}}]})",
        R"({"candidates":[{"content":{"parts":[1,null,{"text":1},{"thought":1},{"functionCall":1},
            {"inlineData":{"data":"QUJD"}},{"executableCode":{"code":"x"}}]}}]})",
        R"({"usageMetadata":[1]})", R"({"usageMetadata":{"promptTokenCount":"x"}})",
        R"({"usageMetadata":{"promptTokenCount":-5,"promptTokensDetails":[1,{"tokenCount":[]}]}})",
        R"({"promptFeedback":1,"error":null,"responseId":1,"modelVersion":{},"createTime":"x"})",
        R"({"candidates":[{"groundingMetadata":{"groundingChunks":[1,{"web":1},{"web":{)"
        R"("uri":1}}]}}]})"}) {
    CAPTURE(odd);
    const Answer answer = stream({odd, chunk(text("a"), stop)});
    CHECK(answer.ended);
    CHECK(answer.choice().text == "a");
    CHECK(answer.usage.prompt_tokens <= 0);
  }
}

TEST_CASE("gemini stream: sources are told once, though the list is repeated") {
  const auto grounded = [](const std::string& chunks) {
    return R"(,"groundingMetadata":{"groundingChunks":[)" + chunks + "]}";
  };
  const std::string one = R"({"web":{"uri":"https://a","title":"A"}})";
  const std::string two = R"({"web":{"uri":"https://b"}})";
  const Answer answer = stream({chunk(text("x"), grounded(one)),
                                chunk(text("y"), grounded(one + "," + two)), chunk("", stop)});
  REQUIRE(answer.choice().citations.size() == 2);
  CHECK(answer.choice().citations[0].first == "https://a");
  CHECK(answer.choice().citations[0].second == "A");
  CHECK(answer.choice().citations[1].first == "https://b");
}

TEST_CASE("gemini stream: line ends, several data lines and comments do not matter") {
  const std::string json = chunk(text("a"), stop);
  const size_t comma = json.find(",\"role\"");
  const std::string split = json.substr(0, comma) + "\ndata: " + json.substr(comma);
  for (const std::string& bytes :
       {"data: " + json + "\n\n", "data:" + json + "\r\r",
        ": hello\r\n\r\ndata: " + json + "\r\n\r\n", "data: " + split + "\n\n"}) {
    for (size_t step : {0u, 1u, 7u}) {
      const Answer answer = test::read_stream(gemini::language(), bytes, step);
      CHECK(answer.ended);
      CHECK(answer.choice().text == "a");
    }
  }
}

TEST_CASE("gemini plain: an answer at once, and an array of chunks") {
  const Answer answer =
      plain(R"({ "candidates": [ { "content": { "role": "model", "parts": [ {"text":"a",)"
            R"("thought":true}, {"text": "b"},
         {"text":"c"} ] }, "finishReason": "STOP" }, {"index":1,"content":{"parts":[{)"
            R"("text":"d"}]}} ],
         "usageMetadata": {"promptTokenCount": 9, "candidatesTokenCount": 8},
         "modelVersion": "gemini-2.5-flash", "createTime": "2026-08-19T14:36:04.560385Z",)"
            R"( "responseId": "r" })");
  CHECK(answer.ended);
  CHECK(answer.created_s == 1787150164);
  CHECK(answer.choice().text == "bc");
  CHECK(answer.choice().thinking == "a");
  CHECK(answer.choice().finishes == 1);
  // A reason that is left out is the unspecified one; a plain answer is whole.
  CHECK(answer.choice(1).finish == Finish::stop);
  CHECK(answer.choice(1).finishes == 1);
  const Answer array = plain("[" + chunk(text("a")) + "\n,\r\n" + chunk(text("b"), stop) + "]\n");
  CHECK(array.ended);
  CHECK(array.choice().text == "ab");
  CHECK(plain("[" + chunk(text("a")) + "]").failed);
  CHECK(plain("[" + chunk(text("a"), stop)).failed);
  CHECK(plain("[]").failed);
}

TEST_CASE("gemini stream: elements of a streamed array are read like events") {
  test::Memory memory;
  Answer answer;
  AnswerDecoder* decoder = gemini::language().make_decoder(memory.arena, memory.scratch);
  for (const std::string& json : {chunk(text("a")), chunk(text("b"), stop)}) {
    http::SseEvent event;
    event.raw = event.data = json;
    event.has_data = true;
    decoder->on_stream_event(event, answer);
  }
  decoder->on_stream_end(answer);
  decoder->~AnswerDecoder();
  CHECK(answer.ended);
  CHECK(answer.choice().text == "ab");
}

TEST_CASE("gemini passthrough: what gives the client something, and what ends the stream") {
  CHECK(seen_in(chunk(text("a"))).semantic);
  CHECK(!seen_in(chunk(text(""))).semantic);
  CHECK(seen_in(chunk(call)).semantic);
  CHECK(seen_in(chunk(R"({"text":"a","thought":true})")).semantic);
  CHECK(seen_in(chunk(R"({"inlineData":{"data":"QUJD"}})")).semantic);
  CHECK(!seen_in(chunk(text("a"))).finished);
  CHECK(seen_in(chunk(text(""), stop)).finished);
  CHECK(seen_in(chunk(text(""), stop)).semantic);
  CHECK(seen_in(chunk(text(""), stop), true).finished);
  CHECK(seen_in(R"({"promptFeedback":{"blockReason":"SAFETY"}})").finished);
  CHECK(seen_in(R"({"error":{"code":500}})").error);
  CHECK(!seen_in(R"({"error":null})").error);
  CHECK(seen_in("[DONE]").malformed);
  CHECK(seen_in(R"({"candidates":[)").malformed);
  CHECK(seen_in("x").malformed);
  const Observation comment = gemini::observe_event(
      http::parse_event(": x\n\n"), false, *[] {
        static Usage usage;
        return &usage;
      }());
  CHECK(!comment.semantic);
  CHECK(!comment.malformed);
}

TEST_CASE("gemini passthrough: usage of streams, answers and arrays") {
  const std::string usage =
      R"(,"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":4,"thoughtsTokenCount":5})";
  for (bool committed : {false, true}) {
    Usage seen;
    gemini::observe_event(http::parse_event("data: " + chunk(text("a"), "", usage) + "\r\n\r\n"),
                          committed, seen);
    CHECK(seen.prompt_tokens == 3);
    CHECK(seen.completion_tokens == 9);
  }
  for (const std::string& body : {chunk(text("a"), stop, usage),
                                  "[" + chunk(text("a")) + "," + chunk("", stop, usage) + "]"}) {
    Usage seen;
    gemini::observe_answer(body, seen);
    CHECK(seen.completion_tokens == 9);
    CHECK(seen.reasoning_tokens == 5);
  }
  Usage broken;
  gemini::observe_answer(chunk(text("a"), stop, usage).substr(0, 200), broken);
  CHECK(!broken.known());
}
