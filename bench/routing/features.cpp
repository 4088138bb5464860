// Writes the features of prompts for the trainer: the very code that reads them in the gateway.
//
// Standard input: one request body of OpenAI's Chat Completions a line. Standard output, for each:
// float structure[trait_count], u32 count and u16 buckets[count], u32 count and u32 words[count],
// all little-endian. With the argument `names` the traits' names, one a line, and nothing else.
// A line that is no valid body ends it with a message.
#include <cstdio>
#include <iostream>
#include <string>

#include "json/body_scan.h"
#include "json/limits.h"
#include "json/walker.h"
#include "routing/features.h"
#include "routing/prompt_reader.h"

namespace {

using namespace hyperion;

void write(const void* data, size_t size) { std::fwrite(data, 1, size, stdout); }

bool write_features(std::string& line, json::Scanner& scanner, routing::Conversation& conversation,
                    routing::Features& features) {
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
  routing::extract_features(conversation.last, conversation.wants, {}, features);
  write(features.structure.data(), sizeof(features.structure));
  write(&features.bucket_count, sizeof(uint32_t));
  write(features.buckets.data(), features.bucket_count * sizeof(uint16_t));
  write(&features.word_count, sizeof(uint32_t));
  write(features.words.data(), features.word_count * sizeof(uint32_t));
  return true;
}

}  // namespace

int main(int count, char** arguments) {
  if (count > 1 && std::string_view(arguments[1]) == "names") {
    for (size_t i = 0; i < routing::trait_count; ++i)
      std::cout << routing::name_of(static_cast<routing::Trait>(i)) << '\n';
    return 0;
  }
  json::Scanner scanner(1u << 30);
  routing::Conversation conversation;
  routing::Features features;
  for (std::string line; std::getline(std::cin, line);) {
    if (!write_features(line, scanner, conversation, features)) return 1;
  }
  return 0;
}
