// The headers that every request to a provider begins with, whoever makes it.
//
// Called by attempts and by discovery, behind the request line: what the snapshot has prepared,
// then the provider's key in the way that it wants it. The writer says whether all of it fitted.
#pragma once

#include "gateway/snapshot.h"
#include "http/head_writer.h"

namespace hyperion::gateway {

inline void write_provider_headers(http::HeadWriter& writer, const catalog::Provider& provider,
                                   const ProviderState& state) {
  writer.raw(state.head);
  if (provider.key.empty()) return;
  writer.raw(provider.authentication.header);
  writer.raw(": ");
  writer.raw(provider.authentication.prefix);
  writer.raw(provider.key.reveal());
  writer.raw("\r\n");
}

}  // namespace hyperion::gateway
