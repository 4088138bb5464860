// Work for the end of the turn.
//
// Objects are freed, streams closed and queued output sent when all callbacks of a turn have run,
// so that no callback can free its caller. A Deferred is embedded in its owner and is in the queue
// at most once. The queue runs until it is empty: deferred work may defer more. Owned by the
// reactor (or the simulated world), one for each shard.
#pragma once

#include "base/intrusive_list.h"

namespace hyperion::io {

struct DeferredTag {};

class Deferred : public ListNode<DeferredTag> {
 public:
  // Called once for each `DeferredQueue::add`; the object may free itself in it.
  virtual void run_deferred() = 0;

 protected:
  ~Deferred() = default;
};

class DeferredQueue {
 public:
  // Does nothing if `work` is already queued.
  void add(Deferred* work) {
    if (!work->linked()) queue_.push_back(work);
  }
  void run_all() {
    while (Deferred* work = queue_.pop_front()) work->run_deferred();
  }
  bool empty() const { return queue_.empty(); }

 private:
  IntrusiveList<Deferred, DeferredTag> queue_;
};

}  // namespace hyperion::io
