#include "io/tcp_stream.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <cerrno>

#include "base/assert.h"

namespace hyperion::io {
namespace {

Error socket_error(ErrorCode code, int32_t result) {
  return make_error(code, Side::none, static_cast<int>(-result));
}

}  // namespace

TcpStream::TcpStream(Reactor& reactor, int fd)
    : reactor_(reactor), fd_(fd), output_(reactor.runtime().blocks) {
  // Small writes leave at once: a delayed token is the one thing a stream must not have.
  int on = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

TcpStream::~TcpStream() { HYPERION_ASSERT(fd_ < 0); }

void TcpStream::start_connect(const Address& address) {
  connecting_ = true;
  reading_wanted_ = true;
  // The address is read when the entry is submitted; vectors_ is unused until the first send.
  static_assert(sizeof(vectors_) >= sizeof(sockaddr_storage));
  auto* storage = reinterpret_cast<sockaddr_storage*>(vectors_);
  *storage = address.storage;
  io_uring_sqe* sqe = reactor_.prepare(connect_);
  io_uring_prep_connect(sqe, fd_, reinterpret_cast<sockaddr*>(storage), address.size);
}

void TcpStream::on_connected(int32_t result, uint32_t) {
  connecting_ = false;
  if (terminated_) {
    close_if_joined();
    return;
  }
  if (result < 0) {
    report_end(socket_error(ErrorCode::connect_failed, result));
    return;
  }
  if (reading_wanted_) arm_receive();
  if (!output_.empty() || finishing_) reactor_.deferred().add(this);
  handler_->on_open();
}

void TcpStream::resume_reading() {
  reading_wanted_ = true;
  if (!connecting_ && !ended_ && !terminated_ && !receive_.armed()) arm_receive();
}

void TcpStream::pause_reading() {
  if (!reading_wanted_) return;
  reading_wanted_ = false;
  if (receive_.armed() && !receive_cancelled_) {
    receive_cancelled_ = true;
    reactor_.cancel(receive_);
  }
}

void TcpStream::arm_receive() {
  receive_cancelled_ = false;
  received_ = false;
  io_uring_sqe* sqe = reactor_.prepare(receive_);
  io_uring_prep_recv_multishot(sqe, fd_, nullptr, 0, 0);
  sqe->flags |= IOSQE_BUFFER_SELECT;
  sqe->buf_group = ReceiveBuffers::group;
}

void TcpStream::on_receive(int32_t result, uint32_t flags) {
  if ((flags & IORING_CQE_F_BUFFER) != 0) {
    ReceiveBuffers::Lease lease(reactor_.receive_buffers(),
                                static_cast<uint16_t>(flags >> IORING_CQE_BUFFER_SHIFT));
    received_ = true;
    if (result > 0 && !terminated_ && !ended_) {
      handler_->on_read(lease.bytes(static_cast<size_t>(result)));
    }
  }
  if (terminated_) {
    close_if_joined();
    return;
  }
  if (receive_.armed() || ended_) return;
  if (result == 0) {
    report_end(unwritable_ ? send_failure_ : make_error(ErrorCode::end_of_stream));
  } else if (result == -ENOBUFS) {
    reactor_.add_starved(this, received_);
  } else if (result < 0 && result != -ECANCELED && result != -EINTR && result != -EAGAIN) {
    report_end(socket_error(ErrorCode::connection_reset, result));
  } else if (reading_wanted_) {
    arm_receive();
  } else if (unwritable_) {
    report_end(send_failure_);
  }
}

void TcpStream::report_end(Error error) {
  if (ended_) return;
  ended_ = true;
  failed_ = error.code != ErrorCode::end_of_stream;
  unwritable_ = unwritable_ || failed_;
  if (failed_ && !send_.armed()) output_.clear();
  handler_->on_end(error);
}

void TcpStream::flush() {
  if (!terminated_) reactor_.deferred().add(this);
}

void TcpStream::finish_writing() {
  finishing_ = true;
  flush();
}

// End of the turn: close, send, or go on receiving after the ring of buffers had run dry.
void TcpStream::run_deferred() {
  if (terminated_) {
    ::close(fd_);
    fd_ = -1;
    output_.clear();
    if (handler_ != nullptr) handler_->on_closed();
    reactor_.release(this);
    return;
  }
  if (connecting_) return;
  if (reading_wanted_ && !ended_ && !receive_.armed()) arm_receive();
  if (send_.armed()) return;
  if (unwritable_) {
    drop_output();
  } else if (!output_.empty()) {
    start_send();
  } else if (finishing_ && !finished_) {
    finished_ = true;
    ::shutdown(fd_, SHUT_WR);
  }
}

// Fills vectors_ from the front of the queue; returns how many it takes.
size_t TcpStream::describe_output() {
  size_t count = output_.fill(vectors_, vectors_max_count);
  sending_bytes_ = 0;
  for (size_t i = 0; i < count; ++i) {
    size_t room = send_max_bytes - sending_bytes_;
    if (vectors_[i].iov_len >= room) {
      vectors_[i].iov_len = room;
      count = i + 1;
    }
    sending_bytes_ += vectors_[i].iov_len;
  }
  return count;
}

void TcpStream::start_send() {
  size_t count = describe_output();
  unsigned msg_flags = 0;
  io_uring_sqe* sqe = reactor_.prepare_optimistic(send_, sending_bytes_, msg_flags);
  if (count == 1) {
    io_uring_prep_send(sqe, fd_, vectors_[0].iov_base, vectors_[0].iov_len,
                       static_cast<int>(msg_flags));
  } else {
    message_ = {};
    message_.msg_iov = vectors_;
    message_.msg_iovlen = count;
    io_uring_prep_sendmsg(sqe, fd_, &message_, msg_flags);
  }
  if ((msg_flags & MSG_DONTWAIT) != 0) sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
}

// The socket is full: an ordinary send, which completes when the kernel has taken something.
void TcpStream::start_waiting_send() {
  message_ = {};
  message_.msg_iovlen = describe_output();
  message_.msg_iov = vectors_;
  io_uring_sqe* sqe = reactor_.prepare(send_);
  // Without MSG_WAITALL: each bit of room is progress, which the stall timers of the owner look
  // for.
  io_uring_prep_sendmsg(sqe, fd_, &message_, MSG_NOSIGNAL);
}

// What goes on when the send in flight is out: the end of a teardown, more output, FIN, or the
// handler.
bool TcpStream::send_awaited() const {
  if (terminated_ || finishing_ || output_.size_bytes() > sending_bytes_) return true;
  return handler_ != nullptr && handler_->awaits_written();
}

void TcpStream::on_sent(int32_t result) {
  if (terminated_) {
    close_if_joined();
    return;
  }
  if (result < 0 && result != -EAGAIN && result != -EINTR && result != -ECANCELED) {
    on_send_failed(result);
    return;
  }
  if (result > 0) output_.consume(static_cast<size_t>(result));
  if (unwritable_) {
    drop_output();
    return;
  }
  if (!output_.empty()) {
    start_waiting_send();
  } else if (finishing_) {
    reactor_.deferred().add(this);
  }
  if (result > 0) handler_->on_written();
}

// What the peer said before it went away is worth reading: a server that refuses a large body
// answers first. So the end is reported behind the last byte received, where reading goes on.
void TcpStream::on_send_failed(int32_t result) {
  unwritable_ = true;
  send_failure_ = socket_error(ErrorCode::connection_reset, result);
  if (ended_ || !reading_wanted_) {
    report_end(send_failure_);
    drop_output();
    return;
  }
  output_.clear();
  ::shutdown(fd_, SHUT_RDWR);  // a receive now returns what has arrived, then zero
}

// Nobody will read it. After a clean end the handler may be waiting for the queue to fall.
void TcpStream::drop_output() {
  if (output_.empty()) return;
  output_.clear();
  if (ended_ && !failed_) handler_->on_written();
}

void TcpStream::reset() {
  if (terminated_) return;
  // Without a shutdown before it, the close sends a reset.
  linger now{1, 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
  begin_teardown();
}

void TcpStream::terminate() {
  if (terminated_) return;
  ::shutdown(fd_, SHUT_RDWR);
  begin_teardown();
}

void TcpStream::begin_teardown() {
  terminated_ = true;
  if (linked()) unlink();
  // Shutdown ends a receive by itself; a connect or a starved receive needs the cancel.
  reactor_.cancel(connect_);
  reactor_.cancel(receive_);
  reactor_.cancel(send_);
  close_if_joined();
}

void TcpStream::close_if_joined() {
  if (receive_.armed() || send_.armed() || connect_.armed()) return;
  reactor_.deferred().add(this);
}

}  // namespace hyperion::io
