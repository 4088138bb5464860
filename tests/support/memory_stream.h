// Pairs of Streams in memory, for tests of what is built on io/stream.h.
//
// A MemoryWorld is a reactor without a kernel: a clock that stands still until told, timers, the
// deferred queue, and any number of stream pairs. `turn` does what one turn of the reactor does:
// callbacks (open, read, written, end), then timers, then deferred work. Two ends behave as TCP
// over loopback does, with what a test may want to provoke: pieces of any size, little room in
// flight, bytes changed on the way, a cut after so many bytes, a reset. Every piece is delivered in
// a heap block of exactly its size, so that a sanitizer sees a read past it or after the call.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "io/runtime.h"

namespace hyperion::test {

class ManualClock final : public Clock {
 public:
  Instant now() const override { return now_; }
  Instant precise_now() const override { return now_; }
  uint64_t wall_ns() const override { return 1'700'000'000 * ns_per_s + now_.ns; }
  void advance(uint64_t ns) { now_ = now_ + ns; }

 private:
  Instant now_{ns_per_s};
};

// The bytes on their way from one end to the other.
struct MemoryLink {
  size_t piece_bytes_max = 16 * 1024;        // delivered by one on_read
  size_t in_flight_bytes_max = 64 * 1024;    // taken from the sender before the receiver reads
  size_t cut_after_bytes = SIZE_MAX;         // the receiver sees the end there
  std::function<void(std::string&)> change;  // applied to what is taken from the sender
  bool late_piece_after_pause = false;       // one more piece comes after a pause, as with io_uring

  std::string in_flight;
  size_t taken_bytes = 0;
  bool finished = false;  // nothing follows what is in flight
};

class MemoryWorld;

class MemoryStream final : public io::Stream, private io::Deferred {
 public:
  MemoryStream(MemoryWorld& world, MemoryLink& incoming, MemoryLink& outgoing, bool connecting);

  void set_handler(io::StreamHandler* handler) override { handler_ = handler; }
  void resume_reading() override { reading_ = true; }
  void pause_reading() override {
    late_piece_ = reading_ && incoming_.late_piece_after_pause;
    reading_ = false;
  }
  io::WriteQueue& output() override { return output_; }
  void flush() override;
  void finish_writing() override;
  void terminate() override;
  bool terminated() const override { return terminated_; }

  bool reading() const { return reading_; }
  // The connection fails: on_end with `code` in the next turn, whatever was in flight is lost.
  void break_connection(ErrorCode code) { broken_ = code; }

 private:
  friend class MemoryWorld;
  // One turn of this end; false when the stream is gone.
  bool turn(bool* busy);
  void deliver(bool* busy);
  void run_deferred() override;

  MemoryWorld& world_;
  MemoryLink& incoming_;
  MemoryLink& outgoing_;
  io::WriteQueue output_;
  io::StreamHandler* handler_ = nullptr;
  ErrorCode broken_ = ErrorCode::none;
  bool connecting_;
  bool reading_ = false;
  bool late_piece_ = false;
  bool written_ = false;
  bool finishing_ = false;
  bool ended_ = false;
  bool terminated_ = false;
};

class MemoryWorld {
  struct NoTransport final : io::Transport {
    io::Stream* connect(const io::Address&, io::StreamHandler*) override { return nullptr; }
  };

 public:
  struct Pair {
    MemoryStream* client;  // its on_open comes in the next turn
    MemoryStream* server;
    MemoryLink* to_server;
    MemoryLink* to_client;
  };

  explicit MemoryWorld(size_t blocks_max = 4096)
      : blocks(blocks_max), timers(clock.now()), random(1), runtime{clock,  timers, deferred,
                                                                    blocks, random, transport_} {}
  // Every stream must have been terminated and have said on_closed.
  ~MemoryWorld() { HYPERION_ASSERT(streams_.empty()); }

  Pair make_pair() {
    MemoryLink* to_server = make_link();
    MemoryLink* to_client = make_link();
    return {make_end(to_client, to_server, true), make_end(to_server, to_client, false), to_server,
            to_client};
  }

  // For a test that plays the other end itself, by the bytes of the links.
  MemoryLink* make_link() {
    links_.push_back(std::make_unique<MemoryLink>());
    return links_.back().get();
  }
  MemoryStream* make_end(MemoryLink* incoming, MemoryLink* outgoing, bool connecting) {
    streams_.push_back(new MemoryStream(*this, *incoming, *outgoing, connecting));
    return streams_.back();
  }

  // One turn. True when anything happened.
  bool turn(uint64_t advance_ns = ns_per_ms) {
    bool busy = false;
    std::vector<MemoryStream*> current = streams_;
    for (MemoryStream* stream : current) {
      if (stream->turn(&busy)) continue;
      streams_.erase(std::find(streams_.begin(), streams_.end(), stream));
      delete stream;
      busy = true;
    }
    clock.advance(advance_ns);
    busy = busy || timers.armed_count() > 0;
    timers.expire(clock.now());
    moved_ = false;
    deferred.run_all();
    return busy || moved_;
  }

  // Turns until `done` holds (true) or nothing happens any more (false).
  bool run_until(const std::function<bool()>& done) {
    for (int idle_turns = 0; idle_turns < 3;) {
      if (done()) return true;
      idle_turns = turn() ? 0 : idle_turns + 1;
    }
    return done();
  }
  void run_until_idle() {
    run_until([] { return false; });
  }

  size_t streams() const { return streams_.size(); }

  ManualClock clock;
  BlockPool blocks;
  io::TimerWheel timers;
  io::DeferredQueue deferred;
  Random random;

 private:
  friend class MemoryStream;
  NoTransport transport_;
  std::vector<std::unique_ptr<MemoryLink>> links_;
  std::vector<MemoryStream*> streams_;
  bool moved_ = false;  // bytes left a queue in this turn

 public:
  io::Runtime runtime;
};

inline MemoryStream::MemoryStream(MemoryWorld& world, MemoryLink& incoming, MemoryLink& outgoing,
                                  bool connecting)
    : world_(world),
      incoming_(incoming),
      outgoing_(outgoing),
      output_(world.blocks),
      connecting_(connecting),
      reading_(connecting) {}

inline void MemoryStream::flush() {
  if (!terminated_) world_.deferred.add(this);
}

inline void MemoryStream::finish_writing() {
  finishing_ = true;
  flush();
}

inline void MemoryStream::terminate() {
  if (terminated_) return;
  terminated_ = true;
  unlink();
  outgoing_.finished = true;
}

inline bool MemoryStream::turn(bool* busy) {
  if (terminated_) {
    output_.clear();
    if (handler_ != nullptr) handler_->on_closed();
    return false;
  }
  if (broken_ != ErrorCode::none && !ended_) {
    *busy = ended_ = true;
    output_.clear();
    handler_->on_end(make_error(broken_));
    return true;
  }
  if (connecting_) {
    *busy = true;
    connecting_ = false;
    if (!output_.empty()) flush();
    handler_->on_open();
    return true;
  }
  if (written_) {
    *busy = true;
    written_ = false;
    handler_->on_written();
    if (terminated_) return true;
  }
  deliver(busy);
  // Room may have come up for what is queued.
  if (!terminated_ && !output_.empty()) flush();
  return true;
}

inline void MemoryStream::deliver(bool* busy) {
  if ((!reading_ && !late_piece_) || ended_) return;
  if (incoming_.in_flight.empty()) {
    if (!incoming_.finished || !reading_) return;
    *busy = ended_ = true;
    handler_->on_end(make_error(ErrorCode::end_of_stream));
    return;
  }
  *busy = true;
  late_piece_ = false;
  size_t size = std::min(incoming_.piece_bytes_max, incoming_.in_flight.size());
  std::unique_ptr<char[]> piece(new char[size]);
  std::copy_n(incoming_.in_flight.data(), size, piece.get());
  incoming_.in_flight.erase(0, size);
  handler_->on_read({piece.get(), size});
}

inline void MemoryStream::run_deferred() {
  if (connecting_ || broken_ != ErrorCode::none) return;
  size_t taken = 0;
  iovec front;
  while (!output_.empty() && output_.fill(&front, 1) == 1) {
    size_t room = outgoing_.in_flight_bytes_max -
                  std::min(outgoing_.in_flight_bytes_max, outgoing_.in_flight.size());
    size_t size = std::min(room, front.iov_len);
    if (size == 0) break;
    std::string bytes(static_cast<const char*>(front.iov_base), size);
    output_.consume(size);
    taken += size;
    if (outgoing_.finished) continue;  // the other end sees nothing of it any more
    size_t before_cut = outgoing_.cut_after_bytes - outgoing_.taken_bytes;
    if (size >= before_cut) {
      bytes.resize(before_cut);
      outgoing_.finished = true;
    }
    outgoing_.taken_bytes += bytes.size();
    if (outgoing_.change) outgoing_.change(bytes);
    outgoing_.in_flight += bytes;
  }
  if (taken > 0) written_ = world_.moved_ = true;
  if (finishing_ && output_.empty()) outgoing_.finished = true;
}

}  // namespace hyperion::test
