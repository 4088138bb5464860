// Where the record of an ended exchange goes.
//
// The seam between the exchange and what keeps its line: RingLog writes JSON lines into the shard's
// log ring, tests/sim looks at the records themselves. Called once for each exchange, on its shard;
// never blocks, never allocates.
#pragma once

#include "base/clock.h"
#include "base/log_ring.h"
#include "gateway/record.h"

namespace hyperion::gateway {

class RequestLog {
 public:
  // False: the record is lost (and counted by the caller).
  virtual bool append(const Record& record) = 0;

 protected:
  ~RequestLog() = default;
};

class RingLog final : public RequestLog {
 public:
  RingLog(LogRing& ring, const Clock& clock) : ring_(ring), clock_(clock) {}

  bool append(const Record& record) override {
    char line[line_max_bytes];
    size_t size = write_line(record, clock_.wall_ns(), line, sizeof(line));
    return size != 0 && ring_.append({line, size});
  }

 private:
  static constexpr size_t line_max_bytes = 2048 + decision_logged_max_bytes;
  LogRing& ring_;
  const Clock& clock_;
};

}  // namespace hyperion::gateway
