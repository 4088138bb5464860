#include "config/fact_values.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "config/keys.h"
#include "routing/kinds.h"

namespace hyperion::config {
namespace {

using catalog::Answer;
using catalog::Capabilities;
using catalog::PriceTier;

bool fail(std::string& problem, std::string_view expected, const Value& value) {
  problem = "expected " + std::string(expected) + ", given " + describe(value);
  return false;
}

constexpr struct {
  std::string_view name;
  Answer Capabilities::*fact;
} capability_table[] = {
    {"vision", &Capabilities::vision},       {"pdf", &Capabilities::pdf},
    {"audio_in", &Capabilities::audio_in},   {"audio_out", &Capabilities::audio_out},
    {"tools", &Capabilities::tools},         {"json_schema", &Capabilities::json_schema},
    {"reasoning", &Capabilities::reasoning},
};

constexpr std::string_view capabilities_expected =
    "a list of vision, pdf, audio_in, audio_out, tools, json_schema and reasoning";

constexpr std::string_view tiers_expected =
    "a list such as [{ above_tokens = 200000, input_usd_per_million = 4 }]";

bool assign_price_tier(PriceTier& tier, const Value& value, std::string& problem) {
  if (value.kind != Value::Kind::table) return fail(problem, tiers_expected, value);
  for (const Member& member : value.members) {
    const auto keys = price_tier_keys();
    const auto key = std::find_if(keys.begin(), keys.end(),
                                  [&](const auto& each) { return each.name == member.key; });
    if (key == keys.end()) {
      problem = "expected in a tier above_tokens and the keys of prices, given another key";
      return false;
    }
    if (!assign(key->slot(tier), key->rule, member.value, problem)) {
      problem = std::string(key->name) + ": " + problem;
      return false;
    }
  }
  if (tier.above_tokens != 0) return true;
  problem = "expected above_tokens in each tier";
  return false;
}

// Nothing is done always or never well: the ends would be infinite as logits.
constexpr double share_min = 0.001, share_max = 0.999;

std::string heads_expected() {
  std::string list = "a share for each of ";
  for (size_t i = 0; i < catalog::head_count; ++i) {
    list += (i == 0 ? "" : i + 1 == catalog::head_count ? " and " : ", ");
    list += routing::name_of(static_cast<catalog::Head>(i));
  }
  return list;
}

bool assign_share(int16_t& logit, const Member& member, std::string& problem) {
  const Value& value = member.value;
  const double share =
      value.kind == Value::Kind::integer ? static_cast<double>(value.integer) : value.real;
  const bool number = value.kind == Value::Kind::integer || value.kind == Value::Kind::real;
  if (!number || !(share >= share_min && share <= share_max)) {
    fail(problem, "a share from 0.001 to 0.999", value);
    problem = member.key + ": " + problem;
    return false;
  }
  logit = static_cast<int16_t>(std::lround(std::log(share / (1 - share)) * catalog::logit_one));
  return true;
}

}  // namespace

bool assign_price(int64_t& pico_usd, const Value& value, std::string& problem) {
  const bool number = value.kind == Value::Kind::integer || value.kind == Value::Kind::real;
  const double usd =
      value.kind == Value::Kind::integer ? static_cast<double>(value.integer) : value.real;
  // USD per million tokens times 10^6 is pico-dollars per token. 10^5 USD is far above any price.
  if (number && usd >= 0 && usd <= 100'000) {
    const double pico = usd * 1e6;
    if (std::abs(pico - std::round(pico)) < 1e-3) {
      pico_usd = std::llround(pico);
      return true;
    }
  }
  return fail(problem, "US dollars per million tokens with at most six decimals", value);
}

bool assign_price_tiers(std::vector<PriceTier>& tiers, const Value& value, std::string& problem) {
  if (value.kind != Value::Kind::list) return fail(problem, tiers_expected, value);
  std::vector<PriceTier> list;
  for (const Value& item : value.items) {
    PriceTier tier;
    if (!assign_price_tier(tier, item, problem)) return false;
    if (!list.empty() && list.back().above_tokens >= tier.above_tokens) {
      problem = "expected tiers whose above_tokens rise";
      return false;
    }
    list.push_back(tier);
  }
  tiers = std::move(list);
  return true;
}

bool assign_quality(catalog::Quality& quality, const Value& value, std::string& problem) {
  if (value.kind != Value::Kind::table) return fail(problem, heads_expected(), value);
  catalog::Quality result;
  if (value.members.empty()) {
    quality = result;
    return true;
  }
  std::array<bool, catalog::head_count> given{};
  for (const Member& member : value.members) {
    size_t head = 0;
    while (head < catalog::head_count &&
           routing::name_of(static_cast<catalog::Head>(head)) != member.key) {
      ++head;
    }
    if (head == catalog::head_count) {
      problem = "expected " + heads_expected() + ", given another key";
      return false;
    }
    if (!assign_share(result.logits[head], member, problem)) return false;
    given[head] = true;
  }
  for (size_t head = 0; head < catalog::head_count; ++head) {
    if (given[head]) continue;
    problem = "expected " + heads_expected() + ": " +
              std::string(routing::name_of(static_cast<catalog::Head>(head))) + " is missing";
    return false;
  }
  result.known = true;
  quality = result;
  return true;
}

bool assign_capabilities(Capabilities& capabilities, Answer answer, const Value& value,
                         std::string& problem) {
  if (value.kind != Value::Kind::list) return fail(problem, capabilities_expected, value);
  Capabilities result = capabilities;
  for (const Value& item : value.items) {
    const auto row = std::find_if(
        std::begin(capability_table), std::end(capability_table),
        [&](const auto& each) { return item.kind == Value::Kind::text && each.name == item.text; });
    if (row == std::end(capability_table)) return fail(problem, capabilities_expected, item);
    result.*(row->fact) = answer;
  }
  capabilities = result;
  return true;
}

std::string text_of_capabilities(const Capabilities& capabilities, Answer answer) {
  std::string result = "[";
  for (const auto& [name, fact] : capability_table) {
    if (capabilities.*fact != answer) continue;
    result.append(result.size() > 1 ? ", \"" : "\"").append(name).append("\"");
  }
  return result + "]";
}

bool assign_platform_ids(catalog::PlatformIds& ids, const Value& value, std::string& problem) {
  constexpr std::string_view expected = "a table such as { openrouter = \"anthropic/claude-x\" }";
  if (value.kind != Value::Kind::table) return fail(problem, expected, value);
  catalog::PlatformIds result;
  for (const auto& [platform, line, id] : value.members) {
    if (!acceptable(Text::label, platform) || id.kind != Value::Kind::text ||
        !acceptable(Text::model, id.text)) {
      return fail(problem, expected, id);
    }
    result.emplace(platform, id.text);
  }
  ids = std::move(result);
  return true;
}

}  // namespace hyperion::config
