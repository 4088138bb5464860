// The presets of providers: each works under its name alone, speaks its dialect and has its quirks.
#include <doctest/doctest.h>

#include "config/support.h"

using namespace hyperion;
using namespace hyperion::config;
using namespace hyperion::test;

using catalog::Dialect;

namespace {

constexpr struct {
  std::string_view name;
  std::string_view variables;  // of base_url
  Dialect dialect;
  std::string_view base_url;
  std::string_view header, prefix;
  std::string_view model, upstream_model;
} presets[] = {
    {"openai", "", Dialect::openai, "https://api.openai.com/v1", "authorization", "Bearer ",
     "gpt-4o", "gpt-4o-2024-11-20"},
    {"anthropic", "", Dialect::anthropic, "https://api.anthropic.com/v1", "x-api-key", "",
     "claude-haiku-4-5", "claude-haiku-4-5-20251001"},
    {"gemini", "", Dialect::gemini, "https://generativelanguage.googleapis.com/v1beta",
     "x-goog-api-key", "", "gemini-2.5-pro", "gemini-2.5-pro"},
    {"vertex", "id = \"p\"", Dialect::gemini,
     "https://aiplatform.googleapis.com/v1/projects/p/locations/global/publishers/google",
     "authorization", "Bearer ", "gemini-2.5-pro", "gemini-2.5-pro"},
    {"azure", "resource = \"mine\"", Dialect::openai, "https://mine.openai.azure.com/openai/v1",
     "api-key", "", "azure/my-deployment", "my-deployment"},
    {"groq", "", Dialect::openai, "https://api.groq.com/openai/v1", "authorization", "Bearer ",
     "llama-3.3-70b-versatile", "llama-3.3-70b-versatile"},
    {"mistral", "", Dialect::openai, "https://api.mistral.ai/v1", "authorization", "Bearer ",
     "mistral-large-latest", "mistral-large-latest"},
    {"deepseek", "", Dialect::openai, "https://api.deepseek.com/v1", "authorization", "Bearer ",
     "deepseek-chat", "deepseek-chat"},
    {"xai", "", Dialect::openai, "https://api.x.ai/v1", "authorization", "Bearer ", "grok",
     "grok-4.7"},
    {"openrouter", "", Dialect::openai, "https://openrouter.ai/api/v1", "authorization", "Bearer ",
     "claude-haiku-4-5", "anthropic/claude-haiku-4.5"},
    {"together", "", Dialect::openai, "https://api.together.xyz/v1", "authorization", "Bearer ",
     "together/meta/llama", "meta/llama"},
    {"perplexity", "", Dialect::openai, "https://api.perplexity.ai", "authorization", "Bearer ",
     "perplexity/sonar", "sonar"},
    {"cerebras", "", Dialect::openai, "https://api.cerebras.ai/v1", "authorization", "Bearer ",
     "cerebras/gpt-oss-120b", "gpt-oss-120b"},
    {"ollama", "", Dialect::openai, "http://127.0.0.1:11434/v1", "authorization", "Bearer ",
     "ollama/llama3:8b", "llama3:8b"},
    {"vllm", "", Dialect::openai, "http://127.0.0.1:8000/v1", "authorization", "Bearer ",
     "vllm/qwen", "qwen"},
};

World world() {
  World result;
  result.catalog = embedded_catalog;
  result.variables["ANTHROPIC_API_KEY"] = "sk-ant";
  return result;
}

std::shared_ptr<const Config> with(const std::string& keys) {
  return accepted("[[providers]]\n" + keys, world());
}

}  // namespace

TEST_CASE("a preset needs no more than its name, and the variables of its URL") {
  for (const auto& row : presets) {
    const std::string name(row.name);
    CAPTURE(name);
    const auto config =
        with("name = \"" + name + "\"\nvariables = { " + std::string(row.variables) + " }\n");
    const catalog::Provider& provider = config->catalog.providers()[0];
    CHECK(provider.dialect == row.dialect);
    CHECK(provider.base_url.text() == row.base_url);
    CHECK(provider.authentication.header == row.header);
    CHECK(provider.authentication.prefix == row.prefix);
    CHECK(provider.vertex == (name == "vertex"));
    CHECK(provider.native_models_list == (name == "openrouter"));
    CHECK(provider.cache_control_parts == (name == "openrouter"));
    CHECK(provider.reasoning_back == (name == "deepseek"));
    CHECK(provider.speaks_responses == (name == "openai" || name == "azure" || name == "xai"));
    CHECK(config->catalog.resolve(row.model).upstream_model == row.upstream_model);
  }
}

TEST_CASE("a URL's variables that are missing are named") {
  const std::string error = refusal("[[providers]]\nname = \"vertex\"\n", world());
  CHECK(contains(error, "providers.base_url"));
  CHECK(contains(error, "{id}"));
}

TEST_CASE("the quirks of a preset hold unless the entry says otherwise") {
  const auto config = with(
      "name = \"deepseek\"\nmax_tokens_field = \"max_completion_tokens\"\nreasoning_field = "
      "\"\"\n");
  const catalog::Provider& provider = config->catalog.providers()[0];
  CHECK(provider.max_tokens_field == "max_completion_tokens");
  CHECK(provider.reasoning_field.empty());
  CHECK_FALSE(provider.developer_role);
  CHECK(provider.reasoning_back);
}

TEST_CASE("a provider without a preset has the credentials of its dialect") {
  const auto of = [](const std::string& keys) {
    const auto config = with("name = \"x\"\nbase_url = \"http://127.0.0.1:1\"\n" + keys);
    const catalog::Provider& provider = config->catalog.providers()[0];
    return provider.authentication.header + ": " + provider.authentication.prefix;
  };
  CHECK(of("") == "authorization: Bearer ");
  CHECK(of("dialect = \"anthropic\"\n") == "x-api-key: ");
  CHECK(of("dialect = \"gemini\"\n") == "x-goog-api-key: ");
  CHECK(of("dialect = \"gemini\"\nvertex = true\n") == "authorization: Bearer ");
  // A prefix belongs to its header.
  CHECK(of("authentication_header = \"api-key\"\n") == "api-key: ");
  CHECK(of("dialect = \"anthropic\"\nauthentication_header = \"Authorization\"\n") ==
        "authorization: Bearer ");
  CHECK(of("authentication_prefix = \"Token \"\n") == "authorization: Token ");
  // And a dialect of its own goes before the preset's.
  CHECK(of("preset = \"openai\"\ndialect = \"anthropic\"\n") == "x-api-key: ");
}

TEST_CASE("Anthropic's version is the one that is written, unless the conf names another") {
  CHECK(with("name = \"anthropic\"\n")->catalog.providers()[0].api_version == "2023-06-01");
  CHECK(with("name = \"anthropic\"\napi_version = \"2026-10-21\"\n")
            ->catalog.providers()[0]
            .api_version == "2026-10-21");
}

TEST_CASE("a model that a platform calls by its own name is known under it") {
  const auto config = with("name = \"openrouter\"\n");
  const auto found = config->catalog.resolve("openrouter/anthropic/claude-opus-5");
  REQUIRE(found.model != nullptr);
  CHECK(found.model->id == "claude-opus-5");
  CHECK(found.upstream_model == "anthropic/claude-opus-5");
  CHECK(config->catalog.resolve("openrouter/meta/llama").upstream_model == "meta/llama");
}

TEST_CASE("what cannot be translated is refused unless the conf says that it is dropped") {
  CHECK(accepted("")->settings.translation.unsupported == dialect::Unsupported::strict);
  CHECK(accepted("")->settings.translation.reasoning_content);
  const auto config =
      accepted("[translation]\nunsupported = \"drop\"\nreasoning_content = false\n");
  CHECK(config->settings.translation.unsupported == dialect::Unsupported::drop);
  CHECK_FALSE(config->settings.translation.reasoning_content);
}
