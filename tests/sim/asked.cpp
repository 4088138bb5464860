#include "sim/asked.h"

#include <algorithm>

namespace hyperion::sim {
namespace {

constexpr const char* timeouts[] = {"connect_ms", "first_token_ms", "idle_ms", "total_ms"};

std::string draw_name(Random& random) {
  // By the name of another place, too.
  if (random.chance(1, 10)) return "alpha-2";
  return model_names[random.below(std::size(model_names))];
}

void draw_fallbacks(Random& random, Asked& request) {
  request.names_fallbacks = true;
  for (uint64_t i = random.below(4); i > 0; --i) request.fallbacks.push_back(draw_name(random));
}

void draw_timeout(Random& random, Asked& request) {
  request.timeout = timeouts[random.below(std::size(timeouts))];
  request.timeout_ms = 1 + random.below(random.chance(1, 2) ? 40 : 1'500);
}

}  // namespace

void draw_request(Random& random, dialect::Wire wire, Asked& request) {
  request.wire = wire;
  request.stream = random.chance(1, 2);
  request.array = wire == dialect::Wire::gemini && request.stream && random.chance(1, 2);
  request.model = draw_name(random);
  switch (random.below(12)) {
    case 0:
    case 1:
    case 2: draw_fallbacks(random, request); break;
    case 3: request.names_fallbacks = true; break;
    case 4: request.cost = static_cast<Cost>(1 + random.below(3)); break;
    case 5: draw_timeout(random, request); break;
    case 6:
      draw_fallbacks(random, request);
      request.cost = static_cast<Cost>(random.below(4));
      if (random.chance(1, 2)) draw_timeout(random, request);
      break;
    default: break;
  }
}

std::string options_text(const Asked& request, bool tags) {
  std::string text;
  const auto add = [&text](const std::string& member) {
    text += (text.empty() ? "" : ",") + member;
  };
  if (tags) add("\"tags\":{\"a\":\"b\"}");
  if (request.names_fallbacks) {
    std::string list;
    for (const std::string& name : request.fallbacks)
      list += (list.empty() ? "\"" : ",\"") + name + "\"";
    add("\"fallbacks\":[" + list + "]");
  }
  constexpr const char* costs[] = {"", "100000", "0.5", "0.000000001"};
  if (request.cost != Cost::none)
    add(std::string("\"max_cost\":") + costs[static_cast<size_t>(request.cost)]);
  if (request.timeout != nullptr) {
    add(std::string("\"timeouts\":{\"") + request.timeout +
        "\":" + std::to_string(request.timeout_ms) + "}");
  }
  return text.empty() ? text : "\"hyperion\":{" + text + "},";
}

Deployments plan_of(const config::Config& config, const Asked& request) {
  Deployments plan = places_of(config, request.model);
  Deployments rest;
  if (request.names_fallbacks) {
    for (const std::string& name : request.fallbacks) {
      for (const catalog::Deployment* place : places_of(config, name)) rest.push_back(place);
    }
  } else {
    rest = fallbacks_of(config, request.model);
  }
  for (const catalog::Deployment* place : rest) {
    if (std::find(plan.begin(), plan.end(), place) == plan.end()) plan.push_back(place);
  }
  return plan;
}

size_t attempts_bound(const config::Config& config, const Asked& request) {
  return std::max<size_t>(config.settings.resilience.retries.attempts_max,
                          plan_of(config, request).size());
}

}  // namespace hyperion::sim
