// How the simulation says that a rule was broken.
//
// The first note of a run is kept; the driver looks at it after each step, ends the run and prints
// the seed. Nothing is thrown: the code under test has no exceptions.
#pragma once

#include <string>

namespace hyperion::sim {

// Remembers the first one of the current run.
void note_violation(const char* format, ...) __attribute__((format(printf, 1, 2)));
// Empty if all is well.
const std::string& first_violation();
void clear_violation();

}  // namespace hyperion::sim
