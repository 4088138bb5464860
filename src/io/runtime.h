// What the code of one shard may use of the world around it.
//
// The reactor provides the real thing, tests/sim a simulated one: the same gateway code runs on
// both. Everything here belongs to one shard and one thread; nothing is shared. A Runtime is passed
// by reference and outlives everything that holds it.
#pragma once

#include "base/block_pool.h"
#include "base/clock.h"
#include "base/random.h"
#include "io/address.h"
#include "io/deferred.h"
#include "io/stream.h"
#include "io/timer_wheel.h"

namespace hyperion::io {

// Opens outgoing streams.
class Transport {
 public:
  virtual ~Transport() = default;
  // Starts a connection. `on_open` or `on_end` follows, never inside this call. nullptr when the
  // shard's limit of streams is reached. The connect deadline is the caller's.
  virtual Stream* connect(const Address& address, StreamHandler* handler) = 0;
};

struct Runtime {
  Clock& clock;
  TimerWheel& timers;
  DeferredQueue& deferred;
  BlockPool& blocks;
  Random& random;
  Transport& transport;
};

}  // namespace hyperion::io
