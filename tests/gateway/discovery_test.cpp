#include "gateway/discovery.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "config/config.h"
#include "gateway/gateway.h"
#include "sim/world.h"

using namespace hyperion;

namespace {

constexpr const char* provider_secret = "provider-secret";

// What the tests change from one configuration to the next.
struct Conf {
  std::string discovery;  // lines of [discovery]
  std::string provider = "discovery = true\n";
  int port = 1;
};

std::shared_ptr<const config::Config> load(const Conf& conf) {
  const std::string text =
      "[upstream]\nconnections_warm = 0\n[discovery]\ninterval_s = 100\ntimeout_ms = 5000\n" +
      conf.discovery +
      "[[providers]]\nname = \"acme\"\nbase_url = \"http://127.0.0.1:" + std::to_string(conf.port) +
      "/v9\"\napi_key_env = \"KEY\"\n" + conf.provider +
      "[[models]]\nid = \"acme-known\"\nfamily = \"acme\"\nendpoints = [\"chat\"]\n"
      "[[models]]\nid = \"acme-gone\"\nfamily = \"acme\"\nendpoints = [\"chat\"]\n"
      "status = \"retired\"\n";
  config::Surroundings surroundings = config::Surroundings::of_process();
  surroundings.environment = [](const std::string& name) -> std::optional<std::string> {
    if (name == "KEY") return provider_secret;
    return std::nullopt;
  };
  config::LoadOutcome outcome = config::load_text(text, "test.toml", surroundings);
  for (const std::string& error : outcome.errors) MESSAGE(error);
  REQUIRE(outcome.config != nullptr);
  return outcome.config;
}

// The provider's end of one connection: keeps what comes.
struct ProviderEnd final : sim::SimPeer {
  ProviderEnd(std::vector<ProviderEnd*>& all_ends, sim::SimStream& end)
      : all(all_ends), stream(&end) {
    all.push_back(this);
  }
  ~ProviderEnd() override { std::erase(all, this); }
  void on_bytes(std::string_view bytes) override { received += bytes; }
  void on_gateway_closed(bool) override {}
  bool asked() const { return received.ends_with("\r\n\r\n") && !stream->gone(); }

  std::vector<ProviderEnd*>& all;
  sim::SimStream* stream;
  std::string received;
};

// A gateway in the simulated world whose provider is the test.
class World final : public io::Transport {
 public:
  explicit World(const Conf& conf = {}, uint64_t seed = 1)
      : world_(seed),
        runtime_{world_.clock(),  world_.timers(),         world_.runtime().deferred,
                 world_.blocks(), world_.runtime().random, *this},
        gateway_(std::make_unique<gateway::Gateway>(runtime_, counters, nullptr, nullptr, key_slots,
                                                    8)) {
    apply(conf);
  }
  ~World() override {
    gateway_->terminate_all();
    CHECK(run_until([&] { return gateway_->idle() && world_.streams_alive() == 0; }));
    CHECK(gateway_->bodies().used_bytes == 0);
    gateway_.reset();
    CHECK(world_.timers().armed_count() == 0);
    CHECK(world_.blocks().in_use() == 0);
  }

  void apply(const Conf& conf) { CHECK(gateway_->apply(load(conf)) == ""); }
  gateway::Gateway& gateway() { return *gateway_; }
  uint64_t now_s() { return world_.clock().now().ns / ns_per_s; }

  io::Stream* connect(const io::Address&, io::StreamHandler* handler) override {
    auto* stream = new sim::SimStream(world_, handler);
    auto end = std::make_unique<ProviderEnd>(providers, *stream);
    ProviderEnd* raw = end.get();
    stream->attach(raw, std::move(end));
    if (!silent_connects) stream->open();
    ++connects;
    return stream;
  }

  bool run_until(const std::function<bool()>& done) {
    world_.after(0, [] {});
    for (int i = 0; i < 100'000; ++i) {
      if (done()) return true;
      if (!world_.step()) return done();
    }
    return false;
  }
  void run_for(uint64_t seconds) {
    bool over = false;
    world_.after(seconds * ns_per_s, [&over] { over = true; });
    CHECK(run_until([&] { return over; }));
  }

  // The provider's end of the next look.
  ProviderEnd* look() {
    ProviderEnd* found = nullptr;
    run_until([&] {
      for (ProviderEnd* end : providers) {
        if (end->asked()) found = end;
      }
      return found != nullptr;
    });
    return found;
  }
  // Answers the next look with these bytes; true if the list was taken.
  bool answer(const std::string& bytes, bool then_end = false) {
    ProviderEnd* end = look();
    REQUIRE(end != nullptr);
    end->received.clear();
    const uint64_t taken = provider().lists_taken.get();
    const uint64_t before = taken + provider().lists_failed.get();
    end->stream->deliver(bytes);
    if (then_end) end->stream->deliver_end();
    CHECK(run_until(
        [&] { return provider().lists_taken.get() + provider().lists_failed.get() > before; }));
    return provider().lists_taken.get() > taken;
  }

  gateway::ProviderCounters& provider() { return *counters.providers.get("acme"); }
  bool finds(std::string_view name) {
    return gateway::find_discovered(*gateway_->snapshot(), name).found();
  }

  resilience::KeySlotsRegistry key_slots;
  gateway::Counters counters;
  std::vector<ProviderEnd*> providers;  // alive
  bool silent_connects = false;
  int connects = 0;

 private:
  sim::World world_;
  io::Runtime runtime_;
  std::unique_ptr<gateway::Gateway> gateway_;
};

std::string ok(const std::string& body) {
  return "HTTP/1.1 200 OK\r\ncontent-length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}
std::string list_of(const std::string& id) { return ok(R"({"data":[{"id":")" + id + "\"}]}"); }

constexpr uint64_t seeds = 10;

}  // namespace

TEST_CASE("with discovery off nobody is asked") {
  World world({.provider = ""});
  world.run_for(1000);
  CHECK(world.connects == 0);
  CHECK_FALSE(world.finds("acme-new"));
  const catalog::Catalog& catalog = world.gateway().snapshot()->config->catalog;
  CHECK_FALSE(catalog.resolve_discovered(catalog.providers()[0], "acme-new").found());
}

TEST_CASE("a name of the provider's list is found, plain and with the provider's name") {
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    CAPTURE(seed);
    World world({}, seed);
    CHECK_FALSE(world.finds("acme-new"));
    CHECK(world.answer(list_of("acme-new")));
    const gateway::Snapshot& snapshot = *world.gateway().snapshot();
    for (const char* name : {"acme-new", "acme/acme-new"}) {
      const catalog::Resolution found = gateway::find_discovered(snapshot, name);
      REQUIRE(found.found());
      CHECK(found.upstream_model == "acme-new");
      CHECK(found.match == catalog::Match::open);
      CHECK(found.deployment->is_open());
      CHECK(found.deployment->provider->name == "acme");
    }
    for (const char* name : {"acme/other", "other", "acme/", "acme", "", "acme-new/acme-new"})
      CHECK_FALSE(world.finds(name));
    // Not a word of it in the catalogue itself: names of the conf and retired ones come first.
    CHECK_FALSE(snapshot.config->catalog.resolve("acme-new").found());
    CHECK_FALSE(snapshot.config->catalog.resolve("acme/anything").found());
    CHECK_FALSE(gateway::may_be_discovered(snapshot.config->catalog.resolve("acme-known")));
    CHECK_FALSE(gateway::may_be_discovered(snapshot.config->catalog.resolve("acme-gone")));
    CHECK(gateway::may_be_discovered(snapshot.config->catalog.resolve("acme-new")));
  }
}

TEST_CASE("the question has the provider's headers and key, and no body") {
  World world({.provider = "discovery = true\nheaders = { x-title = \"T\" }\n"});
  const ProviderEnd* end = world.look();
  REQUIRE(end != nullptr);
  CHECK(end->received.starts_with("GET /v9/models HTTP/1.1\r\n"));
  CHECK(end->received.find("\r\nhost: 127.0.0.1:1\r\n") != std::string::npos);
  CHECK(end->received.find("\r\nx-title: T\r\n") != std::string::npos);
  CHECK(end->received.find(std::string("\r\nauthorization: Bearer ") + provider_secret + "\r\n") !=
        std::string::npos);
  CHECK(end->received.find("content-length") == std::string::npos);
}

TEST_CASE("Anthropic and Gemini are asked in their way") {
  World anthropic({.provider = "discovery = true\ndialect = \"anthropic\"\n"});
  const ProviderEnd* end = anthropic.look();
  REQUIRE(end != nullptr);
  CHECK(end->received.starts_with("GET /v9/models?limit=1000 HTTP/1.1\r\n"));
  CHECK(end->received.find("\r\nx-api-key: provider-secret\r\n") != std::string::npos);
  CHECK(end->received.find("\r\nanthropic-version: 2023-06-01\r\n") != std::string::npos);

  World gemini({.provider = "discovery = true\ndialect = \"gemini\"\n"});
  end = gemini.look();
  REQUIRE(end != nullptr);
  CHECK(end->received.starts_with("GET /v9/models?pageSize=1000 HTTP/1.1\r\n"));
  CHECK(end->received.find("\r\nx-goog-api-key: provider-secret\r\n") != std::string::npos);
  CHECK(gemini.answer(ok(R"({"models":[{"name":"models/gem"}]})")));
  CHECK(gemini.finds("gem"));
}

TEST_CASE("each list takes the place of the one before, about an interval later") {
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    CAPTURE(seed);
    World world({}, seed);
    CHECK(world.answer(list_of("one")));
    const uint64_t first_s = world.now_s();
    CHECK(first_s <= 3);
    REQUIRE(world.look() != nullptr);
    CHECK(world.now_s() - first_s >= 89);
    CHECK(world.now_s() - first_s <= 111);
    CHECK(world.answer(list_of("two")));
    CHECK(world.finds("two"));
    CHECK_FALSE(world.finds("one"));
  }
}

TEST_CASE("whatever fails changes nothing, and is tried again") {
  const std::string huge(3000, ' ');
  const struct {
    const char* what;
    std::string answer;
    bool then_end;
  } bad[] = {
      {"an error", "HTTP/1.1 500 Oops\r\ncontent-length: 2\r\n\r\n{}", false},
      {"an error with a list",
       "HTTP/1.1 404 No\r\ncontent-length: 21\r\n\r\n{\"data\":[{\"id\":\"x\"}]}", false},
      {"a redirection", "HTTP/1.1 302 Found\r\nlocation: /x\r\ncontent-length: 0\r\n\r\n", false},
      {"nothing", "HTTP/1.1 204 No Content\r\n\r\n", false},
      {"no list", ok("<html>"), false},
      {"an empty body", ok(""), false},
      {"half a list", "HTTP/1.1 200 OK\r\ncontent-length: 90\r\n\r\n{\"data\":[{\"id\":\"x\"}",
       true},
      {"no HTTP", "garbage\r\n\r\n", false},
      {"a closed connection", "", true},
      {"too many names", ok(R"({"data":[{"id":"x"},{"id":"y"},{"id":"z"}]})"), false},
      {"a huge list", ok("{\"data\":[{\"id\":\"x\"}]" + huge + "}"), false},
      {"a huge list in chunks",
       "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nbb8\r\n" + huge, false},
  };
  for (const auto& one : bad) {
    CAPTURE(one.what);
    World world({.discovery = "models_max = 2\nresponse_max_bytes = 2000\n"}, 7);
    CHECK(world.answer(list_of("kept")));
    CHECK_FALSE(world.answer(one.answer, one.then_end));
    CHECK(world.finds("kept"));
    CHECK_FALSE(world.finds("x"));
    const uint64_t failed_s = world.now_s();
    CHECK(world.answer(list_of("next")));
    CHECK(world.now_s() - failed_s <= 67);
    CHECK(world.finds("next"));
  }
}

TEST_CASE("a silent provider is given up in time, before or behind the connection") {
  for (const bool connects : {false, true}) {
    CAPTURE(connects);
    World world;
    world.silent_connects = !connects;
    if (connects) {
      // Half an answer, and no more.
      ProviderEnd* end = world.look();
      REQUIRE(end != nullptr);
      end->stream->deliver("HTTP/1.1 200 OK\r\ncontent-length: 90\r\n\r\n{");
    }
    world.run_for(9);
    CHECK(world.provider().lists_failed.get() == 1);
    CHECK(world.connects == 1);
  }
}

TEST_CASE("a reload keeps what is known and looks again soon") {
  World world;
  CHECK(world.answer(list_of("kept")));
  world.apply({.discovery = "models_max = 7\n"});
  CHECK(world.finds("kept"));
  const uint64_t reloaded_s = world.now_s();
  REQUIRE(world.look() != nullptr);
  CHECK(world.now_s() - reloaded_s <= 2);
  // In the midst of a look: that one is given up, another comes.
  world.apply({});
  CHECK(world.finds("kept"));
  CHECK(world.answer(list_of("newer")));
  CHECK(world.finds("newer"));
  // Another provider under the same name begins with nothing, and one with discovery off has none.
  world.apply({.port = 2});
  CHECK_FALSE(world.finds("newer"));
  CHECK(world.answer(list_of("of-two")));
  world.apply({.provider = "", .port = 2});
  CHECK_FALSE(world.finds("of-two"));
}

TEST_CASE("a drain gives up the look that runs, and no other comes") {
  World world;
  REQUIRE(world.look() != nullptr);
  world.gateway().begin_drain(gateway::Drain::ending);
  CHECK(world.run_until([&] { return world.gateway().idle(); }));
  const int before = world.connects;
  world.apply({});
  world.run_for(1000);
  CHECK(world.connects == before);
}

TEST_CASE("no look is made while requests need the connections") {
  World world({.provider = "discovery = true\nconnections_per_shard_max = 2\n"});
  CHECK(world.answer(list_of("one")));
  // A borrower of the test's own takes the place of a request.
  struct Holder final : upstream::Borrower, upstream::ResponseHandler {
    void on_borrowed(upstream::Connection* lent) override { connection = lent; }
    void on_borrow_failed(Error) override {}
    void on_response_head(const http::ResponseHead&) override {}
    void on_response_body(std::string_view) override {}
    void on_response_complete(bool) override {}
    void on_response_failed(Error, bool) override {}
    void on_released() override {}
    upstream::Connection* connection = nullptr;
  } holder;
  upstream::Pool& pool = *world.gateway().snapshot()->providers[0].pool;
  holder.connection = pool.borrow(holder, false);
  REQUIRE(world.run_until([&] { return holder.connection != nullptr; }));
  Arena arena(world.gateway().runtime().blocks, 1 << 20);
  holder.connection->begin(&holder, arena);
  world.run_for(500);
  CHECK(world.provider().lists_taken.get() + world.provider().lists_failed.get() == 1);
  CHECK(world.connects == 1);
  CHECK(holder.connection->abandon());
  CHECK(world.answer(list_of("two")));
}
