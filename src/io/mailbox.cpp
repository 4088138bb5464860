#include "io/mailbox.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <utility>

namespace hyperion::io {

Mailbox::Mailbox() : event_fd_(eventfd(0, EFD_CLOEXEC)) { HYPERION_ASSERT(event_fd_ >= 0); }

Mailbox::~Mailbox() {
  Message* message = newest_.exchange(nullptr, std::memory_order_acquire);
  while (message != nullptr) delete std::exchange(message, message->next);
  ::close(event_fd_);
}

void Mailbox::post(std::function<void()> run) {
  auto* message = new Message{std::move(run)};
  message->next = newest_.load(std::memory_order_relaxed);
  while (!newest_.compare_exchange_weak(message->next, message, std::memory_order_release,
                                        std::memory_order_relaxed)) {
  }
  uint64_t one = 1;
  ssize_t written = ::write(event_fd_, &one, sizeof(one));
  static_cast<void>(written);  // fails only when the counter is full: the shard is awake then
}

void Mailbox::start(Reactor& reactor) {
  reactor_ = &reactor;
  wanted_ = true;
  arm();
}

void Mailbox::stop() {
  wanted_ = false;
  if (reactor_ != nullptr) reactor_->cancel(read_);
}

void Mailbox::arm() {
  io_uring_sqe* sqe = reactor_->prepare(read_);
  io_uring_prep_read(sqe, event_fd_, &counter_, sizeof(counter_), 0);
}

void Mailbox::on_wake(int32_t, uint32_t) {
  run_all();
  if (wanted_) arm();
}

void Mailbox::run_all() {
  Message* message = newest_.exchange(nullptr, std::memory_order_acquire);
  Message* oldest = nullptr;
  while (message != nullptr) {
    Message* next = message->next;
    message->next = oldest;
    oldest = message;
    message = next;
  }
  while (oldest != nullptr) {
    oldest->run();
    delete std::exchange(oldest, oldest->next);
  }
}

}  // namespace hyperion::io
