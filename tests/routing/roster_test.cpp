// Which models may be chosen in place of another.
#include "routing/roster.h"

#include <doctest/doctest.h>

using namespace hyperion;
using namespace hyperion::routing;

using catalog::Endpoint;
using catalog::Model;
using catalog::Status;

namespace {

// A model that may be chosen, until `change` takes something away.
template <class Change>
catalog::Draft with(Change change) {
  Model model;
  model.id = "m";
  model.family = "f";
  model.endpoints = static_cast<uint8_t>(Endpoint::chat);
  model.prices.input = 1;
  model.prices.output = 2;
  model.quality.known = true;
  catalog::Provider provider;
  provider.name = "p";
  provider.serves = {"f"};
  change(model, provider);
  catalog::Draft draft;
  draft.models.push_back({std::move(model), {}});
  draft.providers.push_back({std::move(provider), {}});
  return draft;
}

catalog::Catalog build(catalog::Draft draft) {
  std::vector<catalog::Problem> problems;
  catalog::Catalog result = catalog::Catalog::build(std::move(draft), problems);
  REQUIRE(problems.empty());
  return result;
}

template <class Change>
Exclusion why_not(Change change, bool previews = false) {
  const catalog::Catalog catalog = build(with(change));
  REQUIRE(catalog.deployments().size() >= 1);
  const Exclusion result = Roster::why_not(catalog.deployments()[0], previews);
  CHECK(Roster(catalog, previews).candidates().empty() == (result != Exclusion::none));
  return result;
}

}  // namespace

TEST_CASE("a model of known quality and price is a candidate") {
  CHECK(why_not([](Model&, auto&) {}) == Exclusion::none);
  // A local model costs nothing, which is a price.
  CHECK(why_not([](Model& m, auto&) { m.prices.input = m.prices.output = 0; }) == Exclusion::none);
}

TEST_CASE("a model whose price is missing loads, resolves, and is never chosen for another") {
  const auto unpriced = [](Model& m, auto&) { m.prices = {}; };
  CHECK(build(with(unpriced)).resolve("m").found());
  CHECK(why_not(unpriced) == Exclusion::unpriced);
  CHECK(why_not([](Model& m, auto&) { m.prices.input = catalog::price_unknown; }) ==
        Exclusion::unpriced);
  CHECK(why_not([](Model& m, auto&) { m.prices.output = catalog::price_unknown; }) ==
        Exclusion::unpriced);
}

TEST_CASE("a model of unknown quality is never chosen for another, whatever it costs") {
  CHECK(why_not([](Model& m, auto&) { m.quality.known = false; }) == Exclusion::quality_unknown);
}

TEST_CASE("previews and deprecated models are candidates where the conf says so alone") {
  for (Status status : {Status::preview, Status::deprecated}) {
    const auto change = [&](Model& m, auto&) { m.status = status; };
    CHECK(why_not(change) != Exclusion::none);
    CHECK(why_not(change, true) == Exclusion::none);
  }
}

TEST_CASE("a model that cannot chat is no candidate") {
  CHECK(why_not([](Model& m, auto&) {
          m.endpoints = static_cast<uint8_t>(Endpoint::embeddings);
        }) == Exclusion::endpoint);
  const auto responses_only = [](bool spoken) {
    return [spoken](Model& m, catalog::Provider& p) {
      m.endpoints = static_cast<uint8_t>(Endpoint::responses);
      p.speaks_responses = spoken;
    };
  };
  CHECK(why_not(responses_only(false)) == Exclusion::endpoint);
  CHECK(why_not(responses_only(true)) == Exclusion::none);
}

TEST_CASE("a deployment of another environment is no candidate, and keeps its place in the order") {
  catalog::Draft draft = with([](Model&, auto&) {});
  draft.deployments.push_back({{"only-staging", "m", "p", "", {"staging"}}, {}});
  draft.deployments.push_back({{"everywhere", "m", "p", "", {}}, {}});
  const catalog::Catalog catalog = build(std::move(draft));
  const Roster roster(catalog, false);
  REQUIRE(roster.candidates().size() == 2);
  CHECK(roster.candidates()[0].deployment->id == "p/m");
  CHECK(roster.candidates()[1].deployment->id == "everywhere");
}

TEST_CASE("a row costs what the catalogue's model costs, or says that it does not know") {
  const auto row_with = [](int64_t input, int64_t cached, int64_t output) {
    const catalog::Catalog catalog = build(with([&](Model& m, auto&) {
      m.prices.input = input;
      m.prices.cached_input = cached;
      m.prices.output = output;
    }));
    return row_of(catalog.deployments()[0]);
  };
  const RosterRow row = row_with(3, 1, 15);
  CHECK(row.plain_price);
  CHECK(row.price_input == 3);
  CHECK(row.price_cached == 1);
  CHECK(row.price_output == 15);
  CHECK(row_with(3, catalog::price_unknown, 15).price_cached == 3);
  CHECK_FALSE(row_with(3, 1, catalog::price_unknown).plain_price);
  CHECK_FALSE(row_with(int64_t{1} << 40, 1, 15).plain_price);
}

TEST_CASE("an open provider's any model is no candidate") {
  const catalog::Catalog catalog =
      build(with([](Model&, catalog::Provider& p) { p.passthrough_unknown_models = true; }));
  REQUIRE(catalog.deployments().size() == 2);
  CHECK(Roster::why_not(catalog.deployments()[1], true) == Exclusion::quality_unknown);
}
