// One connection of a client: requests in, answers out, one at a time.
//
// Owned by the Gateway (slab). It owns the stream, the request parser and the memory of the current
// head; it has at most one Exchange. Deadlines for head, body, keep-alive and a client that does
// not read are its own. Bytes that a client sends ahead (pipelining) wait in a bounded buffer with
// reading paused; the next request is not parsed before the answer is out. An early answer with an
// unread body is followed by a bounded drain, so that the client sees the answer and not a reset.
// When the client goes, its exchange is told in the same turn.
#pragma once

#include "base/arena.h"
#include "base/byte_buffer.h"
#include "base/intrusive_list.h"
#include "gateway/endpoints.h"
#include "gateway/relay.h"
#include "http/request_parser.h"
#include "io/runtime.h"

namespace hyperion::gateway {

class Gateway;
class Exchange;

struct ClientTag {};

class Client final : public ListNode<ClientTag>,
                     private io::StreamHandler,
                     private io::Deferred,
                     private http::RequestParser::BodySink {
 public:
  Client(Gateway& gateway, io::Stream* stream, Listening side, bool handshake);
  ~Client();

  void start();

  // For the exchange ----------------------------------------------------------------------------
  io::Stream& stream() { return *stream_; }
  Arena& arena() { return arena_; }
  Listening side() const { return side_; }
  // True if the connection will serve another request after this one; decides the Connection
  // header.
  bool promise_keep_alive();
  // Output was queued: sends it and watches that the client takes it.
  void flush();
  // The exchange has answered and is over. `broken`: the answer is cut, the connection must show
  // it.
  void finish_exchange(bool broken);

  // The same when the connection is about to be reset.
  void exchange_over() { exchange_ = nullptr; }

  // For the gateway -----------------------------------------------------------------------------
  // Ends with the answer that runs, at once when there is none.
  void begin_drain();
  bool is_idle() const {
    return state_ == State::idle && stream_->output().empty() && held_back_.empty();
  }
  // Kept alive after an answer, for a next request that may never come. One that is new may have a
  // request on its way.
  bool is_kept_alive() const {
    return is_idle() && requests_ != 0 && side_ == Listening::public_side;
  }
  void terminate();
  // As terminate, but the client sees a reset.
  void reset();

 private:
  enum class State : uint8_t {
    idle,       // between requests
    reading,    // head or body
    answering,  // the request is complete, the exchange works
    closing,  // the answer is out or on its way; what comes is discarded, then the connection ends
    gone,     // terminated; waits for on_closed
  };

  void on_open() override;
  void on_read(std::string_view bytes) override;
  void on_end(Error error) override;
  void on_written() override;
  bool awaits_written() const override;
  void on_closed() override;
  bool on_body(std::string_view bytes) override;
  void run_deferred() override;

  bool can_keep_alive() const;
  size_t consume(std::string_view bytes);
  void drain(size_t size);
  bool begin_exchange();
  void begin_body();
  void on_complete();
  void hold_back(std::string_view bytes);
  void begin_closing();
  void arm_deadline(uint64_t after_ms);
  Instant body_due() const;
  size_t backlog_max_bytes() const;
  void abandon_exchange(Error error);
  void let_go();
  void end_handshake();
  void on_deadline();
  void on_stall();

  // Pipelined bytes of one client that wait for their turn, on the shard's budget for bodies. One
  // receive of the kernel may bring half a megabyte.
  static constexpr size_t held_back_max_bytes = 1024 * 1024;
  // Up to so many the connection is read on while an answer is awaited.
  static constexpr size_t held_back_reading_bytes = 16 * 1024;

  Gateway& gateway_;
  io::Stream* stream_;
  Exchange* exchange_ = nullptr;
  Listening side_;
  State state_ = State::idle;
  bool handshake_;  // TLS is still being set up
  bool peer_ended_ = false;
  bool close_after_ = false;
  bool promised_ = false;  // this answer's head says that another request may come
  uint32_t requests_ = 0;
  uint64_t drained_bytes_ = 0;
  Instant body_begin_;
  http::RequestParser parser_;
  Arena arena_;
  ByteBuffer held_back_;
  size_t held_offset_ = 0;  // of held_back_: consumed
  io::MemberTimer<Client, &Client::on_deadline> deadline_{this};
  io::MemberTimer<Client, &Client::on_stall> stall_{this};
};

}  // namespace hyperion::gateway
