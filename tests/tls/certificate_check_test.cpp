// Certificates are built here from their parts: only the layout matters to the functions under
// test, no signature is ever checked by them.
#include "tls/certificate_check.h"

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

using namespace hyperion::tls;

namespace {

std::string element(int tag, const std::string& contents) {
  std::string out(1, static_cast<char>(tag));
  size_t size = contents.size();
  if (size < 0x80) {
    out += static_cast<char>(size);
  } else if (size < 0x100) {
    out += {'\x81', static_cast<char>(size)};
  } else {
    out += {'\x82', static_cast<char>(size >> 8), static_cast<char>(size & 0xFF)};
  }
  return out + contents;
}
std::string sequence(const std::string& contents) { return element(0x30, contents); }
std::string oid(const std::string& bytes) { return element(0x06, bytes); }

const std::string null_parameters("\x05\x00", 2);
const std::string rsa_prefix = "\x2A\x86\x48\x86\xF7\x0D\x01\x01";
const std::string sha256_rsa = sequence(oid(rsa_prefix + "\x0B") + null_parameters);
const std::string sha1_rsa = sequence(oid(rsa_prefix + "\x05") + null_parameters);
const std::string md5_rsa = sequence(oid(rsa_prefix + "\x04") + null_parameters);
const std::string ecdsa_sha256 = sequence(oid("\x2A\x86\x48\xCE\x3D\x04\x03\x02"));
const std::string ecdsa_sha1 = sequence(oid("\x2A\x86\x48\xCE\x3D\x04\x01"));
const std::string san_oid = oid("\x55\x1D\x11");

std::string extension(const std::string& id, const std::string& value, bool critical = false) {
  return sequence(id + (critical ? std::string("\x01\x01\xFF") : "") + element(0x04, value));
}
std::string names_extension(const std::string& name) {
  return extension(san_oid, sequence(element(0x82, name)));
}

struct Parts {
  std::string algorithm = ecdsa_sha256;
  std::string inner_algorithm = ecdsa_sha256;
  std::string issuer = "issuer";
  std::string subject = "subject";
  std::string extensions = names_extension("good.test");
};

std::string certificate(const Parts& parts) {
  std::string version = element(0xA0, std::string("\x02\x01\x02", 3));
  std::string body = version + element(0x02, "\x01") + parts.inner_algorithm +
                     sequence(parts.issuer) + sequence("validity") + sequence(parts.subject) +
                     sequence("key");
  if (!parts.extensions.empty()) body += element(0xA3, sequence(parts.extensions));
  return sequence(sequence(body) + parts.algorithm + element(0x03, "signature"));
}

std::string signed_with(const std::string& algorithm, Parts parts = {}) {
  parts.algorithm = parts.inner_algorithm = algorithm;
  return certificate(parts);
}

Problem check(std::initializer_list<std::string> chain, std::string_view host = "good.test") {
  std::vector<std::string_view> views(chain.begin(), chain.end());
  return check_certificates(views.data(), views.size(), *PeerName::parse(host));
}

std::string pss_with(const std::string& hash_field) {
  return sequence(oid(rsa_prefix + "\x0A") + sequence(hash_field));
}

}  // namespace

TEST_CASE("the fields we look at are found in a certificate") {
  const std::string plain = certificate({});
  const std::string bare = certificate({.extensions = ""});
  auto fields = read_certificate(plain);
  REQUIRE(fields.has_value());
  CHECK(fields->signature_algorithm == ecdsa_sha256);
  CHECK(fields->alternative_names == element(0x82, "good.test"));
  CHECK_FALSE(fields->self_issued);
  CHECK(read_certificate(certificate({.issuer = "same", .subject = "same"}))->self_issued);
  fields = read_certificate(bare);
  REQUIRE(fields.has_value());
  CHECK(fields->alternative_names.empty());
}

TEST_CASE("the alternative names are found behind other extensions and when critical") {
  std::string other = extension(oid("\x55\x1D\x13"), sequence(""), true);
  std::string critical = extension(san_oid, sequence(element(0x82, "good.test")), true);
  const std::string with_all = certificate({.extensions = other + critical + other});
  auto fields = read_certificate(with_all);
  REQUIRE(fields.has_value());
  CHECK(fields->alternative_names == element(0x82, "good.test"));
}

TEST_CASE("two lists of alternative names are refused") {
  std::string twice = names_extension("good.test") + names_extension("evil.test");
  CHECK_FALSE(read_certificate(certificate({.extensions = twice})).has_value());
}

TEST_CASE("the signature algorithm must be the same inside and outside") {
  CHECK_FALSE(read_certificate(certificate({.inner_algorithm = ecdsa_sha1})).has_value());
}

TEST_CASE("no cut and no changed length reads outside of the certificate") {
  const std::string whole = certificate({});
  for (size_t size = 0; size < whole.size(); ++size) {
    // A copy of exactly this size, so that a sanitizer sees any read past it.
    std::string cut(whole.data(), size);
    CHECK_FALSE(read_certificate(cut).has_value());
  }
  CHECK_FALSE(read_certificate(whole + "x").has_value());
  for (size_t at = 0; at < whole.size(); ++at) {
    for (int value : {0x00, 0x01, 0x7F, 0x80, 0x84, 0xFF}) {
      std::string changed = whole;
      changed[at] = static_cast<char>(value);
      auto fields = read_certificate(changed);
      if (fields) alternative_names_cover(fields->alternative_names, *PeerName::parse("a.test"));
    }
  }
}

TEST_CASE("signatures by SHA-2 are accepted, all others refused") {
  CHECK(signature_algorithm_accepted(sha256_rsa));
  CHECK(signature_algorithm_accepted(sequence(oid(rsa_prefix + "\x0C") + null_parameters)));
  CHECK(signature_algorithm_accepted(sequence(oid(rsa_prefix + "\x0D") + null_parameters)));
  CHECK(signature_algorithm_accepted(ecdsa_sha256));
  CHECK_FALSE(signature_algorithm_accepted(sha1_rsa));
  CHECK_FALSE(signature_algorithm_accepted(md5_rsa));
  CHECK_FALSE(signature_algorithm_accepted(ecdsa_sha1));
  CHECK_FALSE(signature_algorithm_accepted(sequence(oid("\x2B\x65\x70"))));  // Ed25519: not built
  CHECK_FALSE(signature_algorithm_accepted(sequence("")));
  CHECK_FALSE(signature_algorithm_accepted(""));
}

TEST_CASE("RSA-PSS names its hash, and means SHA-1 when it does not") {
  std::string sha256 = sequence(oid("\x60\x86\x48\x01\x65\x03\x04\x02\x01") + null_parameters);
  std::string sha1 = sequence(oid("\x2B\x0E\x03\x02\x1A") + null_parameters);
  CHECK(signature_algorithm_accepted(pss_with(element(0xA0, sha256))));
  CHECK_FALSE(signature_algorithm_accepted(pss_with(element(0xA0, sha1))));
  CHECK_FALSE(signature_algorithm_accepted(pss_with("")));
  CHECK_FALSE(signature_algorithm_accepted(sequence(oid(rsa_prefix + "\x0A"))));
}

TEST_CASE("the first certificate must cover the peer") {
  CHECK(check({certificate({})}) == Problem::none);
  CHECK(check({certificate({})}, "other.test") == Problem::certificate_wrong_name);
  CHECK(check({certificate({.extensions = ""})}) == Problem::certificate_wrong_name);
  // A later certificate's names are nobody's business.
  std::string other = certificate({.extensions = names_extension("other.test")});
  CHECK(check({other, certificate({})}) == Problem::certificate_wrong_name);
  CHECK(check({certificate({}), other}) == Problem::none);
  CHECK(check({}) == Problem::certificate_missing);
}

TEST_CASE("every signature of the chain counts but that of a root sent along") {
  const std::string leaf = certificate({});
  const Parts root = {.issuer = "root", .subject = "root", .extensions = ""};
  const std::string old_root = signed_with(sha1_rsa, root);
  CHECK(check({signed_with(sha1_rsa)}) == Problem::certificate_weak_signature);
  CHECK(check({leaf, signed_with(sha1_rsa)}) == Problem::certificate_weak_signature);
  CHECK(check({leaf, certificate({}), old_root}) == Problem::none);
  CHECK(check({leaf, old_root, certificate({})}) == Problem::certificate_weak_signature);
  Parts self_signed = root;
  self_signed.extensions = names_extension("good.test");
  CHECK(check({signed_with(sha1_rsa, self_signed)}) == Problem::certificate_weak_signature);
  CHECK(check({leaf, "garbage"}) == Problem::certificate_malformed);
}
