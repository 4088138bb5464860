// Writes JSON texts into memory of the caller's: error answers, log lines, model lists.
//
// Bounded, no allocation. Strings are escaped so that a line stays one line and is valid UTF-8:
// control bytes, quotes, backslashes, U+0085 and U+2028/9 are escaped, invalid UTF-8 becomes
// U+FFFD, one for each byte. Overflow is remembered, not written: what does not fit is left out,
// `complete` says so, and the text must not be used. Commas are put where they belong; nesting is
// the caller's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace hyperion::json {

class Writer {
 public:
  Writer(char* buffer, size_t capacity) : begin_(buffer), at_(buffer), end_(buffer + capacity) {}

  void begin_object();
  void end_object();
  void begin_array();
  void end_array();
  void key(std::string_view name);  // our own names: written as they are
  void value(std::string_view text);
  void value(const char* text) { value(std::string_view(text)); }
  void value(bool flag);
  void value(int64_t number);
  void value(uint64_t number);
  void value(int number) { value(static_cast<int64_t>(number)); }
  void value(unsigned number) { value(static_cast<uint64_t>(number)); }
  void fixed(uint64_t number, unsigned decimals);  // 12345, 3 -> 12.345; at most 19 decimals
  void null();
  void raw(std::string_view json);  // a value that is JSON already

  template <class T>
  void member(std::string_view name, T v) {
    key(name);
    value(v);
  }

  bool complete() const { return !overflow_; }
  std::string_view text() const { return {begin_, static_cast<size_t>(at_ - begin_)}; }

 private:
  void separate();
  void put(std::string_view bytes);

  char* begin_;
  char* at_;
  char* end_;
  bool overflow_ = false;
  bool needs_comma_ = false;
};

// Escapes `text` as a quoted JSON string into `out`; returns the length, 0 if it did not fit.
size_t write_string(char* out, size_t capacity, std::string_view text);

}  // namespace hyperion::json
