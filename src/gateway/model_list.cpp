#include "gateway/model_list.h"

#include <cstdio>
#include <iterator>
#include <utility>

namespace hyperion::gateway {
namespace {

using catalog::Answer;
using catalog::Model;
using catalog::Prices;

// Seconds since 1970 of a date such as 20241120; zero where it is unknown.
int64_t seconds_of(uint32_t date) {
  if (date == 0) return 0;
  const int64_t year = date / 10'000;
  const int64_t month = date / 100 % 100;
  const int64_t day = date % 100;
  // Days from the civil date, years beginning in March.
  const int64_t shifted = year - (month <= 2 ? 1 : 0);
  const int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const int64_t days =
      shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + of_year - 719'468;
  return days * 86'400;
}

// Millionths as a decimal number without trailing zeros: 150000 is 0.15.
void write_millionths(json::Output& out, std::string_view name, int64_t value) {
  if (value == catalog::price_unknown) return;
  char text[40];
  auto size = static_cast<size_t>(std::snprintf(text, sizeof(text), "%lld.%06lld",
                                                static_cast<long long>(value / 1'000'000),
                                                static_cast<long long>(value % 1'000'000)));
  while (text[size - 1] == '0') --size;
  if (text[size - 1] == '.') --size;
  out.member_json(name, {text, size});
}

void write_prices(json::Output& out, const Prices& prices) {
  write_millionths(out, "input", prices.input);
  write_millionths(out, "output", prices.output);
  write_millionths(out, "cached_input", prices.cached_input);
  write_millionths(out, "cache_write", prices.cache_write);
  write_millionths(out, "cache_write_1h", prices.cache_write_1h);
  write_millionths(out, "audio_input", prices.audio_input);
  write_millionths(out, "audio_output", prices.audio_output);
}

void write_pricing(json::Output& out, const Model& model) {
  out.key("pricing_usd_per_million");
  out.begin_object();
  write_prices(out, model.prices);
  if (!model.price_tiers.empty()) {
    out.key("tiers");
    out.begin_array();
    for (const catalog::PriceTier& tier : model.price_tiers) {
      out.begin_object();
      out.member("above_tokens", int64_t{tier.above_tokens});
      write_prices(out, tier.prices);
      out.end_object();
    }
    out.end_array();
  }
  out.end_object();
}

void write_capabilities(json::Output& out, const catalog::Capabilities& capabilities) {
  const std::pair<const char*, Answer> all[] = {
      {"vision", capabilities.vision},      {"pdf", capabilities.pdf},
      {"audio_in", capabilities.audio_in},  {"audio_out", capabilities.audio_out},
      {"tools", capabilities.tools},        {"json_schema", capabilities.json_schema},
      {"reasoning", capabilities.reasoning}};
  out.key("capabilities");
  out.begin_object();
  for (const auto& [name, answer] : all) {
    if (answer != Answer::unknown) out.member(name, answer == Answer::yes);
  }
  out.end_object();
}

void write_efforts(json::Output& out, catalog::Efforts efforts) {
  if (!efforts.any()) return;
  out.key("efforts");
  out.begin_array();
  for (uint8_t i = 0; i < static_cast<uint8_t>(catalog::Effort::count); ++i) {
    const auto effort = static_cast<catalog::Effort>(i);
    if (efforts.has(effort)) out.string(catalog::name_of(effort));
  }
  out.end_array();
}

void write_endpoints(json::Output& out, const Model& model) {
  constexpr std::pair<catalog::Endpoint, const char*> all[] = {
      {catalog::Endpoint::chat, "chat"},
      {catalog::Endpoint::completions, "completions"},
      {catalog::Endpoint::embeddings, "embeddings"},
      {catalog::Endpoint::responses, "responses"},
      {catalog::Endpoint::moderations, "moderations"}};
  out.key("endpoints");
  out.begin_array();
  for (const auto& [endpoint, name] : all) {
    if (model.serves(endpoint)) out.string(name);
  }
  out.end_array();
}

void write_facts(json::Output& out, const Model& model) {
  out.member("status", catalog::name_of(model.status));
  if (model.context_tokens != 0) out.member("context_tokens", int64_t{model.context_tokens});
  if (model.input_tokens_max != 0) out.member("input_tokens_max", int64_t{model.input_tokens_max});
  if (model.output_tokens_max != 0)
    out.member("output_tokens_max", int64_t{model.output_tokens_max});
  write_endpoints(out, model);
  write_capabilities(out, model.capabilities);
  write_efforts(out, model.efforts);
  write_pricing(out, model);
}

}  // namespace

void write_model(json::Output& out, std::string_view id, const catalog::Deployment& deployment,
                 std::string_view upstream_model) {
  const Model* model = deployment.model;
  const uint32_t released = model != nullptr ? model->released : 0;
  out.begin_object();
  out.member("id", id);
  out.member("object", "model");
  out.member("created", seconds_of(released));
  out.member("owned_by",
             std::string_view(model != nullptr ? model->family : deployment.provider->name));
  out.member("type", "model");
  out.member("display_name", id);
  char date[24];
  const int size = std::snprintf(
      date, sizeof(date), "%04u-%02u-%02uT00:00:00Z", released != 0 ? released / 10'000 : 1970U,
      released != 0 ? released / 100 % 100 : 1U, released != 0 ? released % 100 : 1U);
  out.member("created_at", std::string_view(date, static_cast<size_t>(size)));
  out.member("provider", std::string_view(deployment.provider->name));
  out.member("model", upstream_model);
  if (model != nullptr) write_facts(out, *model);
  out.end_object();
}

}  // namespace hyperion::gateway
