// A world for the tests of `config`: an environment and files that exist only here.
//
// A World says which variables and files a conf may name, and remembers what was asked for.
// `accepted` and `refusal` load a text in it and fail the running case when the text is not what
// the test says. The catalogue is a small one, unless the test puts the built-in one in its place.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include "config/config.h"

namespace hyperion::test {

// Small, so that a test that loads a thousand texts stays quick.
inline constexpr std::string_view small_catalog = R"(
[[providers]]
name = "openai"
base_url = "https://api.openai.com/v1"
api_key_env = "OPENAI_API_KEY"
[[models]]
id = "gpt-4o-2024-11-20"
family = "openai"
[[models]]
id = "gpt-4o-mini-2024-07-18"
family = "openai"
)";

struct World {
  std::map<std::string, std::string> variables;
  std::map<std::string, std::string> files;
  std::map<std::string, config::Readers> asked;  // with whom each file was allowed to be shared
  std::string_view catalog = small_catalog;

  config::Surroundings surroundings() {
    config::Surroundings result;
    result.catalog = catalog;
    result.environment = [this](const std::string& name) -> std::optional<std::string> {
      const auto found = variables.find(name);
      if (found == variables.end()) return std::nullopt;
      return found->second;
    };
    result.read_file = [this](const std::string& path, config::Readers readers,
                              std::string& problem) -> std::optional<std::string> {
      asked[path] = readers;
      const auto found = files.find(path);
      if (found != files.end()) return found->second;
      problem = path + " cannot be read: it is not there";
      return std::nullopt;
    };
    return result;
  }

  config::LoadOutcome load(std::string_view text) {
    return config::load_text(text, "test.toml", surroundings());
  }
};

inline std::string joined(const std::vector<std::string>& lines) {
  std::string result;
  for (const std::string& line : lines) result += line + "\n";
  return result;
}

// The configuration that `text` gives; fails the case when it is refused.
inline std::shared_ptr<const config::Config> accepted(std::string_view text, World world = {}) {
  config::LoadOutcome outcome = world.load(text);
  const std::string errors = joined(outcome.errors);
  REQUIRE_MESSAGE(outcome.config != nullptr, errors);
  CHECK(outcome.errors.empty());
  return outcome.config;
}

// The one error with which `text` is refused.
inline std::string refusal(std::string_view text, World world = {}) {
  const config::LoadOutcome outcome = world.load(text);
  CHECK(outcome.config == nullptr);
  const std::string errors = joined(outcome.errors);
  CHECK_MESSAGE(outcome.errors.size() == 1, errors);
  return errors.empty() ? "" : errors.substr(0, errors.size() - 1);
}

// The entry of a key that nobody has.
inline std::string key_entry(std::string_view id, std::string_view more = "") {
  return "[[keys]]\nid = \"" + std::string(id) + "\"\nhash = \"sha256:" + std::string(64, 'a') +
         "\"\n" + std::string(more) + "\n";
}

inline World with_key() {
  World world;
  world.variables["OPENAI_API_KEY"] = "sk-provider-key";
  return world;
}

inline bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace hyperion::test
