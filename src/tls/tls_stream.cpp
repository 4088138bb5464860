#include "tls/tls_stream.h"

#include <sys/uio.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>
#include <optional>
#include <utility>

#include "base/assert.h"

namespace hyperion::tls {
namespace {

// A run of plaintext at least this long is encrypted where it lies; shorter ones are first copied
// together, since a record costs 22 bytes and 0.5 us however little it holds.
constexpr size_t encrypted_in_place_from_bytes = 8 * 1024;

// Runs of plaintext looked at in one go. What lies behind them waits until the front has been sent.
constexpr size_t vectors_max_count = 64;

}  // namespace

TlsStream::TlsStream(io::Runtime& runtime, HandshakeGate& gate, io::Stream* inner,
                     io::StreamHandler* handler)
    : runtime_(runtime),
      gate_(gate),
      inner_(inner),
      handler_(handler),
      engine_(inner->output()),
      plaintext_(runtime.blocks),
      held_(runtime.blocks) {}

bool TlsStream::start_client(ClientContext& context, PeerName peer) {
  if (!engine_.start_client(context, std::move(peer))) return false;
  reading_ = true;
  inner_reading_ = true;  // Outgoing streams read from when they are open.
  inner_->set_handler(this);
  return true;
}

bool TlsStream::start_server(ServerContext& context) {
  if (!engine_.start_server(context)) return false;
  state_ = State::handshaking;
  inner_->set_handler(this);
  adjust_inner_reading();
  return true;
}

void TlsStream::resume_reading() {
  reading_ = true;
  flush();  // What is held comes at the end of the turn, never inside this call.
}

void TlsStream::pause_reading() {
  reading_ = false;
  adjust_inner_reading();
}

void TlsStream::flush() {
  if (!terminated_) runtime_.deferred.add(this);
}

void TlsStream::finish_writing() {
  finish_wanted_ = true;
  flush();
}

void TlsStream::reset() {
  if (terminated_) return;
  terminated_ = true;
  Deferred::unlink();
  Waiter::unlink();
  inner_->reset();
}

void TlsStream::terminate() {
  if (terminated_) return;
  terminated_ = true;
  Deferred::unlink();
  Waiter::unlink();
  inner_->terminate();
}

void TlsStream::run_deferred() {
  if (!held_.empty()) process_held();
  adjust_inner_reading();
  encrypt_output();
}

void TlsStream::on_open() {
  state_ = State::handshaking;
  go_on();
}

void TlsStream::on_read(std::string_view bytes) {
  if (!alive() || peer_finished_) return;
  if (accepts_input() && held_.empty()) {
    engine_.feed(bytes);
    go_on();
    bytes = engine_.take_input();
  }
  if (!alive() || peer_finished_) return;
  if (!held_.append_copy(bytes)) {
    fail(make_tls_error(ErrorCode::overloaded, Problem::out_of_memory));
    return;
  }
  if (inner_->output().size_bytes() > protocol_backlog_bytes_max) {
    fail(make_tls_error(ErrorCode::connection_reset, Problem::too_many_protocol_messages));
    return;
  }
  adjust_inner_reading();
}

// Whether ciphertext can be used now, or has to be held.
bool TlsStream::accepts_input() const {
  if (state_ == State::handshaking) return !Waiter::linked();
  return state_ == State::open && reading_;
}

// Goes on with whatever the engine was fed.
void TlsStream::go_on() {
  if (state_ == State::handshaking) continue_handshake();
  if (state_ == State::open) deliver_plaintext();
}

void TlsStream::continue_handshake() {
  // The first flight of the peer is the expensive one.
  bool expensive = !admitted_ && engine_.has_input();
  if (expensive && !gate_.admit(this)) return;
  if (expensive) admitted_ = true;
  Engine::Status status = engine_.handshake();
  inner_->flush();
  if (status == Engine::Status::wants_input) return;
  if (status == Engine::Status::failed) {
    fail(engine_.error());
    return;
  }
  state_ = State::open;
  // What the user appended before can be encrypted now.
  if (!plaintext_.empty() || finish_wanted_) flush();
  handler_->on_open();
}

void TlsStream::on_admitted() {
  admitted_ = true;
  process_held();
  adjust_inner_reading();
}

void TlsStream::process_held() {
  while (!held_.empty() && alive() && !peer_finished_ && accepts_input()) {
    iovec front;
    held_.fill(&front, 1);
    engine_.feed({static_cast<const char*>(front.iov_base), front.iov_len});
    go_on();
    held_.consume(front.iov_len - engine_.take_input().size());
  }
  if (inner_ended_) end_of_input();
}

void TlsStream::deliver_plaintext() {
  // All of a record fits, so after a pause nothing is left in the engine but whole records of
  // input.
  char buffer[Engine::decrypted_bytes_max];
  while (alive() && reading_) {
    size_t size = 0;
    switch (engine_.read(buffer, sizeof(buffer), &size)) {
      case Engine::Status::done: handler_->on_read({buffer, size}); break;
      case Engine::Status::wants_input: return;
      case Engine::Status::closed:
        peer_finished_ = true;
        handler_->on_end(make_error(ErrorCode::end_of_stream));
        return;
      case Engine::Status::failed: fail(engine_.error()); return;
    }
  }
}

void TlsStream::on_end(Error error) {
  if (state_ == State::failing) {
    end_with(pending_end_);
  } else if (error.code != ErrorCode::end_of_stream) {
    end_with(error);
  } else {
    inner_ended_ = true;
    end_of_input();
  }
}

// The inner stream has ended; has everything been delivered that came before?
void TlsStream::end_of_input() {
  if (!alive() || peer_finished_ || !held_.empty()) return;
  if (state_ == State::open) {
    end_with(make_tls_error(ErrorCode::tls_truncated, Problem::no_close_notify));
  } else {
    end_with(make_tls_error(ErrorCode::tls_handshake, Problem::peer_left));
  }
}

void TlsStream::adjust_inner_reading() {
  if (terminated_ || state_ == State::connecting) return;
  bool wanted = accepts_input() && held_.empty() && !peer_finished_;
  if (wanted == inner_reading_) return;
  inner_reading_ = wanted;
  if (wanted) {
    inner_->resume_reading();
  } else {
    inner_->pause_reading();
  }
}

void TlsStream::on_written() {
  if (state_ == State::failing && inner_->output().empty()) {
    end_with(pending_end_);
    return;
  }
  if (state_ != State::open) return;
  bool shorter = account_for_sent();
  encrypt_output();
  if (shorter && alive()) handler_->on_written();
}

// Drops the plaintext that must have been sent by now. The ciphertext still queued cannot hold more
// plaintext than it has bytes, so all that was encrypted before that much is out.
bool TlsStream::account_for_sent() {
  size_t unsent = std::min(encrypted_bytes_, inner_->output().size_bytes());
  size_t sent = encrypted_bytes_ - unsent;
  if (sent > 0) plaintext_.consume(sent);
  encrypted_bytes_ = unsent;
  return sent > 0;
}

void TlsStream::encrypt_output() {
  if (state_ != State::open || terminated_ || finish_sent_) return;
  if (!encrypt_records()) {
    fail(engine_.error());
    return;
  }
  if (finish_wanted_ && encrypted_bytes_ == plaintext_.size_bytes()) {
    finish_sent_ = true;
    if (engine_.close() == Engine::Status::failed) {
      fail(engine_.error());
      return;
    }
    inner_->finish_writing();
  }
  if (!inner_->output().empty()) inner_->flush();
}

// Encrypts what is queued and not yet encrypted, while the inner queue has room.
bool TlsStream::encrypt_records() {
  if (encrypted_bytes_ == plaintext_.size_bytes()) return true;
  iovec vectors[vectors_max_count];
  size_t count = plaintext_.fill(vectors, vectors_max_count);
  size_t skip = encrypted_bytes_;
  char gathered[Engine::record_bytes_max];
  size_t gathered_bytes = 0;
  auto encrypt = [&](std::string_view record) {
    encrypted_bytes_ += record.size();
    return engine_.write(record) == Engine::Status::done;
  };
  for (size_t i = 0; i < count; ++i) {
    std::string_view run(static_cast<const char*>(vectors[i].iov_base), vectors[i].iov_len);
    size_t skipped = std::min(skip, run.size());
    skip -= skipped;
    run.remove_prefix(skipped);
    while (!run.empty()) {
      if (inner_->output().size_bytes() >= ciphertext_backlog_bytes_max) return true;
      bool in_place = gathered_bytes == 0 && run.size() >= encrypted_in_place_from_bytes;
      size_t part = std::min(run.size(), Engine::record_bytes_max - gathered_bytes);
      if (in_place) {
        if (!encrypt(run.substr(0, part))) return false;
      } else {
        std::memcpy(gathered + gathered_bytes, run.data(), part);
        gathered_bytes += part;
        if (gathered_bytes == Engine::record_bytes_max) {
          if (!encrypt({gathered, gathered_bytes})) return false;
          gathered_bytes = 0;
        }
      }
      run.remove_prefix(part);
    }
  }
  return gathered_bytes == 0 || encrypt({gathered, gathered_bytes});
}

void TlsStream::fail(Error error) {
  // An alert tells the peer why a handshake failed: let it leave before the user is told, who will
  // terminate the stream. The user's handshake timer bounds that wait. An open stream may have a
  // long queue, so there the user comes first.
  if (state_ != State::handshaking || inner_->output().empty()) {
    end_with(error);
    return;
  }
  pending_end_ = error;
  state_ = State::failing;
  inner_->flush();
  adjust_inner_reading();
}

void TlsStream::end_with(Error error) {
  bool told = peer_finished_ || state_ == State::ended;
  state_ = State::ended;
  Waiter::unlink();
  adjust_inner_reading();
  if (!told) handler_->on_end(error);
}

void TlsStream::on_closed() {
  if (handler_ != nullptr) handler_->on_closed();
  delete this;
}

Result<io::Stream*> open_client(io::Runtime& runtime, ClientContext& context, io::Stream* inner,
                                std::string_view host, io::StreamHandler* handler) {
  std::optional<PeerName> peer = PeerName::parse(host);
  if (!peer) return make_error(ErrorCode::invalid);
  std::unique_ptr<TlsStream> stream(new (std::nothrow)
                                        TlsStream(runtime, context.gate(), inner, handler));
  if (!stream || !stream->start_client(context, std::move(*peer))) {
    return make_tls_error(ErrorCode::overloaded, Problem::out_of_memory);
  }
  return stream.release();
}

Result<io::Stream*> accept_server(io::Runtime& runtime, ServerContext& context, io::Stream* inner,
                                  io::StreamHandler* handler) {
  std::unique_ptr<TlsStream> stream(new (std::nothrow)
                                        TlsStream(runtime, context.gate(), inner, handler));
  if (!stream || !stream->start_server(context)) {
    return make_tls_error(ErrorCode::overloaded, Problem::out_of_memory);
  }
  return stream.release();
}

}  // namespace hyperion::tls
