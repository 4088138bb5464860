// The facts of models: how the conf writes them, and those of the built-in catalogue that
// translation depends on.
#include <chrono>
#include <cstdio>

#include <doctest/doctest.h>

#include "config/support.h"
#include "support/shared_data.h"

using namespace hyperion;
using namespace hyperion::config;
using namespace hyperion::test;

using catalog::Answer;
using catalog::Effort;
using catalog::Model;
using catalog::Sampling;
using catalog::Thinking;
using catalog::ThinkingOff;

namespace {

// The built-in catalogue, with a provider for each vendor, none of which wants a key.
std::shared_ptr<const Config> built_in() {
  World world;
  world.catalog = embedded_catalog;
  std::string text;
  for (const char* family :
       {"openai", "anthropic", "google", "groq", "mistral", "deepseek", "xai"}) {
    text += "[[providers]]\nname = \"at-" + std::string(family) +
            "\"\nbase_url = \"http://127.0.0.1:1\"\nserves = [\"" + family + "\"]\n";
  }
  return accepted(text, std::move(world));
}

const Model& model_of(const Config& config, std::string_view name) {
  const auto found = config.catalog.resolve(name);
  const std::string text(name);
  REQUIRE_MESSAGE(found.model != nullptr, text);
  return *found.model;
}

Model read_one(std::string_view keys) {
  const auto config = accepted("[[models]]\nid = \"m\"\nfamily = \"f\"\n" + std::string(keys));
  return *config->catalog.resolve("m").model;
}

// How Claude and Gemini think, and what follows from it for a request.
constexpr struct {
  std::string_view name;
  Thinking thinking;
  ThinkingOff off;
  Effort off_effort_max;
  Sampling sampling;
  bool forced_tools, system_in_messages, prefill;
} thinking_rows[] = {
    {"claude-haiku-4-5", Thinking::budget, ThinkingOff::omit, Effort::max, Sampling::yes, true,
     false, true},
    {"claude-sonnet-4-5", Thinking::budget, ThinkingOff::omit, Effort::max, Sampling::yes, true,
     false, true},
    {"claude-opus-4-5", Thinking::budget, ThinkingOff::omit, Effort::max, Sampling::yes, true,
     false, true},
    {"claude-sonnet-4-6", Thinking::adaptive, ThinkingOff::disabled, Effort::max, Sampling::yes,
     true, false, true},
    {"claude-opus-4-6", Thinking::adaptive, ThinkingOff::disabled, Effort::max, Sampling::yes, true,
     false, false},
    {"claude-opus-4-7", Thinking::adaptive, ThinkingOff::disabled, Effort::max, Sampling::no, true,
     false, false},
    {"claude-opus-4-8", Thinking::adaptive, ThinkingOff::disabled, Effort::max, Sampling::no, true,
     true, false},
    {"claude-opus-5", Thinking::adaptive, ThinkingOff::disabled, Effort::high, Sampling::no, true,
     true, false},
    {"claude-opus-5-5", Thinking::adaptive, ThinkingOff::cannot, Effort::max, Sampling::no, false,
     true, false},
    {"claude-sonnet-5", Thinking::adaptive, ThinkingOff::disabled, Effort::max, Sampling::no, true,
     false, false},
    {"claude-sonnet-5-5", Thinking::adaptive, ThinkingOff::between_tools, Effort::max, Sampling::no,
     false, true, false},
    {"claude-haiku-5-5", Thinking::adaptive, ThinkingOff::disabled, Effort::high, Sampling::no,
     true, true, false},
    {"claude-fable-5", Thinking::adaptive, ThinkingOff::cannot, Effort::max, Sampling::no, true,
     true, false},
    {"claude-fable-5-2", Thinking::adaptive, ThinkingOff::cannot, Effort::max, Sampling::no, false,
     true, false},
    {"gemini-2.5-pro", Thinking::budget, ThinkingOff::cannot, Effort::max, Sampling::yes, true,
     false, false},
    {"gemini-2.5-flash", Thinking::budget, ThinkingOff::zero_budget, Effort::max, Sampling::yes,
     true, false, false},
    {"gemini-3.5-flash", Thinking::level, ThinkingOff::cannot, Effort::max, Sampling::yes, true,
     false, false},
    {"gpt-5.2", Thinking::none, ThinkingOff::omit, Effort::max, Sampling::effort_none, true, false,
     false},
    {"gpt-4o", Thinking::none, ThinkingOff::omit, Effort::max, Sampling::yes, true, false, false},
};

// What a bare name or shorthand stands for.
constexpr struct {
  std::string_view name, upstream_model;
} names[] = {
    {"gpt-4o", "gpt-4o-2024-11-20"},
    {"gpt-4o-2024-08-06", "gpt-4o-2024-08-06"},
    {"gpt-5.6", "gpt-5.6-sol"},
    {"gpt-mini", "gpt-5.4-mini-2026-03-17"},
    {"gpt-sol", "gpt-6.1-sol"},
    {"haiku", "claude-haiku-5-5"},
    {"claude-haiku", "claude-haiku-5-5"},
    {"claude-haiku-4-5", "claude-haiku-4-5-20251001"},
    {"anthropic/opus", "claude-opus-5-5"},
    {"sonnet", "claude-sonnet-5-5"},
    {"fable", "claude-fable-5-2"},
    {"gemini-flash", "gemini-3.8-flash"},
    {"gemini-flash-lite", "gemini-3.5-flash-lite"},
    {"gemini-pro", "gemini-2.5-pro"},  // the later ones are previews
    {"google/gemini-2.5-pro", "gemini-2.5-pro"},
    {"grok", "grok-4.7"},
    {"openai/gpt-oss-120b", "openai/gpt-oss-120b"},
};

}  // namespace

TEST_CASE("a model of which nothing is said has unknown facts and asks nothing special") {
  const Model model = read_one("");
  CHECK(model.capabilities == catalog::Capabilities{});
  CHECK_FALSE(model.efforts.any());
  CHECK(model.sampling == Sampling::yes);
  CHECK(model.thinking == Thinking::none);
  CHECK(model.prices == catalog::Prices{});
  CHECK(model.prices.cache_write == catalog::price_unknown);
  CHECK(model.price_tiers.empty());
  CHECK(model.forced_tools);
  CHECK(model.tools_with_schema);
  CHECK(model.tools_with_reasoning);
}

TEST_CASE("every fact of a model has its key") {
  const Model model = read_one(R"(input_tokens_max = 5
capabilities = ["vision", "tools"]
lacks = ["pdf"]
efforts = ["none", "high"]
sampling = "effort_none"
thinking = "adaptive"
thinking_off = "between_tools"
thinking_off_effort_max = "high"
thinking_budget_min_tokens = 128
thinking_budget_max_tokens = 32768
forced_tools = false
system_in_messages = true
prefill = true
tools_with_schema = false
tools_with_reasoning = false
max_completion_tokens_only = true
platform_ids = { openrouter = "v/m" }
)");
  CHECK(model.input_tokens_max == 5);
  CHECK(model.capabilities.vision == Answer::yes);
  CHECK(model.capabilities.tools == Answer::yes);
  CHECK(model.capabilities.pdf == Answer::no);
  CHECK(model.capabilities.reasoning == Answer::unknown);
  CHECK(model.efforts.has(Effort::none));
  CHECK(model.efforts.has(Effort::high));
  CHECK_FALSE(model.efforts.has(Effort::low));
  CHECK(model.sampling == Sampling::effort_none);
  CHECK(model.thinking == Thinking::adaptive);
  CHECK(model.thinking_off == ThinkingOff::between_tools);
  CHECK(model.thinking_off_effort_max == Effort::high);
  CHECK(model.thinking_budget == catalog::ThinkingBudget{128, 32768});
  CHECK_FALSE(model.forced_tools);
  CHECK(model.system_in_messages);
  CHECK(model.prefill);
  CHECK_FALSE(model.tools_with_schema);
  CHECK_FALSE(model.tools_with_reasoning);
  CHECK(model.max_completion_tokens_only);
  CHECK(model.platform_ids.at("openrouter") == "v/m");
}

TEST_CASE("each class of tokens has its price, and so has each tier") {
  const Model model = read_one(R"(input_usd_per_million = 1
output_usd_per_million = 2
cached_input_usd_per_million = 0.1
cache_write_usd_per_million = 1.25
cache_write_1h_usd_per_million = 3
audio_input_usd_per_million = 4
audio_output_usd_per_million = 5
price_tiers = [
  { above_tokens = 100_000, input_usd_per_million = 6, cache_write_1h_usd_per_million = 0 },
  { above_tokens = 200_000, output_usd_per_million = 7 },
]
)");
  CHECK(model.prices ==
        catalog::Prices{1'000'000, 2'000'000, 100'000, 1'250'000, 3'000'000, 4'000'000, 5'000'000});
  REQUIRE(model.price_tiers.size() == 2);
  CHECK(model.price_tiers[0] ==
        catalog::PriceTier{100'000, {.input = 6'000'000, .cache_write_1h = 0}});
  CHECK(model.price_tiers[1] == catalog::PriceTier{200'000, {.output = 7'000'000}});
}

TEST_CASE("a conf changes one capability of a model and leaves the others") {
  World world;
  world.catalog = embedded_catalog;
  const auto config = accepted(
      "[[models]]\nid = \"gpt-4o-2024-11-20\"\nlacks = [\"vision\"]\n"
      "[[providers]]\nname = \"x\"\nbase_url = \"http://127.0.0.1:1\"\nserves = [\"openai\"]\n",
      std::move(world));
  const Model& model = model_of(*config, "gpt-4o");
  CHECK(model.capabilities.vision == Answer::no);
  CHECK(model.capabilities.tools == Answer::yes);
}

TEST_CASE("the built-in catalogue knows how each model thinks and what it refuses") {
  const auto config = built_in();
  for (const auto& row : thinking_rows) {
    CAPTURE(row.name);
    const Model& model = model_of(*config, row.name);
    CHECK(model.thinking == row.thinking);
    CHECK(model.thinking_off == row.off);
    CHECK(model.thinking_off_effort_max == row.off_effort_max);
    CHECK(model.sampling == row.sampling);
    CHECK(model.forced_tools == row.forced_tools);
    CHECK(model.system_in_messages == row.system_in_messages);
    CHECK(model.prefill == row.prefill);
  }
  CHECK(model_of(*config, "gemini-2.5-pro").thinking_budget ==
        catalog::ThinkingBudget{128, 32'768});
  CHECK_FALSE(model_of(*config, "gemini-2.5-flash").tools_with_schema);
  CHECK(model_of(*config, "gemini-3.5-flash").tools_with_schema);
  CHECK_FALSE(model_of(*config, "gpt-5.6-sol").tools_with_reasoning);
  CHECK(model_of(*config, "o3").max_completion_tokens_only);
  CHECK_FALSE(model_of(*config, "gpt-4o").max_completion_tokens_only);
  CHECK(model_of(*config, "claude-opus-4-7").efforts.has(Effort::xhigh));
  CHECK_FALSE(model_of(*config, "claude-opus-4-6").efforts.has(Effort::xhigh));
  CHECK_FALSE(model_of(*config, "claude-haiku-4-5").efforts.any());
}

TEST_CASE("facts of the built-in catalogue do not contradict each other") {
  const auto config = built_in();
  for (const Model& model : config->catalog.models()) {
    CAPTURE(model.id);
    CHECK((model.context_tokens == 0 || model.output_tokens_max <= model.context_tokens));
    CHECK((model.context_tokens == 0 || model.input_tokens_max < model.context_tokens));
    CHECK(model.thinking_budget.min_tokens >= 0);
    CHECK((model.thinking != Thinking::adaptive || model.efforts.any()));
    CHECK((model.thinking != Thinking::level || model.efforts.any()));
    CHECK((model.thinking_off != ThinkingOff::zero_budget || model.thinking == Thinking::budget));
    CHECK((model.sampling != Sampling::effort_none || model.family == "openai"));
    CHECK((model.status != catalog::Status::retired || !model.successor.empty()));
    CHECK((model.successor.empty() || config->catalog.resolve(model.successor).found()));
    CHECK((model.prices.input == catalog::price_unknown) ==
          (model.prices.output == catalog::price_unknown));
    CHECK((model.prices.cached_input <= model.prices.input));
    CHECK((model.prices.cached_input != 0));
    for (const catalog::PriceTier& tier : model.price_tiers) {
      // Google's research agents call a larger model with what they find.
      CHECK((tier.above_tokens < model.context_tokens || model.endpoints == 0));
      CHECK(tier.prices.input > model.prices.input);
      CHECK(tier.prices.output > model.prices.output);
      CHECK((tier.prices.cached_input == catalog::price_unknown) ==
            (model.prices.cached_input == catalog::price_unknown));
      CHECK((tier.prices.cache_write_1h == catalog::price_unknown) ==
            (model.prices.cache_write_1h == catalog::price_unknown));
    }
  }
}

TEST_CASE("names of the built-in catalogue stand for what the contract says") {
  const auto config = built_in();
  for (const auto& row : names) {
    CAPTURE(row.name);
    CHECK(config->catalog.resolve(row.name).upstream_model == row.upstream_model);
  }
}

TEST_CASE("every model of the list that the catalogue was seeded from is known") {
  const auto path = shared_data("data/models.json");
  if (!path) return;
  const std::string list = read_file(*path);
  const auto config = built_in();
  constexpr std::string_view id_key = "{\"id\": \"", provider_key = "\", \"provider\": \"";
  size_t count = 0;
  for (size_t at = list.find(id_key); at != list.npos; at = list.find(id_key, at + 1)) {
    const size_t begin = at + id_key.size();
    const size_t end = list.find(provider_key, begin);
    REQUIRE(end != list.npos);
    const size_t family = end + provider_key.size();
    const std::string name = list.substr(family, list.find('"', family) - family) + "/" +
                             list.substr(begin, end - begin);
    CAPTURE(name);
    CHECK(config->catalog.resolve(name).model != nullptr);
    ++count;
  }
  CHECK(count >= 232);
}

TEST_CASE("reading the built-in catalogue takes milliseconds") {
  const auto begin = std::chrono::steady_clock::now();
  constexpr int rounds = 5;
  for (int i = 0; i < rounds; ++i) CHECK(Config::defaults() != nullptr);
  const auto took = std::chrono::steady_clock::now() - begin;
  const auto each = std::chrono::duration_cast<std::chrono::microseconds>(took).count() / rounds;
  std::printf("Config::defaults: %lld us\n", static_cast<long long>(each));
  CHECK(each < 1'000'000);  // sanitizers and busy machines; the aim is 30 ms in a release build
}
