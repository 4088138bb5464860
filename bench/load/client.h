// The client's role: one keep-alive connection that sends a request and verifies its answer.
//
// A run owns the connections and decides when each sends; a connection tells its AnswerSink what
// happened. Every answer is compared with what the upstream sent, byte for byte: the status, the
// plain body, and each event of a stream but for its stamp. Anything else ends the connection and
// is reported as a failure with its kind; it is never retried here. A connection closed by the peer
// while it waits for nothing is no failure (a server may do that), and is told apart.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "load/loop.h"
#include "load/message.h"
#include "load/payload.h"
#include "load/sockets.h"

namespace hyperion::bench {

enum class Failure { connect, closed_early, bad_status, bad_framing, wrong_body, unanswered };
constexpr size_t failure_kinds = 6;
const char* name_of(Failure failure);

class ClientConnection;

class AnswerSink {
 public:
  // The whole answer is there and right.
  virtual void on_answer(ClientConnection& connection, int64_t now) = 0;
  // Event `index` of a streamed answer is there and right; the upstream sent it at sent_ns.
  virtual void on_event(ClientConnection&, uint32_t /*index*/, int64_t /*sent_ns*/,
                        int64_t /*now*/) {}
  // The connection is closed. `detail` is the start of what came instead, if anything did.
  virtual void on_failure(ClientConnection& connection, Failure failure,
                          std::string_view detail) = 0;
  // The peer closed the connection while it was idle, or announced that it will, with an answer
  // that is reported next. Opening it again is up to the run.
  virtual void on_idle_close(ClientConnection& connection) = 0;

 protected:
  ~AnswerSink() = default;
};

// What to send and what must come back; shared by the connections of a run.
struct Conversation {
  std::string request;
  bool streamed = false;
  std::string answer_body;
  StreamTemplate stream;
  uint32_t events = 0;

  uint64_t stream_bytes() const { return stream.event.size() * events + stream.tail.size(); }
};

class ClientConnection final : public Handler {
 public:
  ClientConnection(Loop& loop, AnswerSink& sink, const Conversation& conversation)
      : loop_(loop), sink_(sink), conversation_(conversation) {}
  ~ClientConnection() { close(); }

  bool open(uint16_t port);
  void close();
  bool is_open() const { return descriptor_ >= 0; }
  // Whether an answer is due; after a failure, whether one was.
  bool waiting() const { return waiting_; }

  // Sends the request; the connection must be open and idle. started_ns is what the run wants to
  // measure from: now, or the time at which the request was meant to start.
  void start(int64_t started_ns);
  int64_t started_ns() const { return started_ns_; }

  // Delay of the last event of this answer, for the run's use.
  int64_t last_delay_ns = 0;

  void on_ready(uint32_t epoll_events) override;

 private:
  void on_bytes(std::string_view data, int64_t now);
  bool verify(std::string_view piece, int64_t now);
  bool verify_plain(std::string_view piece);
  bool verify_stream(std::string_view piece, int64_t now);
  bool verify_event(std::string_view part, size_t offset);
  void fail(Failure failure, std::string_view detail);

  Loop& loop_;
  AnswerSink& sink_;
  const Conversation& conversation_;
  int descriptor_ = -1;
  bool waiting_ = false;
  bool in_body_ = false;
  bool closing_ = false;
  int64_t started_ns_ = 0;
  uint64_t body_bytes_ = 0;
  HeadGatherer head_;
  BodyReader body_;
  Outbox outbox_;
  char stamp_[stamp_digits];
};

}  // namespace hyperion::bench
