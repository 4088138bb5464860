#include "upstream/connection.h"

#include <algorithm>

#include "base/planted.h"
#include "upstream/pool.h"

namespace hyperion::upstream {

namespace {

// Addresses of one name that are tried within one connect time.
constexpr uint64_t connect_tries_max = 3;

}  // namespace

using ParserState = http::ResponseParser::State;

Connection::Connection(Pool& pool) : pool_(pool), limits_(pool.limits_), parser_(limits_) {}

bool Connection::connect(const io::Address& address, uint32_t address_number, uint32_t tries) {
  address_number_ = address_number;
  tries_ = tries;
  stream_ = pool_.open_stream(address, this);
  if (stream_ == nullptr) return false;
  // Several addresses share the time, so that the next one gets its turn.
  uint64_t share = std::clamp<uint64_t>(pool_.addresses_.size(), 1, connect_tries_max);
  uint64_t wait_ms = pool_.timeouts_.connect_ms / share;
  if (pool_.context_ != nullptr) wait_ms += pool_.timeouts_.tls_handshake_ms;
  pool_.runtime_.timers.arm(timer_, pool_.runtime_.clock.now() + wait_ms * ns_per_ms);
  return true;
}

void Connection::on_open() {
  if (state_ != State::connecting) return;
  pool_.runtime_.timers.cancel(timer_);
  state_ = State::idle;
  pool_.on_connection_open(this);
}

void Connection::begin(ResponseHandler* handler, Arena& arena) {
  HYPERION_ASSERT(state_ == State::idle && handler_ == nullptr);
  pool_.runtime_.timers.stand_by(timer_);
  state_ = State::in_use;
  handler_ = handler;
  arena_ = &arena;
  answered_ = false;
  request_left_ = false;
  ++requests_;
  limits_ = pool_.limits_;
  parser_.begin(limits_, false);
}

void Connection::arm_idle_timer(uint64_t after_ms) {
  pool_.runtime_.timers.arm(timer_, pool_.runtime_.clock.now() + after_ms * ns_per_ms);
}

void Connection::on_timer() {
  if (state_ == State::connecting) {
    Error error = make_error(ErrorCode::timed_out, Side::upstream);
    close();
    pool_.on_connect_failed(this, error);
  } else if (state_ == State::idle) {
    close();
  }
}

void Connection::on_read(std::string_view bytes) {
  if (state_ == State::in_use && !HYPERION_PLANTED(surplus_ignored) && !request_left_) {
    // Nothing was asked yet: these are surplus bytes of the answer before.
    ++pool_.statistics_.not_reusable;
    fail(make_error(ErrorCode::surplus_bytes));
  } else if (state_ == State::in_use) {
    parse(bytes);
  } else if (state_ == State::idle && !HYPERION_PLANTED(surplus_ignored)) {
    ++pool_.statistics_.not_reusable;
    close();
  }
}

void Connection::parse(std::string_view bytes) {
  answered_ = true;
  while (state_ == State::in_use) {
    size_t used = parser_.feed(bytes, *arena_, *this);
    bytes.remove_prefix(used);
    if (state_ != State::in_use) return;  // the borrower gave up in a callback
    switch (parser_.state()) {
      case ParserState::head_ready:
        handler_->on_response_head(parser_.head());
        if (state_ != State::in_use) return;
        parser_.continue_body();
        break;
      case ParserState::complete:
        complete(!bytes.empty() && !HYPERION_PLANTED(surplus_ignored));
        return;
      case ParserState::failed: fail(parser_.error()); return;
      default:
        if (bytes.empty()) return;
    }
  }
}

bool Connection::on_body(std::string_view bytes) {
  handler_->on_response_body(bytes);
  return state_ == State::in_use;
}

void Connection::on_end(Error error) {
  switch (state_) {
    case State::connecting:
      if (error.code == ErrorCode::end_of_stream) error.code = ErrorCode::connection_reset;
      error.side = Side::upstream;
      close();
      pool_.on_connect_failed(this, error);
      return;
    case State::idle:
      ++pool_.statistics_.not_reusable;
      close();
      return;
    case State::in_use:
      if (error.code == ErrorCode::end_of_stream && parser_.finish()) {
        complete(true);
        return;
      }
      if (error.code == ErrorCode::end_of_stream) error.code = ErrorCode::incomplete;
      fail(error);
      return;
    case State::closing: return;
  }
}

void Connection::on_written() { request_left_ = state_ == State::in_use; }

void Connection::pause_reading() {
  paused_ = true;
  stream_->pause_reading();
}

void Connection::resume_reading() {
  paused_ = false;
  stream_->resume_reading();
}

bool Connection::detach() {
  bool released = stream_->output().empty();
  if (!released) releasing_ = handler_;
  handler_ = nullptr;
  arena_ = nullptr;
  return released;
}

void Connection::complete(bool surplus) {
  ResponseHandler* handler = handler_;
  bool reusable = parser_.head().keep_alive && !surplus && stream_->output().empty();
  bool released = detach();
  if (reusable) {
    state_ = State::idle;
    // The last bytes of an answer may have been the ones that made its reader pause.
    if (paused_) resume_reading();
  } else {
    if (surplus) ++pool_.statistics_.not_reusable;
    close();
  }
  if (reusable) pool_.give_back(this, reusable);
  handler->on_response_complete(released);
}

void Connection::fail(Error error) {
  error.side = Side::upstream;
  error.reused = reused();
  // Providers may have begun to work on what they were sent whole; a request that was not taken at
  // all can go elsewhere.
  error.retry_safe = (!answered_ || HYPERION_PLANTED(retry_after_answer)) && reused();
  ResponseHandler* handler = handler_;
  bool released = detach();
  close();
  handler->on_response_failed(error, released);
}

bool Connection::abandon() {
  HYPERION_ASSERT(state_ == State::in_use);
  bool released = detach();
  close();
  return released;
}

void Connection::close() {
  if (state_ == State::closing) return;
  if (ListNode<IdleTag>::linked()) pool_.forget_idle(this);
  state_ = State::closing;
  pool_.runtime_.timers.cancel(timer_);
  stream_->terminate();
}

void Connection::on_closed() {
  ResponseHandler* releasing = releasing_;
  releasing_ = nullptr;
  stream_ = nullptr;
  pool_.on_connection_closed(this);  // frees this
  if (releasing != nullptr) releasing->on_released();
}

}  // namespace hyperion::upstream
