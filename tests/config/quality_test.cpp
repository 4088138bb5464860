// How well models do what they are asked: how the conf writes it, and what the built-in catalogue
// says.
#include <cmath>

#include <doctest/doctest.h>

#include "config/support.h"
#include "routing/kinds.h"

using namespace hyperion;
using namespace hyperion::config;
using namespace hyperion::test;

using catalog::Head;
using catalog::head_count;
using catalog::Model;
using catalog::Quality;

namespace {

const std::string all_but_chat =
    "knowledge = 0.5, code = 0.7, mathematics = 0.001, reasoning = 0.999, tools = 0.25, "
    "long_context = 0.75, ";

const std::string priced = "input_usd_per_million = 1\noutput_usd_per_million = 2\n";

// An entry whose quality stands on line 4.
std::string entry(const std::string& shares) {
  return "[[models]]\nid = \"m\"\nfamily = \"f\"\nquality = { " + shares +
         " }\nquality_sources = [\"a paper\"]\n" + priced;
}

// Texts, and what the one who wrote them is told.
const struct {
  std::string text;
  std::string_view error;
} refusals[] = {
    {entry(all_but_chat + "chat = 1"),
     "test.toml:4: models.quality: chat: expected a share from 0.001 to 0.999, given 1"},
    {entry(all_but_chat + "chat = 0.0"), "models.quality: chat: expected a share"},
    {entry(all_but_chat + "chat = nan"), "models.quality: chat: expected a share"},
    {entry(all_but_chat + "chat = inf"), "models.quality: chat: expected a share"},
    {entry(all_but_chat + "chat = -0.5"), "models.quality: chat: expected a share"},
    {entry(all_but_chat + "chat = 86"), "models.quality: chat: expected a share"},
    {entry(all_but_chat + "chat = \"0.9\""), "models.quality: chat: expected a share"},
    {entry(all_but_chat + "chat = [0.9]"), "models.quality: chat: expected a share"},
    {entry("knowledge = 0.9"),
     "test.toml:4: models.quality: expected a share for each of knowledge, code, mathematics, "
     "reasoning, tools, long_context and chat: code is missing"},
    {entry(all_but_chat + "chat = 0.9, vision = 0.9"), "long_context and chat, given another key"},
    {"[[models]]\nid = \"m\"\nfamily = \"f\"\nquality = 0.9\nquality_sources = [\"s\"]\n",
     "test.toml:4: models.quality: expected a share for each of knowledge"},
    {"[[models]]\nid = \"m\"\nfamily = \"f\"\nquality = { " + all_but_chat + "chat = 0.9 }\n" +
         priced,
     "test.toml:4: models.quality: comes with quality_sources: texts that say where"},
    {"[[models]]\nid = \"m\"\nfamily = \"f\"\nquality = { " + all_but_chat +
         "chat = 0.9 }\nquality_sources = []\n" + priced,
     "test.toml:4: models.quality: comes with quality_sources"},
    {"[[models]]\nid = \"m\"\nfamily = \"f\"\nquality = {}\n",
     "test.toml:4: models.quality: comes with quality_sources"},
    {"[[models]]\nid = \"m\"\nfamily = \"f\"\nquality = {}\nquality_sources = [\"s\"]\n",
     "test.toml:4: models.quality: comes with quality_sources"},
    {"[[models]]\nid = \"m\"\nfamily = \"f\"\nquality_sources = [\"a paper\"]\n",
     "test.toml:4: models.quality_sources: is of use together with quality only"},
    {"[[models]]\nid = \"m\"\nfamily = \"f\"\nquality = { " + all_but_chat +
         "chat = 0.9 }\nquality_sources = [\"\"]\n" + priced,
     "test.toml:5: models.quality_sources: expected"},
};

double share(const Quality& quality, Head head) {
  const double logit = quality.logits[static_cast<size_t>(head)];
  return 1 / (1 + std::exp(-logit / catalog::logit_one));
}

std::shared_ptr<const Config> built_in(std::string_view text = "") {
  World world;
  world.catalog = embedded_catalog;
  std::string conf(text);
  for (const char* family :
       {"openai", "anthropic", "google", "groq", "mistral", "deepseek", "xai"}) {
    conf += "[[providers]]\nname = \"at-" + std::string(family) +
            "\"\nbase_url = \"http://127.0.0.1:1\"\nserves = [\"" + family + "\"]\n";
  }
  return accepted(conf, std::move(world));
}

const Model& model_of(const Config& config, const std::string& name) {
  const auto found = config.catalog.resolve(name);
  REQUIRE_MESSAGE(found.model != nullptr, name);
  return *found.model;
}

// Of one generation of a vendor's line, the larger before the smaller.
constexpr struct {
  const char *stronger, *weaker;
} lines[] = {
    {"claude-opus-4-5", "claude-sonnet-4-5"},
    {"claude-sonnet-4-5", "claude-haiku-4-5"},
    {"claude-opus-4-6", "claude-sonnet-4-6"},
    {"claude-opus-5", "claude-sonnet-5"},
    {"claude-opus-5-5", "claude-sonnet-5-5"},
    {"claude-sonnet-5-5", "claude-haiku-5-5"},
    {"claude-fable-5", "claude-sonnet-5"},
    {"gpt-4o", "gpt-4o-mini"},
    {"gpt-4.1", "gpt-4.1-mini"},
    {"gpt-4.1-mini", "gpt-4.1-nano"},
    {"gpt-5", "gpt-5-mini"},
    {"gpt-5-mini", "gpt-5-nano"},
    {"gpt-5.2", "gpt-5"},
    {"gpt-5.2", "gpt-5-mini"},
    {"gpt-5.4", "gpt-5.4-mini"},
    {"gpt-5.4-mini", "gpt-5.4-nano"},
    {"gpt-5.6-sol", "gpt-5.6-terra"},
    {"gpt-5.6-terra", "gpt-5.6-luna"},
    {"gpt-6-astra", "gpt-6-sol"},
    {"gpt-6-sol", "gpt-6-luna"},
    {"gpt-6-astra", "gpt-6.1-sol"},
    {"gemini-2.5-pro", "gemini-2.5-flash"},
    {"gemini-2.5-flash", "gemini-2.5-flash-lite"},
    {"gemini-3.5-flash", "gemini-3.5-flash-lite"},
    {"mistral-large-4", "mistral-medium-3-5"},
    {"mistral-medium-3-5", "mistral-small-2603"},
    {"llama-3.3-70b-versatile", "llama-3.1-8b-instant"},
    {"openai/gpt-oss-120b", "openai/gpt-oss-20b"},
};

}  // namespace

TEST_CASE("a quality that is no share for each head, or comes from nowhere, is refused") {
  for (const auto& [text, error] : refusals) {
    CAPTURE(text);
    CHECK(refusal(text).find(error) != std::string::npos);
  }
}

TEST_CASE("shares become logits, rounded to a 256th") {
  const auto config = accepted(entry(all_but_chat + "chat = 0.9"));
  const Model& model = model_of(*config, "m");
  CHECK(model.quality.known);
  CHECK(model.quality_sources == std::vector<std::string>{"a paper"});
  // ln(0.7 / 0.3) = 0.8473, ln(1 / 999) = -6.9068, ln(1 / 3) = -1.0986, ln(9) = 2.1972
  CHECK(model.quality.logits ==
        std::array<int16_t, head_count>{0, 217, -1768, 1768, -281, 281, 562});
}

TEST_CASE("a model of which no quality is given has an unknown one") {
  const auto config = accepted("[[models]]\nid = \"m\"\nfamily = \"f\"\n");
  CHECK(model_of(*config, "m").quality == Quality{});
}

TEST_CASE("a conf's quality replaces the catalogue's as a whole, with its source") {
  const auto config =
      built_in("[[models]]\nid = \"gpt-4o-mini-2024-07-18\"\nquality = { " + all_but_chat +
               "chat = 0.9 }\nquality_sources = [\"our own tests\"]\n");
  const Model& model = model_of(*config, "gpt-4o-mini");
  CHECK(model.quality_sources == std::vector<std::string>{"our own tests"});
  CHECK(share(model.quality, Head::code) == doctest::Approx(0.7).epsilon(0.002));
  CHECK(model_of(*config, "gpt-4o").quality_sources != model.quality_sources);
}

TEST_CASE("a conf may say that it does not know how good a model is") {
  const auto config =
      built_in("[[models]]\nid = \"gpt-4o-mini-2024-07-18\"\nquality = {}\nquality_sources = []\n");
  CHECK(model_of(*config, "gpt-4o-mini").quality == Quality{});
  CHECK(model_of(*config, "gpt-4o-mini").quality_sources.empty());
}

TEST_CASE("within a generation the larger model does every kind of work at least as well") {
  const auto config = built_in();
  for (const auto& [stronger, weaker] : lines) {
    for (size_t head = 0; head < head_count; ++head) {
      CAPTURE(stronger);
      CAPTURE(weaker);
      CAPTURE(routing::name_of(static_cast<Head>(head)));
      CHECK(model_of(*config, stronger).quality.logits[head] >=
            model_of(*config, weaker).quality.logits[head]);
    }
  }
}

TEST_CASE("qualities of the built-in catalogue name their sources and lie on one scale") {
  const auto config = built_in();
  size_t known = 0;
  for (const Model& model : config->catalog.models()) {
    CAPTURE(model.id);
    CHECK(model.quality.known == !model.quality_sources.empty());
    if (!model.quality.known) continue;
    ++known;
    CHECK(model.serves(catalog::Endpoint::chat));
    for (size_t head = 0; head < head_count; ++head) {
      CHECK(share(model.quality, static_cast<Head>(head)) > 0.25);
      CHECK(share(model.quality, static_cast<Head>(head)) < 0.97);
    }
  }
  CHECK(known >= 104);
}
