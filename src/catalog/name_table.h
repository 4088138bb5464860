// A flat, immutable-after-build hash table from names to what they stand for.
//
// Open addressing with linear probing in a power-of-two array that is at most half full; all names
// lie in one string. The first insertion of a name wins, so inserting in the order of precedence is
// the order of precedence. Lookups neither allocate nor fail; names longer than
// `name_size_max_bytes` are refused by `insert` and never found.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hyperion::catalog {

inline constexpr size_t name_size_max_bytes = 256;

// How a name was understood: the steps of the contract's order, strongest first.
enum class Match : uint8_t {
  none,
  deployment,         // a [[deployments]] entry of the configured environment
  environment_alias,  // [environments.<name>]
  alias,              // [aliases]
  dated_id,           // an id with a date in it
  moving_name,        // newest active dated release of the name
  plain_id,           // an id without a date
  catalog_alias,
  provider_model,  // provider/name
  series,          // newest active model of the series
  successor,       // of a retired model, where the conf allows it
  open,            // provider/anything, where the provider takes unknown models; or discovered
  routed,          // chosen by routing, not named
};

// One row. `deployment` is none_index for a model that is retired or that no provider serves.
struct Name {
  static constexpr uint16_t none_index = 0xffff;
  uint32_t hash = 0;
  uint32_t offset = 0;
  uint16_t size = 0;
  uint16_t deployment = none_index;
  uint16_t model = none_index;
  Match match = Match::none;
};

class NameTable {
 public:
  // False when the name is taken already, empty or too long.
  bool insert(std::string_view name, Match match, uint16_t deployment, uint16_t model);
  const Name* find(std::string_view name) const;

  std::string_view text(const Name& name) const { return {text_.data() + name.offset, name.size}; }
  std::span<const Name> names() const { return names_; }  // in the order of insertion

 private:
  void grow();
  void place(uint32_t number);

  std::string text_;
  std::vector<Name> names_;
  std::vector<uint32_t> slots_;  // index into names_ plus one; 0 empty
};

}  // namespace hyperion::catalog
