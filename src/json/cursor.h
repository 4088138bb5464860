// A small forward reader for JSON that a provider sent: events of a stream, plain answers.
//
// Pure, no allocation, no padding needed, any bytes allowed: on malformed text it stops and says
// so. It validates structure only as far as it walks; request bodies are judged by the Scanner,
// never by this. Made for looking up a few keys (usage, error, delta) in texts of a few hundred
// bytes: about 0.4 ns a byte.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace hyperion::json {

class Cursor {
 public:
  explicit Cursor(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {}

  // The first byte of the next value ('{', '[', '"', 't', 'f', 'n', '-', digit), 0 at the end or on
  // garbage.
  char peek() {
    blanks();
    return at_ < end_ ? *at_ : '\0';
  }

  // Enters the object / array that comes next; false if something else comes.
  bool enter_object();
  bool enter_array();
  // Within an object: the next key, raw (escapes as they are). False at its end (which is consumed)
  // or on garbage.
  bool next_key(std::string_view& key);
  // Within an array: false at its end (which is consumed) or on garbage.
  bool next_element();

  // The next value. `skip` passes over any; `read_string` gives the raw contents between the
  // quotes.
  bool skip();
  bool read_string(std::string_view& raw);
  // An integer of up to 18 digits; anything else is skipped and gives false.
  bool read_integer(int64_t& number);
  // The text of the next value, passed over.
  bool read_raw(std::string_view& raw);

  bool failed() const { return failed_; }
  // Only blanks are left.
  bool at_end();

 private:
  static constexpr int depth_max = 64;
  static constexpr int integer_digits_max = 18;
  void blanks() {
    while (at_ < end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
  }
  bool pass_string();
  bool fail();

  const char* at_;
  const char* end_;
  bool failed_ = false;
  bool first_ = false;  // nothing was read yet within the object or array just entered
};

}  // namespace hyperion::json
