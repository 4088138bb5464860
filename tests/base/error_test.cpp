#include "base/error.h"

#include <cerrno>
#include <memory>
#include <set>
#include <string>

#include <doctest/doctest.h>

namespace hyperion {
namespace {

TEST_CASE("result: holds a value or an error, never both") {
  Result<int> good(7);
  CHECK(good);
  CHECK(*good == 7);
  CHECK(good.error().code == ErrorCode::none);
  Result<int> bad(make_error(ErrorCode::timed_out, Side::upstream, ETIMEDOUT));
  CHECK_FALSE(bad);
  CHECK(bad.error().code == ErrorCode::timed_out);
  CHECK(bad.error().side == Side::upstream);
  CHECK(bad.error().system_errno == ETIMEDOUT);
}

TEST_CASE("result: destroys its value once, also after a move") {
  auto value = std::make_shared<int>(3);
  {
    Result<std::shared_ptr<int>> first(value);
    CHECK(value.use_count() == 2);
    Result<std::shared_ptr<int>> second(std::move(first));
    CHECK(value.use_count() == 2);
    CHECK(**second == 3);
  }
  CHECK(value.use_count() == 1);
}

TEST_CASE("error: is eight bytes, true when it is one, compared by all its fields") {
  CHECK_FALSE(Error{});
  Error error = make_error(ErrorCode::connection_reset, Side::client, ECONNRESET);
  CHECK(error);
  Error other = error;
  CHECK(other == error);
  other.retry_safe = 1;
  CHECK_FALSE(other == error);
}

TEST_CASE("error: every code has a name of its own") {
  std::set<std::string> names;
  for (int code = 0; code <= static_cast<int>(ErrorCode::invalid); ++code) {
    std::string name = name_of(static_cast<ErrorCode>(code));
    CHECK_FALSE(name.empty());
    CHECK(names.insert(name).second);
  }
}

}  // namespace
}  // namespace hyperion
