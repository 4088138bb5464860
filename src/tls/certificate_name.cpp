#include "tls/certificate_name.h"

#include <arpa/inet.h>

#include <algorithm>

#include "tls/der.h"

namespace hyperion::tls {
namespace {

constexpr size_t name_bytes_max = 253;  // RFC 1035 2.3.4, as text
constexpr size_t label_bytes_max = 63;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool is_name_byte(char c) {
  return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z') || c == '-' || c == '_';
}

// A sequence of labels of letters, digits, '-' and '_', none empty or too long.
bool is_dns_name(std::string_view name) {
  if (name.empty() || name.size() > name_bytes_max) return false;
  size_t label_bytes = 0;
  for (char c : name) {
    if (c == '.') {
      if (label_bytes == 0) return false;
      label_bytes = 0;
    } else {
      if (!is_name_byte(c) || ++label_bytes > label_bytes_max) return false;
    }
  }
  return label_bytes > 0;
}

// As the URL standard has it: the last label is digits, or a hexadecimal number. `inet_aton` and so
// many resolvers read such a name as an address.
bool ends_in_number(std::string_view name) {
  std::string_view last = name.substr(name.rfind('.') + 1);
  if (last.size() >= 2 && last[0] == '0' && lower(last[1]) == 'x') {
    return std::all_of(last.begin() + 2, last.end(),
                       [](char c) { return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'f'); });
  }
  return std::all_of(last.begin(), last.end(), is_digit);
}

bool equal_without_case(std::string_view pattern, std::string_view lower_case) {
  return std::equal(pattern.begin(), pattern.end(), lower_case.begin(), lower_case.end(),
                    [](char a, char b) { return lower(a) == b; });
}

}  // namespace

std::optional<PeerName> PeerName::parse(std::string_view host) {
  if (host.empty() || host.size() > name_bytes_max + 1) return std::nullopt;
  PeerName peer;
  bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  // inet_pton wants a terminator, so a NUL inside would end the text early.
  if (host.find('\0') != std::string_view::npos) return std::nullopt;
  std::string address(bracketed ? host.substr(1, host.size() - 2) : host);
  if (inet_pton(AF_INET6, address.c_str(), peer.ip.data()) == 1) {
    peer.ip_size_bytes = 16;
  } else if (!bracketed && inet_pton(AF_INET, address.c_str(), peer.ip.data()) == 1) {
    peer.ip_size_bytes = 4;
  }
  if (peer.ip_size_bytes > 0) {
    peer.kind = Kind::ip;
    return peer;
  }
  peer.ip = {};
  if (host.back() == '.') host.remove_suffix(1);
  if (!is_dns_name(host) || ends_in_number(host)) return std::nullopt;
  peer.dns.resize(host.size());
  std::transform(host.begin(), host.end(), peer.dns.begin(), lower);
  return peer;
}

bool dns_name_covers(std::string_view pattern, std::string_view host) {
  bool wildcard = pattern.substr(0, 2) == "*.";
  if (!wildcard) return is_dns_name(pattern) && equal_without_case(pattern, host);
  std::string_view parent = pattern.substr(2);
  if (!is_dns_name(parent) || parent.find('.') == std::string_view::npos) return false;
  size_t first_dot = host.find('.');
  if (first_dot == 0 || first_dot == std::string_view::npos) return false;
  return equal_without_case(parent, host.substr(first_dot + 1));
}

bool AlternativeNames::next(Kind* kind, std::string_view* value) {
  // GeneralName of RFC 5280 4.2.1.6: dNSName is [2], iPAddress is [7].
  while (true) {
    DerReader reader(rest_);
    uint8_t tag = 0;
    std::string_view whole;
    if (!reader.next(&tag, value, &whole)) {
      rest_ = {};
      return false;
    }
    rest_.remove_prefix(whole.size());
    if (tag != der::context_primitive(2) && tag != der::context_primitive(7)) continue;
    *kind = tag == der::context_primitive(2) ? Kind::dns : Kind::ip;
    return true;
  }
}

bool alternative_names_cover(std::string_view general_names, const PeerName& peer) {
  AlternativeNames names(general_names);
  AlternativeNames::Kind kind;
  std::string_view value;
  while (names.next(&kind, &value)) {
    if (peer.kind == PeerName::Kind::dns) {
      if (kind == AlternativeNames::Kind::dns && dns_name_covers(value, peer.dns)) return true;
    } else if (kind == AlternativeNames::Kind::ip && value == peer.ip_bytes()) {
      return true;
    }
  }
  return false;
}

}  // namespace hyperion::tls
