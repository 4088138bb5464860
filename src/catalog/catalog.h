// Which names exist and what they stand for.
//
// The Catalog holds the models, providers and deployments of one configuration snapshot, and one
// flat table from every name a client may say to its deployment. The whole order of resolution
// (deployment of the environment, alias of the environment, alias of the conf, dated id, moving
// name or catalogue alias, `provider/model`, series shorthand) is worked out when the table is
// built, so `resolve` is one hash and one comparison: no allocation, no lock, under 100 ns. Built
// by `config` when a configuration is loaded, immutable and shared by all shards afterwards.
// Building collects every problem it finds (unknown targets, alias cycles) with its place;
// resolving cannot fail, a name is found, retired or unknown.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/draft.h"
#include "catalog/model.h"
#include "catalog/name_table.h"

namespace hyperion::catalog {

// Which deployments a key may use.
class DeploymentSet {
 public:
  void allow_all() { all_ = true; }
  void allow(const Deployment& deployment);
  bool allows(const Deployment& deployment) const {
    const size_t word = deployment.index / 64;
    return all_ || (word < bits_.size() && (bits_[word] >> (deployment.index % 64) & 1) != 0);
  }
  bool allows_all() const { return all_; }

 private:
  bool all_ = false;
  std::vector<uint64_t> bits_;
};

struct Resolution {
  enum class Outcome : uint8_t {
    unknown,   // no such name
    found,     // `deployment` serves it
    retired,   // `model` is known and gone; its `successor` may name what to use instead
    unserved,  // `model` is known, but no provider of the conf serves its family
  };
  Outcome outcome = Outcome::unknown;
  Match match = Match::none;
  const Deployment* deployment = nullptr;  // when found
  const Model* model = nullptr;            // nullptr when unknown, or found as an open deployment
  // What goes upstream. Compare with the requested name: equal means that the body stays as it is.
  std::string_view upstream_model;
  // The same as a JSON string with its quotes. Empty for an open deployment: then upstream_model is
  // a view into the requested name and holds only visible ASCII without quote and backslash, so
  // that it may stand between two quotes as it is.
  std::string_view upstream_model_json;

  bool found() const { return outcome == Outcome::found; }
};

using NearestNames =
    std::array<std::string_view, 3>;  // empty views at the end where there are fewer

class Catalog {
 public:
  Catalog() = default;
  Catalog(Catalog&&) = default;
  Catalog& operator=(Catalog&&) = default;

  // Takes the draft's contents. Problems are appended; a catalogue with problems is not to be used.
  static Catalog build(Draft draft, std::vector<Problem>& problems);

  // `name` is the model as the client decoded from JSON. The result's views live as long as this
  // catalogue and, for an open deployment, as `name`.
  Resolution resolve(std::string_view name) const;

  // What a name that stands for `deployment` would resolve to; not for an open one.
  Resolution resolution_of(const Deployment& deployment, Match match) const;

  // What a name that only the provider itself knows (it showed it in its list) resolves to. The
  // views live as `upstream_model`. Unknown where the provider has discovery off.
  Resolution resolve_discovered(const Provider& provider, std::string_view upstream_model) const;

  // For the 404 of an unknown name: up to three existing ones within a small edit distance, of
  // those that `allowed` contains. Walks all names (tens of microseconds): not for the ordinary
  // path.
  NearestNames nearest_names(std::string_view name, const DeploymentSet& allowed) const;

  std::span<const Model> models() const { return models_; }
  std::span<const Provider> providers() const { return providers_; }
  std::span<const Deployment> deployments() const { return deployments_; }
  // Every name with its deployment, best match first (for GET /v1/models and allow lists).
  std::span<const Name> names() const { return table_.names(); }
  std::string_view text(const Name& name) const { return table_.text(name); }
  const Provider* provider(std::string_view name) const;

  // Adds to `set` what one entry of a key's allow list means: "*", "provider/*", a name (with a
  // moving name, all dated releases of it), or a prefix of model ids ("gpt-4o*"). False: no such
  // thing.
  bool allow(std::string_view pattern, DeploymentSet& set) const;

 private:
  friend class Builder;

  const Deployment* open_deployment_at(const Provider& provider) const;
  const Deployment* open_deployment_of(std::string_view name) const;
  void allow_prefix(std::string_view prefix, DeploymentSet& set, bool& any) const;

  std::vector<Model> models_;
  std::vector<Provider> providers_;
  std::vector<Deployment> deployments_;
  // Of providers that take unknown models, or have discovery on; in their order.
  std::vector<uint16_t> open_deployments_;
  NameTable table_;
};

}  // namespace hyperion::catalog
