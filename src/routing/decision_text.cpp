#include "routing/decision_text.h"

#include <algorithm>
#include <cstdio>

#include "routing/features.h"
#include "routing/logistic.h"

namespace hyperion::routing {
namespace {

using json::Output;

constexpr std::string_view route_names[] = {"passthrough", "smart", "auto"};
constexpr std::string_view tier_names[] = {"", "cheap_fast", "balanced", "high_reasoning"};

// A fixed-point number of up to four decimals.
void fraction(Output& out, std::string_view key, int64_t value, int64_t one) {
  char text[32];
  const int64_t parts = (value < 0 ? -value : value) * 10'000 / one;
  const int size =
      std::snprintf(text, sizeof(text), "%s%lld.%04lld", value < 0 ? "-" : "",
                    static_cast<long long>(parts / 10'000), static_cast<long long>(parts % 10'000));
  out.member_json(key, {text, static_cast<size_t>(size)});
}

std::string_view model_of(const catalog::Deployment* deployment) {
  if (deployment == nullptr) return {};
  return deployment->model != nullptr ? deployment->model->id : deployment->id;
}

void name_or_null(Output& out, std::string_view key, std::string_view name) {
  out.key(key);
  if (name.empty()) {
    out.null();
  } else {
    out.string(name);
  }
}

void write_heads(const Scores& scores, Output& out) {
  out.key("heads");
  out.begin_object();
  for (size_t i = 0; i < head_count; ++i)
    fraction(out, name_of(static_cast<Head>(i)), scores.shares[i], share_one);
  out.end_object();
}

void write_candidate(const Candidate& candidate, Output& out) {
  out.begin_object();
  out.member("model", model_of(candidate.deployment));
  out.member("provider", candidate.deployment->provider->name);
  if (candidate.chance == chance_unknown) {
    out.key("p");
    out.null();
  } else {
    fraction(out, "p", candidate.chance, chance_one);
  }
  out.member("expected_nano_usd", candidate.expected_nano_usd);
  out.member("worst_nano_usd", candidate.worst_nano_usd);
  name_or_null(out, "excluded",
               candidate.excluded == Exclusion::none ? "" : name_of(candidate.excluded));
  out.end_object();
}

void write_turn(const Turn& turn, Output& out) {
  out.begin_array();
  for (const int16_t share : turn.scores.shares) out.number(share);
  out.number(turn.scores.difficulty);
  out.number(static_cast<int64_t>(turn.scores.kind));
  out.number(turn.scores.unknown ? 1 : 0);
  out.number(turn.tokens_before);
  out.end_array();
}

void write_demands(const Demands& demands, Output& out) {
  const Wants& wants = demands.wants;
  const std::pair<const char*, bool> flags[] = {
      {"tools_forced", wants.tools_forced},
      {"json_object", wants.json_object},
      {"json_schema", wants.json_schema},
      {"sampling", wants.sampling},
      {"reasoning", wants.reasoning},
      {"audio_out", wants.audio_out},
      {"logprobs", wants.logprobs},
      {"foreign", wants.foreign},
      {"prefill", wants.prefill},
      {"old_limit", wants.old_limit},
      {"images", demands.images},
      {"audio", demands.audio},
      {"files", demands.files},
  };
  out.key("wants");
  out.begin_object();
  for (const auto& [name, set] : flags) {
    if (set) out.member(name, true);
  }
  if (wants.tools > 0) out.member("tools", static_cast<int64_t>(wants.tools));
  if (wants.effort_given) out.member("effort", catalog::name_of(wants.effort));
  if (wants.output_tokens_max >= 0) out.member("output_tokens_max", wants.output_tokens_max);
  if (wants.choices != 1) out.member("choices", wants.choices);
  out.end_object();
}

// Calls `visit` for every deployment that the decision may have looked at: what was asked for and
// what a rule names need not be among the candidates.
template <class Visit>
void visit_field(const Question& question, const Field& field, Visit visit) {
  const catalog::Deployment* const ruled =
      question.rule != nullptr ? question.rule->deployment : nullptr;
  const catalog::Deployment* const others[] = {question.asked, ruled};
  for (const catalog::Deployment* other : others) {
    const bool candidate =
        std::any_of(field.candidates.begin(), field.candidates.end(),
                    [other](const RosterRow& row) { return row.deployment == other; });
    if (other != nullptr && !candidate) visit(*other);
  }
  for (const RosterRow& row : field.candidates) visit(*row.deployment);
}

// Of what is known at the moment only that which is not the ordinary.
void write_live(const Question& question, const Field& field, Output& out) {
  bool any = false;
  const auto entry = [&](const catalog::Deployment& deployment, int64_t value) {
    if (!any) {
      out.key("live");
      out.begin_object();
      any = true;
    }
    out.key_escaped(deployment.id);
    out.number(value);
  };
  visit_field(question, field, [&](const catalog::Deployment& deployment) {
    const size_t index = deployment.index;
    const auto& live = field.live;
    if (index < live.unhealthy.size() && live.unhealthy[index] != 0) {
      entry(deployment, -1);
    } else if (index < live.first_token_us.size() && live.first_token_us[index] != 0) {
      entry(deployment, live.first_token_us[index]);
    }
  });
  if (any) out.end_object();
}

// The names of the providers that `test` says yes to.
template <class Test>
void write_provider_names(const Question& question, const Field& field, Test test, Output& out) {
  out.begin_array();
  const catalog::Provider* before = nullptr;
  visit_field(question, field, [&](const catalog::Deployment& deployment) {
    const catalog::Provider* provider = deployment.provider;
    if (provider == before) return;
    before = provider;
    if (test(*provider)) out.string(provider->name);
  });
  out.end_array();
}

// Those that the request has narrowed the choice to, and those that have no key.
void write_providers(const Question& question, const Field& field, Output& out) {
  if (field.providers != ~uint64_t{0}) {
    out.key("providers");
    const auto allowed = [&](const catalog::Provider& provider) {
      return provider.index < 64 && (field.providers >> provider.index & 1) != 0;
    };
    write_provider_names(question, field, allowed, out);
  }
  if (field.assume_usable) return;
  const auto unusable = [](const catalog::Provider& provider) { return !provider.usable; };
  bool any = false;
  visit_field(question, field, [&](const catalog::Deployment& deployment) {
    any = any || unusable(*deployment.provider);
  });
  if (!any) return;
  out.key("unusable");
  write_provider_names(question, field, unusable, out);
}

}  // namespace

std::string_view name_of(Route route) { return route_names[static_cast<size_t>(route)]; }
std::string_view name_of(Tier tier) { return tier_names[static_cast<size_t>(tier)]; }
std::string_view name_of(Way way) {
  constexpr std::string_view names[] = {"none", "translated", "passthrough"};
  return names[static_cast<size_t>(way)];
}

size_t write_decision_line(const Decision& decision, std::string_view requested, char* out,
                           size_t capacity) {
  const std::string_view to = model_of(decision.chosen);
  const int64_t saved = decision.saved_nano_usd > 0 ? decision.saved_nano_usd : 0;
  const int size = std::snprintf(
      out, capacity, "tier=%d score=0.%03d from=%.*s to=%.*s saved=$%lld.%09lld",
      static_cast<int>(decision.tier), decision.held_scores.score % score_one,
      static_cast<int>(requested.size()), requested.data(), static_cast<int>(to.size()), to.data(),
      static_cast<long long>(saved / 1'000'000'000), static_cast<long long>(saved % 1'000'000'000));
  return size > 0 && static_cast<size_t>(size) < capacity ? static_cast<size_t>(size) : 0;
}

void write_decision(const Decision& decision, std::string_view requested, const Stamps& stamps,
                    Output& out) {
  out.begin_object();
  out.member("requested", requested);
  name_or_null(out, "model", model_of(decision.chosen));
  name_or_null(out, "provider",
               decision.chosen != nullptr ? decision.chosen->provider->name : std::string_view());
  out.member("route", name_of(decision.route));
  out.member("intent", name_of(decision.tier));
  out.member("class", name_of(decision.scores.kind));
  fraction(out, "score", decision.held_scores.score, score_one);
  out.member("tier", static_cast<int64_t>(decision.tier));
  out.member("tokens_estimated", static_cast<int64_t>(decision.tokens_estimated));
  write_heads(decision.held_scores, out);
  fraction(out, "difficulty", decision.held_scores.difficulty, logit_one);
  out.member("unknown", decision.scores.unknown);
  char structure[24];
  const int digits = std::snprintf(structure, sizeof(structure), "%016llx",
                                   static_cast<unsigned long long>(decision.structure));
  out.member("structure", std::string_view(structure, static_cast<size_t>(digits)));
  name_or_null(out, "rule", decision.rule != nullptr ? decision.rule->name : std::string_view());
  name_or_null(out, "held", model_of(decision.held));
  out.member("saved_nano_usd", decision.saved_nano_usd);
  out.key("next");
  out.begin_array();
  for (uint32_t i = 0; i < decision.next_count; ++i) out.string(model_of(decision.next[i]));
  out.end_array();
  out.key("candidates");
  out.begin_array();
  for (uint32_t i = 0; i < decision.candidate_count; ++i)
    write_candidate(decision.candidates[i], out);
  out.end_array();
  out.key("stamps");
  out.begin_object();
  out.member("config", stamps.config);
  out.member("catalog", stamps.catalog);
  out.member("weights", stamps.weights);
  out.end_object();
  out.member("ns", static_cast<int64_t>(decision.ns));
  out.end_object();
}

void write_logged(const Question& question, const Field& field, const Decision& decision,
                  const Stamps& stamps, Output& out) {
  out.begin_object();
  out.member("route", name_of(decision.route));
  name_or_null(out, "asked", question.asked != nullptr ? question.asked->id : std::string_view());
  name_or_null(out, "chosen",
               decision.chosen != nullptr ? decision.chosen->id : std::string_view());
  out.member("tier", static_cast<int64_t>(decision.tier));
  out.member("class", name_of(decision.scores.kind));
  fraction(out, "score", decision.held_scores.score, score_one);
  out.member("saved_nano_usd", decision.saved_nano_usd);
  if (question.rule != nullptr) out.member("rule", question.rule->name);
  out.member("tokens", static_cast<int64_t>(question.tokens_estimated));
  out.member("tokens_most", question.demands.input_tokens_max);
  out.key("turns");
  out.begin_array();
  for (uint32_t i = 0; i < question.turn_count; ++i) write_turn(question.turns[i], out);
  out.end_array();
  write_demands(question.demands, out);
  if (question.max_cost_nano_usd >= 0) out.member("max_cost_nano_usd", question.max_cost_nano_usd);
  if (question.pressure != 0) out.member("pressure", static_cast<int64_t>(question.pressure));
  if (question.calibrated != 0) out.member("calibrated", int64_t{question.calibrated});
  out.key("traits");
  out.begin_array();
  for (size_t i = 0; i < trait_count; ++i) out.number(question.traits.values[i]);
  out.end_array();
  write_providers(question, field, out);
  write_live(question, field, out);
  out.key("stamps");
  out.begin_array();
  out.string(stamps.config);
  out.string(stamps.catalog);
  out.string(stamps.weights);
  out.end_array();
  out.member("ns", static_cast<int64_t>(decision.ns));
  out.end_object();
}

}  // namespace hyperion::routing
