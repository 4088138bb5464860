// Reads JSON into a tree, for tests: vectors in JSONL files, and answers to be compared by meaning.
//
// Independent of the parser under test, and written to be obviously right rather than fast.
// Strict about grammar (RFC 8259): a text that is not JSON gives no value. It does not check
// UTF-8, turns a lone surrogate escape into three bytes, and keeps repeated keys in their order.
// Two values are equal when they mean the same: strings unescaped, numbers by their digits.
//
//   for (const Json& line : read_json_lines(read_file(path))) CHECK(line["id"].text != "");
#pragma once

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hyperion::test {

struct JsonMember;

struct Json {
  enum class Kind { null, boolean, number, string, array, object };

  Kind kind = Kind::null;
  bool boolean = false;
  std::string text;  // a string unescaped, or a number as it was spelled
  std::vector<Json> elements;
  std::vector<JsonMember> members;

  bool is(Kind other) const { return kind == other; }
  double number() const { return std::strtod(text.c_str(), nullptr); }
  int64_t integer() const { return std::strtoll(text.c_str(), nullptr, 10); }

  // The first member of that name; null where there is none.
  const Json* find(std::string_view name) const;
  // The same, but absence reads as the value null.
  const Json& operator[](std::string_view name) const;

  bool operator==(const Json& other) const;
};

struct JsonMember {
  std::string key;
  Json value;
  bool operator==(const JsonMember&) const = default;
};

inline const Json* Json::find(std::string_view name) const {
  for (const auto& [key, value] : members) {
    if (key == name) return &value;
  }
  return nullptr;
}

inline const Json& Json::operator[](std::string_view name) const {
  static const Json nothing;
  const Json* found = find(name);
  return found != nullptr ? *found : nothing;
}

inline bool Json::operator==(const Json& other) const {
  return kind == other.kind && boolean == other.boolean && text == other.text &&
         elements == other.elements && members == other.members;
}

class JsonReader {
 public:
  explicit JsonReader(std::string_view text) : text_(text) {}

  // The whole text as one value; none if it is not JSON or nested deeper than 2000.
  std::optional<Json> read() {
    Json value;
    if (!read_value(value, 0)) return std::nullopt;
    skip_blanks();
    if (at_ != text_.size()) return std::nullopt;
    return value;
  }

 private:
  void skip_blanks() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != text_.npos) ++at_;
  }
  bool take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool take_after_blanks(char c) {
    skip_blanks();
    return take(c);
  }
  bool take_word(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }

  bool read_value(Json& value, int depth) {
    skip_blanks();
    if (at_ >= text_.size() || depth > 2000) return false;
    switch (text_[at_]) {
      case '{': value.kind = Json::Kind::object; return read_object(value, depth);
      case '[': value.kind = Json::Kind::array; return read_array(value, depth);
      case '"': value.kind = Json::Kind::string; return read_string(value.text);
      case 'n': return take_word("null");
      case 't':
      case 'f':
        value.kind = Json::Kind::boolean;
        value.boolean = text_[at_] == 't';
        return take_word(value.boolean ? "true" : "false");
      default: value.kind = Json::Kind::number; return read_number(value.text);
    }
  }

  bool read_object(Json& value, int depth) {
    ++at_;
    if (take_after_blanks('}')) return true;
    do {
      skip_blanks();
      auto& [key, member] = value.members.emplace_back();
      if (!read_string(key) || !take_after_blanks(':') || !read_value(member, depth + 1)) {
        return false;
      }
    } while (take_after_blanks(','));
    return take('}');
  }

  bool read_array(Json& value, int depth) {
    ++at_;
    if (take_after_blanks(']')) return true;
    do {
      if (!read_value(value.elements.emplace_back(), depth + 1)) return false;
    } while (take_after_blanks(','));
    return take(']');
  }

  size_t digits() {
    size_t begin = at_;
    while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') ++at_;
    return at_ - begin;
  }
  bool read_number(std::string& number) {
    size_t begin = at_;
    take('-');
    if (!take('0') && digits() == 0) return false;
    if (take('.') && digits() == 0) return false;
    if (take('e') || take('E')) {
      if (!take('+')) take('-');
      if (digits() == 0) return false;
    }
    number = text_.substr(begin, at_ - begin);
    return true;
  }

  bool read_string(std::string& out) {
    if (!take('"')) return false;
    while (at_ < text_.size()) {
      char c = text_[at_++];
      if (c == '"') return true;
      if (static_cast<unsigned char>(c) < 0x20) return false;
      if (c != '\\') {
        out += c;
      } else if (!read_escape(out)) {
        return false;
      }
    }
    return false;
  }
  bool read_escape(std::string& out) {
    if (at_ >= text_.size()) return false;
    char c = text_[at_++];
    if (c == 'u') return read_code_point(out);
    size_t place = std::string_view("\"\\/bfnrt").find(c);
    if (place == std::string_view::npos) return false;
    out += "\"\\/\b\f\n\r\t"[place];
    return true;
  }
  bool read_hex(uint32_t& code) {
    code = 0;
    for (int i = 0; i < 4; ++i) {
      if (at_ >= text_.size()) return false;
      size_t digit =
          std::string_view("0123456789abcdef").find(static_cast<char>(text_[at_] | 0x20));
      // The bit that makes letters small makes a digit of a control byte.
      if (digit == std::string_view::npos || text_[at_] < '0') return false;
      code = code * 16 + static_cast<uint32_t>(digit);
      ++at_;
    }
    return true;
  }
  bool read_code_point(std::string& out) {
    uint32_t code = 0;
    if (!read_hex(code)) return false;
    size_t after = at_;
    uint32_t low = 0;
    if (code >= 0xD800 && code < 0xDC00 && take_word("\\u") && read_hex(low) && low >= 0xDC00 &&
        low < 0xE000) {
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    } else {
      at_ = after;
    }
    append_utf8(out, code);
    return true;
  }
  static void append_utf8(std::string& out, uint32_t code) {
    auto byte = [&out](uint32_t bits) { out += static_cast<char>(bits); };
    if (code < 0x80) return byte(code);
    if (code < 0x800) {
      byte(0xC0 | code >> 6);
    } else if (code < 0x10000) {
      byte(0xE0 | code >> 12);
      byte(0x80 | (code >> 6 & 0x3F));
    } else {
      byte(0xF0 | code >> 18);
      byte(0x80 | (code >> 12 & 0x3F));
      byte(0x80 | (code >> 6 & 0x3F));
    }
    byte(0x80 | (code & 0x3F));
  }

  std::string_view text_;
  size_t at_ = 0;
};

inline std::optional<Json> read_json(std::string_view text) { return JsonReader(text).read(); }

// One value a line; empty lines are skipped. A line that is not JSON ends the reading: the caller
// checks the number of values against the file's README or against a minimum.
inline std::vector<Json> read_json_lines(std::string_view text) {
  std::vector<Json> values;
  while (!text.empty()) {
    size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty()) continue;
    auto value = read_json(line);
    if (!value) break;
    values.push_back(std::move(*value));
  }
  return values;
}

}  // namespace hyperion::test
