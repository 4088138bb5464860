// What people who look at the admin page are shown of the last decisions.
#include "gateway/decision_ring.h"

#include <doctest/doctest.h>

#include "base/byte_buffer.h"
#include "gateway/record.h"

using namespace hyperion;
using gateway::DecisionRing;

namespace {

std::string shown(const DecisionRing& ring) {
  BlockPool blocks(16, 16);
  MemoryBudget memory;
  ByteBuffer buffer(blocks, memory);
  json::Output out(buffer);
  ring.write(out);
  REQUIRE_FALSE(out.failed());
  return std::string(out.text());
}

std::string entry(int number) {
  const std::string text = std::to_string(number);
  return "{\"id\":\"req_" + text + "\",\"decision\":{\"tier\":" + text + "}}";
}

void add(DecisionRing& ring, int number) {
  const std::string text = std::to_string(number);
  ring.add("req_" + text, "{\"tier\":" + text + "}");
}

}  // namespace

TEST_CASE("the newest decision comes first, and the oldest goes first") {
  DecisionRing ring;
  ring.resize(3);
  CHECK(shown(ring) == "{\"decisions\":[]}");
  add(ring, 1);
  add(ring, 2);
  CHECK(shown(ring) == "{\"decisions\":[" + entry(2) + "," + entry(1) + "]}");
  for (int number = 3; number <= 11; ++number) add(ring, number);
  CHECK(shown(ring) == "{\"decisions\":[" + entry(11) + "," + entry(10) + "," + entry(9) + "]}");
}

TEST_CASE("a ring for none keeps none") {
  DecisionRing ring;
  add(ring, 1);
  CHECK(shown(ring) == "{\"decisions\":[]}");
  ring.resize(1);
  add(ring, 1);
  ring.resize(0);
  add(ring, 2);
  CHECK(shown(ring) == "{\"decisions\":[]}");
}

TEST_CASE("a reload that leaves the size alone keeps what is in it") {
  DecisionRing ring;
  ring.resize(2);
  add(ring, 1);
  ring.resize(2);
  CHECK(shown(ring) == "{\"decisions\":[" + entry(1) + "]}");
  ring.resize(5);
  CHECK(shown(ring) == "{\"decisions\":[]}");
}

TEST_CASE("a decision that was too long to keep leaves no gap") {
  DecisionRing ring;
  ring.resize(2);
  add(ring, 1);
  ring.add("req_2", "");
  add(ring, 3);
  CHECK(shown(ring) == "{\"decisions\":[" + entry(3) + "," + entry(1) + "]}");
}
