// What labels teach, and what they cannot.
#include "routing/calibration_fit.h"

#include <algorithm>
#include <cmath>
#include <random>

#include <doctest/doctest.h>

using namespace hyperion::routing;

namespace {

constexpr int quality = logit_one / 2;

Label label(std::mt19937& random, double good, Kind kind = Kind::code, std::string key = "a") {
  Label label;
  label.key = std::move(key);
  label.scores.kind = kind;
  label.scores.shares[0] = share_one;
  label.scores.difficulty = static_cast<int16_t>(static_cast<int>(random() % 512) - 256);
  for (size_t i = 0; i < trait_count; ++i)
    label.traits.values[i] = static_cast<int8_t>(static_cast<int>(random() % 65) - 32);
  label.ability = quality;
  label.good = good;
  return label;
}

std::vector<Label> labels_of(size_t count, double good, Kind kind = Kind::code) {
  std::mt19937 random(5);
  std::vector<Label> labels;
  for (size_t i = 0; i < count; ++i) labels.push_back(label(random, good, kind));
  return labels;
}

int32_t offset(const std::vector<Calibration>& calibrations, const Label& label) {
  const Calibration* found = find_calibration(calibrations, label.key, label.scores.kind);
  REQUIRE(found != nullptr);
  return offset_of(*found, label.scores, label.traits);
}

bool same(const Calibration& a, const Calibration& b) {
  return a.key == b.key && a.kind == b.kind && a.labels == b.labels && a.weights == b.weights;
}

}  // namespace

TEST_CASE("bad answers make prompts harder, good ones easier") {
  for (size_t count : {20, 50, 300}) {
    for (const Label& one : labels_of(10, 0))
      CHECK(offset(fit_calibrations(labels_of(count, 0)), one) > logit_one / 8);
    for (const Label& one : labels_of(10, 1))
      CHECK(offset(fit_calibrations(labels_of(count, 1)), one) < -logit_one / 8);
  }
}

TEST_CASE("more labels of one mind say it louder") {
  Label one = labels_of(1, 0)[0];
  one.scores.difficulty = 0;
  one.traits.values.fill(0);
  int32_t before = 0;
  for (size_t count : {20, 60, 400}) {
    const int32_t now = offset(fit_calibrations(labels_of(count, 0.3)), one);
    CHECK(now > before);
    before = now;
  }
}

TEST_CASE("labels that say what was expected change little") {
  std::mt19937 random(11);
  std::vector<Label> labels;
  for (int i = 0; i < 2'000; ++i) {
    Label one = label(random, 0);
    const double base = static_cast<double>(one.ability - one.scores.difficulty) / logit_one;
    one.good = random() % 10'000 < 10'000 / (1 + std::exp(-base)) ? 1 : 0;
    labels.push_back(one);
  }
  const auto calibrations = fit_calibrations(labels);
  int32_t sum = 0;
  for (const Label& one : labels_of(50, 0)) sum += std::abs(offset(calibrations, one));
  CHECK(sum / 50 < logit_one / 3);
}

TEST_CASE("what makes the difference is found among the traits") {
  // Long prompts fail, short ones do not.
  std::mt19937 random(12);
  const size_t length = static_cast<size_t>(Trait::length);
  std::vector<Label> labels;
  for (int i = 0; i < 300; ++i) {
    Label one = label(random, 0);
    one.good = one.traits.values[length] < 0 ? 1 : 0;
    labels.push_back(one);
  }
  const auto calibrations = fit_calibrations(labels);
  Label one = labels[0];
  one.traits.values.fill(0);
  one.traits.values[length] = 24;
  const int32_t of_long = offset(calibrations, one);
  one.traits.values[length] = -24;
  CHECK(of_long > offset(calibrations, one) + logit_one);
}

TEST_CASE("the same labels give the same weights, in whatever order they come") {
  std::mt19937 random(13);
  std::vector<Label> labels;
  for (int i = 0; i < 200; ++i)
    labels.push_back(
        label(random, random() % 2, i % 3 == 0 ? Kind::math : Kind::chat, i % 2 == 0 ? "a" : "b"));
  const auto first = fit_calibrations(labels);
  const auto second = fit_calibrations(labels);
  REQUIRE(first.size() == 6);  // two keys and all of them, two kinds each
  CHECK(std::equal(first.begin(), first.end(), second.begin(), second.end(), same));
  std::shuffle(labels.begin(), labels.end(), random);
  const auto third = fit_calibrations(labels);
  CHECK(std::equal(first.begin(), first.end(), third.begin(), third.end(), same));
}

TEST_CASE("a key with too few labels gets nothing of its own, but counts for all") {
  std::vector<Label> labels = labels_of(labels_min - 1, 0);
  CHECK(fit_calibrations(labels).empty());
  std::mt19937 random(14);
  labels.push_back(label(random, 0, Kind::code, "b"));
  const auto calibrations = fit_calibrations(labels);
  REQUIRE(calibrations.size() == 1);
  CHECK(calibrations[0].key.empty());
  CHECK(calibrations[0].labels == labels_min);
}

TEST_CASE("a kind follows its key until its own labels say otherwise") {
  std::vector<Label> labels = labels_of(100, 0);
  std::mt19937 random(15);
  for (int i = 0; i < 3; ++i) labels.push_back(label(random, 1, Kind::chat));
  auto calibrations = fit_calibrations(labels);
  CHECK(offset(calibrations, labels.back()) > 0);
  // Kinds that no label was of are left as they are.
  CHECK(find_calibration(calibrations, "a", Kind::math) == nullptr);
  for (int i = 0; i < 60; ++i) labels.push_back(label(random, 1, Kind::chat));
  calibrations = fit_calibrations(labels);
  CHECK(offset(calibrations, labels.back()) < 0);
  CHECK(offset(calibrations, labels.front()) > 0);
}

TEST_CASE("keys do not hear each other's labels") {
  std::vector<Label> labels = labels_of(100, 0);
  const auto alone = fit_calibrations(labels);
  std::mt19937 random(16);
  for (int i = 0; i < 500; ++i) labels.push_back(label(random, 1, Kind::code, "b"));
  const auto beside = fit_calibrations(labels);
  const Calibration* own = find_calibration(alone, "a", Kind::code);
  const Calibration* still = find_calibration(beside, "a", Kind::code);
  REQUIRE(own != nullptr);
  REQUIRE(still != nullptr);
  CHECK(same(*own, *still));
}
