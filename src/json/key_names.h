// The names of the top-level keys that are read, and finding one of them fast.
//
// Told apart by length and first letter, then compared once, so that a key nobody asks for costs a
// jump. Escapes are not undone here: the Scanner refuses known keys that are spelled with them.
#pragma once

#include <string_view>

#include "json/body_scan.h"

namespace hyperion::json {

// Key::count if `name` is none of them.
Key find_key(std::string_view name);

}  // namespace hyperion::json
