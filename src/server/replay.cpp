// hyperion replay: makes the decisions of a log again under another conf, from numbers alone.
#include <cstdio>
#include <fstream>
#include <map>
#include <string>

#include "base/byte_buffer.h"
#include "catalog/cost.h"
#include "gateway/router.h"
#include "json/output.h"
#include "routing/calibration.h"
#include "routing/expected_tokens.h"
#include "routing/selection.h"
#include "server/commands.h"
#include "server/explainer.h"
#include "server/log_lines.h"

namespace hyperion::server {
namespace {

constexpr int exit_usage = 2;
constexpr std::string_view usage =
    "Usage: hyperion replay LOG --config NEW\n"
    "  One line of JSON for each smart or automatic decision of the log: what it was, what it\n"
    "  would be under NEW and what either costs; a summary on standard error. Exit code 1 if a\n"
    "  decision under the very same conf, catalogue and weights is another.\n";

struct Sums {
  size_t decisions = 0;
  size_t changed = 0;
  size_t impossible = 0;  // nothing left to choose from, or the asked model is gone
  size_t mismatches = 0;  // under the same stamps another model, tier or saving
  size_t unreadable = 0;  // decisions of another version
  size_t other_lines = 0;
  int64_t was_nano_usd = 0;
  int64_t now_nano_usd = 0;
};

class Replay {
 public:
  explicit Replay(std::shared_ptr<const config::Config> config)
      : config_(std::move(config)), decision_(std::make_unique<routing::Decision>()) {
    everything_.allow_all();
    for (const catalog::Deployment& deployment : config_->catalog.deployments())
      deployments_.emplace(deployment.id, &deployment);
    for (size_t wire = 0; wire < dialect::wires_count; ++wire) {
      ways_[wire] = gateway::ways_from(gateway::chat_endpoint(static_cast<dialect::Wire>(wire)),
                                       config_->catalog);
    }
  }

  void decide(LogLine& line) {
    ++sums.decisions;
    routing::LoggedDecision& logged = line.decision;
    routing::Question& question = logged.question;
    const catalog::Deployment* was = find(logged.chosen);
    question.asked = find(logged.asked);
    const bool lost = !logged.asked.empty() && question.asked == nullptr;
    routing::calibrate(question, config_->calibrations, line.key);
    question.rule = rule_of(line);
    const routing::Field field = field_of(line);
    if (lost) {
      decision_->chosen = nullptr;
    } else {
      routing::decide(question, field, config_->settings.routing, *decision_);
    }
    const catalog::Deployment* now = decision_->chosen;
    sums.changed += now != was;
    sums.impossible += now == nullptr;
    const bool same_stamps = logged.config_stamp == config_->stamp &&
                             logged.catalog_stamp == config_->catalog_stamp &&
                             logged.weights_stamp == config_->weights->stamp();
    const bool same = now == was && static_cast<int>(decision_->tier) == logged.tier &&
                      decision_->saved_nano_usd == logged.saved_nano_usd;
    sums.mismatches += same_stamps && !same;
    print(line, was, now);
  }

  Sums sums;

 private:
  const catalog::Deployment* find(std::string_view id) const {
    const auto found = deployments_.find(id);
    return found != deployments_.end() ? found->second : nullptr;
  }

  // A rule that asks for tags can be told only by having applied.
  const routing::Rule* rule_of(const LogLine& line) const {
    const routing::Question& question = line.decision.question;
    const routing::Kind kind = question.turns[question.turn_count - 1].scores.kind;
    for (const routing::Rule& rule : config_->settings.routing.rules) {
      if (!routing::applies(rule, question.route, kind, question.tokens_estimated)) continue;
      if (!rule.keys.empty() &&
          std::find(rule.keys.begin(), rule.keys.end(), line.key) == rule.keys.end())
        continue;
      if (rule.tags.empty() || rule.name == line.decision.rule) return &rule;
    }
    return nullptr;
  }

  routing::Field field_of(const LogLine& line) {
    routing::Field field;
    const gateway::Endpoint* endpoint = gateway::find_endpoint(line.route);
    const dialect::Wire wire = endpoint != nullptr ? endpoint->wire : dialect::Wire::openai_chat;
    field.candidates = config_->roster.candidates();
    field.ways = ways_[static_cast<size_t>(wire)];
    field.assume_usable = true;
    field.allowed = &everything_;
    for (const config::VirtualKey& key : config_->keys.all()) {
      if (key.id == line.key) field.allowed = &key.allowed;
    }
    if (line.decision.narrowed) field.providers = 0;
    for (const std::string& name : line.decision.providers) {
      const catalog::Provider* provider = config_->catalog.provider(name);
      if (provider != nullptr && provider->index < 64)
        field.providers |= uint64_t{1} << provider->index;
    }
    first_token_us_.assign(config_->catalog.deployments().size(), 0);
    unhealthy_.assign(config_->catalog.deployments().size(), 0);
    for (const auto& [name, value] : line.decision.live) {
      const catalog::Deployment* deployment = find(name);
      if (deployment == nullptr) continue;
      if (value < 0) {
        unhealthy_[deployment->index] = 1;
      } else {
        first_token_us_[deployment->index] = static_cast<uint32_t>(value);
      }
    }
    for (const catalog::Deployment& deployment : config_->catalog.deployments()) {
      for (const std::string& name : line.decision.unusable)
        unhealthy_[deployment.index] |= deployment.provider->name == name;
    }
    field.live = {first_token_us_, unhealthy_};
    return field;
  }

  // By the usage that the provider told, else by what was expected.
  int64_t cost(const LogLine& line, const catalog::Deployment* deployment) const {
    if (deployment == nullptr || deployment->model == nullptr) return 0;
    const routing::Question& question = line.decision.question;
    catalog::TokenCounts counts;
    const bool told = line.prompt_tokens >= 0 && line.completion_tokens >= 0;
    counts.input = told ? line.prompt_tokens : question.tokens_estimated;
    counts.output =
        told ? line.completion_tokens
             : routing::expected_output_tokens(question.turns[question.turn_count - 1].scores.kind,
                                               question.demands.wants);
    return std::max<int64_t>(0, catalog::cost_nano_usd(*deployment->model, counts));
  }

  void print(const LogLine& line, const catalog::Deployment* was, const catalog::Deployment* now) {
    const int64_t was_cost = cost(line, was);
    const int64_t now_cost = cost(line, now);
    sums.was_nano_usd += was_cost;
    sums.now_nano_usd += now_cost;
    text_.clear();
    json::Output out(text_);
    out.begin_object();
    out.member("id", line.id);
    out.member("was", line.decision.chosen);
    out.member("now", now != nullptr ? std::string_view(now->id) : std::string_view("none"));
    out.member("was_tier", static_cast<int64_t>(line.decision.tier));
    out.member("now_tier", static_cast<int64_t>(decision_->tier));
    out.member("was_nano_usd", was_cost);
    out.member("now_nano_usd", now_cost);
    out.end_object();
    const std::string_view text = out.text();
    std::printf("%.*s\n", static_cast<int>(text.size()), text.data());
  }

  std::shared_ptr<const config::Config> config_;
  std::unique_ptr<routing::Decision> decision_;
  std::map<std::string, const catalog::Deployment*, std::less<>> deployments_;
  std::array<std::vector<routing::Way>, dialect::wires_count> ways_;
  std::vector<uint32_t> first_token_us_;
  std::vector<uint8_t> unhealthy_;
  catalog::DeploymentSet everything_;
  BlockPool blocks_{16, 16};
  MemoryBudget memory_;
  ByteBuffer text_{blocks_, memory_};
};

double usd(int64_t nano) { return static_cast<double>(nano) / 1e9; }

}  // namespace

int run_replay(const Arguments& arguments) {
  std::string log;
  std::string conf;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const bool names_conf =
        arguments[i] == "--config" || arguments[i] == "-c" || arguments[i] == "--conf";
    if (names_conf && i + 1 < arguments.size()) {
      conf = arguments[++i];
    } else if (log.empty() && !arguments[i].starts_with("-")) {
      log = arguments[i];
    } else {
      log.clear();
      break;
    }
  }
  if (log.empty() || conf.empty()) {
    std::fprintf(stderr, "%.*s", static_cast<int>(usage.size()), usage.data());
    return exit_usage;
  }
  std::ifstream file(log, std::ios::binary);
  if (!file) {
    std::fprintf(stderr, "hyperion replay: %s cannot be read.\n", log.c_str());
    return 1;
  }
  const std::shared_ptr<const config::Config> config = load_for_offline(conf);
  if (config == nullptr) return 1;
  Replay replay(config);
  LogLine line;
  for (std::string text; std::getline(file, text);) {
    if (!read_log_line(text, line)) {
      ++replay.sums.other_lines;
    } else if (line.decided) {
      replay.decide(line);
    } else if (line.unreadable) {
      ++replay.sums.unreadable;
    }
  }
  const Sums& sums = replay.sums;
  std::fprintf(
      stderr,
      "%zu decisions, %zu another now (%zu with nothing to choose); cost $%.6f then, "
      "$%.6f now; %zu decisions of another version and %zu lines that are none of the log were "
      "passed over\n",
      sums.decisions, sums.changed, sums.impossible, usd(sums.was_nano_usd), usd(sums.now_nano_usd),
      sums.unreadable, sums.other_lines);
  if (sums.mismatches == 0) return 0;
  std::fprintf(stderr, "hyperion replay: %zu decisions under the same stamps are not the same.\n",
               sums.mismatches);
  return 1;
}

}  // namespace hyperion::server
