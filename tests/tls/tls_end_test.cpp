// How TLS streams end: well, truncated, broken, garbled, or given up at any moment.
#include <algorithm>
#include <functional>
#include <string>

#include <doctest/doctest.h>

#include "tls/tls_pair.h"
#include "tls/tls_stream.h"

using namespace hyperion;
using namespace hyperion::test;
using tls::Problem;
using tls::problem_of;

TEST_CASE("finish_writing ends the peer's reading cleanly, after all that was queued") {
  const auto& certificates = test_certificates();
  if (certificates.empty()) return;
  TlsPair pair(certificates);
  REQUIRE(pair.handshake());
  pair.under.to_server->in_flight_bytes_max = 1000;
  const std::string bytes(100'000, 'x');
  pair.client.send(bytes);
  pair.client.as_user([&] { pair.client.stream->finish_writing(); });
  REQUIRE(pair.world.run_until([&] { return pair.server.ends == 1; }));
  CHECK(pair.server.end.code == ErrorCode::end_of_stream);
  CHECK(pair.server.received == bytes);
  // The other direction is still open.
  pair.server.send("still here");
  REQUIRE(pair.world.run_until([&] { return pair.client.received == "still here"; }));
  CHECK(pair.client.ends == 0);
  pair.server.as_user([&] { pair.server.stream->finish_writing(); });
  REQUIRE(pair.world.run_until([&] { return pair.client.ends == 1; }));
  CHECK(pair.client.end.code == ErrorCode::end_of_stream);
}

TEST_CASE("finish_writing before the handshake takes effect after it") {
  const auto& certificates = test_certificates();
  if (certificates.empty()) return;
  TlsPair pair(certificates);
  pair.client.send("only this");
  pair.client.as_user([&] { pair.client.stream->finish_writing(); });
  REQUIRE(pair.world.run_until([&] { return pair.server.ends == 1; }));
  CHECK(pair.server.received == "only this");
  CHECK(pair.server.end.code == ErrorCode::end_of_stream);
}

TEST_CASE("an end without close_notify is truncation") {
  const auto& certificates = test_certificates();
  if (certificates.empty()) return;
  TlsPair pair(certificates);
  REQUIRE(pair.handshake());
  pair.server.send("part of an answer");
  REQUIRE(pair.world.run_until([&] { return !pair.client.received.empty(); }));
  pair.under.to_client->finished = true;
  REQUIRE(pair.world.run_until([&] { return pair.client.ends == 1; }));
  CHECK(pair.client.end.code == ErrorCode::tls_truncated);
  CHECK(problem_of(pair.client.end) == Problem::no_close_notify);
}

TEST_CASE("an end in the middle of a record is truncation, and the part is not delivered") {
  const auto& certificates = test_certificates();
  if (certificates.empty()) return;
  TlsPair pair(certificates);
  REQUIRE(pair.handshake());
  pair.world.run_until_idle();
  pair.under.to_client->cut_after_bytes = pair.under.to_client->taken_bytes + 500;
  pair.server.send(std::string(1000, 'x'));
  pair.server.as_user([&] { pair.server.stream->finish_writing(); });
  REQUIRE(pair.world.run_until([&] { return pair.client.ends == 1; }));
  CHECK(pair.client.end.code == ErrorCode::tls_truncated);
  CHECK(pair.client.received.empty());
}

TEST_CASE("what came before the end is delivered first, also to a reader that had paused") {
  const auto& certificates = test_certificates();
  if (certificates.empty()) return;
  for (bool clean : {true, false}) {
    TlsPair pair(certificates);
    REQUIRE(pair.handshake());
    const std::string bytes(40'000, 'x');
    pair.client.when_read = [&] {
      pair.client.as_user([&] { pair.client.stream->pause_reading(); });
    };
    pair.server.send(bytes);
    pair.world.run_until_idle();
    if (clean) pair.server.as_user([&] { pair.server.stream->finish_writing(); });
    pair.world.run_until_idle();
    if (!clean) pair.under.to_client->finished = true;
    pair.world.run_until_idle();
    CHECK(pair.client.ends == 0);
    for (int i = 0; i < 100 && pair.client.ends == 0; ++i) {
      pair.client.as_user([&] { pair.client.stream->resume_reading(); });
      pair.world.run_until_idle();
    }
    CHECK(pair.client.received == bytes);
    CHECK(pair.client.end.code == (clean ? ErrorCode::end_of_stream : ErrorCode::tls_truncated));
  }
}

TEST_CASE("a failure of the inner stream is passed on as it is") {
  const auto& certificates = test_certificates();
  if (certificates.empty()) return;
  for (int turns : {0, 1, 2, 50}) {
    TlsPair pair(certificates);
    for (int i = 0; i < turns; ++i) pair.world.turn();
    pair.under.client->break_connection(ErrorCode::connection_reset);
    REQUIRE(pair.world.run_until([&] { return pair.client.ends == 1; }));
    CHECK(pair.client.end.code == ErrorCode::connection_reset);
  }
}

// An ECDSA signature is two integers in DER, each with a leading zero byte when its top bit is set
// and without its own leading zero bytes: 72 bytes at most for P-256, and under 64 only once in
// many millions. One handshake may therefore be this much shorter than the one measured before, and
// a cut this close to the end may fall behind its end and be no cut at all.
constexpr size_t signature_spread_bytes = 8;

TEST_CASE("a handshake cut after any number of bytes ends once, with a handshake error") {
  const auto& certificates = test_certificates();
  if (certificates.empty()) return;
  size_t to_client_bytes = 0;
  size_t to_server_bytes = 0;
  {
    TlsPair pair(certificates);
    REQUIRE(pair.handshake());
    to_client_bytes = pair.under.to_client->taken_bytes - signature_spread_bytes;
    to_server_bytes = pair.under.to_server->taken_bytes - signature_spread_bytes;
  }
  for (size_t cut = 0; cut < to_client_bytes; cut += 13) {
    CAPTURE(cut);
    TlsPair pair(certificates);
    pair.under.to_client->cut_after_bytes = cut;
    REQUIRE(pair.world.run_until([&] { return pair.client.ends == 1; }));
    CHECK(pair.client.opens == 0);
    CHECK(pair.client.end.code == ErrorCode::tls_handshake);
    CHECK(problem_of(pair.client.end) == Problem::peer_left);
  }
  for (size_t cut = 0; cut < to_server_bytes; cut += 13) {
    CAPTURE(cut);
    TlsPair pair(certificates);
    pair.under.to_server->cut_after_bytes = cut;
    REQUIRE(pair.world.run_until([&] { return pair.server.ends == 1; }));
    CHECK(pair.server.opens == 0);
    CHECK(pair.server.end.code == ErrorCode::tls_handshake);
  }
}

TEST_CASE(
    "a byte changed anywhere in the handshake never opens a stream that carries other bytes") {
  const auto& certificates = test_certificates();
  if (certificates.empty()) return;
  for (bool to_client : {true, false}) {
    for (size_t at = 0; at < 1700; at += 17) {
      CAPTURE(to_client);
      CAPTURE(at);
      TlsPair pair(certificates);
      MemoryLink* link = to_client ? pair.under.to_client : pair.under.to_server;
      size_t passed = 0;
      link->change = [&](std::string& bytes) {
        if (at >= passed && at < passed + bytes.size()) bytes[at - passed] ^= 0x20;
        passed += bytes.size();
      };
      pair.handshake();
      pair.world.run_until_idle();
      if (pair.client.ends == 0 && pair.client.opens == 1) pair.client.send("question");
      pair.world.run_until_idle();
      CHECK(std::string("question").substr(0, pair.server.received.size()) == pair.server.received);
      if (pair.client.opens == 0 && pair.client.ends == 0) {
        // A length grew: both wait for bytes, which is what the user's timer is for.
        CHECK(pair.server.opens == 0);
      }
    }
  }
}

TEST_CASE("a damaged record ends an open stream, and nothing of it is delivered") {
  const auto& certificates = test_certificates();
  if (certificates.empty()) return;
  TlsPair pair(certificates);
  REQUIRE(pair.handshake());
  pair.world.run_until_idle();
  pair.under.to_client->change = [](std::string& bytes) { bytes.back() ^= 1; };
  pair.server.send("answer");
  REQUIRE(pair.world.run_until([&] { return pair.client.ends == 1; }));
  CHECK(pair.client.received.empty());
  CHECK(pair.client.end.code == ErrorCode::connection_reset);
  CHECK(problem_of(pair.client.end) == Problem::record_refused);
}

TEST_CASE("garbage instead of TLS is refused, by clients and by servers") {
  const auto& certificates = test_certificates();
  if (certificates.empty()) return;
  const std::string zeros(100, '\0');
  for (const std::string& garbage :
       {std::string("GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        std::string("HTTP/1.1 400 Bad Request\r\n\r\n"),
        std::string("\x16\x03\x01\xFF\xFF") + zeros, std::string("\x15\x03\x01\x00\x02\x02\x28", 7),
        std::string("\x80\x2E\x01\x03\x01") + zeros, zeros, std::string(70'000, '\x16')}) {
    CAPTURE(garbage.substr(0, 16));
    for (bool to_client : {true, false}) {
      TlsPair pair(certificates);
      MemoryLink* link = to_client ? pair.under.to_client : pair.under.to_server;
      Recorder& reader = to_client ? pair.client : pair.server;
      bool replaced = false;
      link->change = [&](std::string& bytes) {
        bytes = replaced ? "" : garbage;
        replaced = true;
      };
      pair.world.run_until([&] { return reader.ends == 1; });
      if (reader.ends == 0) link->finished = true;  // it waits for the rest of a record
      REQUIRE(pair.world.run_until([&] { return reader.ends == 1; }));
      CHECK(reader.opens == 0);
      CHECK(reader.end.code == ErrorCode::tls_handshake);
    }
  }
}

TEST_CASE("plain HTTP on the TLS port is told apart from a broken handshake") {
  const auto& certificates = test_certificates();
  if (certificates.empty()) return;
  TlsPair pair(certificates);
  pair.under.to_client->change = [](std::string& bytes) {
    bytes = "HTTP/1.1 400 Bad Request\r\n\r\n";
  };
  REQUIRE(pair.world.run_until([&] { return pair.client.ends == 1; }));
  CHECK(problem_of(pair.client.end) == Problem::not_tls);
}

TEST_CASE("a stream can be given up at every turn of its life") {
  const auto& certificates = test_certificates();
  if (certificates.empty()) return;
  for (int turns = 0; turns < 40; ++turns) {
    for (int who = 0; who < 3; ++who) {
      CAPTURE(turns);
      TlsPair pair(certificates);
      pair.under.to_client->piece_bytes_max = 200;
      pair.under.to_server->piece_bytes_max = 200;
      pair.client.send(std::string(20'000, 'q'));
      pair.server.send(std::string(20'000, 'a'));
      for (int i = 0; i < turns; ++i) pair.world.turn();
      if (who != 1 && pair.client.alive()) pair.client.terminate();
      if (who != 0 && pair.server.alive()) pair.server.terminate();
      pair.world.run_until_idle();
      if (who != 1) CHECK(pair.client.closes == 1);
      if (who != 0) CHECK(pair.server.closes == 1);
    }
  }
}

TEST_CASE("a stream can be given up inside each of its callbacks") {
  const auto& certificates = test_certificates();
  if (certificates.empty()) return;
  for (bool client_side : {true, false}) {
    for (int which = 0; which < 4; ++which) {
      CAPTURE(which);
      TlsPair pair(certificates);
      Recorder& who = client_side ? pair.client : pair.server;
      Recorder& other = client_side ? pair.server : pair.client;
      std::function<void()>* hooks[] = {&who.when_open, &who.when_read, &who.when_written,
                                        &who.when_end};
      *hooks[which] = [&] {
        who.terminate();
        who.as_user([&] {
          // All of these must do nothing now.
          who.stream->terminate();
          who.stream->flush();
          who.stream->resume_reading();
          who.stream->pause_reading();
          who.stream->finish_writing();
        });
      };
      who.send(std::string(100'000, 'x'));
      other.send(std::string(100'000, 'y'));
      other.as_user([&] { other.stream->finish_writing(); });
      pair.world.run_until_idle();
      CHECK(who.closes == 1);
    }
  }
}
