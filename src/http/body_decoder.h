// Message bodies: how many bytes, and which of them are data (RFC 9112 6 and 7).
//
// One decoder reads one body: Content-Length, chunked, or until the connection closes. Part of
// RequestParser and ResponseParser, so both directions share one reading of chunk framing. Stricter
// than the RFC where servers differ (reliability rules 2.1): no blanks round a chunk size, at most
// eight digits, well-formed extensions without control bytes, CR LF only, bounded extensions,
// chunks and trailers. llhttp's chunk reading has none of these bounds and hides the size line from
// its callbacks, so it reads heads only; the fuzz target holds the two against each other.
// Incremental: any cut of the bytes gives the same data and the same fault. Extensions and trailers
// are checked and dropped. It never allocates and never copies.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "http/head.h"

namespace hyperion::http {

enum class BodyFault : uint8_t {
  none,
  chunk_size,            // not a hexadecimal number followed by CR LF or an extension
  chunk_size_digits,     // more than eight digits
  chunk_extension,       // malformed, or a control byte in it
  chunk_extension_size,  // too many bytes
  chunk_count,
  chunk_end,  // no CR LF after the data
  trailer,    // malformed, or one that decides framing, routing or identity
  trailer_size,
  body_size,
};

struct BodyLimits {
  uint64_t body_size_max_bytes = 0;  // checked for chunked bodies only, at each size line
  uint32_t chunk_extension_max_bytes = 0;
  uint32_t chunk_count_max = 0;
  uint32_t trailer_size_max_bytes = 0;
  // A provider's stream may be long: there the limits are for each chunk.
  bool extension_and_count_per_message = true;
};

class BodyDecoder {
 public:
  void start(Framing framing, uint64_t content_length, const BodyLimits& limits);

  // Consumes framing and then at most one run of data, which `data` shows (a view into `bytes`).
  // Returns how many bytes were consumed; stops at the end of the body and at a fault.
  size_t next(std::string_view bytes, std::string_view& data);

  bool complete() const { return step_ == Step::complete; }
  BodyFault fault() const { return fault_; }
  uint64_t decoded_bytes() const { return decoded_bytes_; }

 private:
  enum class Step : uint8_t {
    until_close,
    fixed_data,
    size_start,
    size,
    extension_name_start,
    extension_name,
    extension_value_start,
    extension_value,
    extension_quoted,
    extension_quoted_pair,
    extension_quoted_end,
    size_line_feed,
    chunk_data,
    data_return,
    data_line_feed,
    trailer_start,
    trailer_name,
    trailer_value,
    trailer_line_feed,
    last_line_feed,
    complete,
    failed,
  };

  bool in_data() const;
  void take(char c);
  void take_size(char c);
  void take_extension(char c);
  void take_data_end(char c);
  void take_trailer(char c);
  void take_trailer_name(char c);
  void end_size_line(char c);
  void fail(BodyFault fault);

  BodyLimits limits_;
  Step step_ = Step::complete;
  BodyFault fault_ = BodyFault::none;
  uint8_t size_digits_ = 0;
  uint8_t trailer_name_size_ = 0;  // one more than fits: too long to be a guarded name
  char trailer_name_[24] = {};
  uint32_t extension_bytes_ = 0;
  uint32_t chunk_count_ = 0;
  uint32_t trailer_bytes_ = 0;
  uint64_t remaining_bytes_ = 0;  // of the chunk, or of the body
  uint64_t decoded_bytes_ = 0;
};

}  // namespace hyperion::http
