// Connections held open and idle, so that a proxy's memory for each can be read from outside.
//
// Each may first make a number of requests, as a client's keep-alive connection has. Opening goes
// in batches and waits for the answers of a batch, so the proxy's accept queue never overflows.
// Connections that the proxy closes meanwhile are counted. It measures nothing itself.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "load/client.h"
#include "load/upstream.h"

namespace hyperion::bench {

class IdlePool final : public AnswerSink {
 public:
  IdlePool(Loop& loop, Upstream& upstream, Conversation conversation, uint16_t port)
      : loop_(loop), upstream_(upstream), conversation_(std::move(conversation)), port_(port) {}

  // Opens `count` connections, each making `requests` requests. False when any of it failed.
  bool hold(uint32_t count, uint32_t requests);

  uint64_t open_count() const;
  const std::string& first_failure() const { return first_failure_; }

  void on_answer(ClientConnection& connection, int64_t now) override;
  void on_failure(ClientConnection& connection, Failure failure, std::string_view detail) override;
  void on_idle_close(ClientConnection&) override {}

 private:
  bool wait_for_answers();

  Loop& loop_;
  Upstream& upstream_;
  const Conversation conversation_;
  const uint16_t port_;
  std::vector<std::unique_ptr<ClientConnection>> connections_;
  uint32_t waiting_ = 0;
  std::string first_failure_;
};

}  // namespace hyperion::bench
