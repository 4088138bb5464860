// Money that is set aside for an attempt: taken before it is sent, and given back once, when it has
// ended.
//
// A Hold belongs to one attempt and ends with it on every path: settled with what the answer cost,
// kept whole where nobody knows (the provider may bill it), or released where nothing was sent. The
// Holds of a shard grant them. There are no budgets yet, so every hold is granted; what is open is
// counted, so that a hold that leaks is seen. One thread, no allocation.
#pragma once

#include <cstdint>
#include <utility>

namespace hyperion::ledger {

class Holds;

class Hold {
 public:
  Hold() = default;
  Hold(Hold&& other) noexcept { *this = std::move(other); }
  Hold& operator=(Hold&& other) noexcept {
    if (this == &other) return *this;
    release();
    holds_ = std::exchange(other.holds_, nullptr);
    nano_usd_ = other.nano_usd_;
    return *this;
  }
  Hold(const Hold&) = delete;
  Hold& operator=(const Hold&) = delete;
  ~Hold() { release(); }

  bool granted() const { return holds_ != nullptr; }
  int64_t nano_usd() const { return nano_usd_; }

  // The answer's cost is known.
  void settle(int64_t nano_usd);
  // It was sent and nobody knows what became of it: all of it counts as spent.
  void keep_whole() { settle(nano_usd_); }
  // Nothing was sent. Also what an end without a word means.
  void release();

 private:
  friend class Holds;
  Holds* holds_ = nullptr;
  int64_t nano_usd_ = 0;
};

class Holds {
 public:
  Holds() = default;
  Holds(const Holds&) = delete;
  Holds& operator=(const Holds&) = delete;

  // `worst_nano_usd`: what the attempt costs at most; below 0: unknown, counted as nothing.
  Hold take(int64_t worst_nano_usd) {
    Hold hold;
    hold.holds_ = this;
    hold.nano_usd_ = worst_nano_usd > 0 ? worst_nano_usd : 0;
    ++open_count_;
    open_nano_usd_ += hold.nano_usd_;
    return hold;
  }

  uint64_t open_count() const { return open_count_; }
  int64_t open_nano_usd() const { return open_nano_usd_; }
  int64_t spent_nano_usd() const { return spent_nano_usd_; }

 private:
  friend class Hold;
  uint64_t open_count_ = 0;
  int64_t open_nano_usd_ = 0;
  int64_t spent_nano_usd_ = 0;
};

inline void Hold::settle(int64_t nano_usd) {
  if (holds_ == nullptr) return;
  holds_->spent_nano_usd_ += nano_usd > 0 ? nano_usd : 0;
  release();
}

inline void Hold::release() {
  if (holds_ == nullptr) return;
  --holds_->open_count_;
  holds_->open_nano_usd_ -= nano_usd_;
  holds_ = nullptr;
}

}  // namespace hyperion::ledger
