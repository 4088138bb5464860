// Models, presets, providers, deployments and keys: the entries of the conf and the catalogue.
#include <algorithm>
#include <cctype>
#include <set>

#include "config/loader.h"
#include "resilience/chain.h"

namespace hyperion::config {
namespace {

constexpr size_t providers_max = 1000;

// What may stand in a header's value: everything else in a key is an accident with an editor.
bool is_visible_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

void trim_end(std::string& text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.pop_back();
}

}  // namespace

void Loader::read_catalog() {
  std::string text(surroundings_.catalog);
  if (!top_level_.catalog_file.empty()) {
    const std::string path = path_in_folder(top_level_.catalog_file);
    std::string reason;
    auto file = file_text(path, Readers::anybody, reason);
    if (!file) {
      setting_problem("catalog_file", reason);
      return;
    }
    text = std::move(*file);
    catalog_name_ = path;
  }
  config_->catalog_stamp = tls::hex_of(tls::sha256(text).view().substr(0, 8));
  SyntaxProblem syntax;
  const auto document = parse_document(text, syntax);
  if (document) {
    read_catalog_document(*document);
  } else {
    problem(catalog_file, syntax.line, "catalog_file", syntax.message);
  }
}

void Loader::read_catalog_document(const Value& document) {
  for (const Member& member : document.members) {
    if (member.key != "models" && member.key != "providers") {
      unknown_key(member, catalog_file, "", {"models", "providers"});
      continue;
    }
    if (!is_entry_list(member, catalog_file, member.key)) continue;
    for (const Value& item : member.value.items) {
      if (member.key == "models") {
        read_model(item, catalog_file);
      } else {
        read_preset(item);
      }
    }
  }
}

// The catalogue's model that a [[models]] entry of the conf changes.
catalog::Model* Loader::known_model(const Value& table) {
  const Member* id = table.find("id");
  const Member* family = table.find("family");
  if (id == nullptr) return nullptr;
  for (auto& placed : draft_.models) {
    if (placed.value.id != id->value.text) continue;
    if (family == nullptr || family->value.text == placed.value.family) return &placed.value;
  }
  return nullptr;
}

void Loader::read_model(const Value& table, uint16_t file) {
  const bool of_conf = file == conf_file;
  catalog::Model* known = of_conf ? known_model(table) : nullptr;
  catalog::Model fresh;
  fresh.endpoints = static_cast<uint8_t>(catalog::Endpoint::chat);
  catalog::Model& model = known != nullptr ? *known : fresh;
  const Given given = read_table(table, file, "models", model_keys(), model);
  if (!require(given, "id", file, table.line, "models")) return;
  if (known == nullptr && !given.contains("family")) {
    problem(file, table.line, "models.family",
            "is missing: the vendor, or the name of the provider that serves this model");
    return;
  }
  check_capabilities(table, file);
  check_quality(table, file);
  if (of_conf && !conf_models_.emplace(model.family + "/" + model.id, table.line).second) {
    problem(file, table.line, "models.id", "\"" + model.id + "\" is there twice");
    return;
  }
  if (known == nullptr) draft_.models.push_back({std::move(fresh), {file, table.line}});
}

// One capability cannot be both there and not there.
void Loader::check_capabilities(const Value& table, uint16_t file) {
  const Member* has = table.find("capabilities");
  const Member* lacks = table.find("lacks");
  if (has == nullptr || lacks == nullptr) return;
  for (const Value& one : has->value.items) {
    for (const Value& other : lacks->value.items) {
      if (one.text != other.text || one.kind != Value::Kind::text) continue;
      problem(file, lacks->line, "models.lacks", describe(one) + " stands in capabilities too");
    }
  }
}

// Shares and where they were read come together: others' sources do not vouch for new numbers.
void Loader::check_quality(const Value& table, uint16_t file) {
  const Member* quality = table.find("quality");
  const Member* sources = table.find("quality_sources");
  if (quality == nullptr && sources != nullptr) {
    problem(file, sources->line, "models.quality_sources", "is of use together with quality only");
  }
  if (quality == nullptr || quality->value.kind != Value::Kind::table) return;
  const bool unsourced = sources == nullptr || sources->value.items.empty();
  if (sources != nullptr && unsourced == quality->value.members.empty()) return;
  problem(file, quality->line, "models.quality",
          "comes with quality_sources: texts that say where the shares were read ({} with [])");
}

void Loader::read_preset(const Value& table) {
  ProviderDraft preset;
  const Given given = read_table(table, catalog_file, "providers", provider_keys(), preset);
  if (!require(given, "name", catalog_file, table.line, "providers")) return;
  take_authentication(catalog::authentication_of(preset.provider.dialect, preset.provider.vertex),
                      given, preset.provider);
  presets_[preset.provider.name] = std::move(preset);
}

// What the entry does not say of how the key is presented is as in `style`; but a prefix belongs to
// its header, so the one of another header is not taken.
void Loader::take_authentication(const catalog::AuthenticationStyle& style, const Given& given,
                                 catalog::Provider& provider) {
  catalog::AuthenticationStyle& own = provider.authentication;
  if (!given.contains("authentication_header")) own.header = style.header;
  if (given.contains("authentication_prefix")) return;
  const catalog::AuthenticationStyle bearer;
  own.prefix = own.header == style.header    ? style.prefix
               : own.header == bearer.header ? bearer.prefix
                                             : "";
}

void Loader::read_provider(const Value& table) {
  ProviderDraft draft;
  const Member* name = table.find("name");
  const Member* preset_name = table.find("preset");
  const Member* source = preset_name != nullptr ? preset_name : name;
  const auto preset = source != nullptr ? presets_.find(source->value.text) : presets_.end();
  if (preset != presets_.end()) {
    const ProviderDraft& row = preset->second;
    static_cast<catalog::ProviderQuirks&>(draft.provider) = row.provider;
    draft.provider.dialect = row.provider.dialect;
    draft.provider.platform = row.provider.platform;
    draft.provider.headers = row.provider.headers;
    draft.provider.serves = row.provider.serves;
    draft.provider.passthrough_unknown_models = row.provider.passthrough_unknown_models;
    // A preset's key belongs to the preset's host: with another URL it has to be named again.
    const bool own_url = table.find("base_url") != nullptr;
    draft.base_url = row.base_url;
    if (!own_url) draft.api_key_env = row.api_key_env;
    if (draft.provider.serves.empty()) draft.provider.serves = {row.provider.name};
  }
  draft.provider.timeouts = config_->settings.upstream_timeouts;
  draft.provider.connections = config_->settings.upstream_connections;
  const catalog::Dialect dialect = draft.provider.dialect;
  const Given given = read_table(table, conf_file, "providers", provider_keys(), draft);
  if (preset != presets_.end() && dialect == draft.provider.dialect) {
    take_authentication(preset->second.provider.authentication, given, draft.provider);
  } else {
    take_authentication(catalog::authentication_of(draft.provider.dialect, draft.provider.vertex),
                        given, draft.provider);
  }
  if (!require(given, "name", conf_file, table.line, "providers")) return;
  if (preset_name != nullptr && preset == presets_.end()) {
    std::string known;
    for (const auto& [key, row] : presets_) known += (known.empty() ? "" : ", ") + key;
    problem(conf_file, preset_name->line, "providers.preset",
            "the catalogue has no such preset: expected one of " + known);
    return;
  }
  finish_provider(draft, given, table.line);
}

void Loader::finish_provider(ProviderDraft& draft, const Given& given, uint32_t line) {
  catalog::Provider& provider = draft.provider;
  const auto line_of_key = [&](std::string_view key) {
    const auto found = given.find(key);
    return found != given.end() ? found->second : line;
  };
  if (provider.serves.empty()) provider.serves = {provider.name};
  if (draft.base_url.empty()) {
    problem(conf_file, line_of_key("base_url"), "providers.base_url",
            "is missing: only providers that the catalogue knows have one of their own");
    return;
  }
  std::string reason;
  if (!catalog::parse_base_url(draft.base_url, draft.variables, provider.base_url, reason)) {
    problem(conf_file, line_of_key("base_url"), "providers.base_url", reason);
    return;
  }
  for (std::string_view key : {"tls_server_name", "ca_file"}) {
    if (given.contains(key) && !provider.base_url.tls) {
      problem(conf_file, line_of_key(key), "providers." + std::string(key),
              "is of no use: base_url is http");
    }
  }
  if (provider.vertex && provider.dialect != catalog::Dialect::gemini) {
    problem(conf_file, line_of_key("vertex"), "providers.vertex",
            "is of use with dialect = \"gemini\" only");
  }
  if (provider.discovery && provider.vertex) {
    problem(conf_file, line_of_key("discovery"), "providers.discovery",
            "is of no use with vertex = true: Vertex AI has no such list of models");
  }
  // One for the list and one for requests, so that neither waits for the other.
  if (provider.discovery && provider.connections.connections_per_shard_max < 2) {
    problem(conf_file, line_of_key("discovery"), "providers.discovery",
            "needs connections_per_shard_max of at least 2");
  }
  if (provider.tls_server_name.empty()) provider.tls_server_name = provider.base_url.host;
  provider.ca_file = path_in_folder(provider.ca_file);
  if (!provider.ca_file.empty() && !file_text(provider.ca_file, Readers::anybody, reason)) {
    problem(conf_file, line_of_key("ca_file"), "providers.ca_file", reason);
  }
  if (!is_visible_ascii(provider.authentication.prefix.substr(
          0, provider.authentication.prefix.find_last_not_of(' ') + 1))) {
    problem(conf_file, line_of_key("authentication_prefix"), "providers.authentication_prefix",
            "expected visible ASCII such as \"Bearer \"");
  }
  read_provider_keys(draft, given, line);
  if (draft_.providers.size() == providers_max) {
    problem(conf_file, line, "providers", "expected at most 1000 providers");
  }
  if (draft_.providers.size() >= providers_max) return;
  draft_.providers.push_back({std::move(provider), {conf_file, line}});
}

// False: it cannot be a key.
bool Loader::add_provider_key(catalog::Provider& provider, std::string_view source, uint32_t line,
                              std::string key, const std::string& name, uint32_t weight) {
  trim_end(key);
  const bool acceptable = !key.empty() && key.size() <= 4096 && is_visible_ascii(key);
  provider.keys.push_back({Secret::take(key), name, weight});
  if (!acceptable) {
    problem(conf_file, line, "providers." + std::string(source),
            "the key it gives cannot be one: expected one line of visible ASCII");
  }
  return acceptable;
}

// From one variable or file, or from several with their shares. Of several variables those that
// are set count.
void Loader::read_provider_keys(ProviderDraft& draft, const Given& given, uint32_t line) {
  catalog::Provider& provider = draft.provider;
  const bool several = !draft.api_key_envs.empty() || !draft.api_key_files.empty();
  const bool file_given = !draft.api_key_file.empty();
  const bool env_given = given.contains("api_key_env") && !draft.api_key_env.empty();
  if ((file_given && (env_given || several)) || (env_given && several)) {
    problem(conf_file, line, file_given ? "providers.api_key_file" : "providers.api_key_env",
            several ? "expected it or api_key_envs and api_key_files, given both"
                    : "expected it or api_key_env, given both");
    return;
  }
  resilience::Weights& envs = draft.api_key_envs;
  resilience::Weights& files = draft.api_key_files;
  if (file_given) files = {{draft.api_key_file, 1}};
  if (!file_given && !several && !draft.api_key_env.empty()) envs = {{draft.api_key_env, 1}};
  const auto line_of_key = [&](std::string_view one, std::string_view many) {
    const auto found = given.find(several ? many : one);
    return found != given.end() ? found->second : line;
  };
  const uint32_t file_line = line_of_key("api_key_file", "api_key_files");
  for (const auto& [path, weight] : files) {
    std::string reason;
    auto key = file_text(path_in_folder(path), Readers::owner_only, reason);
    const std::string_view source = several ? "api_key_files" : "api_key_file";
    if (key) {
      add_provider_key(provider, source, file_line, std::move(*key), path, weight);
    } else {
      problem(conf_file, file_line, "providers." + std::string(source), reason);
      return;
    }
  }
  const uint32_t env_line = line_of_key("api_key_env", "api_key_envs");
  std::string missing;
  for (const auto& [name, weight] : envs) {
    auto key = environment(name);
    if (key) {
      add_provider_key(provider, several ? "api_key_envs" : "api_key_env", env_line,
                       std::move(*key), name, weight);
    } else {
      missing += (missing.empty() ? "" : " or ") + name;
    }
  }
  if (provider.keys.empty() && !missing.empty()) {
    provider.usable = false;
    provider.unusable_because = "no key: set " + missing;
    warning(env_line, "providers." + provider.name,
            provider.unusable_because + "; until then its models answer 503");
  } else if (!missing.empty()) {
    warning(env_line, "providers." + provider.name,
            missing + " is not set: goes on with the other keys");
  }
  if (provider.keys.size() > resilience::Chain::keys_max) {
    problem(conf_file, line, "providers.api_key_envs",
            "expected at most " + std::to_string(resilience::Chain::keys_max) +
                " keys together with api_key_files");
  }
  if (!provider.keys.empty() && !provider.base_url.tls && provider.base_url.host != "localhost") {
    const auto address = io::Address::from_ip(provider.base_url.host, 1);
    if (address && address->is_loopback()) return;
    warning(several      ? line
            : file_given ? file_line
                         : env_line,
            "providers." + provider.name,
            "base_url is http: the key crosses the network unencrypted");
  }
}

void Loader::read_deployment(const Value& table) {
  catalog::DeploymentDraft deployment;
  const Given given = read_table(table, conf_file, "deployments", deployment_keys(), deployment);
  bool complete = true;
  for (std::string_view key : {"name", "model", "provider"}) {
    complete = require(given, key, conf_file, table.line, "deployments") && complete;
  }
  if (complete) draft_.deployments.push_back({std::move(deployment), {conf_file, table.line}});
}

void Loader::read_virtual_key(const Value& table) {
  VirtualKey key;
  const Given given = read_table(table, conf_file, "keys", virtual_key_keys(), key);
  bool complete = true;
  for (std::string_view name : {"id", "hash"}) {
    complete = require(given, name, conf_file, table.line, "keys") && complete;
  }
  if (key.body_size_max_bytes > config_->settings.http.body_size_max_bytes) {
    problem(conf_file, given.find("body_size_max_bytes")->second, "keys.body_size_max_bytes",
            "expected at most limits.body_size_max_bytes, which is " +
                std::to_string(config_->settings.http.body_size_max_bytes));
  }
  if (complete) virtual_keys_.push_back({std::move(key), {conf_file, table.line}});
}

void Loader::build_catalog() {
  draft_.environment = top_level_.environment;
  draft_.environment_origin = {conf_file, line_of("environment")};
  draft_.use_successors = top_level_.retired_models == 1;
  config_->environment = top_level_.environment;
  config_->test_faults = top_level_.test_faults;
  config_->catalog = catalog::Catalog::build(std::move(draft_), problems_);
}

void Loader::finish_virtual_keys() {
  std::set<std::string> ids;
  std::set<tls::Sha256> hashes;
  std::vector<VirtualKey> keys;
  for (auto& [key, origin] : virtual_keys_) {
    if (!ids.insert(key.id).second) {
      problem(conf_file, origin.line, "keys.id", "\"" + key.id + "\" is there twice");
    }
    if (!hashes.insert(key.hash).second) {
      problem(conf_file, origin.line, "keys.hash", "another entry has the same hash");
    }
    for (const std::string& pattern : key.models) {
      if (config_->catalog.allow(pattern, key.allowed)) continue;
      problem(conf_file, origin.line, "keys.models",
              "\"" + pattern + "\" matches no model: expected " +
                  std::string(expectation(Text::pattern)));
    }
    keys.push_back(std::move(key));
  }
  config_->keys = VirtualKeys(std::move(keys));
}

void Loader::read_admin_token() {
  AdminSettings& admin = config_->settings.admin;
  std::optional<std::string> token;
  if (!admin.token_file.empty()) {
    std::string reason;
    token = file_text(admin.token_file, Readers::owner_only, reason);
    if (!token) return setting_problem("admin.token_file", reason);
  } else if (!admin.token_env.empty()) {
    token = environment(admin.token_env);
    if (!token && setting_lines_.contains("admin.token_env")) {
      warning(line_of("admin.token_env"), "admin.token_env",
              admin.token_env + " is not set: /admin and the dashboard stay closed");
    }
  }
  if (!token) return;
  trim_end(*token);
  const bool acceptable = token->size() >= 16 && token->size() <= 4096 && is_visible_ascii(*token);
  admin.token = Secret::take(*token);
  if (acceptable) return;
  setting_problem(admin.token_file.empty() ? "admin.token_env" : "admin.token_file",
                  "the token it gives is too weak: expected one line of at least 16 characters of "
                  "visible ASCII");
}

}  // namespace hyperion::config
