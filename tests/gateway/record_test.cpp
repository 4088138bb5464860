#include "gateway/record.h"

#include <cstring>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "support/json_reader.h"
#include "support/shared_data.h"

using namespace hyperion;
using gateway::Outcome;
using gateway::Record;

namespace {

constexpr size_t line_max_bytes = 2048;  // what the header promises to be enough

Instant at_us(uint64_t us) { return {ns_per_s + us * ns_per_us}; }

Record answered() {
  Record record;
  std::memcpy(record.request_id, "req_0123456789abcdef01234567", gateway::request_id_size);
  record.status = 200;
  record.method = "POST";
  record.route = "/v1/chat/completions";
  record.key_id = "team";
  record.requested_model = "gpt-4o";
  record.model = "gpt-4o-2024-11-20";
  record.provider = "openai";
  record.stream = true;
  record.attempts = 1;
  record.request_bytes = 512;
  record.response_bytes = 4096;
  record.usage = {
      .prompt_tokens = 12, .completion_tokens = 34, .cached_tokens = 5, .reasoning_tokens = 6};
  record.begin = at_us(0);
  record.head_done = at_us(10);
  record.body_done = at_us(30);
  record.connected = at_us(60);
  record.sent = at_us(70);
  record.upstream_head = at_us(1070);
  record.first_token = at_us(2000);
  record.upstream_last = at_us(5070);
  record.end = at_us(5100);
  return record;
}

std::string line_of(const Record& record, uint64_t wall_ns = 0) {
  std::string out(line_max_bytes, '?');
  out.resize(gateway::write_line(record, wall_ns, out.data(), out.size()));
  return out;
}

test::Json read_line(const Record& record, uint64_t wall_ns = 0) {
  const std::string line = line_of(record, wall_ns);
  CAPTURE(line);
  for (const char c : line) CHECK(static_cast<unsigned char>(c) >= 0x20);
  const auto read = test::read_json(line);
  REQUIRE(read);
  return *read;
}

}  // namespace

TEST_CASE("a line of the log is one object of JSON that says what was recorded") {
  const test::Json line = read_line(answered());
  CHECK(line["id"].text == "req_0123456789abcdef01234567");
  CHECK(line["end"].text == "--");
  CHECK(line["outcome"].text == "answered");
  CHECK(line["status"].integer() == 200);
  CHECK(line["method"].text == "POST");
  CHECK(line["route"].text == "/v1/chat/completions");
  CHECK(line["key"].text == "team");
  CHECK(line["requested_model"].text == "gpt-4o");
  CHECK(line["model"].text == "gpt-4o-2024-11-20");
  CHECK(line["provider"].text == "openai");
  CHECK(line["stream"].boolean);
  CHECK(line["attempts"].integer() == 1);
  CHECK(line["request_bytes"].integer() == 512);
  CHECK(line["response_bytes"].integer() == 4096);
  CHECK(line["prompt_tokens"].integer() == 12);
  CHECK(line["completion_tokens"].integer() == 34);
  CHECK(line["cached_tokens"].integer() == 5);
  CHECK(line["reasoning_tokens"].integer() == 6);
  CHECK(line["head_us"].integer() == 10);
  CHECK(line["body_us"].integer() == 20);
  CHECK(line["connect_us"].integer() == 30);
  CHECK(line["upstream_head_us"].integer() == 1000);
  CHECK(line["first_token_us"].integer() == 2000);
  CHECK(line["total_us"].integer() == 5100);
  CHECK(line["overhead_us"].integer() == 100);
  CHECK(line.find("error") == nullptr);
}

TEST_CASE("what is not known is left out, not written as zero") {
  Record record = answered();
  record.usage = {};
  record.key_id = record.requested_model = record.model = record.provider = {};
  record.sent = record.upstream_head = record.first_token = record.connected = {};
  const test::Json line = read_line(record);
  for (const char* name : {"prompt_tokens", "completion_tokens", "cached_tokens",
                           "reasoning_tokens", "key", "requested_model", "model", "provider",
                           "connect_us", "upstream_head_us", "first_token_us", "error"}) {
    CAPTURE(name);
    CHECK(line.find(name) == nullptr);
  }
  CHECK(line["stream"].is(test::Json::Kind::boolean));
  record.usage.prompt_tokens = 0;
  CHECK(read_line(record)["prompt_tokens"].text == "0");
}

TEST_CASE("a record of which nothing is known is a valid line") {
  Record empty;
  std::memset(empty.request_id, 'x', sizeof(empty.request_id));
  CHECK(read_line(empty)["status"].integer() == 0);
}

TEST_CASE("no name of a line appears twice") {
  Record record = answered();
  record.error = ErrorCode::timed_out;
  const test::Json line = read_line(record);
  for (size_t i = 0; i < line.members.size(); ++i) {
    for (size_t j = 0; j < i; ++j) CHECK(line.members[i].key != line.members[j].key);
  }
  CHECK(line["error"].text == "timed_out");
}

TEST_CASE("the time is RFC 3339 in UTC with microseconds, through leap years") {
  auto time_at = [](uint64_t seconds, uint64_t ns) {
    return read_line(answered(), seconds * ns_per_s + ns)["time"].text;
  };
  CHECK(time_at(0, 0) == "1970-01-01T00:00:00.000000Z");
  CHECK(time_at(951'782'399, 999'999'999) == "2000-02-28T23:59:59.999999Z");
  CHECK(time_at(951'782'400, 1'000) == "2000-02-29T00:00:00.000001Z");
  CHECK(time_at(951'868'800, 0) == "2000-03-01T00:00:00.000000Z");
  CHECK(time_at(1'709'164'800, 0) == "2024-02-29T00:00:00.000000Z");
  CHECK(time_at(1'798'761'599, 0) == "2026-12-31T23:59:59.000000Z");
  CHECK(time_at(4'107'542'400, 0) == "2100-03-01T00:00:00.000000Z");
}

TEST_CASE("the end code says who and where") {
  auto code = [](Side side, Phase phase) {
    char out[3];
    gateway::write_end_code(side, phase, out);
    return std::string(out);
  };
  CHECK(code(Side::none, Phase::done) == "--");
  CHECK(code(Side::client, Phase::head) == "CH");
  CHECK(code(Side::client, Phase::body) == "CB");
  CHECK(code(Side::gateway, Phase::decide) == "GD");
  CHECK(code(Side::upstream, Phase::connect) == "UC");
  CHECK(code(Side::upstream, Phase::send) == "US");
  CHECK(code(Side::upstream, Phase::await_head) == "UA");
  CHECK(code(Side::upstream, Phase::await_token) == "UT");
  CHECK(code(Side::client, Phase::relay) == "CR");
  CHECK(code(Side::none, Phase::none) == "--");
  Record record = answered();
  record.side = Side::upstream;
  record.phase = Phase::relay;
  record.outcome = Outcome::failed;
  CHECK(read_line(record)["end"].text == "UR");
  CHECK(read_line(record)["outcome"].text == "failed");
}

TEST_CASE("every outcome and every error has a name in the log") {
  Record record = answered();
  const char* names[] = {"answered", "refused", "failed", "abandoned"};
  for (size_t i = 0; i < gateway::outcome_count; ++i) {
    record.outcome = static_cast<Outcome>(i);
    CHECK(read_line(record)["outcome"].text == names[i]);
  }
  for (int code = 1; code <= static_cast<int>(ErrorCode::invalid); ++code) {
    record.error = static_cast<ErrorCode>(code);
    CHECK_FALSE(read_line(record)["error"].text.empty());
  }
}

TEST_CASE("the overhead is the whole time less the wait for the provider") {
  Record record;
  record.begin = at_us(0);
  CHECK(record.overhead_ns(at_us(40)) == 40 * ns_per_us);  // never sent: all is ours
  record.sent = at_us(10);
  CHECK(record.overhead_ns(at_us(40)) == 10 * ns_per_us);  // no answer: the wait is the provider's
  record.upstream_last = at_us(30);
  CHECK(record.overhead_ns(at_us(40)) == 20 * ns_per_us);
  record.sent = at_us(0);
  record.upstream_last = at_us(40);
  CHECK(record.overhead_ns(at_us(40)) == 0);
}

TEST_CASE("a long name of a model is cut, and the worst line still fits") {
  Record record = answered();
  const std::string endless(1'000'000, 'm');
  record.requested_model = endless;
  CHECK(read_line(record)["requested_model"].text == std::string(128, 'm'));

  const std::string control(1000, '\x01');  // six bytes each when escaped
  const std::string label(63, 'k');
  const std::string model(256, 'g');
  record.requested_model = control;
  record.model = model;
  record.key_id = record.provider = label;
  record.method = "OPTIONS";
  record.error = ErrorCode::tls_certificate;
  record.usage = {INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX};
  record.attempts = UINT32_MAX;
  record.request_bytes = record.response_bytes = UINT64_MAX;
  record.end = {UINT64_MAX};
  const std::string line = line_of(record, UINT64_MAX);
  CHECK(line.size() > 1000);
  CHECK(test::read_json(line));
}

TEST_CASE("a line that does not fit is none, and nothing is written beyond the bound") {
  const Record record = answered();
  const size_t size = line_of(record).size();
  for (size_t capacity = 0; capacity < size + 40; ++capacity) {
    std::string out(size + 64, '#');
    const size_t written = gateway::write_line(record, 0, out.data(), capacity);
    CHECK((written == 0 || written == size));
    if (capacity < size) CHECK(written == 0);
    CHECK(out.find_first_not_of('#', capacity) == std::string::npos);
  }
}

TEST_CASE("naughty names of models stay inside their string and on their line") {
  const auto path = test::shared_data("suites/naughty-strings/strings.json");
  if (!path) return;
  const auto suite = test::read_json(test::read_file(*path));
  REQUIRE(suite);
  std::vector<std::string> strings;
  for (const test::Json& element : suite->elements) strings.push_back(element.text);
  for (const auto& [name, group] : suite->members) {
    for (const test::Json& element : group.elements) strings.push_back(element.text);
  }
  REQUIRE(strings.size() > 300);
  Record record = answered();
  for (const std::string& naughty : strings) {
    if (naughty.empty()) continue;
    record.requested_model = naughty;
    const test::Json line = read_line(record);
    CHECK(line["provider"].text == "openai");
    if (naughty.size() <= 128) {
      CHECK(line["requested_model"].text == naughty);
    }
  }
}
