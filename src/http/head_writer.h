// Writes heads and chunk framing. Every head Hyperion sends, to clients and to providers, is
// written here from parsed values; nothing is forwarded as it came. Appends to any buffer of the
// caller's: no allocation, no I/O.
// Header names and values that come from outside are checked (a token, no control bytes); a bad
// line is left out and `skipped` counts it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace hyperion::http {

// Is `value` fit for a header value (visible ASCII, space, tab, obs-text; RFC 9110 5.5)?
bool is_field_value(std::string_view value);

// A bounded writer over memory of the caller's (at most a block, from WriteQueue::reserve).
class HeadWriter {
 public:
  HeadWriter(char* buffer, size_t capacity)
      : begin_(buffer), at_(buffer), end_(buffer + capacity) {}

  void status_line(uint16_t status);
  // HTTP/1.1. A method or target that would break the line makes the head incomplete.
  void request_line(std::string_view method, std::string_view target);
  void header(std::string_view name, std::string_view value);
  // A literal is a name of our own: only the value is checked.
  template <size_t size>
  void header(const char (&name)[size], std::string_view value) {
    if (!is_field_value(value)) {
      ++skipped_;
      return;
    }
    write_line({name, size - 1}, value);
  }
  void header(std::string_view name, uint64_t value);  // a name of our own, not checked
  // Bytes known to be well formed, e.g. prepared at config load: "Name: value\r\n"...
  [[gnu::always_inline]] void raw(std::string_view bytes) {
    if (!has_room(bytes.size())) return;
    put(bytes);
  }
  void end();  // the empty line

  // False if something did not fit; what was written is then unusable.
  bool complete() const { return !overflow_; }
  size_t room() const { return static_cast<size_t>(end_ - at_); }
  size_t size() const { return static_cast<size_t>(at_ - begin_); }
  unsigned skipped() const { return skipped_; }

 private:
  bool has_room(size_t size) {
    overflow_ |= room() < size;
    return !overflow_;
  }
  // Only after `has_room`.
  [[gnu::always_inline]] void put(std::string_view bytes) {
    if (bytes.empty()) return;
    std::memcpy(at_, bytes.data(), bytes.size());
    at_ += bytes.size();
  }
  [[gnu::always_inline]] void write_line(std::string_view name, std::string_view value) {
    if (!has_room(name.size() + value.size() + 4)) return;
    put(name);
    put(": ");
    put(value);
    put("\r\n");
  }

  char* begin_;
  char* at_;
  char* end_;
  bool overflow_ = false;
  unsigned skipped_ = 0;
};

// Of RFC 9110 15, and 529 as some providers use it; "Unknown" for others. Static storage.
const char* reason_phrase(uint16_t status);

// Chunk framing around bytes that follow separately: writes "1a2b\r\n" into `out` (>= 18 bytes),
// returns its length. A size of 0 would end the body and is not allowed.
size_t write_chunk_head(char* out, size_t chunk_size);
inline constexpr std::string_view chunk_tail = "\r\n";
inline constexpr std::string_view last_chunk = "0\r\n\r\n";

// Decimal digits of `value` into `out` (>= 20 bytes); returns how many.
size_t write_decimal(char* out, uint64_t value);

}  // namespace hyperion::http
