// Versions and dates of models, compared as what they are, never as text.
//
// "gpt-5.4-mini" is newer than "gpt-5-mini" and "claude-haiku-4-5-20251001" newer than
// "claude-3-haiku-20240307", though text order says otherwise. A Version is read from a model id:
// components of digits and dots are the version, YYYY-MM-DD or YYYYMMDD is the date, and a
// four-digit component (0125, 2508) is a build. Order: version, then date, then build. Pure, no
// allocation.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string_view>

namespace hyperion::catalog {

struct Version {
  std::array<uint32_t, 4> numbers{};
  uint32_t date = 0;  // 20241120; 0 none
  uint32_t build = 0;

  auto operator<=>(const Version&) const = default;
};

Version version_of(std::string_view id);

// The id without its date ("gpt-4o" of "gpt-4o-2024-11-20"); empty when it carries none.
std::string_view moving_name_of(std::string_view id);

// 20241120 of "2024-11-20"; 0 when it is not a date.
uint32_t parse_date(std::string_view text);

}  // namespace hyperion::catalog
