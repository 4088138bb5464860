// Virtual time and a virtual network for one shard of the real gateway.
//
// A World is everything the shipped code sees of the outside (io::Runtime): a clock that only the
// world moves, the real timer wheel, block pool and deferred queue, and SimStreams instead of
// sockets. Everything that happens is an event with a time; the seed decides how long things take,
// in which pieces they come and in which order things of one instant happen. One thread, no I/O: a
// seed reproduces a run.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <queue>
#include <string>
#include <vector>

#include "base/block_pool.h"
#include "base/clock.h"
#include "base/random.h"
#include "io/runtime.h"

namespace hyperion::sim {

class SimClock final : public Clock {
 public:
  Instant now() const override { return now_; }
  Instant precise_now() const override { return now_; }
  uint64_t wall_ns() const override { return 1'764'000'000 * ns_per_s + now_.ns; }
  void set(Instant now) { now_ = now; }

 private:
  Instant now_{1 * ns_per_s};
};

class SimStream;

// The far end of a connection the gateway opened or accepted: a simulated client or provider.
class SimPeer {
 public:
  virtual ~SimPeer() = default;
  virtual void on_bytes(std::string_view bytes) = 0;  // arrived from the gateway
  virtual void on_gateway_closed(bool reset) = 0;     // FIN or the end of the connection
};

class World {
 public:
  explicit World(uint64_t seed);
  ~World();

  io::Runtime& runtime() { return runtime_; }
  Random& random() { return random_; }
  SimClock& clock() { return clock_; }
  BlockPool& blocks() { return blocks_; }
  io::TimerWheel& timers() { return timers_; }

  // Runs `action` after a delay.
  void after(uint64_t delay_ns, std::function<void()> action);
  // One turn: the next event (and what the gateway does about it). False if nothing is left to
  // happen.
  bool step();
  uint64_t steps() const { return steps_; }

  // What the gateway's connects to a port lead to; nullptr refuses the connection.
  std::function<std::unique_ptr<SimPeer>(SimStream&, uint16_t)> on_connect;

  // A stream as a listener would hand it over, its far end being `peer` (not owned).
  io::Stream* accept(SimPeer* peer);
  SimStream* stream_of(io::Stream* stream);

  size_t streams_alive() const { return streams_alive_; }

 private:
  friend class SimStream;
  class SimTransport final : public io::Transport {
   public:
    explicit SimTransport(World& world) : world_(world) {}
    io::Stream* connect(const io::Address& address, io::StreamHandler* handler) override;

   private:
    World& world_;
  };

  struct Event {
    uint64_t at_ns;
    uint64_t order;  // random among events of one instant
    std::function<void()> action;
    bool operator>(const Event& other) const {
      return at_ns != other.at_ns ? at_ns > other.at_ns : order > other.order;
    }
  };

  SimClock clock_;
  Random random_;
  Random gateway_random_;
  io::TimerWheel timers_;
  io::DeferredQueue deferred_;
  BlockPool blocks_;
  SimTransport transport_;
  io::Runtime runtime_;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  uint64_t steps_ = 0;
  size_t streams_alive_ = 0;
};

// A Stream whose bytes travel through the world. Keeps every rule of io/stream.h, and checks that
// its user does.
class SimStream final : public io::Stream, private io::Deferred {
 public:
  SimStream(World& world, io::StreamHandler* handler);
  ~SimStream() override;

  void set_handler(io::StreamHandler* handler) override { handler_ = handler; }
  void resume_reading() override;
  void pause_reading() override { reading_ = false; }
  io::WriteQueue& output() override { return output_; }
  void flush() override;
  void finish_writing() override;
  void terminate() override;
  bool terminated() const override { return terminated_; }

  // For the world and the peer ------------------------------------------------------------------
  void attach(SimPeer* peer, std::unique_ptr<SimPeer> owned = nullptr);
  void open();                      // the connection is established
  void refuse(ErrorCode code);      // it is not
  void deliver(std::string bytes);  // the peer sent this; it arrives in pieces
  void deliver_end();               // the peer finished writing
  void deliver_reset();             // the peer reset the connection
  void set_taken_per_send(size_t bytes) {
    taken_max_ = bytes;
  }  // how fast the peer reads; 0: not at all
  uint64_t delivered_bytes() const { return delivered_; }
  bool gone() const { return terminated_; }
  bool opened() const { return open_; }

 private:
  struct Arrival {
    std::string bytes;
    size_t taken = 0;  // of them
    enum class Kind : uint8_t { bytes, end, reset } kind = Kind::bytes;
  };

  void run_deferred() override;
  void schedule_arrival();
  void arrive();
  void schedule_send();
  void send();
  void close();

  World& world_;
  io::StreamHandler* handler_;
  SimPeer* peer_ = nullptr;
  std::unique_ptr<SimPeer> owned_peer_;
  io::WriteQueue output_;
  std::vector<Arrival> arrivals_;
  size_t arrivals_next_ = 0;
  size_t taken_max_ = 1 << 20;
  uint64_t delivered_ = 0;
  bool open_ = false;
  bool reading_ = false;
  bool arrival_scheduled_ = false;
  bool send_scheduled_ = false;
  bool ended_ = false;
  bool failed_ = false;
  bool finishing_ = false;
  bool finished_ = false;
  bool terminated_ = false;
  bool closing_ = false;
  uint32_t in_flight_ = 0;  // events of the world that refer to this stream
};

}  // namespace hyperion::sim
