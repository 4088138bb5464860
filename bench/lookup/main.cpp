// What resolving a model's name costs: every name of the built-in catalogue, and misses.
//
// Loads the built-in catalogue with a provider for each vendor, shuffles its names by a fixed seed
// and resolves them in rounds, so that neither the branch predictor nor the cache learns one name.
// Prints JSON for bench/names. No I/O, no network.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "config/config.h"

namespace {

using Clock = std::chrono::steady_clock;

// A configuration whose providers want no key.
std::shared_ptr<const hyperion::config::Config> load() {
  std::string conf;
  for (const char* family :
       {"openai", "anthropic", "google", "groq", "mistral", "deepseek", "xai"}) {
    conf += "[[providers]]\nname = \"at-" + std::string(family) +
            "\"\nbase_url = \"http://127.0.0.1:1\"\nserves = [\"" + family + "\"]\n";
  }
  auto outcome = hyperion::config::load_text(conf, "bench");
  for (const std::string& error : outcome.errors) std::fprintf(stderr, "%s\n", error.c_str());
  if (outcome.config == nullptr) std::exit(1);
  return outcome.config;
}

// Nanoseconds a name, and how many were found (so that nothing is optimised away).
double round_ns(const hyperion::catalog::Catalog& catalog, const std::vector<std::string>& names,
                size_t& found) {
  const auto begin = Clock::now();
  for (const std::string& name : names) found += catalog.resolve(name).found() ? 1 : 0;
  const std::chrono::duration<double, std::nano> took = Clock::now() - begin;
  return took.count() / static_cast<double>(names.size());
}

void print_rounds(const char* key, const std::vector<double>& rounds) {
  std::printf("\"%s\": [", key);
  for (size_t i = 0; i < rounds.size(); ++i) std::printf("%s%.2f", i > 0 ? ", " : "", rounds[i]);
  std::printf("]");
}

}  // namespace

int main(int count, char** arguments) {
  const int rounds = count > 1 ? std::atoi(arguments[1]) : 200;
  const auto config = load();
  std::vector<std::string> known, unknown;
  for (const auto& row : config->catalog.names()) {
    known.emplace_back(config->catalog.text(row));
    unknown.push_back(known.back() + "x");
  }
  std::mt19937 generator(1);
  std::shuffle(known.begin(), known.end(), generator);
  std::shuffle(unknown.begin(), unknown.end(), generator);
  size_t found = 0, found_unknown = 0;
  std::vector<double> known_ns, unknown_ns;
  for (int i = 0; i < rounds; ++i) {
    known_ns.push_back(round_ns(config->catalog, known, found));
    unknown_ns.push_back(round_ns(config->catalog, unknown, found_unknown));
  }
  std::printf("{\"names\": %zu, \"found\": %zu, \"found_unknown\": %zu, ", known.size(),
              found / static_cast<size_t>(rounds), found_unknown);
  print_rounds("known_ns", known_ns);
  std::printf(", ");
  print_rounds("unknown_ns", unknown_ns);
  std::printf("}\n");
}
