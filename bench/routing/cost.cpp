// What it costs to judge one prompt: features and scores, without the walk over the body.
//
//   routing_cost [WEIGHTS] < bodies.jsonl
//
// One request body of OpenAI's Chat Completions a line. Each prompt is judged several times over
// in turn with all others, so that tables and branches are as cold as traffic leaves them, and
// counts with its fastest turn. Prints one line of JSON: prompts, and nanoseconds of features,
// scores and token estimate in the median and at the 99th percentile.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "json/body_scan.h"
#include "json/limits.h"
#include "json/walker.h"
#include "routing/prompt_reader.h"
#include "routing/scorer.h"
#include "routing/token_estimate.h"

namespace {

using namespace hyperion;
using Clock = std::chrono::steady_clock;

struct Judged {
  std::string body;
  routing::Conversation conversation;
  int64_t score_ns = INT64_MAX;
  int64_t tokens_ns = INT64_MAX;
};

int64_t since(Clock::time_point begin) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - begin).count();
}

int64_t at_share(std::vector<int64_t> values, double share) {
  std::sort(values.begin(), values.end());
  return values[static_cast<size_t>(share * static_cast<double>(values.size() - 1))];
}

std::string built_in_or(const char* path) {
  if (path == nullptr) return std::string(routing::embedded_weights);
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

bool read_bodies(std::vector<std::unique_ptr<Judged>>& all) {
  json::Scanner scanner(1u << 30);
  json::Scan scan;
  json::ScanError error;
  for (std::string line; std::getline(std::cin, line);) {
    auto judged = std::make_unique<Judged>();
    judged->body = line + std::string(json::padding_bytes, ' ');
    const std::string_view body = std::string_view(judged->body).substr(0, line.size());
    if (!scanner.scan(body, json::Limits{}, scan, error)) {
      std::fprintf(stderr, "cost: %s: expected %s\n", error.field, error.expected);
      return false;
    }
    routing::read_conversation(body, scanner.walk_again(body, json::Limits{}),
                               dialect::Wire::openai_chat, judged->conversation);
    all.push_back(std::move(judged));
  }
  return !all.empty();
}

}  // namespace

int main(int count, char** arguments) {
  std::string problem;
  const auto weights =
      routing::Weights::parse(built_in_or(count > 1 ? arguments[1] : nullptr), problem);
  if (weights == nullptr) {
    std::fprintf(stderr, "cost: %s\n", problem.c_str());
    return 1;
  }
  std::vector<std::unique_ptr<Judged>> all;
  if (!read_bodies(all)) return 1;
  uint64_t sum = 0;  // keeps the work
  for (int turn = 0; turn < 5; ++turn) {
    for (auto& judged : all) {
      const routing::Conversation& conversation = judged->conversation;
      auto begin = Clock::now();
      sum += routing::score_prompt(conversation.last, conversation.wants, *weights).score;
      judged->score_ns = std::min(judged->score_ns, since(begin));
      begin = Clock::now();
      sum += routing::estimate_tokens(conversation).expected;
      judged->tokens_ns = std::min(judged->tokens_ns, since(begin));
    }
  }
  std::vector<int64_t> scores;
  std::vector<int64_t> tokens;
  for (const auto& judged : all) {
    scores.push_back(judged->score_ns);
    tokens.push_back(judged->tokens_ns);
  }
  std::printf(
      "{\"prompts\": %zu, \"score_ns_p50\": %lld, \"score_ns_p99\": %lld, "
      "\"tokens_ns_p50\": %lld, \"tokens_ns_p99\": %lld, \"check\": %llu}\n",
      all.size(), static_cast<long long>(at_share(scores, 0.5)),
      static_cast<long long>(at_share(scores, 0.99)), static_cast<long long>(at_share(tokens, 0.5)),
      static_cast<long long>(at_share(tokens, 0.99)), static_cast<unsigned long long>(sum));
  return 0;
}
