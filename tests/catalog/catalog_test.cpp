#include "catalog/catalog.h"

#include <chrono>
#include <cstdio>

#include <doctest/doctest.h>

using namespace hyperion::catalog;

namespace {

Model model(std::string id, std::string family, std::vector<std::string> series = {},
            std::vector<std::string> aliases = {}, Status status = Status::active) {
  Model result;
  result.id = std::move(id);
  result.family = std::move(family);
  result.series = std::move(series);
  result.aliases = std::move(aliases);
  result.status = status;
  return result;
}

Provider provider(std::string name, std::vector<std::string> serves, bool open = false) {
  Provider result;
  result.name = std::move(name);
  result.serves = std::move(serves);
  result.passthrough_unknown_models = open;
  return result;
}

template <class T>
void add(std::vector<Placed<T>>& list, T value) {
  list.push_back({std::move(value), {0, static_cast<uint32_t>(list.size() + 1)}});
}

// A catalogue of two vendors, two providers of the first and a local one.
Draft draft() {
  Draft result;
  add(result.models, model("gpt-4o-2024-05-13", "openai"));
  add(result.models, model("gpt-4o-2024-11-20", "openai"));
  add(result.models, model("gpt-4o-2024-08-06", "openai"));
  add(result.models, model("gpt-4o-2025-01-01", "openai", {}, {}, Status::preview));
  add(result.models, model("gpt-5-mini-2025-08-07", "openai", {"gpt-mini"}));
  add(result.models, model("gpt-5.4-mini-2026-03-17", "openai", {"gpt-mini"}));
  add(result.models, model("gpt-4o-mini-2024-07-18", "openai", {"gpt-mini"}, {"small"}));
  add(result.models, model("gpt-3.5-turbo", "openai"));
  Model retired = model("gpt-3-2020-01-01", "openai", {}, {}, Status::retired);
  retired.successor = "gpt-4o";
  add(result.models, std::move(retired));
  add(result.models, model("claude-haiku-4-5-20251001", "anthropic", {"claude-haiku", "haiku"}));
  add(result.models, model("llama-3", "local"));
  add(result.providers, provider("openai", {"openai"}));
  add(result.providers, provider("eu", {"openai"}));
  add(result.providers, provider("local", {"local"}, true));
  return result;
}

Catalog build(Draft d) {
  std::vector<Problem> problems;
  Catalog catalog = Catalog::build(std::move(d), problems);
  for (const Problem& problem : problems) {
    const std::string text = problem.key + ": " + problem.message;
    FAIL_CHECK(text);
  }
  return catalog;
}

// The one problem that building finds.
std::string problem_of(Draft d) {
  std::vector<Problem> problems;
  Catalog::build(std::move(d), problems);
  REQUIRE(problems.size() == 1);
  return problems[0].key + ": " + problems[0].message;
}

// "deployment match" of a name.
std::string resolved(const Catalog& catalog, std::string_view name) {
  constexpr const char* matches[] = {"none",     "deployment", "environment_alias", "alias",
                                     "dated_id", "moving",     "plain_id",          "catalog",
                                     "provider", "series",     "successor",         "open"};
  const Resolution result = catalog.resolve(name);
  switch (result.outcome) {
    case Resolution::Outcome::unknown: return "unknown";
    case Resolution::Outcome::retired: return "retired " + result.model->id;
    case Resolution::Outcome::unserved: return "unserved " + result.model->id;
    case Resolution::Outcome::found: break;
  }
  return result.deployment->id + " " + matches[static_cast<size_t>(result.match)];
}

}  // namespace

TEST_CASE("each kind of name resolves as the contract orders") {
  Draft d = draft();
  add(d.aliases, AliasDraft{"fast", "gpt-5-mini"});
  add(d.aliases, AliasDraft{"best", "gpt-4o"});
  add(d.deployments, DeploymentDraft{"prod", "gpt-4o-2024-08-06", "eu", "azure-name", {}});
  EnvironmentDraft environment{"production", {}};
  add(environment.aliases, AliasDraft{"best", "gpt-5.4-mini"});
  add(d.environments, std::move(environment));
  add(d.models, model("odd", "openai", {"eu/gpt-4o"}));  // A series never hides a provider's model.
  const Catalog catalog = build(std::move(d));

  CHECK(resolved(catalog, "prod") == "prod deployment");
  CHECK(resolved(catalog, "best") == "openai/gpt-5.4-mini-2026-03-17 environment_alias");
  CHECK(resolved(catalog, "fast") == "openai/gpt-5-mini-2025-08-07 alias");
  CHECK(resolved(catalog, "gpt-4o-2024-05-13") == "openai/gpt-4o-2024-05-13 dated_id");
  CHECK(resolved(catalog, "gpt-4o") == "openai/gpt-4o-2024-11-20 moving");
  CHECK(resolved(catalog, "gpt-3.5-turbo") == "openai/gpt-3.5-turbo plain_id");
  CHECK(resolved(catalog, "small") == "openai/gpt-4o-mini-2024-07-18 catalog");
  CHECK(resolved(catalog, "eu/gpt-4o") == "eu/gpt-4o-2024-11-20 provider");
  CHECK(resolved(catalog, "eu/gpt-4o-2024-05-13") == "eu/gpt-4o-2024-05-13 provider");
  CHECK(resolved(catalog, "eu/small") == "eu/gpt-4o-mini-2024-07-18 provider");
  CHECK(resolved(catalog, "eu/gpt-mini") == "eu/gpt-5.4-mini-2026-03-17 provider");
  CHECK(resolved(catalog, "gpt-mini") == "openai/gpt-5.4-mini-2026-03-17 series");
  CHECK(resolved(catalog, "local/anything:8b") == "local/* open");
  CHECK(resolved(catalog, "local/llama-3") == "local/llama-3 provider");
  CHECK(resolved(catalog, "nothing") == "unknown");
  CHECK(resolved(catalog, "openai/nothing") == "unknown");
  CHECK(resolved(catalog, "") == "unknown");
  CHECK(resolved(catalog, "/") == "unknown");
  CHECK(resolved(catalog, "auto") == "unknown");
}

TEST_CASE("what goes upstream is the deployment's name, escaped ahead") {
  Draft d = draft();
  add(d.deployments, DeploymentDraft{"prod", "gpt-4o", "eu", "azure-name", {}});
  const Catalog catalog = build(std::move(d));
  CHECK(catalog.resolve("gpt-4o").upstream_model == "gpt-4o-2024-11-20");
  CHECK(catalog.resolve("gpt-4o").upstream_model_json == "\"gpt-4o-2024-11-20\"");
  CHECK(catalog.resolve("prod").upstream_model == "azure-name");
  CHECK(catalog.resolve("prod").model->id == "gpt-4o-2024-11-20");
}

TEST_CASE("an open provider takes any name that is safe in JSON and in a header") {
  const Catalog catalog = build(draft());
  const std::string name = "local/org/model:8b-q4_K_M";
  const Resolution result = catalog.resolve(name);
  REQUIRE(result.found());
  CHECK(result.upstream_model == "org/model:8b-q4_K_M");
  CHECK(result.upstream_model.data() == name.data() + 6);
  CHECK(result.upstream_model_json.empty());
  CHECK(result.model == nullptr);
  CHECK(result.deployment->is_open());
  CHECK(result.deployment->serves(Endpoint::embeddings));
  for (const std::string wrong : {"local/", "local/a\"b", "local/a\\b", "local/a b",
                                  "local/a\r\nx: y", "local/\xc3\xbc", "local", "LOCAL/a"}) {
    CAPTURE(wrong);
    CHECK_FALSE(catalog.resolve(wrong).found());
  }
  CHECK_FALSE(catalog.resolve("local/" + std::string(300, 'a')).found());
  CHECK_FALSE(catalog.resolve(std::string_view("local/a\0", 8)).found());
}

TEST_CASE("a retired model says so, and its successor serves where the conf allows it") {
  Draft d = draft();
  CHECK(resolved(build(draft()), "gpt-3-2020-01-01") == "retired gpt-3-2020-01-01");
  CHECK(resolved(build(draft()), "gpt-3") == "retired gpt-3-2020-01-01");
  CHECK(build(draft()).resolve("gpt-3").model->successor == "gpt-4o");
  d.use_successors = true;
  const Catalog catalog = build(std::move(d));
  CHECK(resolved(catalog, "gpt-3-2020-01-01") == "openai/gpt-4o-2024-11-20 successor");
  CHECK(resolved(catalog, "openai/gpt-3") == "openai/gpt-4o-2024-11-20 successor");
}

TEST_CASE("a model whose family nobody serves is known but unserved") {
  const Catalog catalog = build(draft());
  CHECK(resolved(catalog, "claude-haiku-4-5") == "unserved claude-haiku-4-5-20251001");
  CHECK(resolved(catalog, "haiku") == "unserved claude-haiku-4-5-20251001");
  CHECK(resolved(catalog, "anthropic/haiku") == "unserved claude-haiku-4-5-20251001");
}

TEST_CASE("preview releases are chosen only where no active one exists") {
  Draft d;
  add(d.models, model("m-2024-01-01", "openai", {}, {}, Status::deprecated));
  add(d.models, model("m-2024-06-01", "openai", {}, {}, Status::retired));
  add(d.providers, provider("openai", {"openai"}));
  CHECK(resolved(build(std::move(d)), "m") == "openai/m-2024-01-01 moving");
}

TEST_CASE(
    "of several providers the first serves, but one that has its key before one that has not") {
  Draft d = draft();
  d.providers[0].value.usable = false;
  const Catalog catalog = build(std::move(d));
  CHECK(resolved(catalog, "gpt-4o") == "eu/gpt-4o-2024-11-20 moving");
  CHECK(resolved(catalog, "openai/gpt-4o") == "openai/gpt-4o-2024-11-20 provider");
}

TEST_CASE("an id that two vendors use belongs to the first, and to each under its provider") {
  Draft d;
  add(d.models, model("gpt-oss", "groq"));
  add(d.models, model("gpt-oss", "local"));
  add(d.models, model("openai/gpt-oss-20b", "groq"));
  add(d.providers, provider("local", {"local"}));
  add(d.providers, provider("fast", {"groq"}));
  const Catalog catalog = build(std::move(d));
  CHECK(resolved(catalog, "fast/gpt-oss") == "fast/gpt-oss provider");
  CHECK(resolved(catalog, "groq/gpt-oss") == "fast/gpt-oss provider");
  CHECK(resolved(catalog, "local/gpt-oss") == "local/gpt-oss provider");
  CHECK(resolved(catalog, "openai/gpt-oss-20b") == "fast/openai/gpt-oss-20b plain_id");
  CHECK(resolved(catalog, "fast/openai/gpt-oss-20b") == "fast/openai/gpt-oss-20b provider");
}

TEST_CASE("a platform serves the models that have a name there, under both names") {
  Draft d = draft();
  d.models[0].value.platform_ids = {{"router", "openai/gpt-4o-2024-05-13"}};
  d.models[9].value.platform_ids = {{"router", "anthropic/claude-haiku-4.5"}, {"other", "x"}};
  Provider router = provider("mine", {"openai", "anthropic"}, true);
  router.platform = "router";
  add(d.providers, std::move(router));
  const Catalog catalog = build(std::move(d));
  CHECK(resolved(catalog, "haiku") == "mine/claude-haiku-4-5-20251001 series");
  CHECK(catalog.resolve("haiku").upstream_model == "anthropic/claude-haiku-4.5");
  CHECK(resolved(catalog, "mine/anthropic/claude-haiku-4.5") ==
        "mine/claude-haiku-4-5-20251001 provider");
  // The newest of those it has; the rest it has not, and takes as any other name.
  CHECK(catalog.resolve("mine/gpt-4o").upstream_model == "openai/gpt-4o-2024-05-13");
  CHECK(resolved(catalog, "mine/gpt-4o-2024-11-20") == "mine/* open");
  CHECK(resolved(catalog, "gpt-4o-2024-05-13") == "openai/gpt-4o-2024-05-13 dated_id");
}

TEST_CASE("environments map the same name to different deployments") {
  const auto make = [](const char* chosen) {
    Draft d = draft();
    d.environment = chosen;
    add(d.deployments, DeploymentDraft{"chat", "gpt-4o", "openai", "", {"production"}});
    add(d.deployments, DeploymentDraft{"chat", "gpt-4o-mini", "eu", "mini-eu", {"staging"}});
    EnvironmentDraft staging{"staging", {}};
    add(staging.aliases, AliasDraft{"fast", "chat"});
    add(d.environments, std::move(staging));
    add(d.aliases, AliasDraft{"fast", "gpt-5-mini"});
    return build(std::move(d));
  };
  const Catalog production = make("production");
  CHECK(production.resolve("chat").upstream_model == "gpt-4o-2024-11-20");
  CHECK(production.resolve("fast").upstream_model == "gpt-5-mini-2025-08-07");
  const Catalog staging = make("staging");
  CHECK(staging.resolve("chat").upstream_model == "mini-eu");
  CHECK(staging.resolve("fast").upstream_model == "mini-eu");
}

TEST_CASE("an alias may follow another, shadow a model, or name an open model") {
  Draft d = draft();
  add(d.aliases, AliasDraft{"a", "b"});
  add(d.aliases, AliasDraft{"b", "gpt-3.5-turbo"});
  add(d.aliases, AliasDraft{"gpt-4o", "gpt-4o-2024-05-13"});
  add(d.aliases, AliasDraft{"mine", "local/my-model"});
  const Catalog catalog = build(std::move(d));
  CHECK(resolved(catalog, "a") == "openai/gpt-3.5-turbo alias");
  CHECK(resolved(catalog, "gpt-4o") == "openai/gpt-4o-2024-05-13 alias");
  CHECK(resolved(catalog, "mine") == "local/my-model alias");
  CHECK(catalog.resolve("mine").upstream_model_json == "\"my-model\"");
}

TEST_CASE("what does not fit together is a problem with its place") {
  Draft cycle = draft();
  add(cycle.aliases, AliasDraft{"a", "b"});
  add(cycle.aliases, AliasDraft{"b", "c"});
  add(cycle.aliases, AliasDraft{"c", "a"});
  std::vector<Problem> problems;
  Catalog::build(std::move(cycle), problems);
  REQUIRE(problems.size() == 3);
  CHECK(problems[0].key == "aliases.a");
  CHECK(problems[0].message == "leads back to itself: a -> b -> c -> a");
  CHECK(problems[1].origin.line == 2);

  Draft d = draft();
  add(d.aliases, AliasDraft{"a", "gpt-4p"});
  CHECK(problem_of(std::move(d)) ==
        "aliases.a: there is no model \"gpt-4p\": did you mean \"gpt-4o\"?");
  d = draft();
  add(d.aliases, AliasDraft{"self", "self"});
  CHECK(problem_of(std::move(d)) == "aliases.self: leads back to itself: self -> self");
  d = draft();
  add(d.aliases, AliasDraft{"a", "haiku"});
  CHECK(problem_of(std::move(d)) ==
        "aliases.a: no provider of this file serves \"haiku\" (family anthropic)");
  d = draft();
  add(d.aliases, AliasDraft{"a", "gpt-3"});
  CHECK(problem_of(std::move(d)) == "aliases.a: \"gpt-3\" is retired: its successor is \"gpt-4o\"");
  d = draft();
  add(d.aliases, AliasDraft{"auto", "gpt-4o"});
  CHECK(problem_of(std::move(d)).starts_with("aliases.auto: auto is the gateway's own name"));
  d = draft();
  add(d.deployments, DeploymentDraft{"x", "gpt-4o", "opnai", "", {}});
  CHECK(problem_of(std::move(d)) ==
        "deployments.provider: no [[providers]] has the name \"opnai\"");
  d = draft();
  add(d.deployments, DeploymentDraft{"x", "gpt-9", "openai", "", {}});
  CHECK(problem_of(std::move(d)).starts_with("deployments.model: the catalogue has no model"));
  d = draft();
  add(d.deployments, DeploymentDraft{"x", "gpt-4o", "openai", "", {}});
  add(d.deployments, DeploymentDraft{"x", "gpt-4o", "eu", "", {"production"}});
  CHECK(problem_of(std::move(d)).find("is there twice for the same environment") !=
        std::string::npos);
  d = draft();
  add(d.providers, provider("eu", {"openai"}));
  CHECK(problem_of(std::move(d)) == "providers.name: \"eu\" is there twice");
  d = draft();
  add(d.models, model("gpt-3.5-turbo", "openai"));
  CHECK(problem_of(std::move(d)) == "models: \"gpt-3.5-turbo\" of openai is there twice");
  d = draft();
  d.environment = "prod";
  CHECK(problem_of(std::move(d)).starts_with("environment: \"prod\" is not defined"));
}

TEST_CASE("an environment that is not chosen is checked too, and not mixed in") {
  Draft d = draft();
  EnvironmentDraft staging{"staging", {}};
  add(staging.aliases, AliasDraft{"fast", "no-such-model"});
  add(d.environments, std::move(staging));
  CHECK(problem_of(std::move(d)).starts_with("environments.staging.fast: there is no model"));

  d = draft();
  add(d.deployments, DeploymentDraft{"only-staging", "gpt-4o", "openai", "", {"staging"}});
  add(d.aliases, AliasDraft{"x", "only-staging"});
  CHECK(problem_of(std::move(d)).starts_with("aliases.x: there is no model"));
}

TEST_CASE("an unknown name brings the nearest that the key may use") {
  const Catalog catalog = build(draft());
  DeploymentSet all;
  all.allow_all();
  CHECK(catalog.nearest_names("gpt4o", all)[0] == "gpt-4o");
  CHECK(catalog.nearest_names("GPT-4O-MINI", all)[0] == "gpt-4o-mini");
  CHECK(catalog.nearest_names("gpt-4o-2024-11-21", all)[0] == "gpt-4o-2024-11-20");
  CHECK(catalog.nearest_names("openai/gpt4o", all)[0] == "openai/gpt-4o");
  CHECK(catalog.nearest_names("completely-else", all)[0].empty());
  CHECK(catalog.nearest_names("claude-haiku-4-6", all)[0].empty());
  CHECK(catalog.nearest_names(std::string(10'000, 'g'), all)[0].empty());
  DeploymentSet few;
  REQUIRE(catalog.allow("gpt-3.5-turbo", few));
  CHECK(catalog.nearest_names("gpt4o", few)[0].empty());
  CHECK(catalog.nearest_names("gpt-3.5-turbos", few)[0] == "gpt-3.5-turbo");
}

TEST_CASE("an entry of an allow list means what it says and no more") {
  Draft d = draft();
  add(d.deployments, DeploymentDraft{"prod", "gpt-3.5-turbo", "eu", "", {}});
  const Catalog catalog = build(std::move(d));
  const auto allows = [&](const char* pattern, std::string_view name) {
    DeploymentSet set;
    REQUIRE(catalog.allow(pattern, set));
    const Resolution resolution = catalog.resolve(name);
    REQUIRE(resolution.found());
    return set.allows(*resolution.deployment);
  };
  CHECK(allows("*", "local/anything"));
  CHECK(allows("*", "prod"));
  CHECK(allows("gpt-4o", "gpt-4o"));
  CHECK(allows("gpt-4o", "eu/gpt-4o"));
  CHECK(allows("gpt-4o", "gpt-4o-2024-05-13"));
  CHECK_FALSE(allows("gpt-4o", "gpt-4o-mini"));
  CHECK_FALSE(allows("gpt-4o-2024-05-13", "gpt-4o"));
  CHECK(allows("eu/gpt-4o", "eu/gpt-4o-2024-05-13"));
  CHECK_FALSE(allows("eu/gpt-4o", "openai/gpt-4o"));
  CHECK(allows("eu/*", "eu/gpt-4o"));
  CHECK(allows("eu/*", "prod"));
  CHECK_FALSE(allows("eu/*", "gpt-4o"));
  CHECK(allows("local/*", "local/anything"));
  CHECK_FALSE(allows("local/llama-3", "local/anything"));
  CHECK(allows("gpt-4o*", "gpt-4o-mini"));
  CHECK_FALSE(allows("gpt-4o*", "gpt-5-mini"));
  CHECK(allows("prod", "prod"));
  CHECK_FALSE(allows("prod", "gpt-3.5-turbo"));
  DeploymentSet set;
  for (const char* wrong : {"gpt-9", "nobody/*", "local/anything", "a*b*", ""}) {
    CAPTURE(wrong);
    CHECK_FALSE(catalog.allow(wrong, set));
  }
  CHECK(catalog.allow("haiku", set));
  CHECK_FALSE(set.allows(*catalog.resolve("gpt-4o").deployment));
}

TEST_CASE("a catalogue may be moved") {
  Catalog first = build(draft());
  const Catalog second = std::move(first);
  CHECK(second.resolve("gpt-4o").deployment->provider == &second.providers()[0]);
  CHECK(second.provider("eu") == &second.providers()[1]);
}

TEST_CASE("a lookup costs well under a microsecond") {
  const Catalog catalog = build(draft());
  constexpr int rounds = 200'000;
  size_t found = 0;
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < rounds; ++i) {
    found += catalog.resolve("gpt-4o").found() ? 1 : 0;
    found += catalog.resolve("openai/gpt-4o-2024-11-20").found() ? 1 : 0;
  }
  const auto took = std::chrono::steady_clock::now() - begin;
  const auto each =
      std::chrono::duration_cast<std::chrono::nanoseconds>(took).count() / (2 * rounds);
  std::printf("Catalog::resolve: %lld ns\n", static_cast<long long>(each));
  CHECK(found == 2 * rounds);
  CHECK(each < 2000);
}
