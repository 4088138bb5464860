#include "load/client.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "load/clock.h"

namespace hyperion::bench {

namespace {

constexpr size_t receive_size_bytes = 256 * 1024;

// One thread, one receive at a time: all connections share it.
char receive_buffer[receive_size_bytes];

}  // namespace

const char* name_of(Failure failure) {
  constexpr const char* names[failure_kinds] = {"connect",     "closed_early", "bad_status",
                                                "bad_framing", "wrong_body",   "unanswered"};
  return names[static_cast<size_t>(failure)];
}

bool ClientConnection::open(uint16_t port) {
  descriptor_ = connect_to_loopback(port);
  waiting_ = in_body_ = false;
  head_ = {};
  outbox_ = {};
  return descriptor_ >= 0 && loop_.add(descriptor_, EPOLLIN, this);
}

void ClientConnection::close() {
  if (descriptor_ < 0) return;
  loop_.remove(descriptor_);
  ::close(descriptor_);
  descriptor_ = -1;
}

void ClientConnection::start(int64_t started_ns) {
  started_ns_ = started_ns;
  waiting_ = true;
  in_body_ = false;
  if (!outbox_.send(descriptor_, conversation_.request)) {
    fail(Failure::closed_early, {});
    return;
  }
  if (!outbox_.empty()) loop_.modify(descriptor_, EPOLLIN | EPOLLOUT, this);
}

void ClientConnection::on_ready(uint32_t epoll_events) {
  if ((epoll_events & EPOLLOUT) != 0) {
    if (!outbox_.flush(descriptor_)) {
      fail(Failure::closed_early, {});
      return;
    }
    if (outbox_.empty()) loop_.modify(descriptor_, EPOLLIN, this);
  }
  if ((epoll_events & ~static_cast<uint32_t>(EPOLLOUT)) == 0) return;
  const ssize_t received = recv(descriptor_, receive_buffer, sizeof receive_buffer, 0);
  const int64_t now = now_ns();
  if (received < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (received > 0) {
    on_bytes({receive_buffer, static_cast<size_t>(received)}, now);
  } else if (waiting_) {
    fail(Failure::closed_early, {});
  } else {
    close();
    sink_.on_idle_close(*this);
  }
}

void ClientConnection::on_bytes(std::string_view data, int64_t now) {
  const std::string_view received = data;
  if (!waiting_) return fail(Failure::bad_framing, received);
  if (!in_body_) {
    Head head;
    const HeadGatherer::Result result = head_.take(data, head);
    if (result == HeadGatherer::Result::more) return;
    if (result == HeadGatherer::Result::bad) return fail(Failure::bad_framing, received);
    if (!head.start_line.starts_with("HTTP/1.1 200")) return fail(Failure::bad_status, received);
    if (!body_.begin(head)) return fail(Failure::bad_framing, received);
    in_body_ = true;
    closing_ = head.close;
    body_bytes_ = 0;
  }
  while (!body_.done() && !data.empty()) {
    const std::string_view piece = body_.next(data);
    if (body_.bad()) return fail(Failure::bad_framing, received);
    if (!verify(piece, now)) return fail(Failure::wrong_body, received);
  }
  if (!body_.done()) return;
  const uint64_t expected_bytes =
      conversation_.streamed ? conversation_.stream_bytes() : conversation_.answer_body.size();
  if (body_bytes_ != expected_bytes) return fail(Failure::wrong_body, received);
  if (!data.empty()) return fail(Failure::bad_framing, data);
  waiting_ = in_body_ = false;
  if (closing_) {
    close();
    sink_.on_idle_close(*this);
  }
  sink_.on_answer(*this, now);
}

bool ClientConnection::verify(std::string_view piece, int64_t now) {
  return conversation_.streamed ? verify_stream(piece, now) : verify_plain(piece);
}

bool ClientConnection::verify_plain(std::string_view piece) {
  const std::string& expected = conversation_.answer_body;
  if (body_bytes_ + piece.size() > expected.size()) return false;
  if (std::memcmp(expected.data() + body_bytes_, piece.data(), piece.size()) != 0) return false;
  body_bytes_ += piece.size();
  return true;
}

bool ClientConnection::verify_stream(std::string_view piece, int64_t now) {
  const StreamTemplate& stream = conversation_.stream;
  const uint64_t events_bytes = stream.event.size() * conversation_.events;
  while (!piece.empty() && body_bytes_ < events_bytes) {
    const size_t offset = body_bytes_ % stream.event.size();
    const size_t taken = std::min(piece.size(), stream.event.size() - offset);
    if (!verify_event(piece.substr(0, taken), offset)) return false;
    body_bytes_ += taken;
    piece.remove_prefix(taken);
    if (offset + taken == stream.event.size()) {
      const auto index = static_cast<uint32_t>(body_bytes_ / stream.event.size() - 1);
      sink_.on_event(*this, index, read_stamp(stamp_), now);
    }
  }
  if (piece.empty()) return true;
  const size_t offset = body_bytes_ - events_bytes;
  if (offset + piece.size() > stream.tail.size()) return false;
  body_bytes_ += piece.size();
  return std::memcmp(stream.tail.data() + offset, piece.data(), piece.size()) == 0;
}

// Compares a part of one event, which starts `offset` bytes into it, and keeps the stamp's digits.
bool ClientConnection::verify_event(std::string_view part, size_t offset) {
  const StreamTemplate& stream = conversation_.stream;
  const size_t end = offset + part.size();
  const size_t stamp_begin = std::clamp(stream.stamp_offset, offset, end);
  const size_t stamp_end = std::clamp(stream.stamp_offset + stamp_digits, offset, end);
  const char* bytes = part.data() - offset;
  const char* expected = stream.event.data();
  for (size_t index = stamp_begin; index < stamp_end; index++) {
    if (bytes[index] < '0' || bytes[index] > '9') return false;
    stamp_[index - stream.stamp_offset] = bytes[index];
  }
  return std::memcmp(bytes + offset, expected + offset, stamp_begin - offset) == 0 &&
         std::memcmp(bytes + stamp_end, expected + stamp_end, end - stamp_end) == 0;
}

void ClientConnection::fail(Failure failure, std::string_view detail) {
  close();
  sink_.on_failure(*this, failure, detail);
}

}  // namespace hyperion::bench
