#include <string>

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

struct Refused {
  const char* members;
  const char* param;
};

// What is refused, and the field that is named.
const Refused refused[] = {
    {R"("contents":[])", "contents"},
    {R"("x":1)", "contents"},
    {R"("systemInstruction":{"parts":[{"text":"only"}]})", "contents"},
    {R"("contents":"Hi")", "contents"},
    {R"("contents":[1])", "contents[0]"},
    {R"("contents":[{"role":"user","parts":[]}])", "contents[0].parts"},
    {R"("contents":[{"role":"user"}])", "contents[0].parts"},
    {R"("contents":[{"role":"user","parts":null}])", "contents[0].parts"},
    {R"("contents":[{"parts":[{"text":"a"}]},{"role":"system","parts":[{"text":"a"}]}])",
     "contents[1].role"},
    {R"("contents":[{"role":1,"parts":[{"text":"a"}]}])", "contents[0].role"},
    {R"("contents":[{"parts":[{}]}])", "contents[0].parts[0]"},
    {R"("contents":[{"parts":[{"txt":"a"}]}])", "contents[0].parts[0]"},
    {R"("contents":[{"parts":[{"text":1}]}])", "contents[0].parts[0].text"},
    {R"("contents":[{"parts":["a"]}])", "contents[0].parts[0]"},
    {R"("contents":[{"parts":[{"text":"a","functionResponse":{}}]}])", "contents[0].parts[0]"},
    {R"("contents":[{"parts":[{"functionCall":{"name":"f"}}]}])", "contents[0].parts[0]"},
    {R"("contents":[{"role":"model","parts":[{"functionResponse":{"name":"f"}}]}])",
     "contents[0].parts[0]"},
    {R"("contents":[{"parts":[{"functionResponse":{"name":"f","response":{}}}]}])",
     "contents[0].parts[0].functionResponse"},
    {R"("contents":[{"role":"model","parts":[{"functionCall":{"name":"f"}}]},
          {"parts":[{"functionResponse":{"name":"g","response":{}}}]}])",
     "contents[1].parts[0].functionResponse"},
    {R"("contents":[{"role":"model","parts":[{"functionCall":{"id":"a","name":"f"}}]},
          {"parts":[{"functionResponse":{"id":"b","name":"f","response":{}}}]}])",
     "contents[1].parts[0].functionResponse"},
    {R"("contents":[{"role":"model","parts":[{"functionCall":{"name":"f"}}]},
          {"parts":[{"functionResponse":{"name":"f","response":"x"}}]}])",
     "contents[1].parts[0].functionResponse.response"},
    {R"("contents":[{"role":"model","parts":[{"functionCall":{"name":"f","args":"{}"}}]}])",
     "contents[0].parts[0].functionCall.args"},
    {R"("contents":[{"role":"model","parts":[{"functionCall":{"args":{}}}]}])",
     "contents[0].parts[0].functionCall.name"},
    {R"("contents":[{"parts":[{"inlineData":{"mimeType":"image/png","data":"QU\nJD"}}]}])",
     "contents[0].parts[0].inlineData.data"},
    {R"("contents":[{"parts":[{"inlineData":{"mimeType":"image/png"}}]}])",
     "contents[0].parts[0].inlineData.data"},
    {R"("contents":[{"parts":[{"inlineData":{"data":"QUJD"}}]}])",
     "contents[0].parts[0].inlineData.mimeType"},
    {R"("contents":[{"parts":[{"fileData":{"mimeType":"image/png"}}]}])",
     "contents[0].parts[0].fileData.fileUri"},
    {R"("contents":[{"parts":[{"text":"a"}]}],"systemInstruction":{"parts":[{"inlineData":{}}]})",
     "systemInstruction.parts[0]"},
    {R"("contents":[{"parts":[{"text":"a"}]}],"contents":[{"parts":[{"text":"b"}]}])", "contents"},
    {R"("contents":[{"parts":[{"text":"a"}]}],"systemInstruction":{"parts":[{"text":"a"}]},)"
     R"("system_instruction":{"parts":[{"text":"a"}]})",
     "systemInstruction"},
    {R"("cachedContent":"cachedContents/x")", "cachedContent"},
    {R"("tools":1)", "tools"},
    {R"("tools":[{"functionDeclarations":[{"description":"x"}]}])",
     "tools[0].functionDeclarations[0].name"},
    {R"("tools":[{"functionDeclarations":[{"name":"f","parameters":[]}]}])",
     "tools[0].functionDeclarations[0].parameters"},
    {R"("toolConfig":{"functionCallingConfig":{"mode":"SOMETIMES"}})",
     "toolConfig.functionCallingConfig.mode"},
    {R"("generationConfig":{"temperature":"hot"})", "generationConfig.temperature"},
    {R"("generationConfig":{"candidateCount":0})", "generationConfig.candidateCount"},
    {R"("generationConfig":{"candidateCount":9})", "generationConfig.candidateCount"},
    {R"("generationConfig":{"maxOutputTokens":1.5})", "generationConfig.maxOutputTokens"},
    {R"("generationConfig":{"stopSequences":[1]})", "generationConfig.stopSequences[0]"},
    {R"("generationConfig":{"responseMimeType":"text/x.enum"})",
     "generationConfig.responseMimeType"},
    {R"("generationConfig":{"responseMimeType":"text/plain","responseSchema":{}})",
     "generationConfig.responseMimeType"},
    {R"("generationConfig":{"responseModalities":["TEXT","IMAGE"]})",
     "generationConfig.responseModalities[1]"},
    {R"("generationConfig":{"thinkingConfig":{"thinkingLevel":"HUGE"}})",
     "generationConfig.thinkingConfig.thinkingLevel"},
    {R"("generationConfig":{"thinkingConfig":{"thinkingLevel":"LOW","thinkingBudget":1}})",
     "generationConfig.thinkingConfig"},
    {R"("generationConfig":{"thinkingConfig":{"thinkingBudget":-2}})",
     "generationConfig.thinkingConfig.thinkingBudget"},
};

}  // namespace

TEST_CASE("gemini request: refusals name the field as Google's clients know it") {
  for (const Refused& item : refused) {
    CAPTURE(item.members);
    const Decoding decoded = decode(item.members);
    CHECK(!decoded.accepted);
    CHECK(decoded.problem.status == 400);
    CHECK(decoded.param() == item.param);
    CHECK(decoded.message().size() > 20);
  }
}

TEST_CASE("gemini request: calls of one turn are bounded") {
  std::string calls;
  for (int i = 0; i < 1025; ++i) calls += R"({"functionCall":{"name":"f"}},)";
  calls.pop_back();
  const Decoding decoded = decode(R"("contents":[{"role":"model","parts":[)" + calls + "]}]");
  CHECK(!decoded.accepted);
  CHECK(decoded.param() == "contents[0].parts[1024].functionCall");
}

TEST_CASE("gemini request: without memory it is refused as overload, not as the client's fault") {
  BlockPool blocks(8);
  MemoryBudget budget{1 << 20, 0};
  Arena arena(blocks, 600);
  ByteBuffer scratch(blocks, budget);
  Request request;
  RequestProblem problem;
  const std::string body =
      "{" + hello + R"(,"tools":[{"functionDeclarations":[{"name":"f"},{"name":"g"},
      {"name":"h"},{"name":"i"},{"name":"j"},{"name":"k"}]}]})";
  CHECK(!gemini::decode_request(body, {arena, scratch}, request, problem));
  CHECK(problem.status == 503);
}
