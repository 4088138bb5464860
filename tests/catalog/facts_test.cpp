#include "catalog/facts.h"

#include <doctest/doctest.h>

#include "catalog/model.h"

using namespace hyperion::catalog;

namespace {

Efforts efforts(std::initializer_list<Effort> list) {
  Efforts result;
  for (Effort effort : list) {
    result.bits = static_cast<uint8_t>(result.bits | 1u << static_cast<uint8_t>(effort));
  }
  return result;
}

}  // namespace

TEST_CASE("an effort that a model does not accept becomes the nearest lower, then the higher") {
  const Efforts claude = efforts({Effort::low, Effort::medium, Effort::high, Effort::max});
  CHECK(claude.nearest(Effort::medium) == Effort::medium);
  CHECK(claude.nearest(Effort::xhigh) == Effort::high);
  CHECK(claude.nearest(Effort::max) == Effort::max);
  CHECK(claude.nearest(Effort::minimal) == Effort::low);
  CHECK(claude.nearest(Effort::none) == Effort::low);
  const Efforts gpt = efforts({Effort::none, Effort::low});
  CHECK(gpt.nearest(Effort::minimal) == Effort::none);
  CHECK(gpt.nearest(Effort::max) == Effort::low);
  CHECK(efforts({Effort::max}).nearest(Effort::none) == Effort::max);
}

TEST_CASE("a model without efforts has none to choose from") {
  CHECK_FALSE(Efforts{}.any());
  CHECK_FALSE(Efforts{}.has(Effort::none));
  CHECK(Efforts{}.nearest(Effort::high) == Effort::high);
  CHECK(efforts({Effort::none}).any());
  CHECK(efforts({Effort::none}).has(Effort::none));
  CHECK_FALSE(efforts({Effort::none}).has(Effort::minimal));
}

TEST_CASE("a key is presented as its provider's dialect wants it") {
  CHECK(authentication_of(Dialect::openai, false).header == "authorization");
  CHECK(authentication_of(Dialect::openai, false).prefix == "Bearer ");
  CHECK(authentication_of(Dialect::anthropic, false).header == "x-api-key");
  CHECK(authentication_of(Dialect::anthropic, false).prefix.empty());
  CHECK(authentication_of(Dialect::gemini, false).header == "x-goog-api-key");
  CHECK(authentication_of(Dialect::gemini, true).header == "authorization");
}
