// Reads prompts with the very code of the gateway, for the trainer and the evaluation.
//
//   routing_features            the features of each prompt
//   routing_features names      the traits' names, one a line, and nothing else
//   routing_features scores [WEIGHTS]   what the weights (else: those built in) make of each prompt
//
// Standard input: one request body of OpenAI's Chat Completions a line. Standard output, of
// features: float structure[trait_count], u32 count and u16 buckets[count], u32 count and
// u32 words[count], all little-endian; of scores a line of text: kind, score, difficulty, unknown
// (0 or 1), nanoseconds, the shares. A line that is no valid body ends it with a message.
#include "routing/features.h"

#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

#include "json/body_scan.h"
#include "json/limits.h"
#include "json/walker.h"
#include "routing/prompt_reader.h"
#include "routing/scorer.h"

namespace {

using namespace hyperion;

void write(const void* data, size_t size) { std::fwrite(data, 1, size, stdout); }

void write_features(const routing::Conversation& conversation, routing::Features& features) {
  routing::extract_features(conversation.last, conversation.wants, {}, features);
  write(features.structure.data(), sizeof(features.structure));
  write(&features.bucket_count, sizeof(uint32_t));
  write(features.buckets.data(), features.bucket_count * sizeof(uint16_t));
  write(&features.word_count, sizeof(uint32_t));
  write(features.words.data(), features.word_count * sizeof(uint32_t));
}

void write_scores(const routing::Conversation& conversation, const routing::Weights& weights) {
  const auto begin = std::chrono::steady_clock::now();
  const routing::Scores scores =
      routing::score_prompt(conversation.last, conversation.wants, weights);
  const std::chrono::nanoseconds took = std::chrono::steady_clock::now() - begin;
  std::printf("%s %d %d %d %lld", std::string(routing::name_of(scores.kind)).c_str(), scores.score,
              scores.difficulty, scores.unknown ? 1 : 0, static_cast<long long>(took.count()));
  for (int share : scores.shares) std::printf(" %d", share);
  std::printf("\n");
}

std::shared_ptr<const routing::Weights> load_weights(const char* path) {
  std::string bytes(routing::embedded_weights);
  if (path != nullptr) {
    std::ifstream file(path, std::ios::binary);
    bytes.assign(std::istreambuf_iterator<char>(file), {});
  }
  std::string problem;
  auto weights = routing::Weights::parse(bytes, problem);
  if (weights == nullptr) std::fprintf(stderr, "features: %s\n", problem.c_str());
  return weights;
}

bool read_body(std::string& line, json::Scanner& scanner, routing::Conversation& conversation) {
  const size_t size = line.size();
  line.append(json::padding_bytes, ' ');
  const std::string_view body = std::string_view(line).substr(0, size);
  json::Scan scan;
  json::ScanError error;
  if (!scanner.scan(body, json::Limits{}, scan, error)) {
    std::fprintf(stderr, "features: %s: expected %s\n", error.field, error.expected);
    return false;
  }
  routing::read_conversation(body, scanner.walk_again(body, json::Limits{}),
                             dialect::Wire::openai_chat, conversation);
  return true;
}

}  // namespace

int main(int count, char** arguments) {
  const std::string_view mode = count > 1 ? arguments[1] : "features";
  if (mode == "names") {
    for (size_t i = 0; i < routing::trait_count; ++i)
      std::cout << routing::name_of(static_cast<routing::Trait>(i)) << '\n';
    return 0;
  }
  std::shared_ptr<const routing::Weights> weights;
  if (mode == "scores") {
    weights = load_weights(count > 2 ? arguments[2] : nullptr);
    if (weights == nullptr) return 1;
  }
  json::Scanner scanner(1u << 30);
  routing::Conversation conversation;
  routing::Features features;
  for (std::string line; std::getline(std::cin, line);) {
    if (!read_body(line, scanner, conversation)) return 1;
    if (weights != nullptr) {
      write_scores(conversation, *weights);
    } else {
      write_features(conversation, features);
    }
  }
  return 0;
}
