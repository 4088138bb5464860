// How much Gemini is to think: thinkingConfig, by what the model's row says it takes.

#include <algorithm>

#include "dialect/gemini_writer.h"

namespace hyperion::dialect::gemini {
namespace {

using catalog::Effort;
using catalog::Thinking;
using catalog::ThinkingOff;

// Budgets of an effort, as Google's own layer for OpenAI's clients has them
// (ai.google.dev/gemini-api/docs/openai); what is above them takes all that the model allows.
constexpr int64_t low_budget_tokens = 1024;
constexpr int64_t medium_budget_tokens = 8192;
constexpr int64_t high_budget_tokens = 24576;

// As Request has it.
constexpr int64_t not_given = -1;
constexpr int64_t as_it_likes = -2;

Effort effort_of_budget(int64_t tokens) {
  if (tokens == 0) return Effort::none;
  if (tokens <= low_budget_tokens) return Effort::low;
  return tokens <= medium_budget_tokens ? Effort::medium : Effort::high;
}

int64_t budget_of_effort(Effort effort) {
  switch (effort) {
    case Effort::none: return 0;
    case Effort::minimal:
    case Effort::low: return low_budget_tokens;
    case Effort::medium: return medium_budget_tokens;
    case Effort::high: return high_budget_tokens;
    default: return INT32_MAX;
  }
}

std::string_view level_of(Effort effort) {
  switch (effort) {
    case Effort::minimal: return "MINIMAL";
    case Effort::low: return "LOW";
    case Effort::medium: return "MEDIUM";
    case Effort::high: return "HIGH";
    case Effort::xhigh: return "XHIGH";
    default: return {};
  }
}

}  // namespace

// The nearest level that the model has. Empty: the model's own.
bool RequestWriter::plan_level(std::string_view& level) {
  if (!request_.effort_given && request_.thinking_budget_tokens < 0) return true;
  const Effort wanted =
      request_.effort_given ? request_.effort : effort_of_budget(request_.thinking_budget_tokens);
  const Effort sent = target_.model->efforts.nearest(wanted);
  level = level_of(sent);
  return sent == wanted || notes_.cannot(Feature::reasoning_effort);
}

// A budget within the model's bounds; -1 leaves it to the model, not_given says nothing.
bool RequestWriter::plan_budget(int64_t& budget) {
  constexpr int64_t nothing = as_it_likes;
  budget = nothing;
  int64_t wanted = request_.thinking_budget_tokens;
  if (request_.effort_given) {
    wanted = budget_of_effort(request_.effort);
  } else if (wanted == not_given) {
    return true;
  } else if (wanted == as_it_likes) {
    budget = -1;
    return true;
  }
  const catalog::Model& model = *target_.model;
  const int64_t least = std::max<int64_t>(model.thinking_budget.min_tokens, 1);
  const int64_t most =
      model.thinking_budget.max_tokens > 0 ? model.thinking_budget.max_tokens : high_budget_tokens;
  if (wanted == 0 && model.thinking_off == ThinkingOff::omit) return true;
  const bool can_be_off = wanted == 0 && model.thinking_off == ThinkingOff::zero_budget;
  budget = can_be_off ? 0 : std::clamp(wanted, least, most);
  // A number of tokens that is not the client's own, or thinking where none was wanted.
  const bool changed = wanted == 0 ? !can_be_off : !request_.effort_given && budget != wanted;
  return !changed || notes_.cannot(Feature::reasoning_effort);
}

bool RequestWriter::write_thinking() {
  const Thinking thinking = target_.model != nullptr ? target_.model->thinking : Thinking::none;
  std::string_view level;
  int64_t budget = as_it_likes;
  if (thinking == Thinking::level) {
    if (!plan_level(level)) return false;
  } else if (thinking == Thinking::budget) {
    if (!plan_budget(budget)) return false;
  } else {
    const bool wanted = request_.effort_given ? request_.effort != Effort::none
                                              : request_.thinking_budget_tokens > 0;
    return !wanted || notes_.cannot(Feature::reasoning_effort);
  }
  const bool shown = request_.thinking_shown == Flag::yes ||
                     (request_.thinking_shown == Flag::unset && target_.settings.reasoning_content);
  // Without thoughts none can be included: that is a 400.
  const bool included = shown && budget != 0;
  if (level.empty() && budget == as_it_likes && !included) return true;
  open_config();
  out_.key("thinkingConfig");
  out_.begin_object();
  if (!level.empty()) out_.member("thinkingLevel", level);
  if (budget != as_it_likes) out_.member("thinkingBudget", budget);
  if (included) out_.member("includeThoughts", true);
  out_.end_object();
  return true;
}

}  // namespace hyperion::dialect::gemini
