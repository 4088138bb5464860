// A set of JSON keys, compared by what they mean rather than by how they are spelled.
//
// Used only for bodies with a literal extra_body, whose keys go to the top: is one there already?
// Holds 64-bit hashes, not keys. Two keys with the same hash (once in 10^13 bodies of a thousand
// keys) count as equal: that refuses an odd body and never lets a repeated key pass. Linear time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace hyperion::json {

class KeySet {
 public:
  // Empties the set and makes room for `count` keys.
  void reset(size_t count);
  // `raw` is the inside of a key's quotes, its escapes well formed.
  void insert(std::string_view raw);
  bool contains(std::string_view raw) const;
  void shrink() { slots_ = {}; }

 private:
  size_t slot_of(uint64_t hash) const;

  std::vector<uint64_t> slots_;  // a power of two, at least twice the keys; 0 is free
};

}  // namespace hyperion::json
