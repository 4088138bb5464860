// Breakers, keys, pace and weights of the targets of a shard.
#include "resilience/health.h"

#include <array>

#include <doctest/doctest.h>

namespace hyperion::resilience {
namespace {

using dialect::ErrorKind;
using State = Breaker::State;

constexpr Instant start{10'000 * ns_per_ms};

Instant at_ms(uint64_t ms) { return start + ms * ns_per_ms; }

// Models at each of `places` providers, which have so many keys.
catalog::Catalog catalog_of(size_t places, size_t keys, uint32_t first_weight = 1,
                            size_t models = 1) {
  catalog::Draft draft;
  for (size_t i = 0; i < models; ++i) {
    catalog::Model model;
    model.id = std::string("acme-") + static_cast<char>('1' + i);
    model.family = "acme";
    model.endpoints = static_cast<uint8_t>(catalog::Endpoint::chat);
    draft.models.push_back({std::move(model), {}});
  }
  for (size_t i = 0; i < places; ++i) {
    catalog::Provider provider;
    provider.name = std::string("place-") + static_cast<char>('a' + i);
    provider.serves = {"acme"};
    for (size_t key = 0; key < keys; ++key) {
      std::string secret = "sk";
      provider.keys.push_back({Secret::take(secret),
                               std::string("KEY_") + static_cast<char>('A' + key),
                               key == 0 ? first_weight : 1});
    }
    draft.providers.push_back({std::move(provider), {}});
  }
  std::vector<catalog::Problem> problems;
  catalog::Catalog catalog = catalog::Catalog::build(std::move(draft), problems);
  REQUIRE(problems.empty());
  REQUIRE(catalog.deployments().size() == places * models);
  return catalog;
}

struct World {
  explicit World(size_t places, size_t keys = 1, uint32_t first_weight = 1, size_t models = 1)
      : catalog(catalog_of(places, keys, first_weight, models)),
        health(catalog, settings, nullptr) {}

  const catalog::Deployment& deployment(size_t i) const { return catalog.deployments()[i]; }
  bool fail(uint32_t target, Instant now, ErrorKind kind = ErrorKind::server,
            int64_t retry_after_ms = -1, bool probe = false) {
    Verdict verdict;
    verdict.kind = Verdict::Kind::failure;
    verdict.error = kind;
    verdict.retry_after_ms = retry_after_ms;
    return health.on_attempt_ended(target, probe, verdict, now, notice);
  }
  bool succeed(uint32_t target, Instant now, bool probe = false) {
    Verdict verdict;
    verdict.kind = Verdict::Kind::success;
    return health.on_attempt_ended(target, probe, verdict, now, notice);
  }
  Health::Pick pick(size_t i, Instant now, bool has_other = true, uint16_t avoid = 0,
                    bool forced = false) {
    return health.pick(deployment(i), avoid, has_other, forced, now, random);
  }

  BreakerSettings settings;
  catalog::Catalog catalog;
  Health health;
  Notice notice;
  Random random{1};
};

}  // namespace

TEST_CASE("so many failures in a row open it, its time and a good probe close it") {
  World world(1);
  for (int i = 0; i < 4; ++i) CHECK_FALSE(world.fail(0, start));
  CHECK(world.pick(0, start).skip == Skip::none);
  CHECK(world.fail(0, start));
  CHECK(world.notice.why == Breaker::Why::failures);
  CHECK(world.pick(0, at_ms(4'999)).skip == Skip::circuit_open);
  CHECK(world.pick(0, at_ms(4'999)).until == at_ms(5'000));
  CHECK(world.health.unhealthy()[0] == 1);
  // Half open: one probe, the others wait for what it finds.
  const Health::Pick probe = world.pick(0, at_ms(5'000));
  CHECK(probe.skip == Skip::none);
  CHECK(probe.probe);
  CHECK(world.pick(0, at_ms(5'001)).skip == Skip::circuit_open);
  CHECK(world.succeed(0, at_ms(5'100), true));
  CHECK(world.notice.why == Breaker::Why::none);
  CHECK(world.pick(0, at_ms(5'100)).skip == Skip::none);
  CHECK_FALSE(world.pick(0, at_ms(5'100)).probe);
  CHECK(world.health.unhealthy()[0] == 0);
}

TEST_CASE("a probe that fails doubles the time, one whose client left tells nothing") {
  World world(1);
  for (int i = 0; i < 5; ++i) world.fail(0, start);
  CHECK(world.pick(0, at_ms(5'000)).probe);
  Verdict left;
  CHECK_FALSE(world.health.on_attempt_ended(0, true, left, at_ms(5'010), world.notice));
  CHECK(world.pick(0, at_ms(5'020)).probe);
  CHECK(world.fail(0, at_ms(5'100), ErrorKind::server, -1, true));
  CHECK(world.pick(0, at_ms(15'099)).skip == Skip::circuit_open);
  CHECK(world.pick(0, at_ms(15'100)).probe);
}

TEST_CASE("a success in between begins the count anew, the share of a window counts as well") {
  World world(1);
  for (int i = 0; i < 9; ++i) {
    CHECK_FALSE(world.fail(0, start));
    CHECK_FALSE(world.succeed(0, start));
  }
  // 9 of 18 failed, of which at least 20 must be.
  CHECK_FALSE(world.fail(0, start));
  CHECK(world.fail(0, start));
  // And what is old does not count.
  World old(1);
  for (int i = 0; i < 4; ++i) old.fail(0, start);
  for (int i = 0; i < 15; ++i) old.succeed(0, start);
  for (int i = 0; i < 4; ++i) CHECK_FALSE(old.fail(0, at_ms(20'000)));
}

TEST_CASE("what is the client's fault, or a model that is not there, never counts") {
  World world(1);
  for (ErrorKind kind : {ErrorKind::invalid_request, ErrorKind::context_too_long,
                         ErrorKind::too_large, ErrorKind::content_policy, ErrorKind::no_model,
                         ErrorKind::conflict, ErrorKind::cancelled, ErrorKind::none}) {
    for (int i = 0; i < 100; ++i) CHECK_FALSE(world.fail(0, start, kind));
  }
  CHECK(world.health.breaker(0).state(start) == State::closed);
}

TEST_CASE("a rate limit shuts its key for the time that was said, and no other") {
  World world(1, 2);
  CHECK(world.fail(0, start, ErrorKind::rate_limit, 30'000));
  for (int i = 0; i < 50; ++i) CHECK(world.pick(0, at_ms(100)).key == 1);
  CHECK(world.health.unhealthy()[0] == 0);
  CHECK(world.fail(1, start, ErrorKind::rate_limit, 20'000));
  CHECK(world.health.unhealthy()[0] == 1);
  const Health::Pick pick = world.pick(0, at_ms(100));
  CHECK(pick.skip == Skip::rate_limited);
  CHECK(pick.key == 1);  // the one that opens first
  CHECK(pick.until == at_ms(20'000));
  CHECK(world.pick(0, at_ms(100), true, 0, true).skip == Skip::none);
  // Beyond the conf's bound nobody may keep us away; without a time it is the conf's.
  CHECK(world.fail(0, at_ms(31'000), ErrorKind::rate_limit, 3'600'000, true));
  CHECK(world.health.breaker(0).open_until() == at_ms(91'000));
}

TEST_CASE("a refused key and an empty account shut it, and are told as such") {
  World world(1, 2);
  CHECK(world.fail(0, start, ErrorKind::bad_key));
  CHECK(world.notice.why == Breaker::Why::key_refused);
  CHECK(world.health.breaker(0).open_until() == at_ms(60'000));
  CHECK(world.fail(1, start, ErrorKind::money));
  CHECK(world.pick(0, start).skip == Skip::key_refused);
}

TEST_CASE("a refused key is refused for every model of its provider, 403 for one alone") {
  World world(1, 2, 1, 3);  // targets: model 1 with both keys, model 2, model 3
  CHECK(world.fail(0, start, ErrorKind::bad_key));
  CHECK(world.notice.whole_key);
  for (size_t model = 0; model < 3; ++model) CHECK(world.pick(model, start).key == 1);
  // The first that does well opens it for all, but for what else is wrong there.
  CHECK(world.fail(4, at_ms(59'000), ErrorKind::rate_limit, 30'000));
  CHECK(world.succeed(2, at_ms(60'001), true));
  CHECK(world.health.breaker(0).state(at_ms(60'002)) == State::closed);
  CHECK(world.health.breaker(4).state(at_ms(60'002)) == State::open);
  World forbidden(1, 1, 1, 2);
  CHECK(forbidden.fail(0, start, ErrorKind::forbidden));
  CHECK(forbidden.pick(0, start).skip == Skip::key_refused);
  CHECK(forbidden.pick(1, start).skip == Skip::none);
}

TEST_CASE("keys are drawn by weight, refused ones avoided") {
  World world(1, 3, 2);
  std::array<int, 3> drawn{};
  for (int i = 0; i < 4'000; ++i) ++drawn[world.pick(0, start).key];
  CHECK(drawn[0] > 1'850);
  CHECK(drawn[0] < 2'150);
  CHECK(drawn[1] > 850);
  for (int i = 0; i < 20; ++i) CHECK(world.pick(0, start, true, 0b101).key == 1);
  CHECK(world.pick(0, start, true, 0b111).skip == Skip::key_refused);
}

TEST_CASE("failures never shut more than their part of the ways to one model") {
  World world(4);
  for (uint32_t target = 0; target < 4; ++target) {
    for (int i = 0; i < 5; ++i) world.fail(target, start);
  }
  int shut = 0;
  for (uint32_t target = 0; target < 4; ++target)
    shut += world.health.breaker(target).state(start) == State::open;
  CHECK(shut == 2);
}

TEST_CASE("a probe that fails where no more may be shut makes room for the next") {
  World world(2);
  for (int i = 0; i < 5; ++i) world.fail(0, start);
  REQUIRE(world.pick(0, at_ms(5'000)).probe);
  for (int i = 0; i < 5; ++i) world.fail(1, at_ms(5'000));
  REQUIRE(world.health.breaker(1).state(at_ms(5'001)) == State::open);
  CHECK_FALSE(world.fail(0, at_ms(5'001), ErrorKind::server, -1, true));
  CHECK(world.pick(0, at_ms(5'002)).probe);
}

TEST_CASE("what another shard has found out holds here, the longer time of two") {
  World world(2);
  world.health.on_notice({1, Breaker::Why::rate_limited, false, at_ms(700)}, start);
  CHECK(world.pick(1, start).skip == Skip::rate_limited);
  world.health.on_notice({1, Breaker::Why::failures, false, at_ms(300)}, start);
  CHECK(world.pick(1, start).until == at_ms(700));
  world.health.on_notice({1, Breaker::Why::none, false, {}}, start);
  CHECK(world.pick(1, start).skip == Skip::none);
  world.health.on_notice({99, Breaker::Why::failures, false, at_ms(300)}, start);
}

TEST_CASE("a half open target takes a request that has nowhere else to go, too") {
  World world(1);
  for (int i = 0; i < 5; ++i) world.fail(0, start);
  CHECK(world.pick(0, at_ms(5'000), false).probe);
  // Of two keys the good one goes on serving those that have no other.
  World two(1, 2);
  for (int i = 0; i < 5; ++i) two.fail(0, start);
  for (int i = 0; i < 20; ++i) {
    const Health::Pick pick = two.pick(0, at_ms(6'000), false);
    CHECK(pick.key == 1);
    CHECK_FALSE(pick.probe);
  }
  CHECK(two.pick(0, at_ms(6'000), true).probe);
}

TEST_CASE("a reload keeps what is known of targets that are still there") {
  World world(2);
  for (int i = 0; i < 5; ++i) world.fail(1, start);
  world.health.saw_first_token(world.deployment(1), 5'000);
  const catalog::Catalog next = catalog_of(3, 1);
  const Health health(next, world.settings, &world.health);
  CHECK(health.breaker(0).state(start) == State::closed);
  CHECK(health.breaker(1).state(start) == State::open);
  CHECK(health.breaker(2).state(start) == State::closed);
  CHECK(health.first_token_us()[1] == 5'000);
  CHECK(health.unhealthy()[1] == 1);
}

TEST_CASE("slow first tokens count as failures, against what is usual there") {
  World world(1);
  for (int i = 0; i < 20; ++i)
    CHECK_FALSE(world.health.saw_first_token(world.deployment(0), 500'000));
  CHECK_FALSE(world.health.saw_first_token(world.deployment(0), 2'600'000));  // below the least
  CHECK(world.health.saw_first_token(world.deployment(0), 9'000'000));
}

TEST_CASE("what is up but slow loses weight, never all of it") {
  World world(2);
  for (int i = 0; i < 50; ++i) {
    world.health.saw_first_token(world.deployment(0), 100'000);
    world.health.saw_first_token(world.deployment(1), 400'000);
  }
  const std::array<const catalog::Deployment*, 2> both = {&world.deployment(0),
                                                          &world.deployment(1)};
  const uint32_t fast = world.health.weight_of(*both[0], 10, both);
  const uint32_t slow = world.health.weight_of(*both[1], 10, both);
  CHECK(fast == 10'000);
  CHECK(slow > 2'300);
  CHECK(slow < 2'700);
  for (int i = 0; i < 50; ++i) world.health.saw_first_token(world.deployment(1), 60'000'000);
  CHECK(world.health.weight_of(*both[1], 10, both) == 500);
}

TEST_CASE("a first answer that paid for its connection starves no place") {
  World world(2);
  const std::array<const catalog::Deployment*, 2> both = {&world.deployment(0),
                                                          &world.deployment(1)};
  world.health.saw_first_token(world.deployment(0), 900'000);
  for (int i = 0; i < 20; ++i) world.health.saw_first_token(world.deployment(1), 100'000);
  CHECK(world.health.weight_of(*both[0], 10, both) == 10'000);
  for (int i = 0; i < 7; ++i) world.health.saw_first_token(world.deployment(0), 100'000);
  // The mean of eight: 200 ms.
  CHECK(world.health.weight_of(*both[0], 10, both) > 4'900);
  CHECK(world.health.weight_of(*both[0], 10, both) <= 5'000);
}

TEST_CASE("the percentile follows: above 95 of 100 first tokens, within an octave's half") {
  Pace pace;
  Random random(3);
  CHECK(pace.first_token_p95_us() == 0);
  for (int i = 0; i < 400; ++i) pace.saw_first_token(i % 20 == 0 ? 900'000 : 100'000);
  CHECK(pace.first_token_p95_us() >= 100'000);
  CHECK(pace.first_token_p95_us() <= 200'000);
  for (int i = 0; i < 2'000; ++i) pace.saw_first_token(1'000'000);
  CHECK(pace.first_token_p95_us() >= 1'000'000);
  CHECK(pace.first_token_p95_us() <= 1'600'000);
}

}  // namespace hyperion::resilience
