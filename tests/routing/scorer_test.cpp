#include "routing/scorer.h"

#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "routing/features.h"
#include "routing/row_sums.h"
#include "routing/weight_tables.h"

namespace hyperion::routing {
namespace {

const Weights& shipped() {
  static const std::shared_ptr<const Weights> weights = [] {
    std::string problem;
    auto parsed = Weights::parse(embedded_weights, problem);
    REQUIRE_MESSAGE(parsed != nullptr, problem);
    return parsed;
  }();
  return *weights;
}

Scores score(std::string_view raw, const Wants& wants = {}) {
  Prompt prompt;
  prompt.texts[0] = raw;
  prompt.text_count = 1;
  prompt.shape.user_turns = prompt.shape.turns = 1;
  prompt.shape.user_bytes = raw.size();
  return score_prompt(prompt, wants, shipped());
}

TEST_CASE("small talk, single facts and one-line orders are easy") {
  for (const char* text :
       {"hi", "Thanks!", "What is the capital of France?", "Who wrote Hamlet?", "What is 2+2?",
        "translate hello to Spanish", "set an alarm for 7", "Write a tweet about my cat"}) {
    INFO(text);
    CHECK(score(text).score < 350);
  }
}

TEST_CASE("hard work stays hard, however short it is asked for") {
  for (const char* text :
       {"Prove the Riemann hypothesis",
        "Design a lock-free MPMC queue in C++ and prove its linearizability",
        "Prove that for every prime p > 3, p^2 - 1 is divisible by 24, and generalise.",
        "Implement a B+ tree in Rust with concurrent inserts, range scans, crash recovery via a "
        "write-ahead log and property tests. Provide complete code.",
        "Let G be a finite group with exactly two conjugacy classes of maximal subgroups. Show "
        "that G is solvable."}) {
    INFO(text);
    CHECK(score(text).score >= 600);
  }
}

TEST_CASE("other languages, scripts and words that nobody has seen are unknown") {
  for (const char* text :
       {"Escribe un compilador para un lenguaje con tipos dependientes y demuestra cada paso.",
        "Démontrez rigoureusement le théorème et analysez la complexité de l'algorithme.",
        "Entwirf einen verteilten Scheduler und beweise, dass er keine Verklemmung hat.",
        "Explique em detalhe como funciona o algoritmo e prove a sua correção."}) {
    INFO(text);
    CHECK(score(text).unknown);
  }
  for (const char* text :
       {"Write a cover letter for a position as a nurse in a small hospital.",
        "What is the difference between a virus and a bacterium, and how are both treated?",
        "def add(a, b): return a + b  # why does this fail for None?"}) {
    INFO(text);
    CHECK_FALSE(score(text).unknown);
  }
  CHECK(score("请证明素数有无穷多个，并推广该证明。").unknown);
  CHECK(score("xqzv blorf snarkle wibblequat zzyzxo").unknown);
  CHECK_FALSE(score("Explain how a car engine works to a child").unknown);
}

TEST_CASE("tools and long texts decide the kind before any word does") {
  Wants wants;
  wants.tools = 2;
  CHECK(score("What is the capital of France?", wants).kind == Kind::tool_use);
  CHECK(score("What is the capital of France?").kind != Kind::tool_use);
  std::string text;
  while (text.size() < 40'000) text += "The rain in the hills had stopped before the sun rose. ";
  CHECK(score(text + "Who was on the hill?").kind == Kind::long_context);
}

TEST_CASE("shares always sum to one") {
  for (const char* text : {"", "hi", "Prove it.", "int main() { return 0; }", "\xff\xff"}) {
    const Scores scores = score(text);
    CHECK(std::accumulate(scores.shares.begin(), scores.shares.end(), 0) == share_one);
    for (int16_t share : scores.shares) CHECK(share >= 0);
    CHECK(scores.score == score_of(scores.difficulty));
    CHECK(scores == score(text));
  }
}

TEST_CASE("more words and more length never make a prompt easier, and no more than so hard") {
  Prompt prompt;
  prompt.texts[0] = "Find the largest angle of this figure and say why it is one.";
  prompt.text_count = 1;
  auto features = std::make_unique<Features>();
  extract_features(prompt, Wants{}, {}, *features);
  for (Trait trait : {Trait::words, Trait::length}) {
    int difficulty = INT16_MIN;
    const float own = (*features)[trait];
    for (float value = 0; value < 13; value += 0.125f) {
      (*features)[trait] = value;
      const Scores scores = score_features(*features, shipped());
      CHECK(scores.difficulty >= difficulty);
      difficulty = scores.difficulty;
    }
    (*features)[trait] = 40;
    CHECK(score_features(*features, shipped()).difficulty == difficulty);
    (*features)[trait] = own;
  }
}

TEST_CASE("traits are weighed alike by every way of doing it") {
  std::mt19937 random(9);
  for (int turn = 0; turn < 100; ++turn) {
    ScaledTraits traits{};
    TraitRows rows;
    for (size_t i = 0; i < trait_count; ++i)
      traits[i] = static_cast<int16_t>(static_cast<int>(random() % 513) - 256);
    for (auto& row : rows) {
      for (int16_t& weight : row) weight = static_cast<int16_t>(random());
    }
    CHECK(sum_traits(traits, rows) == sum_traits_plainly(traits, rows));
  }
}

TEST_CASE("rows are summed alike by every way of doing it") {
  std::mt19937 random(7);
  std::vector<Row> rows(bucket_count);
  for (Row& row : rows) {
    for (int8_t& weight : row) weight = static_cast<int8_t>(random());
  }
  rows[0].fill(-128);
  rows[1].fill(127);
  for (size_t size : {0, 1, 17, 255, 256, 700, 1024}) {
    std::vector<uint16_t> buckets(size);
    for (uint16_t& bucket : buckets) bucket = static_cast<uint16_t>(random() % bucket_count);
    CHECK(sum_rows(buckets, rows) == sum_rows_plainly(buckets, rows));
    for (uint16_t extreme : {0, 1}) {
      std::fill(buckets.begin(), buckets.end(), extreme);
      CHECK(sum_rows(buckets, rows) == sum_rows_plainly(buckets, rows));
    }
  }
}

}  // namespace
}  // namespace hyperion::routing
