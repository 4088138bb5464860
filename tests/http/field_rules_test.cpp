#include "http/field_rules.h"

#include <string>

#include <doctest/doctest.h>

namespace hyperion::http {
namespace {

TEST_CASE("a Host is a name or an address with an optional port, and nothing else") {
  for (const char* host :
       {"localhost", "api.example.com", "api.example.com:8080", "127.0.0.1:443", "[::1]", "a_b",
        "[2001:db8::7]:8443", "xn--bcher-kva.example", "a:", "a:65535", "A%2Db", "name;x"}) {
    INFO(std::string(host));
    CHECK(is_host(host));
  }
  for (const char* host : {"",
                           ":80",
                           "user@localhost",
                           "localhost/path",
                           "a,b",
                           "a b",
                           "a\tb",
                           "a:b",
                           "a:65536",
                           "a:123456",
                           "a:1:2",
                           "[::1",
                           "[::1]x",
                           "[]",
                           "[g::1]",
                           "a?b",
                           "a#b",
                           "a\\b",
                           "a%2",
                           "a%zz",
                           "\xd1\x81",
                           "a\x01",
                           "http://a",
                           "a:80/",
                           "[::1]:x"}) {
    INFO(std::string(host));
    CHECK_FALSE(is_host(host));
  }
  CHECK_FALSE(is_host(std::string_view("a\0b", 3)));
}

TEST_CASE("a Content-Length is 1 to 19 decimal digits without sign or leading zero") {
  uint64_t value = 7;
  CHECK(parse_content_length("0", value));
  CHECK(value == 0);
  CHECK(parse_content_length("9999999999999999999", value));
  CHECK(value == 9999999999999999999u);
  value = 7;
  for (const char* text : {"", "00", "01", "+1", "-1", " 1", "1 ", "1_0", "0x5", "1.0", "1e3",
                           "10000000000000000000", "1,1", "\xd9\xa3"}) {
    INFO(std::string(text));
    CHECK_FALSE(parse_content_length(text, value));
  }
  CHECK(value == 7);
}

TEST_CASE("names that decide framing, routing or identity are known in every case") {
  CHECK(guarded_name("Host") == GuardedName::host);
  CHECK(guarded_name("hOST") == GuardedName::host);
  CHECK(guarded_name("content-length") == GuardedName::content_length);
  CHECK(guarded_name("CONTENT-LENGTH") == GuardedName::content_length);
  CHECK(guarded_name("Transfer-Encoding") == GuardedName::transfer_encoding);
  CHECK(guarded_name("tRANSFER-eNCODING") == GuardedName::transfer_encoding);
  CHECK(guarded_name("Authorization") == GuardedName::authorization);
}

TEST_CASE("other spellings of guarded names are disguises") {
  for (const char* name : {"Content_Length",
                           "ContentLength",
                           "Content--Length",
                           "Content-Length-",
                           "-Content-Length",
                           "Content.Length",
                           "CONTENT_LENGTH",
                           "Transfer_Encoding",
                           "Transfer---Encoding",
                           "TransferEncoding",
                           "transfer.encoding",
                           "Transfer-Encodin-g",
                           "Ho.st",
                           "_Host",
                           "Host_",
                           "h-o-s-t",
                           "Authorization_",
                           "Author-ization",
                           "~authorization",
                           "Co-ntentLength"}) {
    INFO(std::string(name));
    CHECK(guarded_name(name) == GuardedName::disguised);
  }
}

TEST_CASE("names that only resemble guarded ones are left alone") {
  for (const char* name :
       {"", "-", "___", "Hosts", "X-Host", "Content-Type", "Content-Lengths", "Content-Encoding",
        "X-Content-Length", "Transfer-Encodings", "Proxy-Authorization", "Accept", "Hos",
        "Authorizatio", "User-Agent", "TE", "Trailer", "Content-Length2"}) {
    INFO(std::string(name));
    CHECK(guarded_name(name) == GuardedName::none);
  }
}

TEST_CASE("a target in origin form is split into path and query") {
  const TargetParts parts = check_target("/v1/models?limit=2?x=/../", false);
  CHECK(parts.fault == nullptr);
  CHECK(parts.authority_size == 0);
  CHECK(parts.path_begin == 0);
  CHECK(parts.path_size == 10);
  CHECK(check_target("/", false).path_size == 1);
  CHECK(check_target("//a", false).fault == nullptr);
}

TEST_CASE("a target in absolute form gives its authority") {
  const std::string target = "HTTPS://example.com:8443/a/b?c";
  const TargetParts parts = check_target(target, false);
  CHECK(parts.fault == nullptr);
  CHECK(target.substr(parts.authority_begin, parts.authority_size) == "example.com:8443");
  CHECK(target.substr(parts.path_begin, parts.path_size) == "/a/b");
  const TargetParts bare = check_target("http://example.com", false);
  CHECK(bare.fault == nullptr);
  CHECK(bare.path_size == 0);
}

TEST_CASE("targets that servers read differently are refused") {
  for (const char* target : {"",
                             "a",
                             "*a",
                             "a/b",
                             "ftp://a/b",
                             "http:/a",
                             "http://",
                             "http:///a",
                             "http://a?b",
                             "http://a#b",
                             "/a#b",
                             "/a?b#c",
                             "/a b",
                             "/a\tb",
                             "/a\x01",
                             "/a\x7f",
                             "/\xd1\x81",
                             "/a?\xff",
                             "/a\\b",
                             "/%00",
                             "/a%00b",
                             "/..",
                             "/../a",
                             "/a/..",
                             "/a/../b",
                             "/a/..?b",
                             "/%2e%2e/a",
                             "/.%2E/a",
                             "/%2E./a",
                             "/..;/a",
                             "http://a/../b",
                             "example.com:443"}) {
    INFO(std::string(target));
    CHECK(check_target(target, true).fault != nullptr);
  }
  CHECK(check_target(std::string_view("/a\0b", 4), true).fault != nullptr);
}

TEST_CASE("dots, escapes and backslashes that mean nothing are accepted") {
  for (const char* target : {"/.", "/...", "/a..b", "/..a", "/a/.hidden", "/%20", "/%2f..%2f",
                             "/a?b=..", "/a?b=/../c", "/a?b=%00", "/a?b=\\", "/a;v=1"}) {
    INFO(std::string(target));
    CHECK(check_target(target, false).fault == nullptr);
  }
}

TEST_CASE("an asterisk is for OPTIONS only") {
  CHECK(check_target("*", true).fault == nullptr);
  CHECK(check_target("*", true).path_size == 1);
  CHECK(check_target("*", false).fault != nullptr);
}

}  // namespace
}  // namespace hyperion::http
