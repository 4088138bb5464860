// Reads HTTP/1.1 responses of a provider, who is as little trusted as a client.
//
// Sans-I/O and incremental, as RequestParser. Owned by upstream's connection; one parser for all
// responses of a connection. 1xx heads are skipped (101 fails: nothing here asks for an upgrade);
// Content-Length with Transfer-Encoding, repeated Content-Length and the like fail.
// Bytes after a complete response are surplus: the caller must not reuse the connection.
// It has no limit on bodies: a stream may be long, and who relays or buffers it knows its own cap.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/arena.h"
#include "base/error.h"
#include "http/head.h"
#include "http/limits.h"

namespace hyperion::http {

struct ResponseMessage;

class ResponseParser {
 public:
  enum class State : uint8_t { idle, head, head_ready, body, complete, failed };

  class BodySink {
   public:
    // Body bytes, views into the fed bytes. False stops parsing with ErrorCode::cancelled.
    virtual bool on_body(std::string_view bytes) = 0;

   protected:
    ~BodySink() = default;
  };

  explicit ResponseParser(const Limits& limits) : limits_(&limits) {}
  ResponseParser(const ResponseParser&) = delete;
  ResponseParser& operator=(const ResponseParser&) = delete;
  ~ResponseParser() = default;

  // Before each response: `to_head` says that the request was HEAD (no body follows).
  void begin(const Limits& limits, bool to_head);
  // As RequestParser::feed; stops at head_ready (call `continue_body`) and complete. The arena must
  // not be reset between the first byte of a response and its end.
  size_t feed(std::string_view bytes, Arena& arena, BodySink& sink);
  void continue_body();
  // The connection ended. True if the response is complete with that (framing until_close) or was
  // before; false if it is cut, which fails with `incomplete`, or if no byte of it came.
  bool finish();

  State state() const { return state_; }
  // From head_ready to the next `begin`.
  const ResponseHead& head() const;
  // In state failed: malformed_http, too_large, too_many, unsupported, overloaded, incomplete,
  // cancelled.
  Error error() const { return error_; }
  uint64_t body_bytes() const { return body_bytes_; }

 private:
  bool start_message(Arena& arena);
  void start_head();
  size_t feed_head(std::string_view bytes, Arena& arena);
  size_t feed_body(std::string_view bytes, BodySink& sink);
  void finish_head();
  void fail(ErrorCode code);

  const Limits* limits_;
  ResponseMessage* message_ = nullptr;  // in the arena, from the first byte to `begin`
  Error error_;
  uint64_t body_bytes_ = 0;
  uint32_t head_bytes_ = 0;  // of all heads of this response, the skipped ones included
  State state_ = State::idle;
  bool to_head_ = false;
};

}  // namespace hyperion::http
