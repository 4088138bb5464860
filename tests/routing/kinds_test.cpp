#include "routing/kinds.h"

#include <doctest/doctest.h>

namespace hyperion::routing {

TEST_CASE("every kind and every head has a name of its own, and a kind is found by it") {
  for (size_t i = 0; i < kind_count; ++i) {
    const Kind kind = static_cast<Kind>(i);
    CHECK_FALSE(name_of(kind).empty());
    CHECK(kind_named(name_of(kind)) == kind);
  }
  CHECK(kind_named("") == Kind::count);
  CHECK(kind_named("mathematics") == Kind::count);
  CHECK(name_of(Head::mathematics) == "mathematics");
  CHECK(name_of(Head::chat) == "chat");
}

}  // namespace hyperion::routing
