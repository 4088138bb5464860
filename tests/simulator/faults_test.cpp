// Each fault does to the bytes on the wire what its line of help says.
#include "config/faults.h"

#include <chrono>
#include <set>

#include <doctest/doctest.h>

#include "config/outages.h"
#include "served.h"

namespace hyperion::config {
extern const std::string_view simulator_page;  // docs/simulator.md, embedded by the build
}

namespace hyperion::test {
namespace {

using config::FaultKind;
using config::FaultPlan;

std::string fault_line(std::string_view fault) {
  return "x-hyperion-fault: " + std::string(fault) + "\r\n";
}

Reply ask(Served& served, std::string_view fault, std::string_view body = hello) {
  return served.post(chat_target, body, fault_line(fault));
}

uint64_t now_ms() {
  using namespace std::chrono;
  return static_cast<uint64_t>(
      duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count());
}

TEST_CASE("docs/simulator.md lists faults and kinds of outages as the tables have them") {
  std::set<std::string> documented;
  std::string_view page = config::simulator_page;
  while (!page.empty()) {
    const size_t end = page.find('\n');
    const std::string_view line = page.substr(0, end);
    if (line.starts_with("| `")) documented.emplace(line);
    if (end == std::string_view::npos) break;
    page.remove_prefix(end + 1);
  }
  std::set<std::string> expected;
  for (const config::FaultRow& row : config::fault_table()) {
    std::string spelling(row.name);
    if (row.use == config::ArgumentUse::required) spelling += ":" + std::string(row.argument);
    if (row.use == config::ArgumentUse::optional) {
      spelling += "`, `" + std::string(row.name) + ":" + std::string(row.argument);
    }
    expected.insert("| `" + spelling + "` | " + std::string(row.help) + " |");
  }
  for (const config::OutageRow& row : config::outage_table()) {
    std::string needs;
    for (std::string_view key : row.needs)
      needs += (needs.empty() ? "`" : ", `") + std::string(key) + "`";
    if (!needs.empty()) needs += ' ';
    expected.insert("| `" + std::string(row.name) + "` | " + needs + "| " + std::string(row.help) +
                    " |");
  }
  CHECK(documented == expected);
}

TEST_CASE("a fault holds for its model, and for the dated releases of its model") {
  auto plan_of = [](std::string_view text, std::string_view model) {
    FaultPlan plan;
    std::string_view unknown;
    CHECK(config::read_faults(text, model, false, plan, unknown));
    return plan;
  };
  const std::string_view text = "gpt-4o=503, claude-haiku-4-5=cut:3";
  CHECK(plan_of(text, "gpt-4o-2024-11-20").argument == 503);
  CHECK(plan_of(text, "gpt-4o").argument == 503);
  CHECK(plan_of(text, "gpt-4o-mini").kind == FaultKind::none);
  CHECK(plan_of(text, "gpt-4o-mini-2024-07-18").kind == FaultKind::none);
  CHECK(plan_of(text, "claude-haiku-4-5-20251001").kind == FaultKind::cut);
  CHECK(plan_of(text, "claude-haiku-4-5-20251001").argument == 3);
  CHECK(plan_of("stall", "anything").kind == FaultKind::stall);
  const FaultPlan several = plan_of("slow:20, gap:3 , cut:2, 503", "gpt-4o");
  CHECK(several.slow_ms == 20);
  CHECK(several.gap_ms == 3);
  CHECK(several.kind == FaultKind::cut);
}

TEST_CASE("what names no fault is refused") {
  for (std::string_view text :
       {"200", "cut", "cut:", "cut:x", "reset:1", "nonsense", "gpt-4o=", "slow:9999999999", "CODE",
        "503x", "retryafter", "retryafter:soon", "shouldretry:2"}) {
    CAPTURE(text);
    FaultPlan plan;
    std::string_view unknown;
    CHECK(!config::read_faults(text, "gpt-4o", false, plan, unknown));
  }
}

TEST_CASE("each status code comes with an error body, 429 with retry-after") {
  Served served;
  for (uint16_t status : config::fault_statuses()) {
    const Reply reply = ask(served, std::to_string(status));
    CHECK(reply.status == status);
    CHECK(reply.json()["error"]["message"].text.size() > 10);
    CHECK(reply.json()["error"]["type"].text.size() > 3);
    CHECK((reply.header("retry-after") == "1") == (status == 429));
  }
  CHECK(ask(served, "gpt-4o=503").status == 503);
  CHECK(ask(served, "gpt-4=503").status == 200);
}

TEST_CASE("reset ends the connection without a byte") {
  Served served;
  TestClient client(served.address());
  client.send_bytes(request_text("POST", chat_target, hello, fault_line("reset")));
  client.read_to_end();
  CHECK(client.ended());
  CHECK(client.was_reset());
  CHECK(client.bytes().empty());
}

TEST_CASE("stall never answers, and lets the connection go when its peer does") {
  Served served;
  {
    TestClient client(served.address());
    client.send_bytes(request_text("POST", chat_target, hello, fault_line("stall")));
    CHECK(!client.read_more(100));
    CHECK(!client.ended());
  }
  CHECK(served.post(chat_target, hello).status == 200);
}

TEST_CASE("stall:N falls silent after N events") {
  Served served;
  TestClient client(served.address());
  client.send_bytes(request_text("POST", chat_target, hello_stream, fault_line("stall:2")));
  REQUIRE(client.read_until("\n\n\r\n"));
  while (client.read_more(100)) {
  }
  CHECK(!client.ended());
  size_t events = 0;
  for (size_t at = 0; (at = client.bytes().find("data: ", at)) != std::string::npos; ++at) ++events;
  CHECK(events == 2);
}

TEST_CASE("cut:N closes after N events, or within a plain answer") {
  Served served;
  const Reply stream = ask(served, "cut:3", hello_stream);
  CHECK(events_of(stream.body).size() == 3);
  CHECK(!stream.complete);
  CHECK(stream.ended);
  const Reply late = ask(served, "cut:500", hello_stream);
  CHECK(events_of(late.body).back() == "[DONE]");
  CHECK(!late.complete);
  const Reply plain = ask(served, "cut:0");
  CHECK(plain.status == 200);
  CHECK(!plain.complete);
  CHECK(plain.body.size() > 50);
}

TEST_CASE("cutbytes:N closes after N bytes of the body") {
  Served served;
  for (std::string_view body : {hello, hello_stream}) {
    const Reply reply = ask(served, "cutbytes:70", body);
    CHECK(reply.body.size() == 70);
    CHECK(!reply.complete);
    CHECK(reply.ended);
  }
}

TEST_CASE("slow delays the first token, gap each later one") {
  Served served("[simulator]\nanswer_tokens = 4\n");
  uint64_t begin = now_ms();
  CHECK(ask(served, "slow:40").status == 200);
  CHECK(now_ms() - begin >= 40);
  begin = now_ms();
  CHECK(ask(served, "slow:30, gap:20", hello_stream).complete);
  CHECK(now_ms() - begin >= 30 + 3 * 20);
  // The head and the opening event do not wait.
  TestClient client(served.address());
  client.send_bytes(request_text("POST", chat_target, hello_stream, fault_line("slow:60000")));
  CHECK(client.read_until("\"role\":\"assistant\""));
}

TEST_CASE("the conf's delays hold where the request asks for none") {
  Served served("[simulator]\nanswer_tokens = 3\nfirst_token_ms = 30\ntoken_gap_ms = 20\n");
  const uint64_t begin = now_ms();
  CHECK(served.post(chat_target, hello_stream).complete);
  CHECK(now_ms() - begin >= 30 + 2 * 20);
}

TEST_CASE("dribble sends every byte, one at a time") {
  Served served("[simulator]\nanswer_tokens = 2\n");
  const Reply whole = served.post(chat_target, hello_stream);
  const Reply dribbled = ask(served, "dribble", hello_stream);
  CHECK(dribbled.complete);
  CHECK(dribbled.body == whole.body);
  TestClient client(served.address());
  client.send_bytes(request_text("POST", chat_target, hello, fault_line("dribble:1")));
  CHECK(client.read_reply().complete);
  CHECK(client.reads() > 20);  // of many hundreds, if the reader is kept waiting often
}

TEST_CASE("garbage is no HTTP, html is a page") {
  Served served;
  TestClient client(served.address());
  client.send_bytes(request_text("POST", chat_target, hello, fault_line("garbage")));
  client.read_to_end();
  CHECK(client.bytes().size() > 10);
  CHECK(!client.bytes().starts_with("HTTP/1.1"));
  for (std::string_view body : {hello, hello_stream}) {
    const Reply page = ask(served, "html", body);
    CHECK(page.status == 503);
    CHECK(page.header("content-type") == "text/html; charset=utf-8");
    CHECK(page.body.starts_with("<!DOCTYPE html>"));
  }
}

TEST_CASE("halfjson is half of the JSON in a whole framing") {
  Served served;
  const Reply plain = ask(served, "halfjson");
  CHECK(plain.complete);
  CHECK(!read_json(plain.body).has_value());
  const Reply stream = ask(served, "halfjson", hello_stream);
  CHECK(stream.complete);
  const auto events = events_of(stream.body);
  CHECK(read_json(events.at(0)).has_value());
  CHECK(!read_json(events.at(1)).has_value());
}

TEST_CASE("wronglength announces more than comes") {
  Served served;
  for (std::string_view body : {hello, hello_stream}) {
    const Reply reply = ask(served, "wronglength", body);
    CHECK(!reply.complete);
    CHECK(reply.ended);
  }
  CHECK(read_json(ask(served, "wronglength").body).has_value());
}

TEST_CASE("surplus bytes follow a complete answer") {
  Served served;
  for (std::string_view body : {hello, hello_stream}) {
    TestClient client(served.address());
    client.send_bytes(request_text("POST", chat_target, body, fault_line("surplus")));
    CHECK(client.read_reply().complete);
    CHECK(client.read_until("SURPLUS"));
  }
}

TEST_CASE("comments go on without end") {
  Served served;
  TestClient client(served.address());
  client.send_bytes(request_text("POST", chat_target, hello_stream, fault_line("comments, gap:1")));
  size_t comments = 0;
  std::string_view comment = ": still at it\n\n";
  while (comments < 5 && client.read_more()) {
    comments = 0;
    for (size_t at = 0; (at = client.bytes().find(comment, at)) != std::string::npos; ++at) {
      ++comments;
    }
  }
  CHECK(comments >= 5);
  CHECK(client.bytes().find("data:") == std::string::npos);
}

TEST_CASE("headers:N sends so many more") {
  Served served;
  auto count = [](const Reply& reply) {
    size_t found = 0;
    const std::string& head = reply.head;
    for (size_t at = 0; (at = head.find("x-simulated-", at)) != std::string::npos; ++at) ++found;
    return found;
  };
  CHECK(count(ask(served, "headers")) == 300);
  CHECK(count(ask(served, "headers:7", hello_stream)) == 7);
}

TEST_CASE("gzip only says so") {
  Served served;
  const Reply reply = ask(served, "gzip");
  CHECK(reply.header("content-encoding") == "gzip");
  CHECK(read_json(reply.body).has_value());
}

TEST_CASE("nousage and negativeusage spoil the numbers") {
  Served served;
  const std::string stream =
      R"({"model":"gpt-4o","stream":true,"stream_options":{"include_usage":true},)"
      R"("messages":[{"role":"user","content":"Say hello."}]})";
  CHECK(ask(served, "nousage").json().find("usage") == nullptr);
  CHECK(ask(served, "nousage", stream).body.find("\"usage\"") == std::string::npos);
  CHECK(ask(served, "negativeusage").json()["usage"]["prompt_tokens"].integer() == -7);
  CHECK(ask(served, "negativeusage", stream).body.find("\"prompt_tokens\":-7") !=
        std::string::npos);
}

TEST_CASE("close frames the body by the end of the connection") {
  Served served;
  const Reply plain = ask(served, "close");
  CHECK(plain.header("content-length").empty());
  CHECK(plain.complete);
  CHECK(read_json(plain.body).has_value());
  const Reply stream = ask(served, "close", hello_stream);
  CHECK(stream.header("transfer-encoding").empty());
  CHECK(events_of(stream.body).back() == "[DONE]");
}

TEST_CASE("early answers 413 before the body has come") {
  Served served;
  TestClient client(served.address());
  const std::string request = request_text("POST", chat_target, hello, fault_line("early"));
  client.send_bytes(request.substr(0, request.size() - hello.size()));
  const Reply reply = client.read_reply();
  CHECK(reply.status == 413);
  CHECK(reply.header("connection") == "close");
}

TEST_CASE("continue sends interim answers first") {
  Served served;
  const Reply reply = ask(served, "continue");
  CHECK(reply.status == 200);
  CHECK(reply.head.find("HTTP/1.1 100 ") == 0);
  CHECK(reply.head.find("HTTP/1.1 102 ") != std::string::npos);
}

TEST_CASE("the conf's fault strikes as often as it says, the request's goes before it") {
  Served always("[simulator]\nfault = \"503\"\nfault_percent = 100\n");
  CHECK(always.post(chat_target, hello).status == 503);
  CHECK(ask(always, "429").status == 429);
  Served sometimes("[simulator]\nfault = \"503\"\nfault_percent = 30\nseed = 7\n");
  int struck = 0;
  for (int i = 0; i < 100; ++i) struck += sometimes.post(chat_target, hello).status == 503;
  CHECK(struck > 10);
  CHECK(struck < 55);
}

}  // namespace
}  // namespace hyperion::test
