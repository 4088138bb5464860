#include "catalog/name_set.h"

#include <doctest/doctest.h>

using hyperion::catalog::NameSet;

TEST_CASE("a set of names has what was added, once and in order, and nothing else") {
  NameSet set;
  CHECK_FALSE(set.contains(""));
  CHECK_FALSE(set.contains("a"));
  for (const char* name : {"m", "b", "ab", "b", "a", "m"}) set.add(name);
  set.seal();
  REQUIRE(set.size() == 4);
  CHECK(set[0] == "a");
  CHECK(set[1] == "ab");
  CHECK(set[2] == "b");
  CHECK(set[3] == "m");
  for (const char* name : {"a", "ab", "b", "m"}) CHECK(set.contains(name));
  for (const char* name : {"", "A", "aa", "abc", "ba", "mm", "z"}) CHECK_FALSE(set.contains(name));
}
