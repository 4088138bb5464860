// What GET /v1/models says about a model: OpenAI's shape, and the catalogue's facts beside it.
//
// One object for each name a key may say. What the catalogue does not know is left out, never
// written as zero. Prices are US dollars per million tokens, as vendors list them. The members that
// Anthropic's clients read (type, display_name, created_at) stand beside OpenAI's, so both can read
// the same list. Pure.
#pragma once

#include <string_view>

#include "catalog/catalog.h"
#include "gateway/discovery.h"
#include "gateway/snapshot.h"
#include "json/output.h"

namespace hyperion::gateway {

// `id`: the name as the client may say it; `upstream_model`: as the provider has it.
void write_model(json::Output& out, std::string_view id, const catalog::Deployment& deployment,
                 std::string_view upstream_model);

// One name of a provider's own list, unless it means something else.
template <class Allows>
void write_discovered(json::Output& out, const Snapshot& snapshot, const ProviderState& provider,
                      std::string_view name, Allows&& allows) {
  if (may_be_discovered(snapshot.config->catalog.resolve(name))) {
    const catalog::Resolution found = find_discovered(snapshot, name);
    const bool here =
        found.found() && &snapshot.providers[found.deployment->provider->index] == &provider;
    if (here && allows(*found.deployment))
      write_model(out, name, *found.deployment, found.upstream_model);
  }
}

// The whole list: every name with a usable deployment that `allows` admits, those of the catalogue
// and then those that the providers' own lists have beside it.
template <class Allows>
void write_models(json::Output& out, const Snapshot& snapshot, Allows&& allows) {
  const catalog::Catalog& catalog = snapshot.config->catalog;
  out.begin_object();
  out.member("object", "list");
  out.key("data");
  out.begin_array();
  for (const catalog::Name& name : catalog.names()) {
    if (name.deployment == catalog::Name::none_index) continue;
    const catalog::Deployment& deployment = catalog.deployments()[name.deployment];
    if (deployment.provider->usable && allows(deployment))
      write_model(out, catalog.text(name), deployment, deployment.upstream_model);
  }
  for (const ProviderState& provider : snapshot.providers) {
    for (size_t i = 0; provider.discovered != nullptr && i < provider.discovered->names.size(); ++i)
      write_discovered(out, snapshot, provider, provider.discovered->names[i], allows);
  }
  out.end_array();
  out.member("has_more", false);
  out.end_object();
}

}  // namespace hyperion::gateway
