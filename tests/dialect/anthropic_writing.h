// What requests become when they are written for Anthropic: for the tests of the encoder.
//
// The requests are those of OpenAI clients, as most of them are; the models stand for the kinds of
// models that the catalogue knows. Names are short because every test uses them.
#pragma once

#include <string>

#include <doctest/doctest.h>

#include "dialect/anthropic.h"
#include "dialect/harness.h"
#include "dialect/openai_chat.h"

namespace hyperion::test::anthropic_writing {

using namespace dialect;
using catalog::Effort;
using Tree = test::Json;

inline catalog::Efforts efforts_of(std::initializer_list<Effort> list) {
  catalog::Efforts efforts;
  for (Effort effort : list)
    efforts.bits = static_cast<uint8_t>(efforts.bits | 1 << static_cast<int>(effort));
  return efforts;
}

// As Haiku 4.5: a budget, sampling, prefill.
inline catalog::Model budget_model() {
  catalog::Model model;
  model.output_tokens_max = 64'000;
  model.thinking = catalog::Thinking::budget;
  model.thinking_budget.min_tokens = 1024;
  model.prefill = true;
  return model;
}

// As Opus 5.5: adaptive, no sampling, system messages in their places, no forced tools.
inline catalog::Model adaptive_model() {
  catalog::Model model;
  model.output_tokens_max = 128'000;
  model.thinking = catalog::Thinking::adaptive;
  model.thinking_off = catalog::ThinkingOff::cannot;
  model.efforts =
      efforts_of({Effort::low, Effort::medium, Effort::high, Effort::xhigh, Effort::max});
  model.sampling = catalog::Sampling::no;
  model.system_in_messages = true;
  model.forced_tools = false;
  return model;
}

// As Sonnet 4.6.
inline catalog::Model older_adaptive_model() {
  catalog::Model model = adaptive_model();
  model.thinking_off = catalog::ThinkingOff::disabled;
  model.efforts = efforts_of({Effort::low, Effort::medium, Effort::high, Effort::max});
  model.sampling = catalog::Sampling::yes;
  model.system_in_messages = false;
  model.forced_tools = true;
  model.prefill = true;
  return model;
}

struct Written : Encoding {
  Tree body_json;
  const Tree& operator[](std::string_view name) const { return body_json[name]; }
};

// What an OpenAI client's request becomes.
inline Written write(const std::string& members, const catalog::Model* model = nullptr,
                     Unsupported unsupported = Unsupported::strict) {
  Decoding decoded(openai_chat::language(), "{\"model\":\"x\"," + members + "}");
  CHECK_MESSAGE(decoded.accepted, decoded.message());
  const catalog::Provider provider;
  TranslationSettings settings;
  settings.unsupported = unsupported;
  Written written{
      test::encode(anthropic::language(), decoded.request, provider, model, "claude-x", settings),
      {}};
  if (written.accepted) written.body_json = written.json();
  return written;
}

inline Written with(const std::string& members, const catalog::Model* model = nullptr) {
  return write(R"("messages":[{"role":"user","content":"hi"}],)" + members, model);
}

inline Written turns(const std::string& list, const catalog::Model* model = nullptr) {
  return write("\"messages\":[" + list + "]", model);
}

inline const std::string user = R"({"role":"user","content":"hi"})";
inline const std::string calls =
    R"({"role":"assistant","content":null,"tool_calls":[)"
    R"({"id":"call_1","type":"function","function":{"name":"f","arguments":"{\"n\": 1e400}"}},)"
    R"({"id":"call.2","type":"function","function":{"name":"g","arguments":""}}]})";
inline const std::string result_1 = R"({"role":"tool","tool_call_id":"call_1","content":"one"})";
inline const std::string result_2 = R"({"role":"tool","tool_call_id":"call.2","content":"two"})";
inline const std::string tool_f =
    R"({"type":"function","function":{"name":"f","parameters":{"type":"object"}}})";

}  // namespace hyperion::test::anthropic_writing
