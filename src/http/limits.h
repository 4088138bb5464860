// The limits of the HTTP layer, with units.
//
// Defaults are those of the conf file (section [limits]); `config` fills them, the parsers enforce
// them. One instance belongs to the configuration snapshot and outlives the parsers that were given
// it. Time limits are not here: the parsers know no clock.
#pragma once

#include <cstdint>

namespace hyperion::http {

struct Limits {
  uint32_t head_size_max_bytes = 16 * 1024;  // nginx 4x8 KiB, HAProxy 16 KiB
  uint32_t header_count_max = 64;            // HAProxy 101
  uint32_t target_size_max_bytes = 8 * 1024;
  uint64_t body_size_max_bytes = 32ull * 1024 * 1024;  // images inline
  uint32_t chunk_extension_max_bytes = 4 * 1024;       // per message
  uint32_t chunk_count_max = 262'144;                  // per message: 32 MiB in 128-byte chunks
  uint32_t trailer_size_max_bytes = 16 * 1024;
  uint32_t response_head_size_max_bytes = 32 * 1024;
  uint32_t response_header_count_max = 128;
  uint32_t sse_event_size_max_bytes = 1024 * 1024;
};

}  // namespace hyperion::http
