// Seeded random numbers for everything that is not a secret.
//
// xoshiro256** seeded by splitmix64 (Blackman and Vigna, public domain algorithms): jitter, request
// ids, simulation. One generator per shard or per simulated run, so that a seed reproduces a run.
// Never used for keys: those come from the kernel.
#pragma once

#include <cstdint>

namespace hyperion {

class Random {
 public:
  explicit Random(uint64_t seed) {
    for (uint64_t& word : state_) {
      seed += 0x9E3779B97F4A7C15u;
      uint64_t z = seed;
      z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
      z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
      word = z ^ (z >> 31);
    }
  }

  uint64_t next() {
    uint64_t result = rotate_left(state_[1] * 5, 7) * 9;
    uint64_t t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = rotate_left(state_[3], 45);
    return result;
  }

  // Uniform in [0, bound); bound 0 gives 0. The bias of the multiply is below 2^-32 for our bounds.
  uint64_t below(uint64_t bound) {
    return static_cast<uint64_t>((static_cast<unsigned __int128>(next()) * bound) >> 64);
  }
  bool chance(uint32_t parts, uint32_t of) { return below(of) < parts; }

 private:
  static uint64_t rotate_left(uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }
  uint64_t state_[4];
};

}  // namespace hyperion
