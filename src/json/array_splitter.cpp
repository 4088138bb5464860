#include "json/array_splitter.h"

namespace hyperion::json {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

}  // namespace

size_t ArraySplitter::fail() {
  place_ = Place::malformed;
  return 0;
}

size_t ArraySplitter::found(size_t length) {
  element_begin_ = begin_;
  scanned_ = 0;
  begin_ = 0;
  ended_ = false;
  return length;
}

// The closing bracket is a piece without an element.
void ArraySplitter::end_array() {
  begin_ = scanned_ + 1;
  place_ = Place::after_array;
  ended_ = true;
}

void ArraySplitter::open(char c) {
  if (depth_ == depth_max) {
    fail();
    return;
  }
  ++depth_;
  braces_ = braces_ << 1 | (c == '{' ? 1 : 0);
  place_ = Place::in_container;
}

void ArraySplitter::close(char c) {
  if ((braces_ & 1) != (c == '}' ? 1u : 0u)) {
    fail();
    return;
  }
  braces_ >>= 1;
  if (--depth_ > 0) return;
  place_ = Place::after_element;
  ended_ = true;
}

void ArraySplitter::begin_value(char c) {
  begin_ = scanned_;
  switch (c) {
    case '{':
    case '[': open(c); break;
    case '"': place_ = Place::in_string; break;
    case ',':
    case ':':
    case '}':
    case ']': fail(); break;
    default: place_ = Place::in_scalar;
  }
}

// Everything but strings and scalars, whose ends are found in runs.
void ArraySplitter::step(char c) {
  switch (place_) {
    case Place::before_array:
      if (!is_blank(c)) place_ = c == '[' ? Place::before_first : Place::malformed;
      break;
    case Place::after_element:
      if (c == ',') {
        place_ = Place::before_element;
      } else if (c == ']') {
        end_array();
      } else if (!is_blank(c)) {
        fail();
      }
      break;
    case Place::before_first:
      if (c == ']') {
        end_array();
        break;
      }
      [[fallthrough]];
    case Place::before_element:
      if (!is_blank(c)) begin_value(c);
      break;
    case Place::in_container:
      if (c == '{' || c == '[') {
        open(c);
      } else if (c == '}' || c == ']') {
        close(c);
      } else if (c == '"') {
        place_ = Place::in_string;
      }
      break;
    case Place::in_string:
      if (c == '\\') {
        place_ = Place::after_backslash;
      } else if (c == '"') {
        place_ = depth_ > 0 ? Place::in_container : Place::after_element;
        ended_ = depth_ == 0;
      }
      break;
    case Place::after_backslash: place_ = Place::in_string; break;
    case Place::after_array:
      if (!is_blank(c)) fail();
      break;
    case Place::in_scalar:
    case Place::malformed: break;
  }
}

size_t ArraySplitter::find_piece_end(std::string_view bytes) {
  while (scanned_ < bytes.size() && place_ != Place::malformed) {
    const char c = bytes[scanned_];
    // A number or word ends before the byte that follows it.
    if (place_ == Place::in_scalar) {
      if (is_blank(c) || c == ',' || c == ']') {
        place_ = Place::after_element;
        return found(scanned_);
      }
      if (c == '"' || c == '{' || c == '[' || c == '}' || c == ':') return fail();
      ++scanned_;
      continue;
    }
    step(c);
    ++scanned_;
    if (ended_) return found(scanned_);
  }
  if (place_ != Place::after_array || bytes.empty()) return 0;
  begin_ = scanned_;
  return found(scanned_);
}

}  // namespace hyperion::json
