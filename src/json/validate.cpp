#include "json/validate.h"

#include "json/byte_search.h"
#include "json/utf8.h"

namespace hyperion::json {
namespace {

class Validator {
 public:
  explicit Validator(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {}

  bool whole() {
    if (!value(0)) return false;
    blanks();
    return at_ == end_;
  }

 private:
  bool value(int depth) {
    blanks();
    if (at_ == end_) return false;
    switch (*at_) {
      case '{': return depth < validate_depth_max && object(depth + 1);
      case '[': return depth < validate_depth_max && array(depth + 1);
      case '"': return string();
      case 't': return word("true");
      case 'f': return word("false");
      case 'n': return word("null");
      default: return number();
    }
  }

  bool object(int depth) {
    ++at_;
    if (next_is('}')) return true;
    do {
      blanks();
      if (at_ == end_ || *at_ != '"' || !string() || !next_is(':') || !value(depth)) return false;
    } while (next_is(','));
    return next_is('}');
  }

  bool array(int depth) {
    ++at_;
    if (next_is(']')) return true;
    do {
      if (!value(depth)) return false;
    } while (next_is(','));
    return next_is(']');
  }

  bool string() {
    ++at_;
    while (true) {
      at_ = find_string_stop(at_, end_);
      if (at_ == end_) return false;
      if (*at_ == '"') {
        ++at_;
        return true;
      }
      if (*at_ == '\\') {
        if (!escape()) return false;
        ++at_;
        continue;
      }
      const size_t length =
          static_cast<signed char>(*at_) < 0 ? utf8_sequence_length(at_, end_) : 0;
      if (length == 0) return false;
      at_ += length;
    }
  }

  // Leaves `at_` at the last byte of the escape.
  bool escape() {
    if (++at_ == end_) return false;
    if (*at_ != 'u') return std::string_view("\"\\/bfnrt").find(*at_) != std::string_view::npos;
    for (int i = 0; i < 4; ++i) {
      if (++at_ == end_) return false;
      const char c = static_cast<char>(*at_ | 0x20);
      if (!(*at_ >= '0' && *at_ <= '9') && !(c >= 'a' && c <= 'f')) return false;
    }
    return true;
  }

  bool word(std::string_view expected) {
    if (!std::string_view(at_, static_cast<size_t>(end_ - at_)).starts_with(expected)) return false;
    at_ += expected.size();
    return true;
  }

  bool number() {
    if (*at_ == '-') ++at_;
    if (at_ < end_ && *at_ == '0') {
      ++at_;
    } else if (!digits()) {
      return false;
    }
    if (at_ < end_ && *at_ == '.') {
      ++at_;
      if (!digits()) return false;
    }
    if (at_ < end_ && (*at_ == 'e' || *at_ == 'E')) {
      ++at_;
      if (at_ < end_ && (*at_ == '+' || *at_ == '-')) ++at_;
      if (!digits()) return false;
    }
    return true;
  }

  bool digits() {
    const char* begin = at_;
    while (at_ < end_ && *at_ >= '0' && *at_ <= '9') ++at_;
    return at_ != begin;
  }

  bool next_is(char c) {
    blanks();
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }

  void blanks() {
    while (at_ < end_ && (*at_ == ' ' || *at_ == '\t' || *at_ == '\n' || *at_ == '\r')) ++at_;
  }

  const char* at_;
  const char* end_;
};

}  // namespace

bool is_valid(std::string_view text) { return Validator(text).whole(); }

}  // namespace hyperion::json
