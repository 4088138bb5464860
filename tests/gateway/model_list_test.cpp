#include "gateway/model_list.h"

#include <string>

#include <doctest/doctest.h>

#include "support/json_reader.h"

using namespace hyperion;

namespace {

test::Json listed(const catalog::Deployment& deployment, std::string_view id = "m") {
  BlockPool blocks(4);
  MemoryBudget budget;
  ByteBuffer buffer(blocks, budget);
  json::Output out(buffer);
  gateway::write_model(out, id, deployment, deployment.upstream_model);
  REQUIRE_FALSE(out.failed());
  auto read = test::read_json(out.text());
  REQUIRE(read);
  return *read;
}

}  // namespace

TEST_CASE("a model is shown with what the catalogue knows, and nothing is made up") {
  catalog::Provider provider;
  provider.name = "p";
  catalog::Model model;
  model.family = "vendor";
  model.released = 20241120;
  model.context_tokens = 128'000;
  model.endpoints = static_cast<uint8_t>(catalog::Endpoint::chat);
  model.capabilities.vision = catalog::Answer::yes;
  model.capabilities.pdf = catalog::Answer::no;
  model.efforts.bits = 0b0001100;
  model.prices.input = 2'500'000;
  model.prices.cached_input = 75'000;
  model.price_tiers.push_back({200'000, {}});
  model.price_tiers.back().prices.output = 15'000'000;
  catalog::Deployment deployment;
  deployment.model = &model;
  deployment.provider = &provider;
  deployment.upstream_model = "m-2024-11-20";

  const test::Json shown = listed(deployment);
  CHECK(shown["id"].text == "m");
  CHECK(shown["object"].text == "model");
  CHECK(shown["created"].text == "1732060800");
  CHECK(shown["created_at"].text == "2024-11-20T00:00:00Z");
  CHECK(shown["owned_by"].text == "vendor");
  CHECK(shown["provider"].text == "p");
  CHECK(shown["model"].text == "m-2024-11-20");
  CHECK(shown["status"].text == "active");
  CHECK(shown["context_tokens"].text == "128000");
  CHECK(shown.find("output_tokens_max") == nullptr);
  const test::Json& capabilities = shown["capabilities"];
  CHECK(capabilities.members.size() == 2);
  CHECK(capabilities["vision"].boolean);
  CHECK_FALSE(capabilities["pdf"].boolean);
  CHECK(capabilities["pdf"].is(test::Json::Kind::boolean));
  const test::Json& prices = shown["pricing_usd_per_million"];
  CHECK(prices["input"].text == "2.5");
  CHECK(prices["cached_input"].text == "0.075");
  CHECK(prices.find("output") == nullptr);
  REQUIRE(prices["tiers"].elements.size() == 1);
  CHECK(prices["tiers"].elements[0]["output"].text == "15");
  REQUIRE(shown["efforts"].elements.size() == 2);
  CHECK(shown["efforts"].elements[0].text == "low");
}

TEST_CASE("a deployment without a model shows its provider") {
  catalog::Provider provider;
  provider.name = "local";
  catalog::Deployment deployment;
  deployment.provider = &provider;
  const test::Json shown = listed(deployment, "any\"name");
  CHECK(shown["id"].text == "any\"name");
  CHECK(shown["owned_by"].text == "local");
  CHECK(shown["created"].text == "0");
  CHECK(shown.find("status") == nullptr);
}
