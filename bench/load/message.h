// HTTP/1.1 framing for the load tool: as little as correct framing needs, and no more.
//
// Both roles use it: the upstream to find where a request ends, the client to find where an answer
// ends. It knows heads, Content-Length and chunked bodies. It trusts the proxies under test to be
// HTTP servers, and checks only what framing depends on; whatever it cannot follow is reported as
// bad and fails the run. It does no I/O and keeps views into the caller's bytes only during a call.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace hyperion::bench {

struct Head {
  std::string_view start_line;
  int64_t content_length = -1;
  bool chunked = false;
  // The sender closes the connection after this message.
  bool close = false;
};

// Gathers one head from pieces. The usual case, a head that lies whole in one piece, is not copied.
class HeadGatherer {
 public:
  enum class Result { more, complete, bad };

  // Takes what belongs to the head from the front of `data`. On complete, `head` views either the
  // caller's bytes or the gatherer's own, and is valid until the next call of take.
  Result take(std::string_view& data, Head& head);

 private:
  std::string gathered_;
  bool done_ = false;
};

// Reads one body by its framing and hands out its bytes, chunk framing removed.
class BodyReader {
 public:
  // False when the head announces no framing that a body can be read by.
  bool begin(const Head& head);

  // The next run of body bytes at the front of `data`, which is advanced past it; empty when the
  // bytes were framing only or there were none.
  std::string_view next(std::string_view& data);

  bool done() const { return state_ == State::done; }
  bool bad() const { return state_ == State::bad; }

 private:
  enum class State { length, size, size_rest, data, data_end, trailer, done, bad };

  void on_size_byte(char byte);
  void on_trailer_byte(char byte);

  State state_ = State::done;
  uint64_t remaining_ = 0;
  uint32_t digits_ = 0;
  uint32_t line_bytes_ = 0;
};

}  // namespace hyperion::bench
