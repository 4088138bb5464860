#include "catalog/base_url.h"

#include <doctest/doctest.h>

#include "support/shared_data.h"

using namespace hyperion::catalog;

namespace {

bool accepted(std::string_view text, const UrlVariables& variables = {}) {
  BaseUrl url;
  std::string problem;
  const bool good = parse_base_url(text, variables, url, problem);
  CHECK(good == problem.empty());
  return good;
}

BaseUrl parsed(std::string_view text, const UrlVariables& variables = {}) {
  BaseUrl url;
  std::string problem;
  REQUIRE_MESSAGE(parse_base_url(text, variables, url, problem), problem);
  return url;
}

}  // namespace

TEST_CASE("a base URL is taken apart") {
  const BaseUrl url = parsed("https://API.OpenAI.com/v1/");
  CHECK(url.tls);
  CHECK(url.host == "api.openai.com");
  CHECK_FALSE(url.host_is_ip);
  CHECK(url.port == 443);
  CHECK(url.path_prefix == "/v1");
  CHECK(url.host_header == "api.openai.com");
  CHECK(url.text() == "https://api.openai.com/v1");
}

TEST_CASE("addresses, ports and empty paths") {
  CHECK(parsed("http://127.0.0.1:9090/v1").host_header == "127.0.0.1:9090");
  CHECK(parsed("http://127.0.0.1:9090/v1").host_is_ip);
  CHECK(parsed("http://localhost").port == 80);
  CHECK(parsed("http://localhost/").path_prefix.empty());
  CHECK(parsed("https://[::1]:8443").host == "::1");
  CHECK(parsed("https://[::1]:8443").host_header == "[::1]:8443");
  CHECK(parsed("https://[::1]").host_header == "[::1]");
  CHECK(parsed("https://a.example:443").host_header == "a.example");
  CHECK(parsed("http://a.example:443").host_header == "a.example:443");
}

TEST_CASE("nothing in a base URL can move a request to another host") {
  for (const char* wrong : {
           "",
           "api.openai.com",
           "ftp://a.example",
           "HTTPS//a",
           "https:/a.example",
           "https://",
           "https:///v1",
           "https://user@a.example",
           "https://user:secret@a.example",
           "https://a.example@b.example",
           "https://a.example#b",
           "https://a.example?x=1",
           "https://a.example/%2e%2e/x",
           "https://a.example\\b",
           "https://a example",
           "https://a.example/x y",
           "https://a.example:0",
           "https://a.example:65536",
           "https://a.example:",
           "https://a.example:+1",
           "https://a.example:080",
           "https://a..example",
           "https://.example",
           "https://a.example.",
           "https://-a.example",
           "https://a-.example",
           "https://a_b.example",
           "https://127.1",
           "https://2130706433",
           "https://0x7f000001",
           "https://0x7f.0.0.1",
           "https://1.2.3.256",
           "https://[::1",
           "https://[127.0.0.1]",
           "https://[::1]x",
           "https://::1",
           "https://[fe80::1%eth0]",
           "https://a.example//v1",
           "https://a.example/../v1",
           "https://a.example/v1/..",
           "https://a.example/./v1",
           "https://a.example/v1\r\nx: y",
           "https://a.example\n",
           "https://b\xc3\xbc"
           "cher.example",
           "https://a.example/v1;x",
       }) {
    CAPTURE(wrong);
    CHECK_FALSE(accepted(wrong));
  }
  CHECK_FALSE(accepted(std::string_view("https://a.example\0.b.example", 28)));
  CHECK_FALSE(accepted("https://" + std::string(64, 'a') + ".example"));
  CHECK_FALSE(accepted("https://" + std::string(300, 'a')));
}

TEST_CASE("placeholders take letters, digits and dashes only") {
  CHECK(parsed("https://{resource}.openai.azure.com/openai/v1", {{"resource", "mine-2"}}).host ==
        "mine-2.openai.azure.com");
  const char* url = "https://{r}.a.example";
  for (const char* wrong : {"", "a.b", "a#", "A", "a/b", "evil.example/", "a b", "{r}"}) {
    CAPTURE(wrong);
    CHECK_FALSE(accepted(url, {{"r", wrong}}));
  }
  CHECK_FALSE(accepted(url));
  CHECK_FALSE(accepted("https://{r.a.example", {{"r", "x"}}));
}

TEST_CASE("the problem says what was expected and never repeats the URL") {
  BaseUrl url;
  std::string problem;
  CHECK_FALSE(parse_base_url("https://user:hunter2@a.example", {}, url, problem));
  CHECK(problem.find("hunter2") == std::string::npos);
  CHECK(problem.find("expected") != std::string::npos);
}
