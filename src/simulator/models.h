// The models that a simulated provider has: those of the catalogue, by the names a provider knows.
//
// A provider knows a model by its id, by its moving name ("gpt-4o", the newest release) and by its
// aliases; shorthands such as "haiku" are the gateway's, and unknown here, as they would be there.
// Every family is served, since providers of many vendors can be simulated at one address. Retired
// models are unknown. Built once for each Simulator; a look-up neither allocates nor fails.
#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "catalog/catalog.h"

namespace hyperion::simulator {

class Models {
 public:
  // The catalogue must outlive this.
  explicit Models(const catalog::Catalog& catalog);

  // nullptr: there is no such model.
  const catalog::Model* find(std::string_view name) const;
  // Those that are served, by their ids.
  const std::vector<const catalog::Model*>& all() const { return all_; }

 private:
  std::vector<const catalog::Model*> all_;
  std::unordered_map<std::string_view, const catalog::Model*> by_name_;
};

}  // namespace hyperion::simulator
