#include "routing/scorer.h"

#include <array>
#include <memory>
#include <numeric>
#include <random>
#include <set>
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

// Of a kind of prompt: what asks for it, and sentences that add nothing to it.
struct Sample {
  Kind kind;
  const char* prompts[2];
  const char* neutral;
};
constexpr Sample samples[] = {
    {Kind::code,
     {"Write a Python function that returns the second largest value of a list.",
      "Implement a queue with two stacks in Java."},
     "The function is called once for each row of the table. It is part of a program that runs "
     "every night and writes its results to a file. "},
    {Kind::math,
     {"Solve 3x + 7 = 22 for x.", "A train travels 120 km in 1.5 hours. How fast is it?"},
     "All lengths are given in metres and all times in seconds. The numbers were written down by "
     "the teacher and read aloud to the class. "},
    {Kind::reasoning,
     {"Alice is taller than Bob and Bob is taller than Carol. Who is the shortest of the three?",
      "Five people sit in a row. Anna sits next to Ben. Who can sit at the end?"},
     "Each of them came to the house in the morning and left in the evening. None of this was "
     "known to the others at the time. "},
    {Kind::knowledge,
     {"What does the second law of thermodynamics say about the entropy of a closed system?",
      "Explain how enzymes lower the activation energy of a reaction."},
     "The question is taken from the course of the second year. It was discussed at length in the "
     "lecture. "},
    {Kind::transform,
     {"Translate to French: The house is old and the garden is large.",
      "Proofread this: The river rose in the night and the bridge was closed."},
     "The rain had stopped before the sun rose over the hills. People went to the market and came "
     "back with bread and fruit. "},
    {Kind::writing,
     {"Write a short story about a lighthouse.",
      "Draft a friendly email that invites the team to a dinner."},
     "It is meant for readers who like quiet evenings at home. The place is a small town by the "
     "sea with a harbour and a church. "},
    {Kind::simple_qa,
     {"Who wrote Hamlet?", "What is the capital of Peru?"},
     "I was asked this by my daughter on the way home. We were talking about it at dinner. "},
    {Kind::chat,
     {"Hi, how are you today?", "Tell me something nice."},
     "It was warm outside and we sat in the garden. My friend came over and we talked for a "
     "while. "},
    {Kind::tool_use,
     {"What is the weather in Paris?", "Set an alarm for seven."},
     "I am at home and have some time. It is for my trip with the family next week. "},
    {Kind::long_context,
     {"Who was on the hill?", "What was decided in the meeting?"},
     "The rain in the hills had stopped before the sun rose over the valley. The committee met on "
     "Tuesday and its members asked for the report again. "},
};
// Behind the last of them a prompt is as long as any.
constexpr int repetitions[] = {0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 256, 512};

// Scores of the prompt with more and more of the neutral text behind it, or before.
std::vector<Scores> scores_when_longer(const Sample& sample, const char* prompt, bool behind) {
  Wants wants;
  wants.tools = sample.kind == Kind::tool_use ? 2 : 0;
  const int at_least = sample.kind == Kind::long_context ? 150 : 0;
  std::vector<Scores> scores;
  for (int count : repetitions) {
    std::string neutral;
    for (int i = 0; i < count + at_least; ++i) neutral += sample.neutral;
    scores.push_back(score(behind ? std::string(prompt) + " " + neutral : neutral + prompt, wants));
  }
  return scores;
}

TEST_CASE("a prompt is never easier for being longer, of whatever kind, and in the end no harder") {
  std::array<int, kind_count> steps{};
  for (const Sample& sample : samples) {
    bool of_kind = false;
    for (size_t i = 0; i < 4; ++i) {
      const char* prompt = sample.prompts[i / 2];
      const std::vector<Scores> scores = scores_when_longer(sample, prompt, i % 2 == 0);
      INFO(prompt);
      for (size_t at = 1; at < scores.size(); ++at) {
        const Scores& before = scores[at - 1];
        of_kind |= before.kind == sample.kind;
        if (scores[at].kind != before.kind) continue;
        INFO(repetitions[at] << " times");
        CHECK(scores[at].score >= before.score);
        CHECK(scores[at].difficulty >= before.difficulty);
        ++steps[static_cast<size_t>(before.kind)];
      }
      CHECK(scores.back().score >= scores.front().score);
      CHECK(scores.back() == scores[scores.size() - 2]);
    }
    CHECK_MESSAGE(of_kind, name_of(sample.kind));
  }
  for (size_t kind = 0; kind < kind_count; ++kind)
    CHECK_MESSAGE(steps[kind] > 0, name_of(static_cast<Kind>(kind)));
}

TEST_CASE("each kind has a length of its own from which more makes nothing harder") {
  const auto& curves = shipped().tables().fixed.lengths;
  std::set<int32_t> ends;
  for (size_t i = 0; i < kind_count; ++i) {
    INFO(std::string(name_of(static_cast<Kind>(i))));
    CHECK(curves[i].slope > 0);
    CHECK(curves[i].low < curves[i].high);
    // Within what lengths are scaled to: the line ends before they do.
    CHECK(curves[i].high < 256);
    ends.insert(curves[i].high);
  }
  CHECK(ends.size() >= 6);
}

TEST_CASE("more words and more length never make a prompt of one kind easier") {
  auto features = std::make_unique<Features>();
  for (const Sample& sample : samples) {
    Prompt prompt;
    prompt.texts[0] = sample.prompts[0];
    prompt.text_count = 1;
    extract_features(prompt, Wants{}, {}, *features);
    for (Trait trait : {Trait::words, Trait::length, Trait::sentences, Trait::lines}) {
      const float own = (*features)[trait];
      Scores before = score_features(*features, shipped());
      before.difficulty = INT16_MIN;
      for (float value = 0; value < 13; value += 0.125f) {
        (*features)[trait] = value;
        const Scores scores = score_features(*features, shipped());
        if (scores.kind == before.kind) CHECK(scores.difficulty >= before.difficulty);
        before = scores;
      }
      (*features)[trait] = own;
    }
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
