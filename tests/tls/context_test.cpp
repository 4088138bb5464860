#include "tls/context.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include <doctest/doctest.h>

#include "support/certificates.h"
#include "support/memory_stream.h"
#include "support/shared_data.h"

using namespace hyperion;
using namespace hyperion::test;

namespace {

struct Fixture {
  Fixture() : timers(clock.now()), gate(clock, timers) {}

  // The text of the failure; empty if a context was made.
  std::string client_error(const std::string& ca_file) {
    std::string error;
    auto context = tls::ClientContext::create({ca_file}, gate, &error);
    CHECK((context == nullptr) == !error.empty());
    return error;
  }
  std::string server_error(const std::string& certificate_file, const std::string& key_file) {
    std::string error;
    auto context = tls::ServerContext::create({certificate_file, key_file}, gate, &error);
    CHECK((context == nullptr) == !error.empty());
    return error;
  }

  ManualClock clock;
  io::TimerWheel timers;
  tls::HandshakeGate gate;
};

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

void write_file(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

}  // namespace

TEST_CASE("a context is made from good files") {
  const auto& certificates = test_certificates();
  if (certificates.empty()) return;
  Fixture fixture;
  CHECK(fixture.client_error(certificates / "root.pem") == "");
  CHECK(fixture.server_error(certificates / "good.chain.pem", certificates / "good.key") == "");
}

TEST_CASE("a missing or unreadable file is named, with what to do") {
  const auto& certificates = test_certificates();
  if (certificates.empty()) return;
  Fixture fixture;
  std::string chain = certificates / "good.chain.pem";
  std::string key = certificates / "good.key";
  std::string missing = certificates / "no-such-file.pem";
  std::string text = fixture.client_error(missing);
  CHECK(contains(text, "ca_file"));
  CHECK(contains(text, missing));
  CHECK(contains(text, "No such file"));
  CHECK(contains(text, "check the path"));
  CHECK(contains(fixture.server_error(missing, key), "certificate_file \"" + missing + "\""));
  CHECK(contains(fixture.server_error(chain, missing), "key_file \"" + missing + "\""));
  CHECK(contains(fixture.server_error(chain, ""), "key_file"));
  CHECK(contains(fixture.client_error(certificates), "Is a directory"));
  if (geteuid() != 0) {
    std::filesystem::path locked = certificates / "locked.key";
    write_file(locked, read_file(key));
    REQUIRE(chmod(locked.c_str(), 0) == 0);
    CHECK(contains(fixture.server_error(chain, locked), "readable for the user"));
  }
}

TEST_CASE("a key that does not belong to the certificate is refused") {
  const auto& certificates = test_certificates();
  if (certificates.empty()) return;
  Fixture fixture;
  std::string text = fixture.server_error(certificates / "keymismatch.chain.pem",
                                          certificates / "keymismatch.key");
  CHECK(contains(text, "is not the key of"));
  CHECK(contains(text, "one pair"));
}

TEST_CASE("files that hold something else are refused, and no secret is in the text") {
  const auto& certificates = test_certificates();
  if (certificates.empty()) return;
  Fixture fixture;
  std::string chain = certificates / "good.chain.pem";
  std::string key = certificates / "good.key";
  std::filesystem::path garbage = certificates / "garbage.pem";
  for (const std::string& text :
       {std::string("no PEM at all"), std::string(), std::string("-----BEGIN CERTIFICATE-----\n"),
        std::string("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
        std::string("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
        std::string(300, '\xFF')}) {
    CAPTURE(text);
    write_file(garbage, text);
    CHECK(contains(fixture.client_error(garbage), "no usable certificate authority"));
    CHECK(contains(fixture.server_error(garbage, key), "certificate_file"));
    CHECK(contains(fixture.server_error(chain, garbage), "key_file"));
  }
  // The two files swapped.
  std::string text = fixture.server_error(key, chain);
  CHECK(contains(text, "certificate_file"));
  CHECK_FALSE(contains(text, "PRIVATE KEY"));
  write_file(garbage, std::string(5 * 1024 * 1024, 'x'));
  CHECK(contains(fixture.client_error(garbage), "larger than 4 MiB"));
}

TEST_CASE("an unusable authority in a bundle does not spoil the others") {
  const auto& certificates = test_certificates();
  if (certificates.empty()) return;
  Fixture fixture;
  std::string bundle = certificates / "bundle.pem";
  write_file(bundle, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n" +
                         read_file(certificates / "rsa1024.pem") + "some comment\n" +
                         read_file(certificates / "expired.pem") +
                         read_file(certificates / "root.pem"));
  std::string error;
  auto context = tls::ClientContext::create({bundle}, fixture.gate, &error);
  REQUIRE_MESSAGE(context != nullptr, error);
  CHECK(context->authorities() == 1);
  CHECK(context->authorities_left_out() == 3);
}

TEST_CASE("without ca_file the system's bundle is used") {
  if (!std::filesystem::exists("/etc/ssl/certs/ca-certificates.crt")) {
    skip_case("this system has no bundle of certificate authorities at Debian's path");
    return;
  }
  Fixture fixture;
  std::string error;
  auto context = tls::ClientContext::create({}, fixture.gate, &error);
  REQUIRE_MESSAGE(context != nullptr, error);
  CHECK(context->authorities() > 50);
  // Expired ones are left out; much more would mean that a kind of key or signature is not built
  // in.
  CHECK(context->authorities_left_out() * 10 < context->authorities());
}
