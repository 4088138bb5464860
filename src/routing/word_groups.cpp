#include "routing/word_groups.h"

#include <array>
#include <cstddef>

namespace hyperion::routing {
namespace {

struct GroupWords {
  Group group;
  std::string_view words;  // separated by single blanks
};

constexpr GroupWords groups[] = {
    {Group::asking, "what which who whom whose when where why how whether"},
    {Group::building,
     "write implement create build develop design generate make construct draft compose produce "
     "complete add modify refactor optimize optimise"},
    {Group::explaining,
     "explain describe discuss analyze analyse compare contrast evaluate justify interpret assess "
     "critique elaborate outline illustrate examine investigate"},
    {Group::calculating,
     "solve calculate compute equation integral derivative sum product probability polynomial "
     "matrix triangle fraction area volume angle ratio remainder prime integer integers real "
     "number numbers average cost costs total earn earns twice half digit digits function"},
    {Group::proving,
     "prove proof show derive theorem lemma induction contradiction rigorous rigorously formally "
     "conjecture corollary axiom suppose converge converges bounded continuous"},
    {Group::programming,
     "python java javascript typescript rust golang code program script class array string strings "
     "return import def int void var const algorithm complexity recursion recursive api sql html "
     "css bug debug compile exception thread threads async mutex database query regex json loop "
     "variable method library test tests stdin stdout output input"},
    {Group::conditions,
     "if then because therefore assume given each every either neither unless both otherwise "
     "whenever while until implies hence since though"},
    {Group::constraints,
     "must should exactly only without least most never always limit maximum minimum avoid ensure "
     "require requires required requirement constraint constraints guarantee cannot strictly "
     "allowed valid"},
    {Group::transforming,
     "summarize summarise summary translate rewrite paraphrase rephrase extract classify convert "
     "correct edit shorten proofread grammar simplify format categorize following text passage "
     "sentence paragraph article"},
    {Group::writing,
     "story poem essay letter email blog song speech creative slogan novel character tone audience "
     "post ideas suggest brainstorm title"},
    {Group::greeting,
     "hi hello hey thanks thank please sorry bye ok okay yes no me my you your yourself am im i'm"},
    {Group::steps,
     "step steps first second third next finally plan strategy procedure process order sequence "
     "determine deduce puzzle possible"},
    {Group::negations,
     "not except false incorrect none nor nothing isnt doesnt dont isn't doesn't don't wrong"},
    {Group::quantities,
     "one two three four five six seven eight nine ten hundred thousand million many much more "
     "less few several all some"},
};

// False if two words meet; a word that is in two groups is of the first.
constexpr bool fill(GroupTable& table) {
  for (const GroupWords& row : groups) {
    size_t begin = 0;
    while (begin < row.words.size()) {
      size_t end = row.words.find(' ', begin);
      if (end == std::string_view::npos) end = row.words.size();
      const uint32_t hash = word_hash(row.words.substr(begin, end - begin));
      uint32_t& slot = table.slots[GroupTable::place_of(hash, table.multiplier)];
      if (slot != 0 && (slot ^ hash) > GroupTable::group_mask) return false;
      if (slot == 0) slot = (hash & ~GroupTable::group_mask) | static_cast<uint32_t>(row.group);
      begin = end + 1;
    }
  }
  return true;
}

// Found by trying: under it no two of the words meet. A new word may need another.
constexpr uint32_t multiplier = 0x4E261AC7u;

consteval GroupTable make_table() {
  GroupTable table{multiplier, {}};
  if (!fill(table)) table.multiplier = 0;
  return table;
}

}  // namespace

constexpr GroupTable group_table = make_table();
static_assert(group_table.multiplier != 0, "two words meet: try another multiplier");

}  // namespace hyperion::routing
