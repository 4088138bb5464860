#include "tls/certificate_name.h"

#include <string>

#include <doctest/doctest.h>

using namespace hyperion::tls;

namespace {

std::string name_entry(char tag, const std::string& value) {
  REQUIRE(value.size() < 128);
  return std::string(1, tag) + static_cast<char>(value.size()) + value;
}
std::string dns(const std::string& value) { return name_entry('\x82', value); }
std::string ip(const std::string& value) { return name_entry('\x87', value); }

bool covers(const std::string& general_names, std::string_view host) {
  auto peer = PeerName::parse(host);
  return peer && alternative_names_cover(general_names, *peer);
}

}  // namespace

TEST_CASE("a host is a DNS name or an IP address, nothing in between") {
  struct {
    std::string_view host;
    bool valid;
    std::string_view dns;
    size_t ip_size_bytes;
  } cases[] = {
      {"api.example.com", true, "api.example.com", 0},
      {"API.Example.COM", true, "api.example.com", 0},
      {"api.example.com.", true, "api.example.com", 0},
      {"localhost", true, "localhost", 0},
      {"my_service.internal", true, "my_service.internal", 0},
      {"xn--bcher-kva.example", true, "xn--bcher-kva.example", 0},
      {"1.example", true, "1.example", 0},
      {"192.0.2.1", true, "", 4},
      {"::1", true, "", 16},
      {"[2001:db8::1]", true, "", 16},
      {"::ffff:192.0.2.1", true, "", 16},
      {"", false, "", 0},
      {".", false, "", 0},
      {"..", false, "", 0},
      {".example.com", false, "", 0},
      {"a..example.com", false, "", 0},
      {"example.com..", false, "", 0},
      {"*.example.com", false, "", 0},
      {"exa mple.com", false, "", 0},
      {"example.com:443", false, "", 0},
      {"example.com/", false, "", 0},
      {"user@example.com", false, "", 0},
      {"b\xC3\xBC"
       "cher.example",
       false, "", 0},
      {std::string_view("good.test\0.evil.test", 20), false, "", 0},
      {std::string_view("127.0.0.1\0", 10), false, "", 0},
      {"127.1", false, "", 0},
      {"2130706433", false, "", 0},
      {"0x7f000001", false, "", 0},
      {"127.0.0.0x1", false, "", 0},
      {"127.0.0.256", false, "", 0},
      {"192.0.2.1.", false, "", 0},
      {"[192.0.2.1]", false, "", 0},
      {"[::1", false, "", 0},
      {"[]", false, "", 0},
      {"fe80::1%eth0", false, "", 0},
  };
  for (const auto& c : cases) {
    CAPTURE(std::string(c.host));
    auto peer = PeerName::parse(c.host);
    CHECK(peer.has_value() == c.valid);
    if (!peer || !c.valid) continue;
    CHECK(peer->dns == c.dns);
    CHECK(peer->ip_size_bytes == c.ip_size_bytes);
    CHECK((peer->kind == PeerName::Kind::ip) == (c.ip_size_bytes > 0));
  }
}

TEST_CASE("labels are at most 63 bytes and names at most 253") {
  std::string label(63, 'a');
  CHECK(PeerName::parse(label + ".test").has_value());
  CHECK_FALSE(PeerName::parse(label + "a.test").has_value());
  std::string longest = label + '.' + label + '.' + label + '.' + label.substr(0, 61);
  REQUIRE(longest.size() == 253);
  CHECK(PeerName::parse(longest).has_value());
  CHECK(PeerName::parse(longest + '.').has_value());
  CHECK_FALSE(PeerName::parse(longest + "a").has_value());
}

TEST_CASE("a dNSName covers its own name, and one label where its first is a star") {
  struct {
    std::string_view pattern;
    std::string_view host;
    bool covered;
  } cases[] = {
      {"good.test", "good.test", true},
      {"GOOD.Test", "good.test", true},
      {"good.test", "a.good.test", false},
      {"a.good.test", "good.test", false},
      {"notgood.test", "good.test", false},
      {"good.test.evil.test", "good.test", false},
      {"localhost", "localhost", true},
      {"*.wild.test", "a.wild.test", true},
      {"*.WILD.test", "a.wild.test", true},
      {"*.wild.test", "wild.test", false},
      {"*.wild.test", "a.b.wild.test", false},
      {"*.wild.test", "xn--bcher-kva.wild.test", true},
      {"*.test", "good.test", false},
      {"*", "localhost", false},
      {"*.", "localhost", false},
      {"*..test", "a..test", false},
      {"g*.test", "good.test", false},
      {"g*.wild.test", "good.wild.test", false},
      {"*a.wild.test", "aa.wild.test", false},
      {"**.wild.test", "a.wild.test", false},
      {"a.*.test", "a.wild.test", false},
      {"*.*.test", "a.wild.test", false},
      {"good.test.", "good.test", false},
      {".good.test", "good.test", false},
      {"", "good.test", false},
      {" good.test", "good.test", false},
      {std::string_view("good.test\0", 10), "good.test", false},
      {std::string_view("good.test\0.evil.test", 20), "good.test", false},
  };
  for (const auto& c : cases) {
    CAPTURE(std::string(c.pattern));
    CAPTURE(std::string(c.host));
    CHECK(dns_name_covers(c.pattern, c.host) == c.covered);
  }
}

TEST_CASE("any one of the alternative names is enough, in any place") {
  std::string names = dns("one.test") + dns("*.two.test") + ip(std::string("\x7F\0\0\1", 4));
  CHECK(covers(names, "one.test"));
  CHECK(covers(names, "a.two.test"));
  CHECK(covers(names, "127.0.0.1"));
  CHECK_FALSE(covers(names, "three.test"));
  CHECK_FALSE(covers(names, "127.0.0.2"));
  CHECK_FALSE(covers("", "one.test"));
}

TEST_CASE("an address is covered by an equal iPAddress only") {
  CHECK_FALSE(covers(dns("127.0.0.1"), "127.0.0.1"));
  CHECK_FALSE(covers(dns("*.0.0.1"), "127.0.0.1"));
  std::string loopback6 = std::string(15, '\0') + '\x01';
  CHECK(covers(ip(loopback6), "::1"));
  CHECK(covers(ip(loopback6), "[::1]"));
  CHECK_FALSE(covers(dns("::1"), "::1"));
  // A mapped IPv4 address is another address; a range (address and mask) is none.
  std::string loopback4("\x7F\0\0\1", 4);
  CHECK_FALSE(covers(ip(std::string(10, '\0') + "\xFF\xFF" + loopback4), "127.0.0.1"));
  CHECK_FALSE(covers(ip(loopback4 + "\xFF\xFF\xFF\xFF"), "127.0.0.1"));
  CHECK_FALSE(covers(ip(""), "127.0.0.1"));
}

TEST_CASE("other kinds of names are passed over and never match") {
  std::string mail = name_entry('\x81', "good.test");
  std::string uri = name_entry('\x86', "good.test");
  std::string directory = name_entry('\xA4', "good.test");
  CHECK_FALSE(covers(mail + uri + directory, "good.test"));
  CHECK(covers(mail + uri + directory + dns("good.test"), "good.test"));
}

TEST_CASE("malformed lists end the walk") {
  CHECK_FALSE(covers("\x82", "good.test"));
  CHECK_FALSE(covers("\x82\x0Agood.test", "good.test"));
  CHECK_FALSE(covers("\x82\x80good.test", "good.test"));
  CHECK_FALSE(covers(std::string("\x82\x81\x09good.test"), "good.test"));  // not the shortest form
  CHECK_FALSE(covers("\x9F\x02\x09good.test", "good.test"));
  CHECK_FALSE(covers(std::string("\x82\x84\xFF\xFF\xFF\xFF") + "good.test", "good.test"));
  // What came before the malformed entry stands.
  CHECK(covers(dns("good.test") + "\x82\x7F", "good.test"));
}
