// hyperion explain: what would be decided for a request, without sending it.
#include <cstdio>
#include <iostream>
#include <string>

#include "base/byte_buffer.h"
#include "config/config.h"
#include "gateway/router.h"
#include "json/output.h"
#include "server/commands.h"

namespace hyperion::server {
namespace {

constexpr int exit_usage = 2;

// Where no conf is given: the vendors whose models the catalogue knows best.
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

constexpr std::string_view usage =
    "Usage: hyperion explain [-c FILE] [--jsonl] [--dialect NAME] < body.json\n"
    "  --jsonl    one request body a line in, one decision a line out\n"
    "  --dialect  of the bodies: openai_chat (default), openai_responses, anthropic or gemini\n";

struct Options {
  std::string conf;
  bool lines = false;
  dialect::Wire wire = dialect::Wire::openai_chat;
};

bool read_dialect(std::string_view name, dialect::Wire& wire) {
  for (size_t i = 0; i < dialect::wires_count; ++i) {
    wire = static_cast<dialect::Wire>(i);
    if (dialect::name_of(wire) == name) return true;
  }
  return false;
}

bool read_options(const Arguments& arguments, Options& options) {
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view argument = arguments[i];
    const bool more = i + 1 < arguments.size();
    if (argument == "--jsonl") {
      options.lines = true;
    } else if ((argument == "-c" || argument == "--conf") && more) {
      options.conf = arguments[++i];
    } else if (argument == "--dialect" && more && read_dialect(arguments[i + 1], options.wire)) {
      ++i;
    } else {
      std::fprintf(stderr, "hyperion explain: `%.*s` cannot be used so.\n%.*s",
                   static_cast<int>(argument.size()), argument.data(),
                   static_cast<int>(usage.size()), usage.data());
      return false;
    }
  }
  return true;
}

class Explainer {
 public:
  Explainer(std::shared_ptr<const config::Config> config, dialect::Wire wire)
      : config_(std::move(config)),
        endpoint_(gateway::chat_endpoint(wire)),
        ways_(gateway::ways_from(endpoint_, config_->catalog)),
        scanner_(config_->settings.http.body_size_max_bytes),
        router_(clock_) {}

  // The decision as one line of JSON, or an error in the shape of the API's.
  std::string_view explain(std::string& body, bool& good) {
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

 private:
  bool decide(std::string& body, std::string& requested, gateway::Failure& failure) {
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
    if (requested != gateway::automatic_model && !resolve(requested, request, failure))
      return false;
    return router_.route(request, failure);
  }

  bool resolve(std::string_view name, gateway::RouteRequest& request, gateway::Failure& failure) {
    const catalog::Resolution found = config_->catalog.resolve(name);
    if (found.found()) {
      request.asked = found.deployment;
      return true;
    }
    failure =
        gateway::make_failure(404, "model_not_found", "model",
                              "The model `%.*s` is not known, retired, or served by no "
                              "provider of the conf.",
                              static_cast<int>(std::min<size_t>(name.size(), 100)), name.data());
    return false;
  }

  std::shared_ptr<const config::Config> config_;
  const gateway::Endpoint& endpoint_;
  std::vector<routing::Way> ways_;
  json::Scanner scanner_;
  SystemClock clock_;
  gateway::Router router_;
  BlockPool blocks_{64, 64};
  MemoryBudget memory_;
  ByteBuffer text_{blocks_, memory_};
};

void print(std::string_view line) { std::fwrite(line.data(), 1, line.size(), stdout); }

}  // namespace

int run_explain(const Arguments& arguments) {
  Options options;
  if (!read_options(arguments, options)) return exit_usage;
  config::LoadOutcome outcome = options.conf.empty()
                                    ? config::load_text(usual_providers, "the usual providers")
                                    : config::load_file(options.conf);
  for (const std::string& error : outcome.errors)
    std::fprintf(stderr, "error: %s\n", error.c_str());
  if (outcome.config == nullptr) return 1;
  Explainer explainer(outcome.config, options.wire);
  bool all_good = true;
  bool good = false;
  std::string body;
  if (!options.lines) {
    body.assign(std::istreambuf_iterator<char>(std::cin), {});
    print(explainer.explain(body, all_good));
    print("\n");
    return all_good ? 0 : 1;
  }
  std::ios::sync_with_stdio(false);
  while (std::getline(std::cin, body)) {
    print(explainer.explain(body, good));
    print("\n");
    all_good = all_good && good;
  }
  return all_good ? 0 : 1;
}

}  // namespace hyperion::server
