// The seam between policy and the network: an ordered, reliable stream of bytes.
//
// Three kinds exist: TcpStream (io_uring), tls::TlsStream (over any other Stream) and the simulated
// one of tests/sim. The gateway, the upstream pool and the simulator are written against this
// header only.
//
// Rules that every kind keeps, and every user may rely on:
// - Callbacks come from the reactor's queue, never from inside a call the user makes on the stream.
// - `on_read` bytes are valid during the call only: take them, parse them or copy them.
// - `flush` makes queued output leave at the end of the turn; at most one send is in flight.
// - `on_end` comes at most once; no `on_read` follows it. Code end_of_stream is a clean end (for
// TLS: with
//   close_notify), after which writing may go on. Any other code is a failure: nothing can be
//   written any more and no callback follows but `on_closed`. A stream that breaks after its clean
//   end drops what is queued and says `on_written`.
// - `terminate` may be called at any time, in any callback, more than once. Afterwards no callback
// comes but
//   one `on_closed`, at the end of this or a later turn, when no operation is in flight any more.
//   The stream frees itself right after `on_closed` returns: drop the pointer there. Referenced
//   output must stay readable until then.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "io/write_queue.h"

namespace hyperion::io {

class StreamHandler {
 public:
  // Outgoing streams only: the stream is open (for TLS: the handshake is done and the peer
  // verified).
  virtual void on_open() {}
  virtual void on_read(std::string_view bytes) = 0;
  virtual void on_end(Error error) = 0;
  // The queue became shorter; ask `output().size_bytes()`. Comes at least when it becomes empty.
  virtual void on_written() = 0;
  // Asked before the shard sleeps on a send that has most likely succeeded already: does anything
  // wait for `on_written`? After false it may come as late as the shard's next wake-up, which saves
  // one wake-up for each send.
  virtual bool awaits_written() const { return true; }
  virtual void on_closed() = 0;

 protected:
  ~StreamHandler() = default;
};

class Stream {
 public:
  virtual ~Stream() = default;

  // Who is called back. May be changed between callbacks (a pooled connection changes hands);
  // nullptr only together with `terminate`: then nobody is told.
  virtual void set_handler(StreamHandler* handler) = 0;

  // Reading starts paused for accepted streams and running for outgoing ones once they are open. A
  // paused stream may still deliver what had been received before the pause took effect: most often
  // nothing or one receive buffer (16 KiB), from a peer that floods several (1.6 MB was measured);
  // never more than all of the shard.
  virtual void resume_reading() = 0;
  virtual void pause_reading() = 0;

  // What waits to be sent. Append to it, then call `flush`.
  virtual WriteQueue& output() = 0;
  virtual void flush() = 0;

  // Sends FIN (TLS: close_notify first) once the queue is empty. Nothing may be appended
  // afterwards.
  virtual void finish_writing() = 0;

  virtual void terminate() = 0;
  // As terminate, but the peer sees a reset where the transport can say so: the only way to show
  // that an answer without framing is cut.
  virtual void reset() { terminate(); }
  // True once `terminate` was called.
  virtual bool terminated() const = 0;
};

}  // namespace hyperion::io
