// One asynchronous operation of the ring, embedded in its owner.
//
// The kernel gets the address of the Operation as user_data; the reactor turns each completion into
// one `on_complete`. An Operation is never allocated: it is a member, and its owner must outlive
// the operation's last completion (`armed` says whether one is due). A generation in the low bits
// of user_data, drawn anew for each submission, catches completions and cancels that are meant for
// an earlier one, also of another object in the same memory. Used within io only.
#pragma once

#include <cstdint>

#include "base/assert.h"

namespace hyperion::io {

class alignas(16) Operation {
 public:
  // `result` is a byte count, a descriptor or -errno. `flags` are those of the completion.
  virtual void on_complete(int32_t result, uint32_t flags) = 0;

  // Of an optimistic send, asked before the reactor sleeps: does anybody wait for its end?
  virtual bool awaited() const { return true; }

  // A completion is due. Cleared by the reactor before the last `on_complete`.
  bool armed() const { return armed_; }

 protected:
  ~Operation() { HYPERION_ASSERT(!armed_); }

 private:
  friend class Reactor;
  static constexpr uint64_t generation_mask = 15;
  uint64_t user_data() const { return reinterpret_cast<uint64_t>(this) | generation_; }

  uint8_t generation_ = 0;
  bool armed_ = false;
  bool completion_seen_ = false;  // of an optimistic send: the kernel said something after all
  int32_t expected_ = 0;          // of an optimistic send: its size
};

template <class Owner, void (Owner::*Function)(int32_t, uint32_t)>
class MemberOperation final : public Operation {
 public:
  explicit MemberOperation(Owner* owner) : owner_(owner) {}
  void on_complete(int32_t result, uint32_t flags) override { (owner_->*Function)(result, flags); }

 private:
  Owner* owner_;
};

}  // namespace hyperion::io
