// Values of the conf into the places they fill, and back to text: the part of config/keys.h about
// slots.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "config/fact_values.h"
#include "config/keys.h"
#include "config/outage_values.h"
#include "config/routing_values.h"

namespace hyperion::config {
namespace {

bool fail(std::string& problem, std::string_view expected, const Value& value) {
  problem = "expected " + std::string(expected) + ", given " + describe(value);
  return false;
}

// A text of which only a few are allowed ("" where the rule lets it be empty).
bool assign_word(std::string& target, const Rule& rule, const Value& value, std::string& problem) {
  const bool listed =
      std::find(rule.choices.begin(), rule.choices.end(), value.text) != rule.choices.end();
  if (value.kind == Value::Kind::text && (listed || (value.text.empty() && rule.may_be_empty))) {
    target = value.text;
    return true;
  }
  std::string expected = "one of ";
  for (std::string_view choice : rule.choices) {
    expected += (choice == rule.choices.front() ? "\"" : ", \"") + std::string(choice) + "\"";
  }
  return fail(problem, expected + (rule.may_be_empty ? " or \"\"" : ""), value);
}

bool assign_text(std::string& target, const Rule& rule, const Value& value, std::string& problem) {
  if (!rule.choices.empty()) return assign_word(target, rule, value, problem);
  const bool right = value.kind == Value::Kind::text &&
                     (value.text.empty() ? rule.may_be_empty : acceptable(rule.text, value.text));
  if (!right) {
    // A key pasted where its variable's name belongs must not be printed.
    if (rule.text == Text::environment && value.kind == Value::Kind::text) {
      problem = "expected " + std::string(expectation(rule.text));
      return false;
    }
    return fail(problem, expectation(rule.text), value);
  }
  target = value.text;
  return true;
}

bool assign_integer(uint64_t& target, const Rule& rule, uint64_t type_maximum, const Value& value,
                    std::string& problem) {
  const uint64_t maximum = std::max(rule.maximum, rule.minimum);
  const bool right = value.kind == Value::Kind::integer && value.integer >= 0 &&
                     static_cast<uint64_t>(value.integer) >= rule.minimum &&
                     static_cast<uint64_t>(value.integer) <= std::min(maximum, type_maximum);
  const uint64_t number = right ? static_cast<uint64_t>(value.integer) : 0;
  const bool power = number != 0 && (number & (number - 1)) == 0;
  if (right && (!rule.power_of_two || power)) {
    target = number;
    return true;
  }
  return fail(problem,
              std::string(rule.power_of_two ? "a power of two" : "a whole number") + " from " +
                  std::to_string(rule.minimum) + " to " + std::to_string(maximum),
              value);
}

bool assign_address(io::Address& target, bool may_be_off, const Value& value,
                    std::string& problem) {
  const bool text = value.kind == Value::Kind::text;
  if (text && may_be_off && value.text == "off") {
    target = {};
    return true;
  }
  if (text && value.text.find('\0') == std::string::npos) {
    auto address = io::Address::parse(value.text);
    if (address) {
      target = *address;
      return true;
    }
  }
  return fail(problem,
              std::string("an address such as \"127.0.0.1:8080\", \"[::1]:8080\" or "
                          "\"unix:/run/hyperion.sock\"") +
                  (may_be_off ? ", or \"off\"" : ""),
              value);
}

bool assign_choice(uint8_t& target, const Rule& rule, const Value& value, std::string& problem) {
  const auto found = std::find(rule.choices.begin(), rule.choices.end(), value.text);
  if (value.kind == Value::Kind::text && found != rule.choices.end()) {
    target = static_cast<uint8_t>(found - rule.choices.begin());
    return true;
  }
  std::string expected = rule.choices.size() == 1 ? "" : "one of ";
  for (std::string_view choice : rule.choices) {
    expected += (choice == rule.choices.front() ? "\"" : ", \"") + std::string(choice) + "\"";
  }
  return fail(problem, expected, value);
}

// Reads every item of a list with `read`.
template <class Read>
bool assign_list(std::string_view expected, const Value& value, std::string& problem, Read read) {
  if (value.kind != Value::Kind::list) return fail(problem, expected, value);
  for (const Value& item : value.items) {
    if (!read(item)) return false;
  }
  return true;
}

bool is_forbidden_header(std::string_view name) {
  constexpr std::string_view framing[] = {"host",    "content-length", "transfer-encoding",
                                          "te",      "connection",     "keep-alive",
                                          "trailer", "upgrade",        "expect"};
  return std::find(std::begin(framing), std::end(framing), name) != std::end(framing);
}

bool is_credential_header(std::string_view name) {
  return name.find("auth") != std::string_view::npos ||
         name.find("key") != std::string_view::npos ||
         name.find("token") != std::string_view::npos ||
         name.find("cookie") != std::string_view::npos;
}

std::string lower_case(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

bool assign_header_name(std::string& target, const Value& value, std::string& problem) {
  const Rule rule = {.text = Text::header_name, .may_be_empty = false};
  if (!assign_text(target, rule, value, problem)) return false;
  target = lower_case(target);
  if (!is_forbidden_header(target)) return true;
  problem = "the header " + target + " is the gateway's own";
  return false;
}

bool assign_headers(Headers& target, const Value& value, std::string& problem) {
  if (value.kind != Value::Kind::table) {
    return fail(problem, "a table such as { \"x-title\" = \"My application\" }", value);
  }
  target.clear();
  for (const Member& member : value.members) {
    Value key;
    key.kind = Value::Kind::text;
    key.text = member.key;
    std::string name;
    if (!assign_header_name(name, key, problem)) return false;
    if (is_credential_header(name)) {
      problem = "the header " + name +
                " looks like a credential: use api_key_env or api_key_file with "
                "authentication_header";
      return false;
    }
    const std::string& text = member.value.text;
    const bool visible =
        std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
    if (member.value.kind != Value::Kind::text || !visible || text.size() > 1024) {
      problem = "expected visible ASCII as the value of " + name;
      return false;
    }
    target.emplace_back(name, text);
  }
  return true;
}

bool assign_variables(catalog::UrlVariables& target, const Value& value, std::string& problem) {
  if (value.kind != Value::Kind::table) {
    return fail(problem, "a table such as { resource = \"my-resource\" }", value);
  }
  target.clear();
  for (const Member& member : value.members) {
    if (member.value.kind != Value::Kind::text) {
      return fail(problem, "a text as the value of each variable", member.value);
    }
    target.emplace(member.key, member.value.text);
  }
  return true;
}

bool assign_weights(resilience::Weights& target, const Rule& rule, const Value& value,
                    std::string& problem) {
  constexpr uint64_t weight_max = 1000;
  constexpr size_t names_max = 16;
  if (value.kind != Value::Kind::table || value.members.size() > names_max)
    return fail(problem,
                "a table of up to " + std::to_string(names_max) +
                    " names, each with its share such as { NAME = 1 }",
                value);
  resilience::Weights weights;
  for (const Member& member : value.members) {
    Value name;
    name.kind = Value::Kind::text;
    name.text = member.key;
    uint64_t weight = 0;
    const Rule share = {.minimum = 1, .maximum = weight_max};
    weights.emplace_back();
    if (!assign_text(weights.back().first, rule, name, problem)) return false;
    if (!assign_integer(weight, share, weight_max, member.value, problem)) return false;
    weights.back().second = static_cast<uint32_t>(weight);
  }
  target = std::move(weights);
  return true;
}

bool assign_hash(tls::Sha256& target, const Value& value, std::string& problem) {
  constexpr std::string_view prefix = "sha256:";
  if (value.kind == Value::Kind::text && value.text.starts_with(prefix)) {
    if (const auto hash =
            tls::sha256_from_hex(std::string_view(value.text).substr(prefix.size()))) {
      target = *hash;
      return true;
    }
  }
  // The key itself may stand here by mistake: it is not repeated.
  problem =
      "expected \"sha256:\" and the 64 hexadecimal digits of the key's hash; `hyperion key create` "
      "prints such an entry";
  return false;
}

bool assign_cores(std::vector<uint32_t>& target, const Rule& rule, const Value& value,
                  std::string& problem) {
  target.clear();
  if (value.kind == Value::Kind::text && value.text == "auto") return true;
  const auto read = [&](const Value& item) {
    uint64_t core = 0;
    if (!assign_integer(core, rule, UINT32_MAX, item, problem)) return false;
    if (std::find(target.begin(), target.end(), core) != target.end()) {
      problem = "the core " + std::to_string(core) + " is there twice";
      return false;
    }
    target.push_back(static_cast<uint32_t>(core));
    return true;
  };
  if (value.kind == Value::Kind::list && !value.items.empty()) {
    return assign_list("", value, problem, read);
  }
  return fail(problem, "\"auto\" or a list of core numbers such as [0, 2]", value);
}

bool assign_date(uint32_t& target, const Value& value, std::string& problem) {
  const uint32_t date = value.kind == Value::Kind::date ? catalog::parse_date(value.text) : 0;
  if (date == 0) return fail(problem, "a date such as 2024-11-20 (without quotes)", value);
  target = date;
  return true;
}

// A decimal fraction that is a whole number of parts.
bool assign_fraction(const Fraction& slot, const Rule& rule, const Value& value,
                     std::string& problem) {
  const bool number = value.kind == Value::Kind::integer || value.kind == Value::Kind::real;
  const double given =
      value.kind == Value::Kind::integer ? static_cast<double>(value.integer) : value.real;
  const double parts = given * slot.one;
  if (number && given >= static_cast<double>(rule.minimum) &&
      given <= static_cast<double>(rule.maximum) && std::abs(parts - std::round(parts)) < 1e-6) {
    *slot.value = static_cast<int32_t>(std::lround(parts));
    return true;
  }
  return fail(problem,
              "a number from " + std::to_string(rule.minimum) + " to " +
                  std::to_string(rule.maximum) + " with at most " +
                  (slot.one == 100 ? "two" : "three") + " decimals",
              value);
}

std::string text_of_fraction(const Fraction& slot) {
  char text[32];
  std::snprintf(text, sizeof(text), "%g", static_cast<double>(*slot.value) / slot.one);
  std::string result = text;
  return result.find('.') == std::string::npos ? result + ".0" : result;
}

// One overload for each type of slot.
struct Assign {
  const Rule& rule;
  const Value& value;
  std::string& problem;

  bool operator()(bool* slot) const {
    if (value.kind != Value::Kind::boolean) return fail(problem, "true or false", value);
    *slot = value.boolean;
    return true;
  }
  bool operator()(uint32_t* slot) const {
    uint64_t number = 0;
    if (!assign_integer(number, rule, UINT32_MAX, value, problem)) return false;
    *slot = static_cast<uint32_t>(number);
    return true;
  }
  bool operator()(uint64_t* slot) const {
    return assign_integer(*slot, rule, UINT64_MAX, value, problem);
  }
  bool operator()(std::string* slot) const {
    if (rule.text == Text::header_name) return assign_header_name(*slot, value, problem);
    return assign_text(*slot, rule, value, problem);
  }
  bool operator()(std::vector<std::string>* slot) const {
    std::vector<std::string> list;
    const bool read = assign_list("a list of texts", value, problem, [&](const Value& item) {
      return assign_text(list.emplace_back(), rule, item, problem);
    });
    if (read) *slot = std::move(list);
    return read;
  }
  bool operator()(io::Address* slot) const { return assign_address(*slot, true, value, problem); }
  bool operator()(std::vector<io::Address>* slot) const {
    std::vector<io::Address> list;
    const bool read = assign_list("a list of addresses", value, problem, [&](const Value& item) {
      return assign_address(list.emplace_back(), false, item, problem);
    });
    if (read) *slot = std::move(list);
    return read;
  }
  bool operator()(Cores slot) const { return assign_cores(*slot.list, rule, value, problem); }
  bool operator()(Date slot) const { return assign_date(*slot.yyyymmdd, value, problem); }
  bool operator()(UsdPerMillion slot) const { return assign_price(*slot.pico_usd, value, problem); }
  bool operator()(Choice slot) const { return assign_choice(*slot.chosen, rule, value, problem); }
  template <class Bits>
  bool assign_choices(Bits& target) const {
    Bits bits = 0;
    const bool read = assign_list("a list of texts", value, problem, [&](const Value& item) {
      uint8_t choice = 0;
      if (!assign_choice(choice, rule, item, problem)) return false;
      bits = static_cast<Bits>(bits | 1u << choice);
      return true;
    });
    if (read) target = bits;
    return read;
  }
  bool operator()(Choices slot) const { return assign_choices(*slot.bits); }
  bool operator()(ManyChoices slot) const { return assign_choices(*slot.bits); }
  bool operator()(Fraction slot) const { return assign_fraction(slot, rule, value, problem); }
  bool operator()(std::vector<routing::Rule>* slot) const {
    return assign_routing_rules(*slot, value, problem);
  }
  bool operator()(std::vector<Outage>* slot) const {
    std::vector<OutageProblem> problems;
    std::vector<Outage> outages;
    read_outages(value, outages, problems);
    if (problems.empty()) {
      *slot = std::move(outages);
      return true;
    }
    const OutageProblem& first = problems.front();
    problem = "line " + std::to_string(first.line) + ": " + first.key +
              (first.key.empty() ? "" : ": ") + first.message;
    return false;
  }
  bool operator()(Abilities slot) const {
    return assign_capabilities(*slot.capabilities, slot.answer, value, problem);
  }
  bool operator()(Shares slot) const { return assign_quality(*slot.quality, value, problem); }
  bool operator()(std::vector<catalog::PriceTier>* slot) const {
    return assign_price_tiers(*slot, value, problem);
  }
  bool operator()(Platforms slot) const { return assign_platform_ids(*slot.ids, value, problem); }
  bool operator()(Weighted slot) const {
    return assign_weights(*slot.weights, rule, value, problem);
  }
  bool operator()(Headers* slot) const { return assign_headers(*slot, value, problem); }
  bool operator()(catalog::UrlVariables* slot) const {
    return assign_variables(*slot, value, problem);
  }
  bool operator()(tls::Sha256* slot) const { return assign_hash(*slot, value, problem); }
};

std::string quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

template <class List, class Text>
std::string list_text(const List& list, Text text) {
  std::string result = "[";
  for (const auto& item : list) {
    if (result.size() > 1) result += ", ";
    result += text(item);
  }
  return result + "]";
}

// One overload for each type of slot that has a default worth printing.
struct Print {
  const Rule& rule;

  std::string operator()(const bool* slot) const { return *slot ? "true" : "false"; }
  std::string operator()(const uint32_t* slot) const { return std::to_string(*slot); }
  std::string operator()(const uint64_t* slot) const { return std::to_string(*slot); }
  std::string operator()(const std::string* slot) const { return quoted(*slot); }
  std::string operator()(const std::vector<std::string>* slot) const {
    return list_text(*slot, quoted);
  }
  std::string operator()(const io::Address* slot) const {
    return quoted(slot->size == 0 ? "off" : slot->text());
  }
  std::string operator()(const std::vector<io::Address>* slot) const {
    return list_text(*slot, [](const io::Address& item) { return quoted(item.text()); });
  }
  std::string operator()(Cores slot) const {
    if (slot.list->empty()) return "\"auto\"";
    return list_text(*slot.list, [](uint32_t core) { return std::to_string(core); });
  }
  std::string operator()(Choice slot) const { return quoted(rule.choices[*slot.chosen]); }
  std::string text_of_choices(uint32_t bits) const {
    std::vector<std::string_view> chosen;
    for (size_t i = 0; i < rule.choices.size(); ++i) {
      if ((bits >> i & 1) != 0) chosen.push_back(rule.choices[i]);
    }
    return list_text(chosen, quoted);
  }
  std::string operator()(Choices slot) const { return text_of_choices(*slot.bits); }
  std::string operator()(ManyChoices slot) const { return text_of_choices(*slot.bits); }
  std::string operator()(Fraction slot) const { return text_of_fraction(slot); }
  std::string operator()(Abilities slot) const {
    return text_of_capabilities(*slot.capabilities, slot.answer);
  }
  // No default worth printing.
  std::string operator()(Date) const { return ""; }
  std::string operator()(UsdPerMillion) const { return ""; }
  std::string operator()(Shares) const { return "{}"; }
  std::string operator()(const std::vector<catalog::PriceTier>*) const { return "[]"; }
  std::string operator()(const std::vector<routing::Rule>*) const { return "[]"; }
  std::string operator()(const std::vector<Outage>*) const { return "[]"; }
  std::string operator()(Platforms) const { return "{}"; }
  std::string operator()(Weighted) const { return "{}"; }
  std::string operator()(const Headers*) const { return "{}"; }
  std::string operator()(const catalog::UrlVariables*) const { return "{}"; }
  std::string operator()(const tls::Sha256*) const { return ""; }
};

}  // namespace

bool assign(const Slot& slot, const Rule& rule, const Value& value, std::string& problem) {
  return std::visit(Assign{rule, value, problem}, slot);
}

std::string text_of(const Slot& slot, const Rule& rule) { return std::visit(Print{rule}, slot); }

}  // namespace hyperion::config
