// Strings that broke others, as values and keys of a conf.
#include <cstdio>

#include <doctest/doctest.h>

#include "config/support.h"
#include "support/json_reader.h"
#include "support/shared_data.h"

using namespace hyperion;
using namespace hyperion::config;
using namespace hyperion::test;

namespace {

// A text as a basic string of TOML.
std::string in_toml(std::string_view text) {
  std::string result = "\"";
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    char escaped[8];
    if (byte < 0x20 || byte == 0x7f || c == '"' || c == '\\') {
      std::snprintf(escaped, sizeof(escaped), "\\u%04x", byte);
      result += escaped;
    } else {
      result += c;
    }
  }
  return result + "\"";
}

void check_messages(const LoadOutcome& outcome) {
  CHECK((outcome.config == nullptr) == !outcome.errors.empty());
  CHECK(outcome.errors.size() <= 21);
  for (const auto* list : {&outcome.errors, &outcome.warnings}) {
    for (const std::string& message : *list) {
      CAPTURE(message);
      for (char c : message) CHECK_MESSAGE((c >= ' ' && c <= '~'), "one line of ASCII");
    }
  }
}

}  // namespace

TEST_CASE("naughty strings as values are taken as they are or refused in one plain line") {
  const auto folder = shared_data("suites/naughty-strings");
  if (!folder) return;
  const auto strings = read_json(read_file(*folder / "strings.json"));
  REQUIRE(strings);
  REQUIRE(strings->elements.size() > 300);
  for (const Json& element : strings->elements) {
    const std::string& naughty = element.text;
    CAPTURE(naughty);
    const std::string value = in_toml(naughty);
    for (const std::string& text : {
             "environment = " + value + "\n",
             "[aliases]\n" + value + " = " + value + "\n",
             "[environments." + value + "]\n" + value + " = " + value + "\n",
             "[" + value + "]\n" + value + " = " + value + "\n",
             "[server]\nlisten = [" + value + "]\ncores = " + value + "\n" + value + " = 1\n",
             "[log]\ntarget = " + value + "\n[cors]\nallowed_origins = [" + value + "]\n",
             "[[providers]]\nname = " + value + "\nbase_url = " + value + "\nserves = [" + value +
                 "]\nheaders = { " + value + " = " + value + " }\nvariables = { " + value + " = " +
                 value + " }\n",
             "[[models]]\nid = " + value + "\nfamily = " + value + "\naliases = [" + value + "]\n",
             "[[deployments]]\nname = " + value + "\nmodel = " + value + "\nprovider = " + value +
                 "\n",
             naughty,
         }) {
      check_messages(World().load(text));
    }
    // A name for people may be anything that is one line.
    const auto outcome = World().load(key_entry("a", "name = " + value));
    check_messages(outcome);
    if (outcome.config != nullptr) CHECK(outcome.config->keys.all()[0].name == naughty);
  }
}
