#include "json/cursor.h"

#include <array>
#include <string_view>

#include "json/byte_search.h"

namespace hyperion::json {

namespace {

constexpr std::array<bool, 256> make_word_ends() {
  std::array<bool, 256> ends{};
  for (char c : std::string_view(",:]}[{\" \n\r\t")) ends[static_cast<unsigned char>(c)] = true;
  ends[0] = true;
  return ends;
}
constexpr std::array<bool, 256> word_ends = make_word_ends();

// What a number or a word does not go on with.
bool ends_word(char c) { return word_ends[static_cast<unsigned char>(c)]; }

}  // namespace

bool Cursor::fail() {
  failed_ = true;
  at_ = end_;
  return false;
}

bool Cursor::at_end() { return peek() == '\0' && at_ == end_; }

bool Cursor::enter_object() {
  if (peek() != '{') return false;
  ++at_;
  first_ = true;
  return true;
}

bool Cursor::enter_array() {
  if (peek() != '[') return false;
  ++at_;
  first_ = true;
  return true;
}

bool Cursor::next_key(std::string_view& key) {
  char c = peek();
  if (c == '}') {
    ++at_;
    first_ = false;
    return false;
  }
  if (!first_) {
    if (c != ',') return fail();
    ++at_;
    c = peek();
  }
  first_ = false;
  if (c != '"') return fail();
  const char* begin = at_ + 1;
  if (!pass_string()) return false;
  key = {begin, static_cast<size_t>(at_ - 1 - begin)};
  if (peek() != ':') return fail();
  ++at_;
  return true;
}

bool Cursor::next_element() {
  char c = peek();
  if (c == ']') {
    ++at_;
    first_ = false;
    return false;
  }
  if (first_) {
    first_ = false;
    return c != '\0' || fail();
  }
  if (c != ',') return fail();
  ++at_;
  return true;
}

bool Cursor::read_string(std::string_view& raw) {
  if (peek() != '"') return fail();
  const char* begin = at_ + 1;
  if (!pass_string()) return false;
  raw = {begin, static_cast<size_t>(at_ - 1 - begin)};
  return true;
}

// From the opening quote to behind the closing one.
bool Cursor::pass_string() {
  const char* begin = ++at_;
  while (true) {
    const char* quote = find_quote(at_, end_);
    if (quote == end_) return fail();
    // Escaped if an odd number of backslashes stands before it.
    const char* before = quote;
    while (before > begin && before[-1] == '\\') --before;
    at_ = quote + 1;
    if ((quote - before) % 2 == 0) return true;
  }
}

bool Cursor::read_integer(int64_t& number) {
  const bool negative = peek() == '-';
  const char* const begin = at_ + (negative ? 1 : 0);
  const char* at = begin;
  int64_t value = 0;
  while (at < end_ && *at >= '0' && *at <= '9' && at - begin < integer_digits_max)
    value = value * 10 + (*at++ - '0');
  if (at == begin || (at < end_ && !ends_word(*at))) {
    skip();
    return false;
  }
  at_ = at;
  first_ = false;
  number = negative ? -value : value;
  return true;
}

bool Cursor::read_raw(std::string_view& raw) {
  blanks();
  const char* begin = at_;
  if (!skip()) return false;
  raw = {begin, static_cast<size_t>(at_ - begin)};
  return true;
}

bool Cursor::skip() {
  int depth = 0;
  do {
    switch (peek()) {
      case '\0': return fail();
      case '"':
        if (!pass_string()) return false;
        break;
      case '{':
      case '[':
        if (++depth > depth_max) return fail();
        ++at_;
        break;
      case '}':
      case ']':
        if (--depth < 0) return fail();
        ++at_;
        break;
      case ',':
      case ':':
        if (depth == 0) return fail();
        ++at_;
        break;
      default:
        while (at_ < end_ && !ends_word(*at_)) ++at_;
    }
  } while (depth > 0);
  first_ = false;
  return true;
}

}  // namespace hyperion::json
