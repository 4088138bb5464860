// The body that goes upstream: the client's own bytes but for a new model value and the removed keys.
//
// Pure. A SplicePlan is a short list of pieces, each a view of the client's body or of a text that outlives the attempt
// (the escaped model name of the catalogue). The gateway queues the pieces by reference: nothing is copied.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "json/body_scan.h"

namespace hyperion::json {

struct SplicePlan {
  static constexpr size_t pieces_max_count = 24;
  std::string_view pieces[pieces_max_count];
  size_t count = 0;
  uint64_t size_bytes = 0;  // the Content-Length
};

// Plans `body` with every key of Hyperion's own removed, keys of a literal `extra_body` that are foreign hoisted to the top, and,
// if `model_json` is not empty, the value of `model` replaced by it (a quoted, escaped JSON string).
// With nothing to change the plan is the body itself, one piece. Property: parse(edit(body)) == edit(parse(body)).
SplicePlan plan_upstream_body(std::string_view body, const Scan& scan, std::string_view model_json);

}  // namespace hyperion::json
