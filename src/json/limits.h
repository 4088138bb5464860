// The limits of the JSON layer, with units. Defaults are those of the conf file (section [limits]).
#pragma once

#include <cstdint>

namespace hyperion::json {

struct Limits {
  uint32_t depth_max = 64;            // simdjson's own default is 1024
  uint32_t keys_per_object_max = 1024;
};

// Readable bytes that must follow every text given to the scanner (simdjson reads ahead).
inline constexpr uint32_t padding_bytes = 64;

}  // namespace hyperion::json
