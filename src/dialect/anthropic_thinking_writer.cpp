#include <algorithm>
#include <charconv>

#include "dialect/anthropic_writer.h"

namespace hyperion::dialect::anthropic {
namespace {

using catalog::Effort;
using catalog::Thinking;
using catalog::ThinkingOff;

// The least that Anthropic takes.
constexpr int64_t budget_min_tokens = 1024;
// Where the model may think as much as it likes.
constexpr int64_t budget_free_tokens = 4096;

// Tokens for an effort, by Effort: as LiteLLM and agentgateway have it.
constexpr int64_t budgets_tokens[] = {0, 1024, 1024, 2048, 4096, 8192, 16384};
static_assert(std::size(budgets_tokens) == static_cast<size_t>(Effort::count));

// And an effort for tokens: as Google's own OpenAI layer has it.
Effort effort_of_budget(int64_t tokens) {
  if (tokens <= 1024) return Effort::low;
  return tokens <= 8192 ? Effort::medium : Effort::high;
}

bool is_signed(const Part& part) {
  if (part.signature_of != Maker::anthropic) return false;
  return part.kind == PartKind::redacted_thinking ||
         (part.kind == PartKind::thinking && !part.signature.empty());
}

double value_of(Json number) {
  double value = 0;
  const std::string_view text = number.bytes;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  // 1e400 is more than any limit, -1e400 less.
  if (failure == std::errc::result_out_of_range)
    return text.find("e-") != std::string_view::npos || text.find("E-") != std::string_view::npos
               ? 0
           : text.front() == '-' ? -2
                                 : 2;
  return value;
}

}  // namespace

bool RequestWriter::plan_effort(Effort wanted) {
  if (model_ == nullptr || !model_->efforts.any()) return notes_.cannot(Feature::reasoning_effort);
  plan_.effort_given = true;
  plan_.effort = model_->efforts.nearest(wanted);
  return plan_.effort == wanted || notes_.cannot(Feature::reasoning_effort);
}

bool RequestWriter::plan_thinking() {
  const int64_t budget = request_.thinking_budget_tokens;
  const bool effort_wanted = request_.effort_given && request_.effort != Effort::none;
  const bool off = budget == 0 || (budget == -1 && request_.effort_given && !effort_wanted);
  if (!off && !effort_wanted && budget == -1) return true;
  const Thinking way = model_ != nullptr ? model_->thinking : Thinking::none;
  bool good = true;
  if (way == Thinking::adaptive) {
    good = plan_adaptive(off, effort_wanted, request_.effort);
  } else if (way == Thinking::budget) {
    good = off || plan_budget(effort_wanted, request_.effort);
  } else if (effort_wanted || budget > 0) {
    good = plan_effort(effort_wanted ? request_.effort : effort_of_budget(budget));
  }
  if (!good) return false;
  if (!plan_.thinks() || last_turn_allows_thinking()) return true;
  plan_.kind = ThinkingPlan::Kind::omitted;
  return notes_.cannot(Feature::thinking_without_signature);
}

bool RequestWriter::plan_adaptive(bool off, bool effort_wanted, Effort wanted) {
  using Kind = ThinkingPlan::Kind;
  const int64_t budget = request_.thinking_budget_tokens;
  if (!off) {
    plan_.kind = Kind::adaptive;
    if (effort_wanted) return plan_effort(wanted);
    return budget < 0 || plan_effort(effort_of_budget(budget));
  }
  switch (model_->thinking_off) {
    case ThinkingOff::omit:
    case ThinkingOff::zero_budget: break;
    case ThinkingOff::disabled: plan_.kind = Kind::disabled; break;
    case ThinkingOff::between_tools: plan_.kind = Kind::between_tools; break;
    case ThinkingOff::cannot:
      // The lowest effort is the nearest to none; `cannot` names it, whether it changes or not.
      return (!model_->efforts.any() || plan_effort(Effort::minimal)) &&
             notes_.cannot(Feature::reasoning_effort);
  }
  if (!effort_wanted) return true;
  if (plan_.kind == Kind::disabled && wanted > model_->thinking_off_effort_max) {
    if (!notes_.cannot(Feature::reasoning_effort)) return false;
    wanted = model_->thinking_off_effort_max;
  }
  return plan_effort(wanted);
}

// The budget is a part of max_tokens and must leave something for the answer: half of it, where the
// client gave an effort only.
bool RequestWriter::plan_budget(bool effort_wanted, Effort wanted) {
  const bool given = request_.thinking_budget_tokens > 0;
  int64_t tokens = given           ? request_.thinking_budget_tokens
                   : effort_wanted ? budgets_tokens[static_cast<size_t>(wanted)]
                                   : budget_free_tokens;
  const int64_t least = std::max<int64_t>(budget_min_tokens, model_->thinking_budget.min_tokens);
  const int64_t most = given ? max_tokens_ - 1 : std::max(least, max_tokens_ / 2);
  tokens = std::min(std::max(tokens, least), most);
  if (model_->thinking_budget.max_tokens > 0)
    tokens = std::min<int64_t>(tokens, model_->thinking_budget.max_tokens);
  if (effort_wanted && model_->efforts.any() && !plan_effort(wanted)) return false;
  if (max_tokens_ <= least || tokens < least) return notes_.cannot(Feature::reasoning_effort);
  plan_.kind = ThinkingPlan::Kind::enabled;
  plan_.budget_tokens = tokens;
  return true;
}

// With thinking on, a last turn of the assistant that calls tools must begin with its signed
// thinking, and so must a begun answer.
bool RequestWriter::last_turn_allows_thinking() const {
  bool begins_signed = false;
  bool calls = false;
  bool within = false;
  for (const Message* message = first_turn_; message != turns_end_; message = message->next) {
    if (message->role != Role::assistant) {
      within = false;
      continue;
    }
    for (const Part* part = message->parts.first; part != nullptr; part = part->next) {
      if (!is_written(*part)) continue;
      if (!within) {
        begins_signed = is_signed(*part);
        calls = false;
        within = true;
      }
      calls |= part->kind == PartKind::tool_call;
    }
  }
  return begins_signed || (!calls && !within);
}

void RequestWriter::write_thinking() {
  using Kind = ThinkingPlan::Kind;
  if (plan_.kind == Kind::omitted) return;
  out_.key("thinking");
  out_.begin_object();
  switch (plan_.kind) {
    case Kind::adaptive:
      out_.member("type", "adaptive");
      out_.member("display", request_.thinking_shown == Flag::no ? "omitted" : "summarized");
      break;
    case Kind::enabled:
      out_.member("type", "enabled");
      out_.member("budget_tokens", plan_.budget_tokens);
      break;
    case Kind::between_tools: out_.member("type", "between_tools"); break;
    default: out_.member("type", "disabled");
  }
  out_.end_object();
}

bool RequestWriter::write_sampling() {
  const auto sampling = model_ != nullptr ? model_->sampling : catalog::Sampling::yes;
  const bool taken = sampling != catalog::Sampling::no && !plan_.thinks();
  struct Row {
    Json value;
    std::string_view name;
  };
  const Row rows[] = {
      {request_.temperature, "temperature"}, {request_.top_p, "top_p"}, {request_.top_k, "top_k"}};
  for (const Row& row : rows) {
    if (!row.value.given()) continue;
    if (!taken) {
      if (!notes_.cannot(Feature::sampling, row.name)) return false;
      continue;
    }
    const double value = value_of(row.value);
    if (row.name == "top_k") {
      if (value >= 1 && value <= 1e9) out_.member(row.name, static_cast<int64_t>(value));
    } else if (row.name == "top_p" && request_.temperature.given()) {
      // The 4.x models take one of the two.
      notes_.drop(row.name);
    } else if (value < 0 || value > 1) {
      if (!notes_.cannot(Feature::temperature_range, row.name)) return false;
      out_.member(row.name, static_cast<int64_t>(value < 0 ? 0 : 1));
    } else {
      out_.member_json(row.name, row.value.bytes);
    }
  }
  return true;
}

}  // namespace hyperion::dialect::anthropic
