#include "catalog/base_url.h"

#include "io/address.h"

namespace hyperion::catalog {
namespace {

bool is_lower_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

bool is_path_character(char c) {
  return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z') || c == '/' || c == '.' || c == '_' ||
         c == '~' || c == '-' || c == ':';
}

// Replaces every {name} by the value of that variable.
bool expand(std::string_view text, const UrlVariables& variables, std::string& out,
            std::string& problem) {
  while (true) {
    const size_t open = text.find('{');
    out += text.substr(0, open);
    if (open == std::string_view::npos) return true;
    const size_t close = text.find('}', open);
    if (close == std::string_view::npos) {
      problem = "expected a } after {";
      return false;
    }
    const std::string_view name = text.substr(open + 1, close - open - 1);
    const auto found = variables.find(name);
    if (found == variables.end()) {
      problem = "{" + std::string(name) + "} needs a value in `variables`";
      return false;
    }
    const std::string& value = found->second;
    bool valid = !value.empty();
    for (char c : value) valid = valid && (is_lower_or_digit(c) || c == '-');
    if (!valid) {
      problem = "the variable " + std::string(name) + " may hold [a-z0-9-] only";
      return false;
    }
    out += value;
    text.remove_prefix(close + 1);
  }
}

bool is_host_name(std::string_view host) {
  if (host.empty() || host.size() > 253) return false;  // RFC 1035
  size_t begin = 0;
  bool last_is_number = false;
  while (begin <= host.size()) {
    size_t end = host.find('.', begin);
    if (end == std::string_view::npos) end = host.size();
    const std::string_view label = host.substr(begin, end - begin);
    if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-') {
      return false;
    }
    last_is_number = true;
    for (char c : label) {
      if (!is_lower_or_digit(c) && c != '-') return false;
      last_is_number = last_is_number && c >= '0' && c <= '9';
    }
    begin = end + 1;
  }
  // "127.1" and "2130706433" are addresses to some resolvers: only full dotted quads are taken.
  return !last_is_number && host.find("0x") != 0;
}

bool parse_port(std::string_view text, uint16_t& port) {
  if (text.empty() || text.size() > 5 || text.front() == '0') return false;
  unsigned value = 0;
  for (char c : text) {
    if (c < '0' || c > '9') return false;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  port = static_cast<uint16_t>(value);
  return value <= 65535;
}

// "host", "host:port", "[::1]:port". `rest` is what follows the host, with its colon.
bool parse_host(std::string_view authority, BaseUrl& url, std::string_view& rest) {
  if (authority.starts_with('[')) {
    const size_t close = authority.find(']');
    if (close == std::string_view::npos) return false;
    url.host = authority.substr(1, close - 1);
    url.host_is_ip = true;
    rest = authority.substr(close + 1);
    return url.host.find(':') != std::string::npos && io::Address::from_ip(url.host, 1);
  }
  const size_t colon = authority.find(':');
  url.host = authority.substr(0, colon);
  rest = colon == std::string_view::npos ? std::string_view{} : authority.substr(colon);
  for (char& c : url.host) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  url.host_is_ip = static_cast<bool>(io::Address::from_ip(url.host, 1));
  return url.host_is_ip || is_host_name(url.host);
}

bool parse_path(std::string_view path, BaseUrl& url) {
  while (path.ends_with('/')) path.remove_suffix(1);
  for (char c : path) {
    if (!is_path_character(c)) return false;
  }
  const std::string with_end = std::string(path) + "/";
  for (std::string_view segment : {"//", "/./", "/../"}) {
    if (with_end.find(segment) != std::string::npos) return false;
  }
  url.path_prefix = path;
  return true;
}

std::string bracketed(const BaseUrl& url) {
  return url.host.find(':') == std::string::npos ? url.host : "[" + url.host + "]";
}

}  // namespace

std::string BaseUrl::text() const {
  return (tls ? "https://" : "http://") + host_header + path_prefix;
}

bool parse_base_url(std::string_view text, const UrlVariables& variables, BaseUrl& url,
                    std::string& problem) {
  std::string expanded;
  if (!expand(text, variables, expanded, problem)) return false;
  std::string_view rest = expanded;
  BaseUrl result;
  if (rest.starts_with("https://")) {
    rest.remove_prefix(8);
  } else if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
    result.tls = false;
  } else {
    problem = "expected a URL that starts with https:// or http://";
    return false;
  }
  // The text itself stays out of messages: somebody may have written a password into it.
  if (rest.find_first_of("@?#%\\") != std::string_view::npos) {
    problem = "expected scheme, host, port and path only: no user, query, fragment or escapes";
    return false;
  }
  const size_t slash = rest.find('/');
  const std::string_view authority = rest.substr(0, slash);
  std::string_view port;
  if (!parse_host(authority, result, port)) {
    problem = "expected a host name of [a-z0-9.-] or an IP address";
    return false;
  }
  result.port = result.tls ? 443 : 80;
  if (!port.empty() && (port.front() != ':' || !parse_port(port.substr(1), result.port))) {
    problem = "expected a port from 1 to 65535";
    return false;
  }
  if (slash != std::string_view::npos && !parse_path(rest.substr(slash), result)) {
    problem = "expected a path of [A-Za-z0-9._~:/-] without empty or dot segments";
    return false;
  }
  result.host_header = bracketed(result);
  if (result.port != (result.tls ? 443 : 80)) {
    result.host_header += ":" + std::to_string(result.port);
  }
  url = std::move(result);
  return true;
}

}  // namespace hyperion::catalog
