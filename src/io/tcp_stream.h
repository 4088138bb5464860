// A Stream over a TCP (or unix) socket, driven by the ring.
//
// Made by the reactor for accepted sockets and outgoing connections. At most one receive
// (multishot) and one send are in flight; two sends on one socket would interleave their bytes
// (measured). Sockets are blocking: the ring waits, the thread never does. Teardown is terminate →
// join → close: shutdown, cancel what is armed, wait for each operation's own last completion,
// close at the end of that turn, `on_closed`, back to the slab. Failures come as `on_end`; it never
// aborts on what a peer does.
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <cstdint>

#include "io/deferred.h"
#include "io/operation.h"
#include "io/reactor.h"
#include "io/stream.h"

namespace hyperion::io {

class TcpStream final : public Stream, private Deferred {
 public:
  TcpStream(Reactor& reactor, int fd);
  ~TcpStream() override;

  // For outgoing sockets: starts the connection.
  void start_connect(const Address& address);

  void set_handler(StreamHandler* handler) override { handler_ = handler; }
  void resume_reading() override;
  void pause_reading() override;
  WriteQueue& output() override { return output_; }
  void flush() override;
  void finish_writing() override;
  void terminate() override;
  void reset() override;
  bool terminated() const override { return terminated_; }

 private:
  // What one sendmsg carries at most; longer queues go out in several.
  static constexpr size_t vectors_max_count = 16;
  // And of how many bytes at most: results are 32 bit numbers.
  static constexpr size_t send_max_bytes = size_t{1} << 30;

  class SendOperation final : public Operation {
   public:
    explicit SendOperation(TcpStream* stream) : stream_(stream) {}
    void on_complete(int32_t result, uint32_t) override { stream_->on_sent(result); }
    bool awaited() const override { return stream_->send_awaited(); }

   private:
    TcpStream* stream_;
  };

  void run_deferred() override;
  void arm_receive();
  size_t describe_output();
  void start_send();
  void start_waiting_send();
  bool send_awaited() const;
  void begin_teardown();
  void close_if_joined();
  void on_receive(int32_t result, uint32_t flags);
  void on_sent(int32_t result);
  void on_connected(int32_t result, uint32_t flags);
  void on_send_failed(int32_t result);
  void drop_output();
  void report_end(Error error);

  Reactor& reactor_;
  StreamHandler* handler_ = nullptr;
  int fd_;
  bool connecting_ = false;
  bool reading_wanted_ = false;
  bool receive_cancelled_ = false;
  bool received_ = false;    // something, since the receive was armed
  bool ended_ = false;       // on_end was called
  bool failed_ = false;      // with a failure
  bool unwritable_ = false;  // failed, or found broken after a clean end
  bool finishing_ = false;   // FIN after the queue
  bool finished_ = false;
  bool terminated_ = false;
  Error send_failure_;
  WriteQueue output_;
  MemberOperation<TcpStream, &TcpStream::on_receive> receive_{this};
  SendOperation send_{this};
  MemberOperation<TcpStream, &TcpStream::on_connected> connect_{this};
  size_t sending_bytes_ = 0;  // of the send in flight
  msghdr message_{};
  iovec vectors_[vectors_max_count];
};

}  // namespace hyperion::io
