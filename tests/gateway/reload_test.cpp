#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "config/config.h"
#include "gateway/gateway.h"
#include "sim/world.h"
#include "tls/sha256.h"

using namespace hyperion;

namespace {

// What the tests change from one configuration to the next.
struct Conf {
  std::string key = "sk_live_old";
  int port = 1;
  std::string upstream_model = "model-old";
  std::string provider = "acme";
  std::string limits;  // lines of [limits]
};

std::shared_ptr<const config::Config> load(const Conf& conf) {
  const auto hex = tls::hex_of(tls::sha256(conf.key));
  const std::string text =
      "[limits]\n" + conf.limits +
      "[[models]]\nid = \"m\"\nfamily = \"f\"\nendpoints = [\"chat\"]\n"
      "[[providers]]\nname = \"" +
      conf.provider +
      "\"\ndialect = \"openai\"\nbase_url = \"http://127.0.0.1:" + std::to_string(conf.port) +
      "/v1\"\napi_key_env = \"KEY\"\nserves = [\"f\"]\n"
      "[[deployments]]\nname = \"m\"\nmodel = \"m\"\nprovider = \"" +
      conf.provider + "\"\nupstream_model = \"" + conf.upstream_model +
      "\"\n[[keys]]\nid = \"k\"\nhash = \"sha256:" + std::string(hex.data(), hex.size()) + "\"\n";
  config::Surroundings surroundings = config::Surroundings::of_process();
  surroundings.environment = [](const std::string& name) -> std::optional<std::string> {
    if (name == "KEY") return "provider-secret";
    return std::nullopt;
  };
  config::LoadOutcome outcome = config::load_text(text, "test.toml", surroundings);
  for (const std::string& error : outcome.errors) MESSAGE(error);
  REQUIRE(outcome.config != nullptr);
  return outcome.config;
}

// The far end of a connection: keeps what comes.
struct End : sim::SimPeer {
  void on_bytes(std::string_view bytes) override { received += bytes; }
  void on_gateway_closed(bool) override { closed = true; }
  bool got(std::string_view text) const { return received.find(text) != std::string::npos; }

  std::string received;
  sim::SimStream* stream = nullptr;
  bool closed = false;
};

struct ProviderEnd final : End {
  ProviderEnd(std::vector<ProviderEnd*>& all_ends, sim::SimStream& end, std::string to)
      : all(all_ends), address(std::move(to)) {
    stream = &end;
    all.push_back(this);
  }
  ~ProviderEnd() override { std::erase(all, this); }

  std::vector<ProviderEnd*>& all;
  std::string address;
};

// A gateway in the simulated world, its transport telling where each connection goes.
class Reloads final : public io::Transport {
 public:
  explicit Reloads(uint64_t seed, const Conf& conf = {})
      : world_(seed),
        runtime_{world_.clock(),  world_.timers(),         world_.runtime().deferred,
                 world_.blocks(), world_.runtime().random, *this},
        gateway_(std::make_unique<gateway::Gateway>(runtime_, counters, nullptr, nullptr, key_slots,
                                                    8)) {
    apply(conf);
  }
  ~Reloads() override {
    gateway_->terminate_all();
    CHECK(run_until([&] { return gateway_->idle() && world_.streams_alive() == 0; }));
    CHECK(gateway_->bodies().used_bytes == 0);
    gateway_.reset();
    CHECK(world_.timers().armed_count() == 0);
    CHECK(world_.blocks().in_use() == 0);
  }

  // Nobody but the gateway holds the configuration afterwards.
  void apply(const Conf& conf) {
    const std::string problem = gateway_->apply(load(conf));
    CHECK(problem == "");
  }
  std::weak_ptr<const gateway::Snapshot> snapshot() { return gateway_->snapshot(); }
  void update_gauges() { gateway_->update_gauges(); }

  End& connect_client() {
    clients_.push_back(std::make_unique<End>());
    End& client = *clients_.back();
    io::Stream* stream = world_.accept(&client);
    client.stream = world_.stream_of(stream);
    gateway_->accept(stream, gateway::Listening::public_side);
    return client;
  }

  io::Stream* connect(const io::Address& address, io::StreamHandler* handler) override {
    auto* stream = new sim::SimStream(world_, handler);
    auto end = std::make_unique<ProviderEnd>(providers, *stream, address.text());
    ProviderEnd* raw = end.get();
    stream->attach(raw, std::move(end));
    stream->open();
    return stream;
  }

  bool run_until(const std::function<bool()>& done) {
    world_.after(0, [] {});  // a turn, for what the test has done since the last one
    for (int i = 0; i < 100'000; ++i) {
      if (done()) return true;
      if (!world_.step()) return done();
    }
    return false;
  }
  // Everything that was sent has arrived.
  void settle() {
    bool over = false;
    world_.after(500 * ns_per_ms, [&over] { over = true; });
    run_until([&over] { return over; });
  }

  // The provider's end that got a whole request with this text; nullptr if none did.
  ProviderEnd* asked(std::string_view text) {
    ProviderEnd* found = nullptr;
    run_until([&] {
      for (ProviderEnd* end : providers) {
        if (end->got(text) && end->got("\"q\"")) found = end;
      }
      return found != nullptr;
    });
    return found;
  }

  resilience::KeySlotsRegistry key_slots;
  gateway::Counters counters;
  std::vector<ProviderEnd*> providers;  // alive

 private:
  sim::World world_;
  io::Runtime runtime_;
  std::vector<std::unique_ptr<End>> clients_;
  std::unique_ptr<gateway::Gateway> gateway_;
};

constexpr uint64_t seeds = 25;

const std::string body = R"({"model":"m","messages":[{"role":"user","content":"q"}]})";

std::string head_for(const std::string& key, const std::string& more = {}) {
  return "POST /v1/chat/completions HTTP/1.1\r\nhost: h\r\nauthorization: Bearer " + key + "\r\n" +
         more + "content-length: " + std::to_string(body.size()) + "\r\n\r\n";
}
std::string request(const std::string& key) { return head_for(key) + body; }

const std::string answer =
    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: "
    "14\r\n\r\n{\"answer\":\"a\"}";

std::string event_of(const std::string& text) {
  return "data: {\"choices\":[{\"delta\":{\"content\":\"" + text + "\"}}]}\n\n";
}
std::string chunk(const std::string& text) {
  char size[17];
  std::snprintf(size, sizeof(size), "%zx", text.size());
  return std::string(size) + "\r\n" + text + "\r\n";
}

// Sends one request and has it answered by the provider that holds `upstream_model`.
void serve(Reloads& reloads, End& client, const Conf& conf) {
  client.received.clear();
  client.stream->deliver(request(conf.key));
  ProviderEnd* end = reloads.asked(conf.upstream_model);
  REQUIRE(end != nullptr);
  CHECK(end->address == "127.0.0.1:" + std::to_string(conf.port));
  end->received.clear();
  end->stream->deliver(answer);
  REQUIRE(reloads.run_until([&] { return client.got("{\"answer\":\"a\"}"); }));
  CHECK(client.got("HTTP/1.1 200 OK"));
}

void check_refused(Reloads& reloads, End& client, const std::string& key) {
  client.received.clear();
  client.stream->deliver(request(key));
  REQUIRE(reloads.run_until([&] { return client.got("authentication_error"); }));
  CHECK(client.got("HTTP/1.1 401"));
}

}  // namespace

TEST_CASE("an idle client finds the new keys, and the old ones gone, on its open connection") {
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    CAPTURE(seed);
    Reloads reloads(seed);
    End& client = reloads.connect_client();
    serve(reloads, client, {});
    const auto old = reloads.snapshot();
    const Conf second{.key = "sk_live_new", .upstream_model = "model-new"};
    reloads.apply(second);
    CHECK(old.expired());
    serve(reloads, client, second);
    End& other = reloads.connect_client();
    check_refused(reloads, other, "sk_live_old");
    // And a third, which has the old key again.
    reloads.apply({});
    serve(reloads, client, {});
    CHECK_FALSE(client.closed);
  }
}

TEST_CASE("a request whose head is half read ends under the configuration it began under") {
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    CAPTURE(seed);
    Reloads reloads(seed);
    End& client = reloads.connect_client();
    const std::string whole = request("sk_live_old");
    const size_t cut = 1 + seed * (whole.size() - body.size() - 2) / (seeds + 1);
    client.stream->deliver(whole.substr(0, cut));
    reloads.settle();
    const auto old = reloads.snapshot();
    // Other limits, another key, another provider: twice, so that nothing is saved by luck.
    reloads.apply({.key = "sk_live_second", .port = 2, .upstream_model = "model-second"});
    const Conf third{
        .key = "sk_live_new",
        .port = 3,
        .upstream_model = "model-new",
        .limits =
            "head_size_max_bytes = 4096\ntarget_size_max_bytes = 1024\nheader_count_max = 8\n"
            "body_size_max_bytes = 1024\n"};
    reloads.apply(third);
    CHECK_FALSE(old.expired());
    client.stream->deliver(whole.substr(cut));
    ProviderEnd* end = reloads.asked("model-old");
    REQUIRE(end != nullptr);
    CHECK(end->address == "127.0.0.1:1");
    end->stream->deliver(answer);
    REQUIRE(reloads.run_until([&] { return client.got("{\"answer\":\"a\"}"); }));
    reloads.settle();
    CHECK(old.expired());
    // The next one on the same connection is a new request.
    serve(reloads, client, third);
    // The old address is not kept connected.
    REQUIRE(reloads.run_until([&] {
      for (const ProviderEnd* provider : reloads.providers) {
        if (provider->address != "127.0.0.1:3") return false;
      }
      return true;
    }));
  }
}

TEST_CASE("a request whose answer is on its way gets the rest of it") {
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    CAPTURE(seed);
    Reloads reloads(seed);
    End& client = reloads.connect_client();
    client.stream->deliver(head_for("sk_live_old") + body);
    ProviderEnd* end = reloads.asked("model-old");
    REQUIRE(end != nullptr);
    end->stream->deliver(
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n" +
        chunk(event_of("first-part")));
    REQUIRE(reloads.run_until([&] { return client.got("first-part"); }));
    const auto old = reloads.snapshot();
    const Conf second{.key = "sk_live_new",
                      .port = 2,
                      .upstream_model = "model-new",
                      .provider = "other",
                      .limits =
                          "response_head_size_max_bytes = 4096\n"
                          "sse_event_size_max_bytes = 65536\n"};
    reloads.apply(second);
    reloads.apply(second);
    reloads.settle();
    CHECK_FALSE(old.expired());
    CHECK_FALSE(end->closed);
    // Others are served under the new one meanwhile.
    End& other = reloads.connect_client();
    serve(reloads, other, second);
    end->stream->deliver(chunk(event_of("second-part")) + chunk("data: [DONE]\n\n") + "0\r\n\r\n");
    REQUIRE(reloads.run_until([&] { return client.got("[DONE]"); }));
    CHECK(client.got("second-part"));
    REQUIRE(reloads.run_until([&] { return client.received.ends_with("0\r\n\r\n"); }));
    reloads.settle();
    CHECK(old.expired());
    reloads.update_gauges();
    serve(reloads, client, second);
  }
}

TEST_CASE("a request that waits for its answer is not moved to the new address") {
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    CAPTURE(seed);
    Reloads reloads(seed);
    End& client = reloads.connect_client();
    client.stream->deliver(request("sk_live_old"));
    ProviderEnd* end = reloads.asked("model-old");
    REQUIRE(end != nullptr);
    reloads.apply({.port = 2});
    reloads.settle();
    REQUIRE_FALSE(end->closed);
    end->received.clear();
    end->stream->deliver(answer);
    REQUIRE(reloads.run_until([&] { return client.got("{\"answer\":\"a\"}"); }));
    serve(reloads, client, {.port = 2});
  }
}

TEST_CASE("limits that are raised or lowered hold for the next request, not for the current one") {
  const std::string filler = "x-filler: " + std::string(3000, 'f') + "\r\n";
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    CAPTURE(seed);
    const Conf small{.limits = "head_size_max_bytes = 2048\ntarget_size_max_bytes = 1024\n"};
    const Conf large{.limits = "head_size_max_bytes = 8192\ntarget_size_max_bytes = 1024\n"};
    Reloads reloads(seed, large);
    End& client = reloads.connect_client();
    const std::string whole = head_for("sk_live_old", filler) + body;
    client.stream->deliver(whole.substr(0, 1000));
    reloads.settle();
    reloads.apply(small);
    client.stream->deliver(whole.substr(1000));
    ProviderEnd* end = reloads.asked("model-old");
    REQUIRE(end != nullptr);
    end->received.clear();
    end->stream->deliver(answer);
    REQUIRE(reloads.run_until([&] { return client.got("{\"answer\":\"a\"}"); }));
    // The same head again, half under the small limits: refused although they are large now.
    client.received.clear();
    client.stream->deliver(whole.substr(0, 1000));
    reloads.settle();
    reloads.apply(large);
    client.stream->deliver(whole.substr(1000));
    REQUIRE(reloads.run_until([&] { return client.got("request_head_too_large"); }));
    CHECK(client.got("HTTP/1.1 431"));
    End& other = reloads.connect_client();
    other.stream->deliver(whole);
    REQUIRE(reloads.asked("model-old") != nullptr);
  }
}

TEST_CASE("an idle connection is kept where the address stays and closed where it changes") {
  Reloads reloads(7);
  End& client = reloads.connect_client();
  serve(reloads, client, {});
  reloads.settle();
  REQUIRE(reloads.providers.size() >= 1);
  const size_t open = reloads.providers.size();
  reloads.apply({.upstream_model = "model-new"});
  reloads.settle();
  CHECK(reloads.providers.size() == open);
  reloads.apply({.port = 2});
  reloads.settle();
  for (const ProviderEnd* provider : reloads.providers) {
    CHECK(provider->address == "127.0.0.1:2");
  }
}

TEST_CASE("a provider that is gone from the conf has no connections on the metrics page") {
  Reloads reloads(3);
  End& client = reloads.connect_client();
  serve(reloads, client, {});
  reloads.settle();
  reloads.update_gauges();
  gateway::ProviderCounters* old = reloads.counters.providers.get("acme");
  REQUIRE(old->connections.get() > 0);
  REQUIRE(old->idle_connections.get() > 0);
  // Renamed, it keeps its connections under the new name.
  reloads.apply({.provider = "renamed"});
  reloads.update_gauges();
  CHECK(old->connections.get() == 0);
  CHECK(old->idle_connections.get() == 0);
  gateway::ProviderCounters* renamed = reloads.counters.providers.get("renamed");
  CHECK(renamed->connections.get() > 0);
  reloads.apply({.port = 2, .provider = "other"});
  reloads.settle();
  reloads.update_gauges();
  CHECK(renamed->connections.get() == 0);
  CHECK(reloads.counters.providers.get("other")->connections.get() > 0);
}

TEST_CASE("a hundred reloads under a waiting client leave one configuration alive") {
  Reloads reloads(11);
  End& client = reloads.connect_client();
  serve(reloads, client, {});
  std::vector<std::weak_ptr<const gateway::Snapshot>> snapshots;
  for (int i = 0; i < 100; ++i) {
    snapshots.push_back(reloads.snapshot());
    reloads.apply({.port = 1 + i % 3});
    reloads.run_until([&] { return reloads.providers.size() <= 8; });
    reloads.update_gauges();
  }
  for (const auto& snapshot : snapshots) CHECK(snapshot.expired());
  serve(reloads, client, {.port = 1});
}
