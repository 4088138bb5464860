#include "load/loop.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "load/clock.h"

namespace hyperion::bench {

namespace {

constexpr int events_per_turn_max = 256;

}  // namespace

Loop::Loop() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  if (epoll_ < 0) {
    std::perror("epoll_create1");
    std::exit(1);
  }
}

Loop::~Loop() { close(epoll_); }

bool Loop::add(int descriptor, uint32_t epoll_events, Handler* handler) {
  epoll_event event{};
  event.events = epoll_events;
  event.data.ptr = handler;
  return epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event) == 0;
}

void Loop::modify(int descriptor, uint32_t epoll_events, Handler* handler) {
  epoll_event event{};
  event.events = epoll_events;
  event.data.ptr = handler;
  epoll_ctl(epoll_, EPOLL_CTL_MOD, descriptor, &event);
}

void Loop::remove(int descriptor) { epoll_ctl(epoll_, EPOLL_CTL_DEL, descriptor, nullptr); }

int64_t Loop::turn(int64_t wait_ns) {
  epoll_event events[events_per_turn_max];
  timespec limit{};
  limit.tv_sec = wait_ns / nanoseconds_per_second;
  limit.tv_nsec = wait_ns % nanoseconds_per_second;
  const int count =
      epoll_pwait2(epoll_, events, events_per_turn_max, wait_ns < 0 ? nullptr : &limit, nullptr);
  if (count <= 0) {
    if (count < 0 && errno != EINTR) {
      std::perror("epoll_pwait2");
      std::exit(1);
    }
    return 0;
  }
  const int64_t began = now_ns();
  for (int index = 0; index < count; index++) {
    static_cast<Handler*>(events[index].data.ptr)->on_ready(events[index].events);
  }
  return now_ns() - began;
}

}  // namespace hyperion::bench
