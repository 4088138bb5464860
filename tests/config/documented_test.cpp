// conf/hyperion.toml is the documentation of the conf: held against the tables of keys line by
// line.
#include <map>
#include <regex>
#include <sstream>

#include <doctest/doctest.h>

#include "config/keys.h"
#include "config/support.h"

namespace hyperion::config {
extern const std::string_view documented_conf;  // conf/hyperion.toml, by the build
}

using namespace hyperion;
using namespace hyperion::config;
using namespace hyperion::test;

namespace {

struct Line {
  bool active = false;
  std::string value;
  std::string comment;
};

// "server.listen" and the like, to the lines that stand for it.
using Lines = std::multimap<std::string, Line>;

Lines read_lines() {
  static const std::regex header(R"(^(?:# )?\[+([a-z_.]+)\]+$)");
  static const std::regex entry(R"(^(# )?([a-z0-9_]+) = ((?:"[^"]*"|[^"#])*?) *(?:# (.*))?$)");
  Lines lines;
  std::string section;
  std::istringstream text{std::string(documented_conf)};
  std::smatch match;
  for (std::string line; std::getline(text, line);) {
    if (std::regex_match(line, match, header)) {
      section = match[1].str() + ".";
    } else if (std::regex_match(line, match, entry)) {
      std::string value = match[3].str();
      std::erase(value, '_');
      lines.emplace(section + match[2].str(), Line{!match[1].matched, value, match[4].str()});
    }
  }
  return lines;
}

std::string without_underscores(std::string text) {
  std::erase(text, '_');
  return text;
}

template <class Owner>
void check_active(const Lines& lines, const std::string& prefix, std::span<const Key<Owner>> keys) {
  Owner defaults{};
  for (const Key<Owner>& key : keys) {
    const std::string name = prefix + std::string(key.name);
    // Entries, which have a test of their own.
    if (name == "routing.rules" || name == "simulator.outages") continue;
    CAPTURE(name);
    REQUIRE(lines.count(name) == 1);
    const Line& line = lines.find(name)->second;
    CHECK(line.active);
    CHECK(line.value == without_underscores(text_of(key.slot(defaults), key.rule)));
    CHECK_FALSE(line.comment.empty());
  }
}

template <class Owner>
void check_present(const Lines& lines, const std::string& prefix,
                   std::span<const Key<Owner>> keys) {
  for (const Key<Owner>& key : keys) {
    const std::string name = prefix + std::string(key.name);
    CAPTURE(name);
    CHECK(lines.count(name) == 1);
  }
}

// The text with every commented key and entry made active.
std::string uncommented() {
  static const std::regex commented(R"(^# (\[\[[a-z.]+\]\]|[a-z0-9_]+ = .*)$)");
  std::string result;
  std::istringstream text{std::string(documented_conf)};
  std::smatch match;
  for (std::string line; std::getline(text, line);) {
    result += (std::regex_match(line, match, commented) ? match[1].str() : line) + "\n";
  }
  return result;
}

World world() {
  World result;
  result.catalog = embedded_catalog;
  result.variables["OPENAI_API_KEY"] = "sk-test";
  return result;
}

}  // namespace

TEST_CASE("every key of a section stands in the documented conf with its default and a comment") {
  const Lines lines = read_lines();
  check_active(lines, "", top_level_keys());
  for (const Section& section : sections()) {
    check_active(lines, std::string(section.name) + ".", section.keys);
  }
}

TEST_CASE("every key of an entry stands in the documented conf") {
  const Lines lines = read_lines();
  check_present(lines, "providers.", provider_keys());
  check_present(lines, "models.", model_keys());
  check_present(lines, "deployments.", deployment_keys());
  check_present(lines, "chains.", chain_keys());
  check_present(lines, "keys.", virtual_key_keys());
  check_present(lines, "routing.rules.", routing_rule_keys());
  // Several entries there, one for each kind.
  for (const auto& key : outage_keys())
    CHECK(lines.count("simulator.outages." + std::string(key.name)) >= 1);
}

TEST_CASE("the documented conf documents no key that does not exist") {
  // Whatever is misspelled there is refused once it is active.
  const auto outcome = world().load(uncommented());
  const std::string errors = joined(outcome.errors);
  CHECK_MESSAGE(outcome.errors.empty(), errors);
}

TEST_CASE("the documented conf loads and equals the defaults") {
  const auto documented = accepted(documented_conf, world());
  const auto defaults = Config::defaults();
  for (const Section& section : sections()) {
    for (const auto& key : section.keys) {
      const std::string name(key.name);
      CAPTURE(name);
      CHECK(text_of(key.slot(const_cast<Settings&>(documented->settings)), key.rule) ==
            text_of(key.slot(const_cast<Settings&>(defaults->settings)), key.rule));
    }
  }
  CHECK(documented->environment == defaults->environment);
  CHECK(documented->test_faults == defaults->test_faults);
  CHECK(documented->catalog_stamp == defaults->catalog_stamp);
  CHECK(documented->keys.all().empty());
}

TEST_CASE("what the documented conf shows of entries is what holds without it") {
  const auto plain = accepted(documented_conf, world());
  const auto shown = accepted(uncommented(), world());
  REQUIRE(plain->catalog.providers().size() == 1);
  REQUIRE(shown->catalog.providers().size() == 1);
  const catalog::Provider& a = plain->catalog.providers()[0];
  const catalog::Provider& b = shown->catalog.providers()[0];
  CHECK(a.name == b.name);
  CHECK(a.dialect == b.dialect);
  CHECK(a.base_url == b.base_url);
  CHECK(a.addresses.size() == b.addresses.size());
  CHECK(a.tls_server_name == b.tls_server_name);
  CHECK(a.ca_file == b.ca_file);
  CHECK(a.authentication.header == b.authentication.header);
  CHECK(a.authentication.prefix == b.authentication.prefix);
  CHECK(a.reveal_key(0) == b.reveal_key(0));
  CHECK(a.usable == b.usable);
  CHECK(a.headers == b.headers);
  CHECK(a.serves == b.serves);
  CHECK(a.passthrough_unknown_models == b.passthrough_unknown_models);
  CHECK(a.discovery == b.discovery);
  CHECK(a.platform == b.platform);
  CHECK(static_cast<const catalog::ProviderQuirks&>(a) ==
        static_cast<const catalog::ProviderQuirks&>(b));
  CHECK(a.timeouts == b.timeouts);
  CHECK(a.connections == b.connections);

  REQUIRE(shown->keys.all().size() == 1);
  const VirtualKey& key = shown->keys.all()[0];
  const VirtualKey fresh;
  CHECK(key.name == fresh.name);
  CHECK(key.revoked == fresh.revoked);
  CHECK(key.test == fresh.test);
  CHECK(key.models == fresh.models);
  CHECK(key.body_size_max_bytes == fresh.body_size_max_bytes);
  CHECK(key.concurrent_requests_max == fresh.concurrent_requests_max);
  CHECK(key.priority == fresh.priority);
  CHECK(key.allowed.allows_all());

  const auto found = shown->catalog.resolve("search-model");
  REQUIRE(found.found());
  CHECK(found.upstream_model == "gpt-4o-2024-11-20");
  CHECK(shown->catalog.resolve("fast").upstream_model == "gpt-4o-mini-2024-07-18");
}
