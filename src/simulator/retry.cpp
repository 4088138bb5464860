#include "simulator/retry.h"

#include <algorithm>
#include <cstdio>
#include <ctime>

#include "simulator/answer_text.h"

namespace hyperion::simulator {
namespace {

constexpr uint64_t last_second = 253'402'300'799;  // of the year 9999

tm parts_of(uint64_t unix_s) {
  const auto seconds = static_cast<time_t>(std::min(unix_s, last_second));
  tm parts{};
  gmtime_r(&seconds, &parts);
  return parts;
}

}  // namespace

void append_http_date(std::string& out, uint64_t unix_s) {
  // Names of our own: those of strftime follow the locale.
  constexpr const char* days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const tm parts = parts_of(unix_s);
  char text[64];
  std::snprintf(text, sizeof(text), "%s, %02d %s %04d %02d:%02d:%02d GMT", days[parts.tm_wday],
                parts.tm_mday, months[parts.tm_mon], parts.tm_year + 1900, parts.tm_hour,
                parts.tm_min, parts.tm_sec);
  out += text;
}

void append_rfc3339(std::string& out, uint64_t unix_s) {
  const tm parts = parts_of(unix_s);
  char text[64];
  std::snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02dZ", parts.tm_year + 1900,
                parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
  out += text;
}

void append_go_duration(std::string& out, uint64_t s) {
  const auto part = [&](uint64_t number, char unit) {
    append_number(out, static_cast<int64_t>(number));
    out += unit;
  };
  if (s >= 3600) part(s / 3600, 'h');
  if (s >= 60) part(s / 60 % 60, 'm');
  part(s % 60, 's');
}

void append_seconds(std::string& out, uint64_t ms) {
  append_number(out, static_cast<int64_t>(ms / 1000));
  if (ms % 1000 != 0) {
    char decimals[8];
    std::snprintf(decimals, sizeof(decimals), ".%03u", static_cast<unsigned>(ms % 1000));
    out += decimals;
    while (out.back() == '0') out.pop_back();
  }
  out += 's';
}

}  // namespace hyperion::simulator
