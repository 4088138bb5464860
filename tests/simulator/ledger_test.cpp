// The bill and the record: what was served at which price, and the very bytes that came.
#include <doctest/doctest.h>

#include "served.h"
#include "support/base64.h"
#include "tls/sha256.h"

namespace hyperion::test {
namespace {

TEST_CASE("the bill is tokens times the catalogue's prices") {
  Served served("[simulator]\nanswer_tokens = 32\n");
  served.post(chat_target, hello);
  served.post(chat_target, hello_stream);
  const Json bill = served.get("/_simulator/bill").json();
  CHECK(bill["requests"].integer() == 2);
  CHECK(bill["input_tokens"].integer() == 14);
  CHECK(bill["output_tokens"].integer() == 64);
  // gpt-4o-2024-11-20: 2500 and 10000 nano-dollars a token.
  CHECK(bill["nano_usd"].integer() == 14 * 2500 + 64 * 10000);
}

TEST_CASE("of a stream that is cut, what was sent is billed") {
  Served served;
  served.post(chat_target, hello_stream, "x-hyperion-fault: cut:4\r\n");
  const simulator::Bill bill = served.ledger().bill();
  CHECK(bill.requests == 1);
  CHECK(bill.output_tokens == 3);
}

TEST_CASE("a refused request costs nothing") {
  Served served;
  served.post(chat_target, hello, "x-hyperion-fault: 503\r\n");
  const simulator::Bill bill = served.ledger().bill();
  CHECK(bill.requests == 0);
  CHECK(bill.nano_usd == 0);
  CHECK(bill.received == 1);
}

TEST_CASE("the record holds the bytes as they came, the oldest go first, reset clears") {
  Served served("[simulator]\nrequests_recorded_max = 2\n");
  const std::string body =
      "{ \"model\" : \"gpt-4o\", \"messages\":[{\"role\":\"user\","
      "\"content\":\"\\u0041 \xc3\xa9\"}] }\n";
  served.post(chat_target, hello);
  served.post(chat_target, hello);
  served.post("/v1/chat/completions?trace=1", body, "X-Odd: a,  b\r\n");
  const Json list = served.get("/_simulator/requests").json();
  REQUIRE(list.elements.size() == 2);
  const Json& last = list.elements[1];
  CHECK(last["number"].integer() == 3);
  CHECK(last["method"].text == "POST");
  CHECK(last["target"].text == "/v1/chat/completions?trace=1");
  CHECK(decode_base64(last["body"].text).value() == body);
  const auto hex = tls::hex_of(tls::sha256(body));
  CHECK(last["sha256"].text == std::string(hex.data(), hex.size()));
  bool found = false;
  for (const Json& header : last["headers"].elements) {
    found |= header.elements.at(0).text == "X-Odd" && header.elements.at(1).text == "a,  b";
  }
  CHECK(found);

  CHECK(served.post("/_simulator/reset", "").status == 200);
  CHECK(served.get("/_simulator/requests").json().elements.empty());
  CHECK(served.get("/_simulator/bill").json()["requests"].integer() == 0);
}

TEST_CASE("with requests_recorded_max = 0 nothing is recorded") {
  Served served("[simulator]\nrequests_recorded_max = 0\n");
  served.post(chat_target, hello);
  CHECK(served.get("/_simulator/requests").json().elements.empty());
  CHECK(served.ledger().bill().requests == 1);
}

TEST_CASE("several simulators at one address share one bill") {
  config::LoadOutcome outcome = config::load_text("", "test.toml", config::Surroundings{});
  simulator::Ledger ledger(16);
  simulator::Outages outages({}, 1, SystemClock().now());
  simulator::SimulatorThread first(outcome.config, ledger, outages, 0);
  simulator::SimulatorThread second(outcome.config, ledger, outages, 1);
  REQUIRE(!first.start(*io::Address::parse("127.0.0.1:0")));
  REQUIRE(!second.start(first.address()));
  for (int i = 0; i < 16; ++i) {
    TestClient client(first.address());
    client.send_bytes(request_text("POST", chat_target, hello));
    CHECK(client.read_reply().status == 200);
  }
  CHECK(ledger.bill().requests == 16);
}

}  // namespace
}  // namespace hyperion::test
