#include "catalog/nearest.h"

#include <string>

#include <doctest/doctest.h>

using hyperion::catalog::edit_distance;
using hyperion::catalog::too_far;

TEST_CASE("the distance counts insertions, removals, replacements and swaps, without case") {
  CHECK(edit_distance("listen", "listen", 3) == 0);
  CHECK(edit_distance("LISTEN", "listen", 3) == 0);
  CHECK(edit_distance("lisen", "listen", 3) == 1);
  CHECK(edit_distance("listten", "listen", 3) == 1);
  CHECK(edit_distance("liszen", "listen", 3) == 1);
  CHECK(edit_distance("litsen", "listen", 3) == 1);
  CHECK(edit_distance("kitten", "sitting", 3) == 3);
  CHECK(edit_distance("", "abc", 3) == 3);
  CHECK(edit_distance("", "", 0) == 0);
}

TEST_CASE("beyond the limit, or of long texts, it is too far") {
  CHECK(edit_distance("abcdef", "uvwxyz", 3) == too_far);
  CHECK(edit_distance("a", "abcdef", 3) == too_far);
  const std::string longer(65, 'a');
  CHECK(edit_distance(longer, longer, 3) == too_far);
  CHECK(edit_distance(std::string(64, 'a'), std::string(64, 'a'), 3) == 0);
}
