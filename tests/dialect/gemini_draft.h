// A request built by hand, for the tests of what is written for Gemini.
//
// Everything lives in the Draft's memory; `encode` gives the body for a model of a kind: `newer`
// ones think by level (Gemini 3 and later), `older` ones by budget.
#pragma once

#include <string_view>

#include "dialect/gemini.h"
#include "dialect/harness.h"

namespace hyperion::test {

using dialect::CacheMark;
using dialect::Flag;
using dialect::Message;
using dialect::Part;
using dialect::PartKind;
using dialect::Role;
using dialect::Tool;
using dialect::TranslationSettings;
using dialect::Word;

inline catalog::Model model_of(catalog::Thinking thinking) {
  using catalog::Effort;
  catalog::Model model;
  model.thinking = thinking;
  model.output_tokens_max = 65536;
  if (thinking == catalog::Thinking::level) {
    for (Effort effort : {Effort::low, Effort::medium, Effort::high}) {
      model.efforts.bits |= static_cast<uint8_t>(1 << static_cast<int>(effort));
    }
    model.thinking_off = catalog::ThinkingOff::cannot;
  } else {
    model.tools_with_schema = false;
    model.thinking_off = catalog::ThinkingOff::zero_budget;
    model.thinking_budget = {128, 24576};
  }
  return model;
}

inline const catalog::Model newer = model_of(catalog::Thinking::level);
inline const catalog::Model older = model_of(catalog::Thinking::budget);

struct Draft {
  Memory memory;
  dialect::Request request;

  Draft() { request.thinking_shown = Flag::no; }

  Message& say(Role role) {
    Message* message = dialect::make<Message>(memory.arena);
    message->role = role;
    message->index = request.messages.count;
    request.messages.append(message);
    return *message;
  }
  Part& add(Message& message, PartKind kind) {
    Part* part = dialect::make<Part>(memory.arena);
    part->kind = kind;
    part->index = message.parts.count;
    message.parts.append(part);
    return *part;
  }
  Part& say(Role role, std::string_view text) {
    Part& part = add(say(role), PartKind::text);
    part.text = {text};
    return part;
  }
  Part& call(Message& message, std::string_view id, std::string_view name,
             std::string_view arguments = "{}") {
    Part& part = add(message, PartKind::tool_call);
    part.id = id;
    part.name = name;
    part.arguments = {arguments};
    return part;
  }
  Part& answer(std::string_view id, std::string_view text) {
    Part& result = add(say(Role::tool), PartKind::tool_result);
    result.id = id;
    Part* part = dialect::make<Part>(memory.arena);
    part->text = {text};
    result.content.append(part);
    return result;
  }
  Tool& tool(std::string_view name, std::string_view schema = {}) {
    Tool* tool = dialect::make<Tool>(memory.arena);
    tool->name = name;
    tool->schema = {schema};
    request.tools.append(tool);
    return *tool;
  }
  void allow(std::string_view name) {
    Word* word = dialect::make<Word>(memory.arena);
    word->plain = name;
    request.allowed_tools.append(word);
  }
  void stop(std::string_view text) {
    Word* word = dialect::make<Word>(memory.arena);
    word->raw = {text};
    request.stop.append(word);
  }

  Encoding encode(const catalog::Model* model = &newer, bool vertex = false,
                  const TranslationSettings& settings = {}) const {
    catalog::Provider provider;
    provider.vertex = vertex;
    return test::encode(dialect::gemini::language(), request, provider, model, "gemini-x",
                        settings);
  }
  Json contents(const catalog::Model* model = &newer) const {
    return encode(model).json()["contents"];
  }
  Json config(const catalog::Model* model = &newer) const {
    return encode(model).json()["generationConfig"];
  }
};

inline TranslationSettings lenient() {
  TranslationSettings settings;
  settings.unsupported = dialect::Unsupported::drop;
  return settings;
}

}  // namespace hyperion::test
