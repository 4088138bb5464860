// [[routing.rules]], and what of [routing] is settled when everything else is read.
#include "config/routing_values.h"

#include <algorithm>

#include "config/keys.h"
#include "config/loader.h"

namespace hyperion::config {
namespace {

constexpr size_t rules_max = 64;

std::string named(const routing::Rule& rule, size_t number) {
  return rule.name.empty() ? "rule " + std::to_string(number) : "rule \"" + rule.name + "\"";
}

bool assign_rule(routing::Rule& rule, const Value& value, std::string& problem) {
  for (const Member& member : value.members) {
    const auto keys = routing_rule_keys();
    const auto key = std::find_if(keys.begin(), keys.end(),
                                  [&](const auto& each) { return each.name == member.key; });
    if (key == keys.end()) {
      problem = "unknown key: expected";
      for (const auto& each : keys)
        problem += (each.name == keys.front().name ? " " : ", ") + std::string(each.name);
      return false;
    }
    if (!assign(key->slot(rule), key->rule, member.value, problem)) {
      problem = std::string(key->name) + ": " + problem;
      return false;
    }
  }
  if (rule.model.empty() == (rule.tier == 0)) {
    problem = rule.model.empty() ? "expected a model or a tier, given neither"
                                 : "expected a model or a tier, given both";
    return false;
  }
  if (rule.routes == 0) {
    problem = "routes: expected \"smart\", \"auto\" or both";
    return false;
  }
  if (rule.tokens_min <= rule.tokens_max) return true;
  problem = "tokens_min: expected at most tokens_max";
  return false;
}

}  // namespace

bool assign_routing_rules(std::vector<routing::Rule>& rules, const Value& value,
                          std::string& problem) {
  const bool list = value.kind == Value::Kind::list && value.items.size() <= rules_max &&
                    std::all_of(value.items.begin(), value.items.end(),
                                [](const Value& item) { return item.kind == Value::Kind::table; });
  if (!list) {
    problem = "expected at most " + std::to_string(rules_max) +
              " entries that each begin with [[routing.rules]], given " + describe(value);
    return false;
  }
  std::vector<routing::Rule> result;
  for (const Value& item : value.items) {
    routing::Rule rule;
    const bool good = assign_rule(rule, item, problem);
    if (!good) {
      problem = named(rule, result.size() + 1) + ": " + problem;
      return false;
    }
    // Decisions and their log tell rules by name.
    if (rule.name.empty()) rule.name = named(rule, result.size() + 1);
    result.push_back(std::move(rule));
  }
  rules = std::move(result);
  return true;
}

void Loader::read_weights() {
  const std::string& file = config_->settings.routing.weights_file;
  std::string text(routing::embedded_weights);
  std::string reason;
  if (!file.empty()) {
    auto read = file_text(path_in_folder(file), Readers::anybody, reason);
    if (!read) return setting_problem("routing.weights_file", reason);
    text = std::move(*read);
  }
  config_->weights = routing::Weights::parse(text, reason);
  if (config_->weights == nullptr) setting_problem("routing.weights_file", reason);
}

bool Loader::read_calibration(const Value& table, routing::Calibration& calibration,
                              std::string& reason) {
  using Calibration = routing::Calibration;
  const char* const shape = "expected key, class, labels and weights";
  for (const Member& member : table.members) {
    const Value& value = member.value;
    const auto whole = [](const Value& item, int64_t least, int64_t most) {
      return item.kind == Value::Kind::integer && item.integer >= least && item.integer <= most;
    };
    if (member.key == "key" && value.kind == Value::Kind::text) {
      calibration.key = value.text;
    } else if (member.key == "class" && value.kind == Value::Kind::text) {
      calibration.kind = routing::kind_named(value.text);
      if (calibration.kind != routing::Kind::count) continue;
      reason = "class: expected one of";
      for (size_t i = 0; i < routing::kind_count; ++i)
        reason += " " + std::string(routing::name_of(static_cast<routing::Kind>(i)));
      return false;
    } else if (member.key == "labels" && whole(value, 0, UINT32_MAX)) {
      calibration.labels = static_cast<uint32_t>(value.integer);
    } else if (member.key == "weights" && value.items.size() == Calibration::weight_count) {
      for (size_t i = 0; i < value.items.size(); ++i) {
        reason = "weights: expected whole numbers from -32768 to 32767";
        if (!whole(value.items[i], INT16_MIN, INT16_MAX)) return false;
        calibration.weights[i] = static_cast<int16_t>(value.items[i].integer);
      }
    } else {
      reason = shape;
      if (member.key == "weights")
        reason = "expected " + std::to_string(Calibration::weight_count) +
                 " weights, given another number: made by another version of hyperion feedback?";
      return false;
    }
  }
  reason = shape;
  return table.members.size() == 4;
}

void Loader::read_calibrations() {
  const std::string& file = config_->settings.routing.calibration_file;
  if (file.empty()) return;
  const std::string path = path_in_folder(file);
  std::string reason;
  const auto text = file_text(path, Readers::anybody, reason);
  if (!text) return setting_problem("routing.calibration_file", reason);
  const auto fail = [&](uint32_t line, const std::string& message) {
    setting_problem("routing.calibration_file", path + ":" + std::to_string(line) + ": " + message);
  };
  SyntaxProblem syntax;
  const auto document = parse_document(*text, syntax);
  if (!document) return fail(syntax.line, syntax.message);
  const Member* weights = document->find("weights_stamp");
  if (weights == nullptr || config_->weights == nullptr ||
      weights->value.text != config_->weights->stamp()) {
    return fail(weights != nullptr ? weights->value.line : 1,
                "expected weights_stamp to be that of the weights in use: learn it again with "
                "`hyperion feedback`");
  }
  const Member* entries = nullptr;
  for (const Member& member : document->members) {
    if (member.key == "calibrations") {
      entries = &member;
    } else if (member.key != "weights_stamp") {
      return fail(member.value.line, "unknown key " + std::string(member.key) +
                                         ": expected weights_stamp and [[calibrations]]");
    }
  }
  if (entries == nullptr) return;
  if (entries->value.kind != Value::Kind::list)
    return fail(entries->value.line, "expected entries that each begin with [[calibrations]]");
  for (const Value& item : entries->value.items) {
    routing::Calibration& calibration = config_->calibrations.emplace_back();
    if (!read_calibration(item, calibration, reason)) return fail(item.line, reason);
  }
}

// What names of rules stand for, who may be chosen, and by which weights.
void Loader::finish_routing() {
  routing::Settings& settings = config_->settings.routing;
  read_weights();
  read_calibrations();
  config_->roster = routing::Roster(config_->catalog, settings.previews);
  if (settings.balanced_from_score > settings.high_reasoning_from_score)
    setting_problem("routing.balanced_from_score",
                    "expected at most routing.high_reasoning_from_score");
  for (const catalog::Model& model : config_->catalog.models()) {
    const bool priced = model.prices.input >= 0 && model.prices.output >= 0;
    if (!model.quality.known || priced || model.status == catalog::Status::retired) continue;
    const auto place = conf_models_.find(model.family + "/" + model.id);
    const bool of_conf = place != conf_models_.end();
    problem(of_conf ? conf_file : catalog_file, of_conf ? place->second : 0, "models." + model.id,
            "has a quality, so that routing may choose it, and no price: give it "
            "input_usd_per_million and output_usd_per_million (0.0 if it costs nothing), or no "
            "quality");
  }
  for (size_t i = 0; i < settings.rules.size(); ++i) {
    routing::Rule& rule = settings.rules[i];
    for (const std::string& id : rule.keys) {
      const auto keys = config_->keys.all();
      if (std::any_of(keys.begin(), keys.end(), [&](const auto& key) { return key.id == id; }))
        continue;
      setting_problem("routing.rules",
                      named(rule, i + 1) + ": keys: no [[keys]] entry has the id \"" + id + "\"");
    }
    if (rule.model.empty()) continue;
    const catalog::Resolution found = config_->catalog.resolve(rule.model);
    if (found.found() && found.model != nullptr) {
      rule.deployment = found.deployment;
      continue;
    }
    setting_problem("routing.rules", named(rule, i + 1) + ": model: \"" + rule.model +
                                         "\" is no model that a provider of this conf serves");
  }
}

}  // namespace hyperion::config
