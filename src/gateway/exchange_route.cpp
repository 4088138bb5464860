// Which model answers where the client leaves room for a choice: smart routing, auto, explanations.
#include "gateway/client.h"
#include "gateway/exchange.h"
#include "gateway/gateway.h"

namespace hyperion::gateway {
namespace {

constexpr size_t line_max_bytes = 512;

}  // namespace

// Strict passthrough is decided by the name alone and costs nothing more.
bool Exchange::choose_model(const json::Scan& scan) {
  const routing::Route wanted = Router::route_of(scan.options, record_.requested_model);
  const bool chat = endpoint_->operation == Operation::chat;
  if (wanted != routing::Route::passthrough && !chat) {
    const bool automatic = wanted == routing::Route::automatic;
    refuse(make_failure(400, "unsupported_parameter", automatic ? "model" : "smart_routing",
                        "A choice of model (`auto`, `smart_routing`) is made for chat only; "
                        "%.*s needs the name of a model.",
                        static_cast<int>(endpoint_->path.size()), endpoint_->path.data()),
           Side::client, Phase::decide);
    return false;
  }
  if (wanted != routing::Route::automatic && !resolve_model()) return false;
  asked_ = resolution_.deployment;
  const bool explains = explains_ || endpoint_->work == Work::explain;
  return (wanted == routing::Route::passthrough && !(explains && chat)) || route(scan);
}

RouteRequest Exchange::route_request(const json::Scan& scan) {
  RouteRequest request;
  request.body = body_.view();
  request.scan = &scan;
  request.scanner = &gateway_.last_scanner();
  request.endpoint = endpoint_;
  request.requested = record_.requested_model;
  request.asked = resolution_.deployment;
  request.config = snapshot_->config.get();
  request.key = key_;
  request.ways = snapshot_->ways[static_cast<size_t>(endpoint_->wire)];
  request.explains = explains_ || endpoint_->work == Work::explain;
  request.live.first_token_us = snapshot_->health->first_token_us();
  request.live.unhealthy = snapshot_->health->unhealthy();
  return request;
}

// Asks the router; a choice that differs from what was asked for takes its place.
bool Exchange::route(const json::Scan& scan) {
  Router& router = gateway_.router();
  const RouteRequest request = route_request(scan);
  Failure failure;
  if (!router.route(request, failure)) {
    refuse(failure, Side::client, Phase::decide);
    return false;
  }
  const routing::Decision& decision = router.decision();
  record_.routed = decision.route;
  if (decision.chosen != resolution_.deployment) {
    resolution_ =
        snapshot_->config->catalog.resolution_of(*decision.chosen, catalog::Match::routed);
    if (!accept_deployment()) return false;
  }
  keep_decision();
  return true;
}

// For the answer's head, the log and, if it was asked for, the answer.
void Exchange::keep_decision() {
  const Router& router = gateway_.router();
  const routing::Decision& decision = router.decision();
  const routing::Stamps stamps = stamps_of(*snapshot_->config);
  if (explains_ || endpoint_->work == Work::explain) {
    json::Output out(explanation_);
    routing::write_decision(decision, record_.requested_model, stamps, out);
    if (out.failed()) explanation_.clear();
  }
  if (decision.route == routing::Route::passthrough) return;
  record_.intent = routing::name_of(decision.tier);
  char line[line_max_bytes];
  const size_t size =
      routing::write_decision_line(decision, record_.requested_model, line, sizeof(line));
  record_.decision_line = client_->arena().copy({line, size});
  json::Output logged(gateway_.scratch());
  routing::write_logged(router.question(), router.field(), decision, stamps, logged);
  if (!logged.failed() && logged.text().size() <= decision_logged_max_bytes)
    record_.decision = client_->arena().copy(logged.text());
  gateway_.decisions().add(request_id(), record_.decision);
}

// POST /v1/route/explain: the decision alone, nothing is sent.
void Exchange::answer_explanation() { answer_text(200, "application/json", explanation_.view()); }

}  // namespace hyperion::gateway
