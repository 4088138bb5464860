// No capability is ever lost for money: random requests against the shipped catalogue, judged by
// an oracle that was written from the contract's words and shares no code with the filter.
//
// Each request goes the whole way: a body in one of the four dialects, scanned, read, scored and
// decided. The oracle sees the plan that the body was written from and the catalogue's facts. That
// the filter was needed is counted: how often the choice without it would have been a violation.
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>

#include <doctest/doctest.h>

#include "config/config.h"
#include "gateway/asked_request.h"
#include "gateway/router.h"
#include "routing/selection.h"

namespace hyperion::gateway {
namespace {

using catalog::Answer;
using catalog::Deployment;
using catalog::Effort;
using catalog::Model;
using dialect::Wire;
using test::AskedRequest;

constexpr uint64_t requests_of_every_run = 200'000;
constexpr uint64_t requests_of_long_runs = 1'000'000;

constexpr std::string_view conf = R"(
[[providers]]
name = "openai"
[[providers]]
name = "anthropic"
[[providers]]
name = "gemini"
[[providers]]
name = "groq"
[[providers]]
name = "mistral"
[[providers]]
name = "deepseek"
[[providers]]
name = "xai"
[[providers]]
name = "openrouter"
[routing]
previews = true
)";

bool same_dialect(Wire wire, const Deployment& deployment) {
  switch (deployment.provider->dialect) {
    case catalog::Dialect::openai:
      return wire == Wire::openai_chat || wire == Wire::openai_responses;
    case catalog::Dialect::anthropic: return wire == Wire::anthropic;
    case catalog::Dialect::gemini: return wire == Wire::gemini;
  }
  return false;
}

// What the request would lose with this model; nullptr: nothing.
const char* what_is_lost(const AskedRequest& asked, const Deployment& deployment) {
  const Model& model = *deployment.model;
  const auto lacks = [](Answer answer) { return answer != Answer::yes; };
  const catalog::Capabilities& can = model.capabilities;
  const bool reachable =
      model.serves(catalog::Endpoint::chat) ||
      (model.serves(catalog::Endpoint::responses) && deployment.provider->speaks_responses);
  if (!reachable) return "endpoint";
  if (model.status == catalog::Status::retired) return "a model that exists";
  if (!model.quality.known) return "a known quality";
  if (model.prices.input < 0 || model.prices.output < 0) return "a known price";
  if (asked.wants_tools() && lacks(can.tools)) return "tools";
  if (asked.wants_tools() && asked.schema && !model.tools_with_schema) return "tools with a schema";
  if (asked.wants_tools() && asked.wants_thinking() && !model.tools_with_reasoning)
    return "tools while thinking";
  if (asked.forced_call && !model.forced_tools) return "a forced call";
  if (asked.wants_images() && lacks(can.vision)) return "vision";
  if (asked.sound && lacks(can.audio_in)) return "hearing";
  if (asked.answer_in_sound && lacks(can.audio_out)) return "an answer in sound";
  if (asked.file && lacks(can.pdf)) return "files";
  if ((asked.schema || asked.any_json) && lacks(can.json_schema)) return "structured output";
  if (asked.wants_thinking() && lacks(can.reasoning)) return "thinking";
  if (asked.effort_given && asked.effort != Effort::none && !model.efforts.has(asked.effort) &&
      model.thinking != catalog::Thinking::budget)
    return "the effort asked for";
  if (asked.effort_given && asked.effort == Effort::none && can.reasoning == Answer::yes &&
      !model.efforts.has(Effort::none) && model.thinking_off == catalog::ThinkingOff::cannot)
    return "an answer without thinking";
  if (asked.temperature) {
    const bool off = asked.effort_given && asked.effort == Effort::none;
    if (model.sampling == catalog::Sampling::no) return "sampling";
    if (model.sampling == catalog::Sampling::effort_none && !off) return "sampling";
  }
  if (asked.prefill && !model.prefill) return "going on with the assistant's words";
  if (asked.server_tool) return "a tool of the provider's own";
  if (asked.log_probabilities) return "log probabilities";
  if (asked.choices > 1 && !same_dialect(asked.wire, deployment)) return "several answers";
  if (asked.output_tokens_max > 0 && model.output_tokens_max < asked.output_tokens_max)
    return "the length of the answer";
  const int64_t room = asked.filler_tokens + std::max<int64_t>(asked.output_tokens_max, 1);
  if (model.context_tokens < room) return "context";
  if (model.input_tokens_max != 0 && model.input_tokens_max < asked.filler_tokens) return "context";
  return nullptr;
}

// One request's way to its decision, and the state around it.
class World {
 public:
  explicit World(uint64_t seed) : random(seed) {
    config::Surroundings surroundings = config::Surroundings::of_process();
    surroundings.environment = [](const std::string&) {
      return std::string("sk-of-nobody-at-all");
    };
    config::LoadOutcome outcome = config::load_text(conf, "test.toml", surroundings);
    REQUIRE_MESSAGE(outcome.config != nullptr, outcome.errors.front());
    config = outcome.config;
    for (size_t wire = 0; wire < dialect::wires_count; ++wire)
      ways[wire] = ways_from(chat_endpoint(static_cast<Wire>(wire)), config->catalog);
    for (const Deployment& deployment : config->catalog.deployments()) {
      if (deployment.model == nullptr) continue;
      names.push_back(deployment.id);
      if (deployment.provider->name != "openrouter" && deployment.provider->name != "groq")
        narrow.allowed.allow(deployment);
    }
    narrow.id = "narrow";
    unhealthy.assign(config->catalog.deployments().size(), 0);
    first_token_us.assign(config->catalog.deployments().size(), 0);
  }

  // False: the request was refused. `failure` says why.
  bool decide(AskedRequest& asked) {
    asked.model = random.chance(1, 2) ? "auto" : names[random.below(names.size())];
    body = body_of(asked, random);
    const size_t size = body.size();
    body.append(json::padding_bytes, ' ');
    RouteRequest request;
    request.body = std::string_view(body).substr(0, size);
    json::Scan scan;
    json::ScanError error;
    const bool valid = scanner.scan(request.body, config->settings.json, scan, error);
    REQUIRE_MESSAGE(valid, request.body, ": ", error.expected);
    scan.options.smart_routing = asked.model != "auto";
    key = random.chance(1, 4) ? &narrow : nullptr;
    for (size_t i = 0; i < 4; ++i) {
      const size_t at = random.below(unhealthy.size());
      unhealthy[at] = random.chance(1, 20);
      first_token_us[at] = static_cast<uint32_t>(random.below(900'000));
    }
    request.scan = &scan;
    request.scanner = &scanner;
    request.endpoint = &chat_endpoint(asked.wire);
    request.requested = asked.model;
    if (asked.model != "auto") request.asked = config->catalog.resolve(asked.model).deployment;
    request.config = config.get();
    request.key = key;
    request.ways = ways[static_cast<size_t>(asked.wire)];
    request.live = {first_token_us, unhealthy};
    failure = {};
    return router.route(request, failure);
  }

  // What the decision would have been if nothing was needed of a model.
  const Deployment* unfiltered() {
    routing::Question question = router.question();
    question.demands = {};
    routing::decide(question, router.field(), config->settings.routing, *without);
    return without->chosen;
  }

  Random random;
  SystemClock clock;
  std::shared_ptr<const config::Config> config;
  std::vector<routing::Way> ways[dialect::wires_count];
  std::vector<std::string> names;
  config::VirtualKey narrow;
  const config::VirtualKey* key = nullptr;
  std::vector<uint8_t> unhealthy;
  std::vector<uint32_t> first_token_us;
  json::Scanner scanner{1u << 30};
  Router router{clock};
  std::unique_ptr<routing::Decision> without = std::make_unique<routing::Decision>();
  std::string body;
  Failure failure;
};

const char* violation_of(const World& world, const AskedRequest& asked) {
  const routing::Decision& decision = world.router.decision();
  const Deployment& chosen = *decision.chosen;
  if (&chosen == decision.asked) return nullptr;
  if (world.key != nullptr && !world.key->allowed.allows(chosen)) return "permission";
  if (world.unhealthy[chosen.index] != 0) return "health";
  if (!chosen.in_environment) return "environment";
  if (decision.asked != nullptr && (decision.asked->provider != chosen.provider ||
                                    decision.asked->model->family != chosen.model->family))
    return "the family of the asked model";
  return what_is_lost(asked, chosen);
}

uint64_t requests_count() {
  const char* is_long = std::getenv("HYPERION_TEST_LONG");
  return is_long != nullptr && *is_long != 0 ? requests_of_long_runs : requests_of_every_run;
}

}  // namespace

TEST_CASE("no request loses a capability, a permission or its family by being routed") {
  World world(1);
  const uint64_t requests = requests_count();
  uint64_t violations = 0, mattered = 0, moved = 0, refused = 0, too_strict = 0;
  uint64_t per_wire[dialect::wires_count] = {}, per_tier[4] = {};
  std::map<std::string, uint64_t> saved_from;
  for (uint64_t i = 0; i < requests; ++i) {
    AskedRequest asked = test::random_request(world.random);
    const bool decided = world.decide(asked);
    const auto& decision = world.router.decision();
    ++per_tier[static_cast<size_t>(decision.tier)];
    const char* lost = nullptr;
    if (decided) {
      lost = violation_of(world, asked);
      moved += decision.chosen != decision.asked;
      for (uint32_t next = 0; lost == nullptr && next < decision.next_count; ++next) {
        if (decision.next[next] != decision.asked) lost = what_is_lost(asked, *decision.next[next]);
      }
    } else {
      CHECK(std::string_view(world.failure.code) == "no_capable_model");
      ++refused;
      bool somebody = false;
      for (const routing::RosterRow& row : world.config->roster.candidates()) {
        const Deployment* candidate = row.deployment;
        somebody |= what_is_lost(asked, *candidate) == nullptr &&
                    world.unhealthy[candidate->index] == 0 &&
                    (world.key == nullptr || world.key->allowed.allows(*candidate));
      }
      too_strict += somebody;
    }
    if (lost != nullptr && ++violations <= 20) {
      const std::string text = world.body.substr(0, 1500);
      FAIL_CHECK("request " << i << " loses " << std::string(lost) << " with "
                            << decision.chosen->id << ": " << text);
    }
    const Deployment* unfiltered = world.unfiltered();
    if (unfiltered == nullptr || unfiltered == decision.chosen || unfiltered == decision.asked)
      continue;
    if (const char* would = what_is_lost(asked, *unfiltered)) {
      ++mattered;
      ++per_wire[static_cast<size_t>(asked.wire)];
      ++saved_from[would];
    }
  }
  std::printf(
      "%llu requests: %llu moved, %llu refused (%llu of them not by the oracle), "
      "%llu violations; the filter mattered in %llu:\n",
      static_cast<unsigned long long>(requests), static_cast<unsigned long long>(moved),
      static_cast<unsigned long long>(refused), static_cast<unsigned long long>(too_strict),
      static_cast<unsigned long long>(violations), static_cast<unsigned long long>(mattered));
  for (const auto& [what, count] : saved_from)
    std::printf("  %7llu %s\n", static_cast<unsigned long long>(count), what.c_str());
  CHECK(violations == 0);
  CHECK(mattered > requests / 20);
  CHECK(moved > requests / 4);
  CHECK(refused < requests / 10);
  CHECK(too_strict < requests / 100);
  for (uint64_t count : per_wire) CHECK(count > requests / 200);
  for (size_t tier = 1; tier < 4; ++tier) CHECK(per_tier[tier] > requests / 50);
  for (const char* what : {"tools", "vision", "files", "hearing", "structured output", "thinking",
                           "sampling", "the length of the answer", "a tool of the provider's own"})
    CHECK_MESSAGE(saved_from[what] > 0, what);
}

}  // namespace hyperion::gateway
