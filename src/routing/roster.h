// The models that may be chosen in place of another, made once for each configuration.
//
// Of every deployment of the environment whose model has a quality and a price, one row with what
// the selection compares, laid out for a walk from the first to the last. Built by `config` when a
// configuration is loaded; immutable and shared by all shards afterwards. Rows are in the order of
// deployments, so that every shard and every run sees the same order. Nothing can fail: what is
// not fit to be chosen is simply not a row, `why_not` says why.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "catalog/catalog.h"
#include "routing/capability.h"

namespace hyperion::routing {

class Roster {
 public:
  // Beyond this many the conf's later providers are left out.
  static constexpr size_t size_max = 256;

  Roster() = default;
  // `previews`: models of status preview and deprecated as well. The catalogue outlives the roster.
  Roster(const catalog::Catalog& catalog, bool previews);

  std::span<const catalog::Deployment* const> candidates() const { return candidates_; }

  // Why a deployment is no candidate; `none` if it is one.
  static Exclusion why_not(const catalog::Deployment& deployment, bool previews);

 private:
  std::vector<const catalog::Deployment*> candidates_;
};

}  // namespace hyperion::routing
