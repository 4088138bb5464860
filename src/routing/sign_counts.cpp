#include "routing/sign_counts.h"

#include <string_view>

namespace hyperion::routing {
namespace {

// Signs of a row count alike.
constexpr std::string_view rows[] = {"?",  "!.", ";", "",  "-",  "<>/+", "*", "^",   "=", "#",
                                     "}{", "][", "(", ")", "\\", "$",    "%", "'\"", ":", ","};
static_assert(std::size(rows) == SignTables::row_count);
constexpr uint8_t row_of_others = 3;

constexpr uint8_t row_of(char sign) {
  for (uint8_t row = 0; row < SignTables::row_count; ++row) {
    if (rows[row].find(sign) != std::string_view::npos) return row;
  }
  return row_of_others;
}

constexpr SignSums worth_of(char sign, Before before, Behind behind) {
  SignSums sums{};
  const auto add = [&sums](SignCount count, bool holds = true) {
    const auto place = static_cast<size_t>(count);
    if (holds) sums[place / 4] += uint64_t{1} << (16 * (place % 4));
  };
  const bool begins_line = before == Before::nothing;
  const bool apart = begins_line || before == Before::blank;
  const bool bullet = begins_line && behind == Behind::blank;
  switch (sign) {
    case '?':
      add(SignCount::questions);
      add(SignCount::sentences, behind == Behind::blank);
      break;
    case '.':
      add(SignCount::sentences, behind == Behind::blank);
      add(SignCount::identifiers, before == Before::word && behind == Behind::letter);
      break;
    case '-':
      add(SignCount::bullets, bullet);
      add(SignCount::operators, !bullet && (apart || behind == Behind::digit));
      break;
    case '+': add(SignCount::operators, apart || behind == Behind::digit); break;
    case '*': add(bullet ? SignCount::bullets : SignCount::operators); break;
    case '^': add(SignCount::operators); break;
    case '=': add(SignCount::equals); break;
    case '#': add(SignCount::headings, begins_line); break;
    case '{': add(SignCount::braces); break;
    case '[': add(SignCount::brackets); break;
    case '(':
      add(SignCount::parentheses);
      add(SignCount::identifiers, before == Before::word);
      break;
    case ')': add(SignCount::parentheses); break;
    case ';': add(SignCount::semicolons); break;
    case '\\': add(SignCount::latex, behind == Behind::letter); break;
    case '$':
      add(SignCount::latex);
      add(SignCount::percent_money, behind == Behind::digit);
      break;
    case '%': add(SignCount::percent_money); break;
    case '"': add(SignCount::quotes); break;
    case ':': add(SignCount::colons); break;
    case ',': add(SignCount::commas); break;
    default: break;
  }
  return sums;
}

consteval SignTables make_tables() {
  SignTables tables{};
  for (size_t i = 0; i < 256; ++i) {
    const auto c = static_cast<char>(i);
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool digit = c >= '0' && c <= '9';
    tables.row[i] = row_of(c);
    tables.before[i] =
        static_cast<uint8_t>(i <= ' '                                   ? Before::blank
                             : letter || digit || c == '_' || i >= 0x80 ? Before::word
                                                                        : Before::sign);
    tables.behind[i] = static_cast<uint8_t>(i <= ' ' ? Behind::blank
                                            : digit  ? Behind::digit
                                            : letter ? Behind::letter
                                                     : Behind::sign);
  }
  for (size_t i = 0; i < SignTables::row_count * 16; ++i) {
    // The second row is the dot's and the exclamation mark's, which stands behind no name.
    const std::string_view row = rows[i / 16];
    if (row.empty()) continue;
    tables.worth[i] =
        worth_of(row.back(), static_cast<Before>(i / 4 % 4), static_cast<Behind>(i % 4));
  }
  return tables;
}

}  // namespace

constexpr SignTables sign_tables = make_tables();

}  // namespace hyperion::routing
