#include <string>

#include <doctest/doctest.h>

#include "dialect/harness.h"
#include "dialect/openai_chat.h"

using namespace hyperion;
using namespace hyperion::dialect;
using test::Answer;
using test::ChoiceAnswer;

namespace {

// A stream of chunks, each given as the members of its choices[0] or, with `{`, as a whole.
std::string stream_of(std::initializer_list<std::string> chunks, bool done = true) {
  std::string bytes;
  for (const std::string& chunk : chunks) {
    const std::string data = chunk.starts_with("{")
                                 ? chunk
                                 : R"({"id":"c1","object":"chat.completion.chunk","created":17,)"
                                   R"("model":"m-1","choices":[{"index":0,)" +
                                       chunk + "}]}";
    bytes += "data: " + data + "\n\n";
  }
  return done ? bytes + "data: [DONE]\n\n" : bytes;
}

std::string delta(const std::string& members, const std::string& finish = "null") {
  return R"("delta":{)" + members + R"(},"finish_reason":)" + finish;
}

Answer read(std::initializer_list<std::string> chunks, bool done = true) {
  return test::read_stream(openai_chat::language(), stream_of(chunks, done));
}

Answer plain(const std::string& choice, const std::string& more = "") {
  return test::read_plain(openai_chat::language(),
                          R"({"id":"c1","object":"chat.completion","created":17,"model":"m-1",)"
                          R"("choices":[{"index":0,)" +
                              choice + "}]" + more + "}");
}

const std::string role = delta(R"("role":"assistant","content":"","refusal":null)");

}  // namespace

TEST_CASE("text, id, model and finish of a stream are OpenAI's") {
  const Answer answer = read(
      {role, delta(R"("content":"Hel\"")"), delta(R"("content":"lo")"), delta("", R"("stop")")});
  CHECK(answer.ended);
  CHECK(answer.id == "c1");
  CHECK(answer.model == "m-1");
  CHECK(answer.created_s == 17);
  CHECK(answer.choice().text == "Hel\"lo");
  CHECK(answer.choice().finish == Finish::stop);
  CHECK(answer.choice().finishes == 1);
  CHECK(answer.usages == 0);
}

TEST_CASE("a stream without [DONE] is cut, whatever came before") {
  for (const Answer& answer :
       {read({role, delta(R"("content":"a")"), delta("", R"("stop")")}, false), read({}, false),
        read({role}, false)}) {
    CHECK(answer.failed);
    CHECK(answer.error == ErrorKind::server);
    CHECK(answer.choice().finishes == 0);
  }
}

TEST_CASE("a message, or its content, of a wrong type is not taken for an empty one") {
  for (const char* message : {R"("message":"a")", R"("message":{"content":7})",
                              R"("message":{"content":{"text":"a"}})"}) {
    CAPTURE(message);
    CHECK(plain(message).error == ErrorKind::server);
  }
  CHECK(read({role, delta(R"("content":true)")}).error == ErrorKind::server);
}

TEST_CASE("[DONE] alone is no answer") { CHECK(read({}).failed); }

TEST_CASE("nothing follows the end or an error") {
  const std::string chunk = stream_of({role, delta(R"("content":"a")")}, false);
  const std::string error = "data: {\"error\":{\"message\":\"m\"}}\n\n";
  for (const std::string& bytes :
       {chunk + "data: [DONE]\n\n" + chunk + error, chunk + error + chunk + "data: [DONE]\n\n"}) {
    const Answer answer = test::read_stream(openai_chat::language(), bytes);
    CHECK(answer.choice().text == "a");
  }
}

TEST_CASE("each finish reason is mapped, those of other vendors too") {
  struct Case {
    const char* word;
    Finish finish;
  };
  for (const Case& item :
       {Case{"stop", Finish::stop}, Case{"length", Finish::length},
        Case{"content_filter", Finish::content_filter}, Case{"eos", Finish::stop},
        Case{"end_turn", Finish::stop}, Case{"model_length", Finish::length},
        Case{"max_tokens", Finish::length}, Case{"RECITATION", Finish::content_filter},
        Case{"malformed_function_call", Finish::malformed_call}, Case{"whatever", Finish::stop},
        Case{"tool_calls", Finish::tool_calls}, Case{"function_call", Finish::tool_calls}}) {
    CAPTURE(item.word);
    const std::string word = "\"" + std::string(item.word) + "\"";
    CHECK(read({role, delta(R"("content":"a")"), delta("", word)}).choice().finish == item.finish);
    CHECK(plain(R"("message":{"content":"a"},"finish_reason":)" + word).choice().finish ==
          item.finish);
  }
}

TEST_CASE("finish reasons that say the answer is broken are errors") {
  CHECK(read({role, delta("", R"("error")")}).error == ErrorKind::server);
  CHECK(read({role, delta("", R"("insufficient_system_resource")")}).error == ErrorKind::overload);
}

TEST_CASE("a finish named early waits, and the last one named holds") {
  const Answer answer = read({delta(R"("content":"a")", R"("stop")"),
                              delta(R"("content":"b")", R"("length")"), delta(R"("content":"")")});
  CHECK(answer.choice().text == "ab");
  CHECK(answer.choice().finish == Finish::length);
}

TEST_CASE("vLLM's stop_reason is the sequence that was met; a number is none") {
  const Answer met = read(
      {delta(R"("content":"a")"), R"("delta":{},"finish_reason":"stop","stop_reason":"END\n")"});
  CHECK(met.choice().finish == Finish::stop_sequence);
  CHECK(met.choice().finish_text == "END\n");
  CHECK(
      read({delta(R"("content":"a")"), R"("delta":{},"finish_reason":"stop","stop_reason":128009)"})
          .choice()
          .finish == Finish::stop);
}

TEST_CASE("a tool call comes in fragments, or whole in one chunk") {
  const Answer fragments =
      read({delta(R"("role":"assistant","content":null,"tool_calls":[{"index":0,"id":"call_1",)"
                  R"("type":"function","function":{"name":"f","arguments":""}}])"),
            delta(R"("tool_calls":[{"index":0,"function":{"arguments":"{\"a\""}}])"),
            delta(R"("tool_calls":[{"index":0,"function":{"arguments":":1}"}}])"),
            delta("", R"("tool_calls")")});
  const Answer whole = read(
      {delta(R"("tool_calls":[{"id":"call_1","function":{"name":"f","arguments":"{\"a\":1}"}}])",
             R"("tool_calls")")});
  for (const Answer& answer : {fragments, whole}) {
    REQUIRE(answer.choice().calls.size() == 1);
    CHECK(answer.choice().calls[0].id == "call_1");
    CHECK(answer.choice().calls[0].name == "f");
    CHECK(answer.choice().calls[0].arguments == R"({"a":1})");
    CHECK(answer.choice().finish == Finish::tool_calls);
  }
}

TEST_CASE("parallel calls are told apart by index, by id, or by a name without either") {
  const char* forms[] = {
      R"("tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}},{)"
      R"("index":1,"id":"b","function":{"name":"g","arguments":"{}"}}])",
      R"("tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}},{)"
      R"("index":0,"id":"b","function":{"name":"g","arguments":"{}"}}])",
      R"("tool_calls":[{"id":"a","function":{"name":"f","arguments":"{}"}},{"id":"b",)"
      R"("function":{"name":"g","arguments":"{}"}}])",
      R"("tool_calls":[{"function":{"name":"f","arguments":"{}"}},{"function":{)"
      R"("name":"g","arguments":"{}"}}])",
  };
  for (const char* form : forms) {
    CAPTURE(form);
    const Answer answer = read({delta(form), delta("", R"("tool_calls")")});
    REQUIRE(answer.choice().calls.size() == 2);
    CHECK(answer.choice().calls[0].name == "f");
    CHECK(answer.choice().calls[1].name == "g");
    CHECK(answer.choice().calls[1].arguments == "{}");
  }
}

TEST_CASE("a call whose id and name are repeated is one call") {
  const Answer answer =
      read({delta(R"("tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f",)"
                  R"("arguments":""}}])"),
            delta(R"("tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f",)"
                  R"("arguments":"{}"}}])")});
  REQUIRE(answer.choice().calls.size() == 1);
  CHECK(answer.choice().calls[0].arguments == "{}");
  // And it is the reason for the end, though none was named.
  CHECK(answer.choice().finish == Finish::tool_calls);
}

TEST_CASE("a call without arguments gets an empty object") {
  for (const char* arguments : {R"(,"arguments":"")", R"(,"arguments":null)", ""}) {
    CAPTURE(arguments);
    const std::string call = R"("tool_calls":[{"index":0,"id":"a","function":{"name":"f")" +
                             std::string(arguments) + "}}]";
    CHECK(read({delta(call), delta("", R"("tool_calls")")}).choice().calls[0].arguments == "{}");
    CHECK(plain(R"("message":{"content":null,)" + call + "}").choice().calls[0].arguments == "{}");
  }
}

TEST_CASE("arguments given as an object are the same as text") {
  const std::string big(3000, 'x');
  const std::string object = R"({"a":"\u00e9\"é","b":[1, 2],"c":")" + big + "\"}";
  const Answer answer = read(
      {delta(R"("tool_calls":[{"id":"a","function":{"name":"f","arguments":)" + object + "}}]")});
  REQUIRE(answer.choice().calls.size() == 1);
  CHECK(test::json_of(answer.choice().calls[0].arguments) == test::json_of(object));
}

TEST_CASE("stop with calls means that the calls are to be made") {
  const Answer answer = read(
      {delta(R"("tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}])"),
       delta("", R"("stop")")});
  CHECK(answer.choice().finish == Finish::tool_calls);
}

TEST_CASE("calls that contradict themselves are errors") {
  // Arguments for a call that is over; a call without a name.
  CHECK(
      read({delta(R"("tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{"}}])"),
            delta(R"("tool_calls":[{"index":1,"id":"b","function":{"name":"g","arguments":"{"}}])"),
            delta(R"("tool_calls":[{"index":0,"function":{"arguments":"}"}}])")})
          .failed);
  CHECK(read({delta(R"("tool_calls":[{"index":0,"function":{"arguments":"{}"}}])")}).failed);
  CHECK(read({delta(R"("tool_calls":[5])")}).failed);
}

TEST_CASE("Gemini's signature on a call is kept") {
  const Answer answer =
      read({delta(R"("tool_calls":[{"index":0,"extra_content":{"google":{)"
                  R"("thought_signature":"Sig="}},"function":{"arguments":"{}","name":"f"},)"
                  R"("id":"a","type":"function"}])",
                  R"("stop")")});
  REQUIRE(answer.choice().calls.size() == 1);
  CHECK(answer.choice().calls[0].signature == "Sig=");
  CHECK(answer.choice().calls[0].signature_of == Maker::gemini);
}

TEST_CASE("function_call of old is a call") {
  const Answer answer = read({delta(R"("function_call":{"name":"f","arguments":""})"),
                              delta(R"("function_call":{"arguments":"{\"a\":1}"})"),
                              delta("", R"("function_call")")});
  REQUIRE(answer.choice().calls.size() == 1);
  CHECK(answer.choice().calls[0].name == "f");
  CHECK(answer.choice().calls[0].arguments == R"({"a":1})");
  CHECK(answer.choice().finish == Finish::tool_calls);
}

TEST_CASE("reasoning is found under each of its names, once, and ends before the text") {
  const char* forms[] = {
      R"("content":"","reasoning_content":"hm")",
      R"("reasoning":"hm","content":null)",
      R"("reasoning_content":"hm","reasoning":"hm")",
      R"("reasoning":"hm","reasoning_details":[{"type":"reasoning.text","text":"hm"}])",
      R"("reasoning":null,"reasoning_details":[{"type":"reasoning.text","text":"hm"}])",
      R"("content":[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]}])",
  };
  for (const char* form : forms) {
    CAPTURE(form);
    const Answer answer =
        read({role, delta(form), delta(R"("content":"a")"), delta("", R"("stop")")});
    CHECK(answer.choice().thinking == "hm");
    REQUIRE(answer.choice().blocks.size() == 1);
    CHECK(answer.choice().blocks[0].text == "hm");
    CHECK(answer.choice().text == "a");
  }
  // In a plain answer the text may be named first.
  const Answer answer = plain(R"("message":{"content":"a","reasoning_content":"hm"})");
  CHECK(answer.choice().thinking == "hm");
  CHECK(answer.choice().text == "a");
}

TEST_CASE("OpenRouter's signed reasoning keeps signature and maker") {
  const Answer answer =
      read({delta(R"("reasoning":"hm","reasoning_details":[{"type":"reasoning.text","text":"hm",)"
                  R"("format":"anthropic-claude-v1"}])"),
            delta(R"("reasoning":null,"reasoning_details":[{"type":"reasoning.text",)"
                  R"("signature":"Sig=","format":"anthropic-claude-v1"}])"),
            delta(R"("reasoning_details":[{"type":"reasoning.encrypted","data":"Enc",)"
                  R"("format":"anthropic-claude-v1"}])"),
            delta(R"("content":"a")")});
  REQUIRE(answer.choice().blocks.size() == 2);
  CHECK(answer.choice().blocks[0].signature == "Sig=");
  CHECK(answer.choice().blocks[0].signature_of == Maker::anthropic);
  CHECK(answer.choice().blocks[1].redacted);
  CHECK(answer.choice().blocks[1].text == "Enc");
}

TEST_CASE("a refusal is told from text") {
  const Answer stream = read(
      {role, delta(R"("refusal":"I ")"), delta(R"("refusal":"cannot")"), delta("", R"("stop")")});
  const Answer whole =
      plain(R"("message":{"content":null,"refusal":"I cannot"},"finish_reason":"stop")");
  for (const Answer& answer : {stream, whole}) {
    CHECK(answer.choice().refusal == "I cannot");
    CHECK(answer.choice().text == "");
    CHECK(answer.choice().finish == Finish::refusal);
  }
}

TEST_CASE("usage is taken from wherever it stands, the last report holds") {
  const std::string usage =
      R"("usage":{"prompt_tokens":5,"completion_tokens":7,"total_tokens":12})";
  // A chunk of its own, on the finish, on every chunk, Groq's own member.
  for (const std::string& chunk :
       {"{\"choices\":[]," + usage + "}",
        "{\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]," + usage + "}",
        R"({"choices":[],"x_groq":{"id":"r",)" + usage + "}}"}) {
    CAPTURE(chunk);
    const Answer answer =
        read({R"({"choices":[{"delta":{"content":"a"}}],"usage":{"prompt_tokens":5,)"
              R"("completion_tokens":1}})",
              chunk});
    CHECK(answer.ended);
    CHECK(answer.usage.prompt_tokens == 5);
    CHECK(answer.usage.completion_tokens == 7);
    CHECK(answer.usage.cached_tokens == -1);
  }
}

TEST_CASE("every detail of usage has its place") {
  const Answer answer = plain(
      R"("message":{"content":"a"})",
      R"(,"usage":{"prompt_tokens":100,"completion_tokens":50,"total_tokens":150,)"
      R"("prompt_tokens_details":{"cached_tokens":60,"cache_write_tokens":30,"audio_tokens":4},)"
      R"("completion_tokens_details":{"reasoning_tokens":20,"audio_tokens":3}})");
  CHECK(answer.usage.prompt_tokens == 100);
  CHECK(answer.usage.completion_tokens == 50);
  CHECK(answer.usage.cached_tokens == 60);
  CHECK(answer.usage.cache_write_tokens == 30);
  CHECK(answer.usage.audio_prompt_tokens == 4);
  CHECK(answer.usage.audio_completion_tokens == 3);
  CHECK(answer.usage.reasoning_tokens == 20);
}

TEST_CASE("DeepSeek's cache hits are cached tokens, xAI's reasoning is part of the completion") {
  const Answer deepseek =
      plain(R"("message":{"content":"a"})",
            R"(,"usage":{"prompt_tokens":339,"completion_tokens":83,"total_tokens":422,)"
            R"("prompt_cache_hit_tokens":320,"prompt_cache_miss_tokens":19})");
  CHECK(deepseek.usage.cached_tokens == 320);
  const Answer xai =
      plain(R"("message":{"content":"a"})",
            R"(,"usage":{"prompt_tokens":12,"completion_tokens":1,"total_tokens":303,)"
            R"("completion_tokens_details":{"reasoning_tokens":290}})");
  CHECK(xai.usage.completion_tokens == 291);
  CHECK(xai.usage.reasoning_tokens == 290);
}

TEST_CASE("a number missing in usage is none, usage missing is unknown") {
  const Answer half = plain(R"("message":{"content":"a"})", R"(,"usage":{"prompt_tokens":5})");
  CHECK(half.usage.prompt_tokens == 5);
  CHECK(half.usage.completion_tokens == 0);
  CHECK(!plain(R"("message":{"content":"a"})").usage.known());
  CHECK(!plain(R"("message":{"content":"a"})", R"(,"usage":null)").usage.known());
  CHECK(!plain(R"("message":{"content":"a"})", R"(,"usage":{"prompt_tokens":-4})").usage.known());
}

TEST_CASE("errors inside a stream are seen in every form they were met in") {
  struct Case {
    const char* event;
    ErrorKind kind;
    const char* message;
  };
  const Case cases[] = {
      {"data: {\"error\":{\"message\":\"boom\",\"type\":\"server_error\",\"param\":null,"
       "\"code\":null}}",
       ErrorKind::server, "boom"},
      {"event: error\ndata: {\"error\":{\"message\":\"bad call\",\"failed_generation\":\"x\"}}",
       ErrorKind::server, "bad call"},
      {"data: "
       "{\"id\":\"g\",\"error\":{\"code\":429,\"message\":\"slow\"},\"choices\":[{\"index\":0,"
       "\"delta\":{\"content\":\"\"},\"finish_reason\":\"error\"}]}",
       ErrorKind::rate_limit, "slow"},
      {"data: {\"code\":\"c\",\"error\":\"as a string\"}", ErrorKind::server, "as a string"},
      {"data: {\"object\":\"error\",\"message\":\"of Mistral\"}", ErrorKind::server, "of Mistral"},
      {"data: {\"error\":{\"message\":\"m\",\"type\":\"overloaded_error\"}}", ErrorKind::overload,
       "m"},
      {"event: error\ndata: not JSON", ErrorKind::server, nullptr},
      {"data: {\"choices\":[],\"x_groq\":{\"error\":\"boom\"}}", ErrorKind::server, nullptr},
  };
  for (const Case& item : cases) {
    CAPTURE(item.event);
    const std::string bytes =
        stream_of({role, delta(R"("content":"a")")}, false) + item.event + "\n\ndata: [DONE]\n\n";
    const Answer answer = test::read_stream(openai_chat::language(), bytes);
    CHECK(answer.failed);
    CHECK(answer.error == item.kind);
    if (item.message != nullptr) CHECK(answer.error_message == item.message);
    CHECK(answer.choice().text == "a");
  }
  CHECK(plain(R"("message":{"content":"a"})", R"(,"error":null)").ended);
  CHECK(plain(R"("message":{"content":"a"},"error":{"code":502,"message":"m"})").failed);
}

TEST_CASE("an error in place of the first chunk is an error") {
  CHECK(read({R"({"error":{"message":"m"}})"}).failed);
  CHECK(read({R"({"detail":"Invalid API Key"})"}).failed);
  CHECK(test::read_plain(openai_chat::language(), R"({"error":"Incorrect API key"})").failed);
}

TEST_CASE("Azure's first chunk without id is no start, its missing message no failure") {
  const Answer stream = read(
      {R"({"choices":[],"created":0,"id":"","model":"","object":"",)"
       R"("prompt_filter_results":[{"prompt_index":0}]})",
       R"({"choices":[{"content_filter_results":{},"delta":{"content":"","refusal":null,)"
       R"("role":"assistant"},"finish_reason":null,"index":0}],"created":17,"id":"c1",)"
       R"("model":"m-1","obfuscation":"x"})",
       R"({"choices":[{"delta":{"content":"a"},"finish_reason":"stop","index":0}],"id":"c1"})"});
  CHECK(stream.id == "c1");
  CHECK(stream.model == "m-1");
  CHECK(stream.choice().text == "a");
  const Answer filtered = plain(
      R"("finish_reason":"content_filter","content_filter_results":{"hate":{"filtered":true}})");
  CHECK(filtered.ended);
  CHECK(filtered.choice().finish == Finish::content_filter);
}

TEST_CASE("several choices keep apart, each with its finish") {
  const Answer answer = read(
      {R"({"id":"c","choices":[{"index":1,"delta":{"content":"b"}}]})",
       R"({"choices":[{"index":0,"delta":{"content":"a"}},{"index":1,"delta":{"content":"B"}}]})",
       R"({"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]})",
       R"({"choices":[{"index":1,"delta":{"tool_calls":[{"id":"x","function":{)"
       R"("name":"f"}}]},"finish_reason":"length"}]})"});
  REQUIRE(answer.choices.size() == 2);
  CHECK(answer.choice(0).text == "a");
  CHECK(answer.choice(1).text == "bB");
  CHECK(answer.choice(0).finish == Finish::stop);
  CHECK(answer.choice(1).finish == Finish::length);
  CHECK(answer.choice(1).calls.size() == 1);
  CHECK(read({R"({"choices":[{"index":128,"delta":{"content":"a"}}]})"}).failed);
  CHECK(read({R"({"choices":[{"index":-1,"delta":{"content":"a"}}]})"}).failed);
}

TEST_CASE("comments, obfuscation, keep-alives and roles everywhere change nothing") {
  const std::string bytes =
      ": OPENROUTER PROCESSING\n\n" +
      stream_of({role, delta(R"("role":"assistant","content":"a")")}, false) +
      ": ping\n\ndata: {\"obfuscation\":\"xyz\",\"choices\":[]}\n\nid: 3\n\n" +
      stream_of({delta(R"("role":"assistant","content":"b")"), delta("", R"("stop")")}, false) +
      "data:  [DONE] \r\n\r\n";
  const Answer answer = test::read_stream(openai_chat::language(), bytes);
  CHECK(answer.ended);
  CHECK(answer.choice().text == "ab");
}

TEST_CASE("an event whose JSON is spread over data lines is read") {
  const Answer answer =
      test::read_stream(openai_chat::language(),
                        "data: {\"id\":\"c\",\ndata: \"choices\":[{\"index\":0,\ndata: "
                        "\"delta\":{\"content\":\"a\"}}]}"
                        "\n\ndata: [DONE]\n\n");
  CHECK(answer.choice().text == "a");
}

TEST_CASE("citations come with title, Perplexity's once though it repeats them") {
  const Answer perplexity =
      read({R"({"id":"p","citations":["https://a"],"search_results":[{"title":"A \"t\"",)"
            R"("url":"https://a"}],"choices":[{"index":0,"delta":{"content":"x"},"message":{)"
            R"("content":"x"}}]})",
            R"({"id":"p","citations":["https://a"],"search_results":[{"title":"A",)"
            R"("url":"https://a"}],"choices":[{"index":0,"delta":{"content":"y"},"message":{)"
            R"("content":"xy"},"finish_reason":"stop"}]})"});
  REQUIRE(perplexity.choice().citations.size() == 1);
  CHECK(perplexity.choice().citations[0].first == "https://a");
  CHECK(perplexity.choice().citations[0].second == "A \"t\"");
  CHECK(perplexity.choice().text == "xy");
  const Answer annotated =
      plain(R"("message":{"content":"x","annotations":[{"type":"url_citation",)"
            R"("url_citation":{"start_index":0,"end_index":1,"url":"https://b",)"
            R"("title":"B"}}]})");
  REQUIRE(annotated.choice().citations.size() == 1);
  CHECK(annotated.choice().citations[0].first == "https://b");
}

TEST_CASE("what is no chunk of JSON breaks the answer") {
  for (const char* data :
       {"{", "null", "[]", "\"text\"", "{} {}", "{\"choices\":[}", "{\"choices\":[5]}",
        "{\"choices\":[{\"delta\":{\"content\":\"a\tb\"}}]}",
        "{\"choices\":[{\"delta\":{\"content\":\"\\q\"}}]}",
        "{\"choices\":[{\"delta\":{\"content\":\"\xC3\"}}]}"}) {
    CAPTURE(data);
    const Answer answer = test::read_stream(openai_chat::language(),
                                            "data: " + std::string(data) + "\n\ndata: [DONE]\n\n");
    CHECK(answer.failed);
    CHECK(answer.error == ErrorKind::server);
  }
  for (const char* body : {"", "{}", "[]", "null", "<html>", R"({"choices":[]})",
                           R"({"choices":[{}]})", R"({"choices":[{"message":{"content":"a"}}])"}) {
    CAPTURE(body);
    CHECK(test::read_plain(openai_chat::language(), body).failed);
  }
}
