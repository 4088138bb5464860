// Words, lines and signs are found in maps of bits; here they are held against the plain reading.
#include "routing/text_reading.h"

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "routing/byte_maps.h"

namespace hyperion::routing {
namespace {

struct Read {
  TextCounts counts;
  std::vector<uint16_t> buckets;
  std::vector<uint32_t> words;
};

template <class Reader>
Read read_with(Reader reader, std::string_view raw, std::string_view known = {}) {
  auto features = std::make_unique<Features>();
  const Window window({&raw, 1});
  Read read{reader(window, known, *features), {}, {}};
  read.buckets.assign(features->buckets.begin(),
                      features->buckets.begin() + features->bucket_count);
  read.words.assign(features->words.begin(), features->words.begin() + features->word_count);
  return read;
}
Read read(std::string_view raw) { return read_with(read_text, raw); }

std::vector<uint32_t> hashes_of(std::initializer_list<std::string_view> words) {
  std::vector<uint32_t> hashes;
  for (std::string_view word : words) hashes.push_back(word_hash(word));
  return hashes;
}

uint32_t in_group(const Read& read, Group group) {
  return read.counts.groups[static_cast<size_t>(group)];
}

// Words, numbers, signs, scripts and bytes of no character, in any order.
std::string any_text(std::mt19937& random) {
  static const char* const pieces[] = {"the",
                                       "don't",
                                       "x_1",
                                       "3.14",
                                       "\\n",
                                       " ",
                                       "  ",
                                       "A.",
                                       "(b)",
                                       "- ",
                                       "```",
                                       "{",
                                       "};",
                                       "?",
                                       "Gödel",
                                       "素数",
                                       "—",
                                       "\xff",
                                       "\xc3",
                                       "'",
                                       "_",
                                       "1.",
                                       "$5",
                                       "a",
                                       "I",
                                       "%",
                                       "\\\\frac",
                                       "é",
                                       "incomprehensibilities",
                                       "\\t",
                                       "#",
                                       "Привет",
                                       "*",
                                       "x",
                                       "42",
                                       ".",
                                       "\\u0041"};
  std::string text;
  const size_t count = random() % 120;
  for (size_t i = 0; i < count; ++i) {
    text += pieces[random() % std::size(pieces)];
    if (random() % 2 == 0) text += ' ';
  }
  return text;
}

TEST_CASE("maps of bytes are the same however they are read") {
  std::mt19937 random(5);
  for (int turn = 0; turn < 200; ++turn) {
    std::string text;
    for (size_t i = 0; i < 3 * map_bytes; ++i) text += static_cast<char>(random());
    ByteMaps fast[3];
    ByteMaps plain[3];
    read_byte_maps(text.data(), 3, fast);
    read_byte_maps_plainly(text.data(), 3, plain);
    for (int i = 0; i < 3; ++i) {
      CHECK(fast[i].small == plain[i].small);
      CHECK(fast[i].capital == plain[i].capital);
      CHECK(fast[i].digit == plain[i].digit);
      CHECK(fast[i].blank == plain[i].blank);
      CHECK(fast[i].newline == plain[i].newline);
      CHECK(fast[i].control == plain[i].control);
      CHECK(fast[i].high == plain[i].high);
      CHECK(fast[i].apostrophe == plain[i].apostrophe);
      CHECK(fast[i].underscore == plain[i].underscore);
    }
  }
}

TEST_CASE("every processor reads the same") {
  std::mt19937 random(4);
  std::string known(size_t{1} << known_bits >> 3, '\0');
  for (char& byte : known) byte = static_cast<char>(random());
  for (int turn = 0; turn < 2000; ++turn) {
    const std::string text = any_text(random);
    INFO(text);
    const Read fast = read_with(read_text, text, known);
    const Read plain = read_with(read_text_plainly, text, known);
    CHECK(fast.buckets == plain.buckets);
    CHECK(fast.words == plain.words);
    CHECK(fast.counts == plain.counts);
    CHECK(fast.counts.known <= fast.counts.words);
  }
}

TEST_CASE("blanks before a text move it over the edges of blocks and change nothing") {
  std::mt19937 random(6);
  for (int turn = 0; turn < 40; ++turn) {
    const std::string text = any_text(random).substr(0, 350);
    if (text.find('\\') != std::string::npos) continue;  // may be cut within an escape
    const Read here = read(text);
    for (size_t shift : {1, 7, 31, 62, 63, 64, 65, 100}) {
      INFO(shift << ": " << text);
      const Read there = read(std::string(shift, ' ') + text);
      CHECK(there.buckets == here.buckets);
      CHECK(there.words == here.words);
      CHECK(there.counts == here.counts);
    }
  }
}

TEST_CASE("words are runs of letters with what belongs to them") {
  CHECK(read("Two words").words == hashes_of({"two", "words"}));
  CHECK(read("don't 'quoted' it's").words == hashes_of({"don't", "quoted", "it's"}));
  CHECK(read("x2 and 2x").words == hashes_of({"x2", "and", "x"}));
  CHECK(read("snake_case __init__ ___").words == hashes_of({"snake_case", "_init_"}));
  CHECK(read("GÖDEL gödel").words == hashes_of({"gödel"}));
  CHECK(read("incomprehensibilities").words == hashes_of({"incomprehensibilities"}));
  CHECK(read("the THE The").counts.words == 3);
  CHECK(read("the THE The").counts.distinct == 1);
  CHECK(read("short longest").counts.long_words == 1);
  CHECK(read("ab cde").counts.letters == 5);
}

TEST_CASE("pairs of words reach over commas and lines, and not over the end of a sentence") {
  const auto grams = [](std::string_view text) { return read(text).buckets.size(); };
  CHECK(grams("one two") == 3);
  CHECK(grams("one, two") == 3);
  CHECK(grams("one\\ntwo") == 3);
  CHECK(grams("one. two") == 2);
  CHECK(grams("one?  (two") == 2);
  CHECK(grams("one two one two") == 4);
}

TEST_CASE("numbers are told by their length") {
  CHECK(read("17").buckets == read("42").buckets);
  CHECK(read("17").buckets != read("1742").buckets);
  CHECK(read("3.14").counts.numbers == 2);
  CHECK(read("3.14").counts.digits == 3);
}

TEST_CASE("the structure of a text is counted") {
  CHECK(read("- one\\n- two\\n  * three").counts.bullets == 3);
  CHECK(read("1. one\\n2) two\\n 3.5 three").counts.numbered == 2);
  CHECK(read("A. yes\\nB. no\\n(c) both\\nI am a. e.g. x").counts.options == 4);
  CHECK(read("# head\\ntext # none").counts.headings == 1);
  CHECK(read("```\\nx\\n```` and `x`").counts.fences == 2);
  CHECK(read("a;\\nb {\\n}\\nc").counts.code_lines == 3);
  CHECK(read("a\\n\\n  \\nb").counts.lines == 2);
  CHECK(read("f(x) a.b c_d e. f").counts.identifiers == 3);
  CHECK(read("One. Two! Three? 3.14 e.g").counts.sentences == 3);
  CHECK(read("why? or why?x").counts.questions == 2);
  CHECK(read("a - b, well-known, -3, x+1").counts.operators == 3);
  CHECK(read("$5 and 7%").counts.percent_money == 2);
  CHECK(read("{}[]();=:,\\\"").counts.braces == 2);
  CHECK(read("素数 is prime").counts.other_script == 2);
  CHECK(read("so it ends? ").counts.last_sign == '?');
}

TEST_CASE("words of instruction are found in their groups, in any case") {
  const Read found = read("Write a STORY; prove nothing. What?");
  CHECK(in_group(found, Group::building) == 1);
  CHECK(in_group(found, Group::writing) == 1);
  CHECK(in_group(found, Group::proving) == 1);
  CHECK(in_group(found, Group::negations) == 1);
  CHECK(in_group(found, Group::asking) == 1);
}

}  // namespace
}  // namespace hyperion::routing
