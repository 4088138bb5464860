#include "routing/features.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "routing/byte_counts.h"

namespace hyperion::routing {
namespace {

std::unique_ptr<Features> features_of(std::string_view raw) {
  Prompt prompt;
  prompt.texts[0] = raw;
  prompt.text_count = 1;
  prompt.shape.user_turns = prompt.shape.turns = 1;
  prompt.shape.user_bytes = raw.size();
  auto features = std::make_unique<Features>();
  extract_features(prompt, Wants{}, {}, *features);
  return features;
}

std::vector<uint16_t> buckets_of(const Features& features) {
  return {features.buckets.begin(), features.buckets.begin() + features.bucket_count};
}

bool same(const Features& a, const Features& b) {
  return a.structure == b.structure && buckets_of(a) == buckets_of(b);
}

TEST_CASE("both spellings of a text give the same features") {
  const auto plain = features_of("Prove it: x/2 < y, as Gödel did");
  const auto escaped = features_of(R"(\u0050rove it: x\/2 \u003c y, as G\u00f6del did)");
  CHECK(same(*plain, *escaped));
  CHECK((*plain)[Trait::proving] > 0);
}

TEST_CASE("case and blanks change no word and no count") {
  const auto plain = features_of("Explain the second law of thermodynamics.");
  const auto edited = features_of("  explain  the SECOND law of\\n thermodynamics.  ");
  CHECK(buckets_of(*plain) == buckets_of(*edited));
  CHECK((*plain)[Trait::words] == (*edited)[Trait::words]);
  CHECK((*plain)[Trait::length] == (*edited)[Trait::length]);
}

TEST_CASE("any bytes give finite features") {
  std::vector<std::string> texts = {
      "",         " ",  "\\ud800", "\\ud800\\u0041", "\xc3",     "\xf0\x9f\x98",
      "\xff\xfe", "\\", "\\u12",   "\\u00",          "a\xe2\x82"};
  for (char c : {'a', ' ', '{', '9', '.', '\\', '"', '\xe4', '\x80'})
    texts.push_back(std::string(1'000'000, c));
  for (size_t size = 580; size < 620; ++size) {
    texts.push_back(std::string(size, 'x') + R"(\u00e9\\\"\n)" + std::string(600, 'y'));
    texts.push_back(std::string(size, 'x') + "\xe4\xbd\xa0\xe5\xa5\xbd" + std::string(600, 'y'));
  }
  for (const std::string& text : texts) {
    const auto features = features_of(text);
    for (float value : features->structure) CHECK(std::isfinite(value));
    CHECK(features->bucket_count <= Features::grams_max);
  }
}

TEST_CASE("what lies in the middle of a long text is counted") {
  const std::string words(3000, ' ');
  const std::string begin = "Look at this program. " + std::string(1500, 'a') + " ";
  const std::string end = std::string(1500, 'b');
  std::string code;
  for (int i = 0; i < 50; ++i) code += R"(if (a) { b(); }\n)";
  const auto without = features_of(begin + words + end);
  const auto with = features_of(begin + code + words + end);
  CHECK((*with)[Trait::braces] > (*without)[Trait::braces] + 5);
  CHECK((*with)[Trait::lines] > (*without)[Trait::lines] + 4);
}

TEST_CASE("blocks are counted as single bytes are") {
  std::string text;
  for (int i = 0; i < 9000; ++i) text += "{x}`;\\n n"[i * 7 % 9];
  for (size_t size : {0, 1, 16, 17, 31, 33, 4096, 8999}) {
    ByteCounts plain;
    for (size_t i = 0; i < size; ++i) {
      plain.braces += text[i] == '{' || text[i] == '}';
      plain.backticks += text[i] == '`';
      plain.semicolons += text[i] == ';';
      plain.newlines += text[i] == '\\' && i + 1 < size && text[i + 1] == 'n';
    }
    const std::string_view part = std::string_view(text).substr(0, size);
    const ByteCounts counts = count_bytes({&part, 1});
    CHECK(counts.braces == plain.braces);
    CHECK(counts.backticks == plain.backticks);
    CHECK(counts.semicolons == plain.semicolons);
    CHECK(counts.newlines == plain.newlines);
  }
}

TEST_CASE("more of the same text never has fewer words") {
  float words = 0;
  std::string text;
  for (int i = 0; i < 200; ++i) {
    text += "seven words of no meaning at all ";
    const auto features = features_of(text);
    CHECK((*features)[Trait::words] >= words);
    words = (*features)[Trait::words];
  }
}

TEST_CASE("counts become the logarithms of their powers of two") {
  CHECK(scaled_log(0) == 0.0f);
  CHECK(scaled_log(1) == 1.0f);
  CHECK(scaled_log(3) == 2.0f);
  CHECK(scaled_log(5) == 2.5f);
  CHECK(scaled_log(UINT64_MAX) < 64.0f);
}

}  // namespace
}  // namespace hyperion::routing
