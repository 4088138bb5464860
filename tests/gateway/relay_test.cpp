#include "gateway/relay.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "support/memory_stream.h"

using namespace hyperion;
using gateway::Relay;

namespace {

// Takes output and nothing else.
class QueueStream final : public io::Stream {
 public:
  explicit QueueStream(BlockPool& blocks) : output_(blocks) {}
  void set_handler(io::StreamHandler*) override {}
  void resume_reading() override {}
  void pause_reading() override {}
  io::WriteQueue& output() override { return output_; }
  void flush() override {}
  void finish_writing() override {}
  void terminate() override {}
  bool terminated() const override { return false; }

  std::string text() {
    std::string all;
    iovec vectors[16];
    while (size_t count = output_.fill(vectors, 16)) {
      size_t size = 0;
      for (size_t i = 0; i < count; ++i) {
        all.append(static_cast<const char*>(vectors[i].iov_base), vectors[i].iov_len);
        size += vectors[i].iov_len;
      }
      output_.consume(size);
    }
    return all;
  }

 private:
  io::WriteQueue output_;
};

struct Client {
  bool answers_head = false;
  uint8_t minor_version = 1;
  bool keep_alive = true;
};

struct Answered {
  std::string text;
  bool keep_alive = false;
};

Answered answer(const Client& client, uint16_t status, uint64_t length,
                const std::vector<std::string>& pieces) {
  BlockPool blocks(64);
  QueueStream stream(blocks);
  Relay relay;
  relay.prepare(&stream, client.answers_head, client.minor_version);
  relay.set_keep_alive(client.keep_alive);
  CHECK_FALSE(relay.head_sent());
  REQUIRE(relay.begin_head(status));
  relay.head().header("x-name", "value");
  REQUIRE(relay.end_head(length));
  CHECK(relay.head_sent());
  for (const std::string& piece : pieces) REQUIRE(relay.body(piece));
  REQUIRE(relay.end());
  return {stream.text(), relay.keep_alive()};
}

}  // namespace

TEST_CASE("an answer of known length has a content-length and its bytes as they are") {
  const Answered got = answer({}, 200, 5, {"he", "", "llo"});
  CHECK(got.text == "HTTP/1.1 200 OK\r\nx-name: value\r\ncontent-length: 5\r\n\r\nhello");
  CHECK(got.keep_alive);
}

TEST_CASE("an answer of unknown length is chunked, an empty piece is no chunk") {
  const Answered got = answer({}, 200, Relay::unknown_length, {"hello", "", "0123456789abcdef"});
  CHECK(got.text ==
        "HTTP/1.1 200 OK\r\nx-name: value\r\ntransfer-encoding: chunked\r\n\r\n"
        "5\r\nhello\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n");
  CHECK(got.keep_alive);
}

TEST_CASE("HTTP/1.0 gets no chunks: the end of the connection ends the answer") {
  const Answered got = answer({.minor_version = 0}, 200, Relay::unknown_length, {"hel", "lo"});
  CHECK(got.text == "HTTP/1.1 200 OK\r\nx-name: value\r\nconnection: close\r\n\r\nhello");
  CHECK_FALSE(got.keep_alive);
}

TEST_CASE("HTTP/1.0 that asked to keep the connection is told that it is kept") {
  const Answered kept = answer({.minor_version = 0}, 200, 2, {"ok"});
  CHECK(
      kept.text ==
      "HTTP/1.1 200 OK\r\nx-name: value\r\ncontent-length: 2\r\nconnection: keep-alive\r\n\r\nok");
  CHECK(kept.keep_alive);
  const Answered closed = answer({.minor_version = 0, .keep_alive = false}, 200, 2, {"ok"});
  CHECK(closed.text ==
        "HTTP/1.1 200 OK\r\nx-name: value\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok");
}

TEST_CASE("the end of a connection is announced") {
  const Answered got = answer({.keep_alive = false}, 200, Relay::unknown_length, {"a"});
  CHECK(got.text ==
        "HTTP/1.1 200 OK\r\nx-name: value\r\ntransfer-encoding: chunked\r\nconnection: close\r\n"
        "\r\n1\r\na\r\n0\r\n\r\n");
  CHECK_FALSE(got.keep_alive);
}

TEST_CASE("HEAD gets the head of the answer and not a byte of its body") {
  CHECK(answer({.answers_head = true}, 200, 5, {"hello"}).text ==
        "HTTP/1.1 200 OK\r\nx-name: value\r\ncontent-length: 5\r\n\r\n");
  CHECK(answer({.answers_head = true}, 200, Relay::unknown_length, {"hello"}).text ==
        "HTTP/1.1 200 OK\r\nx-name: value\r\ntransfer-encoding: chunked\r\n\r\n");
}

TEST_CASE("a status without a body has no content-length") {
  CHECK(answer({}, 204, 0, {}).text == "HTTP/1.1 204 No Content\r\nx-name: value\r\n\r\n");
  CHECK(answer({}, 304, 0, {}).text == "HTTP/1.1 304 Not Modified\r\nx-name: value\r\n\r\n");
  CHECK(answer({}, 200, 0, {}).text ==
        "HTTP/1.1 200 OK\r\nx-name: value\r\ncontent-length: 0\r\n\r\n");
}

TEST_CASE("a head that does not fit is not sent at all") {
  BlockPool blocks(64);
  QueueStream stream(blocks);
  Relay relay;
  relay.prepare(&stream, false, 1);
  REQUIRE(relay.begin_head(200));
  relay.head().header("x-long", std::string(Relay::head_size_max_bytes, 'a'));
  CHECK_FALSE(relay.end_head(2));
  CHECK_FALSE(relay.head_sent());
}

TEST_CASE("without memory the relay says so instead of sending part of an answer") {
  BlockPool none(0);
  QueueStream stream(none);
  Relay relay;
  relay.prepare(&stream, false, 1);
  CHECK_FALSE(relay.begin_head(200));

  BlockPool one(1);
  QueueStream small(one);
  relay.prepare(&small, false, 1);
  REQUIRE(relay.begin_head(200));
  REQUIRE(relay.end_head(Relay::unknown_length));
  CHECK_FALSE(relay.body(std::string(64 * 1024, 'b')));
}
