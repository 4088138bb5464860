#include "server/explainer.h"

#include <algorithm>
#include <cstdio>

#include "json/output.h"

namespace hyperion::server {
namespace {

constexpr std::string_view usual_providers = R"(
[[providers]]
name = "openai"
[[providers]]
name = "anthropic"
[[providers]]
name = "gemini"
[[providers]]
name = "mistral"
[[providers]]
name = "deepseek"
[[providers]]
name = "xai"
[[providers]]
name = "groq"
)";

}  // namespace

std::shared_ptr<const config::Config> load_for_offline(const std::string& path) {
  config::LoadOutcome outcome = path.empty()
                                    ? config::load_text(usual_providers, "the usual providers")
                                    : config::load_file(path);
  for (const std::string& error : outcome.errors)
    std::fprintf(stderr, "error: %s\n", error.c_str());
  return outcome.config;
}

Explainer::Explainer(std::shared_ptr<const config::Config> config, dialect::Wire wire)
    : config_(std::move(config)),
      endpoint_(gateway::chat_endpoint(wire)),
      ways_(gateway::ways_from(endpoint_, config_->catalog)),
      scanner_(config_->settings.http.body_size_max_bytes),
      router_(clock_) {}

std::string_view Explainer::explain(std::string& body, bool& good) {
  text_.clear();
  json::Output out(text_);
  gateway::Failure failure;
  std::string requested;
  good = decide(body, requested, failure);
  if (good) {
    routing::write_decision(router_.decision(), requested, gateway::stamps_of(*config_), out);
  } else {
    dialect::write_error(dialect::Wire::openai_chat, gateway::answer_of(failure, {}), out);
  }
  return out.text();
}

bool Explainer::decide(std::string& body, std::string& requested, gateway::Failure& failure) {
  const size_t size = body.size();
  body.append(json::padding_bytes, ' ');
  gateway::RouteRequest request;
  request.body = std::string_view(body).substr(0, size);
  json::Scan scan;
  json::ScanError error;
  if (!scanner_.scan(request.body, config_->settings.json, scan, error)) {
    failure = gateway::failure_of(error);
    return false;
  }
  requested = scan.model;
  request.requested = requested;
  request.scan = &scan;
  request.scanner = &scanner_;
  request.endpoint = &endpoint_;
  request.config = config_.get();
  request.ways = ways_;
  request.assume_usable = true;
  request.explains = true;
  if (requested != gateway::automatic_model && !resolve(requested, request, failure)) return false;
  return router_.route(request, failure);
}

bool Explainer::resolve(std::string_view name, gateway::RouteRequest& request,
                        gateway::Failure& failure) {
  const catalog::Resolution found = config_->catalog.resolve(name);
  if (found.found()) {
    request.asked = found.deployment;
    return true;
  }
  failure = gateway::make_failure(
      404, "model_not_found", "model",
      "The model `%.*s` is not known, retired, or served by no provider of the conf.",
      static_cast<int>(std::min<size_t>(name.size(), 100)), name.data());
  return false;
}

}  // namespace hyperion::server
