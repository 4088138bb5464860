// A Stream that is TLS over another Stream.
//
// `open_client` and `accept_server` wrap an inner stream (TCP, or a test's) and give back a Stream
// that keeps every rule of io/stream.h. Its user is told `on_open` once the handshake is done and,
// for clients, the peer verified; also for servers, unlike a bare accepted stream. How long the
// handshake may take is the user's timer. `on_end` carries end_of_stream only after the peer's
// close_notify; an end without it is tls_truncated. What went wrong exactly: tls::describe.
//
// Writing: `output()` is plaintext. At the end of the turn it is encrypted into the inner stream's
// queue in records of up to 16 KiB, while that queue is below `ciphertext_backlog_bytes_max`.
// Plaintext leaves `output()` only when its ciphertext has left the inner queue, so an empty
// `output()` means sent, and a large one means back-pressure, exactly as for TCP. A user only
// appends to the queue: bytes at its front may be encrypted already.
//
// Reading: ciphertext is decrypted as it comes. While reading is paused, and while the handshake
// waits for its turn (HandshakeGate), ciphertext that still comes is held, at most what the inner
// stream delivers after a pause.
//
//   state        leaves to          when
//   connecting   handshaking        the inner stream is open (clients)
//   handshaking  open               handshake done: on_open
//   any          failing            an error with an alert that still has to leave
//   any          ended              on_end with a failure was given
//   open         open               close_notify came: on_end(end_of_stream), writing may go on
//
// The stream owns the inner one from the moment it exists, and frees itself after `on_closed`. An
// open, idle connection takes about 3.8 KB as a client and 3.7 KB as a server (measured), during
// the handshake some KB more, and no block of the pool.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "io/deferred.h"
#include "io/runtime.h"
#include "io/stream.h"
#include "io/write_queue.h"
#include "tls/context.h"
#include "tls/engine.h"
#include "tls/handshake_gate.h"

namespace hyperion::tls {

// How much ciphertext may wait in the inner queue before encrypting stops: what one sendmsg takes
// at most on a default socket, so that the socket never runs dry.
inline constexpr size_t ciphertext_backlog_bytes_max = 64 * 1024;

// Beyond this the queue can only have grown by answers to protocol messages (key updates) that the
// peer sends without reading: more than the backlog, one record and its overhead.
inline constexpr size_t protocol_backlog_bytes_max = 128 * 1024;
static_assert(protocol_backlog_bytes_max >
              ciphertext_backlog_bytes_max + Engine::record_bytes_max + 1024);

class TlsStream final : public io::Stream,
                        private io::StreamHandler,
                        private io::Deferred,
                        private HandshakeGate::Waiter {
 public:
  // See the functions below.
  TlsStream(io::Runtime& runtime, HandshakeGate& gate, io::Stream* inner,
            io::StreamHandler* handler);
  bool start_client(ClientContext& context, PeerName peer);
  bool start_server(ServerContext& context);

  void set_handler(io::StreamHandler* handler) override { handler_ = handler; }
  void resume_reading() override;
  void pause_reading() override;
  io::WriteQueue& output() override { return plaintext_; }
  void flush() override;
  void finish_writing() override;
  void terminate() override;
  void reset() override;
  bool terminated() const override { return terminated_; }

 private:
  enum class State : uint8_t { connecting, handshaking, open, failing, ended };

  // From the inner stream.
  void on_open() override;
  void on_read(std::string_view bytes) override;
  void on_end(Error error) override;
  void on_written() override;
  void on_closed() override;
  // From the turn's end and from the gate.
  void run_deferred() override;
  void on_admitted() override;

  // False once nothing may be reported any more but on_closed.
  bool alive() const { return !terminated_ && state_ != State::failing && state_ != State::ended; }
  bool accepts_input() const;
  void go_on();
  void continue_handshake();
  void deliver_plaintext();
  void process_held();
  void end_of_input();
  void adjust_inner_reading();

  void encrypt_output();
  bool encrypt_records();
  bool account_for_sent();

  void fail(Error error);
  void end_with(Error error);

  io::Runtime& runtime_;
  HandshakeGate& gate_;
  io::Stream* inner_;
  io::StreamHandler* handler_;
  Engine engine_;
  io::WriteQueue plaintext_;
  io::WriteQueue held_;         // ciphertext that could not be processed when it came
  size_t encrypted_bytes_ = 0;  // of the front of plaintext_, not known to have been sent yet
  Error pending_end_;           // failing: what to report when the alert has left
  State state_ = State::connecting;
  bool admitted_ = false;       // by the gate
  bool reading_ = false;        // the user wants on_read
  bool inner_reading_ = false;  // what the inner stream was told last
  bool inner_ended_ = false;    // the inner stream ended cleanly
  bool peer_finished_ = false;  // on_end(end_of_stream) was given
  bool finish_wanted_ = false;  // by the user
  bool finish_sent_ = false;    // close_notify is in the inner queue
  bool terminated_ = false;
};

// Wraps `inner`, which Transport::connect has just returned (its on_open is still to come), and
// verifies that the peer is `host`, a DNS name or an IP literal. Fails with code invalid when the
// host is neither (so never without a name to verify), and with overloaded when memory is short;
// then `inner` is still the caller's. The context may be dropped afterwards, its gate may not.
Result<io::Stream*> open_client(io::Runtime& runtime, ClientContext& context, io::Stream* inner,
                                std::string_view host, io::StreamHandler* handler);

// Wraps `inner`, a stream just accepted. Fails with overloaded when memory is short.
Result<io::Stream*> accept_server(io::Runtime& runtime, ServerContext& context, io::Stream* inner,
                                  io::StreamHandler* handler);

}  // namespace hyperion::tls
