// Any text as a conf: it is refused in plain lines, or it gives a configuration that holds
// together.
#include <cstddef>
#include <cstdint>

#include "base/assert.h"
#include "config/config.h"

using namespace hyperion;

namespace {

// Not the built-in catalogue, whose reading would take most of the time.
constexpr std::string_view small_catalog = R"(
[[providers]]
name = "openai"
base_url = "https://api.openai.com/v1"
api_key_env = "OPENAI_API_KEY"
[[models]]
id = "gpt-4o-2024-11-20"
family = "openai"
series = ["gpt"]
[[models]]
id = "gpt-4o-mini-2024-07-18"
family = "openai"
aliases = ["mini"]
[[models]]
id = "gpt-4-0613"
family = "openai"
status = "retired"
successor = "gpt-4o"
)";

void check_messages(const std::vector<std::string>& messages) {
  for (const std::string& message : messages) {
    for (char c : message) HYPERION_ASSERT(c >= ' ' && c <= '~');
  }
}

void check_catalog(const config::Config& config) {
  for (const catalog::Name& name : config.catalog.names()) {
    const std::string_view text = config.catalog.text(name);
    const catalog::Resolution resolution = config.catalog.resolve(text);
    HYPERION_ASSERT(resolution.outcome != catalog::Resolution::Outcome::unknown);
    if (!resolution.found()) continue;
    HYPERION_ASSERT(resolution.deployment->provider != nullptr);
    HYPERION_ASSERT(catalog::is_model_name(resolution.upstream_model));
    catalog::DeploymentSet all;
    all.allow_all();
    (void)config.catalog.nearest_names(text, all);
  }
  for (const config::VirtualKey& key : config.keys.all()) {
    HYPERION_ASSERT((config.keys.find(key.hash) == nullptr) == key.revoked);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  config::Surroundings surroundings;
  surroundings.catalog = small_catalog;
  surroundings.environment = [](const std::string& name) -> std::optional<std::string> {
    if (name.size() % 2 == 0) return std::nullopt;
    return "sk-" + name;
  };
  surroundings.read_file = [](const std::string& path, config::Readers,
                              std::string& problem) -> std::optional<std::string> {
    if (path.size() % 2 == 0) return path;
    problem = "cannot be read";
    return std::nullopt;
  };
  const config::LoadOutcome outcome =
      config::load_text({reinterpret_cast<const char*>(data), size}, "conf.toml", surroundings);
  HYPERION_ASSERT((outcome.config == nullptr) == !outcome.errors.empty());
  check_messages(outcome.errors);
  check_messages(outcome.warnings);
  if (outcome.config != nullptr) check_catalog(*outcome.config);
  return 0;
}
