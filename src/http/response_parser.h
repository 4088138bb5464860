// Reads HTTP/1.1 responses of a provider, who is as little trusted as a client.
//
// Sans-I/O and incremental, as RequestParser. Owned by upstream's connection; one parser for all responses of a
// connection. 1xx heads are skipped; Content-Length with Transfer-Encoding, repeated Content-Length and the like fail.
// Bytes after a complete response are surplus: the caller must not reuse the connection.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/arena.h"
#include "base/error.h"
#include "http/head.h"
#include "http/limits.h"

namespace hyperion::http {

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

  explicit ResponseParser(const Limits& limits);
  ResponseParser(const ResponseParser&) = delete;
  ResponseParser& operator=(const ResponseParser&) = delete;
  ~ResponseParser();

  // Before each response: `to_head` says that the request was HEAD (no body follows).
  void begin(const Limits& limits, bool to_head);
  // As RequestParser::feed; stops at head_ready (call `continue_body`) and complete.
  size_t feed(std::string_view bytes, Arena& arena, BodySink& sink);
  void continue_body();
  // The connection ended. True if the response is complete with that (framing until_close), false if it is cut.
  bool finish();

  State state() const;
  const ResponseHead& head() const;
  Error error() const;  // in state failed: malformed_http, too_large, too_many, cancelled
  uint64_t body_bytes() const;

 private:
  // The implementer decides.
};

}  // namespace hyperion::http
