// Reads the lists that a scan found: arrays of strings (fallbacks, providers), objects of strings
// (tags).
//
// For fields that the Scanner has accepted, so there is nothing left to refuse. Text without
// escapes is given as a view of the body, other text is put into the caller's memory, cut if it
// does not fit there (`truncated` then says so).
#pragma once

#include <cstddef>
#include <string_view>

#include "json/body_scan.h"
#include "json/cursor.h"

namespace hyperion::json {

class StringList {
 public:
  // `scratch` holds one text at a time for `next(text)`, two for `next(key, text)`: each text is
  // valid until the next call.
  StringList(std::string_view body, const Field& field, char* scratch, size_t capacity);

  bool next(std::string_view& text);
  bool next(std::string_view& key, std::string_view& text);
  bool truncated() const { return truncated_; }

 private:
  std::string_view plain(std::string_view raw, char* scratch, size_t capacity);

  Cursor cursor_;
  char* scratch_;
  size_t capacity_;
  bool truncated_ = false;
};

}  // namespace hyperion::json
