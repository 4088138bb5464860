#include "io/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <cstddef>
#include <cstring>

namespace hyperion::io {
namespace {

bool parse_port(std::string_view text, uint16_t& port) {
  if (text.empty() || text.size() > 5) return false;
  unsigned value = 0;
  for (char c : text) {
    if (c < '0' || c > '9') return false;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  if (value > 65535) return false;
  port = static_cast<uint16_t>(value);
  return true;
}

Result<Address> parse_unix(std::string_view path) {
  Address address;
  auto* un = reinterpret_cast<sockaddr_un*>(&address.storage);
  if (path.empty() || path.size() >= sizeof(un->sun_path)) return make_error(ErrorCode::invalid);
  if (path.find('\0') != std::string_view::npos) return make_error(ErrorCode::invalid);
  un->sun_family = AF_UNIX;
  std::memcpy(un->sun_path, path.data(), path.size());
  address.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
  return address;
}

}  // namespace

Result<Address> Address::parse(std::string_view text) {
  if (text.starts_with("unix:")) return parse_unix(text.substr(5));
  size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return make_error(ErrorCode::invalid);
  uint16_t port = 0;
  if (!parse_port(text.substr(colon + 1), port)) return make_error(ErrorCode::invalid);
  std::string_view ip = text.substr(0, colon);
  bool bracketed = ip.size() > 2 && ip.front() == '[' && ip.back() == ']';
  if (!bracketed && ip.find(':') != std::string_view::npos) return make_error(ErrorCode::invalid);
  if (!bracketed) return from_ip(ip, port);
  ip = ip.substr(1, ip.size() - 2);
  if (ip.find(':') == std::string_view::npos) return make_error(ErrorCode::invalid);
  return from_ip(ip, port);
}

Result<Address> Address::from_ip(std::string_view ip, uint16_t port) {
  char text[64] = {};
  if (ip.empty() || ip.size() >= sizeof(text)) return make_error(ErrorCode::invalid);
  if (ip.find('\0') != std::string_view::npos) return make_error(ErrorCode::invalid);
  std::memcpy(text, ip.data(), ip.size());
  Address address;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
  if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    address.size = sizeof(sockaddr_in);
    return address;
  }
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
  if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    address.size = sizeof(sockaddr_in6);
    return address;
  }
  return make_error(ErrorCode::invalid);
}

Address Address::from_sockaddr(const sockaddr* source, socklen_t size) {
  Address address;
  if (size > sizeof(address.storage)) size = sizeof(address.storage);
  std::memcpy(&address.storage, source, size);
  address.size = size;
  return address;
}

bool Address::is_loopback() const {
  if (storage.ss_family == AF_INET) {
    auto* v4 = reinterpret_cast<const sockaddr_in*>(&storage);
    return (ntohl(v4->sin_addr.s_addr) >> 24) == 127;
  }
  if (storage.ss_family == AF_INET6) {
    auto* v6 = reinterpret_cast<const sockaddr_in6*>(&storage);
    return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
  }
  return storage.ss_family == AF_UNIX;
}

uint16_t Address::port() const {
  if (storage.ss_family == AF_INET) {
    return ntohs(reinterpret_cast<const sockaddr_in*>(&storage)->sin_port);
  }
  if (storage.ss_family == AF_INET6) {
    return ntohs(reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_port);
  }
  return 0;
}

void Address::set_port(uint16_t port) {
  if (storage.ss_family == AF_INET) {
    reinterpret_cast<sockaddr_in*>(&storage)->sin_port = htons(port);
  } else if (storage.ss_family == AF_INET6) {
    reinterpret_cast<sockaddr_in6*>(&storage)->sin6_port = htons(port);
  }
}

std::string Address::text() const {
  char ip[INET6_ADDRSTRLEN] = {};
  if (storage.ss_family == AF_INET) {
    inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(&storage)->sin_addr, ip, sizeof(ip));
    return std::string(ip) + ":" + std::to_string(port());
  }
  if (storage.ss_family == AF_INET6) {
    inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_addr, ip,
              sizeof(ip));
    return "[" + std::string(ip) + "]:" + std::to_string(port());
  }
  if (storage.ss_family == AF_UNIX) {
    return std::string("unix:") + reinterpret_cast<const sockaddr_un*>(&storage)->sun_path;
  }
  return "?";
}

}  // namespace hyperion::io
