// What the seeds reached, and what they should have reached.
//
// Each world adds what its providers and clients did, how its requests ended, and what the chain
// made of each failure. A run over all seeds that misses a cell that can be reached has tested less
// than it says: it fails.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace hyperion::sim {

struct Coverage {
  // What happened -> end code (side and phase) of requests in the same world -> count.
  std::map<std::string, std::map<std::string, uint64_t>> ends;
  // What became of an attempt -> what followed it -> count.
  std::map<std::string, std::map<std::string, uint64_t>> moves;
  // Why nothing more was tried, and what breakers and hedges did.
  std::map<std::string, uint64_t> chain;
  uint64_t requests = 0;
  uint64_t answered = 0;
  uint64_t steps = 0;

  void print() const;
  // Cells that all the seeds together must reach, and did not.
  std::vector<std::string> missing() const;
};

}  // namespace hyperion::sim
