#include "routing/features.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "json/escapes.h"
#include "routing/byte_counts.h"
#include "routing/word_groups.h"

namespace hyperion::routing {
namespace {

enum class Sign : uint8_t { blank, newline, letter, digit, high, other };

struct Signs {
  Sign of[256];  // a plain array: looked up for every byte, by bytes only
};

constexpr Signs make_signs() {
  Signs table{};
  Sign* const signs = table.of;
  for (size_t i = 0; i < 256; ++i) signs[i] = Sign::other;
  for (size_t i = 0; i <= ' '; ++i) signs[i] = Sign::blank;
  signs['\n'] = Sign::newline;
  for (size_t i = 0; i < 26; ++i) signs['a' + i] = signs['A' + i] = Sign::letter;
  for (size_t i = 0; i < 10; ++i) signs['0' + i] = Sign::digit;
  for (size_t i = 0x80; i < 256; ++i) signs[i] = Sign::high;
  return table;
}
constexpr Signs signs = make_signs();

// What a byte within a word counts as: small letters, and 0 where the word ends. Letters with marks
// are two bytes; a script of its own begins another word.
struct Folded {
  uint8_t of[256];
};

constexpr Folded make_folded() {
  Folded table{};
  for (size_t i = 0; i < 256; ++i) {
    const bool in_word = signs.of[i] == Sign::letter || signs.of[i] == Sign::digit;
    const bool marked = i >= 0x80 && i < 0xE0;
    table.of[i] = static_cast<uint8_t>(in_word ? i | 0x20 : marked || i == '_' ? i : 0);
  }
  return table;
}
constexpr Folded folded = make_folded();

Sign sign_of(char c) { return signs.of[static_cast<unsigned char>(c)]; }

// The beginning and the end of a turn, escapes undone, a newline between parts.
class Window {
 public:
  explicit Window(std::span<const std::string_view> texts) {
    size_t room = head_bytes;
    size_t part = 0;
    size_t taken = 0;  // of texts[part]
    for (; part < texts.size() && room > 0; ++part) {
      taken = std::min(room, texts[part].size());
      if (taken < texts[part].size()) taken = whole_signs(texts[part], taken);
      append(texts[part].substr(0, taken));
      room -= std::min(room, texts[part].size());
      if (taken < texts[part].size()) break;
    }
    if (part == texts.size()) return;
    // From the end backwards, not beyond what the head has.
    room = tail_bytes;
    size_t first = texts.size();
    size_t from = 0;
    while (first > part && room > 0) {
      --first;
      const size_t begin = first == part ? taken : 0;
      const size_t size = std::min(room, texts[first].size() - begin);
      from = texts[first].size() - size;
      if (from > begin) from = next_sign(texts[first], from);
      room -= size;
    }
    for (size_t i = first; i < texts.size(); ++i, from = 0) {
      append(texts[i].substr(from));
      left_out_ |= i == part && from > taken;
    }
    left_out_ |= first > part;
  }

  std::string_view text() const { return {bytes_.data(), size_}; }
  // Something lies between the two.
  bool left_out() const { return left_out_; }

 private:
  // At most `size` bytes of the text, ending between two escapes and two characters.
  static size_t whole_signs(std::string_view raw, size_t size) {
    const size_t reach = std::min<size_t>(size, 12);
    for (size_t back = 0; back < reach; ++back) {
      const size_t at = size - back;
      const bool in_character = (static_cast<unsigned char>(raw[at]) & 0xC0) == 0x80;
      // No escape is longer than six bytes; a backslash before may itself be escaped.
      const bool near_escape =
          raw.substr(at >= 6 ? at - 6 : 0, std::min<size_t>(at, 6)).find('\\') !=
          std::string_view::npos;
      if (!in_character && !near_escape) return at;
    }
    // Escapes all around: count from a sure place.
    size_t at = 0;
    while (at < size) {
      const size_t step = raw[at] != '\\' ? 1 : raw[at + 1] == 'u' ? 6 : 2;
      if (at + step > size) break;
      at += step;
    }
    return at;
  }

  // The first place at or behind `at` that is inside no character and, as far as can be seen, in
  // no escape.
  static size_t next_sign(std::string_view raw, size_t at) {
    const size_t end = std::min(raw.size(), at + 64);
    for (size_t i = at; i < end; ++i) {
      if (raw[i] == ' ' && raw[i - 1] != '\\') return i;
    }
    return whole_signs(raw, at);
  }

  void append(std::string_view raw) {
    if (size_ > 0 && size_ < bytes_.size()) bytes_[size_++] = '\n';
    const size_t room = bytes_.size() - size_;
    size_ += std::min(room, json::unescape(raw, bytes_.data() + size_, room));
  }

  std::array<char, head_bytes + tail_bytes + 2 * Prompt::texts_max> bytes_;
  size_t size_ = 0;
  bool left_out_ = false;
};

struct Counts {
  uint32_t words = 0, letters = 0, long_words = 0, distinct = 0, known = 0;
  uint32_t lines = 0, line_bytes = 0, sentences = 0, questions = 0;
  uint32_t bullets = 0, numbered = 0, options = 0, headings = 0, code_lines = 0;
  uint32_t fences = 0, braces = 0, brackets = 0, parentheses = 0, semicolons = 0, equals = 0;
  uint32_t identifiers = 0, digits = 0, numbers = 0, operators = 0, latex = 0, percent_money = 0;
  uint32_t quotes = 0, colons = 0, commas = 0, high_letters = 0, other_script = 0, signs = 0;
  std::array<uint16_t, static_cast<size_t>(Group::count)> groups{};
};

class Reading {
 public:
  Reading(std::string_view text, std::string_view known, Features& features, Counts& counts)
      : data_(text.data()),
        size_(text.size()),
        known_(known),
        features_(features),
        counts_(counts) {}

  void read() {
    while (at_ < size_) {
      const char c = data_[at_];
      switch (sign_of(c)) {
        case Sign::letter:
          word();
          // Mostly one blank and another word.
          while (at_ + 1 < size_ && data_[at_] == ' ' && sign_of(data_[at_ + 1]) == Sign::letter) {
            ++at_;
            word();
          }
          break;
        case Sign::digit: number(); break;
        case Sign::high: character(); break;
        case Sign::newline:
          end_line();
          ++at_;
          break;
        case Sign::blank: ++at_; break;
        case Sign::other: mark(c); break;
      }
    }
    end_line();
  }
  char last_sign() const { return last_sign_; }

 private:
  char next(size_t distance) const { return at_ + distance < size_ ? data_[at_ + distance] : '\n'; }
  bool ends(size_t at) const { return at >= size_ || sign_of(data_[at]) <= Sign::newline; }

  // Something that shows: counts the line it stands in.
  void show(size_t size) {
    line_signs_ += static_cast<uint32_t>(size);
    counts_.signs += static_cast<uint32_t>(size);
    last_sign_ = data_[at_ + size - 1];
  }

  void end_line() {
    if (line_signs_ == 0) return;
    ++counts_.lines;
    counts_.line_bytes += line_signs_;
    const char c = last_sign_;
    counts_.code_lines += c == ';' || c == '{' || c == '}';
    line_signs_ = 0;
  }

  // Whether the gram is new. Without branches: no predictor guesses which words come again.
  bool gram(uint32_t hash) {
    // The upper bits of a multiplication are the well mixed ones.
    const uint32_t bucket = (hash * 0x9E3779B1u) >> (32 - bucket_bits);
    uint64_t& seen = seen_.data()[bucket / 64];
    const bool added = (seen >> (bucket % 64) & 1) == 0;
    seen |= uint64_t{1} << (bucket % 64);
    // The window is too short for grams_max; if it were not, the last would be overwritten.
    features_.buckets.data()[features_.bucket_count] = static_cast<uint16_t>(bucket);
    features_.bucket_count += added;
    features_.bucket_count -= features_.bucket_count == Features::grams_max;
    return added;
  }

  void take_word(uint32_t hash, uint32_t size) {
    ++counts_.words;
    counts_.letters += size;
    counts_.long_words += size > 6;
    ++counts_.groups.data()[static_cast<size_t>(group_of(hash))];
    const bool added = gram(hash);
    counts_.distinct += added;
    features_.words.data()[features_.word_count] = hash;
    features_.word_count += added;
    features_.word_count -= features_.word_count == Features::grams_max;
    const uint32_t place = known_place(hash);
    if (!known_.empty())
      counts_.known += static_cast<uint8_t>(known_.data()[place / 8]) >> (place % 8) & 1;
    if (previous_ != 0) gram(previous_ * 31 + hash);
    previous_ = hash;
  }

 public:
  static uint32_t known_place(uint32_t hash) { return (hash * 0x85EBCA6Bu) >> (32 - known_bits); }

 private:
  void word() {
    const size_t begin = at_;
    const char* at = data_ + begin;
    const char* const end = data_ + size_;
    uint32_t hash = word_hash_begin;
    bool joined = false;
    for (;; ++at) {
      for (; at < end; ++at) {
        const uint8_t letter = folded.of[static_cast<unsigned char>(*at)];
        if (letter == 0) break;
        hash = word_hash_step(hash, letter);
        joined |= letter == '_';
      }
      if (at == end || *at != '\'') break;  // an apostrophe is passed over
    }
    at_ = static_cast<size_t>(at - data_);
    const size_t size = at_ - begin;
    const char after = next(0);
    joined |= after == '(' || (after == '.' && sign_of(next(1)) == Sign::letter);
    counts_.identifiers += joined;
    const bool begins_line = line_signs_ == 0;
    if (size == 1 && (after == ')' || after == '.' || after == ':') && !joined) {
      const bool opened = begin > 0 && data_[begin - 1] == '(';
      counts_.options += opened || begins_line || sign_of(data_[begin - 1]) == Sign::blank;
    }
    at_ = begin;
    show(size);
    at_ = begin + size;
    take_word(hash, static_cast<uint32_t>(size));
  }

  void number() {
    const size_t begin = at_;
    const bool begins_line = line_signs_ == 0;
    while (at_ < size_ && sign_of(data_[at_]) == Sign::digit) ++at_;
    const size_t size = at_ - begin;
    counts_.digits += static_cast<uint32_t>(size);
    ++counts_.numbers;
    counts_.numbered += begins_line && (next(0) == '.' || next(0) == ')') && ends(at_ + 1);
    counts_.percent_money += next(0) == '%';
    at_ = begin;
    show(size);
    at_ = begin + size;
    // Numbers are words by their length: which ones they are says little.
    gram(0x51ED270Bu + static_cast<uint32_t>(std::min<size_t>(size, 6)));
    previous_ = 0x51ED270Bu;
  }

  // A character of more than one byte that begins no word of Latin letters.
  void character() {
    const auto lead = static_cast<unsigned char>(data_[at_]);
    const size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    const size_t there = std::min(size, size_ - at_);
    uint32_t hash = word_hash_begin;
    for (size_t i = 0; i < there; ++i)
      hash = word_hash_step(hash, static_cast<uint8_t>(data_[at_ + i]));
    ++counts_.high_letters;
    // Latin letters with marks end at C9; general punctuation, arrows and operators are E2.
    counts_.other_script += (lead > 0xC9 && lead < 0xE2) || (lead > 0xE2 && lead < 0xF0);
    counts_.operators += lead == 0xE2;
    show(there);
    at_ += there;
    gram(hash);
    previous_ = hash;
  }

  void mark(char c) {
    const bool begins_line = line_signs_ == 0;
    const bool apart = at_ == 0 || sign_of(data_[at_ - 1]) <= Sign::newline;
    switch (c) {
      case '?': ++counts_.questions; [[fallthrough]];
      case '!':
      case '.': counts_.sentences += ends(at_ + 1); break;
      case '-':
        if (begins_line && ends(at_ + 1)) {
          ++counts_.bullets;
          break;
        }
        [[fallthrough]];
      case '+':
      case '/':
      case '<':
      case '>': counts_.operators += apart || sign_of(next(1)) == Sign::digit; break;
      case '*':
        if (begins_line && ends(at_ + 1)) {
          ++counts_.bullets;
          break;
        }
        [[fallthrough]];
      case '^': ++counts_.operators; break;
      case '=': ++counts_.equals; break;
      case '#': counts_.headings += begins_line; break;
      case '`':
        if (next(1) == '`' && next(2) == '`') {
          ++counts_.fences;
          at_ += 2;
        }
        break;
      case '{':
      case '}': ++counts_.braces; break;
      case '[':
      case ']': ++counts_.brackets; break;
      case '(':
      case ')': ++counts_.parentheses; break;
      case ';': ++counts_.semicolons; break;
      case '\\': counts_.latex += sign_of(next(1)) == Sign::letter; break;
      case '$':
        ++counts_.latex;
        counts_.percent_money += sign_of(next(1)) == Sign::digit;
        break;
      case '%': ++counts_.percent_money; break;
      case '"':
      case '\'': ++counts_.quotes; break;
      case ':': ++counts_.colons; break;
      case ',': ++counts_.commas; break;
      default: break;
    }
    show(1);
    ++at_;
    // Signs between words part a pair only where they part sentences.
    if (c == '.' || c == '?' || c == '!' || c == ';') previous_ = 0;
  }

  const char* const data_;
  const size_t size_;
  const std::string_view known_;
  Features& features_;
  Counts& counts_;
  size_t at_ = 0;
  uint32_t previous_ = 0;
  uint32_t line_signs_ = 0;
  char last_sign_ = ' ';
  std::array<uint64_t, bucket_count / 64> seen_{};
};

float share(uint32_t part, uint32_t whole) {
  return whole == 0 ? 0.0f : static_cast<float>(part) / static_cast<float>(whole);
}

constexpr std::string_view trait_names[] = {
    "words",       "length",       "lines",          "line_length",   "sentences",
    "word_length", "long_words",   "distinct_words", "known_words",   "questions",
    "ends_asking", "bullets",      "numbered",       "options",       "headings",
    "fences",      "braces",       "brackets",       "parentheses",   "semicolons",
    "equals",      "code_lines",   "identifiers",    "digits",        "numbers",
    "operators",   "latex",        "percent_money",  "quotes",        "colons",
    "commas",      "not_ascii",    "other_script",   "asking",        "building",
    "explaining",  "calculating",  "proving",        "programming",   "conditions",
    "constraints", "transforming", "writing",        "greeting",      "steps",
    "negations",   "quantities",   "turns",          "system_length", "other_length",
    "tools",       "tool_results", "images",         "schema",
};
static_assert(std::size(trait_names) == trait_count);

void write_structure(const Prompt& prompt, const Wants& wants, const Counts& counts, char last_sign,
                     double scale, Features& features) {
  const auto logs = [&](Trait trait, uint64_t count) { features[trait] = scaled_log(count); };
  const auto whole = [&](uint32_t count) { return static_cast<uint64_t>(count * scale); };
  logs(Trait::words, whole(counts.words));
  logs(Trait::length, whole(counts.signs));
  logs(Trait::lines, whole(counts.lines));
  logs(Trait::line_length, counts.lines == 0 ? 0 : counts.line_bytes / counts.lines);
  logs(Trait::sentences, whole(counts.sentences));
  features[Trait::word_length] = share(counts.letters, counts.words);
  features[Trait::long_words] = share(counts.long_words, counts.words);
  features[Trait::distinct_words] = share(counts.distinct, counts.words);
  features[Trait::known_words] = share(counts.known, counts.words);
  features[Trait::ends_asking] = last_sign == '?' ? 1.0f : 0.0f;
  features[Trait::digits] = share(counts.digits, counts.signs);
  features[Trait::not_ascii] = share(counts.high_letters, counts.letters + counts.high_letters);
  features[Trait::other_script] = share(counts.other_script, counts.letters + counts.high_letters);
  const struct {
    Trait trait;
    uint32_t count;
  } rows[] = {
      {Trait::questions, counts.questions},
      {Trait::bullets, counts.bullets},
      {Trait::numbered, counts.numbered},
      {Trait::options, counts.options},
      {Trait::headings, counts.headings},
      {Trait::fences, counts.fences},
      {Trait::braces, counts.braces},
      {Trait::brackets, counts.brackets},
      {Trait::parentheses, counts.parentheses},
      {Trait::semicolons, counts.semicolons},
      {Trait::equals, counts.equals},
      {Trait::code_lines, counts.code_lines},
      {Trait::identifiers, counts.identifiers},
      {Trait::numbers, counts.numbers},
      {Trait::operators, counts.operators},
      {Trait::latex, counts.latex},
      {Trait::percent_money, counts.percent_money},
      {Trait::quotes, counts.quotes},
      {Trait::colons, counts.colons},
      {Trait::commas, counts.commas},
  };
  for (const auto& [trait, count] : rows) logs(trait, count);
  for (size_t i = 1; i < counts.groups.size(); ++i)
    features.structure[static_cast<size_t>(Trait::asking) + i - 1] = scaled_log(counts.groups[i]);
  const Shape& shape = prompt.shape;
  logs(Trait::turns, shape.turns);
  logs(Trait::system_length, shape.system_bytes);
  logs(Trait::other_length, shape.other_bytes);
  logs(Trait::tools, wants.tools);
  logs(Trait::tool_results, shape.tool_results);
  logs(Trait::images, shape.images);
  features[Trait::schema] = wants.json_schema || wants.json_object ? 1.0f : 0.0f;
}

}  // namespace

float scaled_log(uint64_t count) {
  const uint64_t value = std::min<uint64_t>(count, uint64_t{1} << 40) + 1;
  const int power = std::bit_width(value) - 1;
  const uint64_t base = uint64_t{1} << power;
  return static_cast<float>(power) + static_cast<float>(value - base) / static_cast<float>(base);
}

std::string_view name_of(Trait trait) {
  return trait < Trait::count ? trait_names[static_cast<size_t>(trait)] : std::string_view();
}

void extract_features(const Prompt& prompt, const Wants& wants, std::string_view known,
                      Features& features) {
  features.structure.fill(0);
  features.bucket_count = 0;
  features.word_count = 0;
  const Window window(prompt.text());
  Counts counts;
  Reading reading(window.text(), known, features, counts);
  reading.read();
  // The part between is taken to be as dense as what was read.
  double scale = 1;
  const double size = static_cast<double>(window.text().size());
  if (window.left_out() && size > 0)
    scale = std::max(1.0, static_cast<double>(prompt.shape.user_bytes) / size);
  write_structure(prompt, wants, counts, reading.last_sign(), scale, features);
  if (!window.left_out()) return;
  const ByteCounts middle = count_bytes(prompt.text());
  features[Trait::braces] = scaled_log(std::max<uint64_t>(counts.braces, middle.braces));
  features[Trait::fences] = scaled_log(std::max<uint64_t>(counts.fences, middle.backticks / 3));
  features[Trait::lines] =
      scaled_log(std::max<uint64_t>(counts.lines, middle.newlines + (counts.lines > 0)));
  features[Trait::semicolons] =
      scaled_log(std::max<uint64_t>(counts.semicolons, middle.semicolons));
}

}  // namespace hyperion::routing
