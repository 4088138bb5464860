#include "simulator/vectors.h"

#include <charconv>
#include <cmath>

#include "simulator/answer_text.h"

namespace hyperion::simulator {

void draw_vector(uint64_t seed, std::vector<float>& vector) {
  double square_sum = 0;
  for (size_t i = 0; i < vector.size(); ++i) {
    const auto bits = static_cast<int32_t>(mix(seed, i) >> 32);
    vector[i] = static_cast<float>(bits) / 2147483648.0f;
    square_sum += double{vector[i]} * vector[i];
  }
  const auto scale = static_cast<float>(1 / std::sqrt(square_sum > 0 ? square_sum : 1));
  for (float& number : vector) number *= scale;
}

void append_numbers(std::string& out, const std::vector<float>& vector) {
  out += '[';
  for (size_t i = 0; i < vector.size(); ++i) {
    char text[32];
    const auto end = std::to_chars(text, text + sizeof(text), vector[i]).ptr;
    if (i != 0) out += ',';
    out.append(text, static_cast<size_t>(end - text));
  }
  out += ']';
}

}  // namespace hyperion::simulator
