// The body that goes upstream: the client's own bytes but for a new model value and the removed
// keys.
//
// Pure. A SplicePlan is a short list of pieces, each a view of the client's body or of a text that
// outlives the attempt (the escaped model name of the catalogue). The gateway queues the pieces by
// reference: nothing is copied.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "json/body_scan.h"

namespace hyperion::json {

struct SplicePlan {
  static constexpr size_t pieces_max_count = 24;

  // Most plans have one piece or three: the others are neither cleared nor copied.
  SplicePlan() {}
  SplicePlan(const SplicePlan& other) { *this = other; }
  SplicePlan& operator=(const SplicePlan& other) {
    count = other.count;
    size_bytes = other.size_bytes;
    for (size_t i = 0; i < count; ++i) pieces[i] = other.pieces[i];
    return *this;
  }

  union {
    std::string_view pieces[pieces_max_count];
  };
  size_t count = 0;
  uint64_t size_bytes = 0;  // the Content-Length
};

// Plans `body`, which gave `scan`, with every key of Hyperion's own removed, foreign keys of a
// literal `extra_body` hoisted to the top (in place: its braces go), and, if `model_json` is not
// empty, the value of `model` replaced by it (a quoted, escaped JSON string). A body without
// `model` gets none. `keep_models`: root `models` is the provider's own and stays. With nothing to
// change the plan is the body itself, one piece. Property: parse(edit(body)) == edit(parse(body)).
SplicePlan plan_upstream_body(std::string_view body, const Scan& scan, std::string_view model_json,
                              bool keep_models = false);

}  // namespace hyperion::json
