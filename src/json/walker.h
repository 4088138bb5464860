// Walks the tokens of a text and checks all that simdjson's first stage leaves open.
//
// Every value that is passed over is validated in full: brackets, commas, colons, words, numbers,
// depth and number of keys. Callers step into the objects they want to read (`enter_object`,
// `next_member`) and pass over the rest (`pass`). After the first fault every call returns false
// and `fault` says what is wrong and where. Costs about 1.5 ns a token; strings cost nothing here.
//
// The text needs json::padding_bytes readable bytes behind it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "json/body_scan.h"
#include "json/limits.h"
#include "json/tokens.h"

namespace hyperion::json {

// What was passed over: `[begin, end)`.
struct Value {
  Kind kind = Kind::absent;
  uint32_t begin = 0;
  uint32_t end = 0;
};

// An array that is being read: the walker stands at the last element counted.
struct Elements {
  uint32_t count = 0;
};

// A place in the index.
using Mark = const uint32_t*;

// An object that is being read, and the member the walker stands at: its value comes next.
struct Members {
  Mark mark = nullptr;        // of the key
  std::string_view key;       // between the quotes, escapes as they are
  uint32_t key_begin = 0;     // of the opening quote
  uint32_t comma_before = 0;  // 0 for the first
  uint32_t count = 0;         // including this one
};

class Walker {
 public:
  // `index` is that of `text`; both outlive the walker.
  Walker(std::string_view text, const TokenIndex& index, const Limits& limits);

  // The kind of the value that comes next, judged by its first byte; absent if nothing can begin
  // there.
  Kind peek() const;
  // The offset of the next token; the size of the text at its end.
  uint32_t position() const { return at_ < end_ ? *at_ : size_; }

  bool pass(Value& value);
  bool pass() { return next_after(walk(at_, depth_)); }

  // Steps into the object that comes next, which `peek` has announced.
  bool enter_object(Members& members);
  // The next member of it. False at its end, which is passed, or on a fault.
  bool next_member(Members& members);
  // The same for the array that comes next.
  bool enter_array(Elements& elements);
  bool next_element(Elements& elements);
  Mark mark() const { return at_; }
  // Describes the value of a member once it is read by any of the above: `mark` is where it began.
  void describe(Mark mark, const Members& members, Field& field) const;
  std::string_view key_at(Mark mark) const;

  // Passes over a whole text that is one value of any kind. Copies it if it is a number or word.
  bool pass_whole();
  // Only blanks are left. A fault otherwise.
  bool at_end();

  bool failed() const { return fault_.code != ErrorCode::none; }
  const Fault& fault() const { return fault_; }

 private:
  using Token = Mark;  // null after a fault

  Token walk(Token at, uint32_t depth);
  Token walk_object(Token at, uint32_t depth);
  Token walk_array(Token at, uint32_t depth);
  Token walk_scalar(Token at);
  // A key and its colon, with room for a value and what ends the object.
  bool is_member(Token at) const {
    return end_ - at >= 4 && text_[*at] == '"' && text_[at[1]] == ':';
  }
  Token fail_member(Token at);
  bool next_after(Token at);
  bool enter();
  uint32_t value_end(Token opening) const;
  uint32_t string_end(Token opening) const;
  Token fail(Token at, const char* expected, ErrorCode code = ErrorCode::malformed_json);

  const char* const text_;
  const uint32_t size_;
  Token at_;
  const Token end_;
  const uint32_t depth_max_;
  const uint32_t keys_max_;
  uint32_t depth_ = 0;
  Fault fault_;
};

}  // namespace hyperion::json
