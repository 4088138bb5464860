#include "upstream/resolver.h"

#include <chrono>
#include <future>
#include <map>
#include <string>

#include <doctest/doctest.h>

using namespace hyperion;
using upstream::Resolver;

namespace {

// What a resolver published, waited for by the test's thread.
class Published {
 public:
  Resolver::Publish sink() {
    return [this](const std::string& host, const std::vector<io::Address>& addresses) {
      std::lock_guard lock(mutex_);
      by_host_[host].push_back(addresses);
      changed_.notify_all();
    };
  }
  // The newest result for `host` once there are `count`; the time is a bound for a broken test.
  bool wait_for(const std::string& host, size_t count, std::vector<io::Address>& newest) {
    std::unique_lock lock(mutex_);
    bool came = changed_.wait_for(lock, std::chrono::seconds(60),
                                  [&] { return by_host_[host].size() >= count; });
    if (came) newest = by_host_[host].back();
    return came;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, std::vector<std::vector<io::Address>>> by_host_;
};

}  // namespace

TEST_CASE("localhost resolves to a loopback address") {
  const std::vector<io::Address> addresses = upstream::resolve_blocking("localhost");
  REQUIRE_FALSE(addresses.empty());
  for (const io::Address& address : addresses) {
    const std::string text = address.text();
    CAPTURE(text);
    CHECK((text.starts_with("127.") || text.starts_with("[::1]")));
  }
}

TEST_CASE("a name that cannot exist has no address") {
  CHECK(upstream::resolve_blocking("hyperion-test.invalid").empty());  // RFC 6761 6.4
  CHECK(upstream::resolve_blocking("").empty());
}

TEST_CASE("every watched name is published, an empty list for one that has no address") {
  Published published;
  Resolver resolver(published.sink());
  resolver.watch({"hyperion-test.invalid", "localhost"}, 30'000);
  std::vector<io::Address> addresses;
  REQUIRE(published.wait_for("localhost", 1, addresses));
  CHECK_FALSE(addresses.empty());
  REQUIRE(published.wait_for("hyperion-test.invalid", 1, addresses));
  CHECK(addresses.empty());
  resolver.stop();
}

TEST_CASE("names are resolved again at each refresh, and at once when they change") {
  Published published;
  Resolver resolver(published.sink());
  resolver.watch({"localhost"}, 1);
  std::vector<io::Address> addresses;
  REQUIRE(published.wait_for("localhost", 3, addresses));
  // Would not be seen for an hour if a change did not end the wait.
  resolver.watch({"localhost"}, 3'600'000);
  resolver.watch({"127.0.0.1"}, 3'600'000);
  REQUIRE(published.wait_for("127.0.0.1", 1, addresses));
  CHECK_FALSE(addresses.empty());
  resolver.stop();
}

TEST_CASE("stop ends the wait for a refresh at once, and may be called again") {
  Published published;
  Resolver resolver(published.sink());
  resolver.watch({"localhost"}, 3'600'000);
  std::vector<io::Address> addresses;
  REQUIRE(published.wait_for("localhost", 1, addresses));
  std::future<void> stopped = std::async(std::launch::async, [&] { resolver.stop(); });
  REQUIRE(stopped.wait_for(std::chrono::seconds(30)) == std::future_status::ready);
  resolver.stop();
}

TEST_CASE("a resolver that watches nothing needs no thread and stops") {
  Published published;
  Resolver resolver(published.sink());
  resolver.stop();
  Resolver idle(published.sink());
  idle.watch({}, 30'000);
  idle.stop();
}
