// Bytes through open TLS streams: order, records, back-pressure, pauses.
#include "tls/tls_stream.h"

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "tls/tls_pair.h"

using namespace hyperion;
using namespace hyperion::test;

namespace {

// Bytes in which every offset up to 16 MiB looks different from its neighbourhood.
std::string pattern(size_t size) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 2654435761u >> 24);
  return bytes;
}

// Sends `bytes` as a careful user does: in pieces, never with more than `queued_max` waiting.
struct Sender {
  Sender(Recorder& recorder, std::string_view bytes, size_t piece, size_t queued_max)
      : recorder_(recorder), rest_(bytes), piece_(piece), queued_max_(queued_max) {
    recorder.when_written = [this] { push(); };
  }
  void push() {
    recorder_.as_user([&] {
      while (!rest_.empty() && recorder_.stream->output().size_bytes() < queued_max_) {
        size_t size = std::min(piece_, rest_.size());
        REQUIRE(recorder_.stream->output().append_copy(rest_.substr(0, size)));
        rest_.remove_prefix(size);
      }
      recorder_.stream->flush();
    });
  }
  Recorder& recorder_;
  std::string_view rest_;
  size_t piece_;
  size_t queued_max_;
};

}  // namespace

TEST_CASE("a client and a server agree and carry bytes both ways") {
  const auto& certificates = test_certificates();
  if (certificates.empty()) return;
  TlsPair pair(certificates);
  REQUIRE(pair.handshake());
  CHECK(pair.client.opens == 1);
  CHECK(pair.server.opens == 1);
  pair.client.send("question");
  REQUIRE(pair.world.run_until([&] { return pair.server.received == "question"; }));
  pair.server.send("answer");
  REQUIRE(pair.world.run_until([&] { return pair.client.received == "answer"; }));
  pair.world.run_until_idle();
  CHECK(pair.client.stream->output().empty());
  CHECK(pair.client.writtens > 0);
  // An idle connection holds no memory of the pool.
  CHECK(pair.world.blocks.in_use() == 0);
}

TEST_CASE("what is appended before the handshake is done leaves after it") {
  const auto& certificates = test_certificates();
  if (certificates.empty()) return;
  TlsPair pair(certificates);
  pair.client.send("early");
  CHECK(pair.world.run_until([&] { return pair.server.received == "early"; }));
}

TEST_CASE("everything works one byte at a time") {
  const auto& certificates = test_certificates();
  if (certificates.empty()) return;
  TlsPair pair(certificates);
  pair.under.to_client->piece_bytes_max = 1;
  pair.under.to_server->piece_bytes_max = 1;
  REQUIRE(pair.handshake());
  const std::string bytes = pattern(3000);
  pair.client.send(bytes);
  pair.server.send(bytes);
  REQUIRE(pair.world.run_until(
      [&] { return pair.server.received.size() == 3000 && pair.client.received.size() == 3000; }));
  CHECK(pair.server.received == bytes);
  CHECK(pair.client.received == bytes);
}

TEST_CASE("large transfers both ways at once through narrow links keep order and bounds") {
  const auto& certificates = test_certificates();
  if (certificates.empty()) return;
  for (size_t room : {size_t{1}, size_t{700}, size_t{5000}, size_t{64 * 1024}}) {
    CAPTURE(room);
    TlsPair pair(certificates);
    REQUIRE(pair.handshake());
    pair.under.to_client->in_flight_bytes_max = room;
    pair.under.to_server->in_flight_bytes_max = room;
    const std::string bytes = pattern(room == 1 ? 20'000 : 2'000'000);
    constexpr size_t queued_max = 200 * 1024;
    Sender up(pair.client, bytes, 1234, queued_max);
    Sender down(pair.server, bytes, 30'000, queued_max);
    up.push();
    down.push();
    size_t inner_max = 0;
    REQUIRE(pair.world.run_until([&] {
      inner_max = std::max(inner_max, pair.under.client->output().size_bytes());
      inner_max = std::max(inner_max, pair.under.server->output().size_bytes());
      return pair.server.received.size() >= bytes.size() &&
             pair.client.received.size() >= bytes.size();
    }));
    CHECK(pair.server.received == bytes);
    CHECK(pair.client.received == bytes);
    CHECK(inner_max <= tls::ciphertext_backlog_bytes_max + tls::Engine::record_bytes_max + 64);
    if (room < 64 * 1024 && bytes.size() > queued_max) {
      CHECK(inner_max >= tls::ciphertext_backlog_bytes_max);
    }
    pair.world.run_until_idle();
    CHECK(pair.client.stream->output().empty());
    CHECK(pair.server.stream->output().empty());
  }
}

TEST_CASE("output is empty only when all of it has left the inner queue") {
  const auto& certificates = test_certificates();
  if (certificates.empty()) return;
  TlsPair pair(certificates);
  REQUIRE(pair.handshake());
  pair.world.run_until_idle();
  pair.under.to_server->in_flight_bytes_max = 10;
  pair.client.send(pattern(1000));
  bool was_queued = false;
  pair.client.when_written = [&] {
    if (pair.client.stream->output().empty()) CHECK(pair.under.client->output().empty());
  };
  CHECK(pair.world.run_until([&] {
    if (!pair.under.client->output().empty()) {
      was_queued = true;
      CHECK(!pair.client.stream->output().empty());
    }
    return pair.server.received.size() == 1000;
  }));
  CHECK(was_queued);
}

TEST_CASE("referenced bytes are not read any more once they are not counted any more") {
  const auto& certificates = test_certificates();
  if (certificates.empty()) return;
  TlsPair pair(certificates);
  REQUIRE(pair.handshake());
  pair.under.to_server->in_flight_bytes_max = 3000;
  const std::string bytes = pattern(300'000);
  auto pinned = std::make_unique<std::string>(bytes);
  pair.client.when_written = [&] {
    if (pair.client.stream->output().empty()) pinned.reset();  // the sanitizer sees a later read
  };
  pair.client.as_user([&] {
    REQUIRE(pair.client.stream->output().append_copy("head"));
    REQUIRE(pair.client.stream->output().append_reference(*pinned));
    pair.client.stream->flush();
  });
  REQUIRE(pair.world.run_until([&] { return pair.server.received.size() == bytes.size() + 4; }));
  pair.world.run_until_idle();
  CHECK(pinned == nullptr);
  CHECK(pair.server.received == "head" + bytes);
}

TEST_CASE("many small pieces of one turn share a record") {
  const auto& certificates = test_certificates();
  if (certificates.empty()) return;
  TlsPair pair(certificates);
  REQUIRE(pair.handshake());
  pair.world.run_until_idle();
  const size_t before = pair.under.to_server->taken_bytes;
  for (int i = 0; i < 100; ++i) pair.client.send("0123456789");
  // A reference between copies makes runs of its own.
  const std::string pinned = pattern(600);
  pair.client.as_user([&] { pair.client.stream->output().append_reference(pinned); });
  pair.client.send("tail");
  REQUIRE(pair.world.run_until([&] { return pair.server.received.size() == 1604; }));
  CHECK(pair.under.to_server->taken_bytes - before == 1604 + 22);
  CHECK(pair.server.reads == 1);
}

TEST_CASE("more runs than are looked at in one go are sent all the same") {
  const auto& certificates = test_certificates();
  if (certificates.empty()) return;
  TlsPair pair(certificates);
  REQUIRE(pair.handshake());
  const std::string pinned = pattern(513);
  std::string expected;
  pair.client.as_user([&] {
    for (int i = 0; i < 500; ++i) {
      REQUIRE(pair.client.stream->output().append_reference(pinned));
      expected += pinned;
    }
    pair.client.stream->flush();
  });
  REQUIRE(pair.world.run_until([&] { return pair.server.received.size() >= expected.size(); }));
  CHECK(pair.server.received == expected);
}

TEST_CASE("no byte comes while reading is paused, all of them come in order after") {
  const auto& certificates = test_certificates();
  if (certificates.empty()) return;
  for (int turns_paused : {0, 1, 2, 5}) {
    for (size_t piece : {size_t{700}, size_t{20'000}, size_t{64 * 1024}}) {
      CAPTURE(turns_paused);
      CAPTURE(piece);
      TlsPair pair(certificates);
      REQUIRE(pair.handshake());
      pair.under.to_client->late_piece_after_pause = true;
      pair.under.to_client->piece_bytes_max = piece;
      const std::string bytes = pattern(300'000);
      int pauses = 0;
      bool paused = false;
      pair.client.when_read = [&] {
        CHECK(!paused);
        ++pauses;
        paused = true;
        pair.client.as_user([&] { pair.client.stream->pause_reading(); });
      };
      pair.server.send(bytes);
      for (int turn = 0; turn < 10'000 && pair.client.received.size() < bytes.size(); ++turn) {
        pair.world.turn();
        if (!paused) continue;
        for (int i = 0; i < turns_paused; ++i) pair.world.turn();
        if (turns_paused > 0) CHECK_FALSE(pair.under.client->reading());
        paused = false;
        pair.client.as_user([&] { pair.client.stream->resume_reading(); });
      }
      CHECK(pair.client.received == bytes);
      CHECK(pauses >= 18);
    }
  }
}

TEST_CASE("a server stream reads nothing before it is told to") {
  const auto& certificates = test_certificates();
  if (certificates.empty()) return;
  TlsPair pair(certificates);
  pair.server.as_user([&] { pair.server.stream->pause_reading(); });
  pair.client.send("hello");
  REQUIRE(pair.handshake());
  pair.world.run_until_idle();
  CHECK(pair.server.opens == 1);
  CHECK(pair.server.received.empty());
  pair.server.as_user([&] { pair.server.stream->resume_reading(); });
  CHECK(pair.server.received.empty());
  CHECK(pair.world.run_until([&] { return pair.server.received == "hello"; }));
}

TEST_CASE("a stream changes hands between callbacks") {
  const auto& certificates = test_certificates();
  if (certificates.empty()) return;
  TlsPair pair(certificates);
  REQUIRE(pair.handshake());
  Recorder second;
  second.stream = pair.client.stream;
  pair.client.as_user([&] { pair.client.stream->set_handler(&second); });
  pair.server.send("for the second");
  REQUIRE(pair.world.run_until([&] { return second.received == "for the second"; }));
  CHECK(pair.client.received.empty());
  pair.client.as_user([&] { pair.client.stream->set_handler(&pair.client); });
}

TEST_CASE("a shard without memory ends the connection, not the process") {
  const auto& certificates = test_certificates();
  if (certificates.empty()) return;
  TlsPair pair(certificates);
  REQUIRE(pair.handshake());
  pair.world.run_until_idle();
  pair.client.send("hello");
  std::vector<Block*> taken;
  while (Block* block = pair.world.blocks.take()) taken.push_back(block);
  CHECK(pair.world.run_until([&] { return pair.client.ends == 1; }));
  CHECK(pair.client.end.code == ErrorCode::overloaded);
  for (Block* block : taken) pair.world.blocks.give_back(block);
}
