#include "sim/world.h"

#include <algorithm>

namespace hyperion::sim {
namespace {

// Small numbers are common, large ones possible: bytes come in all sizes.
size_t piece_size(Random& random, size_t available) {
  switch (random.below(4)) {
    case 0: return 1 + random.below(std::min<size_t>(available, 4));
    case 1: return 1 + random.below(std::min<size_t>(available, 200));
    default: return std::min<size_t>(available, 16 * 1024);
  }
}

}  // namespace

World::World(uint64_t seed)
    : random_(seed),
      gateway_random_(seed ^ 0x5851F42D4C957F2Du),
      timers_(clock_.now()),
      blocks_(4096, 16),
      transport_(*this),
      runtime_{clock_, timers_, deferred_, blocks_, gateway_random_, transport_} {}

World::~World() = default;

void World::after(uint64_t delay_ns, std::function<void()> action) {
  events_.push({clock_.now().ns + delay_ns, random_.next(), std::move(action)});
}

bool World::step() {
  Instant timer = timers_.next_deadline();
  if (events_.empty() && !timer) return false;
  bool event_first = !events_.empty() && (!timer || events_.top().at_ns <= timer.ns);
  if (event_first) {
    auto action = std::move(const_cast<Event&>(events_.top()).action);
    clock_.set({std::max(events_.top().at_ns, clock_.now().ns)});
    events_.pop();
    action();
  } else {
    clock_.set({std::max(timer.ns, clock_.now().ns)});
  }
  timers_.expire(clock_.now());
  deferred_.run_all();
  ++steps_;
  return true;
}

io::Stream* World::accept(SimPeer* peer) {
  auto* stream = new SimStream(*this, nullptr);
  stream->attach(peer);
  stream->open();
  return stream;
}

SimStream* World::stream_of(io::Stream* stream) { return static_cast<SimStream*>(stream); }

io::Stream* World::SimTransport::connect(const io::Address& address, io::StreamHandler* handler) {
  auto* stream = new SimStream(world_, handler);
  std::unique_ptr<SimPeer> peer = world_.on_connect(*stream, address.port());
  if (peer == nullptr) {
    stream->refuse(ErrorCode::connect_failed);
    return stream;
  }
  SimPeer* raw = peer.get();
  stream->attach(raw, std::move(peer));
  stream->open();
  return stream;
}

SimStream::SimStream(World& world, io::StreamHandler* handler)
    : world_(world), handler_(handler), output_(world.blocks()) {
  ++world_.streams_alive_;
}

SimStream::~SimStream() { --world_.streams_alive_; }

void SimStream::attach(SimPeer* peer, std::unique_ptr<SimPeer> owned) {
  peer_ = peer;
  owned_peer_ = std::move(owned);
}

void SimStream::open() {
  if (handler_ == nullptr) {  // accepted: open from the start, reading paused
    open_ = true;
    return;
  }
  ++in_flight_;
  world_.after(world_.random().below(3 * ns_per_ms), [this] {
    --in_flight_;
    if (terminated_) return close();
    open_ = true;
    reading_ = true;
    handler_->on_open();
    schedule_arrival();
    if (!terminated_) schedule_send();
  });
}

void SimStream::refuse(ErrorCode code) {
  ++in_flight_;
  world_.after(world_.random().below(3 * ns_per_ms), [this, code] {
    --in_flight_;
    if (terminated_) return close();
    ended_ = failed_ = true;
    handler_->on_end(make_error(code));
  });
}

void SimStream::resume_reading() {
  reading_ = true;
  schedule_arrival();
}

void SimStream::deliver(std::string bytes) {
  if (terminated_ || bytes.empty()) return;
  arrivals_.push_back({std::move(bytes)});
  schedule_arrival();
}

void SimStream::deliver_end() {
  if (terminated_) return;
  arrivals_.push_back({{}, 0, Arrival::Kind::end});
  schedule_arrival();
}

void SimStream::deliver_reset() {
  if (terminated_) return;
  // A reset overtakes what the kernel has not handed over yet.
  if (world_.random().chance(1, 2)) arrivals_.resize(arrivals_next_);
  arrivals_.push_back({{}, 0, Arrival::Kind::reset});
  schedule_arrival();
}

void SimStream::schedule_arrival() {
  if (arrival_scheduled_ || !open_ || !reading_ || ended_ || terminated_) return;
  if (arrivals_next_ == arrivals_.size()) return;
  arrival_scheduled_ = true;
  ++in_flight_;
  // Now and then the shard's buffers are starved: nothing comes for a while.
  Random& random = world_.random();
  uint64_t delay =
      random.chance(1, 50) ? random.below(200 * ns_per_ms) : random.below(300 * ns_per_us);
  world_.after(delay, [this] {
    --in_flight_;
    arrival_scheduled_ = false;
    arrive();
  });
}

void SimStream::arrive() {
  if (terminated_) return close();
  // What had been received before a pause took effect still comes, but not always.
  if (ended_ || (!reading_ && world_.random().chance(1, 2))) return;
  if (arrivals_next_ == arrivals_.size()) return;
  Arrival& next = arrivals_[arrivals_next_];
  if (next.kind == Arrival::Kind::bytes) {
    const char* begin = next.bytes.data() + next.taken;
    size_t size = piece_size(world_.random(), next.bytes.size() - next.taken);
    // A copy of its own for each call: bytes must not be looked at afterwards (the sanitizers see
    // it).
    std::vector<char> piece(begin, begin + size);
    next.taken += size;
    if (next.taken == next.bytes.size()) {
      next.bytes = {};
      ++arrivals_next_;
    }
    delivered_ += size;
    handler_->on_read({piece.data(), piece.size()});
  } else {
    ++arrivals_next_;
    ended_ = true;
    failed_ = next.kind == Arrival::Kind::reset;
    ErrorCode code = failed_ ? ErrorCode::connection_reset : ErrorCode::end_of_stream;
    handler_->on_end(make_error(code));
  }
  if (!terminated_) schedule_arrival();
}

void SimStream::flush() {
  if (!terminated_) world_.runtime().deferred.add(this);
}

void SimStream::finish_writing() {
  finishing_ = true;
  flush();
}

void SimStream::run_deferred() {
  if (closing_) {
    output_.clear();
    if (handler_ != nullptr) handler_->on_closed();
    delete this;
    return;
  }
  schedule_send();
}

void SimStream::schedule_send() {
  if (send_scheduled_ || !open_ || terminated_ || failed_) return;
  if (output_.empty() && (!finishing_ || finished_)) return;
  send_scheduled_ = true;
  ++in_flight_;
  Random& random = world_.random();
  // A peer that does not read looks again later.
  uint64_t delay = taken_max_ == 0 ? 500 * ns_per_ms : random.below(200 * ns_per_us);
  world_.after(delay, [this] {
    --in_flight_;
    send_scheduled_ = false;
    send();
  });
}

void SimStream::send() {
  if (terminated_) return close();
  if (failed_) return;
  iovec vectors[8];
  size_t count = output_.fill(vectors, 8);
  size_t limit = world_.random().chance(1, 3) ? 1 + world_.random().below(4000) : SIZE_MAX;
  limit = std::min(limit, taken_max_);
  std::string taken;
  for (size_t i = 0; i < count && taken.size() < limit; ++i) {
    size_t part = std::min(vectors[i].iov_len, limit - taken.size());
    taken.append(static_cast<const char*>(vectors[i].iov_base), part);
  }
  if (!taken.empty()) {
    output_.consume(taken.size());
    SimPeer* peer = peer_;
    peer->on_bytes(taken);
    if (!terminated_) handler_->on_written();
  }
  if (terminated_) return;
  if (output_.empty() && finishing_ && !finished_) {
    finished_ = true;
    peer_->on_gateway_closed(false);
  }
  if (!terminated_) schedule_send();
}

void SimStream::terminate() {
  if (terminated_) return;
  terminated_ = true;
  if (linked()) unlink();
  SimPeer* peer = peer_;
  if (peer != nullptr) {
    // The peer learns of it later: bytes still travel.
    if (owned_peer_ == nullptr)
      peer->on_gateway_closed(!output_.empty() || arrivals_next_ < arrivals_.size());
    if (owned_peer_ != nullptr) peer->on_gateway_closed(true);
  }
  if (in_flight_ == 0) {
    // The join takes a while even if nothing is in flight.
    ++in_flight_;
    world_.after(world_.random().below(2 * ns_per_ms), [this] {
      --in_flight_;
      close();
    });
  }
}

void SimStream::close() {
  if (in_flight_ > 0 || closing_) return;
  closing_ = true;
  world_.runtime().deferred.add(this);
}

}  // namespace hyperion::sim
