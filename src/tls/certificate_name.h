// Is this certificate for that host? Our own answer, instead of the TLS library's.
//
// wolfSSL's check (measured on the `tls-badcerts` cases) takes partial wildcards, IP addresses
// written as DNS names and the common name of a certificate without alternative names. RFC 9525
// allows none of these, so the engine applies these functions to the peer's own certificate once
// the chain has been verified. Pure: no I/O, no wolfSSL, bytes in and a yes or no out. Host names
// are bytes in A-label form (`xn--...`); nothing here converts from Unicode.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hyperion::tls {

// Whom we mean to talk to: a DNS name or an IP address.
struct PeerName {
  enum class Kind : uint8_t { dns, ip };

  // From the host of a URL: "api.example.com", "api.example.com." (the root's dot is dropped),
  // "192.0.2.1", "2001:db8::1" or "[2001:db8::1]". Nothing for what cannot be a host: empty, longer
  // than 253 bytes, a label that is empty or over 63 bytes, a byte other than letters, digits, '-'
  // and '_' (so no '*', no NUL, no space), or a name whose last label is a number without being an
  // IPv4 address ("127.1", "0x7f000001"): resolvers take those for addresses.
  static std::optional<PeerName> parse(std::string_view host);

  std::string_view ip_bytes() const {
    return {reinterpret_cast<const char*>(ip.data()), ip_size_bytes};
  }

  Kind kind = Kind::dns;
  std::string dns;               // lower case, without trailing dot; empty for an address
  std::array<uint8_t, 16> ip{};  // network order
  uint8_t ip_size_bytes = 0;     // 4 or 16 for an address, else 0
};

// True when a dNSName of a certificate covers `host` (lower case, as PeerName has it). The pattern
// is an exact name, or '*' as its whole left-most label with at least two labels behind it, which
// stands for exactly one label. Compared without case. A pattern with any byte that a host name
// cannot have covers nothing.
bool dns_name_covers(std::string_view pattern, std::string_view host);

// Walks the names of a subjectAltName extension and gives the dNSName and iPAddress entries; other
// kinds are passed over. The views point into what was given.
class AlternativeNames {
 public:
  enum class Kind : uint8_t { dns, ip };

  // `general_names`: the contents of the extension's outer SEQUENCE (DER).
  explicit AlternativeNames(std::string_view general_names) : rest_(general_names) {}

  // False at the end, and for good at the first entry that is not valid DER.
  bool next(Kind* kind, std::string_view* value);

 private:
  std::string_view rest_;
};

// True when one of the alternative names covers `peer`: an address by an equal iPAddress, a name by
// a dNSName. An absent or empty list covers nobody; the common name is never looked at.
bool alternative_names_cover(std::string_view general_names, const PeerName& peer);

}  // namespace hyperion::tls
