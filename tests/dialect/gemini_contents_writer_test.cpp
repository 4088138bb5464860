#include <string>

#include <doctest/doctest.h>

#include "dialect/gemini_draft.h"

using namespace hyperion;
using namespace hyperion::dialect;
using test::Draft;
using test::json_of;
using test::lenient;
using test::newer;
using test::older;

TEST_CASE("gemini body: systems lead, later ones are said by the user, neighbours merge") {
  Draft draft;
  draft.say(Role::system, "S1");
  draft.say(Role::system, "S\\n2");
  draft.say(Role::user, "a");
  draft.say(Role::user, "b");
  draft.say(Role::assistant, "c");
  draft.say(Role::assistant, "");
  draft.say(Role::assistant, "d");
  draft.say(Role::system, "S3");
  draft.say(Role::user, "e\\\"");
  CHECK(draft.encode().json() == json_of(R"({
    "systemInstruction":{"parts":[{"text":"S1"},{"text":"S\n2"}]},
    "contents":[{"role":"user","parts":[{"text":"a"},{"text":"b"}]},
      {"role":"model","parts":[{"text":"c"},{"text":"d"}]},
      {"role":"user","parts":[{"text":"S3"},{"text":"e\""}]}]})"));
}

TEST_CASE("gemini body: the first content is the user's, and there is one") {
  Draft leading;
  leading.say(Role::assistant, "Welcome");
  leading.say(Role::user, "Hi");
  CHECK(leading.contents() == json_of(R"([{"role":"user","parts":[{"text":" "}]},
    {"role":"model","parts":[{"text":"Welcome"}]},{"role":"user","parts":[{"text":"Hi"}]}])"));
  CHECK(leading.encode().adjusted == "messages");
  Draft lone;
  lone.say(Role::system, "Write a poem");
  CHECK(lone.encode().json() ==
        json_of(R"({"contents":[{"role":"user","parts":[{"text":"Write a poem"}]}]})"));
  Draft empty;
  empty.say(Role::user, "");
  CHECK(empty.contents() == json_of(R"([{"role":"user","parts":[{"text":" "}]}])"));
}

TEST_CASE(
    "gemini body: calls and results of an older model: names looked up, in the order of "
    "calls") {
  Draft draft;
  draft.say(Role::user, "go");
  Message& turn = draft.say(Role::assistant);
  draft.call(turn, "c1", "f", R"({"n":1e400,"b":2})");
  draft.call(turn, "c2", "g", R"({\"q\":\"\\\"x\\\"\"})").arguments_escaped = true;
  draft.call(turn, "c3", "f", "").arguments = {};
  draft.answer("c3", "three");
  draft.answer("c1", R"({\"sum\": 1e400})");
  draft.answer("c2", "[1,2]").is_error = true;
  draft.say(Role::user, "well?");
  const test::Encoding encoding = draft.encode(&older);
  CHECK(encoding.json()["contents"] == json_of(R"([{"role":"user","parts":[{"text":"go"}]},
    {"role":"model","parts":[{"functionCall":{"id":"c1","name":"f","args":{"n":1e400,"b":2}}},
      {"functionCall":{"id":"c2","name":"g","args":{"q":"\"x\""}}},{"functionCall":{)"
                                               R"("id":"c3","name":"f","args":{}}}]},
    {"role":"user","parts":[
      {"functionResponse":{"id":"c1","name":"f","response":{"sum":1e400}}},
      {"functionResponse":{"id":"c2","name":"g","response":{"error":"[1,2]"}}},
      {"functionResponse":{"id":"c3","name":"f","response":{"result":"three"}}},
      {"text":"well?"}]}])"));
}

TEST_CASE(
    "gemini body: newer models get their signatures, or the sentinel on a turn's first call") {
  Draft draft;
  draft.say(Role::user, "go");
  Message& first = draft.say(Role::assistant);
  Part& signed_call = draft.call(first, "c1", "f");
  signed_call.signature = {"U2ln"};
  signed_call.signature_of = Maker::gemini;
  draft.call(first, "c2", "f");
  draft.answer("c1", "1");
  draft.answer("c2", "2");
  Message& second = draft.say(Role::assistant);
  Part& foreign = draft.call(second, "c3", "g");
  foreign.signature = {"Abc"};
  foreign.signature_of = Maker::anthropic;
  draft.call(second, "c4", "g");
  draft.answer("c3", "3");
  draft.answer("c4", "4");
  const test::Json contents = draft.contents();
  CHECK(contents.elements[1] == json_of(R"({"role":"model","parts":[
    {"functionCall":{"id":"c1","name":"f","args":{}},"thoughtSignature":"U2ln"},
    {"functionCall":{"id":"c2","name":"f","args":{}}}]})"));
  CHECK(contents.elements[2]["parts"].elements[1] ==
        json_of(R"({"functionResponse":{"id":"c2","name":"f","response":{"result":"2"}}})"));
  CHECK(contents.elements[3] == json_of(R"({"role":"model","parts":[
    {"functionCall":{"id":"c3","name":"g","args":{}},)"
                                        R"("thoughtSignature":"skip_thought_signature_validator"},
    {"functionCall":{"id":"c4","name":"g","args":{}}}]})"));
  // A model nobody knows is taken for a new one, an older one checks nothing.
  CHECK(draft.encode(nullptr).body.find("skip_thought_signature_validator") != std::string::npos);
  CHECK(draft.encode(&older).body.find("skip_thought_signature_validator") == std::string::npos);
}

TEST_CASE("gemini body: one turn of several assistant messages has one sentinel") {
  Draft draft;
  draft.say(Role::user, "go");
  draft.call(draft.say(Role::assistant), "c1", "f");
  draft.call(draft.say(Role::assistant), "c2", "g");
  draft.answer("c2", "2");
  draft.answer("c1", "1");
  const test::Json contents = draft.contents();
  REQUIRE(contents.elements.size() == 3);
  const auto& parts = contents.elements[1]["parts"].elements;
  REQUIRE(parts.size() == 2);
  CHECK(parts[0].find("thoughtSignature") != nullptr);
  CHECK(parts[1].find("thoughtSignature") == nullptr);
  // The results stand in the order of the calls.
  CHECK(contents.elements[2]["parts"].elements[0]["functionResponse"]["name"].text == "f");
}

TEST_CASE("gemini body: only Gemini's own thoughts go back") {
  Draft draft;
  draft.say(Role::user, "go");
  Message& turn = draft.say(Role::assistant);
  draft.add(turn, PartKind::thinking).text = {"unsigned"};
  Part& foreign = draft.add(turn, PartKind::thinking);
  foreign.text = {"foreign"};
  foreign.signature = {"x"};
  foreign.signature_of = Maker::anthropic;
  Part& own = draft.add(turn, PartKind::thinking);
  own.text = {"own"};
  own.signature = {"U2ln"};
  own.signature_of = Maker::gemini;
  draft.add(turn, PartKind::redacted_thinking).text = {"r"};
  draft.add(turn, PartKind::refusal).text = {"No."};
  CHECK(draft.contents().elements[1] == json_of(R"({"role":"model","parts":[
    {"text":"own","thought":true,"thoughtSignature":"U2ln"},{"text":"No."}]})"));
}

TEST_CASE("gemini body: image/jpg has the name that Google knows") {
  Draft draft;
  Part& image = draft.add(draft.say(Role::user), PartKind::image);
  image.media_type = "image/jpg";
  image.data = {"QUJD"};
  CHECK(draft.contents() == json_of(R"([{"role":"user","parts":[
    {"inlineData":{"mimeType":"image/jpeg","data":"QUJD"}}]}])"));
}

TEST_CASE("gemini body: a result without its call is refused, one with a name of its own is not") {
  Draft draft;
  draft.say(Role::user, "go");
  Part& result = draft.answer("lost", "x");
  const test::Encoding refused = draft.encode();
  CHECK(!refused.accepted);
  CHECK(std::string(refused.problem.param) == "messages[1].content[0]");
  CHECK(std::string(refused.problem.message).find("lost") != std::string::npos);
  result.name = "f";
  CHECK(draft.encode().accepted);
}

TEST_CASE("gemini body: pictures, sound and files") {
  Draft draft;
  Message& turn = draft.say(Role::user);
  Part& image = draft.add(turn, PartKind::image);
  image.media_type = "image/png";
  image.data = {"a-_b"};
  image.data_url_safe = true;
  Part& audio = draft.add(turn, PartKind::audio);
  audio.media_type = "audio/wav";
  audio.data = {"QUJD"};
  draft.add(turn, PartKind::file).text = {"A plain document"};
  draft.add(turn, PartKind::image).url = {"gs://bucket/a.png"};
  draft.add(turn, PartKind::file).url = {"https:\\/\\/www.youtube.com\\/watch?v=x"};
  Part& file = draft.add(turn, PartKind::file);
  file.url = {"https://generativelanguage.googleapis.com/v1beta/files/x"};
  file.media_type = "video/mp4";
  CHECK(draft.contents() ==
        json_of(R"([{"role":"user","parts":[
    {"inlineData":{"mimeType":"image/png","data":"a+/b"}},
    {"inlineData":{"mimeType":"audio/wav","data":"QUJD"}},
    {"text":"A plain document"},
    {"fileData":{"mimeType":"image/png","fileUri":"gs://bucket/a.png"}},
    {"fileData":{"fileUri":"https://www.youtube.com/watch?v=x"}},
    {"fileData":{"mimeType":"video/mp4",)"
                R"("fileUri":"https://generativelanguage.googleapis.com/v1beta/files/x"}}]}])"));
}

TEST_CASE("gemini body: public URLs and other vendors' files are refused, whatever the settings") {
  for (const TranslationSettings& settings : {TranslationSettings(), lenient()}) {
    for (std::string_view url : {"https://example.com/a.png", "http://www.youtube.com/x",
                                 "https://youtube.com.evil/x", "https://www.youtube.com"}) {
      Draft draft;
      draft.say(Role::user, "see");
      draft.add(draft.say(Role::user), PartKind::image).url = {url};
      const test::Encoding encoding = draft.encode(&newer, false, settings);
      CHECK(!encoding.accepted);
      CHECK(std::string(encoding.problem.param) == "messages[1].content[0]");
      CHECK(std::string(encoding.problem.code) == "unsupported_parameter");
    }
    Draft draft;
    draft.add(draft.say(Role::user), PartKind::file).file_id = "file-123";
    CHECK(!draft.encode(&newer, false, settings).accepted);
  }
}

TEST_CASE(
    "gemini body: pictures of a result stand within it for newer models, beside it for older") {
  Draft draft;
  draft.say(Role::user, "go");
  draft.call(draft.say(Role::assistant), "c", "f");
  Part& result = draft.answer("c", "seen");
  Part* image = make<Part>(draft.memory.arena);
  image->kind = PartKind::image;
  image->media_type = "image/png";
  image->data = {"QUJD"};
  result.content.append(image);
  CHECK(draft.contents(&newer).elements[2]["parts"] ==
        json_of(R"([{"functionResponse":{"id":"c","name":"f",
    "response":{"result":"seen"},"parts":[{"inlineData":{"mimeType":"image/png",)"
                R"("data":"QUJD"}}]}}])"));
  CHECK(draft.contents(&older).elements[2]["parts"] ==
        json_of(R"([{"functionResponse":{"id":"c","name":"f",
    "response":{"result":"seen"}}},{"inlineData":{"mimeType":"image/png","data":"QUJD"}}])"));
}

TEST_CASE("gemini body: an image's detail is asked of the whole request") {
  const auto detail = [](std::initializer_list<const char*> details) {
    Draft draft;
    Message& turn = draft.say(Role::user);
    for (const char* word : details) {
      Part& image = draft.add(turn, PartKind::image);
      image.media_type = "image/png";
      image.data = {"QUJD"};
      image.detail = word;
    }
    return draft.config()["mediaResolution"].text;
  };
  CHECK(detail({"low", "low"}) == "MEDIA_RESOLUTION_LOW");
  CHECK(detail({"high", "auto"}) == "MEDIA_RESOLUTION_HIGH");
  CHECK(detail({"auto"}) == "");
  CHECK(detail({"low", "high"}) == "");
}

TEST_CASE("gemini body: what a Google client said comes back as it was") {
  const char* body = R"({"systemInstruction":{"parts":[{"text":"S"}]},
    "contents":[{"role":"user","parts":[{"text":"go"},{"inlineData":{"mimeType":"image/png",)"
                     R"("data":"QUJD"}}]},
      {"role":"model","parts":[{"text":"hm","thought":true,"thoughtSignature":"U2ln"},
        {"functionCall":{"id":"a","name":"f","args":{"x":[1,2]}},"thoughtSignature":"QUJD"}]},
      {"role":"user","parts":[{"functionResponse":{"id":"a","name":"f","response":{"y":1}}},)"
                     R"({"text":"so"}]}],
    "tools":[{"functionDeclarations":[{"name":"f","description":"F","parametersJsonSchema":{)"
                     R"("type":"object"}}]}],
    "toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["f"]}},
    "safetySettings":[{"category":"c","threshold":"t"}],
    "generationConfig":{"maxOutputTokens":10,"temperature":0.1,"topP":0.2,"topK":3,)"
                     R"("candidateCount":2,
      "stopSequences":["x"],"seed":4,"responseMimeType":"application/json",
      "responseJsonSchema":{"type":"object"},
      "thinkingConfig":{"thinkingLevel":"LOW","includeThoughts":true}},"serviceTier":"flex"})";
  const test::Decoding decoded(gemini::language(), body);
  REQUIRE_MESSAGE(decoded.accepted, decoded.message());
  const test::Encoding encoding =
      test::encode(gemini::language(), decoded.request, catalog::Provider(), &newer);
  CHECK(encoding.json() == json_of(body));
}
