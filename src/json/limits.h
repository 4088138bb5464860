// The limits of the JSON layer, with units.
//
// Read by the Scanner for every request body; the initialisers are the defaults of the conf file
// (section [limits]). What is beyond a limit is refused by name, with the limit in the answer.
#pragma once

#include <cstdint>

namespace hyperion::json {

struct Limits {
  uint32_t depth_max = 64;  // simdjson's own default is 1024, and more is never allowed here
  uint32_t keys_per_object_max = 1024;
};

// Readable bytes that must follow every text given to the scanner (simdjson reads ahead).
inline constexpr uint32_t padding_bytes = 64;

}  // namespace hyperion::json
