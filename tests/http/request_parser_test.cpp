#include "http/request_parser.h"

#include <string>

#include "vectors.h"

namespace hyperion::test {
namespace {

using http::Framing;
using http::RequestParser;
using State = RequestParser::State;

std::string post(std::string_view lines, std::string_view body = "") {
  return "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n" + std::string(lines) + "\r\n" +
         std::string(body);
}

uint16_t status_of(std::string_view bytes, const http::Limits& limits = http::Limits()) {
  const SeenConnection seen = run_with_all_cuts(
      bytes, [&](std::string_view b, const Cuts& cuts) { return run_requests(b, cuts, limits); });
  if (seen.status != 0) {
    // A reason is a whole sentence.
    CHECK(seen.reason.back() == '.');
    CHECK(seen.reason.size() > 20);
  }
  return seen.status;
}

TEST_CASE("a head's parts come out as they were sent, names in their own case") {
  const SeenConnection seen = run_requests_with_all_cuts(
      "POST /v1/x?y=1&z HTTP/1.1\r\nhOsT: api.example.com:8080\r\nX-Empty:\r\nX-Blank: \t \r\n"
      "X-Tail: a b \t\r\nX-Obs: \xc3\xa9\r\nContent-Length: 3\r\n\r\nabc");
  REQUIRE(seen.messages.size() == 1);
  const SeenMessage& message = seen.messages[0];
  CHECK(message.complete);
  CHECK(message.target == "/v1/x?y=1&z");
  CHECK(message.path == "/v1/x");
  CHECK(message.query == "y=1&z");
  CHECK(message.host == "api.example.com:8080");
  CHECK(message.headers == SeenHeaders{{"hOsT", "api.example.com:8080"},
                                       {"X-Empty", ""},
                                       {"X-Blank", ""},
                                       {"X-Tail", "a b"},
                                       {"X-Obs", "\xc3\xa9"},
                                       {"Content-Length", "3"}});
  CHECK(message.framing == Framing::content_length);
  CHECK(message.content_length == 3);
  CHECK(message.body == "abc");
  CHECK(message.keep_alive);
}

TEST_CASE("an absolute form is reduced to its path, when Host agrees") {
  const SeenConnection seen = run_requests_with_all_cuts(
      "GET http://LocalHost:80/a?b HTTP/1.1\r\nHost: localhost:80\r\n\r\n"
      "GET http://localhost HTTP/1.1\r\nHost: localhost\r\n\r\n");
  REQUIRE(seen.messages.size() == 2);
  CHECK(seen.messages[0].target == "/a?b");
  CHECK(seen.messages[0].path == "/a");
  CHECK(seen.messages[1].target == "/");
  CHECK(status_of("GET http://other/ HTTP/1.1\r\nHost: localhost\r\n\r\n") == 400);
  CHECK(status_of("GET http://u@localhost/ HTTP/1.1\r\nHost: localhost\r\n\r\n") == 400);
}

TEST_CASE("methods are told apart, and those unknown to us are named other") {
  const std::pair<const char*, http::Method> methods[] = {
      {"GET", http::Method::get},         {"HEAD", http::Method::head},
      {"POST", http::Method::post},       {"PUT", http::Method::put},
      {"PATCH", http::Method::patch},     {"DELETE", http::Method::delete_},
      {"OPTIONS", http::Method::options}, {"PROPFIND", http::Method::other},
  };
  for (const auto& [name, method] : methods) {
    const SeenConnection seen =
        run_requests_with_all_cuts(std::string(name) + " / HTTP/1.1\r\nHost: a\r\n\r\n");
    REQUIRE(seen.messages.size() == 1);
    CHECK(seen.messages[0].start == "method " + std::to_string(static_cast<int>(method)));
  }
}

TEST_CASE("requests that ask for what is not served get the status that says so") {
  CHECK(status_of("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n") == 501);
  CHECK(status_of("TRACE / HTTP/1.1\r\nHost: a\r\n\r\n") == 501);
  CHECK(status_of("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") == 505);
  for (const char* version : {"0.9", "1.2", "2.0", "3.1", "9.9"}) {
    INFO(std::string(version));
    CHECK(status_of("GET / HTTP/" + std::string(version) + "\r\nHost: a\r\n\r\n") == 505);
  }
  CHECK(status_of(post("Content-Encoding: gzip\r\n")) == 415);
  CHECK(status_of(post("content-encoding: identity\r\n")) == 0);
  CHECK(status_of(post("Expect: 100-continue, x\r\n")) == 417);
  CHECK(status_of(post("Transfer-Encoding: gzip, chunked\r\n")) == 501);
}

TEST_CASE("request lines must have single blanks, one target and a version of their own") {
  for (const char* line : {"GET  / HTTP/1.1",
                           "GET /  HTTP/1.1",
                           "GET\t/ HTTP/1.1",
                           "GET /\tHTTP/1.1",
                           " GET / HTTP/1.1",
                           "GET / HTTP/1.1 ",
                           "GET / HTTP/1.1\t",
                           "GET / http/1.1",
                           "GET / HTTP/1",
                           "GET / HTTP/1.1.1",
                           "GET / HTTP/ 1.1",
                           "GET / HTTP/01.1",
                           "GET / HTTP/1.10",
                           "GET / HTP/1.1",
                           "GET / RTSP/1.0",
                           "GET / ICE/1.0",
                           "get / HTTP/1.1",
                           "G\x01T / HTTP/1.1",
                           "GET HTTP/1.1",
                           "GET  HTTP/1.1",
                           "GET /",
                           "GET / a HTTP/1.1",
                           "\xef\xbb\xbfGET / HTTP/1.1",
                           "/ HTTP/1.1",
                           "GET /\x0b HTTP/1.1",
                           "GET / HTTP/1.1\r",
                           "GET / HTTP/1.1\r\r"}) {
    INFO(std::string(line));
    CHECK(status_of(std::string(line) + "\r\nHost: a\r\n\r\n") == 400);
  }
}

TEST_CASE("one empty line may precede a request, nothing else may") {
  const std::string request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  CHECK(status_of("\r\n" + request) == 0);
  for (const char* before :
       {"\r\n\r\n", "\n", "\r", "\n\r", "\r\r\n", " ", "\r\n ", "\r\n\n", "x"}) {
    INFO(shown(before));
    CHECK(status_of(before + request) == 400);
  }
  // Also between two requests.
  CHECK(run_requests_with_all_cuts(request + "\r\n" + request).complete_count() == 2);
}

TEST_CASE("header lines end in CR LF, are not folded and hold no control bytes") {
  for (const char* lines :
       {"A: b\n", "A: b\r", "A: b\r\r\n", "A: b\r\n c\r\n", "A: b\r\n\tc\r\n", "A : b\r\n",
        "A\t: b\r\n", " A: b\r\n", ": b\r\n", "A\r\n", "A: b\x01\r\n", "A: \x7f\r\n",
        "A: b\x0b\r\n", "A\x01: b\r\n", "A(: b\r\n", "A\xc3\xa9: b\r\n", "A: b\x1b[0m\r\n",
        "A b: c\r\n", "A:b\rc\r\n"}) {
    INFO(shown(lines));
    CHECK(status_of(post(lines)) == 400);
  }
  CHECK(status_of(post(std::string_view("A: b\0c\r\n", 8))) == 400);
}

TEST_CASE("exactly one Host is wanted, in HTTP/1.0 too") {
  CHECK(status_of("GET / HTTP/1.1\r\n\r\n") == 400);
  CHECK(status_of("GET / HTTP/1.0\r\n\r\n") == 400);
  CHECK(status_of("GET / HTTP/1.1\r\nHost:\r\n\r\n") == 400);
  CHECK(status_of(post("Host: localhost\r\n")) == 400);
  CHECK(status_of(post("host: localhost\r\n")) == 400);
  CHECK(status_of(post("Ho_st: localhost\r\n")) == 400);
}

TEST_CASE("a body has one framing or none") {
  for (const char* lines :
       {"Content-Length: 1\r\nContent-Length: 1\r\n", "Content-Length: 1, 1\r\n",
        "Content-Length: 01\r\n", "Content-Length: +1\r\n", "Content-Length:\r\n",
        "Content-Length: 18446744073709551617\r\n", "Content-Length: 00000000000000000001\r\n",
        "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n", "Transfer-Encoding:\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: xchunked\r\n", "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: ,chunked\r\n", "Transfer-Encoding: chunked;a=b\r\n",
        "Transfer-Encoding: \"chunked\"\r\n", "Transfer_Encoding: chunked\r\n",
        "Content_Length: 1\r\n"}) {
    INFO(shown(lines));
    CHECK(status_of(post(lines, "x")) == 400);
  }
  CHECK(status_of("POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n") ==
        400);
  CHECK(status_of("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx") == 400);
  CHECK(status_of("HEAD / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n") ==
        400);
  CHECK(status_of("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n") == 0);
}

TEST_CASE("Connection and the version decide whether a connection is kept") {
  struct Row {
    const char* version;
    const char* connection;
    bool kept;
  };
  for (const Row& row : {Row{"1.1", "", true}, Row{"1.1", "Connection: close\r\n", false},
                         Row{"1.1", "Connection: Keep-Alive\r\n", true},
                         Row{"1.1", "Connection: keep-alive, CLOSE\r\n", false},
                         Row{"1.1", "Connection: x\r\nConnection: close\r\n", false},
                         Row{"1.1", "Connection: closed\r\n", true}, Row{"1.0", "", false},
                         Row{"1.0", "Connection: keep-alive\r\n", true},
                         Row{"1.0", "Connection: keep-alive, close\r\n", false}}) {
    INFO(row.version << " " << row.connection);
    const SeenConnection seen = run_requests_with_all_cuts(
        "GET / HTTP/" + std::string(row.version) + "\r\nHost: a\r\n" + row.connection + "\r\n");
    REQUIRE(seen.complete_count() == 1);
    CHECK(seen.messages[0].keep_alive == row.kept);
    CHECK(seen.messages[0].minor_version == row.version[2] - '0');
  }
}

TEST_CASE("an upgrade is ignored and the message read as usual") {
  const SeenConnection seen = run_requests_with_all_cuts(
      post("Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 2\r\n", "hi") + post("", ""));
  CHECK(seen.complete_count() == 2);
  CHECK(seen.messages[0].body == "hi");
  CHECK(seen.messages[0].keep_alive);
}

TEST_CASE("Expect: 100-continue counts where a body follows, from HTTP/1.1 on") {
  auto expects = [](std::string_view bytes) {
    const SeenConnection seen = run_requests_with_all_cuts(bytes);
    REQUIRE(seen.messages.size() == 1);
    return seen.messages[0].expects_continue;
  };
  CHECK(expects(post("Expect: 100-Continue\r\nContent-Length: 1\r\n", "x")));
  CHECK(expects(post("Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")));
  CHECK_FALSE(expects(post("Expect: 100-continue\r\nContent-Length: 0\r\n")));
  CHECK_FALSE(expects(post("Expect: 100-continue\r\n")));
  CHECK_FALSE(
      expects("POST / HTTP/1.0\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx"));
}

TEST_CASE("a head may be exactly as large as its limit and not a byte larger") {
  const std::string request = post("A: b\r\n");
  http::Limits limits;
  limits.head_size_max_bytes = static_cast<uint32_t>(request.size());
  CHECK(status_of(request, limits) == 0);
  limits.head_size_max_bytes -= 1;
  CHECK(status_of(request, limits) == 431);
  // The limit comes before a fault that lies behind it, and after one before it.
  limits.head_size_max_bytes = 100;
  CHECK(status_of(post("A: " + std::string(100, 'x') + "\x01\r\n"), limits) == 431);
  CHECK(status_of(post("A: \x01" + std::string(100, 'x') + "\r\n"), limits) == 400);
}

TEST_CASE("a head of many pieces and long values is put together in the arena") {
  std::string lines;
  for (int i = 0; i < 12; ++i) {
    lines +=
        "X-" + std::to_string(i) + ": " + std::string(1000 + 37 * i, static_cast<char>('a' + i));
    lines += "\r\n";
  }
  const SeenConnection seen = run_requests_with_all_cuts(post(lines));
  REQUIRE(seen.complete_count() == 1);
  REQUIRE(seen.messages[0].headers.size() == 13);
  for (size_t i = 0; i < 12; ++i) {
    CHECK(seen.messages[0].headers[i + 1].second ==
          std::string(1000 + 37 * i, static_cast<char>('a' + i)));
  }
  http::Limits limits;
  limits.head_size_max_bytes = 64 * 1024;
  CHECK(status_of(post("A: " + std::string(15'000, 'x') + "\r\n"), limits) == 0);
  CHECK(status_of(post("A: " + std::string(30'000, 'x') + "\r\n"), limits) == 431);
}

TEST_CASE("as many header lines as the limit are taken and not one more") {
  http::Limits limits;
  limits.header_count_max = 3;
  CHECK(status_of(post("A: b\r\nC: d\r\n"), limits) == 0);
  CHECK(status_of(post("A: b\r\nC: d\r\nE: f\r\n"), limits) == 431);
  CHECK(status_of(post("A: b\r\nC: d\r\nE\x01: f\r\n"), limits) == 400);
}

TEST_CASE("a target may be exactly as long as its limit and not a byte longer") {
  for (uint32_t size : {1u, 5u, 15u, 16u, 17u, 100u, 8192u}) {
    http::Limits limits;
    limits.target_size_max_bytes = size;
    auto request = [](size_t target_size) {
      return "GET /" + std::string(target_size - 1, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n";
    };
    INFO(size);
    CHECK(status_of(request(size), limits) == 0);
    CHECK(status_of(request(size + 1), limits) == 414);
    CHECK(status_of(request(size + 2), limits) == 414);
    CHECK(status_of(request(size + 300), limits) == 414);
    CHECK(status_of("GET /" + std::string(size + 20, 'a') + "\x01 HTTP/1.1\r\n", limits) == 414);
  }
}

TEST_CASE("a body that is too large is refused by its announcement") {
  http::Limits limits;
  limits.body_size_max_bytes = 10;
  CHECK(status_of(post("Content-Length: 10\r\n", "0123456789"), limits) == 0);
  CHECK(status_of(post("Content-Length: 11\r\n"), limits) == 413);
  const char* chunked = "Transfer-Encoding: chunked\r\n";
  CHECK(status_of(post(chunked, "5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n"), limits) == 0);
  CHECK(status_of(post(chunked, "5\r\n01234\r\n6\r\n"), limits) == 413);
  CHECK(status_of(post(chunked, "FFFFFFFF\r\n"), limits) == 413);
}

TEST_CASE("bytes of a pipelined request stay with the caller") {
  BlockPool pool(8);
  Arena arena(pool, 64 * 1024);
  const http::Limits limits;
  RequestParser parser(limits);
  BodyCollector sink;
  CHECK(parser.state() == State::idle);
  const std::string first = post("Content-Length: 2\r\n", "hi");
  const std::string both = first + post("");
  std::string_view rest = both;
  const size_t head_size = parser.feed(rest, arena, sink);
  CHECK(head_size == first.size() - 2);
  CHECK(parser.state() == State::head_ready);
  CHECK(parser.head_bytes() == head_size);
  CHECK(parser.feed(rest, arena, sink) == 0);
  parser.continue_body();
  CHECK(parser.state() == State::body);
  rest.remove_prefix(head_size);
  CHECK(parser.feed(rest, arena, sink) == 2);
  CHECK(parser.state() == State::complete);
  CHECK(parser.body_bytes() == 2);
  CHECK(parser.feed(rest, arena, sink) == 0);
  CHECK(parser.head().content_length == 2);
  parser.next(limits);
  CHECK(parser.state() == State::idle);
}

TEST_CASE("after a fault the parser refuses to go on") {
  BlockPool pool(8);
  Arena arena(pool, 64 * 1024);
  const http::Limits limits;
  RequestParser parser(limits);
  BodyCollector sink;
  parser.feed("GET / HTTP/1.1\r\n\r\n", arena, sink);
  CHECK(parser.state() == State::failed);
  CHECK(parser.rejection().status == 400);
  CHECK(parser.feed(post(""), arena, sink) == 0);
  CHECK(parser.state() == State::failed);
}

TEST_CASE("want of memory is a 503, wherever it happens") {
  struct Refusing final : RequestParser::BodySink {
    bool on_body(std::string_view) override { return false; }
  } refusing;
  const http::Limits limits;
  const std::string request = post("A: b\r\nContent-Length: 2\r\n", "hi");
  size_t succeeded = 0;
  for (size_t bytes_max = 0; bytes_max < 6000; bytes_max += 25) {
    BlockPool pool(4);
    Arena arena(pool, bytes_max);
    RequestParser parser(limits);
    for (char c : request) {
      if (parser.feed({&c, 1}, arena, refusing) == 0) break;
      if (parser.state() == State::head_ready) parser.continue_body();
    }
    REQUIRE(parser.state() == State::failed);
    CHECK(parser.rejection().status == 503);
    succeeded += parser.head_bytes() == request.size() - 2 ? 1 : 0;
  }
  CHECK(succeeded > 0);
  CHECK(succeeded < 240);
}

TEST_CASE("an idle parser is a few words") { CHECK(sizeof(RequestParser) <= 64); }

}  // namespace
}  // namespace hyperion::test
