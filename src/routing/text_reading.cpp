#include "routing/text_reading.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "routing/sign_counts.h"

// Everything is inlined into the two variants, one of which may use more instructions.
#define IN_BOTH [[gnu::always_inline]] inline

namespace hyperion::routing {
namespace {

// Of one block of 64 bytes. A token is a word, a number, or a character that belongs to neither.
struct BlockMaps {
  uint64_t words;        // first letters of words
  uint64_t numbers;      // first digits of numbers that are no part of a word
  uint64_t characters;   // first bytes of others
  uint64_t ends;         // bytes that do not go on with the token before them
  uint64_t between;      // of no token
  uint64_t marks;        // signs of ASCII, of no token
  uint64_t shown;        // all but blanks
  uint64_t line_begins;  // what first shows in a line
};

// Bits of `run` reached from `from`, upwards without a gap: with the one behind the last of each,
// which is outside of `run`. `over` says that the run goes on in the next block.
IN_BOTH uint64_t behind_runs(uint64_t run, uint64_t from, bool& over) {
  uint64_t sum;
  over = __builtin_add_overflow(run, from, &sum);
  return sum;
}

// Finds tokens and lines in a text, block by block from its beginning.
class BlockFinder {
 public:
  IN_BOTH BlockMaps next(const ByteMaps& maps, const ByteMaps& following, const char* at) {
    uint64_t marked = 0;  // Latin letters with marks, of two bytes
    uint64_t leads = 0;   // first bytes of other characters
    if (maps.high != 0) [[unlikely]]
      read_high(maps.high, at, marked, leads);
    const uint64_t letters = maps.letter();
    const uint64_t following_letters = following.letter();
    const uint64_t firm = letters | maps.digit | marked;
    const uint64_t next_firm = (following_letters | following.digit) << 63;
    // Only within words: an apostrophe, and an underscore beside one.
    const uint64_t apostrophes = maps.apostrophe & (letters << 1 | letter_before_) &
                                 (letters >> 1 | following_letters << 63);
    const uint64_t underscores =
        maps.underscore & (firm << 1 | firm_before_ | firm >> 1 | next_firm);
    uint64_t words = letters | marked | apostrophes | underscores;
    // Digits straight behind letters belong to the word.
    bool over = false;
    const uint64_t own = maps.digit & (words << 1 | word_before_);
    const uint64_t digits_left = behind_runs(maps.digit, own, over);
    const uint64_t numbers = maps.digit & digits_left;
    words |= maps.digit & ~digits_left;
    const uint64_t others = maps.high & ~marked;

    BlockMaps block;
    block.words = words & ~(words << 1 | word_before_);
    block.numbers = numbers & ~(numbers << 1 | number_before_);
    block.characters = leads;
    block.between = ~(words | numbers | others);
    block.ends = block.between | block.words | block.numbers | leads;
    block.shown = ~maps.empty();
    block.marks = block.shown & block.between;
    const uint64_t blanks = maps.empty() & ~maps.newline;
    const uint64_t begins = maps.newline << 1 | line_before_;
    const uint64_t behind = behind_runs(blanks, begins & blanks, over) | begins;
    block.line_begins = behind & block.shown;
    underscores_ = underscores & ~(underscores << 1);
    letters_ = words;
    // Runs of two, four and seven, each from two of the shorter.
    const uint64_t two = words & (words << 1 | words_before_ >> 63);
    const uint64_t four = two & (two << 2 | two_before_ >> 62);
    const uint64_t seven = four & (four << 3 | four_before_ >> 61);
    long_words_ = seven & ~(seven << 1 | seven_before_ >> 63);
    words_before_ = words;
    two_before_ = two;
    four_before_ = four;
    seven_before_ = seven;

    line_before_ = maps.newline >> 63 | uint64_t{over};
    letter_before_ = letters >> 63;
    firm_before_ = firm >> 63;
    word_before_ = words >> 63;
    number_before_ = numbers >> 63;
    return block;
  }
  // Of the block given last: the first of underscores, what belongs to words, and where words have
  // their seventh letter.
  IN_BOTH uint64_t underscores() const { return underscores_; }
  IN_BOTH uint64_t letters() const { return letters_; }
  IN_BOTH uint64_t long_words() const { return long_words_; }

 private:
  [[gnu::noinline]] void read_high(uint64_t high, const char* at, uint64_t& marked,
                                   uint64_t& leads) {
    const uint64_t all = bytes_from(at, 0xC0);
    const uint64_t latin = bytes_from(at, 0xC3) & ~bytes_from(at, 0xCA);
    marked = latin | ((latin << 1 | latin_before_) & high & ~all);
    leads = all & ~latin;
    latin_before_ = latin >> 63;
  }

  // Whether the last byte of the block before is one, as the lowest bit.
  uint64_t letter_before_ = 0, firm_before_ = 0, word_before_ = 0, number_before_ = 0;
  uint64_t latin_before_ = 0;
  uint64_t line_before_ = 1;  // a line begins, so far with blanks
  uint64_t underscores_ = 0, letters_ = 0, long_words_ = 0;
  // Of the block before: words, and runs in them.
  uint64_t words_before_ = 0, two_before_ = 0, four_before_ = 0, seven_before_ = 0;
};

// The first `size` of sixteen bytes, capitals folded.
IN_BOTH WordStep step_of(const char* at, size_t size) {
  static constexpr unsigned char kept[2 * word_step_bytes] = {
      255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255};
  constexpr uint64_t small = 0x2020202020202020u;
  uint64_t bytes[2];
  uint64_t masks[2];
  std::memcpy(bytes, at, sizeof(bytes));
  std::memcpy(masks, kept + word_step_bytes - size, sizeof(masks));
  return {(bytes[0] | small) & masks[0], (bytes[1] | small) & masks[1]};
}

IN_BOTH uint32_t hash_of(const char* at, size_t size) {
  uint64_t state = add_to_hash(0, step_of(at, std::min<size_t>(size, word_step_bytes)));
  for (size_t begin = word_step_bytes; begin < size; begin += word_step_bytes)
    [[unlikely]] state =
        add_to_hash(state, step_of(at + begin, std::min<size_t>(size - begin, word_step_bytes)));
  return finish_hash(state);
}

struct Places {
  std::array<uint16_t, Window::size_max + 16> list;
  size_t count = 0;
};

struct Token {
  uint32_t hash;
  uint16_t is_word;
  uint16_t parted;  // makes no pair with the one before it
};

// The buckets of words and pairs, each once.
struct Grams {
  uint16_t* end;
  std::array<uint64_t, bucket_count / 64> seen{};

  // 1 if it is new. What is not `wanted` is as good as not asked for. A window has too few bytes
  // for grams_max of them.
  IN_BOTH uint32_t add(uint32_t hash, uint32_t wanted) {
    // The upper bits of a multiplication are the well mixed ones.
    const uint32_t bucket = (hash * 0x9E3779B1u) >> (32 - bucket_bits);
    uint64_t& word = seen.data()[bucket / 64];
    const uint32_t added = wanted & ~static_cast<uint32_t>(word >> (bucket % 64));
    word |= uint64_t{wanted} << (bucket % 64);
    *end = static_cast<uint16_t>(bucket);
    end += added;
    return added;
  }
};

// Where no words are known.
constexpr char nothing_known[sizeof(uint32_t)] = {};

class Reading {
 public:
  IN_BOTH Reading(const Window& window, std::string_view known, Features& features,
                  TextCounts& counts)
      : text_(window.text().data()),
        maps_(window.maps()),
        block_count_(window.map_count()),
        known_(known.empty() ? nothing_known : known.data()),
        known_mask_(known.empty() ? 0 : ~uint32_t{0}),
        features_(features),
        counts_(counts) {}

  IN_BOTH void read() {
    find();
    read_signs();
    read_tokens();
    take_tokens();
    counts_.last_sign = text_[last_shown_];
    write_sums();
  }

 private:
  // Whether the line whose last sign stands at `at` ends as lines of programs do.
  IN_BOTH void end_line(size_t at) {
    const char c = text_[at];
    counts_.code_lines += c == ';' || c == '{' || c == '}';
  }

  IN_BOTH void read_lines(const BlockMaps& block, size_t begin) {
    counts_.signs += static_cast<uint32_t>(std::popcount(block.shown));
    counts_.lines += static_cast<uint32_t>(std::popcount(block.line_begins));
    for (uint64_t left = block.line_begins; left != 0; left &= left - 1) {
      const int bit = std::countr_zero(left);
      const uint64_t before = block.shown & ((uint64_t{1} << bit) - 1);
      if (before != 0) last_shown_ = begin + 63 - static_cast<size_t>(std::countl_zero(before));
      if (begin + static_cast<size_t>(bit) > 0) end_line(last_shown_);
    }
    if (block.shown != 0)
      last_shown_ = begin + 63 - static_cast<size_t>(std::countl_zero(block.shown));
  }

  // First only where things are: loops of a few turns for each block end unforeseen.
  IN_BOTH void find() {
    BlockFinder finder;
    for (size_t i = 0; i < block_count_; ++i) {
      BlockMaps& block = blocks_.data()[i];
      const size_t begin = i * map_bytes;
      block = finder.next(maps_[i], maps_[i + 1], text_ + begin);
      counts_.identifiers += static_cast<uint32_t>(std::popcount(finder.underscores()));
      read_lines(block, begin);
      counts_.words += static_cast<uint32_t>(std::popcount(block.words));
      counts_.letters += static_cast<uint32_t>(std::popcount(finder.letters()));
      counts_.long_words += static_cast<uint32_t>(std::popcount(finder.long_words()));
      list<6>(block.marks, begin, marks_);
      first_token_.data()[i] = static_cast<uint16_t>(starts_.count);
      list<16>(block.words | block.numbers | block.characters, begin, starts_);
    }
    blocks_.data()[block_count_].ends = ~uint64_t{0};
    blocks_.data()[block_count_].marks = 0;
    end_line(last_shown_);
  }

  // Places of what is set, behind those that are there: always `usual` of them, more than there are
  // is written over, and more where there are more.
  template <int usual>
  IN_BOTH static void list(uint64_t set, size_t begin, Places& places) {
    uint16_t* at = places.list.data() + places.count;
    places.count += static_cast<size_t>(std::popcount(set));
    for (int i = 0; i < usual; ++i, set &= set - 1)
      *at++ = static_cast<uint16_t>(begin + static_cast<size_t>(std::countr_zero(set)));
    for (; set != 0; set &= set - 1)
      [[unlikely]]* at++ =
          static_cast<uint16_t>(begin + static_cast<size_t>(std::countr_zero(set)));
  }

  IN_BOTH void read_signs() {
    const SignTables& tables = sign_tables;
    SignSums sums{};
    for (size_t i = 0; i < marks_.count; ++i) {
      const size_t at = marks_.list.data()[i];
      const BlockMaps& block = blocks_.data()[at / map_bytes];
      const auto byte = [&](size_t place) { return static_cast<unsigned char>(text_[place]); };
      const bool begins_line = (block.line_begins >> (at % map_bytes) & 1) != 0;
      const size_t row = tables.row[byte(at)];
      const size_t before =
          begins_line ? static_cast<size_t>(Before::nothing) : tables.before[byte(at - (at > 0))];
      const SignSums& worth = tables.worth[row * 16 + before * 4 + tables.behind[byte(at + 1)]];
      for (size_t part = 0; part < sums.size(); ++part) sums.data()[part] += worth.data()[part];
      parting_.data()[at / map_bytes] |= uint64_t{row < SignTables::rows_parting}
                                         << (at % map_bytes);
      if (text_[at] == '`') [[unlikely]]
        read_backtick(at);
    }
    sums_ = sums;
    // The tokens behind those that part sentences, whatever stands between.
    uint64_t before = 0;  // the lowest bit: since the last token of the block before
    for (size_t i = 0; i < block_count_; ++i) {
      const uint64_t between = blocks_.data()[i].between;
      bool over = false;
      bool over_again = false;
      const uint64_t behind = behind_runs(between, parting_.data()[i], over);
      parting_.data()[i] = behind_runs(behind, before, over_again) & ~between;
      before = over || over_again;
    }
  }

  // The third in a row opens or closes a fence.
  void read_backtick(size_t at) {
    const auto is = [&](size_t distance) { return at >= distance && text_[at - distance] == '`'; };
    counts_.fences += is(1) && is(2) && !is(3);
  }

  // Hashes them, one behind the other; then what is true of few.
  IN_BOTH void read_tokens() {
    for (size_t i = 0; i < starts_.count; ++i) {
      const size_t place = starts_.list.data()[i];
      const uint64_t parted = parting_.data()[place / map_bytes] >> (place % map_bytes) & 1;
      tokens_.data()[i] = {hash_of(text_ + place, size_at(place)), 1,
                           static_cast<uint16_t>(parted)};
    }
    for (size_t i = 0; i < block_count_; ++i) {
      const BlockMaps& block = blocks_.data()[i];
      const uint64_t starts = block.words | block.numbers | block.characters;
      for (uint64_t left = block.numbers | block.characters; left != 0; left &= left - 1) {
        const int bit = std::countr_zero(left);
        const uint64_t before = starts & ((uint64_t{1} << bit) - 1);
        const size_t at = first_token_.data()[i] + static_cast<size_t>(std::popcount(before));
        tokens_.data()[at].is_word = 0;
        read_other(block, bit, i * map_bytes + static_cast<size_t>(bit), tokens_.data()[at]);
      }
      // Letters that stand alone, with a sign behind them.
      const BlockMaps& next = blocks_.data()[i + 1];
      const uint64_t alone = block.words & (block.ends >> 1 | next.ends << 63);
      for (uint64_t left = alone & (block.marks >> 1 | next.marks << 63); left != 0;
           left &= left - 1) {
        const int bit = std::countr_zero(left);
        read_letter(block, bit, text_ + i * map_bytes + bit);
      }
    }
    tokens_.data()[0].parted = 1;
  }

  // To the next byte that does not go on; longer tokens than 63 are cut.
  IN_BOTH size_t size_at(size_t place) const {
    const unsigned bit = place % map_bytes;
    const BlockMaps* const block = blocks_.data() + place / map_bytes;
    const uint64_t ends = block[0].ends >> bit >> 1 | block[1].ends << (63 - bit);
    return 1 + static_cast<size_t>(std::countr_zero(ends | uint64_t{1} << 62));
  }

  // Looks all of them up. Without branches: no predictor guesses which words come again.
  IN_BOTH void take_tokens() {
    Grams grams{features_.buckets.data()};
    uint32_t distinct = 0;
    uint32_t known_words = 0;
    uint32_t previous = 0;
    for (size_t i = 0; i < starts_.count; ++i) {
      const Token& token = tokens_.data()[i];
      const uint32_t hash = token.hash;
      const uint32_t is_word = token.is_word;
      ++counts_.groups.data()[static_cast<uint32_t>(group_of(hash))];
      known_words += is_known(hash) & is_word;
      const uint32_t added = grams.add(hash, 1);
      features_.words.data()[distinct] = hash;
      distinct += added & is_word;
      grams.add(previous * 31 + hash, 1u ^ token.parted);
      previous = hash;
    }
    features_.bucket_count = static_cast<uint32_t>(grams.end - features_.buckets.data());
    features_.word_count = distinct;
    counts_.distinct = distinct;
    counts_.known = known_words;
  }

  IN_BOTH uint32_t is_known(uint32_t hash) const {
    const uint32_t place = known_place(hash) & known_mask_;
    uint32_t bits;
    std::memcpy(&bits, known_ + place / 32 * sizeof(bits), sizeof(bits));
    return bits >> (place % 32);
  }

  // A number, or a character of no word.
  IN_BOTH void read_other(const BlockMaps& block, int bit, size_t place, Token& token) {
    const char* const at = text_ + place;
    const size_t size = size_at(place);
    if ((block.numbers >> bit & 1) != 0) {
      ++counts_.numbers;
      counts_.digits += static_cast<uint32_t>(size);
      counts_.numbered += (block.line_begins >> bit & 1) != 0 &&
                          (at[size] == '.' || at[size] == ')') &&
                          static_cast<unsigned char>(at[size + 1]) <= ' ';
      // Numbers are words by their length: which ones they are says little.
      token.hash = 0x51ED270Bu + static_cast<uint32_t>(std::min<size_t>(size, 6));
      return;
    }
    const auto lead = static_cast<unsigned char>(*at);
    ++counts_.high_letters;
    // Latin letters with marks end at C9; general punctuation, arrows and operators are E2.
    counts_.other_script += (lead > 0xC9 && lead < 0xE2) || (lead > 0xE2 && lead < 0xF0);
    counts_.operators += lead == 0xE2;
  }

  // "A." or "(b)" before what can be chosen.
  IN_BOTH void read_letter(const BlockMaps& block, int bit, const char* at) {
    const bool marked = at[1] == ')' || at[1] == ':' ||
                        (at[1] == '.' && sign_tables.behind[static_cast<unsigned char>(at[2])] !=
                                             static_cast<uint8_t>(Behind::letter));
    const bool first = (block.line_begins >> bit & 1) != 0;
    counts_.options += marked && (first || at[-1] == '(' || at[-1] == ' ' || at[-1] == '\t');
  }

  IN_BOTH void write_sums() {
    TextCounts& counts = counts_;
    counts.questions = sum_of(sums_, SignCount::questions);
    counts.sentences = sum_of(sums_, SignCount::sentences);
    counts.bullets = sum_of(sums_, SignCount::bullets);
    counts.operators += sum_of(sums_, SignCount::operators);
    counts.equals = sum_of(sums_, SignCount::equals);
    counts.headings = sum_of(sums_, SignCount::headings);
    counts.braces = sum_of(sums_, SignCount::braces);
    counts.brackets = sum_of(sums_, SignCount::brackets);
    counts.parentheses = sum_of(sums_, SignCount::parentheses);
    counts.semicolons = sum_of(sums_, SignCount::semicolons);
    counts.latex = sum_of(sums_, SignCount::latex);
    counts.percent_money = sum_of(sums_, SignCount::percent_money);
    counts.quotes = sum_of(sums_, SignCount::quotes);
    counts.colons = sum_of(sums_, SignCount::colons);
    counts.commas = sum_of(sums_, SignCount::commas);
    counts.identifiers += sum_of(sums_, SignCount::identifiers);
  }

  const char* const text_;
  const ByteMaps* const maps_;
  const size_t block_count_;
  const char* const known_;
  const uint32_t known_mask_;
  Features& features_;
  TextCounts& counts_;
  size_t last_shown_ = 0;
  SignSums sums_{};
  Places marks_;
  Places starts_;
  std::array<uint16_t, Window::maps_max> first_token_;  // of each block
  std::array<uint64_t, Window::maps_max> parting_{};  // then: tokens that no pair reaches back from
  std::array<BlockMaps, Window::maps_max> blocks_;
  std::array<Token, Window::size_max> tokens_;
};

IN_BOTH TextCounts read_any(const Window& window, std::string_view known, Features& features) {
  TextCounts counts;
  if (!window.text().empty()) Reading(window, known, features, counts).read();
  return counts;
}

#ifdef __x86_64__
[[gnu::target("popcnt,bmi,bmi2")]] TextCounts read_by_instructions(const Window& window,
                                                                   std::string_view known,
                                                                   Features& features) {
  return read_any(window, known, features);
}

bool has_instructions() {
  return __builtin_cpu_supports("popcnt") && __builtin_cpu_supports("bmi") &&
         __builtin_cpu_supports("bmi2");
}
#endif

}  // namespace

TextCounts read_text_plainly(const Window& window, std::string_view known, Features& features) {
  return read_any(window, known, features);
}

TextCounts read_text(const Window& window, std::string_view known, Features& features) {
#ifdef __x86_64__
  if (has_instructions()) return read_by_instructions(window, known, features);
#endif
  return read_any(window, known, features);
}

}  // namespace hyperion::routing
