#include "routing/capability.h"

#include <algorithm>

namespace hyperion::routing {
namespace {

using catalog::Answer;
using catalog::Effort;
using catalog::Model;

constexpr std::string_view names[] = {
    "none",
    "not_allowed",
    "provider_narrowed",
    "other_environment",
    "provider_unusable",
    "unhealthy",
    "endpoint",
    "retired",
    "quality_unknown",
    "unpriced",
    "context",
    "output_limit",
    "tools",
    "tool_choice",
    "vision",
    "audio",
    "files",
    "json_schema",
    "reasoning",
    "sampling",
    "provider_feature",
    "other_family",
    "not_good_enough",
    "not_cheaper",
    "over_max_cost",
    "slower",
};
static_assert(std::size(names) == static_cast<size_t>(Exclusion::count));

bool can(Answer answer) { return answer == Answer::yes; }

Exclusion missing_room(const Model& model, const Demands& demands) {
  const int64_t asked = demands.wants.output_tokens_max;
  const int64_t output = asked > 0 ? asked : output_tokens_assumed;
  if (asked > 0 && (model.output_tokens_max == 0 || asked > model.output_tokens_max))
    return Exclusion::output_limit;
  if (model.context_tokens == 0) return Exclusion::context;
  if (demands.room_tokens() + output > model.context_tokens) return Exclusion::context;
  if (model.input_tokens_max != 0 && demands.room_tokens() > model.input_tokens_max)
    return Exclusion::context;
  return Exclusion::none;
}

bool takes_effort(const Model& model, const Wants& wants) {
  if (!wants.effort_given) return true;
  if (wants.effort == Effort::none) {
    // Thinking off: does not think, or can be told not to.
    return model.efforts.has(Effort::none) || !can(model.capabilities.reasoning) ||
           (model.thinking != catalog::Thinking::none &&
            model.thinking_off != catalog::ThinkingOff::cannot);
  }
  return model.efforts.has(wants.effort) || model.thinking == catalog::Thinking::budget;
}

bool takes_sampling(const Model& model, const Wants& wants) {
  if (!wants.sampling) return true;
  switch (model.sampling) {
    case catalog::Sampling::yes: return true;
    case catalog::Sampling::no: return false;
    case catalog::Sampling::effort_none: return wants.effort_given && wants.effort == Effort::none;
  }
  return false;
}

bool takes_tools(const Model& model, const Wants& wants) {
  if (!can(model.capabilities.tools)) return false;
  if (wants.json_schema && !model.tools_with_schema) return false;
  return !(wants.reasoning && !model.tools_with_reasoning);
}

}  // namespace

std::string_view name_of(Exclusion exclusion) {
  return exclusion < Exclusion::count ? names[static_cast<size_t>(exclusion)] : std::string_view();
}

bool Demands::is_plain() const {
  return wants.tools == 0 && !wants.tools_forced && !wants.json_object && !wants.json_schema &&
         !wants.sampling && !wants.reasoning && !wants.effort_given && !wants.audio_out &&
         !wants.logprobs && !wants.foreign && !wants.prefill && wants.choices == 1 && !images &&
         !audio && !files;
}

Demands demands_of(const Conversation& conversation, int64_t input_tokens_max,
                   int64_t input_tokens_expected) {
  const Shape& shape = conversation.last.shape;
  Demands demands;
  demands.wants = conversation.wants;
  // A conversation with calls in it needs a model that knows what a tool is, tools or not.
  if (shape.tool_calls + shape.tool_results > 0)
    demands.wants.tools = std::max<uint32_t>(demands.wants.tools, 1);
  demands.images = shape.images > 0;
  demands.audio = shape.audio > 0;
  demands.files = shape.files > 0;
  demands.input_tokens_max = input_tokens_max;
  demands.input_tokens_expected = input_tokens_expected;
  return demands;
}

Exclusion missing_capability(const Model& model, Way way, const Demands& demands, bool plain) {
  const Wants& wants = demands.wants;
  const catalog::Capabilities& has = model.capabilities;
  if (way == Way::none) return Exclusion::endpoint;
  if (model.status == catalog::Status::retired) return Exclusion::retired;
  // A translation says it in the word that the model knows.
  if (wants.old_limit && way == Way::passthrough && model.max_completion_tokens_only)
    return Exclusion::output_limit;
  if (plain) return missing_room(model, demands);
  if (wants.foreign || wants.logprobs) {
    // No translation carries these; and which models of a provider have them nobody says.
    return Exclusion::provider_feature;
  }
  if (wants.choices > 1 && way != Way::passthrough) return Exclusion::provider_feature;
  if (wants.prefill && !model.prefill) return Exclusion::provider_feature;
  if (wants.tools > 0 && !takes_tools(model, wants)) return Exclusion::tools;
  if (wants.tools_forced && !model.forced_tools) return Exclusion::tool_choice;
  if (demands.images && !can(has.vision)) return Exclusion::vision;
  if ((demands.audio && !can(has.audio_in)) || (wants.audio_out && !can(has.audio_out)))
    return Exclusion::audio;
  if (demands.files && !can(has.pdf)) return Exclusion::files;
  if ((wants.json_schema || wants.json_object) && !can(has.json_schema))
    return Exclusion::json_schema;
  if ((wants.reasoning && !can(has.reasoning)) || !takes_effort(model, wants))
    return Exclusion::reasoning;
  if (!takes_sampling(model, wants)) return Exclusion::sampling;
  return missing_room(model, demands);
}

}  // namespace hyperion::routing
