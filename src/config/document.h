// A TOML text as a tree of values, each with the line it stands on.
//
// The only user of toml++: the rest of `config` reads these plain values, so nothing else has to be
// compiled against that library or could replace it only with effort. A syntax error is one message
// with its line (TOML's grammar leaves no way to go on after one). Bounded: texts over
// `document_size_max_bytes` and nesting over `document_depth_max` are refused. Tables keep the
// order of the text. Allocates; used while loading only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hyperion::config {

inline constexpr size_t document_size_max_bytes = 4 * 1024 * 1024;
inline constexpr size_t document_depth_max = 16;

struct Member;

struct Value {
  enum class Kind : uint8_t { boolean, integer, real, text, date, list, table, other };
  Kind kind = Kind::other;
  uint32_t line = 0;
  bool boolean = false;
  int64_t integer = 0;
  double real = 0;
  std::string text;             // of a text, and of a date as YYYY-MM-DD
  std::vector<Value> items;     // of a list
  std::vector<Member> members;  // of a table

  const Member* find(std::string_view key) const;
};

struct Member {
  std::string key;
  uint32_t line = 0;
  Value value;
};

struct SyntaxProblem {
  uint32_t line = 0;
  std::string message;
};

// The text's top-level table, or nothing with the reason in `problem`.
std::optional<Value> parse_document(std::string_view text, SyntaxProblem& problem);

}  // namespace hyperion::config
