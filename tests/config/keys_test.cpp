// Walks the tables of keys: every key refuses what it must, by line and with what was expected.
#include "config/keys.h"

#include <set>

#include <doctest/doctest.h>

#include "config/support.h"

using namespace hyperion;
using namespace hyperion::config;
using namespace hyperion::test;

namespace {

// Something for each type that no slot but a few takes.
constexpr std::string_view wrong_values[] = {"true",  "-1",         "1.5",
                                             "[[1]]", "1979-05-27", "\"\\u0007\""};

bool takes(const Slot& slot, std::string_view value) {
  if (std::holds_alternative<bool*>(slot)) return value == "true";
  if (std::holds_alternative<Date>(slot)) return value == "1979-05-27";
  if (std::holds_alternative<UsdPerMillion>(slot)) return value == "1.5";
  // Some fractions end at 1, others at 100.
  if (std::holds_alternative<Fraction>(slot)) return value == "1.5";
  return false;
}

template <class Owner>
void check_wrong_types(const std::string& header, const std::string& path,
                       std::span<const Key<Owner>> keys) {
  for (const Key<Owner>& key : keys) {
    Owner owner{};
    const Slot slot = key.slot(owner);
    for (std::string_view wrong : wrong_values) {
      if (takes(slot, wrong)) continue;
      const std::string name(key.name);
      CAPTURE(name);
      CAPTURE(wrong);
      const auto outcome =
          World().load("\n" + header + "\n" + name + " = " + std::string(wrong) + "\n");
      const std::string place = "test.toml:3: " + (path.empty() ? "" : path + ".") + name + ": ";
      size_t with_place = 0;
      for (const std::string& error : outcome.errors) {
        if (!error.starts_with(place + "expected ")) continue;
        ++with_place;
      }
      CHECK(outcome.config == nullptr);
      CHECK(with_place == 1);
    }
  }
}

template <class Owner>
void check_misspelling(const std::string& header, const std::string& path,
                       std::span<const Key<Owner>> keys) {
  std::set<std::string_view> names;
  for (const Key<Owner>& key : keys) CHECK(names.insert(key.name).second);
  for (const Key<Owner>& key : keys) {
    const std::string name(key.name);
    std::string misspelled = name;
    misspelled.insert(misspelled.size() / 2, "q");
    const auto outcome = World().load(header + "\n" + misspelled + " = 1\n");
    const std::string expected = "test.toml:2: " + (path.empty() ? "" : path + ".") + misspelled +
                                 ": unknown key: did you mean " + name + "?";
    CAPTURE(expected);
    bool found = false;
    for (const std::string& error : outcome.errors) found = found || error == expected;
    CHECK(found);
  }
}

template <class Owner>
void check_ranges(std::span<const Key<Owner>> keys) {
  for (const Key<Owner>& key : keys) {
    Owner owner{};
    const Slot slot = key.slot(owner);
    const bool narrow = std::holds_alternative<uint32_t*>(slot);
    if (!narrow && !std::holds_alternative<uint64_t*>(slot)) continue;
    const std::string name(key.name);
    CAPTURE(name);
    std::string problem;
    Value value;
    value.kind = Value::Kind::integer;
    const auto accepts = [&](uint64_t number) {
      value.integer = static_cast<int64_t>(number);
      return assign(slot, key.rule, value, problem);
    };
    // The default is within the range, and the range within the type.
    const std::string before = text_of(slot, key.rule);
    CHECK(accepts(std::stoull(before)));
    CHECK(text_of(slot, key.rule) == before);
    CHECK(accepts(key.rule.minimum));
    CHECK(accepts(key.rule.maximum));
    CHECK(text_of(slot, key.rule) == std::to_string(key.rule.maximum));
    if (key.rule.minimum > 0) CHECK_FALSE(accepts(key.rule.minimum - 1));
    CHECK_FALSE(accepts(key.rule.maximum + 1));
    CHECK_FALSE(accepts(static_cast<uint64_t>(-1)));
    CHECK_FALSE(accepts(static_cast<uint64_t>(INT64_MIN)));
    if (key.rule.power_of_two) CHECK_FALSE(accepts(key.rule.minimum + 1));
  }
}

}  // namespace

TEST_CASE("a value of the wrong type is refused by every key, with its line") {
  check_wrong_types("", "", top_level_keys());
  for (const Section& section : sections()) {
    const std::string name(section.name);
    check_wrong_types("[" + name + "]", name, section.keys);
  }
  check_wrong_types("[[providers]]", "providers", provider_keys());
  check_wrong_types("[[models]]", "models", model_keys());
  check_wrong_types("[[deployments]]", "deployments", deployment_keys());
  // A key's hash is refused in words of its own.
  check_wrong_types("[[keys]]", "keys", virtual_key_keys());
}

TEST_CASE("a misspelled key is refused with its line and the key that was meant") {
  check_misspelling("", "", top_level_keys());
  for (const Section& section : sections()) {
    const std::string name(section.name);
    check_misspelling("[" + name + "]", name, section.keys);
  }
  check_misspelling("[[providers]]", "providers", provider_keys());
  check_misspelling("[[models]]", "models", model_keys());
  check_misspelling("[[deployments]]", "deployments", deployment_keys());
  check_misspelling("[[keys]]", "keys", virtual_key_keys());
}

TEST_CASE("every number has a range, and its ends belong to it") {
  for (const Section& section : sections()) check_ranges(section.keys);
  check_ranges(provider_keys());
  check_ranges(model_keys());
  check_ranges(virtual_key_keys());
}

TEST_CASE("texts are checked for what they are used as") {
  CHECK(acceptable(Text::label, "openai-eu_2"));
  for (const char* wrong : {"", "-a", "A", "a.b", "a b", "a/b", "\xc3\xa4"}) {
    CAPTURE(wrong);
    CHECK_FALSE(acceptable(Text::label, wrong));
  }
  CHECK_FALSE(acceptable(Text::label, std::string(64, 'a')));
  CHECK(acceptable(Text::environment, "OPENAI_API_KEY_2"));
  for (const char* wrong : {"", "2A", "sk-abc", "a", "A B", "A=B"}) {
    CAPTURE(wrong);
    CHECK_FALSE(acceptable(Text::environment, wrong));
  }
  for (const char* origin :
       {"*", "https://a.example", "http://localhost:3000", "http://[::1]:80"}) {
    CAPTURE(origin);
    CHECK(acceptable(Text::origin, origin));
  }
  for (const char* wrong : {"", "a.example", "https://", "https://a.example/", "https://A.example",
                            "null", "https://a\r\nb"}) {
    CAPTURE(wrong);
    CHECK_FALSE(acceptable(Text::origin, wrong));
  }
  for (const char* fault :
       {"503", "cut:3", "slow:500", "wronglength", "gpt-4o=503, o1=reset", "529, retryafter:30"}) {
    CAPTURE(fault);
    CHECK(acceptable(Text::fault, fault));
  }
  for (const char* wrong :
       {"cut\r\n", "cut", "5O3", "wrong_length", "503; reset", "gpt-4o=", ","}) {
    CAPTURE(wrong);
    CHECK_FALSE(acceptable(Text::fault, wrong));
  }
  CHECK(acceptable(Text::header_name, "X-Title"));
  CHECK_FALSE(acceptable(Text::header_name, "x title"));
  CHECK_FALSE(acceptable(Text::path, "a\nb"));
}

TEST_CASE("prices are exact to a pico-dollar per token") {
  int64_t price = 0;
  const Rule rule;
  std::string problem;
  const auto assigned = [&](double usd) {
    Value value;
    value.kind = Value::Kind::real;
    value.real = usd;
    return assign(UsdPerMillion{&price}, rule, value, problem) ? price : -2;
  };
  CHECK(assigned(2.5) == 2'500'000);
  CHECK(assigned(0.075) == 75'000);
  CHECK(assigned(0.000001) == 1);
  CHECK(assigned(0.0) == 0);
  CHECK(assigned(100'000) == 100'000'000'000);
  CHECK(assigned(0.0000001) == -2);
  CHECK(assigned(-1) == -2);
  CHECK(assigned(1e300) == -2);
  CHECK(assigned(std::numeric_limits<double>::quiet_NaN()) == -2);
  CHECK(assigned(std::numeric_limits<double>::infinity()) == -2);
}
