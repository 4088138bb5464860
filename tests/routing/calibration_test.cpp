// What a calibration may do to a decision.
#include "routing/calibration.h"

#include <algorithm>
#include <random>

#include <doctest/doctest.h>

using namespace hyperion::routing;

namespace {

Scores scores_of(int difficulty, Kind kind = Kind::code) {
  Scores scores;
  scores.shares[static_cast<size_t>(Head::code)] = share_one;
  scores.difficulty = static_cast<int16_t>(difficulty);
  scores.score = score_of(difficulty);
  scores.kind = kind;
  return scores;
}

Question question_of(int difficulty, Kind kind = Kind::code) {
  Question question;
  question.turn_count = 1;
  question.turns[0].scores = scores_of(difficulty, kind);
  return question;
}

Calibration constant(std::string key, Kind kind, int weight) {
  Calibration calibration;
  calibration.key = std::move(key);
  calibration.kind = kind;
  calibration.weights[0] = static_cast<int16_t>(weight);
  return calibration;
}

}  // namespace

TEST_CASE("each input moves the difficulty by its own weight") {
  Calibration calibration;
  const Scores scores = scores_of(-logit_one);
  TraitRow traits;
  CHECK(offset_of(calibration, scores, traits) == 0);
  calibration.weights[0] = Calibration::weight_one;
  CHECK(offset_of(calibration, scores, traits) == logit_one);
  // The difficulty is one logit below nothing.
  calibration.weights[1] = Calibration::weight_one / 2;
  CHECK(offset_of(calibration, scores, traits) == logit_one / 2);
  const size_t code = Calibration::first_head + static_cast<size_t>(Head::code);
  calibration.weights[code] = Calibration::weight_one / 4;
  CHECK(offset_of(calibration, scores, traits) == logit_one * 3 / 4);
  const size_t words = static_cast<size_t>(Trait::words);
  traits.values[words] = -2 * input_one;  // two standard deviations
  calibration.weights[Calibration::first_trait + words] = Calibration::weight_one / 4;
  CHECK(offset_of(calibration, scores, traits) == logit_one / 4);
}

TEST_CASE("no weights move the difficulty by more than two logits") {
  std::mt19937 random(3);
  for (int round = 0; round < 2'000; ++round) {
    Calibration calibration;
    for (int16_t& weight : calibration.weights) weight = static_cast<int16_t>(random());
    Scores scores = scores_of(static_cast<int16_t>(random()));
    TraitRow traits;
    for (int8_t& value : traits.values) value = static_cast<int8_t>(random());
    const int32_t offset = offset_of(calibration, scores, traits);
    CHECK(offset <= 2 * logit_one);
    CHECK(offset >= -2 * logit_one);
  }
  CHECK(offset_of(constant("", Kind::code, 32'000), scores_of(0), {}) == 2 * logit_one);
  CHECK(offset_of(constant("", Kind::code, -32'000), scores_of(0), {}) == -2 * logit_one);
}

TEST_CASE("a key's own calibration comes before that of all, and only for its kind") {
  const std::vector<Calibration> both = {constant("", Kind::code, 1), constant("a", Kind::code, 2),
                                         constant("a", Kind::math, 3)};
  CHECK(find_calibration(both, "a", Kind::code) == &both[1]);
  CHECK(find_calibration(both, "b", Kind::code) == &both[0]);
  CHECK(find_calibration(both, "", Kind::code) == &both[0]);
  CHECK(find_calibration(both, "a", Kind::math) == &both[2]);
  CHECK(find_calibration(both, "b", Kind::math) == nullptr);
  CHECK(find_calibration(both, "a", Kind::chat) == nullptr);
  // In whatever order the file has them.
  const std::vector<Calibration> turned(both.rbegin(), both.rend());
  CHECK(find_calibration(turned, "a", Kind::code) == &turned[1]);
}

TEST_CASE("what was added is written down and can be taken back to the bit") {
  for (int difficulty : {-1'000, -1, 0, 300, 1'500}) {
    Question question = question_of(difficulty);
    const Question before = question;
    calibrate(question, {constant("", Kind::code, 700)}, "any");
    CHECK(question.calibrated == 700 * logit_one / Calibration::weight_one);
    CHECK(question.turns[0].scores.difficulty == difficulty + question.calibrated);
    CHECK(question.turns[0].scores.score == score_of(difficulty + question.calibrated));
    // Another calibration takes the place of the first, it does not come on top.
    calibrate(question, {constant("", Kind::code, -700)}, "any");
    CHECK(question.turns[0].scores.difficulty == difficulty - 700 * logit_one / 1024);
    calibrate(question, {}, "any");
    CHECK(question.calibrated == 0);
    CHECK(question.turns[0] == before.turns[0]);
  }
}

TEST_CASE("only the turn that is to be answered is corrected") {
  Question question = question_of(100);
  question.turn_count = 2;
  question.turns[1].scores = scores_of(50);
  calibrate(question, {constant("", Kind::code, 1024)}, "");
  CHECK(question.turns[0].scores.difficulty == 100);
  CHECK(question.turns[1].scores.difficulty == 50 + logit_one);
}
