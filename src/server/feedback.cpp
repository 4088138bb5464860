// hyperion feedback: learns from labelled requests what the conf's `calibration_file` then applies.
#include <cstdio>
#include <fstream>
#include <map>
#include <string>

#include "routing/ability.h"
#include "routing/calibration_fit.h"
#include "routing/kinds.h"
#include "routing/selection.h"
#include "server/commands.h"
#include "server/explainer.h"
#include "server/log_lines.h"

namespace hyperion::server {
namespace {

constexpr int exit_usage = 2;
constexpr std::string_view usage =
    "Usage: hyperion feedback [-c FILE] LABELS... > calibration.toml\n"
    "  LABELS: the request log with its feedback lines, or files of one JSON object a line:\n"
    "    {\"request_id\": \"req_...\", \"score\": 0.8}   or \"good\": true, or \"bad\": true\n"
    "    {\"body\": {...}, \"model\": \"claude-haiku-4-5\", \"score\": 1, \"key\": \"search\"}\n";

struct Counts {
  size_t labels = 0;
  size_t without_decision = 0;  // of unknown requests, or of such as were no decision
  size_t other_weights = 0;     // decided by other weights than those of the conf
  size_t taken_back = 0;        // a later label of the same request counts
  size_t without_quality = 0;   // answered by a model nobody has measured
  size_t other_lines = 0;
};

class Collector {
 public:
  explicit Collector(std::shared_ptr<const config::Config> config)
      : config_(std::move(config)), explainer_(config_, dialect::Wire::openai_chat) {
    for (const catalog::Deployment& deployment : config_->catalog.deployments())
      deployments_.emplace(deployment.id, &deployment);
  }

  bool read(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) {
      std::fprintf(stderr, "hyperion feedback: %s cannot be read.\n", path.c_str());
      return false;
    }
    LogLine line;
    for (std::string text; std::getline(file, text);) {
      if (text.empty()) continue;
      if (!read_log_line(text, line)) {
        ++counts.other_lines;
      } else if (line.labels()) {
        waiting_.push_back(line);
      } else if (line.decided) {
        decisions_[line.id] = line;
      } else if (!line.label_id.empty() || !line.label_body.empty()) {
        ++counts.other_lines;  // a label that says neither good nor bad
      }
    }
    return true;
  }

  // When all files are read: labels may stand before what they are about.
  const std::vector<routing::Label>& finish() {
    for (LogLine& line : waiting_) {
      ++counts.labels;
      if (line.label_body.empty()) {
        take_logged(line);
      } else {
        take_body(line);
      }
    }
    return labels_;
  }

  Counts counts;

 private:
  void take_logged(const LogLine& line) {
    const auto found = decisions_.find(line.label_id);
    // One key's word about another's requests counts for nothing.
    if (found == decisions_.end() || (!line.key.empty() && found->second.key != line.key)) {
      ++counts.without_decision;
      return;
    }
    const LogLine& decided = found->second;
    if (decided.decision.weights_stamp != config_->weights->stamp()) {
      ++counts.other_weights;
      return;
    }
    const routing::Question& question = decided.decision.question;
    routing::Label label;
    label.key = decided.key;
    label.scores = question.turns[question.turn_count - 1].scores;
    label.scores.difficulty = static_cast<int16_t>(label.scores.difficulty - question.calibrated);
    label.traits = question.traits;
    const auto before = places_.find(line.label_id);
    if (before != places_.end()) {
      ++counts.taken_back;
      labels_[before->second].good = line.label_score;
    } else if (add(label, who_answered(decided), line.label_score)) {
      places_.emplace(line.label_id, labels_.size() - 1);
    }
  }

  // The choice, or who took over when it failed.
  const catalog::Deployment* who_answered(const LogLine& line) const {
    if (line.fallback_index == 0) {
      const auto chosen = deployments_.find(line.decision.chosen);
      return chosen != deployments_.end() ? chosen->second : nullptr;
    }
    for (const catalog::Deployment& deployment : config_->catalog.deployments()) {
      if (deployment.provider->name == line.provider &&
          deployment.upstream_model == line.label_model)
        return &deployment;
    }
    return nullptr;
  }

  void take_body(LogLine& line) {
    std::string requested;
    gateway::Failure failure;
    const catalog::Resolution model = config_->catalog.resolve(line.label_model);
    if (!model.found() || !explainer_.decide(line.label_body, requested, failure)) {
      ++counts.without_decision;
      return;
    }
    const routing::Question& question = explainer_.router().question();
    routing::Label label;
    label.key = line.key;
    label.scores = question.turns[question.turn_count - 1].scores;
    label.scores.difficulty = static_cast<int16_t>(label.scores.difficulty - question.calibrated);
    label.traits = question.traits;
    add(label, model.deployment, line.label_score);
  }

  bool add(routing::Label& label, const catalog::Deployment* model, double score) {
    if (model == nullptr || model->model == nullptr || !model->model->quality.known) {
      ++counts.without_quality;
      return false;
    }
    label.ability = routing::ability_of(model->model->quality, label.scores);
    label.good = score;
    labels_.push_back(label);
    return true;
  }

  std::shared_ptr<const config::Config> config_;
  Explainer explainer_;
  std::map<std::string, const catalog::Deployment*, std::less<>> deployments_;
  std::map<std::string, LogLine> decisions_;
  std::map<std::string, size_t> places_;  // in labels_, by the request labelled
  std::vector<LogLine> waiting_;
  std::vector<routing::Label> labels_;
};

void print(const std::vector<routing::Calibration>& calibrations, const std::string& stamp) {
  std::printf(
      "# Made by `hyperion feedback`. The conf's routing.calibration_file names this file;\n"
      "# without it everything is as before.\nweights_stamp = \"%s\"\n",
      stamp.c_str());
  for (const routing::Calibration& calibration : calibrations) {
    const std::string_view kind = routing::name_of(calibration.kind);
    std::printf("\n[[calibrations]]\nkey = \"%s\"\nclass = \"%.*s\"\nlabels = %u\nweights = [",
                calibration.key.c_str(), static_cast<int>(kind.size()), kind.data(),
                calibration.labels);
    for (size_t i = 0; i < calibration.weights.size(); ++i)
      std::printf("%s%d", i == 0 ? "" : i % 16 == 0 ? ",\n  " : ", ", calibration.weights[i]);
    std::printf("]\n");
  }
}

}  // namespace

int run_feedback(const Arguments& arguments) {
  std::string conf;
  std::vector<std::string> files;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const bool names_conf = arguments[i] == "-c" || arguments[i] == "--conf";
    if (names_conf && i + 1 < arguments.size()) {
      conf = arguments[++i];
    } else {
      files.emplace_back(arguments[i]);
    }
  }
  if (files.empty() || files[0].starts_with("-")) {
    std::fprintf(stderr, "%.*s", static_cast<int>(usage.size()), usage.data());
    return exit_usage;
  }
  const std::shared_ptr<const config::Config> config = load_for_offline(conf);
  if (config == nullptr) return 1;
  Collector collector(config);
  for (const std::string& file : files) {
    if (!collector.read(file)) return 1;
  }
  const std::vector<routing::Label>& labels = collector.finish();
  const auto calibrations = routing::fit_calibrations(labels);
  print(calibrations, config->weights->stamp());
  const Counts& counts = collector.counts;
  std::fprintf(stderr,
               "%zu labels, %zu of use (%zu of requests without a decision here, %zu decided by "
               "other weights, %zu of models without a known quality, %zu followed by another of "
               "the same request; %zu other lines), %zu calibrations (a key needs %zu labels)\n",
               counts.labels, labels.size(), counts.without_decision, counts.other_weights,
               counts.without_quality, counts.taken_back, counts.other_lines, calibrations.size(),
               routing::labels_min);
  return 0;
}

}  // namespace hyperion::server
