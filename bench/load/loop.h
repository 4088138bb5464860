// One epoll instance: the only wait point of the load tool, which is a single thread.
//
// Client connections, upstream connections, the upstream's listener and the command input are
// Handlers registered here, level-triggered. A handler may remove and destroy itself inside its own
// on_ready, and nobody else there; what ends other handlers does so between turns. Opening can fail
// when the process is out of descriptors; adding can fail for descriptors epoll does not accept
// (a regular file). It never reads or writes data itself.
#pragma once

#include <cstdint>

namespace hyperion::bench {

class Handler {
 public:
  virtual void on_ready(uint32_t epoll_events) = 0;

 protected:
  ~Handler() = default;
};

class Loop {
 public:
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  bool add(int descriptor, uint32_t epoll_events, Handler* handler);
  void modify(int descriptor, uint32_t epoll_events, Handler* handler);
  void remove(int descriptor);

  // Waits at most wait_ns (0 = look and return, negative = no limit), runs the handlers that are
  // ready, and returns the nanoseconds spent in them: 0 when there were none.
  int64_t turn(int64_t wait_ns);

 private:
  int epoll_ = -1;
};

}  // namespace hyperion::bench
