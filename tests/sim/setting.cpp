#include "sim/setting.h"

#include <cstdio>
#include <optional>
#include <string>

#include "tls/sha256.h"

namespace hyperion::sim {
namespace {

std::string provider_text(const std::string& dialect, const std::string& model,
                          const std::string& root) {
  return "[[providers]]\nname = \"sim-" + dialect + "\"\ndialect = \"" + dialect +
         "\"\nbase_url = \"http://127.0.0.1:1" + root +
         "\"\napi_key_env = \"SIM_KEY\"\nserves = [\"sim\"]\nconnections_per_shard_max = 6\n"
         "[[deployments]]\nname = \"" +
         model + "\"\nmodel = \"sim-model\"\nprovider = \"sim-" + dialect +
         "\"\nupstream_model = \"upstream-model\"\n";
}

std::shared_ptr<const config::Config> make_config() {
  auto hex = tls::hex_of(tls::sha256("sk_test_sim"));
  const std::string text =
      R"(
[log]
target = "off"
[timeouts]
keep_alive_ms = 20000
[retries]
attempts_max = 1
[[models]]
id = "sim-model"
family = "sim"
endpoints = ["chat"]
)" + provider_text("openai", "test-model", "/v1") +
      provider_text("anthropic", "test-anthropic", "/v1") +
      provider_text("gemini", "test-gemini", "/v1beta") +
      "[[keys]]\nid = \"sim\"\nhash = \"sha256:" + std::string(hex.data(), hex.size()) +
      "\"\nconcurrent_requests_max = 3\n";
  config::Surroundings surroundings = config::Surroundings::of_process();
  surroundings.environment = [](const std::string& name) -> std::optional<std::string> {
    if (name == "SIM_KEY") return "provider-secret";
    return std::nullopt;
  };
  config::LoadOutcome outcome = config::load_text(text, "sim.toml", surroundings);
  for (const std::string& error : outcome.errors) std::fprintf(stderr, "%s\n", error.c_str());
  return outcome.config;
}

}  // namespace

const std::shared_ptr<const config::Config>& shared_config() {
  static const std::shared_ptr<const config::Config> config = make_config();
  return config;
}

}  // namespace hyperion::sim
