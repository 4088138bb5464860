#include "gateway/authentication.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace hyperion;

namespace {

config::VirtualKey key_of(const std::string& id, std::string_view text, bool revoked = false) {
  config::VirtualKey key;
  key.id = id;
  key.hash = tls::sha256(text);
  key.revoked = revoked;
  return key;
}

const std::string longest_key = "sk_live_" + std::string(504, 'k');

config::VirtualKeys some_keys() {
  return config::VirtualKeys({key_of("one", "sk_live_one"), key_of("two", "sk_live_two"),
                              key_of("gone", "sk_live_gone", true), key_of("empty", ""),
                              key_of("long", longest_key)});
}

// The id of the key that a request with these headers has; "" for none.
std::string who(std::vector<http::Header> headers, const config::VirtualKeys& keys = some_keys()) {
  http::RequestHead head;
  head.headers = {headers.data(), headers.size()};
  const config::VirtualKey* key = gateway::authenticate(head, keys);
  return key == nullptr ? std::string() : key->id;
}

}  // namespace

TEST_CASE("a key is taken from Authorization, whatever the case of name and scheme") {
  CHECK(who({{"Authorization", "Bearer sk_live_one"}}) == "one");
  CHECK(who({{"authorization", "bearer sk_live_two"}}) == "two");
  CHECK(who({{"AUTHORIZATION", "BEARER sk_live_one"}}) == "one");
}

TEST_CASE("a key is taken from x-api-key where there is no bearer") {
  CHECK(who({{"x-api-key", "sk_live_one"}}) == "one");
  CHECK(who({{"X-Api-Key", "sk_live_two"}}) == "two");
  CHECK(who({{"authorization", "Basic c2s6"}, {"x-api-key", "sk_live_two"}}) == "two");
  // A bearer that is wrong is not saved by another header.
  CHECK(who({{"authorization", "Bearer sk_live_none"}, {"x-api-key", "sk_live_two"}}) == "");
}

TEST_CASE("unknown, revoked and malformed keys are nobody") {
  CHECK(who({{"authorization", "Bearer sk_live_three"}}) == "");
  CHECK(who({{"authorization", "Bearer sk_live_gone"}}) == "");
  CHECK(who({{"x-api-key", "sk_live_gone"}}) == "");
  CHECK(who({{"authorization", "Bearer SK_LIVE_ONE"}}) == "");
  CHECK(who({{"authorization", "Bearer sk_live_on"}}) == "");
  CHECK(who({{"authorization", "Bearer sk_live_one "}}) == "");
  CHECK(who({{"authorization", "Bearer  sk_live_one"}}) == "");
  CHECK(who({{"authorization", "Bearersk_live_one"}}) == "");
  CHECK(who({{"authorization", "Bearer\tsk_live_one"}}) == "");
  CHECK(who({{"authorization", "sk_live_one"}}) == "");
  CHECK(who({{"authorization", "Basic sk_live_one"}}) == "");
  CHECK(who({{"x-api-key", "Bearer sk_live_one"}}) == "");
  CHECK(who({{"cookie", "sk_live_one"}}) == "");
}

TEST_CASE("a hash is not a key") {
  auto hex = tls::hex_of(tls::sha256("sk_live_one"));
  const std::string hash(hex.data(), hex.size());
  CHECK(who({{"authorization", "Bearer " + hash}}) == "");
  CHECK(who({{"authorization", "Bearer sha256:" + hash}}) == "");
}

TEST_CASE("nothing presented is nobody, even if the hash of nothing were in the conf") {
  CHECK(who({}) == "");
  CHECK(who({{"authorization", ""}}) == "");
  CHECK(who({{"authorization", "Bearer"}}) == "");
  CHECK(who({{"authorization", "Bearer "}}) == "");
  CHECK(who({{"x-api-key", ""}}) == "");
}

TEST_CASE("a conf without keys knows nobody") {
  const config::VirtualKeys none;
  CHECK(who({{"authorization", "Bearer sk_live_one"}}, none) == "");
  CHECK(who({}, none) == "");
  CHECK(who({{"authorization", "Bearer sk_live_one"}},
            config::VirtualKeys(std::vector<config::VirtualKey>())) == "");
}

TEST_CASE("a credential is hashed whole: what follows the longest key makes it another one") {
  REQUIRE(longest_key.size() == gateway::credential_size_max_bytes);
  const std::string bearer = "Bearer " + longest_key;
  CHECK(who({{"authorization", bearer}}) == "long");
  const std::string longer = bearer + "x";
  CHECK(who({{"authorization", longer}}) == "");
  const std::string huge(8000, 'k');
  CHECK(who({{"x-api-key", huge}}) == "");
}
