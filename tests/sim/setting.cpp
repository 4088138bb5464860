#include "sim/setting.h"

#include <cstdio>
#include <optional>

#include "tls/sha256.h"

namespace hyperion::sim {
namespace {

constexpr const char* variant_names[] = {"plain", "hedging", "cautious"};
static_assert(std::size(variant_names) == static_cast<size_t>(Variant::count));

struct ProviderRow {
  const char* name;
  const char* dialect;
  const char* root;
  const char* keys;  // names of variables; their values are the names in lower case
};
constexpr ProviderRow provider_rows[] = {
    {"openai-1", "openai", "/v1", "{ SIM_KEY_A = 1, SIM_KEY_B = 2 }"},
    {"openai-2", "openai", "/v1", "{ SIM_KEY_C = 1 }"},
    {"anthropic-1", "anthropic", "/v1", "{ SIM_KEY_D = 1, SIM_KEY_E = 1 }"},
    {"anthropic-2", "anthropic", "/v1", "{ SIM_KEY_F = 1 }"},
    {"gemini-1", "gemini", "/v1beta", "{ SIM_KEY_G = 3, SIM_KEY_H = 1 }"},
    {"gemini-2", "gemini", "/v1beta", "{ SIM_KEY_I = 1 }"},
};

struct ModelRow {
  const char* id;
  uint32_t context_tokens;
  double input_usd_per_million;
  double output_usd_per_million;
};
constexpr ModelRow model_rows[] = {
    {"sim-a", 200'000, 1, 4},     {"sim-b", 400'000, 1000, 5000}, {"sim-c", 1'000'000, 0.5, 2},
    {"sim-d", 100'000, 0.1, 0.5}, {"sim-e", 400'000, 1, 2},
};

struct DeploymentRow {
  const char* name;
  const char* model;
  const char* provider;
};
constexpr DeploymentRow deployment_rows[] = {
    {"alpha", "sim-a", "openai-1"},     {"alpha-2", "sim-a", "openai-2"},
    {"alpha-3", "sim-a", "gemini-2"},   {"beta", "sim-b", "anthropic-1"},
    {"beta-2", "sim-b", "anthropic-2"}, {"gamma", "sim-c", "gemini-1"},
    {"delta", "sim-d", "openai-2"},     {"epsilon", "sim-e", "anthropic-2"},
    {"epsilon-2", "sim-e", "gemini-2"},
};

constexpr const char* chains = R"(
[[chains]]
model = "alpha"
places = { "alpha" = 2, "alpha-2" = 1, "alpha-3" = 1 }
fallbacks = ["beta", "gamma"]
[[chains]]
model = "beta"
places = { "beta" = 1, "beta-2" = 1 }
[[chains]]
model = "gamma"
fallbacks = ["delta", "epsilon", "alpha"]
[[chains]]
model = "epsilon"
places = { "epsilon" = 1, "epsilon-2" = 3 }
)";

std::string quoted(const std::string& text) { return "\"" + text + "\""; }

std::string settings_text(Variant variant) {
  const std::string open_ms = variant == Variant::cautious ? "900" : "250";
  const std::string failures = variant == Variant::cautious ? "1" : "2";
  const std::string ejected = variant == Variant::cautious ? "100" : "50";
  const std::string again = variant == Variant::cautious ? "1" : "3";
  const std::string hedging = variant == Variant::hedging ? "true" : "false";
  return "[log]\ntarget = \"off\"\n[timeouts]\nkeep_alive_ms = 20000\nupstream_first_byte_ms = " +
         std::to_string(first_byte_ms) + "\nupstream_idle_ms = " + std::to_string(idle_ms) +
         "\nupstream_total_ms = " + std::to_string(total_ms) +
         "\n[upstream]\nconnections_per_shard_max = 12\nconnections_warm = 0\n"
         "[retries]\nactive_min = " +
         again + "\n[breaker]\nconsecutive_failures = " + failures +
         "\nrequests_min = 6\nwindow_ms = 2000\nopen_ms = " + open_ms +
         "\nopen_max_ms = 3000\nkey_refused_ms = 700\nrate_limited_ms = 200\n"
         "slow_first_token_min_ms = 1000\nejected_max_percent = " +
         ejected + "\n[hedging]\nenabled = " + hedging +
         "\nactive_percent = 100\nafter_min_ms = 5\n";
}

std::string conf_text(Variant variant) {
  std::string text = settings_text(variant);
  uint16_t port = port_of_first_provider;
  for (const ProviderRow& row : provider_rows) {
    text += "[[providers]]\nname = " + quoted(row.name) + "\ndialect = " + quoted(row.dialect) +
            "\nbase_url = \"http://127.0.0.1:" + std::to_string(port++) + row.root +
            "\"\napi_key_envs = " + row.keys + "\n";
  }
  for (const ModelRow& row : model_rows) {
    text += "[[models]]\nid = " + quoted(row.id) +
            "\nfamily = \"sim\"\nendpoints = [\"chat\"]\noutput_tokens_max = 4096" +
            "\ncontext_tokens = " + std::to_string(row.context_tokens) +
            "\ninput_usd_per_million = " + std::to_string(row.input_usd_per_million) +
            "\noutput_usd_per_million = " + std::to_string(row.output_usd_per_million) + "\n";
  }
  for (const DeploymentRow& row : deployment_rows) {
    text += "[[deployments]]\nname = " + quoted(row.name) + "\nmodel = " + quoted(row.model) +
            "\nprovider = " + quoted(row.provider) + "\nupstream_model = \"upstream-" + row.name +
            "\"\n";
  }
  const auto hex = tls::hex_of(tls::sha256("sk_test_sim"));
  return text + chains +
         "[[keys]]\nid = \"sim\"\nhash = \"sha256:" + std::string(hex.data(), hex.size()) +
         "\"\nconcurrent_requests_max = 3\n";
}

std::shared_ptr<const config::Config> make_config(Variant variant) {
  config::Surroundings surroundings = config::Surroundings::of_process();
  surroundings.environment = [](const std::string& name) -> std::optional<std::string> {
    if (name.starts_with("SIM_KEY_")) return "provider-secret-" + name.substr(8);
    return std::nullopt;
  };
  config::LoadOutcome outcome = config::load_text(conf_text(variant), "sim.toml", surroundings);
  for (const std::string& error : outcome.errors) std::fprintf(stderr, "%s\n", error.c_str());
  return outcome.config;
}

}  // namespace

const char* name_of(Variant variant) { return variant_names[static_cast<size_t>(variant)]; }

const std::shared_ptr<const config::Config>& shared_config(Variant variant) {
  static const std::shared_ptr<const config::Config> configs[] = {
      make_config(Variant::plain), make_config(Variant::hedging), make_config(Variant::cautious)};
  return configs[static_cast<size_t>(variant)];
}

const catalog::Deployment& deployment_of(const config::Config& config, const std::string& name) {
  return *config.catalog.resolve(name).deployment;
}

Deployments places_of(const config::Config& config, const std::string& name) {
  const catalog::Deployment& named = deployment_of(config, name);
  const resilience::DefaultChain* chain = config.chains.find(named);
  if (chain == nullptr || chain->places.empty()) return {&named};
  Deployments places;
  for (const resilience::ModelPlace& place : chain->places) places.push_back(place.deployment);
  return places;
}

Deployments fallbacks_of(const config::Config& config, const std::string& name) {
  Deployments all;
  const resilience::DefaultChain* chain = config.chains.find(deployment_of(config, name));
  if (chain == nullptr) return all;
  for (const std::string& fallback : chain->fallback_names) {
    for (const catalog::Deployment* place : places_of(config, fallback)) all.push_back(place);
  }
  return all;
}

}  // namespace hyperion::sim
