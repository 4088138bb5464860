#include "routing/expected_tokens.h"

#include <algorithm>
#include <iterator>

namespace hyperion::routing {
namespace {

using catalog::Effort;

// Round guesses by kind, not measured: they only weigh output against input prices, alike for all
// candidates. To be replaced by what a gateway's own answers turn out to take.
constexpr int64_t output_tokens_by_kind[kind_count] = {
    120,  // tool_use
    400,  // long_context
    500,  // code
    350,  // math
    350,  // reasoning
    250,  // knowledge
    400,  // transform
    600,  // writing
    60,   // simple_qa
    120,  // chat
};

// Tokens of thinking by effort, from none to max: guesses of the order of magnitude, not measured.
constexpr int64_t thinking_tokens_by_effort[] = {0, 100, 400, 1'500, 4'000, 8'000, 16'000};
static_assert(std::size(thinking_tokens_by_effort) == static_cast<size_t>(Effort::count));

}  // namespace

int64_t thinking_tokens(const catalog::Model& model, const Wants& wants) {
  if (model.capabilities.reasoning != catalog::Answer::yes) return 0;
  if (wants.effort_given)
    return thinking_tokens_by_effort[static_cast<size_t>(model.efforts.nearest(wants.effort))];
  // Unasked: those that think always, as little as they may be told to; more where it was asked.
  if (wants.reasoning) return thinking_tokens_by_effort[static_cast<size_t>(Effort::medium)];
  const bool always = model.thinking_off == catalog::ThinkingOff::cannot ||
                      (model.thinking == catalog::Thinking::none && model.efforts.any() &&
                       !model.efforts.has(Effort::none));
  return always ? thinking_tokens_by_effort[static_cast<size_t>(Effort::low)] : 0;
}

int64_t expected_output_tokens(Kind kind, const Wants& wants) {
  const int64_t usual = output_tokens_by_kind[static_cast<size_t>(kind)];
  const int64_t most = wants.output_tokens_max;
  return most > 0 ? std::min(usual, most) : usual;
}

}  // namespace hyperion::routing
