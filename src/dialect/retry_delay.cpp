#include "dialect/retry_delay.h"

#include <algorithm>
#include <charconv>

namespace hyperion::dialect {
namespace {

constexpr int64_t delay_max_ms = 1'000'000'000;  // eleven days

int64_t days_since_1970(int64_t year, int64_t month, int64_t day) {
  // Civil date to days (Howard Hinnant's algorithm, public domain).
  const int64_t shifted = year - (month <= 2 ? 1 : 0);
  const int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + of_year - 719'468;
}

// The whole number at a place of fixed size; -1 when there is none.
int64_t number_at(std::string_view text, size_t at, size_t size) {
  int value = -1;
  const char* const end = text.data() + at + size;
  const auto [stop, failure] = std::from_chars(text.data() + at, end, value);
  return failure == std::errc() && stop == end && value >= 0 ? value : -1;
}

int64_t seconds_since_1970(int64_t year, int64_t month, int64_t day, std::string_view clock) {
  const int64_t hour = number_at(clock, 0, 2);
  const int64_t minute = number_at(clock, 3, 2);
  const int64_t second = number_at(clock, 6, 2);
  if (year < 1970 || month < 1 || month > 12 || day < 1 || hour < 0 || minute < 0 || second < 0)
    return -1;
  return days_since_1970(year, month, day) * 86'400 + hour * 3600 + minute * 60 + second;
}

// Of "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 5.6.7); -1 when it is none.
int64_t seconds_of_date(std::string_view text) {
  constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
  if (text.size() != 29 || text[3] != ',' || text.substr(25) != " GMT") return -1;
  const size_t month_at = months.find(text.substr(8, 3));
  if (month_at == std::string_view::npos || month_at % 3 != 0) return -1;
  return seconds_since_1970(number_at(text, 12, 4), static_cast<int64_t>(month_at) / 3 + 1,
                            number_at(text, 5, 2), text.substr(17, 8));
}

// Of "2026-01-01T00:00:00Z" (RFC 3339, UTC, a fraction of a second is rounded up); -1 when it is
// none.
int64_t seconds_of_timestamp(std::string_view text) {
  if (text.size() < 20 || text[4] != '-' || text[7] != '-' || text[10] != 'T') return -1;
  if (text.back() != 'Z') return -1;
  const int64_t seconds = seconds_since_1970(number_at(text, 0, 4), number_at(text, 5, 2),
                                             number_at(text, 8, 2), text.substr(11, 8));
  return seconds < 0 ? -1 : seconds + (text.size() > 20 ? 1 : 0);
}

int64_t until_ms(int64_t seconds, const http::HeaderList& headers) {
  const int64_t now = seconds_of_date(headers.find("date"));
  if (seconds <= 0 || now <= 0 || seconds <= now) return -1;
  return std::min((seconds - now) * 1000, delay_max_ms);
}

// A limit: what is left of it, and when it is whole again.
struct LimitRow {
  std::string_view remaining;
  std::string_view reset;
};
constexpr LimitRow limit_rows[] = {
    {"x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"},
    {"x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"},
    {"anthropic-ratelimit-requests-remaining", "anthropic-ratelimit-requests-reset"},
    {"anthropic-ratelimit-tokens-remaining", "anthropic-ratelimit-tokens-reset"},
    {"anthropic-ratelimit-input-tokens-remaining", "anthropic-ratelimit-input-tokens-reset"},
    {"anthropic-ratelimit-output-tokens-remaining", "anthropic-ratelimit-output-tokens-reset"},
};

// The longest of those that are used up.
int64_t reset_ms(const http::HeaderList& headers) {
  int64_t longest = -1;
  for (const LimitRow& row : limit_rows) {
    if (headers.find(row.remaining) != "0") continue;
    const std::string_view reset = headers.find(row.reset);
    const int64_t delay = milliseconds_of_duration(reset);
    longest = std::max(longest, delay > 0 ? delay : until_ms(seconds_of_timestamp(reset), headers));
  }
  return longest;
}

}  // namespace

int64_t milliseconds_of_duration(std::string_view text) {
  double ms = 0;
  bool any = false;
  while (!text.empty()) {
    double number = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, failure] = std::from_chars(text.data(), end, number);
    if (failure != std::errc() || !(number >= 0) || number > 1e9) return -1;
    text.remove_prefix(static_cast<size_t>(stop - text.data()));
    double unit_ms = 1000;
    size_t unit_size = 1;
    if (text.starts_with("ms")) {
      unit_ms = 1;
      unit_size = 2;
    } else if (text.starts_with('m')) {
      unit_ms = 60'000;
    } else if (text.starts_with('h')) {
      unit_ms = 3'600'000;
    } else if (text.empty() && !any) {
      unit_size = 0;
    } else if (!text.starts_with('s')) {
      return -1;
    }
    text.remove_prefix(unit_size);
    ms += number * unit_ms;
    any = true;
  }
  return any && ms <= static_cast<double>(delay_max_ms) ? static_cast<int64_t>(ms) : -1;
}

int64_t retry_delay_ms(uint16_t status, const http::HeaderList& headers) {
  if (status != 429 && status != 503 && status != 529) return -1;
  int64_t number = 0;
  const std::string_view ms = headers.find("retry-after-ms");
  std::from_chars(ms.data(), ms.data() + ms.size(), number);
  if (number > 0) return std::min(number, delay_max_ms);
  const std::string_view after = headers.find("retry-after");
  if (after.empty()) return status == 429 ? reset_ms(headers) : -1;
  const int64_t delay = milliseconds_of_duration(after);
  return delay > 0 ? delay : until_ms(seconds_of_date(after), headers);
}

}  // namespace hyperion::dialect
