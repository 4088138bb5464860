// What a whole decision costs: from the scanned body to the model that answers.
//
//   routing_decisions CONF < bodies.jsonl
//
// One request body of OpenAI's Chat Completions a line; each is decided for `auto` and for smart
// routing (its own model), several times over in turn with all others, so that tables and branches
// are as cold as traffic leaves them; its fastest turn counts. Then a body of 1 MiB: the decision
// above the plain scan. Allocations on the way are counted. Prints one line of JSON, nanoseconds.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <new>
#include <string>
#include <vector>

#include "config/config.h"
#include "gateway/router.h"

namespace {

uint64_t allocations = 0;

}  // namespace

void* operator new(std::size_t size) {
  ++allocations;
  if (void* place = std::malloc(size)) return place;
  std::abort();
}
void operator delete(void* place) noexcept { std::free(place); }
void operator delete(void* place, std::size_t) noexcept { std::free(place); }

namespace {

using namespace hyperion;

constexpr int turns = 9;

struct Times {
  std::vector<uint64_t> ns;
  uint64_t at(double share) const {
    return ns.empty() ? 0 : ns[static_cast<size_t>(share * static_cast<double>(ns.size() - 1))];
  }
};

class Bench {
 public:
  explicit Bench(std::shared_ptr<const config::Config> config)
      : config_(std::move(config)),
        endpoint_(gateway::chat_endpoint(dialect::Wire::openai_chat)),
        ways_(gateway::ways_from(endpoint_, config_->catalog)),
        scanner_(1u << 30),
        router_(clock_) {}

  // The time of one decision; 0 when the body is refused.
  uint64_t decide(const std::string& padded, std::string_view model) {
    gateway::RouteRequest request;
    request.body = std::string_view(padded).substr(0, padded.size() - json::padding_bytes);
    json::Scan scan;
    json::ScanError error;
    const Instant begin = clock_.precise_now();
    if (!scanner_.scan(request.body, config_->settings.json, scan, error)) return 0;
    const Instant scanned = clock_.precise_now();
    scan.options.smart_routing = model != gateway::automatic_model;
    request.scan = &scan;
    request.scanner = &scanner_;
    request.endpoint = &endpoint_;
    request.requested = model;
    request.config = config_.get();
    request.ways = ways_;
    request.assume_usable = true;
    if (model != gateway::automatic_model)
      request.asked = config_->catalog.resolve(model).deployment;
    gateway::Failure failure;
    const uint64_t before = allocations;
    const Instant started = clock_.precise_now();
    const bool good = router_.route(request, failure);
    const uint64_t ns = elapsed_ns(started, clock_.precise_now());
    allocated += allocations - before;
    scan_ns = elapsed_ns(begin, scanned);
    return good ? ns : 0;
  }

  Times measure(const std::vector<std::string>& bodies, std::string_view model) {
    Times times;
    times.ns.assign(bodies.size(), UINT64_MAX);
    for (int turn = 0; turn < turns; ++turn) {
      for (size_t i = 0; i < bodies.size(); ++i) {
        const uint64_t ns = decide(bodies[i], model);
        if (ns != 0) times.ns[i] = std::min(times.ns[i], ns);
      }
    }
    std::erase(times.ns, UINT64_MAX);
    std::sort(times.ns.begin(), times.ns.end());
    return times;
  }

  uint64_t allocated = 0;
  uint64_t scan_ns = 0;

 private:
  std::shared_ptr<const config::Config> config_;
  const gateway::Endpoint& endpoint_;
  std::vector<routing::Way> ways_;
  json::Scanner scanner_;
  SystemClock clock_;
  gateway::Router router_;
};

std::string large_body() {
  std::string text;
  while (text.size() < 1'040'000)
    text += "The committee met on Tuesday, and 14 of its members asked for the report again.\\n";
  std::string body = R"({"model":"auto","messages":[{"role":"user","content":")" + text +
                     R"(What was decided?"}]})";
  body.append(json::padding_bytes, ' ');
  return body;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) {
    std::fprintf(stderr, "Usage: routing_decisions CONF < bodies.jsonl\n");
    return 2;
  }
  const config::LoadOutcome outcome = config::load_file(arguments[1]);
  for (const std::string& error : outcome.errors) std::fprintf(stderr, "%s\n", error.c_str());
  if (outcome.config == nullptr) return 1;
  std::vector<std::string> bodies;
  for (std::string line; std::getline(std::cin, line);) {
    line.append(json::padding_bytes, ' ');
    bodies.push_back(line);
  }
  Bench bench(outcome.config);
  const std::vector<std::string> large = {large_body()};
  bench.measure(large, "auto");
  bench.measure(bodies, "auto");
  bench.allocated = 0;
  const Times automatic = bench.measure(bodies, "auto");
  const Times smart = bench.measure(bodies, "gpt-5.2");
  const Times mebibyte = bench.measure(large, "auto");
  std::printf(
      "{\"bodies\": %zu, \"candidates\": %zu, \"auto_p50\": %llu, \"auto_p99\": %llu, "
      "\"smart_p50\": %llu, \"smart_p99\": %llu, \"mebibyte\": %llu, "
      "\"mebibyte_scan\": %llu, \"allocations\": %llu}\n",
      automatic.ns.size(), outcome.config->roster.candidates().size(),
      static_cast<unsigned long long>(automatic.at(0.5)),
      static_cast<unsigned long long>(automatic.at(0.99)),
      static_cast<unsigned long long>(smart.at(0.5)),
      static_cast<unsigned long long>(smart.at(0.99)),
      static_cast<unsigned long long>(mebibyte.at(0.5)),
      static_cast<unsigned long long>(bench.scan_ns),
      static_cast<unsigned long long>(bench.allocated));
  return 0;
}
