// The provider's role: an HTTP/1.1 keep-alive server that answers chat requests at fixed cost.
//
// A request is framed by its Content-Length (a proxy that sends chunks instead gets 411), compared
// with the body the client role sends in this run, and answered: plain with about 700 bytes of
// JSON, or, where the body asks for a stream, with `events` server-sent events `gap_ns` apart, each
// stamped with its send time. The head leaves with the first event, the tail with the last; a gap
// of zero sends all of it in one write. Whatever is not as expected is counted: a request this tool
// cannot frame (malformed), one whose body is not what the client sent (altered), a connection that
// went away before its answer (abandoned). It never measures; the client role does.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <unordered_map>

#include "load/loop.h"
#include "load/payload.h"

namespace hyperion::bench {

struct UpstreamCounts {
  uint64_t connections = 0;
  uint64_t requests = 0;
  uint64_t events = 0;
  uint64_t malformed = 0;
  uint64_t altered = 0;
  uint64_t abandoned = 0;
};

// Faults planted on purpose, to prove that the client role notices them.
enum class Plant { nothing, wrong_byte, short_body, wrong_event, early_close, server_error };

// What one run asks of the upstream.
struct UpstreamBehaviour {
  std::string expected_body;
  uint32_t events = 0;
  int64_t gap_ns = 0;
  Plant plant = Plant::nothing;
};

class UpstreamConnection;

class Upstream final : public Handler {
 public:
  Upstream(Loop& loop, std::string_view model);
  ~Upstream();

  bool listen(uint16_t& port);
  void behave(UpstreamBehaviour behaviour) { behaviour_ = std::move(behaviour); }

  // Sends the streamed events whose time has come; whether there were any.
  bool run_due(int64_t now);

  // Nanoseconds until the next streamed event, or -1 when no stream is open.
  int64_t wait_ns(int64_t now) const;

  const UpstreamCounts& counts() const { return counts_; }
  void clear_counts() { counts_ = {}; }

  void on_ready(uint32_t epoll_events) override;

 private:
  friend class UpstreamConnection;

  struct Due {
    int64_t time_ns;
    UpstreamConnection* connection;
  };

  void forget(UpstreamConnection* connection);

  Loop& loop_;
  int listener_ = -1;
  UpstreamBehaviour behaviour_;
  UpstreamCounts counts_;
  std::string plain_answer_;
  std::string stream_head_;
  StreamTemplate stream_;
  std::string event_chunk_;
  size_t event_chunk_stamp_ = 0;
  std::string tail_chunk_;
  // In order of time without sorting: every stream of a run has the same gap.
  std::deque<Due> due_;
  std::unordered_map<UpstreamConnection*, std::unique_ptr<UpstreamConnection>> connections_;
};

}  // namespace hyperion::bench
