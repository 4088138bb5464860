#include "server/commands.h"

#include <cstdio>
#include <string>

#include "config/config.h"
#include "io/capabilities.h"
#include "server/server.h"
#include "tls/sha256.h"

namespace hyperion::server {
namespace {

constexpr int exit_usage = 2;
constexpr size_t key_id_size_max_bytes = 63;  // as the conf has it for labels

void print_refusal(const io::Refusal& refusal) {
  std::fprintf(stderr, "hyperion: %s\nhyperion: %s\n", refusal.what.c_str(),
               refusal.remedy.c_str());
}

// Loads the conf and says everything that is wrong with it.
config::LoadOutcome load(std::string_view path) {
  config::LoadOutcome outcome;
  if (path.empty()) {
    outcome.config = config::Config::defaults();
  } else {
    outcome = config::load_file(std::string(path));
  }
  for (const std::string& warning : outcome.warnings)
    std::fprintf(stderr, "warning: %s\n", warning.c_str());
  for (const std::string& error : outcome.errors)
    std::fprintf(stderr, "error: %s\n", error.c_str());
  return outcome;
}

}  // namespace

bool read_conf_option(const Arguments& arguments, const char* command, std::string_view& path) {
  for (size_t i = 0; i < arguments.size(); ++i) {
    bool conf = arguments[i] == "-c" || arguments[i] == "--conf";
    if (conf && i + 1 < arguments.size()) {
      path = arguments[++i];
      continue;
    }
    std::fprintf(stderr, "hyperion %s: %s `%.*s`. Usage: hyperion %s -c FILE\n", command,
                 conf ? "a file must follow" : "unknown argument",
                 static_cast<int>(arguments[i].size()), arguments[i].data(), command);
    return false;
  }
  return true;
}

int run_serve(const Arguments& arguments) {
  std::string_view path;
  if (!read_conf_option(arguments, "serve", path)) return exit_usage;
  if (path.empty()) {
    std::fprintf(stderr,
                 "hyperion serve: no conf file. Usage: hyperion serve -c conf/hyperion.toml "
                 "(or try `hyperion demo`, which needs none)\n");
    return exit_usage;
  }
  Server::block_signals();
  std::vector<std::string> again{"serve"};
  again.insert(again.end(), arguments.begin(), arguments.end());
  Launch launch = Launch::of_this_process(std::move(again));
  std::string problem;
  Predecessor predecessor;
  bool succeeds = predecessor.find(problem);
  if (!problem.empty()) {
    std::fprintf(stderr, "hyperion: %s\n", problem.c_str());
    return exit_refused;
  }
  config::LoadOutcome outcome = load(path);
  if (outcome.config == nullptr) return exit_refused;
  io::CapabilityReport report = io::probe_capabilities();
  if (report.refusal) {
    print_refusal(report.refusal);
    return exit_refused;
  }
  std::fputs(report.table().c_str(), stderr);
  Server server(outcome.config, std::string(path), std::move(launch),
                succeeds ? &predecessor : nullptr);
  io::Refusal refusal = server.start();
  if (refusal) {
    print_refusal(refusal);
    return exit_refused;
  }
  for (const std::string& address : server.addresses())
    std::fprintf(stderr, "listening on %s\n", address.c_str());
  return server.wait();
}

int run_check(const Arguments& arguments) {
  std::string_view path;
  if (!read_conf_option(arguments, "check", path)) return exit_usage;
  config::LoadOutcome outcome = load(path);
  io::CapabilityReport report = io::probe_capabilities();
  std::fputs(report.table().c_str(), stdout);
  if (report.refusal) print_refusal(report.refusal);
  if (outcome.config == nullptr) {
    std::printf("%.*s: %zu error%s\n", static_cast<int>(path.size()), path.data(),
                outcome.errors.size(), outcome.errors.size() == 1 ? "" : "s");
    return 1;
  }
  const config::Config& config = *outcome.config;
  std::printf("conf: good (%zu providers, %zu names of models, %zu keys, stamp %s)\n",
              config.catalog.providers().size(), config.catalog.names().size(),
              config.keys.all().size(), config.stamp.c_str());
  return report.refusal ? 1 : 0;
}

int run_key(const Arguments& arguments) {
  bool create = !arguments.empty() && arguments[0] == "create";
  bool test = false;
  std::string id;
  for (size_t i = 1; create && i < arguments.size(); ++i) {
    if (arguments[i] == "--test") {
      test = true;
    } else if (id.empty() && !arguments[i].starts_with("-")) {
      id = arguments[i];
    } else {
      create = false;
    }
  }
  if (id.empty()) id = "key-1";
  if (!create || id.size() > key_id_size_max_bytes ||
      id.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") != std::string::npos) {
    std::fprintf(
        stderr,
        "Usage: hyperion key create [--test] [ID]   (ID: up to 63 letters a-z, digits and -)\n");
    return exit_usage;
  }
  // 192 random bits; the hash alone is stored.
  char bytes[24];
  tls::random_bytes(bytes, sizeof(bytes));
  std::string key = std::string(test ? "sk_test_" : "sk_live_") + id + "_" +
                    tls::hex_of(std::string_view(bytes, sizeof(bytes)));
  auto hex = tls::hex_of(tls::sha256(key));
  std::printf(
      "The key, shown this once:\n\n  %s\n\nPut this into the conf file:\n\n[[keys]]\nid = "
      "\"%s\"\nhash = \"sha256:%.64s\"\n",
      key.c_str(), id.c_str(), hex.data());
  if (test) std::printf("test = true\n");
  return 0;
}

}  // namespace hyperion::server
