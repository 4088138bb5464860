// A hold is given back once, whatever becomes of it.
#include "ledger/holds.h"

#include <doctest/doctest.h>

namespace hyperion::ledger {

TEST_CASE("a hold is settled, kept whole or released, and once only") {
  Holds holds;
  {
    Hold settled = holds.take(100);
    Hold kept = holds.take(70);
    Hold released = holds.take(50);
    Hold forgotten = holds.take(30);
    CHECK(settled.granted());
    CHECK(holds.open_count() == 4);
    CHECK(holds.open_nano_usd() == 250);
    settled.settle(40);
    settled.settle(40);
    kept.keep_whole();
    kept.release();
    released.release();
    released.keep_whole();
    CHECK(holds.open_count() == 1);
  }
  CHECK(holds.open_count() == 0);
  CHECK(holds.open_nano_usd() == 0);
  CHECK(holds.spent_nano_usd() == 110);
}

TEST_CASE("a hold that moves is one, and an unknown sum counts as nothing") {
  Holds holds;
  Hold first = holds.take(-1);
  CHECK(first.granted());
  CHECK(holds.open_nano_usd() == 0);
  Hold second = holds.take(20);
  second = std::move(first);
  CHECK_FALSE(first.granted());
  CHECK(holds.open_count() == 1);
  CHECK(holds.open_nano_usd() == 0);
  Hold third(std::move(second));
  third.settle(-1);
  CHECK(holds.open_count() == 0);
  CHECK(holds.spent_nano_usd() == 0);
}

}  // namespace hyperion::ledger
