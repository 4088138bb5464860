// What GET /v1/models says about a model: OpenAI's shape, and the catalogue's facts beside it.
//
// One object for each name a key may say. What the catalogue does not know is left out, never
// written as zero. Prices are US dollars per million tokens, as vendors list them. The members that
// Anthropic's clients read (type, display_name, created_at) stand beside OpenAI's, so both can read
// the same list. Pure.
#pragma once

#include <string_view>

#include "catalog/catalog.h"
#include "json/output.h"

namespace hyperion::gateway {

// `id`: the name as the client may say it.
void write_model(json::Output& out, std::string_view id, const catalog::Deployment& deployment);

// The whole list: every name with a usable deployment that `allows` admits.
template <class Allows>
void write_models(json::Output& out, const catalog::Catalog& catalog, Allows&& allows) {
  out.begin_object();
  out.member("object", "list");
  out.key("data");
  out.begin_array();
  for (const catalog::Name& name : catalog.names()) {
    if (name.deployment == catalog::Name::none_index) continue;
    const catalog::Deployment& deployment = catalog.deployments()[name.deployment];
    if (deployment.provider->usable && allows(deployment))
      write_model(out, catalog.text(name), deployment);
  }
  out.end_array();
  out.member("has_more", false);
  out.end_object();
}

}  // namespace hyperion::gateway
