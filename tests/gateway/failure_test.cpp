#include "gateway/failure.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "support/json_reader.h"
#include "support/shared_data.h"
#include "tls/problem.h"

using namespace hyperion;
using gateway::Failure;
using gateway::make_failure;

namespace {

std::string body_of(const Failure& failure) {
  BlockPool blocks(4);
  MemoryBudget budget;
  ByteBuffer buffer(blocks, budget);
  json::Output out(buffer);
  dialect::write_error(dialect::Wire::openai_chat, gateway::answer_of(failure, "req_1"), out);
  REQUIRE_FALSE(out.failed());
  return std::string(out.text());
}

// The body as a tree; checks the shape that every client of this API reads.
test::Json checked(const Failure& failure) {
  const std::string body = body_of(failure);
  CAPTURE(body);
  const auto read = test::read_json(body);
  REQUIRE(read);
  REQUIRE(read->members.size() == 1);
  const test::Json& error = (*read)["error"];
  REQUIRE(error.members.size() == 4);
  CHECK(error["message"].is(test::Json::Kind::string));
  CHECK_FALSE(error["message"].text.empty());
  CHECK(error["type"].text == failure.type);
  CHECK(error["code"].text == failure.code);
  CHECK(error.find("param") != nullptr);
  for (const char c : body) CHECK(static_cast<unsigned char>(c) >= 0x20);
  return error;
}

Error upstream_error(ErrorCode code, Phase phase = Phase::await_head) {
  Error error = make_error(code, Side::upstream);
  error.phase = phase;
  return error;
}

}  // namespace

TEST_CASE("no failure is no failure") {
  CHECK_FALSE(Failure{});
  CHECK(make_failure(400, "invalid_request", {}, "%s", "x"));
}

TEST_CASE("the type follows the status") {
  struct Row {
    uint16_t status;
    const char* type;
  };
  const Row rows[] = {
      {400, "invalid_request_error"}, {401, "authentication_error"},
      {403, "permission_error"},      {404, "not_found_error"},
      {405, "invalid_request_error"}, {408, "invalid_request_error"},
      {413, "invalid_request_error"}, {429, "rate_limit_error"},
      {431, "invalid_request_error"}, {500, "server_error"},
      {502, "server_error"},          {503, "server_error"},
      {504, "server_error"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.status);
    const Failure failure = make_failure(row.status, "some_code", "field", "A sentence.");
    CHECK(std::string(failure.type) == row.type);
    CHECK(checked(failure)["param"].text == "field");
  }
}

TEST_CASE("a refusal of the HTTP layer keeps its status and its sentence") {
  struct Row {
    uint16_t status;
    const char* code;
  };
  for (const Row& row :
       {Row{400, "invalid_request"}, Row{408, "request_timeout"}, Row{413, "request_too_large"},
        Row{414, "request_head_too_large"}, Row{415, "invalid_request"},
        Row{431, "request_head_too_large"}, Row{501, "invalid_request"}, Row{503, "overloaded"},
        Row{505, "invalid_request"}}) {
    CAPTURE(row.status);
    const Failure failure =
        gateway::failure_of(http::Rejection{row.status, "The field Host: 100 % wrong, %s %n."});
    CHECK(failure.status == row.status);
    CHECK(std::string(failure.code) == row.code);
    const test::Json error = checked(failure);
    CHECK(error["message"].text == "The field Host: 100 % wrong, %s %n.");
    CHECK(error["param"].is(test::Json::Kind::null));
  }
}

TEST_CASE("a refusal of the body names the field; the text itself is no field") {
  struct Row {
    ErrorCode code;
    uint16_t status;
    const char* failure_code;
    bool names_field;
  };
  const Row rows[] = {
      {ErrorCode::malformed_json, 400, "invalid_json", false},
      {ErrorCode::too_large, 413, "request_too_large", true},
      {ErrorCode::wrong_type, 400, "invalid_request", true},
      {ErrorCode::duplicate_key, 400, "invalid_request", true},
      {ErrorCode::unknown_key, 400, "invalid_request", true},
      {ErrorCode::too_deep, 400, "invalid_request", true},
      {ErrorCode::too_many, 400, "invalid_request", true},
  };
  for (const Row& row : rows) {
    for (const std::string field : {"hyperion.timeouts.total_ms", "body"}) {
      json::ScanError scan;
      scan.code = row.code;
      field.copy(scan.field, sizeof(scan.field) - 1);
      std::string("a string, got a number").copy(scan.expected, sizeof(scan.expected) - 1);
      scan.position = 17;
      const Failure failure = gateway::failure_of(scan);
      CHECK(failure.status == row.status);
      CHECK(std::string(failure.code) == row.failure_code);
      const test::Json error = checked(failure);
      CHECK(error["message"].text.find("a string, got a number") != std::string::npos);
      if (row.names_field && field != "body") {
        CHECK(error["param"].text == field);
      } else {
        CHECK(error["param"].is(test::Json::Kind::null));
      }
    }
  }
}

TEST_CASE("whatever an upstream fails by is a 5xx that names the provider") {
  for (int code = 1; code <= static_cast<int>(ErrorCode::invalid); ++code) {
    for (Phase phase : {Phase::connect, Phase::await_head, Phase::await_token, Phase::relay}) {
      const Failure failure =
          gateway::failure_of_upstream(upstream_error(static_cast<ErrorCode>(code), phase), "acme");
      CAPTURE(code);
      CHECK(failure.status >= 502);
      CHECK(failure.status <= 504);
      const test::Json error = checked(failure);
      CHECK(error["type"].text == "server_error");
      if (static_cast<ErrorCode>(code) != ErrorCode::overloaded) {
        CHECK(error["message"].text.find("acme") != std::string::npos);
      }
    }
  }
}

TEST_CASE("the causes that a caller can tell apart have codes of their own") {
  auto row = [](ErrorCode code, uint16_t status, const char* name,
                Phase phase = Phase::await_head) {
    const Failure failure = gateway::failure_of_upstream(upstream_error(code, phase), "acme");
    CHECK(failure.status == status);
    CHECK(std::string(failure.code) == name);
  };
  row(ErrorCode::timed_out, 504, "upstream_timeout");
  row(ErrorCode::unauthorised, 502, "upstream_credentials");
  row(ErrorCode::overloaded, 503, "overloaded");
  row(ErrorCode::too_many, 503, "overloaded", Phase::connect);  // waiting for a connection
  row(ErrorCode::too_many, 502, "all_upstreams_failed");        // headers of its answer
  row(ErrorCode::name_not_resolved, 502, "all_upstreams_failed");
  row(ErrorCode::tls_certificate, 502, "all_upstreams_failed");
  row(ErrorCode::connect_failed, 502, "all_upstreams_failed");
  row(ErrorCode::incomplete, 502, "all_upstreams_failed");
}

TEST_CASE("clients must not try again what only the gateway's operator can mend") {
  auto forbids = [](ErrorCode code) {
    return gateway::failure_of_upstream(upstream_error(code), "acme").should_retry_no;
  };
  CHECK(forbids(ErrorCode::unauthorised));
  CHECK_FALSE(forbids(ErrorCode::timed_out));
  CHECK_FALSE(forbids(ErrorCode::connect_failed));
}

TEST_CASE("a certificate that is refused is explained") {
  const Error error =
      tls::make_tls_error(ErrorCode::tls_certificate, tls::Problem::certificate_expired);
  const Failure failure = gateway::failure_of_upstream(error, "acme");
  const std::string text = tls::describe(tls::Problem::certificate_expired);
  CHECK(checked(failure)["message"].text.find(text) != std::string::npos);
}

TEST_CASE("a provider's name is read by its length, not to a zero") {
  const std::string names = "acmeSECRET";
  const Failure failure = gateway::failure_of_upstream(upstream_error(ErrorCode::connect_failed),
                                                       std::string_view(names).substr(0, 4));
  CHECK(std::string(failure.message).find("SECRET") == std::string::npos);
}

TEST_CASE("of the client's own fault the provider's code and field are told") {
  dialect::ProviderError said;
  said.kind = dialect::ErrorKind::invalid_request;
  said.message = R"(Not \"so\".)";
  said.code = "unsupported_parameter";
  said.param = "tools";
  const Failure failure = gateway::failure_of(said, "acme");
  CHECK(failure.status == 400);
  const auto error = test::read_json(body_of(failure));
  REQUIRE(error);
  CHECK((*error)["error"]["message"].text == R"(Not "so".)");
  CHECK((*error)["error"]["code"].text == "unsupported_parameter");
  CHECK((*error)["error"]["param"].text == "tools");
  // What is too long, or has escapes, is no word.
  const std::string endless(100, 'c');
  said.code = endless;
  said.param = R"(a\nb)";
  const auto bare = test::read_json(body_of(gateway::failure_of(said, "acme")));
  REQUIRE(bare);
  CHECK((*bare)["error"]["code"].is(test::Json::Kind::null));
  CHECK((*bare)["error"]["param"].is(test::Json::Kind::null));
  // A kind with a code of its own keeps it.
  said.kind = dialect::ErrorKind::context_too_long;
  said.code = "string_above_max_length";
  const auto own = test::read_json(body_of(gateway::failure_of(said, "acme")));
  REQUIRE(own);
  CHECK((*own)["error"]["code"].text == "context_length_exceeded");
}

TEST_CASE("a provider that forbids another try is obeyed, and money is not waited for") {
  dialect::ProviderError said;
  said.kind = dialect::ErrorKind::overload;
  said.retry_after_ms = 3000;
  CHECK_FALSE(gateway::failure_of(said, "acme").should_retry_no);
  CHECK(gateway::failure_of(said, "acme").retry_after_ms == 3000);
  said.should_retry = -1;
  CHECK(gateway::failure_of(said, "acme").should_retry_no);
  said.should_retry = 0;
  said.kind = dialect::ErrorKind::money;
  CHECK(gateway::failure_of(said, "acme").should_retry_no);
  CHECK(gateway::failure_of(said, "acme").retry_after_ms == -1);
}

TEST_CASE("an answer that cannot be read names its provider") {
  dialect::ProviderError said;
  said.kind = dialect::ErrorKind::server;
  said.message = "The provider's answer is not JSON.";
  said.unreadable = true;
  const test::Json error = checked(gateway::failure_of(said, "acme"));
  CHECK(error["message"].text ==
        "Provider acme failed. The provider's answer is not JSON. Try again.");
}

TEST_CASE("message and param are bounded and end with a zero") {
  const std::string endless(100'000, 'm');
  const Failure failure = make_failure(400, "invalid_request", endless, "%s", endless.c_str());
  CHECK(std::string(failure.message).size() == sizeof(failure.message) - 1);
  CHECK(std::string(failure.param).size() == sizeof(failure.param) - 1);
  checked(failure);
  // Cut within a character: still a text.
  std::string accents;
  for (int i = 0; i < 300; ++i) accents += "\xC3\xA9";
  for (const char* lead : {"", "x"}) {
    const std::string text = lead + accents;
    checked(make_failure(400, "invalid_request", text, "%s", text.c_str()));
  }
}

TEST_CASE("the largest failure of control bytes fits one block") {
  const std::string worst(1000, '\x01');
  const Failure failure = make_failure(503, "upstream_credentials", worst, "%s", worst.c_str());
  CHECK_FALSE(body_of(failure).empty());
}

TEST_CASE("naughty strings as param and message stay one valid line") {
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
  for (const std::string& naughty : strings) {
    if (naughty.empty() || naughty.find('\0') != std::string::npos) continue;
    const test::Json error =
        checked(make_failure(404, "model_not_found", naughty, "The model %s?", naughty.c_str()));
    // What fits comes back as it was.
    if (naughty.size() < sizeof(Failure::param)) CHECK(error["param"].text == naughty);
  }
}
