#include "http/response_parser.h"

#include <string>

#include "vectors.h"

namespace hyperion::test {
namespace {

using http::Framing;
using http::ResponseParser;
using State = ResponseParser::State;

SeenConnection run(std::string_view bytes, bool ended = false, bool to_head = false,
                   const http::Limits& limits = http::Limits()) {
  return run_with_all_cuts(bytes, [&](std::string_view stream, const Cuts& cuts) {
    return run_responses(stream, cuts, ended, to_head, limits);
  });
}

const std::string ok = "HTTP/1.1 200 OK\r\n";

TEST_CASE("a response's parts come out as they were sent") {
  const SeenConnection seen = run(
      "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 3 \r\ncontent-length: 4\r\nX:\r\n\r\nbody");
  REQUIRE(seen.complete_count() == 1);
  CHECK(seen.messages[0].start == "status 429");
  CHECK(seen.messages[0].headers ==
        SeenHeaders{{"Retry-After", "3"}, {"content-length", "4"}, {"X", ""}});
  CHECK(seen.messages[0].framing == Framing::content_length);
  CHECK(seen.messages[0].body == "body");
  CHECK(seen.messages[0].keep_alive);
}

TEST_CASE("1xx heads are skipped, however many, and count in the head's limit") {
  const std::string early = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
  const SeenConnection seen = run("HTTP/1.1 100 Continue\r\n\r\n" + early + early + ok +
                                  "A: b\r\nContent-Length: 0\r\n\r\n");
  REQUIRE(seen.complete_count() == 1);
  CHECK(seen.messages[0].start == "status 200");
  CHECK(seen.messages[0].headers.size() == 2);
  // The framing fields of a skipped head have no effect.
  CHECK(run("HTTP/1.1 102 P\r\nContent-Length: 5\r\n\r\n" + ok + "Content-Length: 1\r\n\r\nx")
            .body() == "x");
  http::Limits limits;
  limits.response_head_size_max_bytes = 100;
  CHECK(run(early + early + early, false, false, limits).error == ErrorCode::too_large);
  CHECK(run("HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n").error ==
        ErrorCode::unsupported);
}

TEST_CASE("an answer to HEAD, a 204 and a 304 have no body whatever their heads say") {
  for (const char* framing : {"Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n", ""}) {
    INFO(std::string(framing));
    const SeenConnection seen = run(ok + framing + "\r\n", false, true);
    REQUIRE(seen.complete_count() == 1);
    CHECK(seen.messages[0].framing == Framing::none);
    CHECK(seen.messages[0].keep_alive);
    for (const char* status : {"204 No Content", "304 Not Modified"}) {
      CHECK(run("HTTP/1.1 " + std::string(status) + "\r\n" + framing + "\r\n").complete_count() ==
            1);
    }
  }
  CHECK(run(ok + "Content-Length: 5\r\n\r\n", false, true).messages[0].content_length == 5);
}

TEST_CASE("without a framing field a body goes on until the connection closes") {
  const SeenConnection open = run(ok + "\r\nabc");
  CHECK(open.complete_count() == 0);
  CHECK(open.body() == "abc");
  const SeenConnection ended = run(ok + "Connection: keep-alive\r\n\r\nabc", true);
  REQUIRE(ended.complete_count() == 1);
  CHECK(ended.messages[0].framing == Framing::until_close);
  CHECK(ended.messages[0].body == "abc");
  CHECK_FALSE(ended.messages[0].keep_alive);
  CHECK(run(ok + "\r\n", true).complete_count() == 1);
}

TEST_CASE("a response cut anywhere before its end is incomplete") {
  for (const std::string& whole :
       {ok + "Content-Length: 3\r\n\r\nabc",
        ok + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"}) {
    for (size_t size = 1; size < whole.size(); ++size) {
      INFO(shown(whole.substr(0, size)));
      CHECK(run_responses(whole.substr(0, size), {}, true).error == ErrorCode::incomplete);
    }
    CHECK(run_responses(whole, {}, true).complete_count() == 1);
  }
  BlockPool pool(4);
  Arena arena(pool, 64 * 1024);
  const http::Limits limits;
  ResponseParser parser(limits);
  CHECK_FALSE(parser.finish());
  CHECK(parser.state() == State::idle);
  BodyCollector sink;
  parser.feed(ok + "\r\n", arena, sink);
  CHECK(parser.state() == State::head_ready);
  CHECK(parser.finish());
}

TEST_CASE("framing that can be read in two ways fails") {
  for (const char* lines :
       {"Content-Length: 1\r\nContent-Length: 1\r\n", "Content-Length: 1, 1\r\n",
        "Content-Length: 01\r\n", "Content-Length: -1\r\n", "Content-Length:\r\n",
        "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n", "Transfer-Encoding: gzip\r\n",
        "Transfer-Encoding: gzip, chunked\r\n", "Transfer-Encoding: identity\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "A: b\n", "A: b\rc\r\n",
        "A: b\r\n c\r\n", "A : b\r\n", "A: \x01\r\n", "A\r\n"}) {
    INFO(shown(lines));
    CHECK(run(ok + lines + "\r\nx").error == ErrorCode::malformed_http);
  }
  CHECK(run("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").error ==
        ErrorCode::malformed_http);
}

TEST_CASE("what is not a status line of HTTP/1.0 or 1.1 fails") {
  for (const char* line :
       {"HTTP/2.0 200 OK", "HTTP/0.9 200 OK", "HTTP/1.2 200 OK", "RTSP/1.0 200 OK",
        "ICE/1.0 200 OK", "http/1.1 200 OK", "HTTP/1.1 99 X", "HTTP/1.1 600 X", "HTTP/1.1 20 OK",
        "HTTP/1.1 2000 OK", "HTTP/1.1\t200 OK", "HTTP/1.1  200 OK", "\r\nHTTP/1.1 200 OK",
        " HTTP/1.1 200 OK", "{}", "<html>", "GET / HTTP/1.1", "\x16\x03\x01"}) {
    INFO(shown(line));
    CHECK(run(std::string(line) + "\r\nContent-Length: 0\r\n\r\n").error ==
          ErrorCode::malformed_http);
  }
  CHECK(run("HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n").complete_count() == 1);
  CHECK(run("HTTP/1.1 299 \xc3\xa9!\r\nContent-Length: 0\r\n\r\n").complete_count() == 1);
}

TEST_CASE("heads are bounded in size and in lines") {
  http::Limits limits;
  limits.response_header_count_max = 2;
  CHECK(run(ok + "A: b\r\nContent-Length: 0\r\n\r\n", false, false, limits).complete_count() == 1);
  CHECK(run(ok + "A: b\r\nC: d\r\nE: f\r\n\r\n", false, false, limits).error ==
        ErrorCode::too_many);
  limits.response_head_size_max_bytes = 40;
  CHECK(run(ok + std::string(60, 'a'), false, false, limits).error == ErrorCode::too_large);
}

TEST_CASE("a stream of many chunks with extensions is taken, an endless extension is not") {
  std::string stream = ok + "Transfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 2000; ++i) stream += "1;a=b;c=\"d e\"\r\nx\r\n";
  http::Limits limits;
  limits.chunk_count_max = 10;
  limits.chunk_extension_max_bytes = 64;
  const SeenConnection seen = run_responses(stream + "0\r\nT: v\r\n\r\n", {}, false, false, limits);
  CHECK(seen.complete_count() == 1);
  CHECK(seen.body() == std::string(2000, 'x'));
  CHECK(run_responses(stream + "1;" + std::string(64, 'e'), {}, false, false, limits).error ==
        ErrorCode::too_large);
}

TEST_CASE("surplus bytes stay with the caller, who must not reuse the connection") {
  BlockPool pool(4);
  Arena arena(pool, 64 * 1024);
  const http::Limits limits;
  ResponseParser parser(limits);
  BodyCollector sink;
  const std::string bytes = ok + "Content-Length: 2\r\n\r\nhisurplus";
  std::string_view rest = bytes;
  rest.remove_prefix(parser.feed(rest, arena, sink));
  parser.continue_body();
  rest.remove_prefix(parser.feed(rest, arena, sink));
  CHECK(parser.state() == State::complete);
  CHECK(rest == "surplus");
  CHECK(parser.feed(rest, arena, sink) == 0);
  CHECK(parser.body_bytes() == 2);
}

TEST_CASE("a sink that says no cancels the response") {
  struct Refusing final : ResponseParser::BodySink {
    bool on_body(std::string_view) override { return false; }
  } refusing;
  BlockPool pool(4);
  Arena arena(pool, 64 * 1024);
  const http::Limits limits;
  ResponseParser parser(limits);
  parser.feed(ok + "\r\n", arena, refusing);
  parser.continue_body();
  parser.feed("x", arena, refusing);
  CHECK(parser.state() == State::failed);
  CHECK(parser.error().code == ErrorCode::cancelled);
  CHECK(parser.error().side == Side::upstream);
}

TEST_CASE("want of memory for a head is an overload, not a fault of the provider") {
  const http::Limits limits;
  BodyCollector sink;
  for (size_t bytes_max = 0; bytes_max < 4000; bytes_max += 100) {
    BlockPool pool(4);
    Arena arena(pool, bytes_max);
    ResponseParser parser(limits);
    parser.feed(ok + "A: b\r\n\r\n", arena, sink);
    REQUIRE(parser.state() == State::failed);
    CHECK(parser.error().code == ErrorCode::overloaded);
  }
  CHECK(sizeof(ResponseParser) <= 64);
}

}  // namespace
}  // namespace hyperion::test
