// The models that may be chosen in place of another, made once for each configuration.
//
// Of every deployment of the environment whose model has a quality and a price, one row with what
// the selection compares, laid out for a walk from the first to the last. Built by `config` when a
// configuration is loaded; immutable and shared by all shards afterwards. Rows are in the order of
// deployments, so that every shard and every run sees the same order. Nothing can fail: what is
// not fit to be chosen is simply not a row, `why_not` says why.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "catalog/catalog.h"
#include "routing/capability.h"

namespace hyperion::routing {

// What the selection compares, in one line of a cache. The rest stands in the catalogue.
struct alignas(64) RosterRow {
  static constexpr uint32_t price_small = 1u << 30;

  std::array<int16_t, 8> logits{};  // of the quality; the last is 0
  const catalog::Deployment* deployment = nullptr;
  uint32_t context_tokens = 0;
  uint32_t input_tokens_max = 0;  // the largest number where only the context bounds it
  uint32_t output_tokens_max = 0;
  // Pico-dollars a token, each below price_small; of use where `plain_price`.
  uint32_t price_input = 0;
  uint32_t price_cached = 0;
  uint32_t price_output = 0;
  uint16_t index = 0;            // of the deployment
  uint16_t provider = 0;         // index
  uint16_t thinking_tokens = 0;  // of a request that does not speak of thinking
  bool quality_known = false;
  bool plain_price = false;  // without tiers, and known
  bool usable = false;       // the provider's
  bool retired = false;
  bool max_completion_tokens_only = false;
};
static_assert(sizeof(RosterRow) == 64 && catalog::head_count < 8);

// Of any deployment that has a model.
RosterRow row_of(const catalog::Deployment& deployment);

class Roster {
 public:
  // Beyond this many the conf's later providers are left out.
  static constexpr size_t size_max = 256;

  Roster() = default;
  // `previews`: models of status preview and deprecated as well. The catalogue outlives the roster.
  Roster(const catalog::Catalog& catalog, bool previews);

  std::span<const RosterRow> candidates() const { return candidates_; }

  // Why a deployment is no candidate; `none` if it is one.
  static Exclusion why_not(const catalog::Deployment& deployment, bool previews);

 private:
  std::vector<RosterRow> candidates_;
};

}  // namespace hyperion::routing
