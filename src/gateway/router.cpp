#include "gateway/router.h"

#include <cmath>

#include "gateway/crossing.h"
#include "json/string_list.h"
#include "json/walker.h"
#include "routing/prompt_reader.h"
#include "routing/scorer.h"
#include "routing/selection.h"
#include "routing/token_estimate.h"

namespace hyperion::gateway {
namespace {

using routing::Route;

// Of a name or a tag; longer ones match nothing.
constexpr size_t text_max_bytes = 512;

int size_of(std::string_view text) { return static_cast<int>(std::min<size_t>(text.size(), 100)); }

}  // namespace

routing::Stamps stamps_of(const config::Config& config) {
  return {config.stamp, config.catalog_stamp, config.weights->stamp()};
}

std::vector<routing::Way> ways_from(const Endpoint& endpoint, const catalog::Catalog& catalog) {
  std::vector<routing::Way> ways;
  for (const catalog::Deployment& deployment : catalog.deployments()) {
    switch (crossing_to(endpoint, deployment).kind) {
      case Crossing::Kind::passthrough: ways.push_back(routing::Way::passthrough); break;
      case Crossing::Kind::translated: ways.push_back(routing::Way::translated); break;
      default: ways.push_back(routing::Way::none);
    }
  }
  return ways;
}

Router::Router(const Clock& clock)
    : clock_(clock),
      conversation_(std::make_unique<routing::Conversation>()),
      decision_(std::make_unique<routing::Decision>()) {
  everything_.allow_all();
}

Router::~Router() = default;

int64_t Router::nano_usd(double usd) {
  constexpr double most =
      9e8;  // 9e17 nano-dollars: 18 digits, the longest number that is read back
  return usd < 0 ? -1 : std::llround(std::min(usd, most) * 1e9);
}

Route Router::route_of(const json::Options& options, std::string_view model) {
  if (model == automatic_model) return Route::automatic;
  return options.smart_routing ? Route::smart : Route::passthrough;
}

bool Router::route(const RouteRequest& request, Failure& failure) {
  const Instant begin = clock_.precise_now();
  const json::Options& options = request.scan->options;
  const config::Config& config = *request.config;
  const Route route = route_of(options, request.requested);
  if (route == Route::automatic && options.smart_routing_given && !options.smart_routing) {
    failure = make_failure(400, "invalid_request", "smart_routing",
                           "`smart_routing`: expected true or nothing with the model `auto`, got "
                           "false: `auto` is a choice by the gateway.");
    return false;
  }
  field_ = {};
  field_.candidates = config.roster.candidates();
  field_.allowed = request.key != nullptr ? &request.key->allowed : &everything_;
  field_.ways = request.ways;
  field_.live = request.live;
  field_.assume_usable = request.assume_usable;
  if (route == Route::automatic && !read_providers(request, failure)) return false;

  routing::read_conversation(request.body,
                             request.scanner->walk_again(request.body, config.settings.json),
                             request.endpoint->wire, *conversation_);
  const routing::Window window(conversation_->last.text());
  const routing::TokenEstimate tokens = routing::estimate_tokens(*conversation_, window);
  question_.route = route;
  question_.asked = request.asked;
  question_.demands = routing::demands_of(*conversation_, tokens.most, tokens.expected);
  question_.tokens_estimated = tokens.expected;
  question_.max_cost_nano_usd = nano_usd(options.max_cost_usd);
  question_.pressure = 0;
  question_.explains = request.explains;
  score_turns(window, config, request.key != nullptr ? std::string_view(request.key->id) : "");
  question_.rule = route == Route::passthrough ? nullptr : find_rule(request);

  if (route == Route::passthrough || (request.asked != nullptr && request.asked->model == nullptr))
    field_.candidates = {};
  routing::decide(question_, field_, config.settings.routing, *decision_);
  if (route == Route::passthrough) decision_->chosen = request.asked;
  decision_->ns = elapsed_ns(begin, clock_.precise_now());
  if (decision_->chosen != nullptr) return true;
  failure = nothing_left();
  return false;
}

routing::Demands Router::demands(const RouteRequest& request) {
  routing::read_conversation(
      request.body, request.scanner->walk_again(request.body, request.config->settings.json),
      request.endpoint->wire, *conversation_);
  const routing::Window window(conversation_->last.text());
  const routing::TokenEstimate tokens = routing::estimate_tokens(*conversation_, window);
  return routing::demands_of(*conversation_, tokens.most, tokens.expected);
}

void Router::score_turns(const routing::Window& window, const config::Config& config,
                         std::string_view key) {
  const routing::Conversation& conversation = *conversation_;
  const auto add = [&](const routing::Prompt& prompt, uint32_t at) {
    routing::Turn& turn = question_.turns[at];
    const bool last = at == conversation.earlier_count;
    turn.scores = last ? routing::score_prompt(prompt, window, conversation.wants, *config.weights,
                                               &question_.traits)
                       : routing::score_prompt(prompt, conversation.wants, *config.weights);
    const routing::Shape& shape = prompt.shape;
    // What stood in front of the turn, at the density of the whole.
    const routing::Shape& whole = conversation.last.shape;
    const uint64_t all = whole.system_bytes + whole.user_bytes + whole.other_bytes +
                         whole.call_bytes + conversation.wants.tools_bytes;
    const uint64_t before =
        shape.system_bytes + shape.other_bytes + shape.call_bytes + conversation.wants.tools_bytes;
    turn.tokens_before = static_cast<uint32_t>(
        all == 0 ? 0 : std::min(before, all) * question_.tokens_estimated / all);
  };
  for (uint32_t i = 0; i < conversation.earlier_count; ++i) add(conversation.earlier[i], i);
  add(conversation.last, conversation.earlier_count);
  question_.turn_count = conversation.earlier_count + 1;
  question_.calibrated = 0;  // the scores are fresh
  calibrate(question_, config.calibrations, key);
}

// `hyperion.providers`: names of the conf, each of which must exist.
bool Router::read_providers(const RouteRequest& request, Failure& failure) {
  const json::Field& list = request.scan->options.providers;
  if (!list.present()) return true;
  field_.providers = 0;
  char scratch[text_max_bytes];
  json::StringList names(request.body, list, scratch, sizeof(scratch));
  for (std::string_view name; names.next(name);) {
    const catalog::Provider* provider = request.config->catalog.provider(name);
    if (provider == nullptr) {
      failure = make_failure(400, "invalid_request", "hyperion.providers",
                             "`hyperion.providers`: expected names of this gateway's providers, "
                             "got `%.*s`.",
                             size_of(name), name.data());
      return false;
    }
    if (provider->index < 64) field_.providers |= uint64_t{1} << provider->index;
  }
  return true;
}

const routing::Rule* Router::find_rule(const RouteRequest& request) const {
  const routing::Scores& last = question_.turns[question_.turn_count - 1].scores;
  for (const routing::Rule& rule : request.config->settings.routing.rules) {
    if (!routing::applies(rule, question_.route, last.kind, question_.tokens_estimated)) continue;
    bool of_key = rule.keys.empty();
    for (const std::string& id : rule.keys)
      of_key |= request.key != nullptr && request.key->id == id;
    if (of_key && tags_match(request, rule)) return &rule;
  }
  return nullptr;
}

bool Router::tags_match(const RouteRequest& request, const routing::Rule& rule) const {
  if (rule.tags.empty()) return true;
  const json::Field& tags = request.scan->options.tags;
  if (!tags.present()) return false;
  size_t matched = 0;
  char scratch[2 * text_max_bytes];
  json::StringList list(request.body, tags, scratch, sizeof(scratch));
  for (std::string_view key, value; list.next(key, value);) {
    const auto wanted = rule.tags.find(key);
    matched += wanted != rule.tags.end() && wanted->second == value;
  }
  return matched == rule.tags.size();
}

// Which wall was hit, and the nearest that would have fitted.
Failure Router::nothing_left() const {
  const routing::Decision& decision = *decision_;
  if (decision.candidate_count == 0) {
    return make_failure(400, "no_capable_model", "model",
                        "`auto` has nothing to choose from: no provider of this gateway serves a "
                        "model whose quality and price are known.");
  }
  const std::string_view wall = routing::name_of(decision.wall);
  const std::string_view nearest = decision.nearest != nullptr
                                       ? std::string_view(decision.nearest->id)
                                       : std::string_view("none");
  return make_failure(400, "no_capable_model", "model",
                      "No model that this key may use can take the request: what keeps the nearest "
                      "of %u candidates out is `%.*s`; without that it would be %.*s.",
                      decision.candidate_count, size_of(wall), wall.data(), size_of(nearest),
                      nearest.data());
}

}  // namespace hyperion::gateway
