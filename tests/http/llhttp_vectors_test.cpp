// The vectors of llhttp's own tests, with our answer beside its own.
#include <algorithm>
#include <map>

#include "vectors.h"

namespace hyperion::test {
namespace {

// What llhttp reports in its log: offset, kind and text of each span.
struct Span {
  size_t offset = 0;
  size_t size = 0;
  std::string kind;
};

std::vector<Span> spans_of(const Json& vector) {
  std::vector<Span> spans;
  for (const Json& entry : vector["log"].elements) {
    const std::string& line = entry.text;
    Span span;
    span.offset = std::stoul(line.substr(4));
    const size_t kind = line.find("span[");
    if (kind == std::string::npos) {
      span.kind = line.substr(line.find(' ') + 1);
    } else {
      span.size = std::stoul(line.substr(line.find("len=") + 4));
      span.kind = line.substr(kind + 5, line.find(']', kind) - kind - 5);
    }
    spans.push_back(span);
  }
  return spans;
}

std::string lower_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) {
    return static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  });
  return text;
}

// Our parser wants a Host in every request; the vectors have it in few. Adds it after the request
// line of each message that lacks it.
std::string with_hosts(std::string input, const std::vector<Span>& spans) {
  std::vector<size_t> places;
  bool has_host = true;
  for (const Span& span : spans) {
    if (span.kind == "version") {
      const size_t after = span.offset + span.size;
      if (input.compare(after, 2, "\r\n") == 0) {
        places.push_back(after + 2);
        has_host = false;
      }
    } else if (span.kind == "header_field" && !has_host &&
               lower_case(input.substr(span.offset, span.size)) == "host") {
      places.pop_back();
      has_host = true;
    }
  }
  for (auto place = places.rbegin(); place != places.rend(); ++place) {
    input.insert(*place, "Host: localhost\r\n");
  }
  return input;
}

struct Expected {
  size_t complete_count = 0;
  std::vector<std::string> targets;
  std::vector<SeenHeaders> headers;  // of each head
  std::string body;
};

// What llhttp saw, taken from its log; 1xx answers, which we skip, are left out.
Expected expected_of(const Json& vector) {
  const std::string input = decoded(vector["input_b64"]);
  Expected expected;
  expected.complete_count = static_cast<size_t>(vector["messages_complete"].integer());
  SeenHeaders headers;
  bool in_head = true;
  for (const Span& span : spans_of(vector)) {
    const std::string text = input.substr(span.offset, span.size);
    if (span.kind == "message begin") {
      headers.clear();
      in_head = true;
    } else if (span.kind == "url") {
      expected.targets.push_back(text);
    } else if (span.kind == "header_field" && in_head) {
      headers.emplace_back(text, "");
    } else if (span.kind == "header_value" && in_head) {
      headers.back().second = text.substr(0, text.find_last_not_of(" \t") + 1);
    } else if (span.kind == "body") {
      expected.body += text;
    } else if (span.kind.rfind("headers complete", 0) == 0) {
      in_head = false;
      if (span.kind.find("status=1") == std::string::npos) {
        expected.headers.push_back(headers);
      } else {
        --expected.complete_count;
      }
    }
  }
  return expected;
}

// Requests that llhttp takes and our strict layer refuses, with our status.
const std::map<std::string, int> refused_by_us = {
    {"request/connection#158", 400},         // two empty lines before a request
    {"request/connection#544", 400},         // no upgrades: what follows is not a request
    {"request/connection#814", 400},         // the same
    {"request/content-length#263", 400},     // GET with a body
    {"request/method#64", 501},              // CONNECT
    {"request/method#98", 501},              // CONNECT
    {"request/method#137", 400},             // '*' with another method than OPTIONS
    {"request/method#404", 400},             // RTSP
    {"request/method#432", 400},             // RTSP
    {"request/method#460", 505},             // the preface of HTTP/2
    {"request/sample#316", 400},             // HTTP/0.9
    {"request/transfer-encoding#753", 400},  // '#' in the target
    {"request/transfer-encoding#795", 400},  // '#' in the target
    {"request/uri#54", 400},                 // absolute form without a path but with a query
    {"request/uri#127", 400},                // absolute form of another host
    {"request/uri#167", 400},                // '#' in the target
};

const std::map<std::string, ErrorCode> responses_refused_by_us = {
    {"response/connection#295", ErrorCode::unsupported},            // 101
    {"response/sample#42", ErrorCode::malformed_http},              // RTSP
    {"response/sample#697", ErrorCode::malformed_http},             // an empty line before it
    {"response/transfer-encoding#45", ErrorCode::malformed_http},   // chunked is not the last
    {"response/transfer-encoding#76", ErrorCode::malformed_http},   // two Transfer-Encodings
    {"response/transfer-encoding#114", ErrorCode::malformed_http},  // an unknown coding
};

// Leaves out the Host that `with_hosts` may have added.
SeenHeaders without_hosts(SeenHeaders headers) {
  std::erase_if(headers, [](const auto& header) { return header.second == "localhost"; });
  return headers;
}

void check_alike(const SeenConnection& seen, const Json& vector) {
  const std::string outcome = vector["outcome"].text;
  if (vector["error_reason"].text == "Data after `Connection: close`") {
    CHECK_FALSE(seen.rejected());
    CHECK(seen.surplus);
  } else {
    CHECK(seen.rejected() == (outcome == "error"));
  }
  if (seen.rejected()) return;
  const Expected expected = expected_of(vector);
  CHECK(seen.complete_count() == expected.complete_count);
  CHECK(seen.body() == expected.body);
  for (size_t i = 0; i < seen.messages.size(); ++i) {
    CHECK(without_hosts(seen.messages[i].headers) == without_hosts(expected.headers.at(i)));
    if (seen.messages[i].target.empty()) continue;
    const std::string& target = expected.targets.at(i);
    CHECK(target.substr(target.size() - seen.messages[i].target.size()) == seen.messages[i].target);
  }
}

bool is_type(const Json& vector, std::string_view type) { return vector["type"].text == type; }

TEST_CASE("llhttp's request vectors: what it refuses we refuse, what we take we read alike") {
  size_t refused_count = 0;
  for (const Json& vector : suite("suites/http1-llhttp/cases.jsonl")) {
    if (!is_type(vector, "request")) continue;
    const std::string id = vector["id"].text;
    const std::string input = with_hosts(decoded(vector["input_b64"]), spans_of(vector));
    INFO(id << ": " << shown(input));
    const SeenConnection seen = run_requests_with_all_cuts(input);
    INFO("ours: " << seen.status << " " << seen.reason);
    const auto refused = refused_by_us.find(id);
    if (refused == refused_by_us.end()) {
      check_alike(seen, vector);
    } else {
      CHECK(seen.status == refused->second);
      ++refused_count;
    }
  }
  CHECK((refused_count == 0 || refused_count == refused_by_us.size()));
}

TEST_CASE("llhttp's response vectors: what it refuses we refuse, what we take we read alike") {
  for (const Json& vector : suite("suites/http1-llhttp/cases.jsonl")) {
    if (!is_type(vector, "response")) continue;
    const std::string id = vector["id"].text;
    const std::string input = decoded(vector["input_b64"]);
    INFO(id << ": " << shown(input));
    const SeenConnection seen = run_responses_with_all_cuts(input);
    INFO("ours: " << std::string(name_of(seen.error)));
    const auto refused = responses_refused_by_us.find(id);
    if (refused == responses_refused_by_us.end()) {
      check_alike(seen, vector);
    } else {
      CHECK(seen.error == refused->second);
    }
  }
}

TEST_CASE("what llhttp takes only with a lenient flag is refused") {
  for (const Json& vector : suite("suites/http1-llhttp/cases.jsonl")) {
    const std::string type = vector["type"].text;
    if (type.find("-lenient-") == std::string::npos) continue;
    const bool request = type[2] == 'q';
    std::string input = decoded(vector["input_b64"]);
    if (request) input = with_hosts(input, spans_of(vector));
    INFO(vector["id"].text << ": " << shown(input));
    const SeenConnection seen =
        request ? run_requests_with_all_cuts(input) : run_responses_with_all_cuts(input);
    if (type == "response-lenient-data-after-close" || type == "response-lenient-keep-alive") {
      // The message is good; the connection must not be used again.
      CHECK(seen.surplus);
    } else {
      CHECK(seen.rejected());
    }
  }
}

}  // namespace
}  // namespace hyperion::test
