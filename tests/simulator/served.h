// A simulated provider on a free port of loopback, and a client that reads bytes as they come.
//
// Blocking sockets with a deadline that only a broken run reaches. Bodies are decoded from their
// framing here, independently of the parsers of src/http.
#pragma once

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include "simulator/simulator_thread.h"
#include "support/json_reader.h"

namespace hyperion::test {

inline constexpr int patience_ms = 20'000;

struct Reply {
  int status = 0;
  std::string head;       // interim ones before it included
  std::string body;       // framing removed
  bool complete = false;  // the framing's end was seen
  bool ended = false;     // the peer closed
  std::string rest;       // bytes after the end of the framing

  std::string header(std::string_view name) const {
    const std::string line = "\r\n" + std::string(name) + ": ";
    const size_t at = head.rfind(line);
    if (at == std::string::npos) return {};
    const size_t begin = at + line.size();
    return head.substr(begin, head.find("\r\n", begin) - begin);
  }
  Json json() const { return read_json(body).value_or(Json{}); }
};

class TestClient {
 public:
  explicit TestClient(const io::Address& address) {
    socket_ = socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(connect(socket_, address.get(), address.size) == 0);
  }
  TestClient(const TestClient&) = delete;
  TestClient& operator=(const TestClient&) = delete;
  ~TestClient() { close(socket_); }

  void send_bytes(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
  }
  // False at the end, or after `wait_ms` without a byte.
  bool read_more(int wait_ms = patience_ms) {
    pollfd ready = {socket_, POLLIN, 0};
    if (poll(&ready, 1, wait_ms) <= 0) return false;
    char buffer[16 * 1024];
    const ssize_t got = recv(socket_, buffer, sizeof(buffer), 0);
    if (got <= 0) {
      ended_ = true;
      reset_ = got < 0 && errno == ECONNRESET;
      return false;
    }
    ++reads_;
    bytes_.append(buffer, static_cast<size_t>(got));
    return true;
  }
  void read_to_end() {
    while (read_more()) {
    }
  }
  bool read_until(std::string_view text) {
    while (bytes_.find(text) == std::string::npos) {
      if (!read_more()) return false;
    }
    return true;
  }

  // Reads one answer by its framing; what follows stays for the next.
  Reply read_reply() {
    Reply reply;
    if (!read_head(reply)) return reply;
    const std::string length = reply.header("content-length");
    if (reply.header("transfer-encoding") == "chunked") {
      read_chunks(reply);
    } else if (!length.empty()) {
      take(std::strtoull(length.c_str(), nullptr, 10), reply.body);
      reply.complete = reply.body.size() == std::strtoull(length.c_str(), nullptr, 10);
    } else {
      read_to_end();
      reply.body.swap(bytes_);
      reply.complete = ended_;
    }
    reply.ended = ended_;
    reply.rest = bytes_;
    return reply;
  }

  const std::string& bytes() const { return bytes_; }
  bool ended() const { return ended_; }
  bool was_reset() const { return reset_; }
  size_t reads() const { return reads_; }

 private:
  bool read_head(Reply& reply) {
    do {
      if (!read_until("\r\n\r\n")) return false;
      const size_t end = bytes_.find("\r\n\r\n") + 4;
      reply.status = std::atoi(bytes_.c_str() + 9);
      reply.head += bytes_.substr(0, end);
      bytes_.erase(0, end);
    } while (reply.status < 200);
    return true;
  }
  void take(size_t size, std::string& out) {
    while (bytes_.size() < size && read_more()) {
    }
    out += bytes_.substr(0, size);
    bytes_.erase(0, size);
  }
  void read_chunks(Reply& reply) {
    while (read_until("\r\n")) {
      const size_t size = std::strtoull(bytes_.c_str(), nullptr, 16);
      bytes_.erase(0, bytes_.find("\r\n") + 2);
      const size_t before = reply.body.size();
      take(size, reply.body);
      std::string tail;
      take(2, tail);
      if (reply.body.size() - before != size || tail != "\r\n") return;
      if (size == 0) {
        reply.complete = true;
        return;
      }
    }
  }

  int socket_;
  std::string bytes_;
  bool ended_ = false;
  bool reset_ = false;
  size_t reads_ = 0;
};

// A request with a key; `headers` are whole lines.
inline std::string request_text(std::string_view method, std::string_view target,
                                std::string_view body, std::string_view headers = {}) {
  std::string text = std::string(method) + " " + std::string(target) +
                     " HTTP/1.1\r\nhost: simulator\r\nauthorization: Bearer sk-simulated\r\n";
  text += headers;
  if (!body.empty() || method == "POST") {
    text +=
        "content-type: application/json\r\ncontent-length: " + std::to_string(body.size()) + "\r\n";
  }
  return text + "\r\n" + std::string(body);
}

class Served {
 public:
  explicit Served(std::string_view conf = {}) {
    config::LoadOutcome outcome = config::load_text(conf, "test.toml", config::Surroundings{});
    for (const std::string& error : outcome.errors) MESSAGE(error);
    REQUIRE(outcome.config != nullptr);
    ledger_ = std::make_unique<simulator::Ledger>(
        outcome.config->settings.simulator.requests_recorded_max);
    const config::SimulatorSettings& settings = outcome.config->settings.simulator;
    outages_ =
        std::make_unique<simulator::Outages>(settings.outages, settings.seed, SystemClock().now());
    thread_ = std::make_unique<simulator::SimulatorThread>(outcome.config, *ledger_, *outages_);
    const io::Refusal refusal = thread_->start(*io::Address::parse("127.0.0.1:0"));
    REQUIRE_MESSAGE(!refusal, refusal.what);
  }

  const io::Address& address() const { return thread_->address(); }
  simulator::Ledger& ledger() { return *ledger_; }
  simulator::Outages& outages() { return *outages_; }
  void stop() { thread_->stop(); }

  // One request on a connection of its own.
  Reply ask(const std::string& request) {
    TestClient client(address());
    client.send_bytes(request);
    return client.read_reply();
  }
  Reply post(std::string_view target, std::string_view body, std::string_view headers = {}) {
    return ask(request_text("POST", target, body, headers));
  }
  Reply get(std::string_view target) { return ask(request_text("GET", target, {})); }

 private:
  std::unique_ptr<simulator::Ledger> ledger_;
  std::unique_ptr<simulator::Outages> outages_;
  std::unique_ptr<simulator::SimulatorThread> thread_;
};

inline constexpr std::string_view chat_target = "/v1/chat/completions";
inline constexpr std::string_view hello =
    R"({"model":"gpt-4o-2024-11-20","messages":[{"role":"user","content":"Say hello."}]})";
inline constexpr std::string_view hello_stream =
    R"({"model":"gpt-4o-2024-11-20","stream":true,)"
    R"("messages":[{"role":"user","content":"Say hello."}]})";

// The data of each event of a stream.
inline std::vector<std::string> events_of(std::string_view body) {
  std::vector<std::string> events;
  while (!body.empty()) {
    const size_t end = body.find("\n\n");
    std::string_view event = body.substr(0, end);
    if (event.starts_with("data: ")) event.remove_prefix(6);
    events.emplace_back(event);
    if (end == std::string_view::npos) break;
    body.remove_prefix(end + 2);
  }
  return events;
}

}  // namespace hyperion::test
