// How fast one target has answered lately: the first token, and tokens a second.
//
// Written by Health after each answer, read by routing (a pick that is slow to its first token is
// no gain), by the weights of several places for one model, by the breaker (what is far slower than
// usual counts as a failure) and by hedging (the time by which 95 of 100 first tokens have come).
// Means move over some eight answers; the percentile is a histogram with two bins an octave whose
// counts are halved now and then, so that it follows. Integers, no allocation, some 100 bytes.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

namespace hyperion::resilience {

class Pace {
 public:
  // Answers before the percentile means something.
  static constexpr uint32_t samples_min = 20;
  // And before places are compared: the first one may have paid for the connection.
  static constexpr uint32_t compared_min = 8;

  bool comparable() const { return samples_ >= compared_min; }

  void saw_first_token(uint64_t us) {
    const uint64_t bounded = std::clamp<uint64_t>(us, 1, UINT32_MAX);
    first_token_us_ = moved(first_token_us_, bounded, samples_);
    uint16_t& bin = bins_[bin_of(bounded)];
    ++bin;
    if (++samples_ < halved_at) return;
    samples_ = 0;
    for (uint16_t& each : bins_) {
      each = static_cast<uint16_t>(each / 2);
      samples_ += each;
    }
  }

  void saw_output(uint64_t tokens, uint64_t us) {
    // Of a few tokens the rate says nothing.
    constexpr uint64_t tokens_min = 8;
    if (tokens < tokens_min || us == 0) return;
    const uint64_t rate = tokens * 1'000'000'000 / us;
    tokens_per_1000_s_ =
        moved(tokens_per_1000_s_, std::clamp<uint64_t>(rate, 1, UINT32_MAX), rates_);
    ++rates_;
  }

  // Lately; 0: unknown.
  uint32_t first_token_us() const { return first_token_us_; }
  uint32_t tokens_per_1000_s() const { return tokens_per_1000_s_; }

  // By then 95 of 100 first tokens have come (the upper edge of the bin); 0: not known well enough.
  uint64_t first_token_p95_us() const {
    if (samples_ < samples_min) return 0;
    uint32_t beyond = samples_ / 20;
    for (size_t i = bins_.size(); i-- > 0;) {
      if (bins_[i] > beyond) return upper_edge(i);
      beyond -= bins_[i];
    }
    return 0;
  }

 private:
  static constexpr uint32_t halved_at = 512;
  static constexpr size_t octaves = 27;  // to two minutes

  // The plain mean of the first few, then one that moves.
  static uint32_t moved(uint32_t mean, uint64_t value, uint32_t before) {
    const uint64_t weight = std::min<uint64_t>(uint64_t{before} + 1, 8);
    return static_cast<uint32_t>((mean * (weight - 1) + value + weight - 1) / weight);
  }
  static size_t bin_of(uint64_t us) {
    const auto octave = static_cast<size_t>(std::bit_width(us) - 1);
    const bool upper = octave > 0 && (us >> (octave - 1) & 1) != 0;
    return std::min(octave * 2 + (upper ? 1 : 0), octaves * 2 - 1);
  }
  static uint64_t upper_edge(size_t bin) {
    const uint64_t low = uint64_t{1} << (bin / 2);
    return bin % 2 == 0 ? low + low / 2 : low * 2;
  }

  uint32_t first_token_us_ = 0;
  uint32_t tokens_per_1000_s_ = 0;
  uint32_t samples_ = 0;
  uint32_t rates_ = 0;
  std::array<uint16_t, octaves * 2> bins_{};
};

}  // namespace hyperion::resilience
