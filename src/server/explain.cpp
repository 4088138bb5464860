// hyperion explain: what would be decided for a request, without sending it.
#include <cstdio>
#include <iostream>
#include <string>

#include "server/commands.h"
#include "server/explainer.h"

namespace hyperion::server {
namespace {

constexpr int exit_usage = 2;

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

void print(std::string_view line) { std::fwrite(line.data(), 1, line.size(), stdout); }

}  // namespace

int run_explain(const Arguments& arguments) {
  Options options;
  if (!read_options(arguments, options)) return exit_usage;
  const std::shared_ptr<const config::Config> config = load_for_offline(options.conf);
  if (config == nullptr) return 1;
  Explainer explainer(config, options.wire);
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
