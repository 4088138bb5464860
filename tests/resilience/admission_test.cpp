#include "resilience/admission.h"

#include <set>

#include <doctest/doctest.h>

using namespace hyperion;
using namespace hyperion::resilience;

namespace {

constexpr Amounts all_of_100 = {100, 100, 100, 100, 100};

Amounts used(Resource resource, uint64_t amount) {
  Amounts amounts{};
  amounts[static_cast<size_t>(resource)] = amount;
  return amounts;
}

Admission configured(const AdmissionSettings& settings = {},
                     const Amounts& capacities = all_of_100) {
  Admission admission;
  admission.configure(settings, capacities);
  return admission;
}

const Resource resources[] = {Resource::requests, Resource::blocks, Resource::bodies,
                              Resource::loop_lag, Resource::descriptors};

}  // namespace

TEST_CASE("each level refuses one priority more, whatever runs out") {
  const struct {
    uint64_t amount;
    Level level;
    bool low, normal, high;
  } rows[] = {
      {0, Level::calm, true, true, true},        {79, Level::calm, true, true, true},
      {80, Level::busy, false, true, true},      {89, Level::busy, false, true, true},
      {90, Level::strained, false, false, true}, {94, Level::strained, false, false, true},
      {95, Level::full, false, false, false},    {250, Level::full, false, false, false},
  };
  for (Resource resource : resources) {
    for (const auto& row : rows) {
      CAPTURE(row.amount);
      Admission admission = configured();
      CHECK(admission.look(used(resource, row.amount)) == row.level);
      CHECK(admission.admits(Priority::low) == row.low);
      CHECK(admission.admits(Priority::normal) == row.normal);
      CHECK(admission.admits(Priority::high) == row.high);
      if (row.level != Level::calm) CHECK(admission.scarcest() == resource);
    }
  }
}

TEST_CASE("the highest level of all things is the shard's") {
  Admission admission = configured();
  CHECK(admission.look({85, 0, 91, 0, 0}) == Level::strained);
  CHECK(admission.scarcest() == Resource::bodies);
  CHECK(admission.look({85, 0, 0, 0, 0}) == Level::busy);
  CHECK(admission.scarcest() == Resource::requests);
}

TEST_CASE("a level is left only some way below where it began") {
  for (Resource resource : resources) {
    Admission admission = configured();
    CHECK(admission.look(used(resource, 80)) == Level::busy);
    CHECK(admission.look(used(resource, 75)) == Level::busy);
    CHECK(admission.look(used(resource, 74)) == Level::calm);
    CHECK(admission.look(used(resource, 79)) == Level::calm);
    CHECK(admission.look(used(resource, 96)) == Level::full);
    CHECK(admission.look(used(resource, 90)) == Level::full);
    CHECK(admission.look(used(resource, 89)) == Level::strained);
    CHECK(admission.look(used(resource, 94)) == Level::strained);
    CHECK(admission.look(used(resource, 84)) == Level::busy);
    CHECK(admission.look(used(resource, 0)) == Level::calm);
  }
}

TEST_CASE("an amount that swings about a threshold changes the level once") {
  Admission admission = configured();
  int changes = 0;
  Level before = Level::calm;
  for (int i = 0; i < 1000; ++i) {
    const Level now = admission.look(used(Resource::blocks, i % 2 == 0 ? 81 : 77));
    changes += now != before;
    before = now;
  }
  CHECK(changes == 1);
}

TEST_CASE("what has no capacity is not looked at") {
  Admission admission = configured({}, {0, 100, 0, 0, 0});
  CHECK(admission.look({1'000'000, 0, 1'000'000, 5, 5}) == Level::calm);
  CHECK(admission.look({0, 90, 0, 0, 0}) == Level::strained);
}

TEST_CASE("of very little the last one is given to whoever comes") {
  Admission admission = configured({}, {1, 0, 0, 0, 0});
  CHECK(admission.look({0, 0, 0, 0, 0}) == Level::calm);
  CHECK(admission.look({1, 0, 0, 0, 0}) == Level::full);
  CHECK(admission.look({0, 0, 0, 0, 0}) == Level::calm);
}

TEST_CASE("connections are still accepted when it is requests there are enough of") {
  for (Resource resource : resources) {
    Admission admission = configured();
    admission.look(used(resource, 94));
    CHECK_FALSE(admission.stops_accepting());
    admission.look(used(resource, 95));
    CHECK(admission.stops_accepting() == (resource != Resource::requests));
    admission.look(used(resource, 0));
    CHECK_FALSE(admission.stops_accepting());
  }
}

TEST_CASE("new settings are judged by at once") {
  Admission admission = configured();
  admission.look(used(Resource::requests, 95));
  CHECK_FALSE(admission.admits(Priority::high));
  AdmissionSettings settings;
  settings.shed_low_at_percent = 20;
  settings.refuse_at_percent = 100;
  settings.stop_accept_at_percent = 100;
  settings.hysteresis_percent = 0;
  admission.configure(settings, all_of_100);
  CHECK(admission.look(used(Resource::requests, 95)) == Level::busy);
  CHECK(admission.look(used(Resource::requests, 19)) == Level::calm);
}

TEST_CASE("clients are told to come back at different times, within the bounds") {
  AdmissionSettings settings;
  settings.retry_after_min_s = 2;
  settings.retry_after_max_s = 6;
  const Admission admission = configured(settings);
  Random random(1);
  std::set<uint32_t> told;
  for (int i = 0; i < 1000; ++i) told.insert(admission.retry_after_s(random));
  CHECK(told == std::set<uint32_t>{2, 3, 4, 5, 6});
  settings.retry_after_max_s = 2;
  CHECK(configured(settings).retry_after_s(random) == 2);
}
