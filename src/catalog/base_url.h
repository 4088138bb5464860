// The address of a provider's API, as the conf gives it: "https://api.openai.com/v1".
//
// Only http and https, a host of [a-z0-9.-] or an IP address, an optional port and an optional path
// prefix: no user name, no query, no fragment, no percent sign, so that nothing in the conf can
// move a request to another host (Portkey #1596: a `#` in a resource name did). `{name}` in the
// text stands for a variable of the provider's section, whose value may be [a-z0-9-]+ only. Pure;
// parsed once when a configuration is loaded. Clients never influence a URL.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace hyperion::catalog {

struct BaseUrl {
  bool tls = true;          // scheme https
  std::string host;         // lower case, without brackets: "api.openai.com", "10.0.0.7", "::1"
  bool host_is_ip = false;  // no name to resolve; a certificate must name it as an iPAddress
  uint16_t port = 443;
  std::string
      path_prefix;  // "/v1" or empty; never ends in a slash. It stands for the client's "/v1".
  std::string
      host_header;  // value of Host: with brackets, and with the port unless it is the default

  std::string text() const;
  bool operator==(const BaseUrl&) const = default;
};

using UrlVariables = std::map<std::string, std::string, std::less<>>;

// False with a sentence in `problem` (what was expected, what was given) when `text` is not
// acceptable.
bool parse_base_url(std::string_view text, const UrlVariables& variables, BaseUrl& url,
                    std::string& problem);

}  // namespace hyperion::catalog
