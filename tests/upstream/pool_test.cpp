#include "upstream/pool.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "upstream/pool_world.h"

using namespace hyperion;
using test::PoolWorld;
using test::User;

namespace {

io::Address address_of(const char* ip, uint16_t port = 80) {
  return *io::Address::from_ip(ip, port);
}

// A provider known by a name that the resolver has to look up.
void give_name(PoolWorld& world) {
  world.provider.base_url.host = "acme.test";
  world.provider.base_url.host_is_ip = false;
  world.provider.base_url.port = 8080;
}

bool serve(PoolWorld& world, User& user, bool fresh = false) {
  user.ask(fresh);
  return world.run_until([&] { return user.done(); }) && user.served();
}

// Two connections, both used and idle.
void make_two_idle(PoolWorld& world, User& first, User& second) {
  first.ask();
  second.ask();
  REQUIRE(world.run_until([&] { return first.done() && second.done(); }));
  REQUIRE(world.pool().idle_count() == 2);
}

}  // namespace

TEST_CASE("a connection is reused for the next request") {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    PoolWorld world(seed);
    User user(world);
    for (int i = 0; i < 3; ++i) {
      REQUIRE(serve(world, user));
      CHECK(user.body == "ok");
      CHECK(user.was_reused == (i > 0));
    }
    CHECK(world.dialled.size() == 1);
    CHECK(world.pool().statistics().opened == 1);
    CHECK(world.pool().statistics().reuses == 2);
    CHECK(world.pool().idle_count() == 1);
  }
}

TEST_CASE("the newest idle connection is lent first") {
  PoolWorld world;
  world.answers.clear();
  User first(world), second(world);
  first.ask();
  second.ask();
  REQUIRE(world.run_until([&] {
    return world.providers.size() == 2 && world.providers[0]->requests == 1 &&
           world.providers[1]->requests == 1;
  }));
  upstream::Connection* newest = second.connection;
  upstream::Connection* oldest = first.connection;
  world.providers[0]->answer(test::good_answer);
  REQUIRE(world.run_until([&] { return first.done() || second.done(); }));
  if (second.done()) std::swap(newest, oldest);
  world.providers[1]->answer(test::good_answer);
  REQUIRE(world.run_until([&] { return first.done() && second.done(); }));
  first.ask();
  CHECK(first.connection == newest);
  second.ask();
  CHECK(second.connection == oldest);
  REQUIRE(world.run_until(
      [&] { return world.providers[0]->requests == 2 && world.providers[1]->requests == 2; }));
  for (test::Provider* provider : world.providers) provider->answer(test::good_answer);
  REQUIRE(world.run_until([&] { return first.done() && second.done(); }));
}

TEST_CASE("beyond the cap borrowers wait, and are served in their order") {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    PoolWorld world(seed);
    world.provider.connections.connections_per_shard_max = 2;
    std::vector<std::unique_ptr<User>> users;
    for (int i = 0; i < 6; ++i) {
      users.push_back(std::make_unique<User>(world));
      users.back()->ask();
    }
    CHECK(world.pool().waiting_count() == 6);
    size_t most = 0;
    REQUIRE(world.run_until([&] {
      most = std::max(most, world.pool().connection_count());
      return std::all_of(users.begin(), users.end(), [](const auto& user) { return user->done(); });
    }));
    CHECK(most == 2);
    CHECK(world.pool().at_capacity());
    CHECK(world.dialled.size() == 2);
    for (size_t i = 0; i < users.size(); ++i) {
      CHECK(users[i]->served());
      CHECK(users[i]->lending == i + 1);
    }
  }
}

TEST_CASE("a fresh borrower never gets a connection that was idle or served before") {
  PoolWorld world;
  world.provider.connections.connections_per_shard_max = 2;
  User user(world);
  REQUIRE(serve(world, user));
  REQUIRE(world.pool().idle_count() == 1);
  REQUIRE(serve(world, user, true));
  CHECK_FALSE(user.was_reused);
  CHECK(world.dialled.size() == 2);
}

TEST_CASE("a used connection that comes back passes a fresh borrower by") {
  PoolWorld world;
  world.provider.connections.connections_per_shard_max = 1;
  world.answers.clear();
  User holder(world), fresh(world), plain(world);
  holder.ask();
  REQUIRE(world.run_until([&] { return holder.connection != nullptr; }));
  upstream::Connection* only = holder.connection;
  fresh.ask(true);
  plain.ask();
  REQUIRE(world.run_until([&] { return world.providers[0]->requests == 1; }));
  world.providers[0]->answer(test::good_answer);
  REQUIRE(world.run_until([&] { return plain.connection != nullptr; }));
  CHECK(plain.connection == only);
  CHECK(fresh.connection == nullptr);
  world.answers = test::good_answer;
  REQUIRE(world.run_until([&] { return world.providers[0]->requests == 2; }));
  world.providers[0]->answer(test::good_answer);
  REQUIRE(world.run_until([&] { return plain.done() && fresh.done(); }));
  CHECK(fresh.served());
  CHECK_FALSE(fresh.was_reused);
}

TEST_CASE("a fresh borrower gets a place although idle connections hold all of them") {
  PoolWorld world;
  world.provider.connections.connections_per_shard_max = 2;
  User first(world), second(world);
  make_two_idle(world, first, second);
  const uint64_t begin = world.now_ms();
  REQUIRE(serve(world, first, true));
  CHECK_FALSE(first.was_reused);
  // Not only when one of them has grown old.
  CHECK(world.now_ms() - begin < 5'000);
  CHECK(world.pool().connection_count() <= 2);
}

TEST_CASE("a fresh borrower is served when a newer configuration has lowered the cap beneath it") {
  PoolWorld world;
  world.provider.connections.connections_per_shard_max = 2;
  User first(world), second(world);
  make_two_idle(world, first, second);
  world.provider.connections.connections_per_shard_max = 1;
  world.pool().update(world.provider, world.limits);
  const uint64_t begin = world.now_ms();
  REQUIRE(serve(world, first, true));
  CHECK(world.now_ms() - begin < 5'000);
  CHECK(world.pool().connection_count() == 1);
}

TEST_CASE("an idle connection that ends, fails or speaks is gone at once") {
  struct Trouble {
    const char* name;
    void (*cause)(test::Provider&);
  };
  const Trouble troubles[] = {
      {"end", [](test::Provider& provider) { provider.stream->deliver_end(); }},
      {"reset", [](test::Provider& provider) { provider.stream->deliver_reset(); }},
      {"bytes", [](test::Provider& provider) { provider.answer("H"); }},
      {"answer", [](test::Provider& provider) { provider.answer(test::good_answer); }},
  };
  for (const Trouble& trouble : troubles) {
    CAPTURE(trouble.name);
    PoolWorld world;
    User user(world);
    REQUIRE(serve(world, user));
    trouble.cause(*world.providers[0]);
    REQUIRE(world.run_until([&] { return world.pool().idle_count() == 0; }));
    CHECK(world.pool().statistics().not_reusable == 1);
    REQUIRE(serve(world, user));
    CHECK_FALSE(user.was_reused);
    CHECK(world.dialled.size() == 2);
  }
}

TEST_CASE("a connection with surplus bytes is never lent again") {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    CAPTURE(seed);
    PoolWorld world(seed);
    world.answers = test::good_answer + "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil";
    User user(world);
    REQUIRE(serve(world, user));
    CHECK(user.body == "ok");
    user.ask();
    world.answers = test::good_answer;
    REQUIRE(world.run_until([&] { return user.done(); }));
    // The surplus may come when the next request is queued already: then that one fails.
    CHECK(user.body.find("evil") == std::string::npos);
    if (user.failed) CHECK(user.error.code == ErrorCode::surplus_bytes);
    CHECK(world.pool().statistics().not_reusable >= 1);
  }
}

TEST_CASE("an answer that ends the connection, or the last a connection may serve, closes it") {
  PoolWorld closing;
  closing.answers = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";
  User user(closing);
  REQUIRE(serve(closing, user));
  CHECK(closing.pool().idle_count() == 0);
  REQUIRE(serve(closing, user));
  CHECK(closing.dialled.size() == 2);

  PoolWorld worn;
  worn.provider.connections.connection_requests_max = 2;
  User second(worn);
  for (int i = 0; i < 4; ++i) REQUIRE(serve(worn, second));
  CHECK(worn.dialled.size() == 2);
}

TEST_CASE("a drained pool serves those who wait and keeps nothing") {
  PoolWorld world;
  world.provider.connections.connections_per_shard_max = 1;
  world.provider.connections.connections_warm = 1;
  User first(world), second(world), third(world);
  first.ask();
  second.ask();
  REQUIRE(world.run_until([&] { return first.connection != nullptr; }));
  world.pool().drain();
  REQUIRE(world.run_until([&] { return first.done() && second.done(); }));
  CHECK(first.served());
  CHECK(second.served());
  REQUIRE(world.run_until([&] { return world.pool().connection_count() == 0; }));
  // A request that began before the drain may still come for a connection.
  REQUIRE(serve(world, third));
  REQUIRE(world.run_until([&] { return world.pool().connection_count() == 0; }));
  world.run_for(60'000);
  CHECK(world.pool().connection_count() == 0);
}

TEST_CASE("draining closes what is idle now") {
  PoolWorld world;
  User first(world), second(world);
  make_two_idle(world, first, second);
  world.pool().drain();
  CHECK(world.pool().idle_count() == 0);
  REQUIRE(world.run_until([&] { return world.pool().connection_count() == 0; }));
}

TEST_CASE("a name that is not known yet makes borrowers wait; one without address fails them") {
  PoolWorld world;
  give_name(world);
  User first(world), second(world);
  CHECK(world.pool().needs_resolution());
  first.ask();
  second.ask();
  world.run_for(10'000);
  CHECK_FALSE(first.done());
  CHECK(world.dialled.empty());
  world.pool().set_addresses({});
  REQUIRE(first.failed);
  REQUIRE(second.failed);
  CHECK(first.error.code == ErrorCode::name_not_resolved);
  CHECK(first.error.side == Side::upstream);
  CHECK(first.error.phase == Phase::connect);
  CHECK((first.error.retry_safe == 1));
  // From now on at once, but not inside the call.
  first.ask();
  CHECK_FALSE(first.done());
  REQUIRE(world.run_until([&] { return first.done(); }));
  CHECK(first.error.code == ErrorCode::name_not_resolved);
  CHECK(world.pool().waiting_count() == 0);

  second.ask();
  world.pool().set_addresses({address_of("10.0.0.1", 0)});
  REQUIRE(world.run_until([&] { return second.done(); }));
  CHECK(second.served());
  CHECK(world.dialled.back() == "10.0.0.1:8080");
  // A resolver that fails later does not take the good address away.
  world.pool().set_addresses({});
  REQUIRE(serve(world, first, true));
}

TEST_CASE("where one address refuses the next is tried, and remembered") {
  PoolWorld world;
  give_name(world);
  world.refuses = [](const std::string& address) { return address != "10.0.0.3:8080"; };
  world.pool().set_addresses(
      {address_of("10.0.0.1"), address_of("10.0.0.2"), address_of("10.0.0.3")});
  User user(world);
  REQUIRE(serve(world, user));
  CHECK(world.dialled ==
        std::vector<std::string>{"10.0.0.1:8080", "10.0.0.2:8080", "10.0.0.3:8080"});
  CHECK(world.pool().statistics().open_failures == 2);
  REQUIRE(serve(world, user, true));
  CHECK(world.dialled.size() == 4);
  CHECK(world.dialled.back() == "10.0.0.3:8080");
}

TEST_CASE("where all addresses refuse each is tried once and the borrower is told") {
  PoolWorld world;
  give_name(world);
  world.refuses = [](const std::string&) { return true; };
  world.pool().set_addresses({address_of("10.0.0.1"), address_of("10.0.0.2")});
  User user(world);
  user.ask();
  REQUIRE(world.run_until([&] { return user.done(); }));
  CHECK(user.failed);
  CHECK(user.error.code == ErrorCode::connect_failed);
  CHECK(user.error.side == Side::upstream);
  CHECK(user.error.phase == Phase::connect);
  CHECK((user.error.retry_safe == 1));
  CHECK(world.dialled.size() == 2);
}

TEST_CASE("a silent address takes its share of the connect time, then the next one is tried") {
  PoolWorld world;
  give_name(world);
  world.provider.timeouts.connect_ms = 3'000;
  world.silent = [](const std::string& address) { return address == "10.0.0.1:8080"; };
  world.pool().set_addresses({address_of("10.0.0.1"), address_of("10.0.0.2")});
  User user(world);
  const uint64_t begin = world.now_ms();
  REQUIRE(serve(world, user));
  CHECK(world.now_ms() - begin >= 1'400);
  CHECK(world.now_ms() - begin < 3'000);

  world.silent = [](const std::string&) { return true; };
  user.ask(true);
  REQUIRE(world.run_until([&] { return user.done(); }));
  CHECK(user.error.code == ErrorCode::timed_out);
  CHECK(user.error.phase == Phase::connect);
}

TEST_CASE("warm connections are opened before they are needed and opened again when lost") {
  PoolWorld world;
  world.provider.connections.connections_warm = 3;
  world.pool().warm_up();
  REQUIRE(world.run_until([&] { return world.pool().idle_count() == 3; }));
  CHECK(world.dialled.size() == 3);
  User user(world);
  REQUIRE(serve(world, user));
  CHECK(world.dialled.size() == 3);
  world.providers[0]->stream->deliver_end();
  REQUIRE(world.run_until([&] { return world.pool().idle_count() == 2; }));
  REQUIRE(world.run_until([&] { return world.pool().idle_count() == 3; }));
  CHECK(world.dialled.size() == 4);
}

TEST_CASE("a provider that refuses is kept warm less and less often, and again when it is back") {
  PoolWorld world;
  world.provider.connections.connections_warm = 1;
  bool down = true;
  world.refuses = [&down](const std::string&) { return down; };
  world.pool().warm_up();
  world.run_for(200'000);
  const std::vector<uint64_t>& at = world.dialled_at_ms;
  REQUIRE(at.size() >= 8);
  CHECK(at.size() <= 15);
  for (size_t i = 2; i < at.size(); ++i) {
    CHECK(at[i] - at[i - 1] + 50 >= at[i - 1] - at[i - 2]);
    CHECK(at[i] - at[i - 1] <= 30'100);
  }
  CHECK(at.back() - at[at.size() - 2] >= 29'900);
  down = false;
  REQUIRE(world.run_until([&] { return world.pool().idle_count() == 1; }));
  CHECK(world.now_ms() <= at.back() + 30'100);
}

TEST_CASE("an idle connection is closed when it has been so for its time") {
  PoolWorld world;
  world.provider.connections.connection_idle_ms = 10'000;
  User user(world);
  REQUIRE(serve(world, user));
  world.run_for(8'000);
  CHECK(world.pool().idle_count() == 1);
  REQUIRE(serve(world, user));
  CHECK(user.was_reused);
  world.run_for(9'000);
  CHECK(world.pool().idle_count() == 1);
  world.run_for(2'000);
  CHECK(world.pool().connection_count() == 0);
}

TEST_CASE("a borrower that no longer wants a connection is not called") {
  PoolWorld world;
  User user(world);
  user.ask();
  REQUIRE(world.pool().waiting_count() == 1);
  world.pool().cancel(user);
  world.pool().cancel(user);
  CHECK(world.pool().waiting_count() == 0);
  // What was begun for it serves the next one.
  REQUIRE(world.run_until([&] { return world.pool().idle_count() == 1; }));
  CHECK(user.connection == nullptr);
  REQUIRE(serve(world, user));
  CHECK(world.dialled.size() == 1);
}

TEST_CASE("an exchange that is given up closes its connection and frees the place") {
  PoolWorld world;
  world.provider.connections.connections_per_shard_max = 1;
  world.answers.clear();
  User first(world), second(world);
  first.ask();
  REQUIRE(world.run_until([&] { return first.connection != nullptr; }));
  second.ask();
  // Its request is still queued: it stays referenced until the connection is done with it.
  CHECK_FALSE(first.connection->abandon());
  CHECK(first.releases == 0);
  REQUIRE(world.run_until([&] { return first.releases == 1; }));
  world.answers = test::good_answer;
  REQUIRE(world.run_until([&] { return second.done(); }));
  CHECK(second.served());
  CHECK_FALSE(first.done());
  CHECK(world.dialled.size() == 2);
}

TEST_CASE("a newer configuration's bounds hold at once for those who wait") {
  PoolWorld world;
  world.provider.connections.connections_per_shard_max = 1;
  world.answers.clear();
  User first(world), second(world);
  first.ask();
  second.ask();
  REQUIRE(world.run_until([&] { return first.connection != nullptr; }));
  world.run_for(1'000);
  CHECK(second.connection == nullptr);
  world.provider.connections.connections_per_shard_max = 2;
  world.pool().update(world.provider, world.limits);
  REQUIRE(world.run_until([&] { return second.connection != nullptr; }));
  REQUIRE(world.run_until(
      [&] { return world.providers[0]->requests == 1 && world.providers[1]->requests == 1; }));
  for (test::Provider* provider : world.providers) provider->answer(test::good_answer);
  REQUIRE(world.run_until([&] { return first.done() && second.done(); }));
}

TEST_CASE("a pool goes on for a provider of the same address, name and roots only") {
  PoolWorld world;
  world.provider.addresses = {address_of("10.0.0.1"), address_of("10.0.0.2")};
  upstream::Pool& pool = world.pool();
  catalog::Provider same;
  PoolWorld::describe(same);
  same.addresses = world.provider.addresses;
  same.name = "renamed";
  same.timeouts.total_ms = 1;
  same.connections.connections_per_shard_max = 1;
  same.base_url.path_prefix = "/other";
  CHECK(pool.serves(same, ""));
  CHECK_FALSE(pool.serves(same, "roots.pem"));
  auto differs = [&](auto change) {
    catalog::Provider other;
    PoolWorld::describe(other);
    other.addresses = world.provider.addresses;
    change(other);
    return !pool.serves(other, "");
  };
  CHECK(differs([](catalog::Provider& other) { other.base_url.host = "127.0.0.2"; }));
  CHECK(differs([](catalog::Provider& other) { other.base_url.port = 81; }));
  CHECK(differs([](catalog::Provider& other) { other.base_url.tls = true; }));
  CHECK(differs([](catalog::Provider& other) { other.tls_server_name = "acme.test"; }));
  CHECK(differs([](catalog::Provider& other) { other.addresses.pop_back(); }));
  CHECK(differs([](catalog::Provider& other) { other.addresses[1].set_port(81); }));
  CHECK(differs([](catalog::Provider& other) { other.addresses.clear(); }));
  pool.drain();
  CHECK_FALSE(pool.serves(world.provider, ""));
}
