// Control messages from any thread to one shard: a new configuration, resolved addresses, stop.
//
// The only thing in the program by which threads talk to a shard. Never on the request path.
// Posting is lock-free (one compare-and-swap) and wakes the shard by an eventfd that its ring
// reads. Messages run on the shard's thread, in the order of posting, inside a turn. The mailbox
// must outlive its posters.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>

#include "io/operation.h"
#include "io/reactor.h"

namespace hyperion::io {

class Mailbox {
 public:
  Mailbox();
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;
  ~Mailbox();

  // From any thread: `message` will run on the shard.
  void post(std::function<void()> message);

  // On the shard's thread: starts and stops listening. After `stop`, turn the reactor until
  // `stopped`.
  void start(Reactor& reactor);
  void stop();
  bool stopped() const { return !read_.armed(); }

 private:
  struct Message {
    std::function<void()> run;
    Message* next = nullptr;
  };

  void on_wake(int32_t result, uint32_t flags);
  void arm();
  void run_all();

  int event_fd_;
  uint64_t counter_ = 0;
  bool wanted_ = false;
  Reactor* reactor_ = nullptr;
  std::atomic<Message*> newest_{nullptr};
  MemberOperation<Mailbox, &Mailbox::on_wake> read_{this};
};

}  // namespace hyperion::io
