#include "routing/weights.h"

#include <cstddef>
#include <cstring>
#include <string>

#include <doctest/doctest.h>

#include "routing/weight_tables.h"

namespace hyperion::routing {
namespace {

std::string problem_of(std::string_view bytes) {
  std::string problem;
  CHECK(Weights::parse(bytes, problem) == nullptr);
  return problem;
}

// CRC-32 of IEEE 802.3, bit by bit.
uint32_t crc_of(std::string_view bytes) {
  uint32_t value = 0xFFFFFFFFu;
  for (char c : bytes) {
    value ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit)
      value = (value & 1) != 0 ? value >> 1 ^ 0xEDB88320u : value >> 1;
  }
  return ~value;
}

TEST_CASE("the weights built in are whole") {
  std::string problem;
  const auto weights = Weights::parse(embedded_weights, problem);
  REQUIRE_MESSAGE(weights != nullptr, problem);
  CHECK(weights->stamp().size() == 16);
  CHECK(weights->tables().rows.size() == bucket_count);
  CHECK(embedded_weights.size() < 1'000'000);
}

TEST_CASE("weights of another version are refused with what to do") {
  std::string bytes(embedded_weights);
  bytes[8] = 99;
  CHECK(problem_of(bytes) ==
        "these routing weights are of version 99, expected 3: train them again with this "
        "release's bench/routing/train");
}

TEST_CASE("weights for other features are refused") {
  std::string bytes(embedded_weights);
  ++bytes[20];  // the number of traits
  CHECK(problem_of(bytes).starts_with("these routing weights were trained on other features"));
}

TEST_CASE("cut, lengthened and damaged weights are refused") {
  const std::string bytes(embedded_weights);
  CHECK(problem_of("") == "this is no file of routing weights");
  CHECK(problem_of(bytes.substr(0, 20)) == "this is no file of routing weights");
  CHECK(problem_of("[routing]\n" + bytes) == "this is no file of routing weights");
  CHECK(problem_of(bytes.substr(0, bytes.size() - 1)).find("say that they have") !=
        std::string::npos);
  CHECK(problem_of(bytes + "x").find("say that they have") != std::string::npos);
  for (size_t at : {size_t{40}, bytes.size() / 2, bytes.size() - 1}) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    CHECK(problem_of(damaged) == "these routing weights are damaged: their checksum does not fit");
  }
}

TEST_CASE("weights that make longer prompts easier are refused") {
  // Behind the head, traits and curve: the slope of the first kind's length.
  constexpr size_t head = 40;
  const size_t at = head + offsetof(WeightTables::Fixed, lengths) + offsetof(LengthCurve, slope);
  std::string bytes(embedded_weights);
  const int32_t falling = -1;
  std::memcpy(bytes.data() + at, &falling, sizeof(falling));
  const uint32_t sum = crc_of(std::string_view(bytes).substr(head));
  std::memcpy(bytes.data() + 16, &sum, sizeof(sum));
  CHECK(problem_of(bytes) == "these routing weights make longer prompts easier");
}

}  // namespace
}  // namespace hyperion::routing
