#include "gateway/client.h"

#include <algorithm>

#include "base/planted.h"
#include "gateway/exchange.h"
#include "gateway/gateway.h"

namespace hyperion::gateway {

using ParserState = http::RequestParser::State;

namespace {

// What one head may take of the arena: the head itself, the list of its headers, the model's name,
// the decision.
size_t arena_size_max(const http::Limits& limits) {
  return size_t{limits.head_size_max_bytes} * 3 + limits.trailer_size_max_bytes + 40 * 1024;
}

}  // namespace

Client::Client(Gateway& gateway, io::Stream* stream, Listening side, bool handshake)
    : gateway_(gateway),
      stream_(stream),
      side_(side),
      handshake_(handshake),
      parser_(gateway.snapshot()->config->settings.http),
      arena_(gateway.runtime().blocks, arena_size_max(gateway.snapshot()->config->settings.http)),
      held_back_(gateway.runtime().blocks, gateway.bodies()) {}

Client::~Client() {
  gateway_.runtime().timers.cancel(deadline_);
  gateway_.runtime().timers.cancel(stall_);
}

void Client::start() {
  stream_->set_handler(this);
  const config::ClientTimeouts& timeouts = gateway_.snapshot()->config->settings.timeouts;
  arm_deadline(handshake_ ? timeouts.tls_handshake_ms : timeouts.head_ms);
  stream_->resume_reading();
}

// Only TLS streams say this: the handshake is done.
void Client::on_open() {
  end_handshake();
  if (state_ == State::idle) arm_deadline(gateway_.snapshot()->config->settings.timeouts.head_ms);
}

void Client::end_handshake() {
  if (!handshake_) return;
  handshake_ = false;
  gateway_.end_handshake();
}

bool Client::can_keep_alive() const {
  ParserState parsed = parser_.state();
  // An unread body would be taken for the next request.
  bool at_end = parsed == ParserState::complete || (parsed == ParserState::head_ready &&
                                                    parser_.head().framing == http::Framing::none);
  const config::Settings& settings = gateway_.snapshot()->config->settings;
  return at_end && parser_.head().keep_alive && !peer_ended_ &&
         requests_ < settings.limits.requests_per_connection_max;
}

bool Client::promise_keep_alive() {
  promised_ = can_keep_alive() && !gateway_.draining();
  return promised_;
}

void Client::on_read(std::string_view bytes) {
  gateway_.counters().bytes_received.add(bytes.size());
  if (held_back_.empty()) bytes.remove_prefix(consume(bytes));
  if (bytes.empty() || state_ == State::gone) return;
  if (state_ == State::closing) {
    drain(bytes.size());
  } else {
    hold_back(bytes);
  }
}

// What comes after an early answer is discarded, up to a bound.
void Client::drain(size_t size) {
  drained_bytes_ += size;
  if (drained_bytes_ <= gateway_.snapshot()->config->settings.limits.early_answer_drain_max_bytes)
    return;
  // The rest stays unread until the deadline: to close now would be a reset, and the answer,
  // which may not even be sent yet, would be lost.
  stream_->pause_reading();
}

// Sent ahead of its turn. A little is kept while reading goes on, so that the client's end is seen.
void Client::hold_back(std::string_view bytes) {
  if (HYPERION_PLANTED(pipelined_bytes_lost)) return;
  bool fits = held_back_.size() + bytes.size() <= held_back_max_bytes && held_back_.append(bytes);
  if (!fits) {
    terminate();
    return;
  }
  bool much = held_back_.size() - held_offset_ > held_back_reading_bytes;
  if (much || state_ != State::answering) stream_->pause_reading();
}

// Feeds the parser until a request is complete and being worked on, or the bytes are used up;
// returns how many were.
size_t Client::consume(std::string_view bytes) {
  size_t offered = bytes.size();
  while (state_ == State::idle || state_ == State::reading) {
    if (state_ == State::idle) {
      // One that sends but does not read waits.
      if (bytes.empty() || stream_->output().size_bytes() > backlog_max_bytes()) break;
      if (!begin_exchange()) break;
    }
    bytes.remove_prefix(parser_.feed(bytes, arena_, *this));
    if (state_ == State::gone) break;
    switch (parser_.state()) {
      case ParserState::head_ready:
        exchange_->on_head(parser_.head());
        if (state_ == State::reading) begin_body();
        break;
      case ParserState::complete: on_complete(); break;
      case ParserState::failed: exchange_->on_rejected(parser_.rejection()); break;
      default:
        if (bytes.empty()) return offered;
    }
  }
  return offered - bytes.size();
}

bool Client::begin_exchange() {
  state_ = State::reading;
  exchange_ = gateway_.create_exchange(*this);
  if (exchange_ == nullptr) {
    // Not even the room to say so properly: the counters tell.
    gateway_.counters().requests_refused_overloaded.add();
    terminate();
    return false;
  }
  // The limits of the snapshot that the exchange holds: those read before may be gone.
  parser_.next(gateway_.snapshot()->config->settings.http);
  ++requests_;
  promised_ = false;
  arm_deadline(gateway_.snapshot()->config->settings.timeouts.head_ms);
  return true;
}

void Client::begin_body() {
  const http::RequestHead& head = parser_.head();
  bool has_body = head.framing != http::Framing::none;
  if (has_body && head.expects_continue) {
    stream_->output().append_copy("HTTP/1.1 100 Continue\r\n\r\n");
    flush();
  }
  parser_.continue_body();
  if (!has_body) return;
  body_begin_ = gateway_.runtime().clock.now();
  gateway_.runtime().timers.arm(deadline_, body_due());
}

bool Client::on_body(std::string_view bytes) { return exchange_->on_body(bytes); }

void Client::on_complete() {
  state_ = State::answering;
  gateway_.runtime().timers.stand_by(deadline_);
  exchange_->on_complete();
}

void Client::finish_exchange(bool broken) {
  exchange_ = nullptr;
  // A drain does not break a promise that it finds: the next answer takes it back.
  bool welcome = promised_ || !gateway_.draining();
  bool keep = !broken && can_keep_alive() && welcome && !close_after_;
  if (state_ == State::gone) return;
  if (!keep) {
    begin_closing();
    return;
  }
  // Answered at the head of a request without a body: step over its end.
  if (parser_.state() == ParserState::head_ready) parser_.continue_body();
  const config::Settings& settings = gateway_.snapshot()->config->settings;
  arena_.reset();
  parser_.next(settings.http);
  state_ = State::idle;
  uint64_t jitter_ms =
      settings.timeouts.keep_alive_ms * uint64_t{settings.timeouts.keep_alive_jitter_percent} / 100;
  arm_deadline(settings.timeouts.keep_alive_ms - jitter_ms +
               gateway_.runtime().random.below(2 * jitter_ms + 1));
  if (!held_back_.empty()) {
    gateway_.runtime().deferred.add(this);
  } else {
    stream_->resume_reading();
  }
}

// The next request was sent ahead: its turn has come, unless the client does not even read the
// answers.
void Client::run_deferred() {
  if (state_ != State::idle || held_back_.empty()) return;
  held_offset_ += consume(held_back_.view().substr(held_offset_));
  if (state_ == State::gone) return;
  if (held_offset_ < held_back_.size() && state_ != State::closing) return;
  held_back_.release();
  held_offset_ = 0;
  stream_->resume_reading();
}

void Client::flush() {
  if (state_ == State::gone) return;
  stream_->flush();
  if (!stall_.armed() && !stream_->output().empty()) {
    uint64_t after_ms = gateway_.snapshot()->config->settings.timeouts.write_stall_ms;
    gateway_.runtime().timers.arm(stall_, gateway_.runtime().clock.now() + after_ms * ns_per_ms);
  }
}

// A silent send may report as late as the next wake-up, unless somebody waits for room or for the
// end.
bool Client::awaits_written() const {
  return state_ == State::closing || close_after_ || !held_back_.empty() ||
         (exchange_ != nullptr && exchange_->waits_for_client());
}

void Client::on_written() {
  if (state_ == State::gone) return;
  if (stream_->output().empty()) {
    gateway_.runtime().timers.stand_by(stall_);
    bool over =
        (state_ == State::closing && peer_ended_) || (state_ == State::idle && close_after_);
    if (over) {
      terminate();
      return;
    }
  } else {
    uint64_t after_ms = gateway_.snapshot()->config->settings.timeouts.write_stall_ms;
    gateway_.runtime().timers.arm(stall_, gateway_.runtime().clock.now() + after_ms * ns_per_ms);
  }
  if (exchange_ != nullptr) exchange_->on_client_progress();
  if (state_ == State::idle && !held_back_.empty()) gateway_.runtime().deferred.add(this);
}

void Client::begin_closing() {
  state_ = State::closing;
  held_back_.release();
  held_offset_ = 0;
  drained_bytes_ = 0;
  stream_->finish_writing();
  if (peer_ended_ && stream_->output().empty()) {
    terminate();
    return;
  }
  if (!peer_ended_) stream_->resume_reading();
  // While the answer is still on its way the stall timer rules; afterwards this bounds the wait for
  // the client's end.
  arm_deadline(gateway_.snapshot()->config->settings.timeouts.early_answer_drain_ms);
}

void Client::on_end(Error error) {
  peer_ended_ = true;
  if (exchange_ != nullptr) {
    abandon_exchange(error);
    terminate();
    return;
  }
  // A client that half-closes after its request still gets the answer that is on its way.
  if (error.code == ErrorCode::end_of_stream && !stream_->output().empty() &&
      state_ != State::gone) {
    if (state_ != State::closing) begin_closing();
    return;
  }
  terminate();
}

void Client::arm_deadline(uint64_t after_ms) {
  gateway_.runtime().timers.arm(deadline_, gateway_.runtime().clock.now() + after_ms * ns_per_ms);
}

// A body must keep to a minimum rate after some grace, and end in time altogether.
Instant Client::body_due() const {
  const config::ClientTimeouts& timeouts = gateway_.snapshot()->config->settings.timeouts;
  uint64_t rate = timeouts.body_rate_min_bytes_per_s;
  if (rate == 0) return body_begin_ + timeouts.body_total_ms * ns_per_ms;
  uint64_t allowed_ms = timeouts.body_grace_ms + parser_.body_bytes() * 1000 / rate;
  return body_begin_ + std::min<uint64_t>(allowed_ms, timeouts.body_total_ms) * ns_per_ms;
}

size_t Client::backlog_max_bytes() const {
  return gateway_.snapshot()->config->settings.limits.relay_backlog_max_bytes;
}

void Client::on_deadline() {
  switch (state_) {
    case State::reading: {
      bool in_body = parser_.state() == ParserState::body;
      if (in_body && body_due() > gateway_.runtime().clock.now()) {
        gateway_.runtime().timers.arm(deadline_, body_due());
        return;
      }
      exchange_->on_request_timeout(in_body);
      return;
    }
    case State::closing:
      if (!stream_->output().empty()) {
        // Still being read, slowly: the stall timer ends it if it stops.
        arm_deadline(gateway_.snapshot()->config->settings.timeouts.early_answer_drain_ms);
        return;
      }
      terminate();
      return;
    case State::idle:
      if (!stream_->output().empty()) {
        arm_deadline(gateway_.snapshot()->config->settings.timeouts.keep_alive_ms);
        return;
      }
      terminate();
      return;
    default: return;
  }
}

// The client takes nothing: whoever waits for it is told, and it is gone.
void Client::on_stall() {
  abandon_exchange(make_error(ErrorCode::timed_out, Side::client));
  terminate();
}

void Client::begin_drain() {
  close_after_ = true;
  if (is_idle()) terminate();
}

void Client::terminate() {
  if (state_ == State::gone) return;
  let_go();
  stream_->terminate();
}

void Client::reset() {
  if (state_ == State::gone) return;
  let_go();
  stream_->reset();
}

void Client::let_go() {
  abandon_exchange(make_error(ErrorCode::cancelled, Side::gateway));
  end_handshake();
  state_ = State::gone;
  io::Deferred::unlink();
  gateway_.runtime().timers.cancel(deadline_);
  gateway_.runtime().timers.cancel(stall_);
}

void Client::abandon_exchange(Error error) {
  if (exchange_ == nullptr) return;
  Exchange* exchange = exchange_;
  exchange_ = nullptr;
  exchange->on_client_gone(error);
}

void Client::on_closed() {
  stream_ = nullptr;
  gateway_.release(this);
}

}  // namespace hyperion::gateway
