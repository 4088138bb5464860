#include "json/walker.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

namespace hyperion::json {
namespace {

// The walk recurses, about 100 bytes of stack for each level.
constexpr uint32_t depth_supported_max = 1024;

constexpr std::array<Kind, 256> make_kinds() {
  std::array<Kind, 256> kinds{};
  kinds['{'] = Kind::object;
  kinds['['] = Kind::array;
  kinds['"'] = Kind::string;
  kinds['t'] = kinds['f'] = Kind::boolean;
  kinds['n'] = Kind::null;
  kinds['-'] = Kind::number;
  for (char c = '0'; c <= '9'; ++c) kinds[static_cast<size_t>(c)] = Kind::number;
  return kinds;
}
constexpr std::array<Kind, 256> kinds = make_kinds();

Kind kind_of(char first) { return kinds[static_cast<unsigned char>(first)]; }

bool is_blank(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

// What may follow a word or a number. simdjson sees `1"a"` and `nullx` as one token.
bool ends_scalar(char c) { return is_blank(c) || c == ',' || c == '}' || c == ']'; }

bool is_digit(char c) { return c >= '0' && c <= '9'; }

const char* skip_digits(const char* at) {
  while (is_digit(*at)) ++at;
  return at;
}

// True if the text up to the next token is a number of one to eight digits and nothing else.
// Without a branch for each digit, whose number is anybody's guess; prompts may come as arrays of
// tokens.
bool is_short_integer(const char* at, size_t size) {
  if (size > 8 || (*at == '0' && size > 1)) return false;
  constexpr uint64_t ones = 0x0101010101010101;
  uint64_t word;
  std::memcpy(&word, at, sizeof(word));
  // Bytes of the word that do not count read as '0'.
  const uint64_t mask = ~uint64_t{0} >> (8 * (8 - size));
  word = (word & mask) | ('0' * ones & ~mask);
  // The upper half of each byte is 3, and still is 3 when 6 is added: no byte above '9'.
  return ((word & 0xF0 * ones) | ((word + 6 * ones) & 0xF0 * ones) >> 4) == 0x33 * ones;
}

// One past the number at `at`; null if what stands there is none. The grammar of RFC 8259.
const char* number_end(const char* at) {
  if (*at == '-') ++at;
  if (*at == '0') {
    ++at;
  } else {
    if (!is_digit(*at)) return nullptr;
    at = skip_digits(at);
  }
  if (*at == '.') {
    if (!is_digit(*++at)) return nullptr;
    at = skip_digits(at);
  }
  if (*at == 'e' || *at == 'E') {
    ++at;
    if (*at == '+' || *at == '-') ++at;
    if (!is_digit(*at)) return nullptr;
    at = skip_digits(at);
  }
  return at;
}

template <size_t size>
bool is_word(const char* at, const char (&word)[size]) {
  return std::memcmp(at, word, size - 1) == 0 && ends_scalar(at[size - 1]);
}

bool is_scalar(const char* at) {
  switch (*at) {
    case 't': return is_word(at, "true");
    case 'f': return is_word(at, "false");
    case 'n': return is_word(at, "null");
    default: break;
  }
  const char* end = number_end(at);
  return end != nullptr && ends_scalar(*end);
}

}  // namespace

Walker::Walker(std::string_view text, const TokenIndex& index, const Limits& limits)
    : text_(text.data()),
      size_(static_cast<uint32_t>(text.size())),
      at_(index.begin()),
      end_(index.end()),
      depth_max_(std::min(limits.depth_max, depth_supported_max)),
      keys_max_(limits.keys_per_object_max) {}

Walker::Token Walker::fail(Token at, const char* expected, ErrorCode code) {
  if (!failed()) fault_ = {code, at < end_ ? *at : size_, expected};
  return nullptr;
}

Kind Walker::peek() const { return at_ < end_ && !failed() ? kind_of(text_[*at_]) : Kind::absent; }

bool Walker::next_after(Token at) {
  if (at == nullptr) return false;
  at_ = at;
  return true;
}

bool Walker::pass(Value& value) {
  const Token opening = at_;
  if (!pass()) return false;
  value.kind = kind_of(text_[*opening]);
  value.begin = *opening;
  value.end = value_end(opening);
  return true;
}

// Member by member: a struct put together in small stores and copied in large loads stalls.
void Walker::describe(Mark mark, const Members& members, Field& field) const {
  field.kind = kind_of(text_[*mark]);
  field.key_begin = members.key_begin;
  field.value_begin = *mark;
  field.value_end = value_end(mark);
  field.next_key = end_ - at_ >= 2 && text_[*at_] == ',' ? at_[1] : 0;
  field.comma_before = members.comma_before;
}

uint32_t Walker::value_end(Token opening) const {
  const char* const begin = text_ + *opening;
  switch (kind_of(*begin)) {
    case Kind::object:
    case Kind::array: return at_[-1] + 1;
    case Kind::string: return string_end(opening);
    case Kind::number: return static_cast<uint32_t>(number_end(begin) - text_);
    default: return *opening + (*begin == 'f' ? 5 : 4);
  }
}

std::string_view Walker::key_at(Mark mark) const {
  return {text_ + *mark + 1, string_end(mark) - *mark - 2};
}

// One past the closing quote: the last byte before the next token that is not blank, because
// simdjson makes a token of everything else that could stand there.
uint32_t Walker::string_end(Token opening) const {
  const char* end = text_ + (opening + 1 < end_ ? opening[1] : size_);
  while (end[-1] != '"') --end;
  return static_cast<uint32_t>(end - text_);
}

bool Walker::enter() {
  if (failed()) return false;
  if (++depth_ > depth_max_) return fail(at_, "less nesting", ErrorCode::too_deep) != nullptr;
  ++at_;
  return true;
}

bool Walker::enter_object(Members& members) {
  members = {};
  return enter();
}

bool Walker::enter_array(Elements& elements) {
  elements = {};
  return enter();
}

bool Walker::next_element(Elements& elements) {
  if (failed()) return false;
  if (at_ >= end_) return fail(at_, "a closing bracket") != nullptr;
  if (text_[*at_] == ']') {
    ++at_;
    --depth_;
    return false;
  }
  if (elements.count > 0) {
    if (text_[*at_] != ',') return fail(at_, "a comma or a closing bracket") != nullptr;
    ++at_;
  }
  ++elements.count;
  return true;
}

bool Walker::next_member(Members& members) {
  if (failed()) return false;
  if (at_ >= end_) return fail(at_, "a closing brace") != nullptr;
  members.comma_before = 0;
  const char c = text_[*at_];
  if (c == '}') {
    ++at_;
    --depth_;
    return false;
  }
  if (members.count > 0) {
    if (c != ',') return fail(at_, "a comma or a closing brace") != nullptr;
    members.comma_before = *at_++;
  }
  if (!is_member(at_)) return fail_member(at_) != nullptr;
  if (++members.count > keys_max_) {
    return fail(at_, "fewer keys in one object", ErrorCode::too_many) != nullptr;
  }
  members.mark = at_;
  members.key_begin = *at_;
  members.key = key_at(at_);
  at_ += 2;
  return true;
}

bool Walker::pass_whole() {
  const Kind kind = peek();
  const bool scalar = kind == Kind::boolean || kind == Kind::null || kind == Kind::number;
  if (!scalar || at_ + 1 < end_) return pass() && at_end();
  std::string copy(text_ + *at_, size_ - *at_);
  copy.append(padding_bytes, ' ');
  return next_after(is_scalar(copy.data()) ? end_ : fail(at_, "a JSON value"));
}

bool Walker::at_end() {
  return !failed() && (at_ == end_ || fail(at_, "nothing behind the value") != nullptr);
}

Walker::Token Walker::walk(Token at, uint32_t depth) {
  if (at >= end_) return fail(at, "a value");
  switch (kind_of(text_[*at])) {
    case Kind::string: return at + 1;
    case Kind::object: return walk_object(at, depth + 1);
    case Kind::array: return walk_array(at, depth + 1);
    case Kind::number:
    case Kind::boolean:
    case Kind::null: return walk_scalar(at);
    case Kind::absent: break;
  }
  return fail(at, "a value");
}

Walker::Token Walker::fail_member(Token at) {
  if (at >= end_ || text_[*at] != '"') return fail(at, "a key in quotes");
  if (at + 1 >= end_ || text_[at[1]] != ':') return fail(at + 1, "a colon after the key");
  if (at + 2 >= end_ || kind_of(text_[at[2]]) == Kind::absent) return fail(at + 2, "a value");
  return fail(at + 3, "a closing brace");
}

Walker::Token Walker::walk_object(Token at, uint32_t depth) {
  if (depth > depth_max_) return fail(at, "less nesting", ErrorCode::too_deep);
  if (++at < end_ && text_[*at] == '}') return at + 1;
  for (uint32_t count = 1;; ++count) {
    if (!is_member(at)) return fail_member(at);
    if (count > keys_max_) return fail(at, "fewer keys in one object", ErrorCode::too_many);
    at = walk(at + 2, depth);
    if (at == nullptr) return nullptr;
    if (at >= end_) return fail(at, "a closing brace");
    const char c = text_[*at];
    if (c == '}') return at + 1;
    if (c != ',') return fail(at, "a comma or a closing brace");
    ++at;
  }
}

Walker::Token Walker::walk_array(Token at, uint32_t depth) {
  if (depth > depth_max_) return fail(at, "less nesting", ErrorCode::too_deep);
  if (++at < end_ && text_[*at] == ']') return at + 1;
  while (true) {
    at = walk(at, depth);
    if (at == nullptr) return nullptr;
    if (at >= end_) return fail(at, "a closing bracket");
    const char c = text_[*at];
    if (c == ']') return at + 1;
    if (c != ',') return fail(at, "a comma or a closing bracket");
    ++at;
  }
}

// A number or word is read only if another token follows, which ends the reading: behind the text
// may stand digits that are not part of it.
Walker::Token Walker::walk_scalar(Token at) {
  if (at + 1 >= end_) return fail(at + 1, "a closing bracket");
  if (is_short_integer(text_ + *at, at[1] - *at)) return at + 1;
  return is_scalar(text_ + *at) ? at + 1 : fail(at, "a number, true, false or null");
}

}  // namespace hyperion::json
