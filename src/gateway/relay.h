// How an answer goes to the client: one head of our own, then bytes untouched, in framing of our
// own.
//
// Part of the exchange. It knows HTTP versions, HEAD and keep-alive, so nobody else has to.
// `begin_*` queues the head; afterwards exactly one of `end` (a proper end) and `cut` (the client
// must see that the answer broke) follows. Nothing here waits or allocates; false means that the
// shard is out of blocks, and the connection is given up.
#pragma once

#include <cstdint>
#include <string_view>

#include "http/head_writer.h"
#include "io/stream.h"

namespace hyperion::gateway {

class Relay {
 public:
  static constexpr size_t head_size_max_bytes = 7 * 1024;

  // `answers_head`: the request was HEAD, no body may follow. `minor_version` is the client's.
  void prepare(io::Stream* stream, bool answers_head, uint8_t minor_version) {
    stream_ = stream;
    answers_head_ = answers_head;
    minor_version_ = minor_version;
  }

  // Known only when the request is complete: whether its connection goes on.
  void set_keep_alive(bool keep_alive) { keep_alive_ = keep_alive; }

  // Where the head is written: `begin_head` reserves and writes the status line, the caller adds
  // headers, `end_head` adds framing and connection and queues it. `length` of known answers;
  // `unknown_length` for streams.
  static constexpr uint64_t unknown_length = UINT64_MAX;
  bool begin_head(uint16_t status);
  http::HeadWriter& head() { return writer_; }
  bool end_head(uint64_t length);

  // Body bytes, copied.
  bool body(std::string_view bytes);
  bool end();

  // The end of the connection is the end of the body: only a reset can show that it is cut.
  bool close_delimited() const { return head_sent_ && close_delimited_; }
  bool head_sent() const { return head_sent_; }
  bool keep_alive() const { return keep_alive_; }
  // A status that has no body.
  static bool bodiless(uint16_t status) { return status == 204 || status == 304; }

 private:
  io::Stream* stream_ = nullptr;
  http::HeadWriter writer_{nullptr, 0};
  uint16_t status_ = 0;
  bool answers_head_ = false;
  bool keep_alive_ = true;
  bool chunked_ = false;
  bool head_sent_ = false;
  bool close_delimited_ = false;
  uint8_t minor_version_ = 1;
};

}  // namespace hyperion::gateway
