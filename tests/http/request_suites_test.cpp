// Suites of conformance and smuggling requests, judged by the parser alone. What needs a route or a
// connection (404, 405, closing) is for the tests of the gateway.
#include <map>

#include "http/head_writer.h"
#include "vectors.h"

namespace hyperion::test {
namespace {

using State = http::RequestParser::State;

// Refused, or never a whole request: the latter ends in a time-out, which is refusal too.
bool accepts_nothing(const SeenConnection& seen) { return seen.complete_count() == 0; }

// All steps on one connection: where a case pauses between them, so do we, as a piece ends there.
std::string joined_steps(const Json& vector) {
  std::string bytes;
  for (const Json& step : vector["steps_b64"].elements) bytes += decoded(step);
  return bytes;
}

// Cases that are refused by waiting: no byte of them is wrong, but the request never ends.
bool waits(const std::string& id) {
  return id == "MAL-EMPTY-REQUEST" || id == "MAL-INCOMPLETE-REQUEST";
}

TEST_CASE("http1-probe: each request is refused or accepted as its verdict says, however cut") {
  for (const Json& vector : suite("suites/http1-probe/cases.jsonl")) {
    const std::string id = vector["id"].text;
    const std::string verdict = vector["hyperion"].text;
    const std::string bytes = joined_steps(vector);
    INFO(id << " (" << verdict << "): " << shown(bytes));
    const SeenConnection seen = run_requests_with_all_cuts(bytes);
    INFO("ours: " << seen.status << " " << seen.reason);
    if (verdict == "reject") {
      CHECK(seen.rejected());
      CHECK(accepts_nothing(seen));
    } else if (verdict == "accept") {
      CHECK_FALSE(seen.rejected());
      CHECK(seen.complete_count() == vector["steps_b64"].elements.size());
    } else if (!seen.rejected() && !waits(id)) {
      CHECK(seen.messages.size() <= vector["steps_b64"].elements.size());
    }
  }
}

// Heads the suite calls compliant and Hyperion's stricter rules refuse, with our status: any coding
// but exactly one `chunked`, and targets that are absent or not visible ASCII without '#'.
const std::map<std::string, int> compliant_but_refused = {
    {"more-compliant-tests#7", 501},  // deflate, identity, chunked: codings that are not served
    {"rfc-compliant#8", 400},   // five Transfer-Encoding lines; only one, exactly chunked, is taken
    {"rfc-compliant#9", 501},   // gzip, deflate, ... chunked: codings that are not served
    {"rfc-compliant#10", 400},  // Transfer-Encoding with parameters
    {"rfc-compliant#11", 400},  // '#' in the target
    {"rfc-compliant#12", 400},  // raw UTF-8 in the target
    {"rfc-compliant#13", 400},  // no target
};

TEST_CASE("http1-desync: compliant heads pass, ambiguous and severe ones are refused") {
  size_t exceptions = 0;
  for (const Json& vector : suite("suites/http1-desync/cases.jsonl")) {
    const std::string id = vector["id"].text;
    const std::string tier = vector["tier"].text;
    std::string bytes = decoded(vector["head_b64"]);
    // Without a Host every head would be refused for that.
    const size_t line_end = bytes.find("\r\n");
    REQUIRE(line_end != std::string::npos);
    bytes.insert(line_end + 2, "Host: localhost\r\n");
    INFO(id << " (" << tier << "): " << shown(bytes));
    const SeenConnection seen = run_requests_with_all_cuts(bytes);
    INFO("ours: " << seen.status << " " << seen.reason);
    const auto exception = compliant_but_refused.find(id);
    if (exception != compliant_but_refused.end()) {
      CHECK(seen.status == exception->second);
      ++exceptions;
    } else if (tier == "Compliant") {
      CHECK_FALSE(seen.rejected());
      CHECK(seen.messages.size() == 1);
    } else if (tier != "Acceptable") {
      CHECK(seen.rejected());
      CHECK(seen.messages.empty());
    }
  }
  CHECK((exceptions == 0 || exceptions == compliant_but_refused.size()));
}

constexpr std::string_view json_body =
    R"({"model":"gpt-4o-mini","messages":[{"role":"user","content":"hello"}]})";

std::string chunk_framed(std::string_view data) {
  char head[18];
  const size_t head_size = http::write_chunk_head(head, data.size());
  return std::string(head, head_size) + std::string(data) + "\r\n0\r\n\r\n";
}

// Lines that are valid HTTP with the meaning they seem to have: a Content-Length with optional
// blanks round it or after an Expect, and a harmless name.
bool is_valid_line(const std::string& id) {
  return id == "cl-perm/spacepad" || id == "cl-perm/tab" || id == "te-perm/x-te" ||
         id == "hdr-combo/expect";
}

TEST_CASE("http1-mutations: a framing header in disguise is refused or has no effect at all") {
  const std::string body = chunk_framed(json_body);
  for (const Json& vector : suite("suites/http1-mutations/headers.jsonl")) {
    const std::string id = vector["id"].text;
    const bool about_transfer_encoding = vector["cls"].text.rfind("te-", 0) == 0;
    std::string line = decoded(vector["header_b64"]);
    const std::string length = std::to_string(body.size());
    for (size_t at = line.find("{N}"); at != std::string::npos; at = line.find("{N}")) {
      line.replace(at, 3, length);
    }
    std::string bytes = "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n" + line + "\r\n";
    if (about_transfer_encoding) bytes += "Content-Length: " + length + "\r\n";
    bytes += "\r\n" + body;
    INFO(id << ": " << shown(line));
    const SeenConnection seen = run_requests_with_all_cuts(bytes);
    INFO("ours: " << seen.status << " " << seen.reason);
    if (is_valid_line(id)) CHECK_FALSE(seen.rejected());
    if (seen.rejected()) {
      CHECK(seen.messages.empty());
      continue;
    }
    REQUIRE(seen.messages.size() == 1);
    CHECK(seen.messages[0].framing == http::Framing::content_length);
    CHECK(seen.messages[0].body == body);
    CHECK(seen.messages[0].complete);
    CHECK((is_valid_line(id) || about_transfer_encoding));
  }
}

TEST_CASE("http1-mutations: chunk framing that servers read differently is refused") {
  const std::string head =
      "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const Json& vector : suite("suites/http1-mutations/chunked-bodies.jsonl")) {
    const std::string id = vector["id"].text;
    const std::string verdict = vector["hyperion"].text;
    const std::string bytes = head + decoded(vector["body_b64"]);
    INFO(id << " (" << verdict << "): " << shown(bytes));
    const SeenConnection seen = run_requests_with_all_cuts(bytes);
    INFO("ours: " << seen.status << " " << seen.reason);
    if (verdict == "reject") {
      CHECK(seen.rejected());
      CHECK(accepts_nothing(seen));
    } else if (verdict == "accept") {
      CHECK(seen.body() == "hello");
      CHECK(seen.complete_count() == 1);
    }
  }
}

}  // namespace
}  // namespace hyperion::test
