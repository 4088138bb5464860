// Property: what a parser sees does not depend on how the bytes were cut, faults included.
#include "vectors.h"

namespace hyperion::test {
namespace {

const std::vector<std::string> request_seeds = {
    "GET /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "\r\nPOST /a/b?c=d HTTP/1.1\r\nHost: localhost:80\r\nContent-Length: 5\r\nA: b c \r\n\r\nhello"
    "GET http://localhost/x HTTP/1.0\r\nConnection: keep-alive\r\nHost: localhost\r\n\r\n"
    "OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "PUT /x HTTP/1.1\r\nhost: [::1]:80\r\nExpect: 100-continue\r\nTransfer-Encoding: "
    "chunked\r\n\r\n"
    "5;a=\"b\"\r\nhello\r\nA\r\n0123456789\r\n0\r\nT: v\r\n\r\nDELETE / HTTP/1.1\r\nHost: "
    "a\r\n\r\n",
};

const std::vector<std::string> response_seeds = {
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\nA:\r\n\r\nhi"
    "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\nConnection: close\r\n\r\nrest",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: "
    "chunked\r\n\r\n1a\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\n\r\n"
    "HTTP/1.0 500 Oh\r\nContent-Length: 1\r\n\r\nx",
};

std::string mutated(std::string bytes, Random& random) {
  constexpr std::string_view alphabet = " \t\r\n:;,/?#%.-_*019aAzZH\x01\x7f\x80\xff";
  const uint64_t edits = random.below(4);
  for (uint64_t i = 0; i < edits; ++i) {
    const size_t at = random.below(bytes.size());
    const char c = alphabet[random.below(alphabet.size())];
    switch (random.below(4)) {
      case 0: bytes[at] = c; break;
      case 1: bytes.insert(at, 1, c); break;
      case 2: bytes.erase(at, 1); break;
      default: bytes.insert(at, bytes.substr(random.below(bytes.size()), random.below(30)));
    }
  }
  return bytes;
}

http::Limits random_limits(Random& random) {
  http::Limits limits;
  if (random.chance(1, 4)) limits.head_size_max_bytes = 20 + random.below(100);
  if (random.chance(1, 4)) limits.target_size_max_bytes = 1 + random.below(20);
  if (random.chance(1, 4)) limits.header_count_max = 1 + random.below(4);
  if (random.chance(1, 4)) limits.body_size_max_bytes = random.below(20);
  if (random.chance(1, 4)) limits.chunk_extension_max_bytes = random.below(8);
  if (random.chance(1, 4)) limits.trailer_size_max_bytes = 2 + random.below(8);
  if (random.chance(1, 4)) limits.response_head_size_max_bytes = 20 + random.below(80);
  return limits;
}

TEST_CASE("seeded requests under seeded limits give one account for any cuts") {
  size_t rejected_count = 0;
  for (uint64_t seed = 1; seed <= 20'000; ++seed) {
    Random random(seed);
    const std::string bytes = mutated(request_seeds[random.below(request_seeds.size())], random);
    const http::Limits limits = random_limits(random);
    const SeenConnection whole = run_requests(bytes, {}, limits);
    INFO("seed " << seed << ": " << shown(bytes));
    INFO("whole: " << whole.status << " " << whole.reason);
    for (const Cuts& cuts : {every_byte(bytes.size()), random_cuts(random, bytes.size())}) {
      const SeenConnection cut = run_requests(bytes, cuts, limits);
      INFO("cut: " << cut.status << " " << cut.reason);
      REQUIRE(cut == whole);
    }
    rejected_count += whole.rejected() ? 1 : 0;
  }
  CHECK(rejected_count > 5'000);
  CHECK(rejected_count < 19'000);
}

TEST_CASE("seeded responses under seeded limits give one account for any cuts") {
  size_t rejected_count = 0;
  for (uint64_t seed = 1; seed <= 20'000; ++seed) {
    Random random(seed);
    const std::string bytes = mutated(response_seeds[random.below(response_seeds.size())], random);
    const http::Limits limits = random_limits(random);
    const bool to_head = random.chance(1, 8);
    const SeenConnection whole = run_responses(bytes, {}, true, to_head, limits);
    INFO("seed " << seed << ": " << shown(bytes));
    for (const Cuts& cuts : {every_byte(bytes.size()), random_cuts(random, bytes.size())}) {
      REQUIRE(run_responses(bytes, cuts, true, to_head, limits) == whole);
    }
    rejected_count += whole.rejected() ? 1 : 0;
  }
  CHECK(rejected_count > 5'000);
  CHECK(rejected_count < 19'000);
}

}  // namespace
}  // namespace hyperion::test
