#include "routing/scorer.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

#include "routing/features.h"
#include "routing/row_sums.h"
#include "routing/trait_scales.h"
#include "routing/weight_tables.h"

namespace hyperion::routing {
namespace {

using Columns = RowSums;

constexpr int32_t sum_one = 65536;
// Of one over the length of the words: sums of words are below 2^17, scales below 2^24.
constexpr int64_t inverse_one = int64_t{1} << 24;
constexpr size_t columns_used = first_kind_column + kind_count;

// exp(-i/64) in 1/65536: by one multiplication a step, rounded, from exp(-1/64) with 32 bits.
constexpr size_t power_count = 64 * 10;
consteval auto make_powers() {
  std::array<uint32_t, power_count + 1> powers{};  // the last: nothing
  uint64_t power = uint64_t{1} << 32;
  for (size_t i = 0; i < power_count; ++i) {
    powers[i] = static_cast<uint32_t>((power + (1u << 15)) >> 16);
    power = (power * 4228380000u + (1u << 31)) >> 32;  // exp(-1/64) * 2^32
  }
  return powers;
}
constexpr auto powers = make_powers();

using KindShares = std::array<int32_t, kind_count>;  // of share_one

KindShares shares_of_kinds(const Columns& sums) {
  int32_t best = INT32_MIN;
  for (size_t i = 0; i < kind_count; ++i) best = std::max(best, sums[first_kind_column + i]);
  KindShares shares{};
  uint32_t total = 0;
  std::array<uint32_t, kind_count> parts;  // at most sum_one each
  for (size_t i = 0; i < kind_count; ++i) {
    const uint64_t below =
        static_cast<uint64_t>(int64_t{best} - sums[first_kind_column + i]) / (sum_one / 64);
    parts[i] = powers[std::min(below, uint64_t{power_count})];
    total += parts[i];
  }
  for (size_t i = 0; i < kind_count; ++i)
    shares[i] = static_cast<int32_t>(parts[i] * static_cast<uint32_t>(share_one) / total);
  return shares;
}

// Which capabilities a request of a kind is about, in parts of 16.
constexpr int32_t heads_of_kinds[kind_count][head_count] = {
    // knowledge, code, mathematics, reasoning, tools, long_context, chat
    {0, 0, 0, 0, 16, 0, 0},  // tool_use
    {0, 0, 0, 0, 0, 16, 0},  // long_context
    {0, 16, 0, 0, 0, 0, 0},  // code
    {0, 0, 16, 0, 0, 0, 0},  // math
    {0, 0, 0, 16, 0, 0, 0},  // reasoning
    {16, 0, 0, 0, 0, 0, 0},  // knowledge
    {0, 0, 0, 0, 0, 0, 16},  // transform
    {0, 0, 0, 0, 0, 0, 16},  // writing
    {12, 0, 0, 0, 0, 0, 4},  // simple_qa
    {0, 0, 0, 0, 0, 0, 16},  // chat
};

void write_shares(const KindShares& kinds, Scores& scores) {
  int32_t sum = 0;
  for (size_t head = 0; head < head_count; ++head) {
    int32_t share = 0;
    for (size_t kind = 0; kind < kind_count; ++kind)
      share += kinds[kind] * heads_of_kinds[kind][head];
    scores.shares[head] = static_cast<int16_t>(share / 16);
    sum += scores.shares[head];
  }
  // What rounding took goes to the largest.
  *std::max_element(scores.shares.begin(), scores.shares.end()) +=
      static_cast<int16_t>(share_one - sum);
}

int32_t difficulty_at(const WeightTables::Fixed& fixed, int64_t sum) {
  const auto& curve = fixed.curve;
  if (sum <= curve.front().sum) return curve.front().difficulty;
  for (size_t i = 1; i < curve.size(); ++i) {
    if (sum > curve[i].sum) continue;
    const CurvePoint& from = curve[i - 1];
    const CurvePoint& to = curve[i];
    return static_cast<int32_t>(from.difficulty + (sum - from.sum) *
                                                      (to.difficulty - from.difficulty) /
                                                      (to.sum - from.sum));
  }
  return curve.back().difficulty;
}

// Longer is never easier, of prompts of one kind, and from some length on no harder.
int64_t length_part(const WeightTables::Fixed& fixed, Kind kind, const ScaledTraits& traits) {
  const LengthCurve& curve = fixed.lengths[static_cast<size_t>(kind)];
  const int32_t length = traits[static_cast<size_t>(Trait::length)];
  return int64_t{curve.slope} * std::clamp(length, curve.low, curve.high) + curve.offset;
}

Columns sum_all(const Features& features, const ScaledTraits& traits, const WeightTables& tables) {
  const WeightTables::Fixed& fixed = tables.fixed;
  Columns sums = sum_traits(traits, fixed.linear);
  for (size_t column = 0; column < column_count; ++column) sums[column] += fixed.bias[column];
  const std::span<const uint16_t> buckets(features.buckets.data(), features.bucket_count);
  const Columns words = sum_rows(buckets, tables.rows);
  // A square root and a quotient are rounded the same way everywhere.
  const double length = std::sqrt(static_cast<double>(std::max(words[rarity_column], 1)));
  const auto inverse = static_cast<int64_t>(inverse_one / 16 / length);
  for (size_t column = 0; column < columns_used; ++column) {
    sums.data()[column] += static_cast<int32_t>(
        int64_t{words.data()[column]} * fixed.word_scale.data()[column] * inverse / inverse_one);
  }
  return sums;
}

// What the shape of a request says outweighs its words: tools offered, a long text to read.
void steer_kinds(const Features& features, KindShares& kinds) {
  constexpr float long_text = 13.5f;  // scaled_log of 12,000 signs, about 4,000 tokens
  Kind kind = Kind::count;
  if (features[Trait::tools] > 0) {
    kind = Kind::tool_use;
  } else if (features[Trait::length] > long_text) {
    kind = Kind::long_context;
  } else {
    return;
  }
  for (int32_t& share : kinds) share /= 2;
  kinds[static_cast<size_t>(kind)] += share_one / 2;
}

bool is_unknown(const Features& features, const WeightTables::Fixed& fixed) {
  constexpr float one = 1024;
  if (features[Trait::other_script] * one > static_cast<float>(fixed.other_script_max)) return true;
  constexpr uint32_t words_min = 4;  // fewer say nothing about how many are known
  return features.word_count >= words_min &&
         features[Trait::known_words] * one < static_cast<float>(fixed.known_words_min);
}

}  // namespace

Scores score_features(const Features& features, const Weights& weights, TraitRow* row) {
  const WeightTables& tables = weights.tables();
  const ScaledTraits traits = scale_traits(features.structure, tables.scales);
  const Columns sums = sum_all(features, traits, tables);
  Scores scores;
  KindShares kinds = shares_of_kinds(sums);
  steer_kinds(features, kinds);
  write_shares(kinds, scores);
  scores.kind = static_cast<Kind>(std::max_element(kinds.begin(), kinds.end()) - kinds.begin());
  const int64_t forest = int64_t{tables.forest.sum(traits)} * tables.fixed.forest_scale >> 16;
  const int64_t length = length_part(tables.fixed, scores.kind, traits);
  scores.difficulty =
      static_cast<int16_t>(difficulty_at(tables.fixed, sums[difficulty_column] + forest + length));
  scores.score = score_of(scores.difficulty);
  scores.unknown = is_unknown(features, tables.fixed);
  if (row != nullptr) {
    int8_t* const values = row->values.data();
    const int16_t* const scaled = traits.data();
    // 1/64 to 1/16 standard deviations
    for (size_t i = 0; i < trait_count; ++i) values[i] = static_cast<int8_t>(scaled[i] / 4);
  }
  return scores;
}

Scores score_prompt(const Prompt& prompt, const Wants& wants, const Weights& weights,
                    TraitRow* traits) {
  return score_prompt(prompt, Window(prompt.text()), wants, weights, traits);
}

Scores score_prompt(const Prompt& prompt, const Window& window, const Wants& wants,
                    const Weights& weights, TraitRow* traits) {
  Features features;
  extract_features(prompt, window, wants, weights.tables().known_words, features);
  return score_features(features, weights, traits);
}

}  // namespace hyperion::routing
