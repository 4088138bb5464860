#include "config/loader.h"

#include <algorithm>
#include <tuple>

#include "catalog/nearest.h"
#include "config/outage_values.h"

namespace hyperion::config {
namespace {

constexpr std::string_view entry_lists[] = {"providers", "models", "deployments", "keys", "chains"};

// Words under which people look for a place for a secret. None stands in this file.
std::string_view secret_hint(std::string_view path, std::string_view key) {
  constexpr std::string_view words[] = {"api_key", "apikey",   "key",    "secret",
                                        "token",   "password", "api-key"};
  if (std::find(std::begin(words), std::end(words), key) == std::end(words)) return "";
  if (path == "providers") {
    return "secrets do not stand in this file: name an environment variable with api_key_env or a "
           "file with api_key_file";
  }
  if (path == "keys") {
    return "secrets do not stand in this file: give the key's hash, as `hyperion key create` "
           "prints it";
  }
  if (path == "admin") {
    return "secrets do not stand in this file: name an environment variable with token_env or a "
           "file with token_file";
  }
  return "";
}

std::string shown(std::string_view key) {
  std::string text(key.substr(0, 64));
  for (char& c : text) {
    if (c < ' ' || c > '~') c = '?';
  }
  return text;
}

// The section in which a key of this name exists, for one that stands in the wrong place.
std::string_view section_of(std::string_view key) {
  for (const Section& section : sections()) {
    for (const auto& candidate : section.keys) {
      if (candidate.name == key) return section.name;
    }
  }
  return "";
}

std::string_view nearest_of(std::string_view name, const std::vector<std::string_view>& known) {
  std::string_view nearest;
  size_t best = catalog::too_far;
  for (std::string_view candidate : known) {
    const size_t limit = std::min(catalog::misspelling_edits_max(name), best);
    const size_t distance = catalog::edit_distance(name, candidate, limit);
    if (distance >= best) continue;
    best = distance;
    nearest = candidate;
  }
  if (!nearest.empty()) return nearest;
  // "timeout" for "timeout_ms", "max_connections" for "connections_max".
  for (std::string_view candidate : known) {
    const bool part = candidate.find(name) != std::string_view::npos && name.size() >= 4;
    if (part ||
        (name.size() > 4 && name.starts_with("max_") && candidate.starts_with(name.substr(4)))) {
      return candidate;
    }
  }
  return "";
}

}  // namespace

void Loader::problem(uint16_t file, uint32_t line, std::string key, std::string message) {
  problems_.push_back({{file, line}, std::move(key), std::move(message)});
}

void Loader::warning(uint32_t line, const std::string& key, const std::string& message) {
  warnings_.push_back(place(conf_file, line) + ": " + key + ": " + message);
}

std::string Loader::place(uint16_t file, uint32_t line) const {
  const std::string& name = file == conf_file ? name_ : catalog_name_;
  return line == 0 ? name : name + ":" + std::to_string(line);
}

std::string Loader::path_in_folder(const std::string& path) const {
  const size_t slash = name_.rfind('/');
  if (path.empty() || path.starts_with('/') || slash == std::string::npos) return path;
  return name_.substr(0, slash + 1) + path;
}

std::optional<std::string> Loader::environment(const std::string& name) const {
  if (!surroundings_.environment) return std::nullopt;
  std::optional<std::string> value = surroundings_.environment(name);
  if (value && value->empty()) return std::nullopt;
  return value;
}

std::optional<std::string> Loader::file_text(const std::string& path, Readers readers,
                                             std::string& reason) const {
  if (surroundings_.read_file) return surroundings_.read_file(path, readers, reason);
  reason = path + " cannot be read";
  return std::nullopt;
}

void Loader::unknown_key(const Member& member, uint16_t file, const std::string& path,
                         const std::vector<std::string_view>& known) {
  const std::string name = shown(member.key);
  const std::string full = path.empty() ? name : path + "." + name;
  const std::string_view hint = secret_hint(path, member.key);
  if (!hint.empty()) {
    problem(file, member.line, full, std::string(hint));
    return;
  }
  std::string message = "unknown key";
  const std::string_view nearest = nearest_of(member.key, known);
  const std::string_view section = section_of(member.key);
  if (!nearest.empty()) {
    message += ": did you mean " + std::string(nearest) + "?";
  } else if (!section.empty() && section != path) {
    message += " here: it belongs to [" + std::string(section) + "]";
  }
  problem(file, member.line, full, std::move(message));
}

bool Loader::require(const Given& given, std::string_view key, uint16_t file, uint32_t line,
                     const std::string& path) {
  if (given.contains(key)) return true;
  problem(file, line, path + "." + std::string(key), "is missing, every entry needs one");
  return false;
}

void Loader::read_document(const Value& document) {
  for (const Member& member : document.members) read_member(member);
}

// One key or section of the top level, but for the lists of entries, which need others read before.
void Loader::read_member(const Member& member) {
  if (read_key(top_level_keys(), top_level_, member, conf_file, "")) {
    setting_lines_[member.key] = member.line;
    return;
  }
  for (const Section& section : sections()) {
    if (section.name != member.key) continue;
    const std::string path(section.name);
    if (member.value.kind != Value::Kind::table) {
      problem(conf_file, member.line, path,
              "expected a section [" + path + "], given " + describe(member.value));
      return;
    }
    setting_lines_[path] = member.line;
    for (const auto& [key, line] :
         read_table(member.value, conf_file, path, section.keys, config_->settings)) {
      std::string full = path;
      setting_lines_[full.append(".").append(key)] = line;
    }
    return;
  }
  if (member.key == "aliases") return read_aliases(member.value, "aliases", draft_.aliases);
  if (member.key == "environments") return read_environments(member);
  if (std::find(std::begin(entry_lists), std::end(entry_lists), member.key) !=
      std::end(entry_lists)) {
    return;
  }
  std::vector<std::string_view> known = {"aliases", "environments"};
  for (const auto& key : top_level_keys()) known.push_back(key.name);
  for (const Section& section : sections()) known.push_back(section.name);
  known.insert(known.end(), std::begin(entry_lists), std::end(entry_lists));
  unknown_key(member, conf_file, "", known);
}

bool Loader::is_entry_list(const Member& member, uint16_t file, const std::string& path) {
  bool right = member.value.kind == Value::Kind::list;
  for (const Value& item : member.value.items) right = right && item.kind == Value::Kind::table;
  if (!right) {
    problem(
        file, member.line, path,
        "expected entries that each begin with [[" + path + "]], given " +
            (member.value.kind == Value::Kind::table ? "[" + path + "]" : describe(member.value)));
  }
  return right;
}

// Entries within a section: each problem with the line of its own key.
void Loader::read_outage_list(const Member& member, const std::string& path,
                              std::vector<Outage>& outages) {
  std::vector<OutageProblem> problems;
  read_outages(member.value, outages, problems);
  for (OutageProblem& each : problems) {
    const std::string full = each.key.empty() ? path : path + "." + each.key;
    problem(conf_file, each.line != 0 ? each.line : member.line, full, std::move(each.message));
  }
}

void Loader::read_aliases(const Value& table, const std::string& path,
                          std::vector<catalog::Placed<catalog::AliasDraft>>& list) {
  if (table.kind != Value::Kind::table) {
    problem(conf_file, table.line, path,
            "expected a section of names such as fast = \"gpt-4o-mini\", given " + describe(table));
    return;
  }
  for (const Member& member : table.members) {
    const std::string full = path + "." + shown(member.key);
    catalog::AliasDraft alias;
    alias.name = member.key;
    std::string message;
    if (!catalog::is_model_name(member.key)) {
      problem(conf_file, member.line, full,
              "expected " + std::string(expectation(Text::model)) + " on the left");
      continue;
    }
    const Rule rule = {.text = Text::model, .may_be_empty = false};
    if (!assign(&alias.target, rule, member.value, message)) {
      problem(conf_file, member.line, full, std::move(message));
      continue;
    }
    list.push_back({std::move(alias), {conf_file, member.line}});
  }
}

void Loader::read_environments(const Member& member) {
  if (member.value.kind != Value::Kind::table) {
    problem(conf_file, member.line, "environments",
            "expected sections such as [environments.staging], given " + describe(member.value));
    return;
  }
  for (const Member& child : member.value.members) {
    const std::string path = "environments." + shown(child.key);
    if (!acceptable(Text::label, child.key)) {
      problem(conf_file, child.line, path,
              "expected " + std::string(expectation(Text::label)) + " as the environment");
      continue;
    }
    catalog::EnvironmentDraft environment;
    environment.name = child.key;
    read_aliases(child.value, path, environment.aliases);
    draft_.environments.push_back({std::move(environment), {conf_file, child.line}});
  }
}

LoadOutcome Loader::run(std::string_view text) {
  SyntaxProblem syntax;
  const std::optional<Value> document = parse_document(text, syntax);
  if (!document) {
    return {nullptr, {place(conf_file, syntax.line) + ": " + syntax.message}, {}};
  }
  read_document(*document);
  read_catalog();
  const auto each = [&](std::string_view list, auto read) {
    const Member* member = document->find(list);
    if (member == nullptr || !is_entry_list(*member, conf_file, member->key)) return;
    for (const Value& item : member->value.items) read(item);
  };
  each("models", [&](const Value& item) { read_model(item, conf_file); });
  each("providers", [&](const Value& item) { read_provider(item); });
  each("deployments", [&](const Value& item) { read_deployment(item); });
  each("keys", [&](const Value& item) { read_virtual_key(item); });
  each("chains", [&](const Value& item) { read_chain(item); });
  resolve_paths();
  read_admin_token();
  check_settings();
  build_catalog();
  finish_virtual_keys();
  finish_routing();
  finish_chains();
  check_contents();

  LoadOutcome outcome;
  outcome.warnings = std::move(warnings_);
  std::sort(problems_.begin(), problems_.end(), [](const auto& a, const auto& b) {
    return std::tie(a.origin.file, a.origin.line, a.key, a.message) <
           std::tie(b.origin.file, b.origin.line, b.key, b.message);
  });
  for (const catalog::Problem& found : problems_) {
    if (outcome.errors.size() == problems_shown_max) {
      outcome.errors.push_back(name_ + ": and " +
                               std::to_string(problems_.size() - problems_shown_max) + " more");
      break;
    }
    outcome.errors.push_back(place(found.origin.file, found.origin.line) + ": " + found.key + ": " +
                             found.message);
  }
  if (outcome.errors.empty()) {
    config_->stamp = tls::hex_of(tls::sha256(text).view().substr(0, 8));
    outcome.config = std::move(config_);
  }
  return outcome;
}

LoadOutcome load_text(std::string_view text, const std::string& name,
                      const Surroundings& surroundings) {
  return Loader(name, surroundings).run(text);
}

LoadOutcome load_file(const std::string& path) {
  const Surroundings surroundings = Surroundings::of_process();
  std::string problem;
  const auto text = surroundings.read_file(path, Readers::anybody, problem);
  if (!text) return {nullptr, {problem}, {}};
  return load_text(*text, path, surroundings);
}

std::shared_ptr<const Config> Config::defaults() {
  LoadOutcome outcome = load_text("", "the defaults", Surroundings{});
  HYPERION_ASSERT(outcome.config != nullptr);
  return std::move(outcome.config);
}

}  // namespace hyperion::config
