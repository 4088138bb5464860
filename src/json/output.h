// Writes JSON texts of any length: translated bodies and events.
//
// As Writer, but into a growing ByteBuffer: bounded by the shard's memory, not by the caller.
// Strings come as plain text (escaped here) or raw (the inside of a JSON string of another text:
// copied). A value that did not fit is remembered as `failed`; the text must not be used then.
// Commas are put where they belong; nesting is the caller's. No allocation in the steady state: the
// buffer keeps its memory when it is cleared.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/byte_buffer.h"

namespace hyperion::json {

class Output {
 public:
  explicit Output(ByteBuffer& buffer) : buffer_(buffer) {}

  void begin_object();
  void end_object();
  void begin_array();
  void end_array();
  void key(std::string_view name);          // our own names: written as they are
  void key_escaped(std::string_view name);  // plain text as a key
  void string(std::string_view plain);
  void raw_string(std::string_view inside);  // the inside of a JSON string
  void boolean(bool flag);
  void number(int64_t value);
  void null();
  void value(std::string_view json);  // a value that is JSON already
  // A JSON string whose content is the JSON text `json` (arguments of OpenAI's tool calls).
  void quoted(std::string_view json);
  // The reverse: the value that stands, escaped, inside a JSON string.
  void unquoted(std::string_view inside);

  // A string in pieces: open, any number of the two, close.
  void open_string();
  void add_plain(std::string_view plain);
  void add_raw(std::string_view inside);
  void close_string();

  void member(std::string_view name, std::string_view plain) { key(name), string(plain); }
  void member(std::string_view name, const char* plain) { key(name), string(plain); }
  void member(std::string_view name, int64_t value) { key(name), number(value); }
  void member(std::string_view name, bool flag) { key(name), boolean(flag); }
  void member_raw(std::string_view name, std::string_view inside) { key(name), raw_string(inside); }
  void member_json(std::string_view name, std::string_view json) { key(name), value(json); }

  // Bytes outside any JSON text (SSE's "data: " and line ends); the next value begins anew.
  void bytes(std::string_view text);

  bool failed() const { return failed_; }
  // For a caller that works on the buffer itself and found no room there.
  void fail() { failed_ = true; }
  ByteBuffer& buffer() { return buffer_; }
  std::string_view text() const { return buffer_.view(); }

 private:
  void separate() {
    if (needs_comma_) put(',');
    needs_comma_ = true;
  }
  void put(char c) {
    if (char* place = room(1)) *place = c;
  }
  void put(std::string_view text);
  void put_in_quotes(std::string_view inside, std::string_view behind);
  // Room for `size` bytes that are filled at once; nullptr: there is none, which is remembered.
  char* room(size_t size) {
    char* place = failed_ ? nullptr : buffer_.extend(size);
    failed_ |= place == nullptr;
    return place;
  }
  void put_escaped(std::string_view plain);

  ByteBuffer& buffer_;
  bool failed_ = false;
  bool needs_comma_ = false;
};

}  // namespace hyperion::json
