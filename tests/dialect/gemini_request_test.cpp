#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "dialect/gemini.h"
#include "dialect/harness.h"

using namespace hyperion;
using namespace hyperion::dialect;
using test::Decoding;

namespace {

Decoding decode(const std::string& members) {
  return Decoding(gemini::language(), "{" + members + "}");
}

const std::string hello = R"("contents":[{"role":"user","parts":[{"text":"Hi"}]}])";

Decoding decode_config(const std::string& config) {
  return decode(hello + R"(,"generationConfig":{)" + config + "}");
}

std::vector<const Message*> messages_of(const Decoding& decoded) {
  std::vector<const Message*> all;
  for (const Message* m = decoded.request.messages.first; m != nullptr; m = m->next) {
    all.push_back(m);
  }
  CHECK(all.size() == decoded.request.messages.count);
  return all;
}

std::vector<const Part*> parts_of(const Message& message) {
  std::vector<const Part*> all;
  for (const Part* p = message.parts.first; p != nullptr; p = p->next) all.push_back(p);
  return all;
}

const Part& only_part(const Decoding& decoded) {
  const auto messages = messages_of(decoded);
  REQUIRE(messages.size() == 1);
  REQUIRE(messages[0]->parts.count == 1);
  return *messages[0]->parts.first;
}

std::string words(const Chain<Word>& chain) {
  std::string all;
  for (const Word* w = chain.first; w != nullptr; w = w->next) {
    all += (all.empty() ? "" : ",") + std::string(w->plain.empty() ? w->raw.bytes : w->plain);
  }
  return all;
}

}  // namespace

TEST_CASE("gemini request: roles, texts and the system instruction, wherever it stands") {
  for (const char* name : {"systemInstruction", "system_instruction"}) {
    for (const char* system : {R"({"parts":[{"text":"Be"},{"text":" brief"}]})",
                               R"({"role":"user","parts":[{"text":"Be"},{"text":" brief"}]})"}) {
      const Decoding decoded = decode(
          R"("contents":[{"parts":[{"text":"a\"b"}]},{"role":"model","parts":[{"text":"c"}]},)"
          R"({"role":"user","parts":[{"text":"d"},{"text":"e"}]}],")" +
          std::string(name) + "\":" + system);
      REQUIRE(decoded.accepted);
      const auto messages = messages_of(decoded);
      REQUIRE(messages.size() == 4);
      CHECK(messages[0]->role == Role::system);
      CHECK(parts_of(*messages[0]).size() == 2);
      CHECK(messages[1]->role == Role::user);
      CHECK(messages[1]->parts.first->text.bytes == "a\\\"b");
      CHECK(messages[2]->role == Role::assistant);
      CHECK(messages[3]->role == Role::user);
      CHECK(messages[3]->index == 2);
      CHECK(parts_of(*messages[3])[1]->text.bytes == "e");
      CHECK(parts_of(*messages[3])[1]->index == 1);
    }
  }
  // A lone object stands for a list of one, and a string for a system's content.
  const Decoding lone =
      decode(R"("contents":{"parts":{"text":"Hi"}},"system_instruction":{"parts":{"text":"S"}})");
  REQUIRE(lone.accepted);
  CHECK(messages_of(lone).size() == 2);
  CHECK(messages_of(lone)[0]->parts.first->text.bytes == "S");
}

TEST_CASE("gemini request: every field of generationConfig, in both spellings") {
  const char* camel =
      R"("temperature":0.50,"topP":0.9,"topK":40.0,"candidateCount":2,"maxOutputTokens":100,
         "stopSequences":["a","b\n"],"seed":7,"presencePenalty":0.1,"frequencyPenalty":-0.2,
         "responseLogprobs":true,"logprobs":3,"responseMimeType":"application/json",
         "responseJsonSchema":{"type":"object"},"responseModalities":["TEXT"],
         "thinkingConfig":{"includeThoughts":true,"thinkingBudget":512})";
  const char* snake =
      R"("temperature":0.50,"top_p":0.9,"top_k":40,"candidate_count":2.0,"max_output_tokens":"100",
         "stop_sequences":["a","b\n"],"seed":7,"presence_penalty":0.1,"frequency_penalty":-0.2,
         "response_logprobs":true,"logprobs":3,"response_mime_type":"application/json",
         "response_json_schema":{"type":"object"},"response_modalities":["TEXT"],
         "thinking_config":{"include_thoughts":true,"thinking_budget":512})";
  for (const char* config : {camel, snake}) {
    const Decoding decoded = decode_config(config);
    REQUIRE_MESSAGE(decoded.accepted, decoded.message());
    const Request& request = decoded.request;
    CHECK(request.temperature.bytes == "0.50");
    CHECK(request.top_p.bytes == "0.9");
    CHECK(request.top_k.bytes == "40");
    CHECK(request.n == 2);
    CHECK(request.output_tokens_max == 100);
    CHECK(words(request.stop) == "a,b\\n");
    CHECK(request.seed.bytes == "7");
    CHECK(request.presence_penalty.bytes == "0.1");
    CHECK(request.frequency_penalty.bytes == "-0.2");
    CHECK(request.logprobs);
    CHECK(request.top_logprobs == 3);
    CHECK(request.format == Format::json_schema);
    CHECK(request.schema.bytes == R"({"type":"object"})");
    CHECK(request.thinking_shown == Flag::yes);
    CHECK(request.thinking_budget_tokens == 512);
    CHECK(!request.audio_wanted);
  }
}

TEST_CASE("gemini request: formats of an answer") {
  CHECK(decode_config("").request.format == Format::text);
  CHECK(decode_config(R"("responseMimeType":"text/plain")").request.format == Format::text);
  CHECK(decode_config(R"("responseMimeType":"application/json")").request.format ==
        Format::json_object);
  const Decoding schema =
      decode_config(R"("response_mime_type":"application/json","response_schema":{"type":"STRING",)"
                    R"("nullable":true})");
  CHECK(schema.request.format == Format::json_schema);
  CHECK(schema.request.schema.bytes == R"({"type":["string","null"]})");
  CHECK(!schema.request.schema_name.empty());
  CHECK(decode_config(R"("responseModalities":["TEXT","AUDIO"])").request.audio_wanted);
}

TEST_CASE("gemini request: thinking by level and budget") {
  CHECK(decode(hello).request.thinking_shown == Flag::no);
  CHECK(!decode(hello).request.effort_given);
  struct Level {
    const char* level;
    catalog::Effort effort;
  };
  for (const Level& item : {Level{"MINIMAL", catalog::Effort::minimal},
                            {"low", catalog::Effort::low},
                            {"MEDIUM", catalog::Effort::medium},
                            {"HIGH", catalog::Effort::high},
                            {"XHIGH", catalog::Effort::xhigh}}) {
    const Decoding decoded =
        decode_config(R"("thinkingConfig":{"thinkingLevel":")" + std::string(item.level) + "\"}");
    CHECK(decoded.request.effort_given);
    CHECK(decoded.request.effort == item.effort);
  }
  CHECK(decode_config(R"("thinkingConfig":{"thinkingBudget":-1})").request.thinking_budget_tokens ==
        -2);
  CHECK(decode_config(R"("thinkingConfig":{"thinkingBudget":0})").request.thinking_budget_tokens ==
        0);
}

TEST_CASE("gemini request: tools, in OpenAPI's and in JSON Schema") {
  const Decoding decoded = decode(hello + R"(,"tools":[
      {"functionDeclarations":[
        {"name":"f","description":"F\n","parameters":{"type":"OBJECT","properties":{"type":{)"
                                          R"("type":"STRING"}}}},
        {"name":"g","parametersJsonSchema":{"type":"object",  "x":1}},
        {"name":"h"}]},
      {"googleSearch":{}},
      {"function_declarations":[{"name":"i","parameters_json_schema":{"a":[]}}]}])");
  REQUIRE(decoded.accepted);
  const Tool* tool = decoded.request.tools.first;
  REQUIRE(decoded.request.tools.count == 5);
  CHECK(tool->name == "f");
  CHECK(tool->description.bytes == "F\\n");
  CHECK(tool->schema.bytes == R"({"type":"object","properties":{"type":{"type":"string"}}})");
  tool = tool->next;
  CHECK(tool->schema.bytes == R"({"type":"object",  "x":1})");
  tool = tool->next;
  CHECK(!tool->schema.given());
  tool = tool->next;
  CHECK(tool->kind == Tool::Kind::server);
  CHECK(tool->name == "googleSearch");
  CHECK(tool->definition.bytes == R"({"googleSearch":{}})");
  CHECK(tool->next->name == "i");
  CHECK(tool->next->index == 4);
}

TEST_CASE("gemini request: tool choice") {
  const std::string tools = hello + R"(,"tools":[{"functionDeclarations":[{"name":"f"}]}])";
  const auto choice = [&](const std::string& config) {
    return decode(R"("toolConfig":{"functionCallingConfig":{)" + config + "}}," + tools);
  };
  CHECK(decode(tools).request.tool_choice == ToolChoice::unset);
  CHECK(choice(R"("mode":"AUTO")").request.tool_choice == ToolChoice::automatic);
  CHECK(choice(R"("mode":"VALIDATED")").request.tool_choice == ToolChoice::automatic);
  CHECK(choice(R"("mode":"NONE")").request.tool_choice == ToolChoice::none);
  CHECK(choice(R"("mode":"ANY")").request.tool_choice == ToolChoice::required);
  const Decoding one = choice(R"("mode":"ANY","allowedFunctionNames":["f"])");
  CHECK(one.request.tool_choice == ToolChoice::named);
  CHECK(one.request.tool_choice_name == "f");
  CHECK(one.request.allowed_tools.empty());
  const Decoding two = choice(R"("mode":"any","allowed_function_names":["f","g"])");
  CHECK(two.request.tool_choice == ToolChoice::required);
  CHECK(words(two.request.allowed_tools) == "f,g");
  // Without any function there is nothing to choose.
  const Decoding none =
      decode(hello + R"(,"tool_config":{"function_calling_config":{"mode":"ANY"}})");
  CHECK(none.request.tool_choice == ToolChoice::unset);
}

TEST_CASE("gemini request: pictures, sound and files") {
  const auto part = [](const std::string& json) {
    return decode(R"("contents":[{"parts":[)" + json + "]}]");
  };
  const Decoding image = part(R"({"inlineData":{"mimeType":"IMAGE\/png","data":"QUJD"}})");
  CHECK(only_part(image).kind == PartKind::image);
  CHECK(only_part(image).media_type == "image/png");
  CHECK(only_part(image).data.bytes == "QUJD");
  CHECK(!only_part(image).data_url_safe);
  const Decoding audio = part(R"({"inline_data":{"mime_type":"audio/wav","data":"_-8="}})");
  CHECK(only_part(audio).kind == PartKind::audio);
  CHECK(only_part(audio).data_url_safe);
  const Decoding pdf =
      part(R"({"inlineData":{"mimeType":"application/pdf","data":"QUJD","displayName":"a.pdf"}})");
  CHECK(only_part(pdf).kind == PartKind::file);
  CHECK(only_part(pdf).file_name.bytes == "a.pdf");
  const Decoding gs = part(R"({"file_data":{"file_uri":"gs://b/x","mime_type":"image/jpeg"}})");
  CHECK(only_part(gs).kind == PartKind::image);
  CHECK(only_part(gs).url.bytes == "gs://b/x");
  CHECK(only_part(gs).file_id.empty());
  const Decoding file = part(
      R"({"fileData":{"fileUri":"https://generativelanguage.googleapis.com/v1beta/files/x"}})");
  CHECK(only_part(file).file_id == "https://generativelanguage.googleapis.com/v1beta/files/x");
  const Decoding detail =
      part(R"({"inlineData":{"mimeType":"image/png","data":"QUJD"},"mediaResolution":{)"
           R"("level":"MEDIA_RESOLUTION_LOW"}})");
  CHECK(only_part(detail).detail == "low");
}

TEST_CASE(
    "gemini request: calls without ids get their own, and results find them by name and order") {
  const Decoding decoded = decode(R"("contents":[
    {"role":"user","parts":[{"text":"go"}]},
    {"role":"model","parts":[{"functionCall":{"name":"f","args":{"a":1}}},
      {"function_call":{"name":"g"}},{"functionCall":{"name":"f","args":{"a":2}}}]},
    {"role":"user","parts":[{"text":"and"},{"functionResponse":{"name":"g","response":{"x":1}}},
      {"function_response":{"name":"f","response":{"output":"one"}}},
      {"functionResponse":{"name":"f","response":{"error":"no"}}}]}])");
  REQUIRE_MESSAGE(decoded.accepted, decoded.message());
  const auto messages = messages_of(decoded);
  REQUIRE(messages.size() == 4);
  const auto calls = parts_of(*messages[1]);
  REQUIRE(calls.size() == 3);
  CHECK(calls[0]->arguments.bytes == R"({"a":1})");
  CHECK(!calls[0]->arguments_escaped);
  CHECK(calls[1]->arguments.bytes == "{}");
  CHECK(calls[0]->id != calls[2]->id);
  CHECK(calls[0]->id.starts_with("call_"));
  // Results stand before what the user says.
  CHECK(messages[2]->role == Role::tool);
  CHECK(messages[3]->role == Role::user);
  const auto results = parts_of(*messages[2]);
  REQUIRE(results.size() == 3);
  CHECK(results[0]->id == calls[1]->id);
  CHECK(results[0]->json.bytes == R"({"x":1})");
  CHECK(results[1]->id == calls[0]->id);
  CHECK(!results[1]->is_error);
  CHECK(results[2]->id == calls[2]->id);
  CHECK(results[2]->name == "f");
  CHECK(results[2]->is_error);
}

TEST_CASE("gemini request: results find calls by their ids") {
  const Decoding decoded = decode(R"("contents":[
    {"role":"model","parts":[{"functionCall":{"id":"x","name":"f"}},{"functionCall":{)"
                                  R"("id":"y","name":"f"}}]},
    {"parts":[{"functionResponse":{"id":"y","name":"f","response":{"r":"y"}}},
      {"functionResponse":{"id":"x","name":"f","response":{"r":"x"},
        "parts":[{"inlineData":{"mimeType":"image/png","data":"QUJD"}}]}}]}])");
  REQUIRE_MESSAGE(decoded.accepted, decoded.message());
  const auto results = parts_of(*messages_of(decoded)[1]);
  CHECK(results[0]->id == "y");
  CHECK(results[1]->id == "x");
  REQUIRE(results[1]->content.count == 1);
  CHECK(results[1]->content.first->kind == PartKind::image);
}

TEST_CASE("gemini request: ids stay the same as the conversation goes on") {
  const std::string first =
      R"({"parts":[{"text":"a"}]},{"role":"model","parts":[{"functionCall":{"name":"f"}}]})";
  const Decoding before = decode("\"contents\":[" + first + "]");
  const Decoding after = decode("\"contents\":[" + first +
                                R"(,{"parts":[{"functionResponse":{"name":"f","response":{}}}]},
                                    {"role":"model","parts":[{"functionCall":{"name":"f"}}]}])");
  const std::string_view id = messages_of(before)[1]->parts.first->id;
  CHECK(messages_of(after)[1]->parts.first->id == id);
  CHECK(messages_of(after)[2]->parts.first->id == id);
  CHECK(messages_of(after)[3]->parts.first->id != id);
}

TEST_CASE("gemini request: thoughts that came in a stream's chunks are one block again") {
  const Decoding decoded = decode(R"("contents":[
    {"role":"model","parts":[{"text":"I ","thought":true}]},
    {"role":"model","parts":[{"text":"think","thought":true}]},
    {"role":"model","parts":[{"text":"","thought":true,"thoughtSignature":"U2ln"}]},
    {"role":"model","parts":[{"text":"so"},{"thought":true,"text":"again"}]}])");
  REQUIRE(decoded.accepted);
  const auto messages = messages_of(decoded);
  REQUIRE(messages.size() == 2);
  REQUIRE(messages[0]->parts.count == 1);
  const Part& thought = *messages[0]->parts.first;
  CHECK(thought.kind == PartKind::thinking);
  CHECK(thought.text.bytes == "I think");
  CHECK(thought.signature.bytes == "U2ln");
  CHECK(thought.signature_of == Maker::gemini);
  const auto parts = parts_of(*messages[1]);
  REQUIRE(parts.size() == 2);
  CHECK(parts[0]->kind == PartKind::text);
  CHECK(parts[1]->text.bytes == "again");
}

TEST_CASE("gemini request: a long block of thoughts is joined as far as there is room") {
  std::string contents;
  for (int i = 0; i < 40; ++i) {
    contents +=
        R"({"role":"model","parts":[{"thought":true,"text":")" + std::string(1000, 'x') + "\"}]},";
  }
  const Decoding decoded =
      decode("\"contents\":[" + contents +
             R"({"role":"model","parts":[{"thought":true,"text":"","thoughtSignature":"U2ln"},{)"
             R"("text":"a"}]}])");
  REQUIRE(decoded.accepted);
  const Part& thought = *messages_of(decoded)[0]->parts.first;
  CHECK(thought.text.bytes.size() >= 10'000);
  // It is not what was signed.
  CHECK(thought.signature.empty());
}

TEST_CASE("gemini request: signatures of other makers come home, and nothing else does") {
  const auto signature = [](const std::string& text) {
    return decode(R"("contents":[{"role":"model","parts":[{"functionCall":{"name":"f"},)"
                  R"("thoughtSignature":")" +
                  text + "\"}]}]");
  };
  CHECK(only_part(signature("U2ln")).signature_of == Maker::gemini);
  // base64 of "hyperion.anthropic.AB+/=="
  const Decoding ours = signature("aHlwZXJpb24uYW50aHJvcGljLkFCKy89PQ==");
  CHECK(only_part(ours).signature.bytes == "AB+/==");
  CHECK(only_part(ours).signature_of == Maker::anthropic);
  // The same in the alphabet for URLs and without padding, as Python's client sends it back.
  CHECK(only_part(signature("aHlwZXJpb24uYW50aHJvcGljLkFCKy89PQ")).signature.bytes == "AB+/==");
  // base64 of `hyperion.anthropic."}`: what is no signature must not get into another JSON text.
  const Decoding forged = signature("aHlwZXJpb24uYW50aHJvcGljLiJ9");
  CHECK(only_part(forged).signature.empty());
  CHECK(only_part(forged).signature_of == Maker::unknown);
  // base64 of "hyperion.anthropic.redacted.Zm9v"
  const Decoding redacted =
      decode(R"("contents":[{"role":"model","parts":[{"thought":true,"text":"",)"
             R"("thoughtSignature":"aHlwZXJpb24uYW50aHJvcGljLnJlZGFjdGVkLlptOXY="}]}])");
  CHECK(only_part(redacted).kind == PartKind::redacted_thinking);
  CHECK(only_part(redacted).text.bytes == "Zm9v");
}

TEST_CASE("gemini request: what has no counterpart is named, the gateway's own fields are not") {
  const Decoding decoded = decode(
      R"("labels":{"a":"b"},"safetySettings":[{"category":"x"}],"serviceTier":"flex","store":false,
         "model":"models/x","smart_routing":true,"hyperion":{},"fallbacks":[],"modelArmorConfig":{},
         "extra_body":{"hyperion":{},"generationConfig":{"seed":3},"unheard":1},"contents":[
         {"role":"model","parts":[{"executableCode":{"code":"1"}},{"text":"x"}]}])");
  REQUIRE_MESSAGE(decoded.accepted, decoded.message());
  CHECK(words(decoded.request.unknown) == "modelArmorConfig,unheard,executableCode");
  CHECK(decoded.request.metadata.bytes == R"({"a":"b"})");
  CHECK(decoded.request.safety_settings.bytes == R"([{"category":"x"}])");
  CHECK(decoded.request.service_tier == "flex");
  CHECK(decoded.request.store == Flag::no);
  CHECK(decoded.request.seed.bytes == "3");
  CHECK(decoded.request.include_usage);
}

TEST_CASE("gemini request: null means that nothing was given") {
  const Decoding decoded = decode(
      R"("contents":[{"role":null,"parts":[{"text":"a","thought":null,"inlineData":null}]}],
         "systemInstruction":null,"tools":null,"toolConfig":null,"generationConfig":{)"
      R"("temperature":null,
         "topK":null,"maxOutputTokens":null,"stopSequences":null,"responseSchema":null,
         "thinkingConfig":null},"safetySettings":null,"cachedContent":null,"labels":null)");
  CHECK_MESSAGE(decoded.accepted, decoded.message());
  CHECK(!decoded.request.temperature.given());
  CHECK(decoded.request.format == Format::text);
}
