// The schedule of outages: whom an outage concerns and when, and what is seen of it on the wire.
#include "simulator/outages.h"

#include <algorithm>

#include <doctest/doctest.h>

#include "served.h"

namespace hyperion::test {
namespace {

using config::FaultKind;
using config::FaultPlan;
using config::Outage;
using config::OutageKind;
using simulator::Asker;
using simulator::Delays;
using simulator::Outages;
using simulator::OutageState;

constexpr std::string_view page = "/_simulator/outages";

Outage of_kind(OutageKind kind, uint64_t length_ms = 0) {
  Outage outage;
  outage.kind = static_cast<uint8_t>(kind);
  outage.length_ms = length_ms;
  return outage;
}

OutageState state_at(const Outage& outage, uint64_t ms) {
  return simulator::moment_of(outage, ms).state;
}

// What `outages` do to a request `ms` after the start.
struct Struck {
  FaultPlan plan;
  Delays delays;
};
Struck strike(Outages& outages, const Asker& asker, uint64_t ms, Delays usual = {}) {
  Struck struck;
  struck.delays = usual;
  outages.apply(asker, false, Instant{1} + ms * ns_per_ms, struck.plan, struck.delays);
  return struck;
}

TEST_CASE("an outage concerns the requests that are all of what it says") {
  const Asker asker = {"openai", "gpt-4o-2024-11-20", "sk-one", "/eu/v1/chat/completions",
                       "eu.example.com:9090"};
  const auto concerned = [&](auto change) {
    Outage outage;
    change(outage);
    return simulator::concerns(outage, asker);
  };
  CHECK(concerned([](Outage&) {}));
  CHECK(concerned([](Outage& o) { o.provider = "openai"; }));
  CHECK_FALSE(concerned([](Outage& o) { o.provider = "gemini"; }));
  CHECK(concerned([](Outage& o) { o.model = "gpt-4o"; }));
  CHECK(concerned([](Outage& o) { o.model = "gpt-4*"; }));
  CHECK(concerned([](Outage& o) { o.model = "*"; }));
  CHECK_FALSE(concerned([](Outage& o) { o.model = "gpt-4o-mini"; }));
  CHECK_FALSE(concerned([](Outage& o) { o.model = "gpt-5*"; }));
  CHECK(concerned([](Outage& o) { o.api_key = "sk-one"; }));
  CHECK_FALSE(concerned([](Outage& o) { o.api_key = "sk-on"; }));
  CHECK(concerned([](Outage& o) { o.path = "/eu/"; }));
  CHECK_FALSE(concerned([](Outage& o) { o.path = "/us/"; }));
  CHECK(concerned([](Outage& o) { o.host = "eu.example.com"; }));
  CHECK_FALSE(concerned([](Outage& o) { o.host = "example.com"; }));
  CHECK_FALSE(concerned([](Outage& o) {
    o.model = "gpt-4o";
    o.api_key = "sk-two";
  }));
}

TEST_CASE("an outage has a beginning and an end, and may come again") {
  Outage once = of_kind(OutageKind::down, 10);
  once.start_ms = 5;
  CHECK(state_at(once, 4) == OutageState::waiting);
  CHECK(state_at(once, 5) == OutageState::failing);
  CHECK(state_at(once, 14) == OutageState::failing);
  CHECK(state_at(once, 15) == OutageState::over);
  CHECK(state_at(of_kind(OutageKind::down), UINT64_MAX) == OutageState::failing);
  Outage again = once;
  again.period_ms = 20;
  CHECK(state_at(again, 15) == OutageState::waiting);
  CHECK(state_at(again, 25) == OutageState::failing);
  CHECK(state_at(again, 34) == OutageState::failing);
  CHECK(state_at(again, 35) == OutageState::waiting);
}

TEST_CASE("flapping is down and up by turns, until its end") {
  Outage outage = of_kind(OutageKind::flapping, 25);
  outage.down_ms = 3;
  outage.up_ms = 7;
  std::string states;
  for (uint64_t ms = 0; ms < 27; ++ms) {
    const OutageState state = state_at(outage, ms);
    states += state == OutageState::failing ? 'x' : state == OutageState::up ? '-' : '.';
  }
  CHECK(states == "xxx-------xxx-------xxx--..");
}

TEST_CASE("a slow start falls evenly from its latency to the usual one") {
  Outage outage = of_kind(OutageKind::slow_start, 10);
  outage.recovery_ms = 100;
  outage.slow_ms = 1020;
  Outages outages({outage}, 1, Instant{1});
  const Asker asker = {"openai", "gpt-4o", "", "/", ""};
  const Delays usual = {20, 7};
  CHECK(strike(outages, asker, 9, usual).plan.argument == 503);
  CHECK(strike(outages, asker, 9, usual).delays.first_token_ms == 20);
  for (const auto& [ms, delay] :
       {std::pair{10, 1020}, {35, 770}, {60, 520}, {109, 30}, {110, 20}}) {
    CAPTURE(ms);
    const Struck struck = strike(outages, asker, static_cast<uint64_t>(ms), usual);
    CHECK(struck.plan.is(FaultKind::none));
    CHECK(struck.delays.first_token_ms == static_cast<uint64_t>(delay));
    CHECK(struck.delays.token_gap_ms == 7);
  }
}

TEST_CASE("a brown-out multiplies the delays, of nothing a millisecond") {
  Outage outage = of_kind(OutageKind::brown_out, 10);
  outage.slower_factor = 8;
  Outages outages({outage}, 1, Instant{1});
  const Asker asker = {"openai", "gpt-4o", "", "/", ""};
  const Struck slow = strike(outages, asker, 0, {20, 0});
  CHECK(slow.plan.is(FaultKind::none));
  CHECK(slow.delays.first_token_ms == 160);
  CHECK(slow.delays.token_gap_ms == 8);
  CHECK(strike(outages, asker, 10, {20, 0}).delays.first_token_ms == 20);
}

TEST_CASE("a partial outage strikes its share, and with one seed the same requests") {
  Outage outage = of_kind(OutageKind::partial);
  outage.percent = 30;
  const auto pattern = [&](uint64_t seed) {
    Outages outages({outage}, seed, Instant{1});
    std::string struck;
    for (uint64_t i = 0; i < 1000; ++i)
      struck += strike(outages, {"openai", "gpt-4o", "", "/", ""}, i).plan.any() ? 'x' : '-';
    return struck;
  };
  const std::string first = pattern(1);
  CHECK(first == pattern(1));
  CHECK(first != pattern(2));
  const auto count = std::count(first.begin(), first.end(), 'x');
  CHECK(count > 250);
  CHECK(count < 350);
  outage.percent = 100;
  CHECK(pattern(1) == std::string(1000, 'x'));
}

TEST_CASE("of two faults the first counts, with what it says of coming back") {
  Outage first = of_kind(OutageKind::down, 10);
  first.fault = "529, shouldretry:1, gap:3";
  Outage second = of_kind(OutageKind::down);
  second.fault = "429, retryafter:7, slow:5, gap:9";
  Outages outages({first, second}, 1, Instant{1});
  const Asker asker = {"openai", "gpt-4o", "", "/", ""};
  const FaultPlan both = strike(outages, asker, 0).plan;
  CHECK(both.argument == 529);
  CHECK(both.retry == FaultPlan::not_given);
  CHECK(both.should_retry == 1);
  CHECK(both.gap_ms == 3);
  CHECK(both.slow_ms == 5);
  CHECK(strike(outages, asker, 10).plan.retry == 7);
}

TEST_CASE("the schedule of the conf strikes, and what the request asks for goes before it") {
  Served served(
      "[simulator]\n[[simulator.outages]]\nmodel = \"gpt-4o\"\nfault = \"429, "
      "retryafter:9\"\n");
  const Reply reply = served.post(chat_target, hello);
  CHECK(reply.status == 429);
  CHECK(reply.header("retry-after") == "9");
  CHECK(served.post(chat_target, hello, "x-hyperion-fault: 503\r\n").status == 503);
  CHECK(served
            .post(chat_target, R"({"model":"gpt-4o-mini","messages":[{"role":"user",)"
                               R"("content":"Hi."}]})")
            .status == 200);
}

TEST_CASE("an outage is posted, seen and deleted while the simulator runs") {
  Served served;
  CHECK(served.post(chat_target, hello).status == 200);
  CHECK(served.get(page).json()["outages"].elements.empty());
  const Reply posted = served.post(page, R"({"name": "one", "model": "gpt-4o", "fault": "529"})");
  CHECK(posted.status == 200);
  CHECK(served.post(chat_target, hello).status == 529);
  const Json schedule = served.get(page).json();
  REQUIRE(schedule["outages"].elements.size() == 1);
  const Json& outage = schedule["outages"].elements[0];
  CHECK(outage["name"].text == "one");
  CHECK(outage["kind"].text == "down");
  CHECK(outage["fault"].text == "529");
  CHECK(outage["state"].text == "failing");
  CHECK(outage["requests"].integer() == 1);
  CHECK(outage["struck"].integer() == 1);
  CHECK(served.ask(request_text("DELETE", page, {})).json()["outages"].elements.empty());
  CHECK(served.post(chat_target, hello).status == 200);
  CHECK(served.ask(request_text("PUT", page, "{}")).status == 405);
}

TEST_CASE("a wrong outage is refused with its line, and nothing is added") {
  Served served;
  for (const auto& [body, said] : {
           std::pair{"{\n\"fault\": \"5O3\"}", "line 2: fault: expected a fault such as"},
           {R"({"fualt": "503"})", "line 1: unknown key: expected one of name, provider"},
           {R"({"name": "a", "name": "b"})", "name"},
           {R"({"percent": 5})", "percent: is of no use with kind = \"down\""},
           {R"({"start_ms": 1.5})", "start_ms: expected a whole number"},
           {R"({"start_ms": null})", "start_ms: expected a whole number"},
           {R"([])", "expected"},
           {"{\"kind\": ", "not acceptable JSON"},
           {"", "as a JSON object"},
       }) {
    CAPTURE(body);
    const Reply reply = served.post(page, body);
    CHECK(reply.status == 400);
    const std::string message = reply.json()["error"]["message"].text;
    CHECK_MESSAGE(message.find(said) != std::string::npos, message);
  }
  CHECK_FALSE(served.outages().any());
}

TEST_CASE("an outage for one key, however a dialect presents it") {
  Served served;
  served.post(page, R"({"api_key": "sk-one-of-two", "fault": "401"})");
  const auto status = [&](std::string_view target, std::string_view headers) {
    return served
        .ask("GET " + std::string(target) + " HTTP/1.1\r\nhost: simulator\r\n" +
             std::string(headers) + "\r\n")
        .status;
  };
  CHECK(status("/v1/models", "authorization: Bearer sk-one-of-two\r\n") == 401);
  CHECK(status("/v1/models", "authorization: Bearer sk-two\r\n") == 200);
  constexpr std::string_view version = "anthropic-version: 2023-06-01\r\n";
  CHECK(status("/v1/models", std::string(version) + "x-api-key: sk-one-of-two\r\n") == 401);
  CHECK(status("/v1/models", std::string(version) + "x-api-key: sk-two\r\n") == 200);
  CHECK(status("/v1beta/models?key=sk-one-of-two", "") == 401);
  CHECK(status("/v1beta/models?pageSize=1&key=sk-two", "") == 200);
  CHECK(status("/v1beta/models", "x-goog-api-key: sk-one-of-two\r\n") == 401);
  CHECK(served.get(page).body.find("sk-one") == std::string::npos);
}

TEST_CASE("an outage for one region, which is a label before the path or a host") {
  Served served;
  served.post(page, R"({"path": "/eu/", "fault": "503"})");
  served.post(page, R"({"host": "us.example.com", "fault": "529"})");
  CHECK(served.post("/eu/v1/chat/completions", hello).status == 503);
  CHECK(served.post("/asia/v1/chat/completions", hello).status == 200);
  CHECK(served.post(chat_target, hello).status == 200);
  CHECK(served.post("/eu/other/v1/chat/completions", hello).status == 503);
  CHECK(served.post("/asia/other/v1/chat/completions", hello).status == 404);
  const std::string body(hello);
  const std::string head =
      "POST /v1/chat/completions HTTP/1.1\r\nauthorization: Bearer sk\r\ncontent-length: " +
      std::to_string(body.size()) + "\r\nhost: ";
  CHECK(served.ask(head + "US.example.com:9090\r\n\r\n" + body).status == 529);
  CHECK(served.ask(head + "example.com\r\n\r\n" + body).status == 200);
}

TEST_CASE("a fault that strikes before the body is there does so by the schedule as well") {
  Served served("[simulator]\n[[simulator.outages]]\nprovider = \"openai\"\nfault = \"early\"\n");
  TestClient client(served.address());
  const std::string request = request_text("POST", chat_target, hello);
  client.send_bytes(request.substr(0, request.size() - hello.size()));
  CHECK(client.read_reply().status == 413);
}

TEST_CASE("a brown-out is slow on the wire, and the answer is the same") {
  Served served("[simulator]\nanswer_tokens = 4\n");
  const Reply quick = served.post(chat_target, hello_stream);
  served.post(page, R"({"kind": "brown_out", "slower_factor": 20})");
  const Instant begin = SystemClock().now();
  const Reply slow = served.post(chat_target, hello_stream);
  CHECK(elapsed_ns(begin, SystemClock().now()) >= 4 * 20 * ns_per_ms);
  CHECK(slow.complete);
  CHECK(slow.body == quick.body);
}

TEST_CASE("the schedule is bounded") {
  Outages outages({}, 1, Instant{1});
  int taken = 0;
  while (taken < 1000 && outages.add(Outage{}, Instant{1})) ++taken;
  CHECK(taken == 256);
  outages.clear();
  CHECK(outages.add(Outage{}, Instant{1}));
}

}  // namespace
}  // namespace hyperion::test
