#include "gateway/authentication.h"

#include "tls/sha256.h"

namespace hyperion::gateway {
namespace {

std::string_view bearer_of(const http::RequestHead& head) {
  std::string_view value = head.headers.find("authorization");
  constexpr std::string_view scheme = "Bearer ";
  if (value.size() > scheme.size() &&
      http::equal_ignoring_case(value.substr(0, scheme.size()), scheme)) {
    return value.substr(scheme.size());
  }
  return {};
}

}  // namespace

const config::VirtualKey* authenticate(const http::RequestHead& head,
                                       const config::VirtualKeys& keys) {
  std::string_view presented = bearer_of(head);
  if (presented.empty()) presented = head.headers.find("x-api-key");
  if (presented.empty()) presented = head.headers.find("x-goog-api-key");
  bool possible = !presented.empty() && presented.size() <= credential_size_max_bytes;
  tls::Sha256 hash = tls::sha256(presented.substr(0, credential_size_max_bytes));
  const config::VirtualKey* key = keys.find(hash);
  return possible ? key : nullptr;
}

}  // namespace hyperion::gateway
