#include "base/secret.h"

#include <concepts>
#include <ostream>
#include <string>
#include <type_traits>

#include <doctest/doctest.h>

namespace {

using hyperion::Secret;

template <class T>
concept Streamable = requires(std::ostream& out, const T& value) {
  out << value;
};
template <class T>
concept AppendableToText = requires(std::string& text, const T& value) {
  text += value;
};

// What would let a secret into a log line, an error or a metric does not compile.
static_assert(!std::is_copy_constructible_v<Secret>);
static_assert(!std::is_copy_assignable_v<Secret>);
static_assert(!std::is_convertible_v<const Secret&, std::string_view>);
static_assert(!std::is_convertible_v<const Secret&, std::string>);
static_assert(!std::is_convertible_v<const Secret&, const char*>);
static_assert(!std::is_convertible_v<std::string_view, Secret>);
static_assert(!std::equality_comparable<Secret>);
static_assert(!Streamable<Secret>);
static_assert(!AppendableToText<Secret>);
// The checks can tell: they hold for a text.
static_assert(Streamable<std::string> && AppendableToText<std::string>);

}  // namespace

TEST_CASE("a secret keeps its bytes through moves and leaves nothing behind") {
  Secret first("sk-one");
  CHECK(first.reveal() == "sk-one");
  Secret second(std::move(first));
  CHECK(first.empty());
  CHECK(first.reveal().empty());
  CHECK(second.reveal() == "sk-one");
  Secret third("sk-three");
  third = std::move(second);
  CHECK(third.reveal() == "sk-one");
  CHECK(second.empty());
}

TEST_CASE("taking a text zeroes where it came from") {
  std::string text = "sk-0123456789abcdefghijklmnopqrstuvwxyz";
  const char* bytes = text.data();
  const size_t size = text.size();
  const Secret secret = Secret::take(text);
  CHECK(text.empty());
  CHECK(secret.reveal() == "sk-0123456789abcdefghijklmnopqrstuvwxyz");
  // The string still owns its buffer, so it may be looked at.
  for (size_t i = 1; i < size; ++i) CHECK(bytes[i] == '\0');
}

TEST_CASE("an empty secret and one larger than a page") {
  CHECK(Secret().empty());
  CHECK(Secret(std::string_view{}).empty());
  const std::string large(10'000, 'k');
  CHECK(Secret(large).reveal() == large);
}
