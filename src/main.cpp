// The command line of Hyperion: finds the command, leaves the rest to server/commands.
#include <cstdio>
#include <string_view>

#include "server/commands.h"

namespace {

using hyperion::server::Arguments;

struct Command {
  std::string_view name;
  const char* usage;
  const char* help;
  int (*run)(const Arguments&);
};

int print_version(const Arguments&) {
  std::printf("hyperion %s\n", HYPERION_VERSION);
  return 0;
}

int print_help(const Arguments&);

constexpr Command commands[] = {
    {"serve", "serve -c FILE",
     "start (SIGHUP reloads, SIGTERM drains, SIGUSR2 hands over to a new binary)",
     hyperion::server::run_serve},
    {"check", "check -c FILE", "validate a conf file, print what this host's io_uring can do",
     hyperion::server::run_check},
    {"demo", "demo [--outage]",
     "gateway + simulated providers on loopback, samples or an outage (no keys needed)",
     hyperion::server::run_demo},
    {"simulate", "simulate [-c FILE] [--port N]", "the simulated provider alone, with faults",
     hyperion::server::run_simulate},
    {"key", "key create [--test] [ID]", "make a virtual key (shown once; the conf keeps its hash)",
     hyperion::server::run_key},
    {"explain", "explain [-c FILE] [--jsonl]", "which model would answer a request, and why",
     hyperion::server::run_explain},
    {"replay", "replay LOG --config NEW",
     "what logged decisions would be and cost under another conf", hyperion::server::run_replay},
    {"feedback", "feedback [-c FILE] FILE...", "learn a calibration from labelled requests",
     hyperion::server::run_feedback},
    {"version", "version", "print the version", print_version},
    {"help", "help", "print this", print_help},
};

int print_help(const Arguments&) {
  std::printf("Hyperion, an LLM gateway.\n\n");
  for (const Command& command : commands)
    std::printf("  hyperion %-32s %s\n", command.usage, command.help);
  return 0;
}

}  // namespace

int main(int count, char** values) {
  std::string_view name = count > 1 ? values[1] : "help";
  if (name == "--help" || name == "-h") name = "help";
  if (name == "--version") name = "version";
  Arguments arguments;
  for (int i = 2; i < count; ++i) arguments.emplace_back(values[i]);
  for (const Command& command : commands) {
    if (command.name == name) return command.run(arguments);
  }
  std::fprintf(stderr, "hyperion: there is no command `%s`. `hyperion help` lists them.\n",
               values[1]);
  return 2;
}
