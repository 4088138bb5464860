// The vectors of simulated embeddings, the same for every dialect.
//
// A vector has length one, as the providers' have, and its direction follows from the seed alone.
// Called by the dialects' embeddings; pure, allocates nothing but what it appends.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace hyperion::simulator {

// Fills `vector`, whose size is given.
void draw_vector(uint64_t seed, std::vector<float>& vector);

// Appends the numbers as an array of JSON.
void append_numbers(std::string& out, const std::vector<float>& vector);

}  // namespace hyperion::simulator
