// Measures what translation costs and prints it as JSON: usage `translation ROUNDS`.
//
// For each pair of dialects: nanoseconds of CPU time for a provider's event, translated and passed
// through, and for a request of 4 KB; all pairs in turn in every round. Then what the events of a
// stream asked of the allocator. bench/dialect judges and prints; an answer or a request that
// is not translated to its end fails the run.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include "translation/requests.h"
#include "translation/streams.h"
#include "translation/translation.h"

using namespace hyperion;
using dialect::Wire;

namespace {

// Of each window: long enough for the clock, short enough that rounds are many.
constexpr uint64_t window_ns = 2'000'000;

uint64_t cpu_ns() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

[[noreturn]] void fail(const char* what, Wire from, Wire to) {
  std::fprintf(stderr, "dialect: %s from %s to %s did not end well\n", what,
               dialect::name_of(from).data(), dialect::name_of(to).data());
  std::exit(1);
}

// Nanoseconds of one `work`, which is repeated until the window is full.
template <typename Work>
double measure(Work work) {
  const uint64_t begin = cpu_ns();
  uint64_t now = begin;
  uint64_t times = 0;
  while (now - begin < window_ns) {
    for (int i = 0; i < 4; ++i) work();
    times += 4;
    now = cpu_ns();
  }
  return static_cast<double>(now - begin) / static_cast<double>(times);
}

struct Pair {
  Wire from, to;
  std::string stream;
  std::string body;
  std::unique_ptr<bench::StreamTranslation> answer;    // from a provider of `from`
  std::unique_ptr<bench::RequestTranslation> request;  // of a client of `from`
  std::vector<double> translated_ns, passed_ns, request_ns;
};

std::vector<Pair> make_pairs() {
  std::vector<Pair> pairs;
  for (size_t from = 0; from < dialect::wires_count; ++from) {
    for (size_t to = 0; to < dialect::wires_count; ++to) {
      if (from == to) continue;
      Pair& pair = pairs.emplace_back();
      pair.from = static_cast<Wire>(from);
      pair.to = static_cast<Wire>(to);
      pair.stream = bench::stream_of(pair.from);
      pair.body = bench::request_of(pair.from);
    }
  }
  for (Pair& pair : pairs) {
    pair.answer = std::make_unique<bench::StreamTranslation>(pair.from, pair.to, pair.stream);
    pair.request = std::make_unique<bench::RequestTranslation>(pair.from, pair.to);
  }
  return pairs;
}

void measure_round(std::vector<Pair>& pairs) {
  for (Pair& pair : pairs) {
    const auto events = static_cast<double>(pair.answer->events());
    const double translated = measure([&] {
      if (!pair.answer->translate()) fail("a stream", pair.from, pair.to);
    });
    const double passed = measure([&] {
      if (!pair.answer->pass_through()) fail("passthrough", pair.from, pair.to);
    });
    const double request = measure([&] {
      if (!pair.request->run(pair.body)) fail("a request", pair.from, pair.to);
    });
    pair.translated_ns.push_back(translated / events);
    pair.passed_ns.push_back(passed / events);
    pair.request_ns.push_back(request);
  }
}

void print_list(const char* name, const std::vector<double>& values) {
  std::printf("\"%s\":[", name);
  for (size_t i = 0; i < values.size(); ++i) std::printf("%s%.1f", i == 0 ? "" : ",", values[i]);
  std::printf("],");
}

void print_pair(Pair& pair, bool first) {
  bench::Takings takings;
  pair.answer->translate(&takings);
  std::printf("%s{\"from\":\"%s\",\"to\":\"%s\",", first ? "" : ",\n",
              dialect::name_of(pair.from).data(), dialect::name_of(pair.to).data());
  print_list("translated_ns", pair.translated_ns);
  print_list("passed_ns", pair.passed_ns);
  print_list("request_ns", pair.request_ns);
  std::printf("\"events\":%zu,\"request_bytes\":%zu,\"counted_events\":%llu,\"allocations\":%llu,",
              pair.answer->events(), pair.body.size(),
              static_cast<unsigned long long>(takings.events),
              static_cast<unsigned long long>(takings.allocations));
  std::printf("\"allocations_in_all\":%llu,\"blocks\":%llu,\"arena_bytes\":%llu}",
              static_cast<unsigned long long>(takings.allocations_in_all),
              static_cast<unsigned long long>(takings.blocks),
              static_cast<unsigned long long>(takings.arena_bytes));
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 9;
  std::vector<Pair> pairs = make_pairs();
  measure_round(pairs);  // Warm-up.
  for (Pair& pair : pairs) {
    pair.translated_ns.clear();
    pair.passed_ns.clear();
    pair.request_ns.clear();
  }
  for (int round = 0; round < rounds; ++round) measure_round(pairs);
  std::printf("[");
  for (Pair& pair : pairs) print_pair(pair, &pair == &pairs.front());
  std::printf("]\n");
}
