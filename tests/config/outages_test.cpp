// [[simulator.outages]]: what is taken, and what is refused with its key and line.
#include "config/outages.h"

#include <doctest/doctest.h>

#include "config/support.h"

using namespace hyperion;
using namespace hyperion::config;
using namespace hyperion::test;

namespace {

std::vector<Outage> outages_of(std::string_view text) {
  return accepted(text, World{})->settings.simulator.outages;
}

// What is said of a conf with this entry, whose first key stands on line 3.
std::string refused(std::string_view entry) {
  return joined(World{}.load("[simulator]\n[[simulator.outages]]\n" + std::string(entry)).errors);
}

}  // namespace

TEST_CASE("an outage has every field it was given, and the defaults of the others") {
  const auto outages = outages_of(R"(
[[simulator.outages]]
name = "first"
provider = "openai"
model = "gpt-4o*"
api_key = "sk-made-up"
path = "/eu/"
host = "EU.Example.com"
start_ms = 5
length_ms = 10
period_ms = 30
kind = "partial"
fault = "429, retryafter:7"
percent = 20
[[simulator.outages]]
)");
  REQUIRE(outages.size() == 2);
  const Outage& first = outages[0];
  CHECK(first.name == "first");
  CHECK(first.provider == "openai");
  CHECK(first.model == "gpt-4o*");
  CHECK(first.api_key == "sk-made-up");
  CHECK(first.path == "/eu/");
  CHECK(first.host == "eu.example.com");
  CHECK(first.start_ms == 5);
  CHECK(first.length_ms == 10);
  CHECK(first.period_ms == 30);
  CHECK(first.is(OutageKind::partial));
  CHECK(first.fault == "429, retryafter:7");
  CHECK(first.percent == 20);
  const Outage& second = outages[1];
  CHECK(second.is(OutageKind::down));
  CHECK(second.fault == "503");
  CHECK(second.length_ms == 0);
}

TEST_CASE("the kinds stand in the order of their numbers") {
  for (const OutageRow& row : outage_table()) {
    CAPTURE(row.name);
    CHECK(&row_of(row.kind) == &row);
    std::string conf = "[[simulator.outages]]\nlength_ms = 1\nkind = \"" + std::string(row.name);
    conf += "\"\n";
    for (std::string_view key : row.needs) conf += std::string(key) + " = 5\n";
    CHECK(outages_of(conf).at(0).is(row.kind));
  }
}

TEST_CASE("what is wrong with an outage is said with its key and line") {
  const struct {
    const char* entry;
    const char* said;
  } cases[] = {
      {"fault = \"5O3\"", "test.toml:3: simulator.outages.fault: expected a fault such as"},
      {"name = \"a\"\nfault = \"gpt-4o=503\"",
       "test.toml:4: simulator.outages.fault: expected a "
       "fault without a model"},
      {"faults = \"503\"", "test.toml:3: simulator.outages: unknown key: expected one of name, "},
      {"kind = \"dwon\"", "test.toml:3: simulator.outages.kind: expected one of \"down\", "},
      {"provider = \"open-ai\"", "test.toml:3: simulator.outages.provider: expected one of "},
      {"model = \"gpt-*-mini\"", "test.toml:3: simulator.outages.model: expected a model's name"},
      {"path = \"eu/\"", "test.toml:3: simulator.outages.path: expected the beginning of a path"},
      {"host = \"eu:80\"", "test.toml:3: simulator.outages.host: expected the name of a host"},
      {"start_ms = -1", "test.toml:3: simulator.outages.start_ms: expected a whole number from 0"},
      {"start_ms = 1.5", "test.toml:3: simulator.outages.start_ms: expected a whole number"},
      {"period_ms = 9", "test.toml:3: simulator.outages.period_ms: needs length_ms"},
      {"length_ms = 10\nperiod_ms = 9",
       "test.toml:4: simulator.outages.period_ms: expected at "
       "least 10"},
      {"percent = 5", "test.toml:3: simulator.outages.percent: is of no use with kind = \"down\""},
      {"kind = \"partial\"",
       "test.toml:2: simulator.outages.percent: is missing: kind = "
       "\"partial\" needs it"},
      {"kind = \"partial\"\npercent = 101", "test.toml:4: simulator.outages.percent: expected"},
      {"kind = \"flapping\"\ndown_ms = 5", "simulator.outages.up_ms: is missing"},
      {"kind = \"slow_start\"\nrecovery_ms = 5\nslow_ms = 5",
       "simulator.outages.length_ms: is "
       "missing: a recovery follows an end"},
      {"kind = \"slow_start\"\nrecovery_ms = 5\nslow_ms = 5\nlength_ms = 5\nperiod_ms = 9",
       "test.toml:7: simulator.outages.period_ms: expected at least 10"},
      {"kind = \"brown_out\"\nslower_factor = 2\nfault = \"503\"",
       "test.toml:5: simulator.outages.fault: is of no use with kind = \"brown_out\""},
      {"kind = \"brown_out\"\nslower_factor = 1", "test.toml:4: simulator.outages.slower_factor: "},
      {"model = \"gpt-4o\"\nfault = \"early\"",
       "test.toml:4: simulator.outages.fault: happens "
       "before the body is read"},
  };
  for (const auto& each : cases) {
    CAPTURE(each.entry);
    const std::string said = refused(each.entry);
    CHECK_MESSAGE(said.find(each.said) != std::string::npos, said);
  }
}

TEST_CASE("every wrong outage is reported, not the first alone") {
  const std::string said = refused("fault = \"x\"\n[[simulator.outages]]\nkind = \"y\"");
  CHECK(said.find("test.toml:3: ") != std::string::npos);
  CHECK(said.find("test.toml:5: ") != std::string::npos);
}

TEST_CASE("outages are a list of entries") {
  const std::string said = joined(World{}.load("[simulator]\noutages = \"none\"\n").errors);
  CHECK(said.find("test.toml:2: simulator.outages: expected at most 256 entries") !=
        std::string::npos);
  CHECK(joined(World{}.load("[simulator]\noutages = [3]\n").errors)
            .find("expected an entry with keys, given 3") != std::string::npos);
}
