// Runs seeds of the simulation and says what they reached.
//
//   sim [--seeds N] [--from SEED] [--seed SEED]     one failing seed is printed with what it
//   violated, and ends the run
//   sim_planted [--bug NAME]                        switches on one planted bug after the other:
//   each must be caught within the seeds
//
// The last line counts as the test run expects it: the seeds together are one case, each planted
// bug is one.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "base/planted.h"
#include "sim/scenario.h"

namespace {

using hyperion::sim::Coverage;
using hyperion::sim::run_seed;

// How many seeds `./dev test` runs (`--long` asks for more), and within how many a planted bug must
// be caught.
#ifdef HYPERION_PLANTED_BUGS
constexpr uint64_t seeds_default = 3'000;
#else
constexpr uint64_t seeds_default = 20'000;
#endif

struct Options {
  uint64_t first = 1;
  uint64_t count = seeds_default;
  std::string bug;  // the only one to plant; empty: all
};

#ifndef HYPERION_PLANTED_BUGS

int run_seeds(const Options& options) {
  Coverage coverage;
  for (uint64_t seed = options.first; seed < options.first + options.count; ++seed) {
    std::string violation = run_seed(seed, coverage, options.count == 1);
    if (violation.empty()) continue;
    std::printf("seed %llu: %s\n", static_cast<unsigned long long>(seed), violation.c_str());
    std::printf("again: sim --seed %llu\n0 passed, 1 failed, 0 skipped\n",
                static_cast<unsigned long long>(seed));
    return 1;
  }
  coverage.print();
  std::printf("%llu seeds\n", static_cast<unsigned long long>(options.count));
  // Few seeds need not come everywhere.
  bool complete = true;
  if (options.count >= seeds_default) {
    for (const std::string& cell : coverage.missing()) {
      std::printf("never reached: %s\n", cell.c_str());
      complete = false;
    }
  }
  std::printf("%d passed, %d failed, 0 skipped\n", complete ? 1 : 0, complete ? 0 : 1);
  return complete ? 0 : 1;
}

#else

// In a process of its own: a planted bug may well crash, which counts as caught.
bool is_caught(hyperion::PlantedBug bug, const Options& options) {
  std::fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    // What a bug breaks is expected to be loud.
    if (std::freopen("/dev/null", "w", stderr) == nullptr) _exit(2);
    hyperion::planted_bug = bug;
    Coverage coverage;
    for (uint64_t seed = options.first; seed < options.first + options.count; ++seed) {
      std::string violation = run_seed(seed, coverage);
      if (violation.empty()) continue;
      std::printf("  %-24s seed %llu: %.150s\n", name_of(bug),
                  static_cast<unsigned long long>(seed), violation.c_str());
      std::fflush(stdout);
      _exit(7);
    }
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status))
    std::printf("  %-24s a broken invariant (signal %d)\n", name_of(bug), WTERMSIG(status));
  return WIFSIGNALED(status) || WEXITSTATUS(status) != 0;
}

int run_planted(const Options& options) {
  // Without a bug the same build must find nothing, or being caught would mean nothing.
  int caught = 0;
  int missed = 0;
  if (is_caught(hyperion::PlantedBug::none, options)) {
    std::printf("  this build fails without any planted bug\n");
    ++missed;
  } else {
    ++caught;
  }
  for (int i = 1; i < static_cast<int>(hyperion::PlantedBug::count); ++i) {
    auto bug = static_cast<hyperion::PlantedBug>(i);
    if (!options.bug.empty() && options.bug != name_of(bug)) continue;
    if (is_caught(bug, options)) {
      ++caught;
    } else {
      ++missed;
      std::printf("  %-24s NOT CAUGHT in %llu seeds\n", name_of(bug),
                  static_cast<unsigned long long>(options.count));
    }
  }
  std::printf("%d passed, %d failed, 0 skipped\n", caught, missed);
  return missed == 0 ? 0 : 1;
}

#endif

}  // namespace

int main(int count, char** values) {
  Options options;
  for (int i = 1; i + 1 < count; i += 2) {
    uint64_t value = std::strtoull(values[i + 1], nullptr, 10);
    if (std::strcmp(values[i], "--bug") == 0) options.bug = values[i + 1];
    if (std::strcmp(values[i], "--seeds") == 0) options.count = value;
    if (std::strcmp(values[i], "--from") == 0) options.first = value;
    if (std::strcmp(values[i], "--seed") == 0) {
      options.first = value;
      options.count = 1;
    }
  }
#ifdef HYPERION_PLANTED_BUGS
  return run_planted(options);
#else
  return run_seeds(options);
#endif
}
