// The headers that every request to a provider begins with, whoever makes it.
//
// Called by attempts and by discovery, behind the request line: what the snapshot has prepared,
// then the provider's key in the way that it wants it. The writer says whether all of it fitted.
#pragma once

#include "gateway/snapshot.h"
#include "http/head_writer.h"

namespace hyperion::gateway {

inline void write_provider_headers(http::HeadWriter& writer, const catalog::Provider& provider,
                                   const ProviderState& state, size_t key) {
  writer.raw(state.head);
  const std::string_view secret = provider.reveal_key(key);
  if (secret.empty()) return;
  writer.raw(provider.authentication.header);
  writer.raw(": ");
  writer.raw(provider.authentication.prefix);
  writer.raw(secret);
  writer.raw("\r\n");
}

}  // namespace hyperion::gateway
