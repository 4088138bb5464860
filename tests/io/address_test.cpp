#include "io/address.h"

#include <netinet/in.h>
#include <sys/un.h>

#include <cstring>
#include <string>

#include <doctest/doctest.h>

namespace hyperion::io {
namespace {

TEST_CASE("address: what is an address, and how it is written back") {
  struct Row {
    std::string_view text;
    std::string_view written;
    int family;
    uint16_t port;
    bool loopback;
  };
  const Row rows[] = {
      {"127.0.0.1:8080", "127.0.0.1:8080", AF_INET, 8080, true},
      {"127.9.9.9:1", "127.9.9.9:1", AF_INET, 1, true},
      {"0.0.0.0:0", "0.0.0.0:0", AF_INET, 0, false},
      {"255.255.255.255:65535", "255.255.255.255:65535", AF_INET, 65535, false},
      {"[::1]:8080", "[::1]:8080", AF_INET6, 8080, true},
      {"[::]:80", "[::]:80", AF_INET6, 80, false},
      {"[2001:DB8::0:1]:443", "[2001:db8::1]:443", AF_INET6, 443, false},
      {"unix:/run/hyperion.sock", "unix:/run/hyperion.sock", AF_UNIX, 0, true},
      {"unix:relative.sock", "unix:relative.sock", AF_UNIX, 0, true},
  };
  for (const Row& row : rows) {
    INFO(row.text);
    Result<Address> address = Address::parse(row.text);
    REQUIRE(address);
    CHECK(address->storage.ss_family == row.family);
    CHECK(address->port() == row.port);
    CHECK(address->is_loopback() == row.loopback);
    CHECK(address->text() == row.written);
    Result<Address> again = Address::parse(row.written);
    REQUIRE(again);
    CHECK(again->size == address->size);
    CHECK(std::memcmp(&again->storage, &address->storage, sizeof(sockaddr_storage)) == 0);
  }
}

TEST_CASE("address: what is none") {
  const std::string_view texts[] = {
      "",
      ":",
      ":80",
      "127.0.0.1",
      "127.0.0.1:",
      "127.0.0.1:65536",
      "127.0.0.1:999999",
      "127.0.0.1:-1",
      "127.0.0.1:+1",
      "127.0.0.1: 80",
      "127.0.0.1:80 ",
      " 127.0.0.1:80",
      "127.1:80",
      "0x7f.0.0.1:80",
      "127.0.0.01:80",
      "256.0.0.1:80",
      "localhost:80",
      "::1:80",
      "[::1]",
      "[::1]80",
      "[::1:80",
      "::1]:80",
      "[]:80",
      "[127.0.0.1]:80",
      "[::1%lo]:80",
      "[::1]]:80",
      "[[::1]]:80",
      "unix:",
      "http://127.0.0.1:80",
      std::string_view("127.0.0.1\0x:80", 14),
      std::string_view("unix:/a\0b", 9),
  };
  for (std::string_view text : texts) {
    INFO(std::string(text));
    CHECK_FALSE(Address::parse(text));
  }
  size_t room = sizeof(sockaddr_un::sun_path);
  CHECK(Address::parse("unix:" + std::string(room - 1, 'a')));
  CHECK_FALSE(Address::parse("unix:" + std::string(room, 'a')));
}

TEST_CASE("address: from an IP and a port; the port can be set") {
  Result<Address> address = Address::from_ip("::1", 443);
  REQUIRE(address);
  CHECK(address->text() == "[::1]:443");
  address->set_port(444);
  CHECK(address->text() == "[::1]:444");
  CHECK_FALSE(Address::from_ip("", 1));
  CHECK_FALSE(Address::from_ip("example.com", 1));
  CHECK_FALSE(Address::from_ip("[::1]", 1));
  CHECK_FALSE(Address::from_ip(std::string(200, '1'), 1));
}

TEST_CASE("address: copies what the kernel gave") {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(99);
  address.sin_addr.s_addr = htonl(0x0A000001);
  Address copy = Address::from_sockaddr(reinterpret_cast<sockaddr*>(&address), sizeof(address));
  CHECK(copy.text() == "10.0.0.1:99");
  CHECK(copy.size == sizeof(address));
}

}  // namespace
}  // namespace hyperion::io
