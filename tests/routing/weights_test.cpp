#include "routing/weights.h"

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
        "these routing weights are of version 99, expected 2: train them again with this "
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

}  // namespace
}  // namespace hyperion::routing
