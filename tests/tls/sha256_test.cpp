#include "tls/sha256.h"

#include <algorithm>
#include <cctype>
#include <set>
#include <string>

#include <doctest/doctest.h>

using namespace hyperion::tls;

TEST_CASE("sha256 gives the example hashes of FIPS 180-4") {
  CHECK(hex_of(sha256("").view()) ==
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(hex_of(sha256("abc").view()) ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(hex_of(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq").view()) ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(hex_of(sha256(std::string(1'000'000, 'a')).view()) ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("a hash survives the way to hexadecimal and back") {
  Sha256 hash = sha256("a key");
  std::array<char, 64> text = hex_of(hash);
  std::string hex(text.data(), text.size());
  CHECK(hex == hex_of(hash.view()));
  CHECK(sha256_from_hex(hex) == hash);
  std::transform(hex.begin(), hex.end(), hex.begin(), ::toupper);
  CHECK(sha256_from_hex(hex) == hash);
}

TEST_CASE("a text that is not 64 hexadecimal digits is no hash") {
  std::string hex = hex_of(sha256("a key").view());
  CHECK_FALSE(sha256_from_hex("").has_value());
  CHECK_FALSE(sha256_from_hex(hex.substr(1)).has_value());
  CHECK_FALSE(sha256_from_hex(hex + "0").has_value());
  for (char wrong : {'g', ' ', '\0', '-', 'x'}) {
    std::string bad = hex;
    bad[63] = wrong;
    CHECK_FALSE(sha256_from_hex(bad).has_value());
    bad = hex;
    bad[0] = wrong;
    CHECK_FALSE(sha256_from_hex(bad).has_value());
  }
}

TEST_CASE("constant_time_equal compares length and every byte") {
  CHECK(constant_time_equal("", ""));
  CHECK(constant_time_equal("secret", "secret"));
  CHECK_FALSE(constant_time_equal("secret", "secre"));
  CHECK_FALSE(constant_time_equal("", "s"));
  std::string text(64, 'k');
  for (size_t i = 0; i < text.size(); ++i) {
    std::string other = text;
    other[i] = static_cast<char>(other[i] ^ 0x80);
    CHECK_FALSE(constant_time_equal(text, other));
  }
}

TEST_CASE("random_bytes fills every byte asked for and does not repeat itself") {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    std::string bytes(32, '\0');
    random_bytes(bytes.data(), bytes.size());
    seen.insert(bytes);
  }
  CHECK(seen.size() == 100);
  // A byte that is never written stays zero in all of 64 tries with probability 2^-512.
  std::string touched(1000, '\0');
  for (int i = 0; i < 64; ++i) {
    std::string bytes(1000, '\0');
    random_bytes(bytes.data(), bytes.size());
    for (size_t at = 0; at < bytes.size(); ++at) touched[at] |= bytes[at];
  }
  CHECK(touched.find('\0') == std::string::npos);
  random_bytes(nullptr, 0);
}
