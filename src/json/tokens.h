// Where the tokens of a text begin: the first stage of simdjson, which the rest of this folder
// walks by itself.
//
// simdjson finds, 64 bytes at a time, every bracket, colon, comma, opening quote and first byte of
// a number or word outside strings, and on the way refuses invalid UTF-8, control bytes in strings
// and a string that does not end. What it leaves open, the Walker checks: the grammar between the
// tokens, words and numbers; and `check_escapes` the backslashes. That split was the fastest
// complete reading of those measured (one shared core at about 2.5 GHz, the scan against simdjson's
// DOM and a full On-Demand walk): 128 KiB of chat 15, 19 and 33 us; 10 KiB of code in a prompt 4.2,
// 18 and 20 us; 10 KiB of tool schemas 3.3, 5.1 and 45 us. The DOM copies every string, On-Demand
// unescapes every one, and compiled for any x86-64 it has no vector code of its own.
//
// The index takes 4.5 bytes for each byte of the largest text seen; `shrink` gives it back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "base/error.h"

namespace hyperion::json {

// What is wrong with a text, and where. `expected` is a constant phrase for people.
struct Fault {
  ErrorCode code = ErrorCode::none;
  uint32_t position = 0;
  const char* expected = "";
};

class TokenIndex {
 public:
  TokenIndex();
  ~TokenIndex();
  TokenIndex(const TokenIndex&) = delete;
  TokenIndex& operator=(const TokenIndex&) = delete;

  // Indexes `text`, which must be shorter than 4 GiB. False: `fault` says why.
  bool index(std::string_view text, Fault& fault);
  // Gives memory back that a text of more than 64 KiB took.
  void shrink();

  // Offsets into the text, ascending; valid until the next call.
  const uint32_t* begin() const { return tokens_; }
  const uint32_t* end() const { return tokens_ + count_; }

 private:
  struct Implementation;
  bool reserve(size_t size);

  std::unique_ptr<Implementation> implementation_;
  const uint32_t* tokens_ = nullptr;
  size_t count_ = 0;
};

}  // namespace hyperion::json
