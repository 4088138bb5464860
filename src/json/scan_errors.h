// Fills in ScanErrors: names and expectations put together from parts, bounded and fit to be shown.
//
// Only ever called for a body that is refused. Parts may be bytes of the client's body (the name of
// an unknown key, never a value): control bytes become '?', and a part that does not fit is cut
// between characters. Every function returns false, so that a reader can return it.
#pragma once

#include <initializer_list>
#include <string_view>

#include "json/body_scan.h"
#include "json/tokens.h"

namespace hyperion::json {

using Parts = std::initializer_list<std::string_view>;

bool refuse(ScanError& error, ErrorCode code, uint32_t position, Parts field, Parts expected);

// "expected, got a number".
bool refuse_type(ScanError& error, uint32_t position, Parts field, std::string_view expected,
                 Kind given);

// A fault of the text itself; names the limit where it is one.
bool refuse_fault(ScanError& error, const Fault& fault, const Limits& limits);

}  // namespace hyperion::json
